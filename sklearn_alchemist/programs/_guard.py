"""Refuse source that does more than a labeling program may, and make the rest safe."""

import ast
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NoReturn

from ._loop_rewrite import skip_idle_iterations
from ._safe_modules import NAMES, direct_name, words

MAX_CHARACTERS = 100_000
MAX_NODES = 15_000
MAX_DEPTH = 150
TOO_LONG = "program is too long, keep to one labeling idea"

# What the rewritten source calls; a program itself cannot spell these names.
FACADE, FORMAT, OWN, TYPE = "__facade__", "__format_of__", "__own__", "__type_of__"

_NODES = words("""
    Module FunctionDef ClassDef Return Delete Assign AugAssign AnnAssign For While If
    With withitem Match match_case MatchValue MatchSingleton MatchSequence MatchMapping
    MatchClass MatchStar MatchAs MatchOr Raise Try ExceptHandler Assert Import
    ImportFrom alias Global Nonlocal Expr Pass Break Continue BoolOp NamedExpr BinOp
    UnaryOp Lambda IfExp Dict Set ListComp SetComp DictComp GeneratorExp comprehension
    Yield YieldFrom Compare Call keyword FormattedValue JoinedStr Constant Attribute
    Subscript Starred Name List Tuple Slice arguments arg Load Store Del And Or Add Sub
    Mult Div FloorDiv Mod Pow LShift RShift BitOr BitXor BitAnd Invert Not UAdd USub Eq
    NotEq Lt LtE Gt GtE Is IsNot In NotIn
    """)

_NAMES = words("__name__ __doc__ __all__ __version__ __author__ __slots__")

_METHODS = words("""
    __abs__ __add__ __and__ __bool__ __call__ __ceil__ __contains__ __delitem__
    __divmod__ __enter__ __eq__ __exit__ __float__ __floor__ __floordiv__ __format__
    __ge__ __getitem__ __gt__ __hash__ __iadd__ __iand__ __imul__ __index__ __init__
    __int__ __invert__ __ior__ __isub__ __iter__ __le__ __len__ __length_hint__
    __lshift__ __lt__ __missing__ __mod__ __mul__ __ne__ __neg__ __new__ __next__ __or__
    __pos__ __post_init__ __pow__ __radd__ __rand__ __repr__ __reversed__ __rmul__
    __ror__ __round__ __rshift__ __rsub__ __rtruediv__ __setitem__ __str__ __sub__
    __truediv__ __trunc__ __xor__
    """)
# What a class may define, and nobody but Python itself may ask for.
_HOOKS = words("__copy__ __deepcopy__ __getattr__")

_ATTRIBUTES = _METHODS | {"__name__", "__doc__", "__members__", "__qualname__"}

# Public in spite of their names, for classes that Python makes what they are.
_OPEN = words("""
    _asdict _fields _field_defaults _make _replace _generate_next_value_ _ignore_
    _missing_ _name_ _value_
    """)

# Frames, code, tracebacks, class internals: steps from an object to the interpreter.
_INTERNALS = words("""
    ag_await ag_code ag_frame co_code co_consts cr_await cr_code cr_frame cr_origin
    f_back f_builtins f_code f_generator f_globals f_locals f_trace func_globals gi_code
    gi_frame gi_yieldfrom mro obj tb_frame tb_lasti tb_lineno tb_next
    with_traceback
    """)

_REFUSED_BUILTINS = {
    "breakpoint": "",
    "compile": "",
    "delattr": "write `del object.name` instead",
    "dir": "",
    "eval": "json.loads or int() read values from text",
    "exec": "",
    "exit": "return None to abstain",
    "globals": "use a name or a dict",
    "help": "",
    "id": "compare with `is` instead",
    "input": "the parameters are the only input",
    "locals": "use a name or a dict",
    "memoryview": "use str or bytes",
    "open": "the parameters are the only input",
    "quit": "return None to abstain",
    "setattr": "write `object.name = value` instead",
    "vars": "use a name or a dict",
}

_PATTERN_CLASSES = words("bool bytes dict float frozenset int list set str tuple")

_CATCH_IMPORT = words("BaseException Exception ImportError ModuleNotFoundError")


