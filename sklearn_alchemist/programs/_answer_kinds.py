"""Read from a program's source whether it answers with classes or with numbers."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..exceptions import ProgramRejected
from ._guard import syntax_tree
from ._program import LabelingProgram, Scalar
from ._return_values import ReturnValues

_ABSTAINS = re.compile("abstain|none|unknown|no_?label|skip", re.IGNORECASE)
# What people put around the name of a class to name its number.
_AFFIX = re.compile(
    r"^(?:label|class|cls|category|idx|index|id|lbl)_|_(?:label|class|cls|category|idx"
    r"|index|id|lbl)$|_?\d+$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the source of a program says about its answers.

    Parameters
    ----------
    has_classes : bool
        Whether it returns classes as they are.
    places : frozenset of int
        Integers that it returns, other than -1.
    has_bools : bool
        Whether it may return True or False.
    is_complete : bool
        Whether all that it returns is seen in its source.
    order : tuple of str or None
        What 0, 1, ... mean by its own constants; None where they do not say.
    fault : str or None
        Why its own constants cannot be followed.
    otherwise : str or None
        The constant that numbers a class otherwise than the list of classes does.
    """

    has_classes: bool
    places: frozenset[int]
    has_bools: bool
    is_complete: bool
    order: tuple[str, ...] | None
    fault: str | None
    otherwise: str | None


def read_answers(program: LabelingProgram, classes: Sequence[Scalar]) -> Answers:
    r"""Read what a program answers with, as far as its source tells.

    Parameters
    ----------
    program : LabelingProgram
        The program.
    classes : sequence of str
        The classes.

    Returns
    -------
    answers : Answers
        Classes, numbers and what these mean.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram
    >>> from sklearn_alchemist.programs._answer_kinds import read_answers
    >>> source = "SPAM, HAM = 0, 1\ndef label(text): return SPAM"
    >>> read_answers(LabelingProgram("p", source), ["ham", "spam"]).order
    ('spam', 'ham')
    """
    tree = syntax_tree(program.source)
    walk = ReturnValues(tree, program.entry_point)
    constants = {leaf.value for leaf in walk.leaves if _is_plain(leaf)}
    places = {value for value in constants if type(value) is int and value != -1}
    places |= walk.places
    order, fault, otherwise = _own_order(walk, [str(label) for label in classes])
    if order is not None and not places and walk.numbered:
        places = set(range(len(order)))
    return Answers(
        has_classes=bool(
            {value for value in constants if isinstance(value, str)} & set(classes)
        ),
        places=frozenset(places),
        has_bools=walk.has_bools,
        is_complete=not walk.has_unknown,
        order=order,
        fault=fault,
        otherwise=otherwise,
    )


def take_numbers(
    program: LabelingProgram, classes: Sequence[Scalar], *, in_order: bool = True
) -> LabelingProgram:
    r"""Take what a program returns for numbers of the classes.

    Parameters
    ----------
    program : LabelingProgram
        A program that returns integers.
    classes : sequence of str
        The classes, in the order in which they are listed.
    in_order : bool, default=True
        Whether 0, 1, ... must be the classes as listed. Otherwise the program's own
        constants decide, where they say.

    Returns
    -------
    numbered : LabelingProgram
        The same with ``returns="index"`` and its ``class_order``.

    Raises
    ------
    ProgramRejected
        It returns True or False too, or its constants number the classes otherwise.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram
    >>> from sklearn_alchemist.programs._answer_kinds import take_numbers
    >>> program = LabelingProgram("p", "SPAM = 0\ndef label(text): return SPAM")
    >>> take_numbers(program, ["ham", "spam"], in_order=False).class_order
    ('spam', 'ham')
    """
    found = read_answers(program, classes)
    listed = ", ".join(map(repr, classes))
    if found.has_bools:
        raise ProgramRejected(
            f"program {program.name!r} returns True or False, which is no class: "
            f"return one of {listed}, or None to abstain"
        )
    wrong = sorted(p for p in found.places if not 0 <= p < len(classes))
    if wrong and found.fault is None:
        raise ProgramRejected(
            f"program {program.name!r} returns {wrong[0]}, which is neither a class "
            f"nor the place of one; classes are {listed}"
        )
    if found.fault is not None:
        raise ProgramRejected(f"program {program.name!r} {found.fault} ({listed})")
    order: tuple[Scalar, ...] = found.order or tuple(classes)
    if in_order and order != tuple(classes):
        raise ProgramRejected(
            f"in program {program.name!r}, {found.otherwise}: list the classes in the "
            "order of the numbers, or make a LabelingProgram with "
            "returns='index' and class_order=[...]"
        )
    return replace(program, returns="index", class_order=order)


