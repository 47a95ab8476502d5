"""List columns within bounds, and find thresholds that their values never cross."""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ..programs import LabelingProgram
from ..programs._guard import syntax_tree

# About 3,000 tokens, so that prompt and answer stay below 4,096 each.
MAX_CHARACTERS = 10_000
# Of descriptions such as names with hundreds of letters.
_MAX_LINE = 200

_HOLDS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def list_columns(columns: Mapping[str, str]) -> str:
    """List columns one a line, as many as a prompt has room for.

    Parameters
    ----------
    columns : dict of str to str
        Name -> what it is.

    Returns
    -------
    lines : str
        The first of them; the last line says how many are left out.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._columns import list_columns
    >>> print(list_columns({"age": "int", "name": "str"}))
    - age: int
    - name: str
    """
    lines: list[str] = []
    room = MAX_CHARACTERS
    for name, kind in columns.items():
        line = f"- {name}: {kind}"
        line = line if len(line) <= _MAX_LINE else f"- {name}: {kind.split(',')[0]}"
        room -= len(line) + 1
        if room < 0:
            n_left, last = len(columns) - len(lines), list(columns)[-1]
            lines.append(
                f"There are {n_left} more columns, from {name} to {last}; they are "
                "left out here: do not use them."
            )
            break
        lines.append(line)
    return "\n".join(lines)


def text_columns(columns: Mapping[str, str]) -> tuple[str, ...]:
    """Find the columns that may hold texts.

    Parameters
    ----------
    columns : dict of str to str
        Name -> what it is.

    Returns
    -------
    names : tuple of str
        Columns of strings, unless they are known to be dates or a few categories.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._columns import text_columns
    >>> text_columns({"age": "int", "body": "str", "on": "str (ISO date)"})
    ('body',)
    """
    return tuple(
        name
        for name, kind in columns.items()
        if kind.split(",")[0] == "str" and not kind.startswith("str, one of ")
    )


def never_crossed(
    program: LabelingProgram, columns: Mapping[str, Sequence[Any]]
) -> list[str]:
    """Find comparisons of a column with a number that always come out the same.

    Parameters
    ----------
    program : LabelingProgram
        What is read.

    columns : dict of str to sequence
        Some records.

    Returns
    -------
    thresholds : list of str
        Each with the range of the column, in the order of the source.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram
    >>> from sklearn_alchemist.synthesis._columns import never_crossed
    >>> program = LabelingProgram("p", "def label(age): return age > 150 or None")
    >>> never_crossed(program, {"age": [31, None, 64]})
    ['age > 150 (age is 31 to 64)']
    """
    found = []
    for name, holds, threshold in _thresholds(syntax_tree(program.source)):
        values = [v for v in columns.get(name, ()) if isinstance(v, int | float)]
        if values and len({holds(value) for value in values}) == 1:
            found.append(
                f"{threshold} ({name} is {min(values):.4g} to {max(values):.4g})"
            )
    return list(dict.fromkeys(found))


def _thresholds(tree: ast.AST) -> Iterator[tuple[str, Callable[[Any], bool], str]]:
    """Find comparisons between a name and a number, either way round."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or len(node.ops) > 1:
            continue
        compare = _HOLDS.get(type(node.ops[0]))
        left, right = node.left, node.comparators[0]
        if compare is None:
            continue
        if isinstance(left, ast.Name) and (number := _number(right)) is not None:
            yield left.id, partial(_compare, compare, number), ast.unparse(node)
        elif isinstance(right, ast.Name) and (number := _number(left)) is not None:
            yield right.id, partial(compare, number), ast.unparse(node)


def _compare(compare: Callable[[Any, Any], bool], number: float, value: Any) -> bool:
    return compare(value, number)


def _number(node: ast.AST) -> float | None:
    """Read a number, with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _number(node.operand)
        return None if number is None else -number
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    return None
