"""Plan what each call asks for, so that the programs err in different ways."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from .._utils import read_prompts
from ._earlier_programs import classes_never_answered
from ._prompts import RULE_FOCUSES, count_cues
from ._synthesis_config import SynthesisConfig
from ._task_spec import TaskSpec


@dataclass(frozen=True, slots=True)
class PlannedProgram:
    """One call of the plan.

    Parameters
    ----------
    name : str
        Name of the program to be written.

    strategy : str
        Name of what the program is to rely on.

    advice : str
        What the prompt says of it; none leaves the approach to the model.

    sample : int
        How many programs planned before ask the same.

    knowledge : str or None, default=None
        Kind of prior knowledge that the prompt repeats.

    target : object, default=None
        The class that a structured program looks for.

    place : int, default=0
        Its place in the plan, by which several authors take turns.
    """

    name: str
    strategy: str
    advice: str
    sample: int
    knowledge: str | None = None
    target: Any = None
    place: int = 0

    @property
    def follows(self) -> bool:
        """Whether its prompt depends on what programs before it were answered."""
        return self.strategy == "residue"


# The strategy whose prompt lists what earlier programs look for.
RESIDUE = "residue"
# The one that leaves the approach to the model, in a prompt of few words.
FREE = "free"

_STRATEGIES = read_prompts(__package__, "strategies")
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
) -> list[PlannedProgram]:
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
        Names of programs that exist; they are passed over.

    knowledge : sequence of str, default=()
        Kinds of prior knowledge, given to the programs in turn.

    n_scoring : int, default=0
        How many of the programs give scores instead of a class; they come last.

    grouped : sequence, default=()
        Classes of which every second program looks after a group. By default all look
        after all.

    Returns
    -------
    plans : list of PlannedProgram
        One a program. Strategies repeat when there are more programs than strategies;
        a longer plan starts with the shorter ones, so that raising `n_programs` pays
        for the additional programs only.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import plan
    >>> [planned.name for planned in plan(3, is_text=True)]
    ['keywords_0', 'free_1', 'patterns_2']
    >>> [planned.name for planned in plan(2, is_text=True, taken={"free_1"})]
    ['keywords_0', 'patterns_2']
    >>> [planned.name for planned in plan(3, is_text=True, n_scoring=2)]
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

    def deciding(place: int) -> PlannedProgram:
        number = place
        if grouped:
            if place % 2:
                return plan_group(grouped, place, kinds[place % len(kinds)])
            number = place // 2
        rounds, step = divmod(number, len(names))
        name = names[step]
        return PlannedProgram(
            f"{name}_{place}",
            name,
            strategies.get(name, ""),
            rounds * names.count(name) + names[:step].count(name),
            kinds[place % len(kinds)],
            place=place,
        )

    def scoring(place: int) -> PlannedProgram:
        order = TEXT_SCORES if is_text or has_texts else TABLE_SCORES
        rounds, step = divmod(place, len(order))
        name, texts = order[step], _STRATEGIES["scores"]
        return PlannedProgram(
            f"score_{name}_{place}",
            f"score_{name}",
            texts["told"] + texts[name],
            rounds,
            kinds[place % len(kinds)],
            place=place,
        )

    first = _first(deciding, n_programs - n_scoring, taken)
    return first + _first(scoring, n_scoring, taken)


def _first(
    plan_at: Callable[[int], PlannedProgram], n_programs: int, taken: Collection[str]
) -> list[PlannedProgram]:
    """Take the first of an endless plan whose programs do not exist."""
    free = (made for made in map(plan_at, count()) if made.name not in taken)
    return list(islice(free, n_programs))


def plan_rules(
    n_programs: int,
    classes: Sequence[Any],
    focuses: Mapping[str, str],
    *,
    taken: Collection[str] = (),
    knowledge: Sequence[str] = (),
    first: Collection[int] = (),
) -> list[PlannedProgram]:
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
        Names of programs that exist; they are passed over.

    knowledge : sequence of str, default=()
        Kinds of prior knowledge, given to the programs in turn.

    first : collection of int, default=()
        Places of classes that are looked for before the others.

    Returns
    -------
    plans : list of PlannedProgram
        One a program; all classes with the first focus, then with the next.
    """
    order = sorted(range(len(classes)), key=lambda k: k not in first)
    pairs = [(focus, k) for focus in focuses for k in order]
    kinds: list[str | None] = [*knowledge] or [None]

    def plan_at(place: int) -> PlannedProgram:
        focus, k = pairs[place % len(pairs)]
        return PlannedProgram(
            f"{focus}_{k}_{place}",
            focus,
            focuses[focus],
            place // len(pairs),
            kinds[place % len(kinds)],
            classes[k],
            place,
        )

    return _first(plan_at, n_programs, taken)


# From so many classes on, each would get less than half of the cues that two get.
MANY_CLASSES = 12
_GROUP_SIZE = 8
# More would take more programs than a fit asks for as a rule.
_MAX_GROUPS = 5


def plan_group(
    classes: Sequence[Any], place: int, knowledge: str | None
) -> PlannedProgram:
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
    planned : PlannedProgram
        The planned.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._plan import plan_group
    >>> planned = plan_group([f"c{k}" for k in range(12)], 1, None)
    >>> planned.name, planned.advice[31:77]
    ('group_0_1', "as other programs look after the others: 'c0',")
    """
    n_groups = min(_MAX_GROUPS, -(-len(classes) // _GROUP_SIZE))
    rounds, number = divmod(place // 2, n_groups)
    group = group_of(classes, number, n_groups, in_turn=bool(rounds % 2))
    advice = read_prompts(__package__, "strategies")["groups"]["group"].format(
        classes=", ".join(map(repr, group)), n_cues=count_cues(len(group))
    )
    name = f"group_{number}_{place}"
    return PlannedProgram(name, "group", advice, rounds // 2, knowledge, place=place)


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


def plan_programs(spec: TaskSpec, config: SynthesisConfig) -> list[PlannedProgram]:
    """Plan the programs of a config.

    Parameters
    ----------
    spec : TaskSpec
        What the programs are to do.

    config : SynthesisConfig
        How they are to be got.

    Returns
    -------
    plans : list of PlannedProgram
        One a program.
    """
    options: dict[str, Any] = {
        "taken": config.taken,
        "knowledge": config.prior_knowledge,
    }
    classes = list(spec.classes)
    if config.style == "rules":
        missing = classes_never_answered(config.given, classes)
        options["first"] = [classes.index(label) for label in missing]
        return plan_rules(config.n_programs, classes, RULE_FOCUSES, **options)
    n_there = sum(name.startswith("score_") for name in config.taken)
    return plan(
        config.n_programs,
        is_text=spec.is_text,
        has_texts=bool(spec.text_columns),
        n_scoring=max(0, config.n_scoring - n_there),
        grouped=classes if uses_groups(config, classes) else (),
        **options,
    )


def uses_groups(config: SynthesisConfig, classes: Sequence[Any]) -> bool:
    """Whether every second program looks after a group of classes.

    Parameters
    ----------
    config : SynthesisConfig
        How programs are to be got.

    classes : sequence
        The classes.

    Returns
    -------
    grouped : bool
        What the config says, or the number of classes does.
    """
    if config.class_groups == "auto":
        return len(classes) >= MANY_CLASSES
    return bool(config.class_groups)