def hides_its_answers(program: LabelingProgram, classes: Sequence[Scalar]) -> bool:
    """Whether only running a program tells if it returns classes or their places.

    Parameters
    ----------
    program : LabelingProgram
        What is read.
    classes : sequence of scalars
        The classes.

    Returns
    -------
    hidden : bool
        That classes are strings, and its source returns none of them as it is.
    """
    if program.returns == "index" or not all(isinstance(c, str) for c in classes):
        return False
    return not read_answers(program, classes).has_classes


def _is_plain(leaf: ast.Constant) -> bool:
    return isinstance(leaf.value, str | int | float | None)


def _own_order(
    walk: ReturnValues, classes: Sequence[str]
) -> tuple[tuple[str, ...] | None, str | None, str | None]:
    """Find in which order a program itself numbers the classes, or why none."""
    known = {_spelled(label): label for label in classes}
    said: dict[str, int] = {}
    abstains: dict[str, int] = {}
    shown: dict[str, int] = {}
    for name, value in [
        *(
            (name, walk.constants[name])
            for name in sorted(walk.names & walk.constants.keys())
        ),
        *(item for table in walk.numbered for item in table.items()),
    ]:
        label = _class_named(name, known)
        if label is not None:
            if said.setdefault(label, value) != value:
                fault = f"numbers {label!r} as {said[label]} and as {value}"
                return None, f"{fault}: return the classes themselves", None
            shown[name] = value
        elif _ABSTAINS.search(name) and value not in (-1, None):
            abstains[name] = value
    is_returned = bool(said)
    for name, value in walk.constants.items():
        label = _class_named(name, known)
        if label is not None and label not in said:
            said[label], shown[name] = value, value
    if not said:
        return None, None, None
    if not is_returned and sorted(said.values()) != list(range(len(classes))):
        return None, None, None  # not what it returns
    missing = [label for label in classes if label not in said]
    free = sorted(set(range(len(classes))) - set(said.values()))
    fits = all(classes[i : i + 1] == [label] for label, i in said.items())
    if len(missing) == 1 and len(free) == 1:
        said[missing[0]] = free[0]
    elif fits and not abstains:
        return tuple(classes), None, None
    if abstains or sorted(said.values()) != list(range(len(classes))):
        pairs = ", ".join(f"{n} is {v}" for n, v in {**shown, **abstains}.items())
        return (
            None,
            f"numbers the classes in a way of its own ({pairs}), which is not 0, 1, "
            "... for the classes and -1 or None to abstain: return the classes "
            "themselves",
            None,
        )
    otherwise = next(
        (
            f"{name} is {value}, and classes[{value}] is another"
            for name, value in shown.items()
            if _class_named(name, known) != classes[value]
        ),
        None,
    )
    return tuple(sorted(said, key=said.__getitem__)), None, otherwise


def _class_named(name: str, known: dict[str, str]) -> str | None:
    """Find the class that a constant is named after."""
    while _spelled(name) not in known:
        bare = _AFFIX.sub("", name, count=1)
        if bare == name:
            return None
        name = bare
    return known[_spelled(name)]


def _spelled(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
