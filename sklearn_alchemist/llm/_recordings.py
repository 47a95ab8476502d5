"""Exchange completions as JSON Lines: read, write, and seed a store with them."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .._files import as_path, read_text, write_text
from ..exceptions import StoreError
from ._question import Completion, digest
from ._store import CompletionStore


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
        """Read all recordings.

        Returns
        -------
        completions : dict of str to Completion
            The answers by `recording_key`.

        Raises
        ------
        StoreError
            If the file is missing or a line is no recording.
        """
        return {recording_key(request): answer for request, answer in self.records()}

    def records(self) -> list[tuple[dict[str, Any], Completion]]:
        """List all recordings in the order of the file.

        Returns
        -------
        records : list of (dict, Completion)
            What was asked and what was answered.

        Raises
        ------
        StoreError
            If the file is missing or a line is no recording.
        """
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
    """Key a request by what is asked, whoever is asked.

    Parameters
    ----------
    request : mapping
        ``messages``, ``params`` and ``sample``; more is not looked at.

    Returns
    -------
    key : str
        A digest.
    """
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
