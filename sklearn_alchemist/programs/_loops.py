"""Let loops over keywords skip those that a text does not hold.

Programs walk through lists of keywords and ask the same text for each. Where an
iteration surely does nothing if the text lacks what the keyword asks for, the loop is
given only keywords that may be there. The first and the last always stay, so that
names which a loop leaves behind, types of sums and default entries are those of the
full loop.
"""

import ast
from collections.abc import Callable, Iterator, Set
from typing import Any

from ._facades import direct_name, words
from ._shortcuts import FOUND, FOUND_BY

# What the rewritten source calls; a program itself cannot spell this name.
LIVE = direct_name("re", "live")
_ESCAPE = direct_name("re", "escape")
_COMPILE = direct_name("re", "compile")
_FLAGS = frozenset(
    direct_name("re", name)
    for name in words("A ASCII DOTALL I IGNORECASE M MULTILINE S U UNICODE")
)
_MISSES: dict[str, Any] = {
    direct_name("re", "search"): None,
    direct_name("re", "findall"): [],
    FOUND: None,
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


class _Unknown(Exception):  # noqa: N818 -- reads as what happened
    """What an expression gives cannot be told."""


def skip_dead_iterations(tree: ast.Module, bound: Set[str]) -> None:
    """Rewrite the loops and comprehensions of a program that walk through keywords.

    Parameters
    ----------
    tree : ast.Module
        Rewritten by the guard; changed in place.
    bound : set of str
        Names that the program gives a meaning of its own.
    """
    sites = iter(range(1 << 30))
    for node in list(ast.walk(tree)):
        match node:
            case ast.For(target=target, orelse=[]):
                loop = _Loop(target, bound)
                if loop.does_nothing(node.body) and loop.is_free(node):
                    loop.narrow(node, next(sites))
            case ast.Call(
                func=ast.Name(id="sum" | "any" as name),
                args=[ast.GeneratorExp() | ast.ListComp() as made],
                keywords=[],
            ) if name not in bound:
                _narrow_comprehension(made, made.elt, bound, sites)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                _narrow_comprehension(node, None, bound, sites)


def _narrow_comprehension(
    node: Any, element: ast.expr | None, bound: Set[str], sites: Iterator[int]
) -> None:
    """Narrow the only loop of a comprehension that drops or adds up what misses."""
    if len(node.generators) != 1:
        return
    (generator,) = node.generators
    if _is_narrowed(generator.iter):
        return
    loop = _Loop(generator.target, bound)
    try:
        # Conditions in order: the first decides, so the others are not evaluated.
        is_dead = (
            not loop.value(generator.ifs[0])
            if generator.ifs
            else element is not None and not loop.value(element)
        )
    except _Unknown:
        return
    if is_dead and loop.pattern is not None and loop.is_free(node):
        loop.narrow(generator, next(sites))


def _is_narrowed(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name == LIVE
    return False


def _names(node: ast.AST, *, stored: bool) -> set[str]:
    return {
        n.id
        for n in ast.walk(node)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) is not stored
    }


_JUMPS = (ast.Break, ast.Continue, ast.Return)


class _Loop:
    """What an iteration does if a text lacks what its keyword asks for."""

    def __init__(self, target: ast.expr, bound: Set[str]) -> None:
        self.bound = bound
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        self.is_pair = isinstance(target, ast.Tuple)
        self.names = [part.id for part in parts if isinstance(part, ast.Name)]
        if len(self.names) != len(parts):
            self.names = []
        self.known: dict[str, Any] = {}
        # What texts are asked for, which ones and how: one pattern a loop.
        self.texts: list[str] = []
        self.pattern: ast.expr | None = None
        self.is_literal = False

    def is_free(self, node: Any) -> bool:
        """Whether a loop leaves alone what it walks through and the text it asks."""
        if not {*self.texts}.isdisjoint(_names(node, stored=True)):
            return False
        if not isinstance(node, ast.For):
            return True
        walked = _names(node.iter, stored=False)
        return not any(walked & _names(part, stored=False) for part in node.body)

    def narrow(self, loop: Any, site: int) -> None:
        """Give a loop only what may do something."""
        assert self.pattern is not None
        match loop.iter:
            case ast.Subscript(slice=ast.Slice()):
                # A part of a text's words is no list of keywords.
                return
        names = [ast.arg(name) for name in self.names]
        make = ast.Lambda(
            ast.arguments([], names, None, [], [], None, []), self.pattern
        )
        loop.iter = ast.copy_location(
            ast.Call(
                ast.Name(LIVE, ast.Load()),
                [
                    loop.iter,
                    ast.Tuple(
                        [ast.Name(t, ast.Load()) for t in self.texts], ast.Load()
                    ),
                    ast.Constant(site),
                    make,
                    ast.Constant(self.is_pair),
                    ast.Constant(self.is_literal),
                ],
                [],
            ),
            loop.iter,
        )

    def does_nothing(self, body: list[ast.stmt]) -> bool:
        """Whether all that a body does is the same each time, and done by one."""
        try:
            self._run(body)
        except _Unknown:
            return False
        return self.pattern is not None

    def _run(self, body: list[ast.stmt], *, is_nested: bool = False) -> bool:
        """Follow a body; give whether it went on to the next iteration."""
        for place, statement in enumerate(body):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    # Nothing may see what an iteration that is left out would set.
                    earlier = [*body[:place], value]
                    seen = {n for part in earlier for n in _names(part, stored=False)}
                    jumps = any(
                        isinstance(n, _JUMPS) for p in earlier for n in ast.walk(p)
                    )
                    if is_nested or jumps or name in seen or name in self.names:
                        raise _Unknown
                    if self._is_pattern(value):
                        self.known[name] = _Pattern(value)
                    else:
                        self.known[name] = self.value(value)
                case ast.AugAssign(target=target, op=ast.Add(), value=value):
                    # Adding nothing once is adding nothing often.
                    if self.value(value) not in (0, []) or not self._is_steady(target):
                        raise _Unknown
                case ast.If(test=test, body=then, orelse=otherwise):
                    branch = then if self.value(test) else otherwise
                    if self._run(branch, is_nested=True):
                        return True
                case ast.Continue():
                    return True
                case ast.Pass():
                    pass
                case _:
                    raise _Unknown
        return False

    def _is_pattern(self, node: ast.expr) -> bool:
        """Whether a value is text made of what a loop walks through."""
        uses = _names(node, stored=False) - {_ESCAPE}
        return bool(uses) and uses <= {*self.names} and _is_template(node)

    def _is_steady(self, target: ast.expr) -> bool:
        """Whether a target is the same in each iteration."""
        match target:
            case ast.Name(id=name):
                return name not in self.names and name not in self.known
            case ast.Subscript(
                value=ast.Name(id=name), slice=ast.Name() | ast.Constant() as key
            ):
                place = key.id if isinstance(key, ast.Name) else ""
                return not {name, place} & {*self.names, *self.known}
        return False

    def value(self, node: ast.expr) -> Any:
        """Tell what an expression gives if the text lacks what is asked for."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in self.known:
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
            case ast.Compare(
                left=literal, ops=[ast.In()], comparators=[ast.Name(id=text)]
            ):
                return self._ask(literal, text, False, is_literal=True)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=text), attr="count"),
                args=[literal],
                keywords=[],
            ):
                return self._ask(literal, text, 0, is_literal=True)
            case ast.Call(
                func=ast.Attribute(value=ast.Name() as pattern, attr="findall"),
                args=[ast.Name(id=text)],
                keywords=[],
            ):
                return self._ask(self._spelled(pattern, []), text, [])
            case ast.Call(
                func=ast.Name(id=name),
                args=[
                    ast.Attribute(value=ast.Name() as pattern, attr="search"),
                    ast.Name(id=text),
                ],
            ) if name == FOUND_BY:
                return self._ask(self._spelled(pattern, []), text, None)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if (
                name in _PURE and name not in self.bound
            ):
                return self._computed(_PURE[name], *args)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return self._product(left, right)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._computed(lambda a, b: a + b, left, right)
            case ast.BoolOp(op=op, values=values):
                for part in values:
                    result = self.value(part)
                    if bool(result) is isinstance(op, ast.Or):
                        break
                return result
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                if type(op) in _COMPARED:
                    return self._computed(_COMPARED[type(op)], left, right)
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                return self.value(body if self.value(test) else otherwise)
        raise _Unknown

    def _computed(self, function: Callable[..., Any], *args: ast.expr) -> Any:
        values = [self.value(arg) for arg in args]
        try:
            return function(*values)
        except Exception:
            raise _Unknown from None

    def _product(self, left: ast.expr, right: ast.expr) -> Any:
        """Nothing times the weight of a keyword: nothing, for weights of one kind."""
        for one, other in ((left, right), (right, left)):
            if isinstance(other, ast.Name) and other.id in self.names:
                value = self.value(one)
                if type(value) in (int, bool) and not value:
                    return 0
                raise _Unknown
        return self._computed(lambda a, b: a * b, left, right)

    def _spelled(self, pattern: ast.expr, flags: list[ast.expr]) -> ast.expr:
        """Spell a pattern out, with its flags."""
        if isinstance(pattern, ast.Name) and pattern.id in self.known:
            known = self.known[pattern.id]
            if not isinstance(known, _Pattern):
                raise _Unknown
            pattern = known.source
        if not flags:
            return pattern
        if len(flags) > 1 or not _are_flags(flags[0]):
            raise _Unknown
        return ast.Call(ast.Name(_COMPILE, ast.Load()), [pattern, flags[0]], [])

    def _ask(
        self, pattern: ast.expr, text: str, missed: Any, *, is_literal: bool = False
    ) -> Any:
        """Note what a text is asked for."""
        is_same = self.pattern is None or (
            ast.dump(pattern) == ast.dump(self.pattern)
            and self.is_literal == is_literal
        )
        uses = _names(pattern, stored=False) - {_ESCAPE, _COMPILE, *_FLAGS}
        is_ours = uses and uses <= {*self.names}
        if text in self.names or text in self.known or not (is_same and is_ours):
            raise _Unknown
        if not _is_template(pattern):
            raise _Unknown
        self.pattern, self.is_literal = pattern, is_literal
        if text not in self.texts:
            self.texts.append(text)
        return missed


class _Pattern:
    """A pattern that is made of what a loop walks through."""

    def __init__(self, source: ast.expr) -> None:
        self.source = source


def _are_flags(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name):
            return name in _FLAGS
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _are_flags(left) and _are_flags(right)
    return False


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
