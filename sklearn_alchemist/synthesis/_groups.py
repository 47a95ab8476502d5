"""Plan for many classes: programs that look after some of them, and know them well.

With ten programs for thirty classes, each has room for a dozen cues a class. So every
second program looks after a group of classes, with cues enough to tell them from the
others, and the next round deals the classes into other groups.
"""

from collections.abc import Sequence
from typing import Any

from .._utils import read_texts
from ._brief import count_cues
from ._slot import Slot

# From so many classes on, each would get less than half of the cues that two get.
MANY_CLASSES = 12
_GROUP_SIZE = 8
# More would take more programs than a fit asks for as a rule.
_MAX_GROUPS = 5


def group_slot(classes: Sequence[Any], place: int, knowledge: str | None) -> Slot:
    """Plan a program for a group of classes.

    Parameters
    ----------
    classes : sequence
        All classes.

    place : int
        Place in the plan, of which every second one is such a program.

    knowledge : str or None
        Kind of prior knowledge that the prompt repeats.

    Returns
    -------
    slot : Slot
        The slot.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._groups import group_slot
    >>> slot = group_slot([f"c{k}" for k in range(12)], 1, None)
    >>> slot.name, slot.advice[31:77]
    ('group_0_1', "as other programs look after the others: 'c0',")
    """
    n_groups = min(_MAX_GROUPS, -(-len(classes) // _GROUP_SIZE))
    rounds, number = divmod(place // 2, n_groups)
    group = group_of(classes, number, n_groups, in_turn=bool(rounds % 2))
    advice = read_texts(__package__, "strategies")["groups"]["group"].format(
        classes=", ".join(map(repr, group)), n_cues=count_cues(len(group))
    )
    name = f"group_{number}_{place}"
    return Slot(name, "group", advice, rounds // 2, knowledge, place=place)


def group_of(
    classes: Sequence[Any], number: int, n_groups: int, *, in_turn: bool
) -> list[Any]:
    """Deal classes into groups of about the same size.

    Parameters
    ----------
    classes : sequence
        All classes.

    number : int
        Number of the group.

    n_groups : int
        How many there are.

    in_turn : bool
        Whether they are dealt one by one rather than by neighbours.

    Returns
    -------
    group : list
        Classes of that group.
    """
    if in_turn:
        return list(classes[number::n_groups])
    n_classes = len(classes)
    start, stop = (k * n_classes // n_groups for k in (number, number + 1))
    return list(classes[start:stop])
