"""Keep completions on disk, so that no answer is paid twice."""

import contextlib
import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from ..exceptions import StoreError
from ._caps import LEASE_SECONDS, Reservation, SpendingCap, settle
from ._completion import Completion

_COLUMNS = tuple(f.name for f in fields(Completion))


def default_store_path() -> Path:
    """Tell where completions are kept unless the user says otherwise.

    Returns
    -------
    path : Path
        What the environment variable ``SKLEARN_ALCHEMIST_STORE`` names, else
        ``sklearn_alchemist/completions.sqlite`` in ``XDG_CACHE_HOME`` or ``~/.cache``.
    """
    if path := os.environ.get("SKLEARN_ALCHEMIST_STORE"):
        return Path(path).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "sklearn_alchemist" / "completions.sqlite"


@dataclass(frozen=True)
class Lease:
    """The right to ask a question for a while, in which nobody else asks it.

    Parameters
    ----------
    key : str
        Key of the question.

    owner : str
        Who asks.
    """

    key: str
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class CompletionStore(SpendingCap):
    """Completions in a SQLite file, shared by any number of threads and processes.

    Every operation opens and closes its own connection, so a store forks, pickles and
    survives a killed process. The file is readable by its owner only.

    Parameters
    ----------
    path : Path
        The file; it is made when it is first needed.

    Examples
    --------
    A cap for all that is ever asked by way of a store, whoever asks:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_alchemist.llm import CompletionStore
    >>> store = CompletionStore(Path(tempfile.mkdtemp()) / "completions.sqlite")
    >>> store.set_cap(5.00)
    >>> store.cap(), store.spent()
    (5.0, 0.0)
    """

    schema: ClassVar[str] = f"""{SpendingCap.schema};
    CREATE TABLE IF NOT EXISTS completions (
        key TEXT PRIMARY KEY,
        request TEXT NOT NULL,     -- JSON: model, api_base, messages, params, sample
        text TEXT NOT NULL,
        model TEXT NOT NULL,
        finish_reason TEXT,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        dollars REAL,
        created TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS claims (
        key TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        expires REAL NOT NULL      -- seconds since the epoch
    )
    """

    def get(self, key: str) -> Completion | None:
        """Look an answer up.

        Parameters
        ----------
        key : str
            Key of the question.

        Returns
        -------
        completion : Completion or None
            None where the question has no answer yet.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        if self._is_empty():
            return None
        # No transaction: answers can be read where nothing may be written.
        with self._connection() as connection:
            return _select(connection, key)

    def claim(
        self, key: str, *, seconds: float, newer_than: datetime | None = None
    ) -> Any:
        """Get the answer to a question, or else the right to ask it.

        Parameters
        ----------
        key : str
            Key of the question.

        seconds : float
            How long the lease holds unless it is renewed; then others may claim.

        newer_than : datetime or None, default=None
            Take no answer that was received before.

        Returns
        -------
        outcome : Completion, Lease or None
            The answer; the right to ask; or None while somebody else is asking.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        with self._transaction() as connection:
            completion = _select(connection, key)
            if completion is not None and is_newer(completion, newer_than):
                return completion
            now = time.time()
            # Of a clock that was set back since, a lease would hold for hours.
            connection.execute(
                "UPDATE claims SET expires = MIN(expires, ?) WHERE key = ?",
                (now + seconds, key),
            )
            held = connection.execute(
                "SELECT 1 FROM claims WHERE key = ? AND expires > ?", (key, now)
            ).fetchone()
            if held:
                return None
            lease = Lease(key)
            connection.execute(
                "INSERT OR REPLACE INTO claims VALUES (?, ?, ?)",
                (key, lease.owner, now + seconds),
            )
            return lease

    def renew(self, held: Lease | Reservation, *, seconds: float) -> None:
        """Hold a lease, or keep a call under way, for some more time.

        Parameters
        ----------
        held : Lease or Reservation
            What `claim` or `reserve` gave.

        seconds : float
            How long it holds from now.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        expires = time.time() + seconds
        with self._transaction() as connection:
            if isinstance(held, Lease):
                connection.execute(
                    "UPDATE claims SET expires = ? WHERE key = ? AND owner = ?",
                    (expires, held.key, held.owner),
                )
            else:
                connection.execute(
                    "UPDATE under_way SET expires = ? WHERE id = ?", (expires, held.id)
                )

    def release(self, lease: Lease) -> None:
        """Give a lease up, so that others may ask.

        Parameters
        ----------
        lease : Lease
            What `claim` gave.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM claims WHERE key = ? AND owner = ?",
                (lease.key, lease.owner),
            )

    def save(
        self,
        lease: Lease,
        request: Mapping[str, Any],
        completion: Completion,
        reservation: Reservation | None = None,
    ) -> None:
        """Keep an answer, give up the lease of its question and settle what it cost.

        Parameters
        ----------
        lease : Lease
            What `claim` gave.

        request : mapping
            What was asked; kept for people who read the store.

        completion : Completion
            What was answered.

        reservation : Reservation or None, default=None
            What was set aside for it.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        with self._transaction() as connection:
            _insert(connection, lease.key, request, completion)
            connection.execute(
                "DELETE FROM claims WHERE key = ? AND owner = ?",
                (lease.key, lease.owner),
            )
            if reservation is not None:
                settle(connection, reservation, completion.dollars)

    def add(self, records: Iterable[tuple[str, Mapping[str, Any], Completion]]) -> int:
        """Keep answers that were received elsewhere, such as recordings.

        Parameters
        ----------
        records : iterable of (str, mapping, Completion)
            Key, request and answer. What the store has an answer to stays as it is.

        Returns
        -------
        n_added : int
            Number of answers that are new.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        n_added = 0
        with self._transaction() as connection:
            for key, request, completion in records:
                if _select(connection, key) is None:
                    _insert(connection, key, request, completion)
                    n_added += 1
        return n_added

    def records(self) -> list[tuple[dict[str, Any], Completion]]:
        """List all that is kept, in the order in which it was received.

        Returns
        -------
        records : list of (dict, Completion)
            What was asked and what was answered.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        if self._is_empty():
            return []
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT request, {', '.join(_COLUMNS)} FROM completions ORDER BY rowid"
            ).fetchall()
        return [
            (json.loads(request), Completion(**dict(zip(_COLUMNS, rest, strict=True))))
            for request, *rest in rows
        ]


def _select(connection: sqlite3.Connection, key: str) -> Completion | None:
    row = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM completions WHERE key = ?", (key,)
    ).fetchone()
    return None if row is None else Completion(**dict(zip(_COLUMNS, row, strict=True)))


def _insert(
    connection: sqlite3.Connection,
    key: str,
    request: Mapping[str, Any],
    completion: Completion,
) -> None:
    values = asdict(completion)
    connection.execute(
        f"INSERT OR REPLACE INTO completions (key, request, {', '.join(_COLUMNS)}) "
        f"VALUES (?, ?{', ?' * len(_COLUMNS)})",
        (key, json.dumps(request), *(values[c] for c in _COLUMNS)),
    )


def is_newer(completion: Completion, than: datetime | None) -> bool:
    """Tell whether an answer was received after a moment."""
    if than is None:
        return True
    try:
        return datetime.fromisoformat(completion.created) >= than
    except (TypeError, ValueError):  # nobody knows when
        return False


class Heartbeat:
    """Renew leases, and keep calls under way, until they are let go.

    However long a call takes, nobody else asks the same; whoever is killed renews
    nothing, and others may ask after the rest of the lease.

    Parameters
    ----------
    store : CompletionStore
        Where the leases are.

    seconds : float, default=60.0
        Length of a lease; it is renewed three times as often.
    """

    def __init__(self, store: CompletionStore, seconds: float = LEASE_SECONDS) -> None:
        self.seconds = seconds
        self._store = store
        self._held: set[Lease | Reservation] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name="sklearn_alchemist heartbeat", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def hold(self, held: Lease | Reservation) -> None:
        """Renew from now on."""
        with self._lock:
            self._held.add(held)

    def let_go(self, held: Lease | Reservation) -> None:
        """Renew no longer."""
        with self._lock:
            self._held.discard(held)

    def _beat(self) -> None:
        while not self._stopped.wait(self.seconds / 3):
            with self._lock:
                everything = list(self._held)
            for held in everything:
                # A full disk ends the fit where its answer is to be kept, not here.
                with contextlib.suppress(StoreError):
                    self._store.renew(held, seconds=self.seconds)
