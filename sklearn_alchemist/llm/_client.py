"""Ask questions: from the store what it holds, the rest of the model, once."""

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..exceptions import AlchemistWarning, BudgetError, OfflineError, StoreError
from . import _provider
from ._ledger import Budget, Prices, Tally, Usage
from ._model import LLM
from ._question import Completion, Question, digest
from ._retry import MAX_PAUSE, CallFailed, with_backoff
from ._store import (
    Claim,
    CompletionStore,
    Recordings,
    default_store_path,
    recording_key,
)

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to some questions.

    Parameters
    ----------
    completions : list of Completion
        In the order of the questions.

    usage : Usage
        What they cost.
    """

    completions: list[Completion]
    usage: Usage


def ask(
    llm: LLM,
    questions: Sequence[Question],
    *,
    on_answer: Callable[[int], None] | None = None,
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
    if missing:
        _provider.check_access(llm)
        prices = _prices_for_cap(llm)
        if llm.max_calls is not None and len(missing) > llm.max_calls:
            raise BudgetError(
                f"{len(missing)} questions have no stored answer, but "
                f"max_calls={llm.max_calls}: raise max_calls or ask for less."
            )
        desk = _Desk(llm, store, Budget(llm.max_calls, llm.max_cost), prices)
        for i, completion, was_paid in _ask_concurrently(desk, requests, missing):
            (paid if was_paid else found)[i] = completion
            _notify(on_answer, i)
    completions = [paid[i] if i in paid else found[i] for i in range(len(questions))]
    usage = Usage(paid=Tally.of(paid.values()), cached=Tally.of(found.values()))
    return Answers(completions, usage)


def _request(llm: LLM, question: Question) -> dict[str, Any]:
    """All that decides the answer to a question."""
    return {
        "model": llm.model,
        "api_base": llm.api_base and llm.api_base.rstrip("/"),
        "messages": [dict(message) for message in question.messages],
        "params": llm.request_params,
        "sample": question.sample,
    }


def _look_up(
    llm: LLM, requests: list[dict[str, Any]]
) -> tuple[CompletionStore | None, dict[int, Completion]]:
    """Open the store of a model and find what it already holds."""
    if llm.store is False:
        if llm.offline:
            raise OfflineError("offline=True needs a store; got store=False.")
        return None, {}
    if isinstance(llm.store, str | os.PathLike):
        path = Path(llm.store).expanduser()
    else:
        path = default_store_path()
    if path.suffix == ".jsonl":
        recorded = Recordings(path).load()
        answers = [recorded.get(recording_key(request)) for request in requests]
        store = None
    else:
        store = CompletionStore(path)
        answers = [
            None if llm.refresh else store.get(digest(request)) for request in requests
        ]
    found = {i: answer for i, answer in enumerate(answers) if answer is not None}
    if len(found) < len(requests) and (llm.offline or store is None):
        request = next(r for i, r in enumerate(requests) if i not in found)
        start = " ".join(request["messages"][-1]["content"].split())[:120]
        raise OfflineError(
            f"{len(requests) - len(found)} of {len(requests)} questions have no answer "
            f"in {str(path)!r}, and nothing else may be asked. The first is sample "
            f"{request['sample']} for {llm.model!r} that starts with {start!r}. Give "
            "the parameters with which the answers were obtained, or a model that may "
            "be asked."
        )
    return store, found


def _prices_for_cap(llm: LLM) -> Prices | None:
    """Find the prices that a cap in dollars needs."""
    if llm.max_cost is None:
        return None
    prices = llm.known_prices or _provider.prices_of(llm.model)
    if prices is None:
        raise BudgetError(
            f"max_cost needs a price, and litellm's table has none for {llm.model!r}: "
            "give prices={'input': ..., 'output': ...} in dollars per million tokens."
        )
    if "max_tokens" not in llm.request_params:
        raise BudgetError(
            "max_cost needs params['max_tokens']: without it a call has no worst case."
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
    given_up: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: dict[str, Any]) -> tuple[Completion, bool]:
        """Get one answer; tell whether it was paid here."""
        if self.store is None:
            return self._pay(request, None), True
        while True:
            outcome = self.store.claim(
                digest(request), seconds=self._lease, refresh=self.llm.refresh
            )
            if isinstance(outcome, Completion):
                return outcome, False
            if isinstance(outcome, Claim):
                try:
                    return self._pay(request, outcome), True
                except BaseException:
                    self.store.release(outcome)
                    raise
            time.sleep(_POLL_SECONDS)

    @property
    def _lease(self) -> float:
        """Seconds for the longest pause and one attempt after it."""
        return self.llm.timeout + MAX_PAUSE + 30.0

    def _pay(self, request: dict[str, Any], claim: Claim | None) -> Completion:
        def attempt() -> Completion:
            if self.given_up.is_set():
                raise CallFailed("another question failed", retryable=False)
            worst_case = self._worst_case(request)
            self.budget.reserve(worst_case)
            if self.store is not None and claim is not None:
                self.store.renew(claim, seconds=self._lease)
            try:
                completion = _provider.call(self.llm, request["messages"])
            except CallFailed as failure:
                self.budget.settle(worst_case, 0.0 if failure.sure else None)
                raise
            self.budget.settle(worst_case, completion.dollars)
            return completion

        completion = with_backoff(attempt)
        if self.store is not None and claim is not None:
            try:
                self.store.save(claim, request, completion)
            except StoreError as error:
                # The answer is paid: use it, even if it cannot be kept.
                warnings.warn(
                    f"An answer is used, but not kept: {error}",
                    AlchemistWarning,
                    stacklevel=2,
                )
        return completion

    def _worst_case(self, request: dict[str, Any]) -> float:
        if self.prices is None:
            return 0.0
        prompt_tokens = _provider.count_tokens(request["messages"], self.llm.model)
        return self.prices.cost(prompt_tokens, request["params"]["max_tokens"])


def _ask_concurrently(
    desk: _Desk, requests: list[dict[str, Any]], missing: list[int]
) -> Iterator[tuple[int, Completion, bool]]:
    """Yield answers as they arrive; after a failure, start no further call."""
    with ThreadPoolExecutor(desk.llm.n_concurrent, "sklearn_alchemist") as executor:
        positions: dict[Future[tuple[Completion, bool]], int] = {
            executor.submit(desk.answer, requests[i]): i for i in missing
        }
        try:
            for future in as_completed(positions):
                yield positions[future], *future.result()
        finally:
            desk.given_up.set()
            executor.shutdown(wait=True, cancel_futures=True)
