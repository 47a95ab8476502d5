"""Plan what each call asks for, so that the programs err in different ways."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

# The strategy whose prompt lists what earlier programs look for.
RESIDUE = "residue"
# The one that leaves the approach to the model, in a prompt of few words.
FREE = "free"

TEXT_STRATEGIES = {
    "keywords": (
        "Decide by vocabulary. For every class, collect words and short phrases that "
        "are typical of it and rare in the others. Count how many different ones a "
        "record contains, and answer with the class that has the most; on a tie let "
        "the more telling cues decide."
    ),
    "scores": (
        "Decide by weighted evidence. Give every cue a weight: 4 if it nearly settles "
        "the matter whatever else is said, 2 if it is ordinary, 1 if it is faint, and "
        "a negative one for a class that it speaks against. Add up, and answer with "
        "the best class where it leads the second by a small margin."
    ),
    "patterns": (
        "Decide by structure and regular expressions rather than by single words: "
        "fixed expressions; two words with up to three others between them; who does "
        "what to whom; word families (a stem with its endings); numbers with their "
        "units; formats, links, punctuation, capitals and length. Weigh the patterns "
        "and let the best class win."
    ),
    "context": (
        "Read cues in their context. Split a record into clauses. Negation, "
        "comparison, concession (what follows 'but' or 'however' counts more), "
        "conditions, questions, reported speech and words whose meaning depends on "
        "their neighbours turn a cue round or cancel it. Add up what is left, and let "
        "the best class win."
    ),
    "contrast": (
        "Concentrate on what is confused most easily: pairs of classes, or records of "
        "one class that sound like another. Make a rough guess by vocabulary first; "
        "then, for each such pair, let cues that tell exactly these two apart confirm "
        "or overturn it."
    ),
    "detectors": (
        "Write one detector a class, which decides this class against all the rest "
        "with cues for it, cues against it and a threshold of its own. Answer with the "
        "class whose detector fires most clearly. Where none fires, answer with the "
        "class that is what remains, if there is such a class, else None."
    ),
    "position": (
        "Use the position. A title, an opening and a closing sentence tell what a "
        "record is about and what it concludes: weigh cues there two to three times as "
        "much as in between, in a way that also works for records of one sentence. Let "
        "the best class win."
    ),
    "ladder": (
        "Go down a ladder of rules, surest first: cues that settle the matter "
        "whatever else is said; then combinations of two or three cues that only "
        "together point to a class; then the number of different cues a class. The "
        "first rung that gives a clear answer decides."
    ),
    "breadth": (
        "Decide every record that is not empty. Cover the rarer subjects, everyday "
        "wording, slang and unusual spelling of every class with many cues, and "
        "compare the weights. Where nothing at all matches, answer with the class "
        "that leaves the fewest traces of its own."
    ),
    RESIDUE: (
        "Fill the gaps. Other programs already look for the cues that are listed "
        "below. Imagine records of every class that contain none of these, or that "
        "contain those of a wrong class, and find the cues that give them away. Use "
        "the surest of the known cues beside the new ones."
    ),
    "precision": (
        "Be right rather than complete: answer only on cues that hardly ever occur in "
        "another class, and abstain everywhere else. Cover every class with many such "
        "cues."
    ),
    "names": (
        "Decide by who and what is mentioned: kinds of people and their roles, "
        "organisations, institutions, places, products, events and titles that come "
        "with one class, together with the verbs that go with them."
    ),
}

TABLE_STRATEGIES = {
    "thresholds": (
        "Decide by the few columns that tell most, with thresholds that domain "
        "knowledge suggests; let them vote, and abstain where they disagree."
    ),
    "scores": (
        "Add up evidence from many columns: each adds to the score of a class with a "
        "weight that grows with how extreme its value is; the best class wins."
    ),
    "combinations": (
        "Decide by combinations: ratios, differences and conditions on two or three "
        "columns that only together point to a class."
    ),
    "contrast": (
        "Concentrate on the classes that are confused most easily, and write rules "
        "over those columns that tell them apart."
    ),
    "breadth": (
        "Decide every record: find the column that tells most, cut it where the "
        "classes should meet, and let further columns correct the answer near the cut."
    ),
    RESIDUE: (
        "Fill the gaps. Other programs already read the columns and use the values "
        "that are listed below. Decide by columns and conditions that they leave out."
    ),
    "precision": (
        "Be right rather than complete: answer only for extreme, unmistakable values "
        "and abstain everywhere else."
    ),
}


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


@dataclass(frozen=True, slots=True)
class Slot:
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
        How many earlier slots ask the same.

    knowledge : str or None, default=None
        Kind of prior knowledge that the prompt repeats.

    target : object, default=None
        The class that a structured program looks for.
    """

    name: str
    strategy: str
    advice: str
    sample: int
    knowledge: str | None = None
    target: Any = None

    @property
    def follows(self) -> bool:
        """Whether its prompt depends on what the slots before it were answered."""
        return self.strategy == RESIDUE


def plan(
    n_programs: int,
    *,
    is_text: bool,
    has_texts: bool = False,
    taken: Collection[str] = (),
    knowledge: Sequence[str] = (),
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
    """
    names: tuple[str, ...]
    if is_text:
        strategies, names = TEXT_STRATEGIES, TEXT_PLAN
    elif has_texts:
        strategies, names = MIXED_STRATEGIES, MIXED_PLAN
    else:
        strategies, names = TABLE_STRATEGIES, tuple(TABLE_STRATEGIES)
    kinds: list[str | None] = [*knowledge] or [None]

    def slot(place: int) -> Slot:
        rounds, step = divmod(place, len(names))
        name = names[step]
        return Slot(
            f"{name}_{place}",
            name,
            strategies.get(name, ""),
            rounds * names.count(name) + names[:step].count(name),
            kinds[place % len(kinds)],
        )

    free = (slot for slot in map(slot, count()) if slot.name not in taken)
    return list(islice(free, n_programs))


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
        )

    free = (slot for slot in map(slot, count()) if slot.name not in taken)
    return list(islice(free, n_programs))
