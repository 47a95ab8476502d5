"""Follow what the function of a program returns, through names, tables and helpers."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_SAY_YES_OR_NO = frozenset({"any", "all", "bool", "isinstance", "callable"})
_YES_OR_NO_METHODS = frozenset(
    {"startswith", "endswith", "isupper", "islower", "isdigit", "isalpha", "isalnum"}
    | {"isnumeric", "isspace", "istitle", "isdecimal", "issubset", "issuperset"}
)
_MAX_RANGE = 1_000


@dataclass
class ReturnValues:
    """Follows what an entry point returns, through names and helpers."""

    tree: ast.Module
    entry_point: str | None
    leaves: list[ast.Constant] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    # What is said by lists and dicts that answers are looked up in.
    numbered: list[dict[str, int]] = field(default_factory=list)
    places: set[int] = field(default_factory=set)
    has_bools: bool = False
    has_unknown: bool = False

    def __post_init__(self) -> None:
        self.bound: dict[str, list[ast.expr]] = {}
        # Name -> what it returns.
        self.functions: dict[str, list[ast.expr]] = {}
        loops: list[tuple[ast.expr, ast.expr]] = []
        counts: Counter[str] = Counter()
        for node in ast.walk(self.tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._bind(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._bind(target, value)
                case ast.NamedExpr(target=target, value=value):
                    self._bind(target, value)
                case ast.For(target=target, iter=over):
                    loops.append((target, over))
                case ast.comprehension(target=target, iter=over):
                    loops.append((target, over))
                case ast.FunctionDef(name=name):
                    self.functions[name] = [r.value for r in _returns(node) if r.value]
                case ast.Name(id=name, ctx=ast.Store()):
                    counts[name] += 1
        for name, values in self.bound.items():
            bodies = [value.body for value in values if isinstance(value, ast.Lambda)]
            if bodies:
                self.functions.setdefault(name, []).extend(bodies)
        for target, over in loops:
            for element in self._elements(over):
                self._bind(target, element)
        # Names of one meaning; what counts up from 0 is no number of a class.
        self.constants = {
            name: value
            for name, (first, *more) in self.bound.items()
            if not more and counts[name] == 1 and type(value := _number(first)) is int
        }
        self._follow()

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.bound.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            parts = _parts(value)
            if parts is not None and len(parts) == len(target.elts):
                for one, part in zip(target.elts, parts, strict=True):
                    self._bind(one, part)

    def _resolved(self, node: ast.expr) -> list[ast.expr]:
        return self.bound.get(node.id, []) if isinstance(node, ast.Name) else [node]

    def _elements(self, over: ast.expr) -> Iterator[ast.expr]:
        """Yield what a loop walks through, as far as it stands there."""
        match over:
            case ast.Call(func=ast.Name(id="enumerate"), args=[table, *_]):
                place = ast.Call(ast.Attribute(table, "index", ast.Load()), [], [])
                for element in self._elements(table):
                    yield ast.Tuple([place, element], ast.Load())
                return
            case ast.Call(func=ast.Attribute(value=table, attr="items")):
                for value in self._resolved(table):
                    if isinstance(value, ast.Dict):
                        for key, held in zip(value.keys, value.values, strict=True):
                            if key is not None:
                                yield ast.Tuple([key, held], ast.Load())
                return
        for value in self._resolved(over):
            if isinstance(value, ast.Dict):
                yield from (key for key in value.keys if key is not None)
            else:
                yield from _parts(value) or ()

    def _entry(self) -> str:
        """Name the function that is called, which may have another name."""
        name = self.entry_point or "label"
        while name not in self.functions:
            names = [v.id for v in self.bound.pop(name, []) if isinstance(v, ast.Name)]
            if not names:
                break
            name = names[-1]
        return name

    def _follow(self) -> None:
        # An expression, whether only what counts as true in it can be returned, and
        # whether it is looked up in; a dict that is returned itself holds scores.
        pending: list[tuple[ast.expr, bool, bool]] = [
            (value, False, False) for value in self.functions.get(self._entry(), [])
        ]
        seen: set[tuple[int, bool, bool]] = set()
        kept = []  # so that no two nodes have the same id
        while pending:
            node, true_only, is_table = pending.pop()
            if (id(node), true_only, is_table) in seen:
                continue
            seen.add((id(node), true_only, is_table))
            kept.append(node)
            if _is_bool(node):
                self.has_bools = True
                continue
            following: list[ast.expr] = []
            match node:
                case ast.IfExp(body=one, orelse=other):
                    following = [one, other]
                case ast.BoolOp(op=ast.Or(), values=[*parts, last]):
                    pending += [(part, True, is_table) for part in parts]
                    following = [last]
                case ast.BoolOp(values=[*parts, last]):
                    self.has_bools |= not true_only and any(map(_is_bool, parts))
                    following = [last]
                case ast.NamedExpr(value=value):
                    following = [value]
                case ast.Name(id=name):
                    self.names.add(name)
                    following = self.bound.get(name, [])
                case ast.Attribute(value=value, attr="value" | "name"):
                    following = [value]
                case ast.Attribute(attr=name):  # a member of an enumeration
                    self.names.add(name)
                    following = self.bound.get(name, [])
                case ast.Subscript(value=table):
                    pending.append((table, True, True))
                case ast.Dict(keys=labels) if not is_table:
                    pending += [(label, False, False) for label in labels if label]
                case ast.DictComp(key=label) if not is_table:
                    pending.append((label, False, False))
                case ast.Dict(values=parts):
                    self._note_dict(node)
                    pending += [(part, true_only, False) for part in parts]
                case ast.DictComp(value=value):
                    pending.append((value, true_only, False))
                case ast.List(elts=parts) | ast.Tuple(elts=parts):
                    pending += [(part, true_only, False) for part in parts]
                case ast.Call():
                    pending += self._called(node, true_only, is_table)
                case ast.Constant() | ast.UnaryOp():
                    if (number := _number(node)) is not None:
                        self.leaves.append(ast.Constant(number))
                    elif isinstance(node, ast.Constant):
                        self.leaves.append(node)
                case _:
                    self.has_unknown = True
            pending += [(value, true_only, is_table) for value in following]

    def _called(
        self, node: ast.Call, true_only: bool, is_table: bool
    ) -> Iterator[tuple[ast.expr, bool, bool]]:
        """Yield what a call may come to."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self.functions:
                for value in self.functions[name]:
                    yield value, true_only, is_table
            case ast.Call(func=ast.Name(id="int"), args=[value]):
                if _is_bool(value):
                    self.places |= {0, 1}
                else:
                    yield value, true_only, is_table
            case ast.Call(func=ast.Name(id="max" | "min"), args=[table, *_]):
                for element in self._elements(table):
                    yield element, true_only, False
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=words):
                keys: list[ast.expr | None] = [ast.Constant(w.arg) for w in words]
                yield ast.Dict(keys, [w.value for w in words]), true_only, is_table
            case ast.Call(
                func=ast.Name(id="dict"),
                args=[ast.Call(func=ast.Name(id="zip"), args=[keys_of, values_of])],
            ):
                named = [*self._elements(keys_of)]
                numbers = [*self._elements(values_of)]
                if len(named) == len(numbers):
                    yield ast.Dict([*named], numbers), true_only, is_table
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *rest]):
                yield table, true_only, True
                for value in rest:
                    yield value, true_only, is_table
            case ast.Call(func=ast.Attribute(value=table, attr="index")):
                names = [
                    _text(e.elts[0] if isinstance(e, ast.Tuple) and e.elts else e)
                    for e in self._elements(table)
                ]
                self._note({name: i for i, name in enumerate(names) if name})
            case _:
                self.has_unknown = True

    def _note_dict(self, node: ast.Dict) -> None:
        said = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name, number = _text(key), _number(value)
            if isinstance(value, ast.Name):
                number = self.constants.get(value.id)
            if name is not None and type(number) is int:
                said[name] = number
        self._note(said)

    def _note(self, said: dict[str, int]) -> None:
        if said:
            self.numbered.append(said)


def _returns(function: ast.FunctionDef) -> Iterator[ast.Return]:
    """Yield what a function returns itself, without the functions inside it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(node)


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """List the elements of a literal, or of a range."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return parts
        case ast.Call(func=ast.Name(id="range"), args=[*bounds]):
            numbers = [_number(bound) for bound in bounds]
            if 1 <= len(numbers) <= 2 and all(type(n) is int for n in numbers):
                found = range(*numbers)
                if len(found) <= _MAX_RANGE:
                    return [ast.Constant(number) for number in found]
    return None


def _number(node: ast.expr | None) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number) if type(number) is not bool:
            return number
        case ast.UnaryOp(
            op=ast.USub(), operand=ast.Constant(value=int() | float() as number)
        ):
            return -number
    return None


def _text(node: ast.expr | None) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
    return None


def _is_bool(node: ast.expr) -> bool:
    """Whether an expression is True or False, whatever it is about."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _SAY_YES_OR_NO
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _YES_OR_NO_METHODS
    return False
