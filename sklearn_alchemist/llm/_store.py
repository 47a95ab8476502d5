"""Keep completions on disk, so that no answer is paid twice."""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from ._accounts import Accounts, Charge, settle
from ._question import Completion

_COLUMNS = tuple(f.name for f in fields(Completion))


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
class CompletionStore(Accounts):
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
            # Of a clock that was set back since, a claim would hold for hours.
            connection.execute(
                "UPDATE claims SET expires = MIN(expires, ?) WHERE key = ?",
                (now + seconds, key),
            )
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
                settle(connection, charge, completion.dollars)

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
