"""Keep completions on disk, so that no answer is paid twice."""

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..exceptions import StoreError
from ._question import Completion, digest

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
class CompletionStore:
    """Completions in a SQLite file, shared by any number of threads and processes.

    Every operation opens and closes its own connection, so a store forks, pickles and
    survives a killed process. The file is readable by its owner only.

    Parameters
    ----------
    path : Path
        The file; it is made when it is first needed.
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

    def claim(self, key: str, *, seconds: float, refresh: bool = False) -> Any:
        """Get the answer to a question, or else the right to ask it.

        Parameters
        ----------
        key : str
            Key of the question.

        seconds : float
            How long the claim holds unless it is renewed; then others may claim.

        refresh : bool, default=False
            Claim even what has an answer.

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
            if not refresh and (completion := _select(connection, key)):
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
        self, claim: Claim, request: Mapping[str, Any], completion: Completion
    ) -> None:
        """Keep an answer and give up the claim to its question.

        Parameters
        ----------
        claim : Claim
            What `claim` gave.

        request : mapping
            What was asked; kept for people who read the store.

        completion : Completion
            What was answered.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        values = asdict(completion)
        names = ", ".join(_COLUMNS)
        with self._transaction() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO completions (key, request, {names}) "
                f"VALUES (?, ?{', ?' * len(_COLUMNS)})",
                (claim.key, json.dumps(request), *(values[c] for c in _COLUMNS)),
            )
            connection.execute(
                "DELETE FROM claims WHERE key = ? AND owner = ?",
                (claim.key, claim.owner),
            )

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
        try:
            lines = self.path.read_text(encoding="utf-8").split("\n")
        except OSError as error:
            raise StoreError(
                f"the recordings {str(self.path)!r} cannot be read: {error}."
            ) from error
        completions = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                completion = Completion(**record["completion"])
                completions[recording_key(record["request"])] = completion
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(
                    f"line {number} of {str(self.path)!r} is no recording: {error!r}."
                ) from error
        return completions


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
    store: CompletionStore, path: Path, *, answered_by: str | None = None
) -> int:
    """Write all that a store holds as recordings.

    Parameters
    ----------
    store : CompletionStore
        What to write.

    path : Path
        The file to write, with a name that ends in ``.jsonl``.

    answered_by : str or None, default=None
        Who answered, where the server's own name for the model does not tell.

    Returns
    -------
    n_recordings : int
        Number of lines written.
    """
    lines = []
    for request, completion in store.records():
        kept = {name: item for name, item in request.items() if name != "api_base"}
        answer = asdict(completion)
        if answered_by is not None:
            answer["model"] = answered_by
        record = {"request": kept, "completion": answer}
        lines.append(json.dumps(record))
    path.write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    return len(lines)


def _select(connection: sqlite3.Connection, key: str) -> Completion | None:
    row = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM completions WHERE key = ?", (key,)
    ).fetchone()
    return None if row is None else Completion(**dict(zip(_COLUMNS, row, strict=True)))
