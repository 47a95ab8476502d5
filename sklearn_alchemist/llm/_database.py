"""Keep a SQLite file that threads and processes share and a kill does not break."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..exceptions import StoreError

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
class Database:
    """A file that is made when it is first needed, and readable by its owner only.

    Every operation opens and closes its own connection, so it forks, pickles and
    survives a killed process.

    Parameters
    ----------
    path : Path
        The file.
    """

    path: Path

    def _is_empty(self) -> bool:
        try:
            return self.path.stat().st_size == 0
        except FileNotFoundError:
            return True
        except OSError as error:
            raise self._unusable(error) from error

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
            raise self._unusable(error) from error
        finally:
            if connection is not None:
                connection.close()  # rolls back what was not committed

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            f"the store of completions {str(self.path)!r} cannot be used: {error}. "
            "Name a writable file in LLM(..., store=PATH) or in the environment "
            "variable SKLEARN_ALCHEMIST_STORE."
        )


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Tell whether a file is not older than a table.

    Parameters
    ----------
    connection : Connection
        To the file.

    name : str
        Name of the table.

    Returns
    -------
    known : bool
        Whether the file holds it.
    """
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (name,)).fetchone() is not None
