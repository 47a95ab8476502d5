"""Ask questions: from the store what it holds, the rest of the model, once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._warn import warn
from ..exceptions import BudgetError, LLMError
from . import _provider
from ._desk import ask_concurrently, open_desk, without_parameter
from ._ledger import Budget, Prices, Tally, Usage
from ._lookup import look_up, request_for
from ._model import LLM
from ._question import Completion, Question
from ._store import CompletionStore


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
    requests = [request_for(llm, question) for question in questions]
    store, found = look_up(llm, requests)
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
        with open_desk(llm, store, budget, prices) as desk:
            desk.notices.extend(
                f"{llm.model!r} {without_parameter(name)}"
                for name in _provider.dropped_params(llm)
            )
            try:
                for i, completion, was_paid in ask_concurrently(
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
        f"{str(error).rstrip('.')}. {n_received} of {n_asked} answers were received "
        "and are kept: asked again, they cost nothing."
    )


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
