"""Count calls, tokens and dollars, and hold a fit to its budget."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..exceptions import BudgetError
from ._question import Completion

TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs.

    Parameters
    ----------
    input, output : float
        Dollars per million tokens of the prompt and of the completion.

    Examples
    --------
    >>> from sklearn_alchemist.llm import Prices
    >>> Prices(input=0.15, output=0.60).cost(prompt_tokens=2000, completion_tokens=500)
    0.0006
    """

    input: float
    output: float

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Price a call.

        Parameters
        ----------
        prompt_tokens, completion_tokens : int
            Number of tokens.

        Returns
        -------
        dollars : float
            Cost of the call.
        """
        spent = prompt_tokens * self.input + completion_tokens * self.output
        return spent / TOKENS_PER_PRICE


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

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.paid + other.paid,
            self.cached + other.cached,
            self.repaired + other.repaired,
            self.wasted + other.wasted,
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
        """What this fit has paid, None where a price is unknown."""
        return self.paid.dollars

    def __str__(self) -> str:
        return f"paid: {self.paid}; from the store: {self.cached}"


class Budget:
    """Hold the calls of one fit to a number and to a cost.

    The worst case of a call is reserved before it is sent and settled when its answer
    is there; a call whose outcome is unknown stays charged at its worst case. Safe for
    concurrent threads.

    Parameters
    ----------
    max_calls : int or None
        Largest number of calls, repeated attempts included.

    max_cost : float or None
        Most dollars.
    """

    def __init__(self, max_calls: int | None, max_cost: float | None) -> None:
        self.max_calls = max_calls
        self.max_cost = max_cost
        self._calls = 0
        self._dollars = 0.0
        self._lock = threading.Lock()

    def reserve(self, worst_case: float) -> None:
        """Set aside the cost of one call.

        Parameters
        ----------
        worst_case : float
            Dollars that the call may cost; not looked at without `max_cost`.

        Raises
        ------
        BudgetError
            If the call could exceed the budget; nothing is reserved then.
        """
        with self._lock:
            if self.max_calls is not None and self._calls + 1 > self.max_calls:
                raise BudgetError(
                    f"max_calls={self.max_calls} calls are used up. Answers so far are "
                    "kept in the store; raise max_calls to go on from there."
                )
            if self.max_cost is not None and self._dollars + worst_case > self.max_cost:
                raise BudgetError(
                    f"the next call may cost ${worst_case:.4f}; of max_cost="
                    f"${self.max_cost:.4f}, ${self._dollars:.4f} are spent or reserved."
                    " Answers so far are kept in the store; raise max_cost, or lower "
                    "params['max_tokens'], to go on from there."
                )
            self._calls += 1
            self._dollars += worst_case

    def settle(self, worst_case: float, dollars: float | None) -> None:
        """Replace a reservation by what the call did cost.

        Parameters
        ----------
        worst_case : float
            What was reserved.

        dollars : float or None
            What was charged; None keeps the worst case.
        """
        if dollars is not None:
            with self._lock:
                self._dollars += dollars - worst_case

    def cancel(self, worst_case: float) -> None:
        """Take a reservation back, of a call that the server refused to make.

        Parameters
        ----------
        worst_case : float
            What was reserved.
        """
        with self._lock:
            self._calls -= 1
            self._dollars -= worst_case

    @property
    def dollars(self) -> float:
        """What is spent or reserved."""
        return self._dollars

    @property
    def calls_left(self) -> int | None:
        """Number of calls that may still be sent, None where nothing limits them."""
        return None if self.max_calls is None else self.max_calls - self._calls
