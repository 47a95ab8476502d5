"""Keep one budget and one ledger of all that one call of an estimator asks."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from ..exceptions import BudgetError, LLMError
from ._ledger import Tally, Usage
from ._model import LLM
from ._question import Completion, Question

# How often who waits looks whether somebody still needs the answer.
_LOOK_SECONDS = 0.1


class Budget:
    """Hold calls to a number and to a cost.

    The worst case of a call is reserved before it is sent and settled when its answer
    is there; a call whose outcome is unknown stays charged at its worst case. Who finds
    no room waits for what is under way. Safe for concurrent threads.

    Parameters
    ----------
    max_calls : int or None
        Largest number of calls, repeated attempts included.

    max_cost : float or None
        Most dollars.

    within : Budget or None, default=None
        A wider budget that holds the same calls.
    """

    def __init__(
        self,
        max_calls: int | None,
        max_cost: float | None,
        within: "Budget | None" = None,
    ) -> None:
        self.max_calls = max_calls
        self.max_cost = max_cost
        self.within = within
        self._calls = 0
        self._dollars = 0.0
        self._under_way: list[float] = []
        self._changed = threading.Condition()

    def reserve(self, worst_case: float, given_up: threading.Event) -> None:
        """Set aside the cost of one call, as soon as there is room.

        Parameters
        ----------
        worst_case : float
            Dollars that the call may cost; not looked at without a cap in dollars.

        given_up : Event
            Ends the wait for room.

        Raises
        ------
        BudgetError
            If the call could exceed the budget, whatever is under way turns out to
            cost; nothing is reserved then.

        LLMError
            If the wait was given up.
        """
        with self._changed:
            while not self._has_room(worst_case):
                if given_up.is_set():
                    raise LLMError("another question failed")
                self._changed.wait(_LOOK_SECONDS)
            self._calls += 1
            self._dollars += worst_case
            self._under_way.append(worst_case)
        if self.within is not None:
            try:
                self.within.reserve(worst_case, given_up)
            except BaseException:
                self._cancel(worst_case)
                raise

    def settle(self, worst_case: float, dollars: float | None) -> None:
        """Replace a reservation by what the call did cost.

        Parameters
        ----------
        worst_case : float
            What was reserved.

        dollars : float or None
            What was charged; None keeps the worst case.
        """
        with self._changed:
            self._under_way.remove(worst_case)
            if dollars is not None:
                self._dollars += dollars - worst_case
            self._changed.notify_all()
        if self.within is not None:
            self.within.settle(worst_case, dollars)

    def cancel(self, worst_case: float) -> None:
        """Take a reservation back, of a call that was not sent.

        Parameters
        ----------
        worst_case : float
            What was reserved.
        """
        self._cancel(worst_case)
        if self.within is not None:
            self.within.cancel(worst_case)

    @property
    def calls_left(self) -> int | None:
        """Number of calls that may still be sent, None where nothing limits them."""
        left = None if self.max_calls is None else self.max_calls - self._calls
        wider = None if self.within is None else self.within.calls_left
        return min((n for n in (left, wider) if n is not None), default=None)

    @property
    def limits_dollars(self) -> bool:
        """Whether dollars are capped, here or by a wider budget."""
        if self.max_cost is not None:
            return True
        return self.within is not None and self.within.limits_dollars

    @property
    def limit_on_calls(self) -> str:
        """Name what limits the calls that are left, for messages."""
        own = None if self.max_calls is None else self.max_calls - self._calls
        if self.within is not None and (own is None or own != self.calls_left):
            return self.within.limit_on_calls
        return f"max_calls={self.max_calls}"

    def _has_room(self, worst_case: float) -> bool:
        """Whether a call may be sent now; raise where waiting does not help."""
        if self.max_calls is not None and self._calls + 1 > self.max_calls:
            raise BudgetError(
                f"max_calls={self.max_calls} calls are used up. Answers so far are "
                "kept in the store; raise max_calls to go on from there."
            )
        if self.max_cost is None or self._dollars + worst_case <= self.max_cost:
            return True
        spent = self._dollars - sum(self._under_way)
        if not self._under_way or spent + worst_case > self.max_cost:
            raise BudgetError(
                f"the next call may cost ${worst_case:.4f}; of max_cost="
                f"${self.max_cost:.4f}, ${self._dollars:.4f} are spent or reserved."
                " Answers so far are kept in the store; raise max_cost, or lower "
                "params['max_tokens'], to go on from there."
            )
        return False

    def _cancel(self, worst_case: float) -> None:
        with self._changed:
            self._under_way.remove(worst_case)
            self._calls -= 1
            self._dollars -= worst_case
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Entry:
    """A question and its answer.

    Parameters
    ----------
    question : Question
        What was asked.

    completion : Completion
        What was answered.

    paid : bool
        Whether it was paid here, rather than found in the store.
    """

    question: Question
    completion: Completion
    paid: bool


class Ledger:
    """What one call of an estimator may spend, asks and spends, whoever asks within it.

    Parameters
    ----------
    llm : LLM
        The model of the estimator: its caps hold for all that is asked. Another model
        that is asked within them is held to its own caps as well.
    """

    def __init__(self, llm: LLM) -> None:
        self._whole = Budget(llm.max_calls, llm.max_cost)
        self._parts: dict[tuple[str, int | None, float | None], Budget] = {}
        self._caps = (llm.max_calls, llm.max_cost)
        self.entries: list[Entry] = []
        self.unanswered = Tally()

    def budget_of(self, llm: LLM) -> Budget:
        """Find what holds the calls of a model.

        Parameters
        ----------
        llm : LLM
            Who is asked.

        Returns
        -------
        budget : Budget
            That of the whole, or a part of it with caps of its own.
        """
        caps = (llm.max_calls, llm.max_cost)
        if caps in {self._caps, (None, None)}:
            return self._whole
        return self._parts.setdefault((llm.model, *caps), Budget(*caps, self._whole))

    def add(self, entries: Iterable[Entry], unanswered: Tally) -> None:
        """Write down what was asked.

        Parameters
        ----------
        entries : iterable of Entry
            What was answered.

        unanswered : Tally
            Calls without an answer that may be charged.
        """
        self.entries += entries
        self.unanswered += unanswered

    @property
    def conversation(self) -> list[tuple[Question, Completion]]:
        """All that was said."""
        return [(entry.question, entry.completion) for entry in self.entries]

    @property
    def usage(self) -> Usage:
        """All that it cost."""
        return usage_of(self.entries, self.unanswered)


def usage_of(entries: Iterable[Entry], unanswered: Tally) -> Usage:
    """Add up what was answered and what was not.

    Parameters
    ----------
    entries : iterable of Entry
        Questions and answers.

    unanswered : Tally
        Calls without an answer that may be charged.

    Returns
    -------
    usage : Usage
        What it cost.
    """
    entries = list(entries)
    return Usage(
        paid=Tally.of(entry.completion for entry in entries if entry.paid),
        cached=Tally.of(entry.completion for entry in entries if not entry.paid),
        unanswered=unanswered,
    )
