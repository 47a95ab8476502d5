"""Ask questions: from the store what it holds, the rest of the model, once."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from .._utils import warn
from ..exceptions import BudgetError, LLMError, StoreError
from . import _provider
from ._asking import ask_concurrently, open_desk
from ._completion import Question, Tally, Usage, digest
from ._events import Event, is_heard, tell
from ._model import LLM
from ._prices import Prices, prices_of
from ._recordings import look_up, request_for
from ._spending_caps import Budget, Entry, Ledger, usage_of
from ._store import CompletionStore


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to some questions.

    Parameters
    ----------
    completions : list of (Completion or None)
        In the order of the questions; None only where the budget ended before, or
        where an error was excused.

    usage : Usage
        What they cost.

    shortfall : BudgetError or None, default=None
        Why questions were left out.

    excused : frozenset of int, default=frozenset()
        Positions of the questions whose errors were excused.
    """

    completions: list[Any]
    usage: Usage
    shortfall: BudgetError | None = None
    excused: frozenset[int] = frozenset()


def check_affordable(llm: LLM) -> None:
    """Raise what would keep a model from being asked within its caps.

    Parameters
    ----------
    llm : LLM
        The model.

    Raises
    ------
    BudgetError
        If a cap in dollars has no price, or no limit on tokens.

    LLMError
        If the model cannot be asked, as without a key.
    """
    _check_affordable(llm, Ledger(llm).budget_of(llm), None)


def ask(
    llm: LLM,
    questions: Sequence[Question],
    *,
    on_answer: Callable[[int], None] | None = None,
    ledger: Ledger | None = None,
    partial: bool = False,
    excused: Callable[[LLMError], bool] = lambda error: False,
) -> Answers:
    """Ask a language model, paying for no answer that the store already holds.

    Two threads or processes that ask the same at the same time pay once: one asks, the
    other waits for its answer.

    Parameters
    ----------
    llm : LLM
        The model.

    questions : sequence of Question
        What to ask, at most `llm.n_concurrent` at a time.

    on_answer : callable, default=None
        Called with the position of a question when its answer is there; in the
        caller's thread, in the order in which answers arrive.

    ledger : Ledger or None, default=None
        What several calls of this function share: what may be spent, and what was asked
        and spent, which is written down however this call ends. None is
        `llm.max_calls` and `llm.max_cost` for this call alone.

    partial : bool, default=False
        Whether to return what the budget allowed, where it ends before the last
        question, instead of raising.

    excused : callable, default=lambda error: False
        Tells of an `LLMError` whether it is about one question only, which is then left
        without an answer.

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
    requests = [request_for(llm, question) for question in questions]
    store, found = look_up(llm, requests)
    missing = [i for i in range(len(questions)) if i not in found]
    if found and is_heard("found"):
        tell(Event(kind="found", model=llm.model, n=len(found)))
    for i in found:
        _notify(on_answer, i)
    ledger = Ledger(llm) if ledger is None else ledger
    received = {i: (completion, False) for i, completion in found.items()}
    lost, shortfall = Tally(), None
    left_out: frozenset[int] = frozenset()
    try:
        if missing:
            budget = ledger.budget_of(llm)
            prices = _check_affordable(llm, budget, store)
            if not partial:
                _check_calls(budget, requests, missing, store)
            with open_desk(llm, store, budget, prices) as desk:
                answers = ask_concurrently(desk, requests, missing, excused)
                try:
                    # Closed before all else, so that what is under way is received too.
                    with closing(answers):
                        for i in answers:
                            _notify(on_answer, i)
                except LLMError as error:
                    if not (partial and isinstance(error, BudgetError)):
                        if isinstance(error, StoreError):  # which says the same
                            desk.set_aside.clear()
                        n_received = len(received | desk.received)
                        raise _with_what_was_kept(
                            error, n_received, len(questions), store
                        ) from error.__cause__
                    shortfall = error
                finally:
                    received |= desk.received
                    lost, left_out = desk.lost, frozenset(desk.excused)
                    for notice in dict.fromkeys(desk.notices + desk.set_aside):
                        warn(notice)
    finally:
        entries = [Entry(questions[i], *received[i]) for i in sorted(received)]
        ledger.add(llm.model, entries, lost)
    return Answers(
        [received[i][0] if i in received else None for i in range(len(questions))],
        usage_of(entries, lost),
        shortfall,
        left_out,
    )


def _check_calls(
    budget: Budget,
    requests: list[dict[str, Any]],
    missing: list[int],
    store: CompletionStore | None,
) -> None:
    """Raise before the first call where there are more questions than calls left."""
    left = budget.calls_left
    n_calls = len(missing)
    if store is not None:  # who asks the same waits for the answer
        n_calls = len({digest(requests[i]) for i in missing})
    if left is not None and n_calls > left:
        raise BudgetError(
            f"Questions without a stored answer: {n_calls}; but "
            f"{budget.limit_on_calls}, of which {left} remain: raise max_calls or ask "
            "for less."
        )


def _with_what_was_kept(
    error: LLMError, n_received: int, n_asked: int, store: CompletionStore | None
) -> LLMError:
    """Add to an error what is not lost."""
    if not n_received or store is None:
        return error
    return type(error)(
        f"{str(error).rstrip('.')}. {n_received} of {n_asked} answers were received "
        "and are kept: asked again, they cost nothing."
    )


def _check_affordable(
    llm: LLM, budget: Budget, store: CompletionStore | None
) -> Prices | None:
    """See that a model can be asked; find its prices, which a cap in dollars needs."""
    _provider.check_access(llm)
    capped = budget.limits_dollars or (store is not None and store.cap() is not None)
    if not capped and llm.function is not None and llm.prices is None:
        return None
    prices = llm.known_prices or prices_of(llm.model)
    if not capped:
        return prices
    what = "max_cost" if budget.limits_dollars else "the cap of the store"
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