class Refusal(ValueError):  # noqa: N818 -- reads as what happened
    """Source does what a labeling program may not.

    Parameters
    ----------
    line : int
        Line of the source, counted from 1.
    reason : str
        What is refused, and what to do instead.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


def parse(source: str, *, shared: bool = False) -> ast.Module:
    """Parse source that nobody has checked yet."""
    if not isinstance(source, str):
        raise Refusal(1, f"source is no text but of type {type(source).__name__}")
    if len(source) > MAX_CHARACTERS:
        raise Refusal(1, f"source is longer than {MAX_CHARACTERS} characters")
    if is_too_long(source):
        raise Refusal(1, TOO_LONG)
    try:
        return syntax_tree(source) if shared else _parse_quietly(source)
    except SyntaxError as error:
        raise Refusal(error.lineno or 1, f"not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError, SystemError) as error:
        reason = str(error) or "nested too deeply"
        raise Refusal(1, f"not Python: {reason}") from None


def is_too_long(source: str) -> bool:
    """Tell without parsing that a program is longer than labeling programs may be."""
    # A brace opens two nodes at least, and f-strings of many are parsed slowly.
    return len(source) > MAX_CHARACTERS or source.count("{") > MAX_NODES // 2


def _parse_quietly(source: str) -> ast.Module:
    with warnings.catch_warnings():
        # Patterns like "\d" in plain strings warn, and are none of our business.
        warnings.simplefilter("ignore")
        return ast.parse(source)


@lru_cache(maxsize=8)
def syntax_tree(source: str) -> ast.Module:
    """Parse source once for all who read it and change nothing."""
    return _parse_quietly(source)


def guard(
    source: str, notes: list[str] | None = None, *, shortcuts: bool = True
) -> ast.Module:
    """Check a program and rewrite the few operations that are only safe at run time."""
    tree = parse(source)
    check_size(tree)
    _spell_out_stars(tree)
    used = _used_names(tree)
    bound = _bound_names(tree)
    checker = _Guard(bound, _module_names(tree), used)
    try:
        tree = checker.visit(tree)
        if shortcuts:
            skip_idle_iterations(tree, bound)
    except RecursionError:
        raise Refusal(1, "nested too deeply, use a list or a dict") from None
    if notes is not None:
        notes += checker.notes
    return ast.fix_missing_locations(tree)


def _used_names(tree: ast.Module) -> set[str]:
    """Names that a program uses, aside from what it does when it is run as a script."""
    used: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            used.add(node.id)
        if isinstance(node, ast.If) and _is_main_block(node):
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))
    return used


def _spell_out_stars(tree: ast.Module) -> None:
    """Replace the star of ``from re import *`` by the names that are offered."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            name = node.module or ""
            # Some names are those of later versions of Python.
            known = dir(import_module(name)) if name in NAMES else ()
            offered = sorted(NAMES.get(name, frozenset()).intersection(known))
            node.names = [ast.alias(name) for name in offered] or node.names


def attribute_fault(name: str) -> str | None:
    """Say why an attribute may not be read from just any object."""
    if name in _INTERNALS:
        return f"attribute {name} belongs to Python's internals"
    if name.startswith("__") and name.endswith("__") and name not in _ATTRIBUTES:
        return f"attribute {name} belongs to Python's internals"
    return None


def is_private(name: str) -> bool:
    """Whether an attribute is only for methods of the class that defines it."""
    return name.startswith("_") and name not in _OPEN | _ATTRIBUTES


def check_size(tree: ast.Module) -> None:
    """Refuse a program that is too long or too deep, before more is read of it."""
    count = 0
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        count += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            break
        if count > MAX_NODES:
            raise Refusal(1, TOO_LONG)
    else:
        line = next((n.lineno for n in level if hasattr(n, "lineno")), 1)
        raise Refusal(line, "nested too deeply, use a list or a dict")


def _identifiers(node: ast.AST) -> Iterator[str]:
    """Names that a node spells itself, attributes aside."""
    if isinstance(node, ast.Constant | ast.Attribute | ast.Import | ast.ImportFrom):
        return
    for _, value in ast.iter_fields(node):
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                yield item


