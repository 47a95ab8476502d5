"""Write source that stands alone for a function, with all that it refers to."""

import ast
import builtins
import collections
import enum
import functools
import inspect
import keyword
import math
import re
import site
import sys
import sysconfig
import textwrap
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from ..exceptions import ProgramRejected
from ._function_source import find_function_source, free_names, read_names, value_of
from ._guard import (
    MAX_CHARACTERS,
    TOO_LONG,
    Refusal,
    check_size,
    is_too_long,
    parse,
)
from ._safe_modules import NAMES

_PLAIN = (str, bytes, int, bool, complex, type(None), range)
_SAY_THEMSELVES = {"datetime", "decimal", "fractions", "operator"}


@dataclass
class StandaloneSource:
    """Statements that define what a function refers to, each once and in order.

    Parameters
    ----------
    name : str
        Name of the program, for messages.
    """

    name: str
    imports: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    trees: list[ast.AST] = field(default_factory=list)
    meanings: dict[str, Any] = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """All statements, imports first."""
        return "".join([*self.imports, *self.statements])

    def check_length(self, source: str) -> None:
        """Name what makes a program longer than programs may be."""
        try:
            check_size(parse(source))
        except Refusal as refusal:
            if not is_too_long(source) and not refusal.reason.startswith(TOO_LONG):
                return  # said where it is made
            longest = max(self.statements, key=len, default="")
            first = re.match(r"(?:(?:def|class) )?(\w+)", longest)
            raise ProgramRejected(
                f"program {self.name!r} is too long with all that it refers to, above "
                f"all {first[1] if first else 'one line'} ({len(longest):,} characters "
                f"as source; {MAX_CHARACTERS:,} is the most for a program): keep less "
                "in it, or set sandbox=None to run it in this process."
            ) from None

    def bind(self, name: str, value: Any) -> bool:
        """Give a name its meaning; say whether it is free for that."""
        if name in self.meanings:
            return _same(self.meanings[name], value)
        self.meanings[name] = value
        if isinstance(value, ModuleType):
            self.imports.append(f"import {value.__name__} as {name}\n")
        elif offered := _offered(value):
            module, attribute = offered
            self.imports.append(f"from {module} import {attribute} as {name}\n")
        elif id(value) in self.places:
            self.statements.append(f"{name} = {self.places[id(value)]}\n")
        elif isinstance(value, FunctionType):
            self.places[id(value)] = name
            self._define(name, value)
        elif _is_class(value):
            self.places[id(value)] = name
            self._define_class(name, value)
        else:
            self.statements.append(f"{name} = {self.expression(value)}\n")
            self.places[id(value)] = name
        return True

    def refer(self, value: Any, wish: str) -> str:
        """Name something at the top level, by a name that is free."""
        if id(value) in self.places:
            return self.places[id(value)]
        name = re.sub(r"\W", "_", wish).strip("_") or "value"
        name += "_" * keyword.iskeyword(name)
        number = 1
        while not self.bind(name if number == 1 else f"{name}_{number}", value):
            number += 1
        return name if number == 1 else f"{name}_{number}"

    def expression(self, value: Any) -> str:
        """Write an expression that makes a value anew."""
        kind = type(value)
        if isinstance(value, enum.Enum):
            return self.expression(value.value)
        if kind in _PLAIN:
            return repr(value)
        if kind is float:
            return repr(value) if math.isfinite(value) else f"float('{value}')"
        if kind in (list, tuple, set, frozenset, collections.deque):
            parts = [self.expression(part) for part in value]
            if kind in (set, frozenset):
                parts.sort()
            listed = f"[{', '.join(parts)}]"
            if kind is list:
                return listed
            if kind is tuple:
                return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
            if kind is set and parts:
                return f"{{{', '.join(parts)}}}"
            made = "deque" if kind is collections.deque else kind.__name__
            prefix = self._module("collections") + "." if made == "deque" else ""
            return f"{prefix}{made}({listed if parts else ''})"
        if isinstance(value, dict) and kind in (dict, collections.OrderedDict):
            return self._mapping(value)
        if kind in (collections.Counter, collections.defaultdict):
            made = f"{self._module('collections')}.{kind.__name__}"
            first = ""
            if isinstance(value, collections.defaultdict):
                first = f"{self.expression(value.default_factory)}, "
            return f"{made}({first}{self._mapping(value)})"
        if isinstance(value, re.Pattern):
            known = value.flags & ~re.UNICODE
            flags = f", {known}" if known else ""
            compiled = f"{self._module('re')}.compile"
            return f"{compiled}({value.pattern!r}{flags})"
        if kind.__module__ == "numpy" and getattr(value, "shape", None) == ():
            return self.expression(value.item())
        if kind.__module__ in _SAY_THEMSELVES:
            module = self._module(kind.__module__)
            said = repr(value)
            if said.startswith(f"{kind.__module__}."):
                said = said[len(kind.__module__) + 1 :]
            return f"{module}.{said}"
        if isinstance(value, functools.partial):
            return self._partial(value)
        if isinstance(value, MethodType | BuiltinFunctionType) and not isinstance(
            value.__self__, ModuleType | None
        ):
            owner = value.__self__
            return f"{self._owner(owner)}.{value.__name__}"
        if vars(builtins).get(getattr(value, "__name__", ""), self) is value:
            return str(value.__name__)
        if kind.__name__ == "method_descriptor":
            return f"{value.__objclass__.__name__}.{value.__name__}"
        if hasattr(value, "cache_info") and hasattr(value, "__wrapped__"):
            wrapped = self.refer(value.__wrapped__, value.__wrapped__.__name__ + "_")
            size = value.cache_parameters()["maxsize"]
            return f"{self._module('functools')}.lru_cache({size})({wrapped})"
        if isinstance(value, ModuleType | FunctionType | type) or _offered(value):
            return self.refer(value, getattr(value, "__name__", "value"))
        return self._instance(value)

    def call(self, value: Any, wish: str) -> str:
        """Write what is called to call a function or another callable."""
        if isinstance(value, FunctionType):
            return self.refer(value, wish)
        return self.expression(value)

    def _owner(self, value: Any) -> str:
        if id(value) not in self.places and not isinstance(value, type):
            wish = type(value).__name__.lower()
            self.refer(value, wish if wish not in dir(builtins) else f"{wish}_value")
        return self.places.get(id(value)) or self.expression(value)

    def _module(self, name: str) -> str:
        return self.refer(import_module(name), name.replace(".", "_"))

    def _mapping(self, value: Any) -> str:
        pairs = (
            f"{self.expression(k)}: {self.expression(v)}" for k, v in dict.items(value)
        )
        return f"{{{', '.join(pairs)}}}"

    def _partial(self, value: "functools.partial[Any]") -> str:
        name = getattr(value.func, "__name__", "function")
        function = self.call(value.func, name)
        parts = [function, *map(self.expression, value.args)]
        parts += [f"{k}={self.expression(v)}" for k, v in value.keywords.items()]
        return f"{self._module('functools')}.partial({', '.join(parts)})"

    def _define(self, name: str, function: FunctionType) -> None:
        """Define a function under a name, and first what it refers to."""
        if _is_installed(function.__code__.co_filename):
            self._refuse(f"{function.__name__} of {function.__module__}")
        origin = find_function_source(function)
        node, text = origin.node, origin.text
        if node.args.defaults or any(node.args.kw_defaults):
            text = text if self._fill_defaults(node, function) else None
        taken: dict[str, str] = {}
        for used in sorted(free_names(function, node)):
            try:
                value = value_of(function, used)
            except (KeyError, ValueError):
                continue  # as it would be missing in the function itself
            if _is_enum(value):
                text = None if _read_values(node, used) else text
            if not self.bind(used, value):
                taken[used] = self.refer(value, used)
        free = set(function.__code__.co_freevars)
        for statement in ast.walk(node):
            if isinstance(statement, ast.Nonlocal) and free & {*statement.names}:
                self._refuse(
                    f"{', '.join(statement.names)}, which it changes from row to row"
                )
        self.trees.append(node)
        if not taken and (node.name == name or text is None):
            node.name = name
            self.statements.append(text or ast.unparse(node) + "\n")
        elif not taken and self.bind_own(node.name, function):
            self.statements.append(text or ast.unparse(node) + "\n")
            self.statements.append(f"{name} = {node.name}\n")
        else:
            # Names that mean something else elsewhere are its own in here.
            inner = [
                ast.parse(f"{one} = {other}").body[0] for one, other in taken.items()
            ]
            made = ast.parse(f"def make_{name}():\n    return {node.name}").body[0]
            assert isinstance(made, ast.FunctionDef)
            made.body[:0] = [*inner, node]
            self.statements.append(ast.unparse(ast.fix_missing_locations(made)) + "\n")
            self.statements.append(f"{name} = make_{name}()\n")

    def bind_own(self, name: str, function: FunctionType) -> bool:
        """Reserve the name that a definition gives its function, if it is free."""
        if name in self.meanings:
            return False
        self.meanings[name] = function
        return True

    def _fill_defaults(self, node: ast.FunctionDef, function: FunctionType) -> bool:
        """Write the values that defaults had; say whether they stand in the text."""
        values = [*(function.__defaults__ or ())]
        written = True
        for place, (default, value) in enumerate(
            zip(node.args.defaults, values, strict=False)
        ):
            if not _is_literal(default, value):
                written = False
                expression = self.expression(value)
                node.args.defaults[place] = ast.parse(expression, mode="eval").body
        for arg, place in zip(node.args.kwonlyargs, range(99), strict=False):
            default_node = node.args.kw_defaults[place]
            if default_node is None:
                continue
            value = (function.__kwdefaults__ or {})[arg.arg]
            if not _is_literal(default_node, value):
                written = False
                expression = self.expression(value)
                node.args.kw_defaults[place] = ast.parse(expression, mode="eval").body
        return written

    def _define_class(self, name: str, cls: type) -> None:
        if _is_enum(cls):
            body = "".join(
                f"    {member} = {self.expression(value.value)}\n"
                for member, value in cls.__members__.items()  # type: ignore[attr-defined]
            )
            self.statements.append(f"class {name}:\n{body or '    pass'}")
            return
        module = sys.modules.get(cls.__module__)
        if (
            issubclass(cls, tuple)
            and hasattr(cls, "_fields")
            and cls.__bases__ == (tuple,)
        ):
            made = f"{self._module('collections')}.namedtuple"
            self.statements.append(
                f"{name} = {made}({cls.__name__!r}, {cls._fields!r})\n"
            )
            return
        try:
            file = inspect.getsourcefile(cls) or ""
            text = textwrap.dedent(inspect.getsource(cls))
            tree = ast.parse(text)
        except (OSError, TypeError, SyntaxError):
            self._refuse(f"the class {cls.__name__}, which has no source in Python")
        if _is_installed(file):
            self._refuse(f"{cls.__name__} of {cls.__module__}")
        around = {**vars(builtins), **(vars(module) if module else {})}
        for method in vars(cls).values():
            function = getattr(method, "__func__", method)
            if isinstance(function, FunctionType):
                names = function.__code__.co_freevars
                cells = function.__closure__ or ()
                around |= {
                    n: c.cell_contents
                    for n, c in zip(names, cells, strict=True)
                    if n != "__class__"
                }
        for used in sorted(read_names(tree) & around.keys() - vars(builtins).keys()):
            if around[used] is not cls and not self.bind(used, around[used]):
                self._refuse(f"two different things called {used}")
        self.trees.append(tree)
        self.statements.append(text)
        if cls.__name__ != name:
            self.statements.append(f"{name} = {cls.__name__}\n")

    def _instance(self, value: Any) -> str:
        """Make an object of a class of the user again, with what it holds."""
        cls = type(value)
        if not hasattr(value, "__dict__") or cls.__module__ == "builtins":
            self._refuse(f"a {cls.__name__}, which cannot be written as Python")
        made = self.refer(cls, cls.__name__)
        if is_dataclass(value):
            parts = [
                f"{f.name}={self.expression(getattr(value, f.name))}"
                for f in fields(value)
                if f.init
            ]
            return f"{made}({', '.join(parts)})"
        body = "".join(
            f"        self.{name} = {self.expression(held)}\n"
            for name, held in vars(value).items()
        )
        number = sum(name.startswith(f"{made}_held") for name in self.meanings)
        held = f"{made}_held{number or ''}"
        self.meanings[held] = value
        self.statements.append(
            f"class {held}({made}):\n    def __init__(self):\n"
            f"{body or '        pass'}\n"
        )
        return f"{held}()"

    def _refuse(self, what: str) -> Any:
        raise ProgramRejected(
            f"program {self.name!r} refers to {what}: it cannot be carried into the "
            "process where programs run. Write what is needed as plain Python, or set "
            "sandbox=None to run it in this process."
        )


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    plain = (*_PLAIN, float)
    return type(one) is type(other) and type(one) in plain and one == other


