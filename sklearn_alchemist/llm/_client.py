"""Ask questions: from the store what it holds, the rest of the model, once."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .._warn import warn
from ..exceptions import BudgetError, LLMError, OfflineError, StoreError
from . import _provider
from ._heartbeat import Heartbeat
from ._ledger import Budget, Prices, Tally, Usage
from ._model import LLM
from ._question import Completion, Question, digest
from ._recordings import Recordings, recording_key
from ._retry import CallFailed, with_backoff
from ._store import (
    Charge,
    Claim,
    CompletionStore,
    default_store_path,
    is_newer,
)

_POLL_SECONDS = 0.1
# Answers that are paid and could not be written, by store and key: asked for again in
# this process, they are not paid again.
_unwritten: dict[tuple[Path, str], tuple[dict[str, Any], Completion]] = {}


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to some questions.

    Parameters
    ----------
    completions : list of (Completion or None)
        In the order of the questions; None only where the budget ended before.

    usage : Usage
        What they cost.

    shortfall : BudgetError or None, default=None
        Why questions were left out.
    """

    completions: list[Any]
    usage: Usage
    shortfall: BudgetError | None = None


def ask(
    llm: LLM,
    questions: Sequence[Question],
    *,
    on_answer: Callable[[int], None] | None = None,
    budget: Budget | None = None,
    partial: bool = False,
) -> Answers:
    """Ask a language model, paying for no answer that the store already holds.

    Two threads or processes that ask the same at the same time pay once: one asks, the
    other waits for its answer.

    Parameters
    ----------
    llm : LLM
        The model.

    questions : sequence of Question
        What to ask, `llm.n_concurrent` at a time.

    on_answer : callable, default=None
        Called with the position of a question when its answer is there; in the
        caller's thread, in the order in which answers arrive.

    budget : Budget or None, default=None
        What several calls of this function share. None is `llm.max_calls` and
        `llm.max_cost` for this call alone.

    partial : bool, default=False
        Whether to return what the budget allowed, where it ends before the last
        question, instead of raising.

    Returns
    -------
    answers : Answers
        One completion a question, in the order of the questions however they arrived.

    Raises
    ------
    OfflineError
        If a question has no stored answer and the model is offline.

    BudgetError
        If the calls could cost more than `llm.max_calls` or `llm.max_cost` allow.

    LLMError
        If the model cannot be asked. Answers that were received stay in the store.
    """
    requests = [_request(llm, question) for question in questions]
    store, found = _look_up(llm, requests)
    missing = [i for i in range(len(questions)) if i not in found]
    for i in found:
        _notify(on_answer, i)
    paid: dict[int, Completion] = {}
    shortfall = None
    if missing:
        _provider.check_access(llm)
        budget = budget or Budget(llm.max_calls, llm.max_cost)
        prices = _prices_for_cap(llm, store)
        left = budget.calls_left
        if left is not None and len(missing) > left and not partial:
            raise BudgetError(
                f"{len(missing)} questions have no stored answer, but "
                f"max_calls={llm.max_calls}: raise max_calls or ask for less."
            )
        with _open_desk(llm, store, budget, prices) as desk:
            desk.notices.extend(
                f"{llm.model!r} {_without(name)}"
                for name in _provider.dropped_params(llm)
            )
            try:
                for i, completion, was_paid in _ask_concurrently(
                    desk, requests, missing
                ):
                    (paid if was_paid else found)[i] = completion
                    _notify(on_answer, i)
            except LLMError as error:
                # What was under way when the first failed has been received as well.
                for i, (completion, was_paid) in desk.received.items():
                    (paid if was_paid else found)[i] = completion
                if not (partial and isinstance(error, BudgetError)):
                    raise _with_what_was_kept(
                        error, len(paid) + len(found), len(questions), store
                    ) from error.__cause__
                shortfall = error
            finally:
                for notice in dict.fromkeys(desk.notices):
                    warn(notice)
    everything = {**found, **paid}
    return Answers(
        [everything.get(i) for i in range(len(questions))],
        Usage(paid=Tally.of(paid.values()), cached=Tally.of(found.values())),
        shortfall,
    )


def _with_what_was_kept(
    error: LLMError, n_received: int, n_asked: int, store: CompletionStore | None
) -> LLMError:
    """Add to an error what is not lost."""
    if not n_received or store is None:
        return error
    return type(error)(
        f"{error} {n_received} of {n_asked} answers were received and are kept: asked "
        "again, they cost nothing."
    )


