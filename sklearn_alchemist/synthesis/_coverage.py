"""Tell which classes programs can answer from their source, without running them."""

import ast
from collections.abc import Sequence
from typing import Any

from ..programs import LabelingProgram
from ..programs._guard import syntax_tree
from ._reading import leaves_of

AIM = """
No program so far answers {classes}. Look above all for what gives such records away, \
and answer so wherever it is found.
"""


def classes_never_answered(
    programs: Sequence[LabelingProgram], classes: Sequence[Any]
) -> list[Any]:
    """Find classes that no program can answer.

    Nothing is run, so that what is asked next depends on no record.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What is read.

    classes : sequence
        The classes.

    Returns
    -------
    missing : list
        Those that are spelled in no program where its answers are; a program that
        works its answers out may answer whatever it spells anywhere. Empty where there
        are no programs.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram
    >>> from sklearn_alchemist.synthesis import classes_never_answered
    >>> program = LabelingProgram("p", "def label(text): return 'a' if text else None")
    >>> classes_never_answered([program], ["a", "b"])
    ['b']
    """
    if not programs:
        return []
    answered: set[Any] = set()
    for program in programs:
        order = classes if program.class_order is None else program.class_order
        now = dict(program.class_mapping or ())
        for value in _answers(program):
            if program.returns == "class":
                answered.update(now.get(value, (value,)))
            elif isinstance(value, int) and 0 <= value < len(order):
                answered.update(now.get(order[value], (order[value],)))
    return [label for label in classes if label not in answered]


def write_aim(classes: Sequence[Any]) -> str:
    """Ask to look for classes that no program answers.

    Parameters
    ----------
    classes : sequence
        The classes.

    Returns
    -------
    text : str
        What is added to a prompt; nothing without classes.
    """
    return AIM.format(classes=", ".join(map(repr, classes))) if classes else ""


def _answers(program: LabelingProgram) -> set[Any]:
    """Constants that a program may return."""
    tree = syntax_tree(program.source)
    found: set[Any] = set()
    works_it_out = False
    for node in ast.walk(tree):
        if not isinstance(node, ast.Return) or node.value is None:
            continue
        # What scores are given to.
        found |= {
            key.value
            for part in ast.walk(node.value)
            if isinstance(part, ast.Dict)
            for key in part.keys
            if isinstance(key, ast.Constant)
        }
        for leaf in leaves_of(node.value):
            if isinstance(leaf, ast.Constant):
                found.add(leaf.value)
                continue
            found |= {True, False}
            works_it_out |= not isinstance(leaf, ast.Compare | ast.UnaryOp)
    if works_it_out:
        found |= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    return found