def _is_class(value: Any) -> bool:
    return isinstance(value, type) and getattr(builtins, value.__name__, None) != value


def _is_enum(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, enum.Enum)


def _read_values(node: ast.AST, name: str) -> bool:
    """Take members of an enumeration for their values; say whether any was changed."""
    changed = False

    class Reader(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            nonlocal changed
            self.generic_visit(node)
            inner = node.value
            if (
                node.attr == "value"
                and isinstance(inner, ast.Attribute)
                and isinstance(inner.value, ast.Name)
                and inner.value.id == name
            ):
                changed = True
                return inner
            return node

    Reader().visit(node)
    return changed


def _is_literal(node: ast.expr, value: Any) -> bool:
    try:
        return bool(_same(ast.literal_eval(node), value))
    except (ValueError, TypeError, SyntaxError):
        return False


def _offered(value: Any) -> tuple[str, str] | None:
    """Find what a module offers to programs, under the name by which it does."""
    name = getattr(value, "__name__", None)
    if not isinstance(name, str) or not callable(value):
        return None
    for module, names in NAMES.items():
        if name in names and getattr(sys.modules.get(module), name, None) is value:
            return module, name
    return None


def _is_installed(file: str) -> bool:
    """Whether a file belongs to Python or an installed package."""
    folders = [sysconfig.get_path("stdlib"), *site.getsitepackages()]
    return any(file.startswith(folder + "/") for folder in folders)
