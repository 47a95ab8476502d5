"""Ask in threads, so that each answer is paid once and no cap is exceeded."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Any

from ..exceptions import LLMError, StoreError
from . import _provider
from ._completion import Completion, Tally, digest
from ._events import Event, Kind, is_heard, tell
from ._failures import LIMITS, CallRefused
from ._model import LLM
from ._pacing import START, CallFailed, Flow, with_backoff
from ._prices import Prices, prices_of
from ._spending_caps import Budget, Reservation
from ._store import CompletionStore, Heartbeat, Lease, is_newer
from ._unstored_answers import forget_unwritten, keep_unwritten, release_or_note

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Desk:
    """What the threads of one `ask` share.

    Parameters
    ----------
    llm : LLM
        Who is asked.

    store : CompletionStore or None
        Where answers are kept.

    budget : Budget
        What may be spent.

    prices : Prices or None
        What a call costs.

    heartbeat : Heartbeat or None
        Keeps leases of the store alive.

    flow : Flow
        How many calls are under way at once.

    given_up : Event
        Set once no further call is to be started.

    received : dict of int to (Completion, bool)
        Answers by position, and whether they were paid here.

    unanswered : list of (float or None)
        Dollars of calls without an answer that may be charged.

    refused : set of str
        What the server takes not, found out call by call.

    excused : set of int
        Positions of requests whose errors concern only them.

    notices : list of str
        What is to be said in the thread of the caller, where a warning finds its line.

    set_aside : list of str
        What is to be said of answers that this machine keeps for the store, unless an
        error says so.

    turn : Lock
        Held by the thread that waits for room under the cap of the store.
    """

    llm: LLM
    store: CompletionStore | None
    budget: Budget
    prices: Prices | None
    heartbeat: Heartbeat | None
    flow: Flow
    given_up: threading.Event = field(default_factory=threading.Event)
    received: dict[int, tuple[Completion, bool]] = field(default_factory=dict)
    unanswered: list[float | None] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    excused: set[int] = field(default_factory=set)
    notices: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_capped(self) -> bool:
        """Whether dollars are limited, by the fit or by the store."""
        capped = self.budget.limits_dollars
        return capped or (self.store is not None and self.store.cap() is not None)

    @property
    def lost(self) -> Tally:
        """Calls without an answer that may be charged."""
        known = None not in self.unanswered
        dollars = sum(d for d in self.unanswered if d is not None) if known else None
        # Of what was never answered, nobody counts tokens.
        tokens = None if self.unanswered else 0
        return Tally(len(self.unanswered), tokens, tokens, dollars)

    def answer(self, place: int, request: dict[str, Any]) -> None:
        """Receive one answer, by paying only where nobody else has or does."""
        key = digest(request)
        try:
            self.received[place] = self._answer(request, key)
        except LLMError as error:
            cause = error.__cause__ or error
            self.tell("failed", key, reason=_kind_of(error) or type(cause).__name__)
            raise

    def tell(self, kind: Kind, key: str = "", **said: Any) -> None:
        """Tell the log and the hooks what happens."""
        if is_heard(kind):
            tell(Event(kind=kind, model=self.llm.model, question=key[:12], **said))

    def _answer(self, request: dict[str, Any], key: str) -> tuple[Completion, bool]:
        if self.store is None or self.heartbeat is None:
            return self._pay(request, key, None), True
        is_awaited = False
        while True:
            outcome = self.store.claim(
                key, seconds=self.heartbeat.seconds, newer_than=self.llm.newer_than
            )
            if isinstance(outcome, Completion):
                self.tell("found", key, n=1)
                return outcome, False
            if isinstance(outcome, Lease):
                self.heartbeat.hold(outcome)
                self.tell("claimed", key)
                try:
                    return self._pay(request, key, outcome), True
                except BaseException:
                    self.heartbeat.let_go(outcome)
                    release_or_note(self.store, outcome)
                    raise
                finally:
                    self.heartbeat.let_go(outcome)
            if self.given_up.is_set():
                raise LLMError("another question failed")
            if not is_awaited:
                self.tell("awaited", key)
                is_awaited = True
            time.sleep(_POLL_SECONDS)

    def _pay(
        self, request: dict[str, Any], key: str, lease: Lease | None
    ) -> Completion:
        """Ask until there is an answer, and keep it."""
        reservation: Reservation | None = None
        sent = excused_until = 0.0

        def attempt() -> Completion:
            nonlocal reservation, sent
            came = time.monotonic()
            sent = self.flow.enter(self.given_up, excused_until)
            try:
                completion, reservation = self._attempt(request, key)
                self._tell_limit(self.flow.answered(sent))
            except CallFailed as failure:
                failure.held = sent - came
                raise
            finally:
                self.flow.leave()
            return completion

        def on_pause(failure: CallFailed, n: int, seconds: float) -> None:
            nonlocal excused_until
            kind: Kind = "throttled" if failure.throttled else "retried"
            self.tell(kind, key, reason=failure.kind, n=n, seconds=seconds)
            if failure.throttled:
                self._tell_limit(self.flow.throttled(sent, seconds))
            excused_until = time.monotonic() + seconds

        completion = with_backoff(
            attempt, self.given_up, lambda: len(self.received), on_pause
        )
        seconds = time.monotonic() - sent
        since = self.llm.newer_than
        if not is_newer(completion, since) and since is not None:
            # A clock that was set back would have all answers refreshed again.
            completion = replace(completion, created=since.isoformat())
        if self.store is not None and lease is not None:
            try:
                self.store.save(lease, request, completion, reservation)
            except StoreError as error:
                # The answer is paid: use it, even if it cannot be kept.
                path = keep_unwritten(self.store, lease.key, request, completion)
                self.tell("unwritten", key)
                if path is None:
                    self.notices.append(
                        "An answer is used, and kept only as long as this process "
                        f"lives: {error}"
                    )
                else:
                    self.set_aside.append(
                        f"Answers are used, and kept in {str(path)!r} until the store "
                        f"is there again: {error}"
                    )
            else:
                forget_unwritten(self.store, lease.key)
            self._let_go(reservation)
        tokens = Tally.of([completion]).tokens
        paid = completion.dollars
        self.tell("answered", key, seconds=seconds, dollars=paid, tokens=tokens)
        return completion

    def _tell_limit(self, limit: int | None) -> None:
        if limit is not None:
            self.tell("adjusted", n=limit)

    def _attempt(
        self, request: dict[str, Any], key: str
    ) -> tuple[Completion, Reservation | None]:
        """Ask once, as soon as there is room; leave out what the server does not take.

        What is reserved in the store is settled when the answer is kept.
        """
        worst_case = self._worst_case(request)
        while True:
            if self.given_up.is_set():
                raise CallFailed(
                    "another question failed", retryable=False, kind="given up"
                )
            reservation = self._reserve(worst_case)
            self.tell("reserved", key, dollars=worst_case)
            try:
                refused = frozenset(self.refused)
                completion = _provider.call(self.llm, request, refused)
            except CallRefused as refusal:
                self._settle(worst_case, reservation, charged=False)
                self.tell("refused", key, reason=refusal.what)
                self._leave_out(refusal.what)
            except CallFailed as failure:
                self._settle(worst_case, reservation, charged=not failure.sure)
                if not failure.sure:
                    self.tell("charged", key, reason=failure.kind, dollars=worst_case)
                raise
            except BaseException:
                self._settle(worst_case, reservation, charged=True)
                raise
            else:
                self.budget.settle(worst_case or 0.0, completion.dollars)
                return completion, reservation

    def _reserve(self, worst_case: float | None) -> Reservation | None:
        """Set aside what a call may cost, where the fit and the store have room."""
        self.budget.reserve(worst_case or 0.0, self.given_up)
        if self.store is None or self.heartbeat is None or self.prices is None:
            return None
        try:
            with self.turn:
                while True:
                    reservation = self.store.reserve(
                        worst_case or 0.0, seconds=self.heartbeat.seconds
                    )
                    if reservation is not None:
                        break
                    if self.given_up.is_set():
                        raise LLMError("another question failed")
                    time.sleep(_POLL_SECONDS)
        except BaseException:
            self.budget.cancel(worst_case or 0.0)
            raise
        self.heartbeat.hold(reservation)
        return reservation

    def _settle(
        self,
        worst_case: float | None,
        reservation: Reservation | None,
        *,
        charged: bool,
    ) -> None:
        """Settle what a call without an answer cost: nothing, or its worst case."""
        self.budget.settle(worst_case or 0.0, None if charged else 0.0)
        if charged:
            self.unanswered.append(worst_case)
        if reservation is not None and self.store is not None:
            with contextlib.suppress(StoreError):  # then the worst case stays charged
                self.store.settle(reservation, None if charged else 0.0)
        self._let_go(reservation)

    def _let_go(self, reservation: Reservation | None) -> None:
        if reservation is not None and self.heartbeat is not None:
            self.heartbeat.let_go(reservation)

    def _leave_out(self, what: str) -> None:
        """Take note of what the server does not take."""
        self.refused.add(what)
        if self.is_capped and self.refused.issuperset(LIMITS):
            raise CallFailed(
                f"{self.llm.model!r} takes no limit on tokens, so that a call has no "
                "worst case: it cannot be held to a cap in dollars.",
                retryable=False,
            )
        if what == "system":
            notice = "takes no system message: the user's message repeats it."
        else:
            notice = without_parameter(what)
        self.notices.append(f"{self.llm.model!r} {notice}")

    def _worst_case(self, request: dict[str, Any]) -> float | None:
        """Dollars that a call may cost: no token is shorter than a byte."""
        if self.prices is None:
            return None
        if self.prices == Prices(0, 0):
            return 0.0
        limit = self.llm.max_tokens
        if limit is None:
            return None
        sent = [text for message in request["messages"] for text in message.values()]
        # Schemas are shown to the model as well.
        sent.append(json.dumps(request["params"]))
        n_bytes = sum(len(text.encode("utf-8", "replace")) + 16 for text in sent)
        prices = self.llm.known_prices
        if prices is None:  # long prompts may have a price of their own
            prices = prices_of(self.llm.model, n_bytes) or self.prices
        return prices.highest.cost(n_bytes, limit)


def _kind_of(error: LLMError) -> str:
    """Name what ended a question, without any word of the server."""
    failure = error.__context__
    return failure.kind if isinstance(failure, CallFailed) else ""


def without_parameter(parameter: str) -> str:
    """Word the end of the notice that a parameter is left out."""
    return (
        f"takes no {parameter!r}: it is asked without. "
        f"LLM(..., params={{{parameter!r}: None}}) says so at once."
    )


@contextlib.contextmanager
def open_desk(
    llm: LLM, store: CompletionStore | None, budget: Budget, prices: Prices | None
) -> Iterator[Desk]:
    """Prepare what threads share, and keep their leases alive meanwhile."""
    with contextlib.ExitStack() as stack:
        if llm.function is None:
            stack.enter_context(_provider.SURROUNDINGS)
        heartbeat = None if store is None else stack.enter_context(Heartbeat(store))
        # A function is no server that could say that it is asked too often.
        start = START if llm.function is None else llm.n_concurrent
        flow = Flow(llm.n_concurrent, llm.timeout, start)
        desk = Desk(llm, store, budget, prices, heartbeat, flow)
        desk.notices.extend(
            f"{llm.model!r} {without_parameter(name)}"
            for name in _provider.dropped_params(llm)
        )
        yield desk


def ask_concurrently(
    desk: Desk,
    requests: list[dict[str, Any]],
    missing: list[int],
    excused: Callable[[LLMError], bool],
) -> Generator[int, None, None]:
    """Ask in threads; after a failure, start no further call.

    Yields positions of requests whose answers have arrived at the desk. An error that
    is `excused` concerns its question only.
    """
    with ThreadPoolExecutor(desk.llm.n_concurrent, "sklearn_alchemist") as executor:
        positions: dict[Future[None], int] = {
            executor.submit(desk.answer, i, requests[i]): i for i in missing
        }
        try:
            for future in as_completed(positions):
                error = future.exception()
                if isinstance(error, LLMError) and excused(error):
                    desk.excused.add(positions[future])
                    continue
                future.result()
                yield positions[future]
        finally:
            desk.given_up.set()
            executor.shutdown(wait=True, cancel_futures=True)
