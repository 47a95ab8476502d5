"""Tell what an iteration of a loop does if nothing that it asks for is there."""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from ._constants import Names, names_bound
from ._safe_modules import direct_name, words

# Of what kind a loop is: it unpacks elements, asks for plain text, needs its first and
# last iteration, walks through the same object each time, through its items or counts
# them, and multiplies by what it unpacks.
PAIR, LITERAL, FIRST, LAST, SAME, ITEMS, COUNTED, WEIGHS = (
    1 << bit for bit in range(8)
)
_ESCAPE = direct_name("re", "escape")
_COMPILE = direct_name("re", "compile")
_FLAGS = frozenset(
    direct_name("re", name)
    for name in words("A ASCII DOTALL I IGNORECASE M MULTILINE S U UNICODE")
)
_MISSES: dict[str, Any] = {
    direct_name("re", "search"): None,
    direct_name("re", "findall"): [],
}
_PURE: dict[str, Callable[..., Any]] = {
    "len": len,
    "min": min,
    "max": max,
    "bool": bool,
    "int": int,
    "sum": sum,
    "float": float,
    "abs": abs,
    "any": any,
    "list": list,
    "set": set,
}
_COMPARED: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
}
# Longer bodies are followed no further, as each statement is seen with those before.
_MAX_STATEMENTS = 50
_JUMPS = (ast.Break, ast.Continue, ast.Return)


class Unknown(Exception):  # noqa: N818 -- reads as what happened
    """What an expression gives cannot be told."""


class _Pattern:
    """A pattern that is made of what a loop walks through."""

    def __init__(self, source: ast.expr) -> None:
        self.source = source


# A value that may be anything; whoever looks at it knows nothing.
_ANYTHING = object()


def names_read(node: ast.AST) -> set[str]:
    return {name.id for name in _loads(node)}


def _loads(node: ast.AST) -> Iterator[ast.Name]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield part