def _request(llm: LLM, question: Question) -> dict[str, Any]:
    """All that decides the answer to a question."""
    return {
        "model": llm.model,
        "api_base": llm.address,
        "messages": [dict(message) for message in question.messages],
        "params": llm.request_params,
        "sample": question.sample,
    }


def find_stored(llm: LLM, questions: Sequence[Question]) -> list[Completion | None]:
    """Look up what asking would cost nothing, since its answer is there.

    Parameters
    ----------
    llm : LLM
        The model.

    questions : sequence of Question
        What is going to be asked.

    Returns
    -------
    completions : list of (Completion or None)
        One a question, None where it has no stored answer.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    return _find(llm, [_request(llm, question) for question in questions])[1]


def _find(
    llm: LLM, requests: list[dict[str, Any]]
) -> tuple[CompletionStore | None, list[Completion | None]]:
    """Open the store of a model and find what it already holds."""
    if llm.store is False:
        return None, [None] * len(requests)
    path = _store_path(llm)
    if path.suffix == ".jsonl":
        recorded = Recordings(path).load()
        return None, [recorded.get(recording_key(request)) for request in requests]
    store = CompletionStore(path)
    answers = [_kept(store, digest(request), llm.newer_than) for request in requests]
    return store, answers


def _store_path(llm: LLM) -> Path:
    if isinstance(llm.store, str | os.PathLike):
        return Path(llm.store).expanduser()
    return default_store_path()


def _look_up(
    llm: LLM, requests: list[dict[str, Any]]
) -> tuple[CompletionStore | None, dict[int, Completion]]:
    """Find what is stored; raise where the rest may not be asked."""
    if llm.store is False and llm.offline:
        raise OfflineError("offline=True needs a store; got store=False.")
    store, answers = _find(llm, requests)
    found = {i: answer for i, answer in enumerate(answers) if answer is not None}
    closed = llm.offline or (store is None and llm.store is not False)
    if len(found) < len(requests) and closed:
        request = next(r for i, r in enumerate(requests) if i not in found)
        start = " ".join(request["messages"][-1]["content"].split())[:120]
        raise OfflineError(
            f"{len(requests) - len(found)} of {len(requests)} questions have no answer "
            f"in {str(_store_path(llm))!r}, and nothing else may be asked. The first "
            f"is sample {request['sample']} for {llm.model!r} that starts with "
            f"{start!r}. Give the parameters with which the answers were obtained, or "
            "a model that may be asked."
        )
    return store, found


def _kept(
    store: CompletionStore, key: str, newer_than: datetime | None
) -> Completion | None:
    """Find an answer in a store, or among those that could not be written to it."""
    request, answer = _unwritten.get((store.path, key), (None, None))
    if request is not None and answer is not None:
        with contextlib.suppress(StoreError):  # there may be room by now
            store.add([(key, request, answer)])
            del _unwritten[store.path, key]
    else:
        answer = store.get(key)
    return answer if answer is not None and is_newer(answer, newer_than) else None


def _prices_for_cap(llm: LLM, store: CompletionStore | None) -> Prices | None:
    """Find the prices of a model, which a cap in dollars needs."""
    capped = llm.max_cost is not None or (store is not None and store.cap() is not None)
    if not capped and llm.function is not None and llm.prices is None:
        return None
    prices = llm.known_prices or _provider.prices_of(llm.model)
    if not capped:
        return prices
    what = "max_cost" if llm.max_cost is not None else "the cap of the store"
    if prices is None:
        raise BudgetError(
            f"{what} needs a price, and litellm's table has none for {llm.model!r}: "
            "give prices={'input': ..., 'output': ...} in dollars per million tokens."
        )
    if llm.max_tokens is None:
        raise BudgetError(
            f"{what} needs params['max_tokens']: without it a call has no worst case."
        )
    return prices


def _notify(on_answer: Callable[[int], None] | None, position: int) -> None:
    if on_answer is not None:
        on_answer(position)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the threads of one `ask` share."""

    llm: LLM
    store: CompletionStore | None
    budget: Budget
    prices: Prices | None
    heartbeat: Heartbeat | None
    given_up: threading.Event = field(default_factory=threading.Event)
    received: dict[int, tuple[Completion, bool]] = field(default_factory=dict)
    # What the server refuses to be sent, found out call by call.
    refused: set[str] = field(default_factory=set)
    # To be said in the thread of the caller, where a warning finds its line.
    notices: list[str] = field(default_factory=list)

    def answer(self, place: int, request: dict[str, Any]) -> tuple[Completion, bool]:
        """Get one answer; tell whether it was paid here."""
        self.received[place] = self._answer(request)
        return self.received[place]

    def _answer(self, request: dict[str, Any]) -> tuple[Completion, bool]:
        if self.store is None or self.heartbeat is None:
            return self._pay(request, None), True
        while True:
            outcome = self.store.claim(
                digest(request),
                seconds=self.heartbeat.seconds,
                newer_than=self.llm.newer_than,
            )
            if isinstance(outcome, Completion):
                return outcome, False
            if isinstance(outcome, Claim):
                self.heartbeat.hold(outcome)
                try:
                    return self._pay(request, outcome), True
                except BaseException:
                    self.heartbeat.let_go(outcome)
                    with contextlib.suppress(StoreError):
                        self.store.release(outcome)
                    raise
                finally:
                    self.heartbeat.let_go(outcome)
            if self.given_up.is_set():
                raise LLMError("another question failed")
            time.sleep(_POLL_SECONDS)

    def _pay(self, request: dict[str, Any], claim: Claim | None) -> Completion:
        charges: list[Charge] = []

        def attempt() -> Completion:
            if self.given_up.is_set():
                raise CallFailed("another question failed", retryable=False)
            worst_case = self._worst_case(request)
            self.budget.reserve(worst_case)
            charge = None
            if self.store is not None and worst_case:
                try:
                    charge = self.store.reserve(worst_case)
                except BaseException:
                    self.budget.cancel(worst_case)
                    raise
            try:
                completion = self._call(request)
            except CallFailed as failure:
                self.budget.settle(worst_case, 0.0 if failure.sure else None)
                if charge is not None and self.store is not None and failure.sure:
                    self.store.settle(charge, 0.0)
                raise
            self.budget.settle(worst_case, completion.dollars)
            if charge is not None:
                charges.append(charge)
            return completion

        completion = with_backoff(attempt)
        if self.store is not None and claim is not None:
            charge = charges[-1] if charges else None
            try:
                self.store.save(claim, request, completion, charge)
            except StoreError as error:
                # The answer is paid: use it, even if it cannot be kept.
                _unwritten[self.store.path, claim.key] = (request, completion)
                self.notices.append(
                    "An answer is used, and kept only as long as this process lives: "
                    f"{error}"
                )
            else:
                _unwritten.pop((self.store.path, claim.key), None)
        return completion

    def _call(self, request: dict[str, Any]) -> Completion:
        """Ask once; leave out what the server does not take."""
        while True:
            refused = frozenset(self.refused)
            try:
                return _provider.call(self.llm, request["messages"], refused)
            except _provider.CallRefused as refusal:
                self.refused.add(refusal.what)
                if refusal.what == "system":
                    notice = "takes no system message: the user's message repeats it."
                else:
                    notice = _without(refusal.what)
                self.notices.append(f"{self.llm.model!r} {notice}")

    def _worst_case(self, request: dict[str, Any]) -> float:
        """Dollars that a call may cost: no token is shorter than a byte."""
        limit = self.llm.max_tokens
        if self.prices is None or limit is None:
            return 0.0
        n_bytes = sum(
            len(text.encode("utf-8", "replace")) + 16
            for message in request["messages"]
            for text in message.values()
        )
        return self.prices.cost(n_bytes, limit)


def _without(parameter: str) -> str:
    return (
        f"takes no {parameter!r}: it is asked without. "
        f"LLM(..., params={{{parameter!r}: None}}) says so at once."
    )


@contextlib.contextmanager
def _open_desk(
    llm: LLM, store: CompletionStore | None, budget: Budget, prices: Prices | None
) -> Iterator[_Desk]:
    """Prepare what threads share, and keep their claims alive meanwhile."""
    if store is None:
        yield _Desk(llm, None, budget, prices, None)
        return
    with Heartbeat(store) as heartbeat:
        yield _Desk(llm, store, budget, prices, heartbeat)


def _ask_concurrently(
    desk: _Desk, requests: list[dict[str, Any]], missing: list[int]
) -> Iterator[tuple[int, Completion, bool]]:
    """Yield answers as they arrive; after a failure, start no further call."""
    with ThreadPoolExecutor(desk.llm.n_concurrent, "sklearn_alchemist") as executor:
        positions: dict[Future[tuple[Completion, bool]], int] = {
            executor.submit(desk.answer, i, requests[i]): i for i in missing
        }
        try:
            for future in as_completed(positions):
                yield positions[future], *future.result()
        finally:
            desk.given_up.set()
            executor.shutdown(wait=True, cancel_futures=True)
