"""Count calls, tokens and dollars."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ._question import Completion, restore

TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs.

    Parameters
    ----------
    input, output : float
        Dollars per million tokens of the prompt and of the completion.

    cached : float or None, default=None
        Dollars per million tokens of the prompt that the provider had in its own
        cache; None is `input`.

    Examples
    --------
    >>> from sklearn_alchemist.llm import Prices
    >>> Prices(input=0.15, output=0.60).cost(prompt_tokens=2000, completion_tokens=500)
    0.0006
    """

    input: float
    output: float
    cached: float | None = None

    def cost(
        self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0
    ) -> float:
        """Price a call.

        Parameters
        ----------
        prompt_tokens, completion_tokens : int
            Number of tokens.

        cached_tokens : int, default=0
            How many of those of the prompt the provider had in its cache.

        Returns
        -------
        dollars : float
            Cost of the call.
        """
        spent = prompt_tokens * self.input + completion_tokens * self.output
        if self.cached is not None:
            spent += min(cached_tokens, prompt_tokens) * (self.cached - self.input)
        return spent / TOKENS_PER_PRICE

    @property
    def highest(self) -> "Prices":
        """The same, where a provider may charge more for what it caches than else."""
        if self.cached is None or self.cached <= self.input:
            return self
        return Prices(self.cached, self.output)


def _total(values: Iterable[float | None]) -> float | None:
    """Add up, where one unknown makes the sum unknown."""
    known = list(values)
    return None if None in known else sum(v for v in known if v is not None)


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls and what they took.

    Parameters
    ----------
    calls : int, default=0
        Number of answers.

    prompt_tokens, completion_tokens : int or None, default=0
        Number of tokens; None where they were not counted for every answer.

    dollars : float or None, default=0.0
        Cost; None where the price of an answer is unknown.
    """

    calls: int = 0
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    dollars: float | None = 0.0

    @classmethod
    def of(cls, completions: Iterable[Completion]) -> "Tally":
        """Add up completions.

        Parameters
        ----------
        completions : iterable of Completion
            What was answered.

        Returns
        -------
        tally : Tally
            Their sum.
        """
        answers = list(completions)
        prompt = _total(answer.prompt_tokens for answer in answers)
        completion = _total(answer.completion_tokens for answer in answers)
        return cls(
            len(answers),
            None if prompt is None else int(prompt),
            None if completion is None else int(completion),
            _total(answer.dollars for answer in answers),
        )

    def __add__(self, other: "Tally") -> "Tally":
        prompt = _total([self.prompt_tokens, other.prompt_tokens])
        completion = _total([self.completion_tokens, other.completion_tokens])
        return Tally(
            self.calls + other.calls,
            None if prompt is None else int(prompt),
            None if completion is None else int(completion),
            _total([self.dollars, other.dollars]),
        )

    @property
    def tokens(self) -> int | None:
        """Tokens of prompts and completions together, None where unknown."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens

    def __str__(self) -> str:
        tokens = "tokens unknown" if self.tokens is None else f"{self.tokens:,} tokens"
        dollars = "cost unknown" if self.dollars is None else f"${self.dollars:.4f}"
        calls = "1 call" if self.calls == 1 else f"{self.calls} calls"
        return f"{calls}, {tokens}, {dollars}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What answers cost, split by who paid for them.

    Parameters
    ----------
    paid : Tally
        Answers that were asked for, and paid, by this fit.

    cached : Tally
        Answers taken from the store, with what they cost when they were asked for.

    repaired : Tally
        Those of all these answers that mend an earlier one.

    wasted : Tally
        Those of all these answers that gave no program that is kept.

    unanswered : Tally
        Calls of this fit that were sent and gave no answer, and that may be charged
        all the same: at most these dollars. A call that a server refused, as it does
        for a limit of rate, costs nothing and is not counted.

    Examples
    --------
    >>> from sklearn_alchemist.llm import Tally, Usage
    >>> print(Usage(paid=Tally(2, 900, 300, 0.0012), cached=Tally()))
    paid: 2 calls, 1,200 tokens, $0.0012; from the store: 0 calls, 0 tokens, $0.0000
    """

    paid: Tally = field(default_factory=Tally)
    cached: Tally = field(default_factory=Tally)
    repaired: Tally = field(default_factory=Tally)
    wasted: Tally = field(default_factory=Tally)
    unanswered: Tally = field(default_factory=Tally)

    def __setstate__(self, state: list[Any]) -> None:
        restore(self, state)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.paid + other.paid,
            self.cached + other.cached,
            self.repaired + other.repaired,
            self.wasted + other.wasted,
            self.unanswered + other.unanswered,
        )

    @property
    def calls(self) -> int:
        """Number of answers, paid or from the store."""
        return self.paid.calls + self.cached.calls

    @property
    def tokens(self) -> int | None:
        """Number of tokens of all answers, None where unknown."""
        total = _total([self.paid.tokens, self.cached.tokens])
        return None if total is None else int(total)

    @property
    def dollars(self) -> float | None:
        """What this fit has cost, None where a price is unknown.

        Calls without an answer that may be charged count at their worst case.
        """
        return _total([self.paid.dollars, self.unanswered.dollars])

    def __str__(self) -> str:
        text = f"paid: {self.paid}; from the store: {self.cached}"
        if self.unanswered.calls:
            text += f"; without an answer: {self.unanswered}"
        return text