def _bound_names(tree: ast.Module) -> set[str]:
    """Names that a program gives a meaning of its own."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name)
        elif not isinstance(node, ast.keyword):
            bound.update(_identifiers(node))
    return bound


def _module_names(tree: ast.Module) -> dict[str, str]:
    """Names that are bound by imports of one module and by nothing else."""
    counts: Counter[str] = Counter()
    modules: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            counts[node.id] += 1
        elif isinstance(node, ast.alias):
            continue
        elif isinstance(node, ast.Import):
            for item in node.names:
                module = item.name if item.asname else item.name.partition(".")[0]
                modules.setdefault(item.asname or module, set()).add(module)
        elif isinstance(node, ast.ImportFrom):
            counts.update(item.asname or item.name for item in node.names)
        elif not isinstance(node, ast.Name | ast.keyword):
            counts.update(_identifiers(node))
    return {
        name: found.pop()
        for name, found in modules.items()
        if len(found) == 1 and not counts[name]
    }


def _refuse(node: ast.AST, reason: str) -> NoReturn:
    raise Refusal(getattr(node, "lineno", 1), reason)


def _refuse_import(node: ast.AST, module: str) -> NoReturn:
    allowed = ", ".join(sorted(NAMES))
    _refuse(node, f"module {module} is not available, use only {allowed}")


def _call(function: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(args), [])


def _is_abc_meta(keyword: ast.keyword) -> bool:
    """Whether a class keyword asks for abstract methods only."""
    value = keyword.value
    name = value.attr if isinstance(value, ast.Attribute) else None
    name = value.id if isinstance(value, ast.Name) else name
    return keyword.arg == "metaclass" and name == "ABCMeta"


def _is_main_block(node: ast.If) -> bool:
    match node.test:
        case (
            ast.Compare(
                left=ast.Name(id="__name__"),
                ops=[ast.Eq()],
                comparators=[ast.Constant(value="__main__")],
            )
            | ast.Compare(
                left=ast.Constant(value="__main__"),
                ops=[ast.Eq()],
                comparators=[ast.Name(id="__name__")],
            )
        ):
            return True
    return False


def _catches_import_error(node: ast.Try) -> bool:
    return any(
        handler.type is None
        or any(
            isinstance(part, ast.Name) and part.id in _CATCH_IMPORT
            for part in ast.walk(handler.type)
        )
        for handler in node.handlers
    )


class _Guard(ast.NodeTransformer):
    """Allow-list over the syntax tree."""

    def __init__(
        self, bound: set[str], modules: dict[str, str], used: set[str]
    ) -> None:
        self.bound = bound
        self.modules = modules
        self.used = used
        self.notes: list[str] = []
        self.in_class = False
        self.imports_may_fail = False

    def visit(self, node: ast.AST) -> Any:
        kind = type(node).__name__
        if kind not in _NODES:
            _refuse(
                node, f"{kind} is not part of labeling programs, use plain functions"
            )
        for name in _identifiers(node):
            if name.startswith("__") and name not in _NAMES:
                is_method = isinstance(node, ast.FunctionDef) and self.in_class
                if not (is_method and name in _METHODS | _HOOKS):
                    _refuse(node, f"name {name} is reserved, choose another")
        return super().visit(node)

    def visit_If(self, node: ast.If) -> Any:
        if _is_main_block(node):
            return [self.visit(child) for child in node.orelse] or ast.Pass()
        return self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> Any:
        before, self.imports_may_fail = (
            self.imports_may_fail,
            self.imports_may_fail or _catches_import_error(node),
        )
        body = [self.visit(child) for child in node.body]
        self.imports_may_fail = before
        node.body = []
        self.generic_visit(node)
        node.body = [
            statement
            for item in body
            for statement in (item if isinstance(item, list) else [item])
        ]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.returns = None
        before, self.in_class = self.in_class, False
        self.generic_visit(node)
        self.in_class = before
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        node.keywords = [k for k in node.keywords if not _is_abc_meta(k)]
        if node.keywords:
            _refuse(
                node,
                "class keywords such as metaclass= are not allowed, drop them",
            )
        before, self.in_class = self.in_class, True
        self.generic_visit(node)
        self.in_class = before
        return node

    def visit_arg(self, node: ast.arg) -> Any:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        # Hints are never evaluated; in a class body they still declare fields.
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        stored = not isinstance(node.ctx, ast.Load)
        if stored and node.id == "__name__":
            _refuse(node, "name __name__ is reserved, choose another")
        if node.id in _REFUSED_BUILTINS and node.id not in self.bound:
            advice = _REFUSED_BUILTINS[node.id]
            _refuse(
                node, f"{node.id}() is not available" + ", " * bool(advice) + advice
            )
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        loaded = isinstance(node.ctx, ast.Load)
        name = node.attr
        if loaded and name == "__class__":
            return _call(TYPE, self.visit(node.value))
        if fault := attribute_fault(name):
            _refuse(node, f"{fault}, work on the values themselves")
        if name.startswith("__") and name.endswith("__") and not loaded:
            _refuse(node, f"attribute {name} may not be changed")
        if is_private(name) and name.endswith("_"):
            _refuse(node, f"attribute {name} is reserved, choose another")
        if loaded and isinstance(node.value, ast.Name):
            module = self.modules.get(node.value.id)
            if module is not None and name in NAMES.get(module, ()):
                # One look-up instead of two, of a name that no program can spell.
                return ast.copy_location(
                    ast.Name(direct_name(module, name), node.ctx), node
                )
        self.generic_visit(node)
        if loaded and name in {"format", "format_map"}:
            return _call(FORMAT, node.value, ast.Constant(name))
        if not loaded or is_private(name):
            node.value = _call(OWN, node.value)
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> Any:
        known = isinstance(node.cls, ast.Name) and node.cls.id in _PATTERN_CLASSES
        if not known or node.kwd_attrs:
            _refuse(node, "class patterns may only name built-in types, use isinstance")
        return self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> Any:
        assignments: list[ast.stmt] = []
        for item in node.names:
            # `import a.b` binds a; `import a.b as c` binds a.b.
            module = item.name if item.asname else item.name.partition(".")[0]
            target = item.asname or module
            if item.name not in NAMES:
                if self._is_idle(node, item.name, target):
                    continue
                return self._failing_import(node, item.name)
            assignments.append(
                self._bind(node, target, _call(FACADE, ast.Constant(module)))
            )
        return assignments or ast.copy_location(ast.Pass(), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        module = "." * node.level + (node.module or "")
        if module == "__future__":
            return ast.copy_location(ast.Pass(), node)
        assignments: list[ast.stmt] = []
        for item in node.names:
            target = item.asname or item.name
            if module not in NAMES or item.name not in NAMES[module]:
                if self._is_idle(node, f"{module}.{item.name}", target):
                    continue
                if module not in NAMES:
                    return self._failing_import(node, module)
                return self._failing_import(node, f"{module}.{item.name}", module)
            facade = _call(FACADE, ast.Constant(module))
            value = ast.Attribute(facade, item.name, ast.Load())
            assignments.append(self._bind(node, target, value))
        return assignments or ast.copy_location(ast.Pass(), node)

    def _is_idle(self, node: ast.stmt, wanted: str, target: str) -> bool:
        """Whether an import can be left out: nothing uses it, or misses its failure."""
        idle = target not in self.used and target != "*" and not self.imports_may_fail
        if idle:
            self.notes.append(
                f"line {node.lineno}: import of {wanted} is left out, nothing uses it"
            )
        return idle

    def _bind(self, node: ast.stmt, name: str, value: ast.expr) -> ast.stmt:
        if name.startswith("__"):
            _refuse(node, f"name {name} is reserved, choose another")
        target = ast.Name(name, ast.Store())
        return ast.copy_location(ast.Assign([target], value), node)

    def _failing_import(
        self, node: ast.stmt, wanted: str, module: str | None = None
    ) -> ast.stmt:
        if self.imports_may_fail:
            error = ast.Call(
                ast.Name("ImportError", ast.Load()), [ast.Constant(wanted)], []
            )
            return ast.copy_location(ast.Raise(error, None), node)
        if module is None:
            _refuse_import(node, wanted)
        names = ", ".join(sorted(NAMES[module]))
        _refuse(node, f"{wanted} is not available, use what {module} offers: {names}")
