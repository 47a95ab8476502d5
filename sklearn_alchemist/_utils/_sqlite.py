"""Keep a SQLite file that threads and processes share and a kill does not break."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ._files import as_path, check_file

_LOCK_SECONDS = 60.0


@dataclass(frozen=True)
class Database(ABC):
    """A file that is made when it is first needed, and readable by its owner only.

    Every operation opens and closes its own connection, so it forks, pickles and
    survives a killed process.

    Parameters
    ----------
    path : str or path-like
        The file.
    """

    path: Path

    # Statements that make the tables where they are missing.
    schema: ClassVar[str]

    @abstractmethod
    def _unusable(self, error: Exception) -> Exception:
        """Say that the file cannot be used, and what to do."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", as_path(self.path))

    def _is_empty(self) -> bool:
        try:
            check_file(self.path)
            return self.path.stat().st_size == 0
        except FileNotFoundError:
            return True
        except (OSError, ValueError) as error:
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
            for statement in self.schema.split(";"):
                connection.execute(statement)
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Read, also where nothing may be written."""
        connection = None
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._is_empty()  # raises where there is no file but something else
            connection = sqlite3.connect(
                self.path, timeout=_LOCK_SECONDS, isolation_level=None
            )
            yield connection
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        finally:
            if connection is not None:
                connection.close()  # rolls back what was not committed


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
