"""Find the answers that need not be asked for."""

import contextlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from .._files import as_path
from ..exceptions import OfflineError, StoreError
from ._model import LLM
from ._question import Completion, Question, digest
from ._recordings import Recordings, recording_key
from ._store import CompletionStore, default_store_path, is_newer

# Answers that are paid and could not be written, by store and key: asked for again in
# this process, they are not paid again.
unwritten: dict[tuple[Path, str], tuple[dict[str, Any], Completion]] = {}


def request_for(llm: LLM, question: Question) -> dict[str, Any]:
    """Collect all that decides the answer to a question.

    Parameters
    ----------
    llm : LLM
        The model.

    question : Question
        What to ask it.

    Returns
    -------
    request : dict
        Model, address, messages, parameters and number of the sample.
    """
    return {
        "model": llm.model,
        "api_base": llm.address,
        "messages": [dict(message) for message in question.messages],
        "params": {**llm.request_params, **(question.params or {})},
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
    return _find(llm, [request_for(llm, question) for question in questions])[1]


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
        return as_path(llm.store)
    return default_store_path()


def look_up(
    llm: LLM, requests: list[dict[str, Any]]
) -> tuple[CompletionStore | None, dict[int, Completion]]:
    """Find what is stored; raise where the rest may not be asked.

    Parameters
    ----------
    llm : LLM
        The model.

    requests : list of dict
        What `request_for` gave.

    Returns
    -------
    store : CompletionStore or None
        Where further answers are kept.

    found : dict of int to Completion
        Answers by the positions of their requests.

    Raises
    ------
    OfflineError
        If an answer is missing and nothing may be asked.

    StoreError
        If the store cannot be read.
    """
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
    request, answer = unwritten.get((store.path, key), (None, None))
    if request is not None and answer is not None:
        with contextlib.suppress(StoreError):  # there may be room by now
            store.add([(key, request, answer)])
            del unwritten[store.path, key]
    else:
        answer = store.get(key)
    return answer if answer is not None and is_newer(answer, newer_than) else None
