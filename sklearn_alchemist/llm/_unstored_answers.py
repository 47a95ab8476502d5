"""Keep answers that are paid and that their store does not take, until it does."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

from ..exceptions import StoreError
from ._completion import Completion, digest
from ._store import CompletionStore, Lease, cache_folder, delete_answer

# By store and key: asked for again in this process, they are not paid again.
_BY_PROCESS: dict[tuple[Path | str, str], tuple[dict[str, Any], Completion]] = {}


def keep_unwritten(
    store: CompletionStore, key: str, request: dict[str, Any], completion: Completion
) -> Path | None:
    """Keep an answer that could not be written to its store.

    Parameters
    ----------
    store : CompletionStore
        Where it belongs.

    key : str
        Key of the question.

    request : dict
        What was asked.

    completion : Completion
        What was answered.

    Returns
    -------
    path : Path or None
        The file of this machine that holds it, if the store is on a server; else it is
        held as long as this process lives.
    """
    aside = _aside(store)
    if aside is not None:
        with contextlib.suppress(StoreError):  # the disk may be full as well
            aside.add([(key, request, completion)])
            return Path(aside.path)
    _BY_PROCESS[store.path, key] = (request, completion)
    return None


def forget_unwritten(store: CompletionStore, key: str) -> None:
    """Take note that a store holds an answer by now."""
    _BY_PROCESS.pop((store.path, key), None)


def find_unwritten(store: CompletionStore, key: str) -> Completion | None:
    """Find an answer that this process holds, and write it where there is room."""
    request, completion = _BY_PROCESS.get((store.path, key), (None, None))
    if request is not None and completion is not None:
        with contextlib.suppress(StoreError):
            store.add([(key, request, completion)])
            del _BY_PROCESS[store.path, key]
    return completion


def release_or_note(store: CompletionStore, lease: Lease) -> None:
    """Give a lease up, or note where its server is lost that it is to be given up."""
    try:
        store.release(lease)
    except StoreError:  # without a note, others wait until it expires
        aside = _aside(store)
        if aside is not None:
            with contextlib.suppress(StoreError), aside._tables.writing("note") as rows:
                rows.execute("DELETE FROM claims WHERE key = ?", (lease.key,))
                rows.execute(
                    "INSERT INTO claims VALUES (?, ?, 0)", (lease.key, lease.owner)
                )


def send_unwritten(store: CompletionStore) -> None:
    """Write what this machine keeps for a server, which is back; give leases up.

    Parameters
    ----------
    store : CompletionStore
        Where it belongs.

    Raises
    ------
    StoreError
        If the server is not there; what is kept stays then.
    """
    aside = _aside(store)
    if aside is None or _is_empty(aside):
        return
    records = [(digest(request), request, c) for request, c in aside.records()]
    with aside._tables.reading() as rows:
        leases = [Lease(*r) for r in rows.execute("SELECT key, owner FROM claims")]
    if not records and not leases:
        return
    store.add(records)
    for lease in leases:
        store.release(lease)
    with aside._tables.writing("sent") as rows:
        for key, _, completion in records:
            delete_answer(rows, key, completion.created)
        for lease in leases:
            held = (lease.key, lease.owner)
            rows.execute("DELETE FROM claims WHERE key = ? AND owner = ?", held)


def _aside(store: CompletionStore) -> CompletionStore | None:
    """Name the file that holds answers for a server that is lost."""
    if isinstance(store.path, Path):
        return None
    try:
        folder = cache_folder()
    except RuntimeError:  # a user without a home, as in some containers
        return None
    name = hashlib.sha256(store.path.encode()).hexdigest()[:16]
    return CompletionStore(folder / f"for_server_{name}.sqlite")


def _is_empty(aside: CompletionStore) -> bool:
    try:
        return aside._tables.is_empty()
    except StoreError:  # where nothing can be read, nothing was kept
        return True
