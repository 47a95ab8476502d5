"""Find the answers that need not be asked for, in stores and in recordings."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .._utils import as_path, read_text, write_text
from ..exceptions import OfflineError, StoreError
from ._completion import Completion, Question, digest
from ._model import LLM, as_place
from ._store import CompletionStore, default_store_path, is_newer
from ._unstored_answers import find_unwritten, send_unwritten


@dataclass(frozen=True)
class Recordings:
    """Completions in a file of JSON Lines, to be read and not added to.

    A recording is bound to its messages, parameters and sample number, but to no model
    and no address: who replays it need not name whom it came from.

    Parameters
    ----------
    path : Path
        The file: one JSON object a line with the keys ``request`` and ``completion``.
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", as_path(self.path))

    def load(self) -> dict[str, Completion]:
        """Read all recordings."""
        return {recording_key(request): answer for request, answer in self.records()}

    def records(self) -> list[tuple[dict[str, Any], Completion]]:
        """List all recordings in the order of the file."""
        try:
            lines = read_text(self.path).split("\n")
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the recordings {str(self.path)!r} cannot be read: {error}."
            ) from error
        records = []
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                completion = Completion(**record["completion"])
                recording_key(record["request"])
                if not isinstance(completion.text, str):
                    raise TypeError(f"text must be a str; got {completion.text!r}")
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise StoreError(
                    f"line {number} of {str(self.path)!r} is no recording: {error!r}."
                ) from error
            records.append((record["request"], completion))
        return records


def recording_key(request: Mapping[str, Any]) -> str:
    """Key a request by what is asked, whoever is asked."""
    names = ("messages", "params", "sample")
    return digest({name: request[name] for name in names})


def write_recordings(
    store: CompletionStore,
    path: str | os.PathLike[str],
    *,
    answered_by: str | None = None,
) -> int:
    """Write all that a store holds as recordings.

    Parameters
    ----------
    store : CompletionStore
        What to write.

    path : str or path-like
        The file to write, with a name that ends in ``.jsonl``. It is readable by its
        owner only, as the store is, since it may hold records.

    answered_by : str or None, default=None
        Who answered, where the server's own name for the model does not tell.

    Returns
    -------
    n_recordings : int
        Number of lines written.

    Raises
    ------
    StoreError
        If the store cannot be read, or the file not be written.
    """
    path = as_path(path)
    lines = []
    for request, completion in store.records():
        kept = {name: item for name, item in request.items() if name != "api_base"}
        answer = asdict(completion)
        if answered_by is not None:
            answer["model"] = answered_by
        record = {"request": kept, "completion": answer}
        lines.append(json.dumps(record))
    try:
        write_text(path, "\n".join(sorted(lines)) + "\n", mode=0o600)
    except OSError as error:
        raise StoreError(
            f"the recordings {str(path)!r} cannot be written: {error.strerror}."
        ) from error
    return len(lines)


def seed_store(
    store: CompletionStore,
    path: str | os.PathLike[str],
    *,
    model: str,
    api_base: str | None = None,
) -> int:
    """Put recordings into a store, as answers of a model.

    Parameters
    ----------
    store : CompletionStore
        What to add to; answers that it holds already stay as they are.

    path : str or path-like
        A file as `write_recordings` writes it.

    model : str
        Name under which the answers are going to be asked for, as in `LLM`.

    api_base : str or None, default=None
        Address under which they are going to be asked for, as in `LLM`.

    Returns
    -------
    n_added : int
        Number of answers that are new to the store.

    Raises
    ------
    StoreError
        If the file holds no recordings, or the store cannot be written.
    """
    base = api_base and api_base.rstrip("/")
    records = []
    for recorded, completion in Recordings(as_path(path)).records():
        request = {**recorded, "model": model, "api_base": base}
        records.append((digest(request), request, completion))
    return store.add(records)


def request_for(llm: LLM, question: Question) -> dict[str, Any]:
    """Collect all that decides the answer: model, address, messages, parameters."""
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
    if isinstance(path, Path) and path.suffix == ".jsonl":
        recorded = Recordings(path).load()
        return None, [recorded.get(recording_key(request)) for request in requests]
    store = CompletionStore(path)
    send_unwritten(store)
    answers = [_kept(store, digest(request), llm.newer_than) for request in requests]
    return store, answers


def _store_path(llm: LLM) -> Path | str:
    if isinstance(llm.store, str | os.PathLike):
        return as_place(llm.store)
    return default_store_path()


def look_up(
    llm: LLM, requests: list[dict[str, Any]]
) -> tuple[CompletionStore | None, dict[int, Completion]]:
    """Find what is stored, by position; raise where the rest may not be asked."""
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
    answer = find_unwritten(store, key)
    if answer is None:
        answer = store.get(key)
    return answer if answer is not None and is_newer(answer, newer_than) else None