class Iteration:
    """What an iteration does if what it asks for is not there.

    Parameters
    ----------
    node : ast.AST
        The loop or comprehension.
    header : ast.For or ast.comprehension
        What holds its target and what it walks through.
    names : Names
    """

    def __init__(self, node: Any, header: Any, names: Names) -> None:
        self.node, self.header, self.names = node, header, names
        target = header.target
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        self.targets = [part.id for part in parts if isinstance(part, ast.Name)]
        if len(self.targets) != len(parts):
            self.targets = []
        self.options = PAIR if isinstance(target, ast.Tuple) else 0
        self.known: dict[str, Any] = {}
        # What texts are asked for, and which ones: one pattern a loop.
        self.texts: list[str] = []
        self.pattern: ast.expr | None = None
        # Or what one target is tested for.
        self.tested = ""
        self.tests: list[ast.expr] = []
        # Loops over constants in the body, and the names that they bind.
        self.nested: list[ast.For] = []
        self.inner: set[str] = set()

    def run(self, body: list[ast.stmt], *, is_nested: bool = False) -> bool:
        """Follow a body; give whether it went on to the next iteration."""
        for place, statement in enumerate(body):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    # Nothing may see what an iteration that is left out would set.
                    earlier = [*body[:place], value]
                    seen = {n for part in earlier for n in names_read(part)}
                    jumps = any(
                        isinstance(n, _JUMPS) for p in earlier for n in ast.walk(p)
                    )
                    is_bound = name in seen or name in self.targets
                    if is_nested or jumps or is_bound or place > _MAX_STATEMENTS:
                        raise Unknown
                    self.known[name] = self._assigned(value)
                case ast.AugAssign(target=target, op=ast.Add(), value=value):
                    # Adding nothing once is adding nothing often.
                    if self.value(value) not in (0, []) or not self._is_steady(target):
                        raise Unknown
                case ast.If(test=test, body=then, orelse=otherwise):
                    branch = then if self.value(test) else otherwise
                    if self.run(branch, is_nested=True):
                        return True
                case ast.For(iter=values, body=inner, orelse=[]):
                    if not self._is_constant_here(values):
                        raise Unknown
                    names = set(names_bound(statement.target))
                    if not {*self.targets, *self.known}.isdisjoint(names):
                        raise Unknown
                    self.inner.update(names)
                    self.nested.append(statement)
                    self.run(inner, is_nested=True)
                    self.nested.pop()
                case ast.Continue():
                    return True
                case ast.Pass():
                    pass
                case _:
                    raise Unknown
        return False

    def _assigned(self, value: ast.expr) -> Any:
        uses = names_read(value) - {_ESCAPE}
        if uses and uses <= {*self.targets} and _is_template(value):
            return _Pattern(value)
        before = self.pattern, list(self.tests), list(self.texts)
        try:
            return self.value(value)
        except Unknown:
            self.pattern, self.tests, self.texts = before
            local = {*self.targets, *self.known, *names_read(self.header.iter)}
            if self.names.kind(value, local) is None:
                raise
            return _ANYTHING

    def _is_constant_here(self, values: ast.expr) -> bool:
        """Whether an inner loop walks through a constant, or a part of one."""
        match values:
            case ast.Call(func=ast.Attribute(value=value, attr="items"), args=[]):
                values = value
        match values:
            case ast.Name(id=name):
                return name in self.names.constants or self._is_inner(name)
            case ast.Tuple() | ast.List():
                return not names_read(values)
        return False

    def _is_inner(self, name: str) -> bool:
        """Whether a name is bound by a loop over a constant around this place."""
        return any(name in names_bound(loop.target) for loop in self.nested)

    def _is_steady(self, target: ast.expr) -> bool:
        """Whether a target is the same in each iteration."""
        changing = {*self.targets, *self.known}
        match target:
            case ast.Name(id=name):
                if self.names.kind_of(name) not in ("int", "number"):
                    self.options |= FIRST
                return name not in changing
            case ast.Subscript(
                value=ast.Name(id=name), slice=ast.Name() | ast.Constant() as key
            ):
                self.options |= FIRST
                place = key.id if isinstance(key, ast.Name) else ""
                return not {name, place} & changing and not self.nested
        return False

    def value(self, node: ast.expr) -> Any:
        """Tell what an expression gives if nothing that is asked for is there."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in self.known:
                if self.known[name] is _ANYTHING:
                    raise Unknown
                return self.known[name]
            case ast.Call(
                func=ast.Name(id=name),
                args=[pattern, ast.Name(id=text), *flags],
                keywords=[],
            ) if name in _MISSES:
                return self._ask(self._spelled(pattern, flags), text, _MISSES[name])
            case ast.Call(
                func=ast.Name(id=name), args=[pattern, *flags], keywords=[]
            ) if name == _COMPILE:
                return _Pattern(self._spelled(pattern, flags))
            case ast.Compare(left=left, ops=[ast.In()], comparators=[right]):
                if self._is_test(left, right):
                    return self._test(node, False)
                if isinstance(right, ast.Name):
                    return self._ask(left, right.id, False, is_literal=True)
            case ast.Compare(left=left, ops=[ast.NotIn()], comparators=[right]):
                if self._is_test(left, right):
                    return self._test(ast.Compare(left, [ast.In()], [right]), True)
            case ast.Compare(
                left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant()]
            ) if name in self.targets:
                return self._test(node, False)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr=method),
                args=[argument],
                keywords=[],
            ) if name in self.targets and method in {"startswith", "endswith"}:
                if self._is_known_text(argument):
                    return self._test(node, False)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=table), attr="get"),
                args=[ast.Name(id=name) as key, *default],
                keywords=[],
            ) if table in self.names.constants and name in self.targets:
                found = self.value(default[0]) if default else None
                member = ast.Name(table, ast.Load())
                return self._test(ast.Compare(key, [ast.In()], [member]), found)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=text), attr="count"),
                args=[literal],
                keywords=[],
            ):
                return self._ask(literal, text, 0, is_literal=True)
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name() as pattern, attr="findall" | "search" as method
                ),
                args=[ast.Name(id=text)],
                keywords=[],
            ):
                missed = _MISSES[direct_name("re", method)]
                return self._ask(self._spelled(pattern, []), text, missed)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if (
                name in _PURE and self.names.is_free(name)
            ):
                return self._computed(_PURE[name], *args)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return self._product(left, right)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._computed(lambda a, b: a + b, left, right)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return self._computed(lambda a, b: a - b, left, right)
            case ast.BoolOp(op=op, values=values):
                for part in values:
                    result = self.value(part)
                    if bool(result) is isinstance(op, ast.Or):
                        break
                return result
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                return self.value(body if self.value(test) else otherwise)
        match node:
            case ast.Compare(left=left, ops=[how], comparators=[right]) if (
                type(how) in _COMPARED
            ):
                return self._computed(_COMPARED[type(how)], left, right)
        raise Unknown

    def _computed(self, function: Callable[..., Any], *args: ast.expr) -> Any:
        values = [self.value(arg) for arg in args]
        try:
            return function(*values)
        except Exception:
            raise Unknown from None

    def _product(self, left: ast.expr, right: ast.expr) -> Any:
        """Nothing times the weight of a keyword: nothing, for weights of one kind."""
        for one, other in ((left, right), (right, left)):
            if isinstance(other, ast.Name) and other.id in self.targets:
                value = self.value(one)
                if self.pattern is not None and type(value) in (int, bool):
                    self.options |= WEIGHS
                    if not value:
                        return 0
                raise Unknown
        return self._computed(lambda a, b: a * b, left, right)

    def _spelled(self, pattern: ast.expr, flags: list[ast.expr]) -> ast.expr:
        """Spell a pattern out, with its flags."""
        if isinstance(pattern, ast.Name) and pattern.id in self.known:
            known = self.known[pattern.id]
            if not isinstance(known, _Pattern):
                raise Unknown
            pattern = known.source
        if not flags:
            return pattern
        if len(flags) > 1 or not _are_flags(flags[0]):
            raise Unknown
        return ast.Call(ast.Name(_COMPILE, ast.Load()), [pattern, flags[0]], [])

    def _ask(
        self, pattern: ast.expr, text: str, missed: Any, *, is_literal: bool = False
    ) -> Any:
        """Note what a text is asked for."""
        uses = names_read(pattern) - {_ESCAPE, _COMPILE, *_FLAGS}
        is_ours = uses and uses <= {*self.targets}
        is_same = self.pattern is None or (
            ast.dump(pattern) == ast.dump(self.pattern)
            and bool(self.options & LITERAL) == is_literal
        )
        if text in self.targets or text in self.known or not (is_same and is_ours):
            raise Unknown
        if not _is_template(pattern) or self.tests or self.nested:
            raise Unknown
        self.pattern = pattern
        self.options |= LITERAL * is_literal
        if text not in self.texts:
            self.texts.append(text)
        return missed

    def _is_known_text(self, node: ast.expr) -> bool:
        """Whether a test compares with a constant, or with a part of one."""
        match node:
            case ast.Name(id=name):
                return self._is_inner(name) or name in self.names.constants
            case ast.Constant() | ast.Tuple():
                return not names_read(node)
        return False

    def _is_test(self, left: ast.expr, right: ast.expr) -> bool:
        """Whether a membership is that of a target in a constant, or of a constant."""
        match left, right:
            case ast.Name(id=name), _ if name in self.targets:
                is_display = isinstance(right, ast.Set | ast.List)
                return self._is_known_text(right) or (
                    is_display and not names_read(right)
                )
            case _, ast.Name(id=name) if name in self.targets:
                return self._is_known_text(left)
        return False

    def _test(self, test: ast.expr, missed: Any) -> Any:
        """Note what a target is tested for."""
        tested = (names_read(test) & {*self.targets}) or {""}
        if self.pattern is not None or tested != {self.tested or max(tested)}:
            raise Unknown
        self.tested = max(tested)
        if self.nested:
            if not self.names.is_free("any"):
                raise Unknown
            loops = [
                ast.comprehension(loop.target, loop.iter, [], 0) for loop in self.nested
            ]
            test = ast.Call(
                ast.Name("any", ast.Load()), [ast.GeneratorExp(test, loops)], []
            )
        self.tests.append(deepcopy(test))
        return missed


def _are_flags(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name):
            return name in _FLAGS
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _are_flags(left) and _are_flags(right)
    return False


def _is_template(node: ast.expr) -> bool:
    """Whether text is put together of constants and names, some of them escaped."""
    match node:
        case ast.Name() | ast.Constant(value=str()):
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_template(left) and _is_template(right)
        case ast.Call(func=ast.Name(id=name), args=[ast.Name()], keywords=[]):
            return name == _ESCAPE
        case ast.Call(func=ast.Name(id=name), args=[source, _]):
            return name == _COMPILE and _is_template(source)
        case ast.JoinedStr(values=parts):
            return all(
                isinstance(part, ast.Constant)
                or (
                    isinstance(part, ast.FormattedValue)
                    and part.conversion == -1
                    and part.format_spec is None
                    and _is_template(part.value)
                )
                for part in parts
            )
    return False
