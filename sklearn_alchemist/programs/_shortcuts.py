"""Rewrite what programs do all the time into what does the same in less time.

Only results, errors and their lines count as the same, not what is made on the way.
"""

import ast
from collections.abc import Iterator, Set

from ._facades import direct_name

# What the rewritten source calls; a program itself cannot spell these names.
FOUND, FOUND_BY = direct_name("re", "found"), direct_name("re", "found_by")
_SEARCH = direct_name("re", "search")


def take_shortcuts(tree: ast.Module, bound: Set[str]) -> None:
    """Skip match objects that are only tested, and generators that are only summed."""
    for node in ast.walk(tree):
        for test in _tests(node, bound):
            _skip_match(test)
        if "sum" not in bound:
            _skip_generator(node)


def _tests(node: ast.AST, bound: Set[str]) -> Iterator[ast.expr]:
    """Expressions of which a node uses the truth only."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield test
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.comprehension(ifs=conditions):
            yield from conditions
        case ast.match_case(guard=ast.expr() as condition):
            yield condition
        case ast.Compare(
            left=ast.Call() as call,
            ops=[ast.Is() | ast.IsNot()],
            comparators=[ast.Constant(value=None)],
        ):
            yield call
        case ast.Call(func=ast.Name(id="bool"), args=[value]) if "bool" not in bound:
            yield value
        case ast.Call(
            func=ast.Name(id="any" | "all" as name),
            args=[ast.GeneratorExp(elt=element) | ast.ListComp(elt=element)],
        ) if name not in bound:
            yield element


def _skip_match(test: ast.expr) -> None:
    """Ask whether there is a match instead of which one."""
    match test:
        case ast.Call(func=ast.Name(id=name) as function) if name == _SEARCH:
            function.id = FOUND
        case ast.Call(
            func=ast.Attribute(attr="search") as method,
            args=[ast.expr() as text],
            keywords=[],
        ) if not isinstance(text, ast.Starred):
            # The method is looked up first, as before; nothing else changes order.
            test.func = ast.copy_location(ast.Name(FOUND_BY, ast.Load()), method)
            test.args = [method, text]
        case ast.BoolOp(values=values):
            for value in values:
                _skip_match(value)
        case ast.IfExp(body=body, orelse=orelse):
            _skip_match(body)
            _skip_match(orelse)


def _skip_generator(node: ast.AST) -> None:
    """Sum a list instead of a generator, where no addition can fail."""
    match node:
        case ast.Call(
            func=ast.Name(id="sum"),
            args=[ast.GeneratorExp(elt=element, generators=generators) as generator],
            keywords=[],
        ) if _is_number(element) and all(_is_short(loop.iter) for loop in generators):
            comprehension = ast.ListComp(element, generators)
            node.args = [ast.copy_location(comprehension, generator)]


def _is_number(element: ast.expr) -> bool:
    """Whether a value is an int or bool, whatever its parts are."""
    match element:
        case ast.Constant(value=int()):
            return True
        case ast.Compare(ops=[ast.In() | ast.NotIn() | ast.Is() | ast.IsNot()]):
            return True
        case ast.UnaryOp(op=ast.Not()):
            return True
    return False


def _is_short(values: ast.expr) -> bool:
    """Whether values are surely no endless stream that a list would hoard."""
    return isinstance(values, ast.Name | ast.Constant | ast.Tuple | ast.List | ast.Set)
