"""Find what a program never changes, so that it is made once and known to its loops.

Programs write their lists of keywords into the function, where each call makes them
anew. A list that is only read can be made once. Everything here goes by the names of
the whole source: a name that is bound in two places is known in neither.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Set
from itertools import takewhile

from ._safe_modules import direct_name

_COPIES = frozenset({"set", "frozenset", "list", "tuple"})
_COUNTS = frozenset({"len", "any", "all", "bool", "str", "repr", "isinstance", "sum"})
_WALKS = _COPIES | {"sorted", "enumerate", "zip", "reversed", "dict"}
_PICKS = frozenset({"max", "min"})
_VIEWS = frozenset({"items", "keys", "values"})
_LOOKS = frozenset(
    {"count", "index", "isdisjoint", "issubset", "issuperset"}
    | {"union", "intersection", "difference", "copy"}
)
_PREFIX = direct_name("constants", "").rstrip("_")
_COUNTER = direct_name("collections", "Counter")

_NUMBERS = frozenset({"int", "number"})
_HASHABLE = _NUMBERS | {"hash"}
_WALKED = frozenset({"list", "set", "dict"})
_DISPLAYS = {ast.Dict: "dict", ast.Set: "set", ast.List: "list", ast.Tuple: "hash"}
# What functions and methods give, of whatever they take.
_RESULTS = {direct_name("re", "findall"): "list", direct_name("re", "split"): "list"}
_METHODS = {"split": "list", "findall": "list", "lower": "hash", "count": "int"}


def take_constants(tree: ast.Module) -> ast.Module:
    """Take out of a module what `Names.find_constants` has put before the rest."""

    def is_constant(statement: ast.stmt) -> bool:
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        return getattr(targets[0], "id", "").startswith(_PREFIX)

    body = list(takewhile(is_constant, tree.body))
    del tree.body[: len(body)]
    return ast.Module(body, [])


class Names:
    """Where a program binds and reads its names, and which are constants.

    Parameters
    ----------
    tree : ast.Module
        Rewritten by the guard.
    bound : set of str
        Names that the program gives a meaning of its own.
    """

    def __init__(self, tree: ast.Module, bound: Set[str]) -> None:
        self.tree = tree
        self.bound = bound
        self.parents: dict[ast.AST, ast.AST] = {}
        self.loads: dict[str, list[ast.Name]] = defaultdict(list)
        # For each name, what binds it: an assignment, a loop, or anything else.
        self.binders: dict[str, list[ast.AST]] = defaultdict(list)
        # Names that are called as functions.
        self.called: set[str] = set()
        # Constants, and what can only be a part of one.
        self.constants: set[str] = set()
        self.parts: set[str] = set()
        self._kinds: dict[str, str | None] = {}
        # In a class of the program any method may mean anything.
        self.is_plain = True
        for node in ast.walk(tree):
            self.is_plain &= not isinstance(
                node, ast.ClassDef | ast.Global | ast.Nonlocal
            )
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.loads[node.id].append(node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                self.called.add(node.func.id)
            for name in _bound_by(node):
                self.binders[name].append(node)

    def is_free(self, name: str) -> bool:
        """Whether a built-in name means what it means to Python."""
        return name not in self.bound

    def only_read(self, name: str, depth: int = 1) -> bool:
        """Whether nothing that a name leads to is ever changed, or given away."""
        return self._reads(name, depth, set())

    def _reads(self, name: str, depth: int, seen: set[tuple[str, int]]) -> bool:
        if depth <= 0 or (name, depth) in seen:
            return True
        seen.add((name, depth))
        return all(self._read(load, depth, seen) for load in self.loads[name])

    def _read(self, node: ast.AST, depth: int, seen: set[tuple[str, int]]) -> bool:
        """Whether an expression of so many layers that can change is only read."""
        if depth <= 0:
            return True
        parent = self.parents[node]
        match parent:
            case ast.For(target=target) | ast.comprehension(target=target):
                return self._is_dict(node) or self._binds(
                    target, _element(node), depth - 1, seen
                )
            case ast.Assign(targets=[ast.Name(id=name)]):
                return self._reads(name, depth, seen)
            case ast.Compare() | ast.If() | ast.While() | ast.FormattedValue():
                return True
            case ast.UnaryOp(op=ast.Not()):
                return True
            case ast.Subscript(slice=key, ctx=context):
                if key is node:
                    return True
                layers = depth if isinstance(key, ast.Slice) else depth - 1
                return isinstance(context, ast.Load) and self._read(
                    parent, layers, seen
                )
            case ast.Attribute(attr=name):
                return self._read_method(parent, name, depth, seen)
            case ast.Call(func=ast.Name(id=name)) if (
                node in parent.args and self.is_free(name)
            ):
                if name in _COUNTS or (name == _COUNTER and depth == 1):
                    return True
                if name in _WALKS | _PICKS and self._is_dict(node):
                    return True
                if name in _PICKS:
                    return self._read(parent, depth - 1, seen)
                return name in _WALKS and (
                    depth == 1 or self._read(parent, depth, seen)
                )
            case ast.Call(func=ast.Attribute(attr="join")):
                return depth == 1
            case ast.BinOp() | ast.AugAssign():
                return depth == 1
            case ast.BoolOp() | ast.IfExp():
                return self._read(parent, depth, seen)
            case ast.Tuple() | ast.List() | ast.Dict():
                return self._read(parent, depth + 1, seen)
        return False

    def _is_dict(self, node: ast.AST) -> bool:
        """Whether what is walked through are keys, which cannot change."""
        binders = self.binders[node.id] if isinstance(node, ast.Name) else []
        return bool(binders) and all(
            isinstance(getattr(binder, "value", None), ast.Dict) for binder in binders
        )

    def _read_method(
        self, method: ast.AST, name: str, depth: int, seen: set[tuple[str, int]]
    ) -> bool:
        call = self.parents[method]
        match call:
            case ast.keyword(arg="key"):
                return name == "get"
            case ast.Call(func=function) if function is method:
                if name in _VIEWS:
                    return depth == 1 or self._read(call, depth, seen)
                if name == "get":
                    return self._read(call, depth - 1, seen)
                return name in _LOOKS and depth == 1
        return False

    def _binds(
        self, target: ast.AST, first: bool, depth: int, seen: set[tuple[str, int]]
    ) -> bool:
        """Whether what a loop walks through is only read; `first` may hold no layer."""
        match target:
            case ast.Name(id=name):
                return self._reads(name, depth, seen)
            case ast.Tuple(elts=parts):
                rest = parts[1:] if first else parts
                return all(self._binds(part, False, depth, seen) for part in rest)
        return depth <= 0

    def find_constants(self) -> None:
        """Find constants, and make them before everything else."""
        if not self.is_plain:
            return
        made: list[ast.stmt] = []
        scopes: list[ast.Module | ast.FunctionDef] = [self.tree]
        scopes += [n for n in self.tree.body if isinstance(n, ast.FunctionDef)]
        for scope in scopes:
            inside, rest = set(ast.walk(scope)), list[ast.stmt]()
            for statement in scope.body:
                if name := self._constant_of(statement, inside):
                    made.append(self._hoist(statement, name))
                else:
                    rest.append(statement)
            scope.body = rest or [ast.Pass()]
        self.tree.body[:0] = made
        for name in self.binders.keys() - self.constants:
            if all(map(self._takes_part, self.binders[name])):
                self.parts.add(name)

    def _constant_of(self, statement: ast.stmt, inside: set[ast.AST]) -> str | None:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                pass
            case _:
                return None
        depth = self._layers(value)
        if depth is None or len(self.binders[name]) > 1:
            return None
        if not self.only_read(name, depth):
            return None
        # Only behind the statement the name has a meaning.
        end = statement.end_lineno or 0
        if any(n not in inside or n.lineno <= end for n in self.loads[name]):
            return None
        return name

    def _hoist(self, statement: ast.stmt, name: str) -> ast.stmt:
        """Assign a constant to a name of the module that no program can spell."""
        known = direct_name("constants", name)
        for load in self.loads[name]:
            load.id = known
        self.loads[known] = self.loads.pop(name)
        self.binders[known] = self.binders.pop(name)
        self.constants.add(known)
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                node.id = known
        return statement

    def _layers(self, node: ast.expr | None) -> int | None:
        """How many layers of a display can change; None where it is no constant."""
        match node:
            case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                return 0
            case ast.Tuple(elts=parts):
                return self._deepest(parts)
            case ast.List(elts=parts):
                depth = self._deepest(parts)
                return None if depth is None else depth + 1
            case ast.Set(elts=parts):
                return 1 if self._deepest(parts) == 0 else None
            case ast.Dict(keys=keys, values=values):
                depth = self._deepest(values)
                if depth is None or None in keys:
                    return None
                return depth + 1 if self._deepest(keys) == 0 else None  # type: ignore[arg-type]
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str()), attr="split"),
                args=[] | [ast.Constant(value=str(" " | "," | "|" | "\n"))],
                keywords=[],
            ):
                return 1
            case ast.Call(func=ast.Name(id=name), args=[value], keywords=[]) if (
                name in _COPIES and self.is_free(name)
            ):
                flat = not isinstance(value, ast.Constant) and self._layers(value)
                return 1 if flat == 1 else None
        return None

    def _deepest(self, nodes: list[ast.expr]) -> int | None:
        depths = [self._layers(node) for node in nodes]
        known = [depth for depth in depths if depth is not None]
        return max(known, default=0) if len(known) == len(depths) else None

    def is_constant(self, node: ast.AST) -> bool:
        """Whether an expression gives the same object each time."""
        match node:
            case ast.Name(id=name):
                return name in self.constants or name in self.parts
            case ast.Subscript(value=value, slice=key, ctx=ast.Load()):
                return not isinstance(key, ast.Slice) and self.is_constant(value)
        return False

    def _takes_part(self, binder: ast.AST) -> bool:
        """Whether a name is bound to parts of a constant."""
        match binder:
            case ast.For(iter=values) | ast.comprehension(iter=values):
                match values:
                    case ast.Call(func=ast.Attribute(value=value, attr=name), args=[]):
                        return name in _VIEWS and self.is_constant(value)
                return self.is_constant(values)
            case ast.Assign(targets=[ast.Name()], value=ast.Subscript() as value):
                return self.is_constant(value)
        return False

    def kind_of(self, name: str) -> str | None:
        """Kind of all that a name is ever bound to, as `kind` tells it."""
        if name not in self._kinds:
            # What depends on itself is of the kind of the rest.
            self._kinds[name] = ""
            found = {self._bound_kind(binder, name) for binder in self.binders[name]}
            self._kinds[name] = _joined(found)
        return self._kinds[name]

    def _bound_kind(self, binder: ast.AST, name: str) -> str | None:
        match binder:
            case (
                ast.Assign(targets=[ast.Name()], value=value)
                | ast.AnnAssign(target=ast.Name(), value=ast.expr() as value)
            ):
                return self.kind(value)
            case ast.AugAssign(target=ast.Name() as target, op=op, value=value):
                return self.kind(ast.BinOp(target, op, value))
            case (
                ast.For(target=ast.Name(), iter=values)
                | ast.comprehension(target=ast.Name(), iter=values)
            ):
                return "hash" if self.kind(values) in _WALKED else None
            case ast.For(
                target=ast.Tuple(elts=[ast.Name(id=number), ast.Name()]),
                iter=ast.Call(func=ast.Name(id="enumerate"), args=[values]),
            ) if self.is_free("enumerate"):
                known = "int" if name == number else "hash"
                return known if self.kind(values) in _WALKED else None
        return None

    def kind(self, node: ast.AST | None, sure: Set[str] | None = None) -> str | None:
        """Tell of what kind the value of an expression is, if it has one."""
        match node:
            case ast.Constant(value=value):
                names = {bool: "int", int: "int", float: "number"}
                return names.get(type(value), "hash")
            case ast.Name(id=name):
                known = sure is None or name in sure or name in self.constants
                return self.kind_of(name) if known else None
            case ast.Dict() | ast.Set() | ast.List() | ast.Tuple():
                flat = self._layers(node) in (0, 1)
                return _DISPLAYS[type(node)] if flat else None
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._kind_of_call(name, args, sure)
            case ast.Call(func=ast.Attribute(attr=name)) if sure is None:
                return _METHODS.get(name)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                one, other = self.kind(left, sure), self.kind(right, sure)
                if sure is None:
                    return "int"
                if isinstance(op, ast.In | ast.NotIn):
                    fits = one in _HASHABLE and other in _WALKED
                elif isinstance(op, ast.Eq | ast.NotEq):
                    fits = one is not None and other is not None
                else:
                    fits = one in _NUMBERS and other in _NUMBERS
                return "int" if fits else None
            case ast.BinOp(left=left, op=op, right=right):
                kinds = [self.kind(left, sure), self.kind(right, sure)]
                if isinstance(op, ast.BitAnd | ast.BitOr):
                    return "set" if kinds == ["set", "set"] else None
                if isinstance(op, ast.Div) and sure is None:
                    return "number" if _joined({*kinds}) in _NUMBERS else None
                is_sum = isinstance(op, ast.Add | ast.Sub | ast.Mult)
                return _number(_joined({*kinds})) if is_sum else None
            case ast.UnaryOp(op=op, operand=operand):
                inner = self.kind(operand, sure)
                if isinstance(op, ast.Not):
                    return "int" if inner is not None or sure is None else None
                return _number(inner)
            case ast.BoolOp(values=values):
                return _joined({self.kind(value, sure) for value in values})
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                if sure is not None and self.kind(test, sure) is None:
                    return None
                return _joined({self.kind(body, sure), self.kind(otherwise, sure)})
            case ast.Subscript(value=value, slice=ast.Slice() as bounds):
                parts = (bounds.lower, bounds.upper, bounds.step)
                ints = all(p is None or self.kind(p, sure) == "int" for p in parts[:2])
                is_list = self.kind(value, sure) == "list" and parts[2] is None
                return "list" if is_list and ints else None
            case (
                ast.ListComp(elt=made, generators=[part])
                | ast.GeneratorExp(elt=made, generators=[part])
                | ast.SetComp(elt=made, generators=[part])
            ):
                return self._kind_of_loop(node, made, part, sure)
        return None

    def _kind_of_call(
        self, name: str, args: list[ast.expr], sure: Set[str] | None
    ) -> str | None:
        if sure is None and name in _RESULTS:
            return _RESULTS[name]
        if not self.is_free(name):
            return None
        kinds = [self.kind(arg, sure) for arg in args]
        if name in {"max", "min"} and len(args) > 1:
            return _number(_joined({*kinds}))
        if len(args) != 1 or (sure is not None and kinds[0] is None):
            return None
        if name in {"any", "all", "len"}:
            return "int" if sure is None or kinds[0] in _WALKED else None
        if name in {"int", "float", "sum"} and sure is None:
            return {"int": "int", "float": "number"}.get(name)
        if name in {"set", "frozenset", "list", "sorted"} and kinds[0] in _WALKED:
            is_sure = name != "sorted" or sure is None
            return ("set" if "set" in name else "list") if is_sure else None
        return "int" if name == "bool" else None

    def _kind_of_loop(
        self,
        node: ast.AST,
        made: ast.expr,
        part: ast.comprehension,
        sure: Set[str] | None,
    ) -> str | None:
        if self.kind(part.iter, sure) not in _WALKED:
            return None
        if not isinstance(part.target, ast.Name):
            return None
        inner = None if sure is None else {*sure, part.target.id}
        tests = [self.kind(test, inner) for test in part.ifs]
        if self.kind(made, inner) not in _HASHABLE or (
            sure is not None and None in tests
        ):
            return None
        return "set" if isinstance(node, ast.SetComp) else "list"


def _joined(kinds: Set[str | None]) -> str | None:
    """Kind of what may be of any of some kinds; "" is one that depends on itself."""
    known = {kind for kind in kinds if kind != ""}
    if not known:
        return ""
    if known <= _NUMBERS:
        return "number" if len(known) > 1 else known.pop()
    if known <= _HASHABLE:
        return "hash"
    return known.pop() if len(known) == 1 else None


def _number(kind: str | None) -> str | None:
    return kind if kind in _NUMBERS else None


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Names that a node itself binds, not those inside of it that do so."""
    match node:
        case ast.For(target=target) | ast.comprehension(target=target):
            yield from names_bound(target)
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            for target in targets:
                yield from names_bound(target)
        case (
            ast.AugAssign(target=target)
            | ast.AnnAssign(target=target)
            | ast.NamedExpr(target=target)
            | ast.withitem(optional_vars=ast.expr() as target)
        ):
            yield from names_bound(target)
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case (
            ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            yield name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names


def names_bound(target: ast.AST) -> Iterator[str]:
    """Names that a target binds."""
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id


def _element(values: ast.AST) -> bool:
    """Whether the first part of what a loop walks through is a key or a number."""
    match values:
        case ast.Call(func=ast.Attribute(attr="items")):
            return True
        case ast.Call(func=ast.Name(id="enumerate")):
            return True
    return False
