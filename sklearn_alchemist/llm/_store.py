"""Keep completions on disk, so that no answer is paid twice."""

import contextlib
import json
import os
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..exceptions import StoreError
from ._completion import Completion
from ._database import Rows, again_if_lost
from ._model import as_place
from ._spending_caps import (
    LEASE_SECONDS,
    Reservation,
    SpendingCap,
    forget_charges,
    settle,
)

# So many answers are forgotten at a time.
_AT_ONCE = 1000
_COLUMNS = tuple(f.name for f in fields(Completion))


def default_store_path() -> Path | str:
    """Tell where completions are kept unless the user says otherwise.

    Returns
    -------
    path : Path or str
        What the environment variable ``SKLEARN_ALCHEMIST_STORE`` names, a file or the
        address of a PostgreSQL server; else
        ``sklearn_alchemist/completions.sqlite`` in ``XDG_CACHE_HOME`` or ``~/.cache``.
    """
    if path := os.environ.get("SKLEARN_ALCHEMIST_STORE"):
        return as_place(path)
    return cache_folder() / "completions.sqlite"


def cache_folder() -> Path:
    """Tell where users keep on this machine what may be had again."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "sklearn_alchemist"


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
    """Completions that any number of threads and processes share.

    In a SQLite file, which is readable by its owner only and holds for the processes of
    one machine, or on a PostgreSQL server, for those of all machines. A store forks,
    pickles and survives a killed process.

    Parameters
    ----------
    path : Path or str
        The file, which is made when it is first needed; or the address of a database,
        as ``postgresql://HOST/DATABASE``, in which a schema ``sklearn_alchemist`` is
        made. libpq takes the user and the password from ``PGUSER`` and ``PGPASSWORD``
        or a ``.pgpass`` file.

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

    @again_if_lost
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
            If it cannot be read.
        """
        if self._tables.is_empty():
            return None
        # No transaction: answers can be read where nothing may be written.
        with self._tables.reading() as rows:
            return _select(rows, key)

    @again_if_lost
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
            If it cannot be written.
        """
        with self._tables.writing(key) as rows:
            completion = _select(rows, key)
            if completion is not None and is_newer(completion, newer_than):
                return completion
            now = rows.now()
            # Of a clock that was set back since, a lease would hold for hours.
            rows.execute(
                "UPDATE claims SET expires = ? WHERE key = ? AND expires > ?",
                (now + seconds, key, now + seconds),
            )
            if rows.execute(
                "SELECT 1 FROM claims WHERE key = ? AND expires > ?", (key, now)
            ):
                return None
            lease = Lease(key)
            rows.execute("DELETE FROM claims WHERE key = ?", (key,))
            rows.execute(
                "INSERT INTO claims VALUES (?, ?, ?)", (key, lease.owner, now + seconds)
            )
            return lease

    @again_if_lost
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
            If it cannot be written.
        """
        lock = held.key if isinstance(held, Lease) else held.id
        with self._tables.writing(lock) as rows:
            expires = rows.now() + seconds
            if isinstance(held, Lease):
                rows.execute(
                    "UPDATE claims SET expires = ? WHERE key = ? AND owner = ?",
                    (expires, held.key, held.owner),
                )
            else:
                rows.execute(
                    "UPDATE under_way SET expires = ? WHERE id = ?", (expires, held.id)
                )

    @again_if_lost
    def release(self, lease: Lease) -> None:
        """Give a lease up, so that others may ask.

        Parameters
        ----------
        lease : Lease
            What `claim` gave.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        with self._tables.writing(lease.key) as rows:
            rows.execute(
                "DELETE FROM claims WHERE key = ? AND owner = ?",
                (lease.key, lease.owner),
            )

    @again_if_lost
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
            If it cannot be written.
        """
        with self._tables.writing(lease.key) as rows:
            _insert(rows, lease.key, request, completion)
            rows.execute(
                "DELETE FROM claims WHERE key = ? AND owner = ?",
                (lease.key, lease.owner),
            )
            if reservation is not None:
                settle(rows, reservation, completion.dollars)

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
            If it cannot be written.
        """
        n_added = 0
        with self._tables.writing("add") as rows:
            for key, request, completion in records:
                if _select(rows, key) is None:
                    _insert(rows, key, request, completion)
                    n_added += 1
        return n_added

    @again_if_lost
    def records(self) -> list[tuple[dict[str, Any], Completion]]:
        """List all that is kept, in the order in which it was received.

        Returns
        -------
        records : list of (dict, Completion)
            What was asked and what was answered.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
        if self._tables.is_empty():
            return []
        with self._tables.reading() as rows:
            kept = rows.execute(
                f"SELECT request, {', '.join(_COLUMNS)} FROM completions ORDER BY rowid"
            )
        return [
            (json.loads(request), Completion(**dict(zip(_COLUMNS, rest, strict=True))))
            for request, *rest in kept
        ]

    def forget(self, older_than: datetime) -> int:
        """Forget answers that were received before a moment, and what they were to.

        What was spent stays spent: it counts towards the cap of the store as before.
        Asked again, what is forgotten is paid again, so answers that a fit which goes
        on needs should not be among it.

        Parameters
        ----------
        older_than : datetime
            The moment, with a time zone. Answers that do not say when they were
            received stay.

        Returns
        -------
        n_forgotten : int
            Number of answers.

        Raises
        ------
        ValueError
            If the moment has no time zone.

        StoreError
            If it cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from datetime import UTC, datetime, timedelta
        >>> from pathlib import Path
        >>> from sklearn_alchemist.llm import CompletionStore
        >>> store = CompletionStore(Path(tempfile.mkdtemp()) / "completions.sqlite")
        >>> store.forget(datetime.now(UTC) - timedelta(days=90))
        0
        """
        if older_than.tzinfo is None:
            raise ValueError(
                f"older_than={older_than!r} has no time zone: use "
                "datetime(..., tzinfo=UTC) or datetime.now(UTC) - timedelta(...)."
            )
        if self._tables.is_empty():
            return 0
        with self._tables.reading() as rows:
            received = rows.execute("SELECT key, created FROM completions")
        old = [pair for pair in received if _is_older(pair[1], older_than)]
        n_forgotten = 0
        for start in range(0, len(old), _AT_ONCE):  # others write in between
            with self._tables.writing("forget") as rows:
                for key, created in old[start : start + _AT_ONCE]:
                    n_forgotten += delete_answer(rows, key, created)
        with self._tables.writing("cap") as rows:
            before = min(older_than.timestamp(), rows.now())
            rows.execute("DELETE FROM claims WHERE expires < ?", (before,))
            forget_charges(rows, before)
        self._tables.give_back()
        return n_forgotten


def _select(rows: Rows, key: str) -> Completion | None:
    found = rows.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM completions WHERE key = ?", (key,)
    )
    return Completion(**dict(zip(_COLUMNS, found[0], strict=True))) if found else None


def _insert(
    rows: Rows, key: str, request: Mapping[str, Any], completion: Completion
) -> None:
    values = asdict(completion)
    # A refreshed answer is the last that was received.
    rows.execute("DELETE FROM completions WHERE key = ?", (key,))
    rows.execute(
        f"INSERT INTO completions (key, request, {', '.join(_COLUMNS)}) "
        f"VALUES (?, ?{', ?' * len(_COLUMNS)})",
        (key, json.dumps(request), *(values[c] for c in _COLUMNS)),
    )


def delete_answer(rows: Rows, key: str, created: str) -> int:
    """Delete an answer, unless a newer one has taken its place meanwhile."""
    same = "FROM completions WHERE key = ? AND created = ?"
    n_found = len(rows.execute(f"SELECT 1 {same}", (key, created)))
    rows.execute(f"DELETE {same}", (key, created))
    return n_found


def _is_older(created: str, than: datetime) -> bool:
    try:
        return datetime.fromisoformat(created) < than
    except (TypeError, ValueError):  # nobody knows when
        return False


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
