"""Let loops skip the iterations that surely do nothing.

Programs walk through lists of keywords and ask the same text for each, or through the
words of a text and look each up. Where an iteration does nothing if the text lacks what
the keyword asks for, or if the word passes no test, the loop is given the others only.
What a loop leaves behind, and types of sums and default entries, are those of the full
loop: where they can be told apart, the first and the last iteration stay.
"""

import ast
from collections.abc import Set

from ._constants import Names, names_bound
from ._loop_analysis import (
    COUNTED,
    FIRST,
    ITEMS,
    LAST,
    SAME,
    WEIGHS,
    Iteration,
    Unknown,
    names_read,
)
from ._safe_modules import direct_name, words

# What the rewritten source calls; a program itself cannot spell these names.
RELEVANT, PASSING = (
    direct_name("re", "relevant_elements"),
    direct_name("re", "passing_elements"),
)

# What walks through all that a generator gives.
_CONSUMERS = words("any all sum list set tuple max min sorted dict frozenset next")


def skip_idle_iterations(tree: ast.Module, bound: Set[str]) -> None:
    """Rewrite the loops and comprehensions of a program."""
    names = Names(tree, bound)
    names.find_constants()
    sites = iter(range(1 << 30))
    for node in list(ast.walk(tree)):
        match node:
            case ast.For(orelse=[]):
                loop = _Loop(node, node, names)
                if loop.is_idle():
                    loop.narrow(next(sites))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                if len(node.generators) == 1:
                    loop = _Loop(node, node.generators[0], names)
                    if loop.drops_all():
                        loop.narrow(next(sites))


class _Loop(Iteration):
    """A loop or comprehension that may be given fewer elements."""

    def is_idle(self) -> bool:
        """Whether a body does nothing where nothing is found."""
        if not self.targets:
            return False
        try:
            self.run(self.node.body)
        except Unknown:
            return False
        inside = set(ast.walk(self.node))
        left = {*self.targets, *self.known, *self.inner}
        if any(load not in inside for name in left for load in self.names.loads[name]):
            self.options |= LAST
        return self._is_steady_loop()

    def drops_all(self) -> bool:
        """Whether a comprehension leaves out, or adds nothing for, what misses."""
        call = self.names.parents[self.node]
        consumer = ""
        match call:
            case ast.Call(func=ast.Name(id=name)) if self.names.is_free(name):
                consumer = name
            case ast.Call(func=ast.Attribute(attr="join")):
                consumer = "list"
        if isinstance(self.node, ast.GeneratorExp) and consumer not in _CONSUMERS:
            return False
        try:
            # Conditions in order: the first decides, so the others are not evaluated.
            if self.header.ifs:
                if self.value(self.header.ifs[0]):
                    return False
            elif consumer in {"sum", "any"} and not isinstance(
                self.node, ast.DictComp | ast.SetComp
            ):
                value = self.value(self.node.elt)
                if value or (consumer == "sum" and type(value) not in (int, bool)):
                    return False
            else:
                return False
        except Unknown:
            return False
        # Words are counted as fast as they are looked up here.
        return self.pattern is not None and self._is_steady_loop()

    def _is_steady_loop(self) -> bool:
        """Whether a loop leaves alone what it walks through and the text it asks."""
        if self.pattern is None and not self.tests:
            return False
        stored = set(names_bound(self.node))
        if not stored.isdisjoint(self.texts):
            return False
        walked = names_read(self.header.iter) & self.names.binders.keys()
        if not stored.isdisjoint(walked):
            return False
        used = {
            name for part in getattr(self.node, "body", []) for name in names_read(part)
        }
        # Functions of the program may change whatever they know.
        is_own = any(self.names.binders.get(name) for name in used & self.names.called)
        if walked & used or is_own:
            return all(self.names.only_read(name) for name in walked)
        return True

    def narrow(self, site: int) -> None:
        """Give a loop only what may do something."""
        values = self.header.iter
        match values:
            case ast.Subscript(slice=ast.Slice()):
                # A part of a text's words is no list of keywords.
                return
        if self.options & WEIGHS:
            self.options |= FIRST
        if self.pattern is None:
            test = _any_of(self.tests)
            match values:
                case ast.Call(func=ast.Name(id="enumerate"), args=[one], keywords=[]):
                    if self.names.is_free("enumerate"):
                        values, self.options = one, self.options | COUNTED
            args = [
                values,
                ast.Constant(self.targets.index(self.tested)),
                ast.Constant(site),
                _lambda([self.tested], test),
                ast.Constant(self.options),
            ]
            function = PASSING
        else:
            match values:
                case ast.Call(
                    func=ast.Attribute(value=value, attr="items"), args=[]
                ) if self.names.is_constant(value):
                    values, self.options = value, self.options | ITEMS | SAME
                case _ if self.names.is_constant(values):
                    self.options |= SAME
            texts = ast.Tuple([ast.Name(t, ast.Load()) for t in self.texts], ast.Load())
            args = [
                values,
                texts,
                ast.Constant(site),
                _lambda(self.targets, self.pattern),
                ast.Constant(self.options),
            ]
            function = RELEVANT
        call = ast.Call(ast.Name(function, ast.Load()), args, [])
        self.header.iter = ast.copy_location(call, values)


def _lambda(names: list[str], body: ast.expr) -> ast.Lambda:
    args = [ast.arg(name) for name in names]
    return ast.Lambda(ast.arguments([], args, None, [], [], None, []), body)


def _any_of(tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
