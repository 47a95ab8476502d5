"""Hold what came of asking for programs: programs, what was said, what it cost."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..exceptions import BudgetError
from ..llm import Completion, Question, Tally, Usage
from ..programs import LabelingProgram
from ._trial import Rejection


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer.

    Parameters
    ----------
    question : Question
        What was asked.

    completion : Completion
        What was answered.

    name : str
        Name of the program, or the kind of prior knowledge.

    repair : bool, default=False
        Whether the question asks to mend a program.

    author : str, default=""
        Which model was asked.
    """

    question: Question
    completion: Completion
    name: str
    repair: bool = False
    author: str = ""


def add_usage(one: Mapping[str, Usage], other: Mapping[str, Usage]) -> dict[str, Usage]:
    """Add up what models cost.

    Parameters
    ----------
    one, other : mapping of str to Usage
        Name of a model -> its usage.

    Returns
    -------
    both : dict of str to Usage
        The sums.
    """
    names = {**one, **other}
    return {n: one.get(n, Usage()) + other.get(n, Usage()) for n in names}


@dataclass
class Synthesis:
    """Programs read from answers.

    Parameters
    ----------
    programs : list of LabelingProgram
        In the order of the plan.

    rejected : list of Rejection
        Answers that hold no program.

    exchanges : list of Exchange
        All that was said.

    usage : Usage
        What it cost.

    shortfall : BudgetError or None
        Why some of the plan was not asked.

    usage_by_author : dict of str to Usage
        What it cost, by the model that was asked.
    """

    programs: list[LabelingProgram] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    shortfall: BudgetError | None = None
    usage_by_author: dict[str, Usage] = field(default_factory=dict)

    def followed_by(self, other: "Synthesis") -> "Synthesis":
        """Put what came of two requests, held to one ledger, together.

        Parameters
        ----------
        other : Synthesis
            The later one, whose usage is that of both.

        Returns
        -------
        both : Synthesis
            All that was written and said.
        """
        return Synthesis(
            self.programs + other.programs,
            self.rejected + other.rejected,
            self.exchanges + other.exchanges,
            other.usage,
            other.shortfall or self.shortfall,
            add_usage(self.usage_by_author, other.usage_by_author),
        )

    def split_usage(self, kept: Collection[str]) -> Usage:
        """Split what it cost by what came of it.

        Parameters
        ----------
        kept : collection of str
            Names of the programs that are used.

        Returns
        -------
        usage : Usage
            The same, with what went into repairs and what was wasted.
        """
        return self._split(self.usage, self.exchanges, kept)

    def split_by_author(self, kept: Collection[str]) -> dict[str, Usage]:
        """Split what each model cost by what came of it.

        Parameters
        ----------
        kept : collection of str
            Names of the programs that are used.

        Returns
        -------
        usage : dict of str to Usage
            Name of a model -> its usage.
        """
        return {
            name: self._split(
                usage, [e for e in self.exchanges if e.author == name], kept
            )
            for name, usage in self.usage_by_author.items()
        }

    def _split(
        self, usage: Usage, exchanges: Sequence[Exchange], kept: Collection[str]
    ) -> Usage:
        last = {e.name: i for i, e in enumerate(exchanges)}
        written = {r.name for r in self.rejected} | {p.name for p in self.programs}
        return replace(
            usage,
            repaired=Tally.of(e.completion for e in exchanges if e.repair),
            wasted=Tally.of(
                e.completion
                for i, e in enumerate(exchanges)
                if e.name in written and (e.name not in kept or last[e.name] != i)
            ),
        )
