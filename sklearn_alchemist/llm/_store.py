"""Keep completions on disk, so that no answer is paid twice, and hold them to a cap."""

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from ..exceptions import BudgetError, StoreError
from ._question import Completion

_SCHEMA = """
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
);
CREATE TABLE IF NOT EXISTS charges (
    id TEXT PRIMARY KEY,
    dollars REAL NOT NULL,     -- the worst case until the outcome is known
    settled INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS cap (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    dollars REAL NOT NULL
);
"""
_COLUMNS = tuple(f.name for f in fields(Completion))
_LOCK_SECONDS = 60.0


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
class Claim:
    """The right to ask a question, which nobody else then asks.

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
class Charge:
    """Dollars that are set aside for one call.

    Parameters
    ----------
    dollars : float
        What the call may cost at most.

    id : str
        Tells calls apart.
    """

    dollars: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class CompletionStore:
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

    path: Path

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
            How long the claim holds unless it is renewed; then others may claim.

        newer_than : datetime or None, default=None
            Take no answer that was received before.

        Returns
        -------
        outcome : Completion, Claim or None
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
            held = connection.execute(
                "SELECT 1 FROM claims WHERE key = ? AND expires > ?", (key, now)
            ).fetchone()
            if held:
                return None
            claim = Claim(key)
            connection.execute(
                "INSERT OR REPLACE INTO claims VALUES (?, ?, ?)",
                (key, claim.owner, now + seconds),
            )
            return claim

    def reserve(self, dollars: float) -> Charge:
        """Set aside what one call may cost, if the cap of the store allows it.

        Parameters
        ----------
        dollars : float
            Most that the call may cost.

        Returns
        -------
        charge : Charge
            To be given to `settle` when the outcome is known; until then, and for good
            if the process is killed, the whole amount counts as spent.

        Raises
        ------
        BudgetError
            If the call could exceed the cap; nothing is set aside then.

        StoreError
            If the file cannot be written.
        """
        charge = Charge(dollars)
        with self._transaction() as connection:
            cap, spent = _cap(connection), _spent(connection)
            if cap is not None and spent + dollars > cap:
                raise BudgetError(
                    f"the next call may cost ${dollars:.4f}; of the cap of "
                    f"${cap:.4f} of the store {str(self.path)!r}, ${spent:.4f} are "
                    "spent or reserved. Raise it by CompletionStore(path).set_cap(...)."
                )
            connection.execute(
                "INSERT INTO charges VALUES (?, ?, 0)", (charge.id, dollars)
            )
        return charge

    def settle(self, charge: Charge, dollars: float) -> None:
        """Replace what was set aside by what a call did cost.

        Parameters
        ----------
        charge : Charge
            What `reserve` gave.

        dollars : float
            What the call cost.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        with self._transaction() as connection:
            _settle(connection, charge, dollars)

    def set_cap(self, dollars: float | None) -> None:
        """Hold all that is asked by way of this store, by whomever, to an amount.

        Parameters
        ----------
        dollars : float or None
            Most that may be spent in all; None takes the cap away.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        if dollars is not None and not dollars >= 0:
            raise ValueError(f"the cap must be at least 0; got {dollars!r}.")
        with self._transaction() as connection:
            connection.execute("DELETE FROM cap")
            if dollars is not None:
                connection.execute("INSERT INTO cap VALUES (1, ?)", (float(dollars),))

    def cap(self) -> float | None:
        """Tell what may be spent in all.

        Returns
        -------
        dollars : float or None
            None without a cap.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        if self._is_empty():
            return None
        with self._connection() as connection:
            return _cap(connection)

    def spent(self) -> float:
        """Tell what is spent or set aside, of calls whose price is known.

        Returns
        -------
        dollars : float
            The sum over all processes since the store was made.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        if self._is_empty():
            return 0.0
        with self._connection() as connection:
            return _spent(connection)

    def renew(self, claim: Claim, *, seconds: float) -> None:
        """Hold a claim for some more time.

        Parameters
        ----------
        claim : Claim
            What `claim` gave.

        seconds : float
            How long it holds from now.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        with self._transaction() as connection:
            connection.execute(
                "UPDATE claims SET expires = ? WHERE key = ? AND owner = ?",
                (time.time() + seconds, claim.key, claim.owner),
            )

    def release(self, claim: Claim) -> None:
        """Give a claim up, so that others may ask.

        Parameters
        ----------
        claim : Claim
            What `claim` gave.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM claims WHERE key = ? AND owner = ?",
                (claim.key, claim.owner),
            )

    def save(
        self,
        claim: Claim,
        request: Mapping[str, Any],
        completion: Completion,
        charge: Charge | None = None,
    ) -> None:
        """Keep an answer, give up the claim to its question and settle its charge.

        Parameters
        ----------
        claim : Claim
            What `claim` gave.

        request : mapping
            What was asked; kept for people who read the store.

        completion : Completion
            What was answered.

        charge : Charge or None, default=None
            What was set aside for it.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        with self._transaction() as connection:
            _insert(connection, claim.key, request, completion)
            connection.execute(
                "DELETE FROM claims WHERE key = ? AND owner = ?",
                (claim.key, claim.owner),
            )
            if charge is not None and completion.dollars is not None:
                _settle(connection, charge, completion.dollars)

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

    def _is_empty(self) -> bool:
        return not self.path.exists() or self.path.stat().st_size == 0

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing, alone among all threads and processes."""
        with self._connection() as connection:
            is_new = self._is_empty()
            connection.execute("BEGIN IMMEDIATE")
            if is_new:
                # Private while it is empty. Not by a descriptor of our own: closing it
                # would drop the locks that other threads hold.
                self.path.chmod(0o600)
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = None
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=_LOCK_SECONDS, isolation_level=None
            )
            yield connection
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"the store of completions {str(self.path)!r} cannot be used: {error}. "
                "Name a writable file in LLM(..., store=PATH) or in the environment "
                "variable SKLEARN_ALCHEMIST_STORE."
            ) from error
        finally:
            if connection is not None:
                connection.close()  # rolls back what was not committed


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


def _settle(connection: sqlite3.Connection, charge: Charge, dollars: float) -> None:
    connection.execute(
        "UPDATE charges SET dollars = ?, settled = 1 WHERE id = ?", (dollars, charge.id)
    )


def _cap(connection: sqlite3.Connection) -> float | None:
    if not _has_table(connection, "cap"):
        return None
    row = connection.execute("SELECT dollars FROM cap").fetchone()
    return None if row is None else row[0]


def _spent(connection: sqlite3.Connection) -> float:
    if not _has_table(connection, "charges"):
        return 0.0
    return connection.execute("SELECT TOTAL(dollars) FROM charges").fetchone()[0]


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Tell whether a store is not older than a table."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (name,)).fetchone() is not None


def is_newer(completion: Completion, than: datetime | None) -> bool:
    """Tell whether an answer was received after a moment.

    Parameters
    ----------
    completion : Completion
        The answer.

    than : datetime or None
        The moment; None is before all answers.

    Returns
    -------
    newer : bool
        Whether the answer may be used.
    """
    if than is None:
        return True
    try:
        return datetime.fromisoformat(completion.created) >= than
    except (TypeError, ValueError):  # nobody knows when
        return False
