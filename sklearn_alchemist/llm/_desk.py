"""Ask in threads, so that each answer is paid once and no cap is exceeded."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Any

from ..exceptions import LLMError, StoreError
from . import _provider
from ._accounts import Charge
from ._heartbeat import Heartbeat
from ._ledger import Budget, Prices
from ._lookup import unwritten
from ._model import LLM
from ._question import Completion, digest
from ._refusals import LIMITS, CallRefused
from ._retry import CallFailed, with_backoff
from ._store import Claim, CompletionStore, is_newer

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
        Keeps claims of the store alive.

    given_up : Event
        Set once no further call is to be started.

    received : dict of int to (Completion, bool)
        Answers by position, and whether they were paid here.

    refused : set of str
        What the server takes not, found out call by call.

    notices : list of str
        What is to be said in the thread of the caller, where a warning finds its line.
    """

    llm: LLM
    store: CompletionStore | None
    budget: Budget
    prices: Prices | None
    heartbeat: Heartbeat | None
    given_up: threading.Event = field(default_factory=threading.Event)
    received: dict[int, tuple[Completion, bool]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    notices: list[str] = field(default_factory=list)

    @property
    def is_capped(self) -> bool:
        """Whether dollars are limited, by the fit or by the store."""
        capped = self.budget.max_cost is not None
        return capped or (self.store is not None and self.store.cap() is not None)

    def answer(self, place: int, request: dict[str, Any]) -> tuple[Completion, bool]:
        """Get one answer, by paying only where nobody else has or does.

        Parameters
        ----------
        place : int
            Position of the request.

        request : dict
            What to ask.

        Returns
        -------
        completion : Completion
            The answer.

        paid : bool
            Whether it was paid here.

        Raises
        ------
        LLMError
            If there is none.
        """
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

        completion = with_backoff(attempt, self.given_up)
        since = self.llm.newer_than
        if not is_newer(completion, since) and since is not None:
            # A clock that was set back would have all answers refreshed again.
            completion = replace(completion, created=since.isoformat())
        if self.store is not None and claim is not None:
            charge = charges[-1] if charges else None
            try:
                self.store.save(claim, request, completion, charge)
            except StoreError as error:
                # The answer is paid: use it, even if it cannot be kept.
                unwritten[self.store.path, claim.key] = (request, completion)
                self.notices.append(
                    "An answer is used, and kept only as long as this process lives: "
                    f"{error}"
                )
            else:
                unwritten.pop((self.store.path, claim.key), None)
        return completion

    def _call(self, request: dict[str, Any]) -> Completion:
        """Ask once; leave out what the server does not take."""
        while True:
            refused = frozenset(self.refused)
            try:
                return _provider.call(self.llm, request["messages"], refused)
            except CallRefused as refusal:
                self.refused.add(refusal.what)
                if self.is_capped and self.refused.issuperset(LIMITS):
                    raise CallFailed(
                        f"{self.llm.model!r} takes no limit on tokens, so that a call "
                        "has no worst case: it cannot be held to a cap in dollars.",
                        retryable=False,
                    ) from None
                if refusal.what == "system":
                    notice = "takes no system message: the user's message repeats it."
                else:
                    notice = without_parameter(refusal.what)
                self.notices.append(f"{self.llm.model!r} {notice}")

    def _worst_case(self, request: dict[str, Any]) -> float:
        """Dollars that a call may cost: no token is shorter than a byte."""
        limit = self.llm.max_tokens
        if self.prices is None or limit is None:
            return 0.0
        sent = [text for message in request["messages"] for text in message.values()]
        # Schemas are shown to the model as well.
        sent.append(json.dumps(request["params"]))
        n_bytes = sum(len(text.encode("utf-8", "replace")) + 16 for text in sent)
        return self.prices.cost(n_bytes, limit)


def without_parameter(parameter: str) -> str:
    """Word the end of the notice that a parameter is left out.

    Parameters
    ----------
    parameter : str
        Its name.

    Returns
    -------
    notice : str
        What follows the name of the model.
    """
    return (
        f"takes no {parameter!r}: it is asked without. "
        f"LLM(..., params={{{parameter!r}: None}}) says so at once."
    )


@contextlib.contextmanager
def open_desk(
    llm: LLM, store: CompletionStore | None, budget: Budget, prices: Prices | None
) -> Iterator[Desk]:
    """Prepare what threads share, and keep their claims alive meanwhile.

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

    Yields
    ------
    desk : Desk
        To be asked by threads.
    """
    if store is None:
        yield Desk(llm, None, budget, prices, None)
        return
    with Heartbeat(store) as heartbeat:
        yield Desk(llm, store, budget, prices, heartbeat)


def ask_concurrently(
    desk: Desk, requests: list[dict[str, Any]], missing: list[int]
) -> Iterator[tuple[int, Completion, bool]]:
    """Ask in threads; after a failure, start no further call.

    Parameters
    ----------
    desk : Desk
        What the threads share.

    requests : list of dict
        What may be asked.

    missing : list of int
        Positions of what is to be asked.

    Yields
    ------
    position : int
        Position of a request whose answer has arrived.

    completion : Completion
        The answer.

    paid : bool
        Whether it was paid here.

    Raises
    ------
    LLMError
        If a request fails.
    """
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
