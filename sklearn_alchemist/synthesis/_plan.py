"""Plan what each call asks for, so that the programs err in different ways."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

TEXT_STRATEGIES = {
    "keywords": (
        "Decide by vocabulary: for every class a list of 30 to 60 words and short "
        "phrases that are typical of it and rare in the others. Count the matches at "
        "word boundaries and answer with the class that has clearly the most."
    ),
    "scores": (
        "Add up weighted evidence: give strong cues a weight of 3, ordinary ones 2 and "
        "faint ones 1, subtract for cues that speak against a class, and answer only "
        "where the best score leads the second best by a margin."
    ),
    "patterns": (
        "Decide by regular expressions: formats, numbers with their units, fixed "
        "expressions, word families (stems with their endings), punctuation, links and "
        "other structure that vocabulary alone does not show."
    ),
    "precision": (
        "Be right rather than complete: answer only on cues that hardly ever occur in "
        "another class, and abstain everywhere else. Cover every class with many such "
        "cues."
    ),
    "opening": (
        "Use the position: the title or the first sentences tell most. Look for the "
        "cues of each class there first, and let the rest of the text decide only if "
        "the beginning says nothing."
    ),
    "contrast": (
        "Think about which pairs of classes are confused most easily. For each such "
        "pair, write the cues that tell the two apart; use them to settle what a rough "
        "first guess leaves open."
    ),
    "names": (
        "Decide by who and what is mentioned: kinds of people and their roles, "
        "organisations, institutions, places, products, events and titles that come "
        "with one class, together with the verbs that go with them."
    ),
    "context": (
        "Read cues in their context: negation, comparison, quotation, questions, and "
        "words whose meaning depends on their neighbours. A cue counts only where its "
        "context does not turn it round."
    ),
    "breadth": (
        "Be complete: cover the rarer subjects and unusual wordings of each class as "
        "well, with many everyday words per class, and compare the shares of a text's "
        "words that belong to each class. Abstain only where nothing speaks."
    ),
    "ladder": (
        "Go down a ladder of rules, surest first: unmistakable cues, then combinations "
        "of two or three cues that only together point to a class, then the number of "
        "different cues per class. The first rule that applies decides."
    ),
}

TABLE_STRATEGIES = {
    "thresholds": (
        "Decide by the few columns that tell most, with thresholds that domain "
        "knowledge suggests, and abstain between them."
    ),
    "scores": (
        "Add up evidence from many columns: each votes for a class with a weight, and "
        "the answer needs a margin."
    ),
    "combinations": (
        "Decide by combinations: ratios, differences and conditions on two or three "
        "columns that only together point to a class."
    ),
    "precision": (
        "Be right rather than complete: answer only for extreme, unmistakable values "
        "and abstain everywhere else."
    ),
    "contrast": (
        "Think about which classes are confused most easily, and write rules over "
        "those columns that tell them apart."
    ),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One call of the plan.

    Parameters
    ----------
    name : str
        Name of the program to be written.

    strategy : str
        What the prompt asks the program to rely on.

    sample : int
        How many earlier slots ask the same.

    knowledge : str or None, default=None
        Kind of prior knowledge that the prompt repeats.

    target : object, default=None
        The class that a structured program looks for.
    """

    name: str
    strategy: str
    sample: int
    knowledge: str | None = None
    target: Any = None


def plan(
    n_programs: int,
    *,
    is_text: bool,
    taken: Collection[str] = (),
    knowledge: Sequence[str] = (),
) -> list[Slot]:
    """Spread programs over strategies.

    Parameters
    ----------
    n_programs : int
        Number of programs to plan for.

    is_text : bool
        Whether the programs read one column of texts rather than a table.

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
    ['keywords_0', 'scores_1', 'patterns_2']
    >>> [slot.name for slot in plan(2, is_text=True, taken={"scores_1"})]
    ['keywords_0', 'patterns_2']
    """
    strategies = TEXT_STRATEGIES if is_text else TABLE_STRATEGIES
    kinds: list[str | None] = [*knowledge] or [None]
    slots = (
        Slot(f"{name}_{i}", strategy, i // len(strategies), kinds[i % len(kinds)])
        for i, (name, strategy) in enumerate(cycle(strategies.items()))
    )
    free = (slot for slot in slots if slot.name not in taken)
    return list(islice(free, n_programs))


def plan_rules(
    n_programs: int,
    classes: Sequence[Any],
    focuses: Mapping[str, str],
    *,
    taken: Collection[str] = (),
    knowledge: Sequence[str] = (),
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

    Returns
    -------
    slots : list of Slot
        One a program; all classes with the first focus, then with the next.
    """
    kinds: list[str | None] = [*knowledge] or [None]
    pairs = [(f, k) for f in focuses for k in range(len(classes))]
    slots = (
        Slot(
            f"{focus}_{k}_{i}",
            focuses[focus],
            i // len(pairs),
            kinds[i % len(kinds)],
            classes[k],
        )
        for i, (focus, k) in enumerate(cycle(pairs))
    )
    free = (slot for slot in slots if slot.name not in taken)
    return list(islice(free, n_programs))
