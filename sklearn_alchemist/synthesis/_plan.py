"""Plan what each call asks for, so that the programs err in different ways."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count, islice
from typing import Any

from .._utils import read_texts
from ._groups import group_slot
from ._slot import Slot

# The strategy whose prompt lists what earlier programs look for.
RESIDUE = "residue"
# The one that leaves the approach to the model, in a prompt of few words.
FREE = "free"

_STRATEGIES = read_texts(__package__, "strategies")
TEXT_STRATEGIES: dict[str, str] = _STRATEGIES["text"]
TABLE_STRATEGIES: dict[str, str] = _STRATEGIES["table"]
# Of programs that give scores; a lexicon and kinds of records are about texts.
TEXT_SCORES = ("evidence", "own", "kinds", "lexicon")
TABLE_SCORES = ("evidence", "own")

# Programs written without advice are broad and simple where advised ones are careful:
# three in ten are insurance against the one kind being wrong for a task.
TEXT_PLAN = (
    "keywords",
    FREE,
    "patterns",
    "scores",
    "context",
    FREE,
    "detectors",
    "ladder",
    FREE,
    "breadth",
    RESIDUE,
    "contrast",
    "position",
    "precision",
    FREE,
    "names",
)
# Of tables with texts: words, patterns and numbers in turn.
MIXED_STRATEGIES = {
    **TEXT_STRATEGIES,
    **{
        name: TABLE_STRATEGIES[name] for name in ("thresholds", "combinations", RESIDUE)
    },
}
MIXED_PLAN = (
    "thresholds",
    "keywords",
    FREE,
    "scores",
    "patterns",
    "combinations",
    "context",
    FREE,
    "detectors",
    "breadth",
    RESIDUE,
    "contrast",
    FREE,
    "precision",
    "ladder",
    "names",
)


def plan(
    n_programs: int,
    *,
    is_text: bool,
    has_texts: bool = False,
    taken: Collection[str] = (),
    knowledge: Sequence[str] = (),
    n_scoring: int = 0,
    grouped: Sequence[Any] = (),
) -> list[Slot]:
    """Spread programs over strategies and over kinds of prior knowledge.

    Parameters
    ----------
    n_programs : int
        Number of programs to plan for.

    is_text : bool
        Whether the programs read one column of texts rather than a table.

    has_texts : bool, default=False
        Whether there are texts among the columns of the table.

    taken : collection of str, default=()
        Names of programs that exist; their slots are passed over.

    knowledge : sequence of str, default=()
        Kinds of prior knowledge, given to the slots in turn.

    n_scoring : int, default=0
        How many of the programs give scores instead of a class; they come last.

    grouped : sequence, default=()
        Classes of which every second program looks after a group. By default all look
        after all.

    Returns
    -------
    slots : list of Slot
        One a program. Strategies repeat when there are more programs than strategies;
        a longer plan starts with the shorter ones, so that raising `n_programs` pays
        for the additional programs only.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import plan
    >>> [slot.name for slot in plan(3, is_text=True)]
    ['keywords_0', 'free_1', 'patterns_2']
    >>> [slot.name for slot in plan(2, is_text=True, taken={"free_1"})]
    ['keywords_0', 'patterns_2']
    >>> [slot.name for slot in plan(3, is_text=True, n_scoring=2)]
    ['keywords_0', 'score_evidence_0', 'score_own_1']
    """
    names: tuple[str, ...]
    if is_text:
        strategies, names = TEXT_STRATEGIES, TEXT_PLAN
    elif has_texts:
        strategies, names = MIXED_STRATEGIES, MIXED_PLAN
    else:
        strategies, names = TABLE_STRATEGIES, tuple(TABLE_STRATEGIES)
    kinds: list[str | None] = [*knowledge] or [None]
    n_scoring = min(n_scoring, n_programs)
    if grouped:
        coarse = _STRATEGIES["groups"]["coarse"]
        strategies = {**strategies, "coarse": coarse}
        names = (names[0], "coarse", *names[1:])

    def slot(place: int) -> Slot:
        number = place
        if grouped:
            if place % 2:
                return group_slot(grouped, place, kinds[place % len(kinds)])
            number = place // 2
        rounds, step = divmod(number, len(names))
        name = names[step]
        return Slot(
            f"{name}_{place}",
            name,
            strategies.get(name, ""),
            rounds * names.count(name) + names[:step].count(name),
            kinds[place % len(kinds)],
            place=place,
        )

    def score_slot(place: int) -> Slot:
        order = TEXT_SCORES if is_text or has_texts else TABLE_SCORES
        rounds, step = divmod(place, len(order))
        name, texts = order[step], _STRATEGIES["scores"]
        return Slot(
            f"score_{name}_{place}",
            f"score_{name}",
            texts["told"] + texts[name],
            rounds,
            kinds[place % len(kinds)],
            place=place,
        )

    deciding = _first(slot, n_programs - n_scoring, taken)
    return deciding + _first(score_slot, n_scoring, taken)


def _first(
    slot: Callable[[int], Slot], n_slots: int, taken: Collection[str]
) -> list[Slot]:
    """Take the first slots of an endless plan whose programs do not exist."""
    free = (made for made in map(slot, count()) if made.name not in taken)
    return list(islice(free, n_slots))


def plan_rules(
    n_programs: int,
    classes: Sequence[Any],
    focuses: Mapping[str, str],
    *,
    taken: Collection[str] = (),
    knowledge: Sequence[str] = (),
    first: Collection[int] = (),
) -> list[Slot]:
    """Spread structured programs over classes and focuses.

    Parameters
    ----------
    n_programs : int
        Number of programs to plan for.

    classes : sequence
        Each program looks for one of them.

    focuses : dict of str to str
        Name -> what the prompt says of it.

    taken : collection of str, default=()
        Names of programs that exist; their slots are passed over.

    knowledge : sequence of str, default=()
        Kinds of prior knowledge, given to the slots in turn.

    first : collection of int, default=()
        Places of classes that are looked for before the others.

    Returns
    -------
    slots : list of Slot
        One a program; all classes with the first focus, then with the next.
    """
    order = sorted(range(len(classes)), key=lambda k: k not in first)
    pairs = [(focus, k) for focus in focuses for k in order]
    kinds: list[str | None] = [*knowledge] or [None]

    def slot(place: int) -> Slot:
        focus, k = pairs[place % len(pairs)]
        return Slot(
            f"{focus}_{k}_{place}",
            focus,
            focuses[focus],
            place // len(pairs),
            kinds[place % len(kinds)],
            classes[k],
            place,
        )

    return _first(slot, n_programs, taken)
