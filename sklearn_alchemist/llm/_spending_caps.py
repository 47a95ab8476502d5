"""Hold calls to caps: those of one call of an estimator, and that of a store."""

import math
import threading
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..exceptions import BudgetError, LLMError
from ._completion import Completion, Question, Tally, Usage
from ._database import Rows, Tables, again_if_lost, tables_at
from ._model import LLM, as_place

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
        """Set aside the worst case of one call, as soon as there is room.

        Raises BudgetError if it could exceed the budget, whatever is under way turns
        out to cost, and LLMError if the wait was given up; nothing is reserved then.
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
        """Replace a reservation by what a call did cost; None keeps the worst case."""
        with self._changed:
            self._under_way.remove(worst_case)
            if dollars is not None:
                self._dollars += dollars - worst_case
            self._changed.notify_all()
        if self.within is not None:
            self.within.settle(worst_case, dollars)

    def cancel(self, worst_case: float) -> None:
        """Take a reservation back, of a call that was not sent."""
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
        self.usage_by_model: dict[str, Usage] = {}

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

    def add(self, model: str, entries: Sequence[Entry], unanswered: Tally) -> None:
        """Write down what was asked.

        Parameters
        ----------
        model : str
            Who was asked.

        entries : sequence of Entry
            What was answered.

        unanswered : Tally
            Calls without an answer that may be charged.
        """
        self.entries += entries
        self.unanswered += unanswered
        spent = self.usage_by_model.get(model, Usage())
        self.usage_by_model[model] = spent + usage_of(entries, unanswered)

    @property
    def conversation(self) -> list[tuple[Question, Completion]]:
        """All that was said."""
        return [(entry.question, entry.completion) for entry in self.entries]

    @property
    def usage(self) -> Usage:
        """All that it cost."""
        return usage_of(self.entries, self.unanswered)


def usage_of(entries: Iterable[Entry], unanswered: Tally) -> Usage:
    """Add up what was answered and what was not."""
    entries = list(entries)
    return Usage(
        paid=Tally.of(entry.completion for entry in entries if entry.paid),
        cached=Tally.of(entry.completion for entry in entries if not entry.paid),
        unanswered=unanswered,
    )


# Charges that are settled are listed up to this number, and then only their sum.
_MOST_LISTED = 100
# SQLite takes no more than 999 values in one statement.
_AT_ONCE = 500
# Others wait for so long after a process that was killed.
LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class Reservation:
    """Dollars that are set aside for one call.

    Parameters
    ----------
    dollars : float
        What the call may cost at most.

    id : str
        Tells calls apart.
    """

    dollars: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class SpendingCap:
    """What is spent and set aside by all who share a file or a server.

    Parameters
    ----------
    path : Path or str
        The file, or an address such as ``postgresql://host/database``.
    """

    path: Path | str

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", as_place(self.path))

    @property
    def _tables(self) -> Tables:
        return tables_at(self.path)

    @again_if_lost
    def reserve(
        self, dollars: float, *, seconds: float = LEASE_SECONDS
    ) -> Reservation | None:
        """Set aside what one call may cost, if the cap of the store allows it.

        Parameters
        ----------
        dollars : float
            Most that the call may cost.

        seconds : float, default=60.0
            For how long the call counts as under way unless that is renewed.

        Returns
        -------
        reservation : Reservation or None
            To be given to `settle` when the outcome is known; until then, and for good
            if the process is killed, the whole amount counts as spent. None while what
            others have under way may turn out to leave room.

        Raises
        ------
        BudgetError
            If the call could exceed the cap, whatever is under way turns out to cost;
            nothing is set aside then.

        StoreError
            If it cannot be written.
        """
        reservation = Reservation(dollars)
        with self._tables.writing("cap") as rows:
            now, cap = rows.now(), _cap(rows)
            charges = _charges(rows)
            done = [(name, paid) for paid, name, settled in charges if settled]
            if len(done) >= _MOST_LISTED:
                _sum_up(rows, done)
            terms = [paid for paid, _, _ in charges]
            if cap is not None and math.fsum([*terms, dollars]) > cap:
                spent = math.fsum(terms)
                # A clock that was set back since leaves no call under way for hours.
                rows.execute(
                    "UPDATE under_way SET expires = ? WHERE expires > ?",
                    (now + seconds, now + seconds),
                )
                under_way = _under_way(rows, now)
                if not under_way or spent - sum(under_way) + dollars > cap:
                    raise BudgetError(
                        f"the next call may cost ${dollars:.4f}; of the cap of "
                        f"${cap:.4f} of the store {str(self.path)!r}, ${spent:.4f} are "
                        "spent or reserved. Raise it by CompletionStore(path)"
                        ".set_cap(...)."
                    )
                return None
            rows.execute(
                "INSERT INTO charges VALUES (?, ?, 0)", (reservation.id, dollars)
            )
            rows.execute(
                "INSERT INTO under_way VALUES (?, ?)", (reservation.id, now + seconds)
            )
        return reservation

    @again_if_lost
    def settle(self, reservation: Reservation, dollars: float | None) -> None:
        """Replace what was set aside by what a call did cost.

        Parameters
        ----------
        reservation : Reservation
            What `reserve` gave.

        dollars : float or None
            What the call cost; None keeps what was set aside.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        with self._tables.writing(reservation.id) as rows:
            settle(rows, reservation, dollars)

    @again_if_lost
    def set_cap(self, dollars: float | None) -> None:
        """Hold all that is asked by way of this store, by whomever, to an amount.

        Parameters
        ----------
        dollars : float or None
            Most that may be spent in all; None takes the cap away.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        if dollars is not None and not dollars >= 0:
            raise ValueError(f"the cap must be at least 0; got {dollars!r}.")
        with self._tables.writing("cap") as rows:
            rows.execute("DELETE FROM cap")
            if dollars is not None:
                rows.execute("INSERT INTO cap VALUES (1, ?)", (float(dollars),))

    @again_if_lost
    def cap(self) -> float | None:
        """Tell what may be spent in all.

        Returns
        -------
        dollars : float or None
            None without a cap.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
        if self._tables.is_empty():
            return None
        with self._tables.reading() as rows:
            return _cap(rows)

    @again_if_lost
    def spent(self) -> float:
        """Tell what is spent or set aside, of calls whose price is known.

        Returns
        -------
        dollars : float
            The sum over all processes since the store was made.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
        if self._tables.is_empty():
            return 0.0
        with self._tables.reading() as rows:
            return math.fsum(dollars for dollars, _, _ in _charges(rows))


def settle(rows: Rows, reservation: Reservation, dollars: float | None) -> None:
    """Replace what was set aside, within a transaction; None keeps it."""
    rows.execute(
        "UPDATE charges SET dollars = COALESCE(?, dollars), settled = 1 WHERE id = ?",
        (dollars, reservation.id),
    )
    rows.execute("DELETE FROM under_way WHERE id = ?", (reservation.id,))


def _cap(rows: Rows) -> float | None:
    if not rows.has_table("cap"):
        return None
    found = rows.execute("SELECT dollars FROM cap")
    return found[0][0] if found else None


def _charges(rows: Rows) -> list[tuple[float, str, int]]:
    """List dollars, call and whether it is settled of all that adds up to the whole."""
    if not rows.has_table("charges"):
        return []
    query = "SELECT dollars, id, settled FROM charges"
    if rows.has_table("settled"):  # in one statement, which sees one moment
        query += " UNION ALL SELECT dollars, '', 0 FROM settled"
        query += " UNION ALL SELECT remainder, '', 0 FROM settled"
    return [(dollars, call, settled) for dollars, call, settled in rows.execute(query)]


def _sum_up(rows: Rows, done: Sequence[tuple[str, float]]) -> None:
    """Keep of charges that are settled only what they come to, to the last bit."""
    held = rows.execute("SELECT dollars, remainder FROM settled")
    terms = [*(held[0] if held else ()), *(dollars for _, dollars in done)]
    total = math.fsum(terms)
    rows.execute("DELETE FROM settled")
    rows.execute(
        "INSERT INTO settled VALUES (1, ?, ?)", (total, math.fsum([*terms, -total]))
    )
    for start in range(0, len(done), _AT_ONCE):
        ids = [name for name, _ in done[start : start + _AT_ONCE]]
        marks = ", ".join("?" * len(ids))
        rows.execute(f"DELETE FROM charges WHERE id IN ({marks})", ids)


def forget_charges(rows: Rows, before: float) -> None:
    """Sum up what is settled, and calls that nobody has renewed since a moment."""
    late = rows.execute("SELECT id FROM under_way WHERE expires < ?", (before,))
    for (
        late_id
    ) in late:  # its outcome stays unknown: the worst case is charged for good
        rows.execute("UPDATE charges SET settled = 1 WHERE id = ?", late_id)
        rows.execute("DELETE FROM under_way WHERE id = ?", late_id)
    done = rows.execute("SELECT id, dollars FROM charges WHERE settled = 1")
    _sum_up(rows, [(name, dollars) for name, dollars in done])


def _under_way(rows: Rows, now: float) -> list[float]:
    """Dollars that calls of living processes have set aside."""
    query = "SELECT dollars FROM charges JOIN under_way USING (id) WHERE expires > ?"
    return [dollars for (dollars,) in rows.execute(query, (now,))]
