"""Hold all that is asked by way of one file to a cap, whoever asks."""

import sqlite3
import time
import uuid
from dataclasses import dataclass, field
from typing import ClassVar

from .._sqlite import Database, has_table
from ..exceptions import BudgetError, StoreError

# Others wait for so long after a process that was killed.
LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class Reservation:
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


class SpendingCap(Database):
    """What is spent and set aside by all threads and processes that share a file.

    Parameters
    ----------
    path : Path
        The file.
    """

    schema: ClassVar[str] = """
    CREATE TABLE IF NOT EXISTS charges (
        id TEXT PRIMARY KEY,
        dollars REAL NOT NULL,     -- the worst case until the outcome is known
        settled INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS under_way (
        id TEXT PRIMARY KEY,
        expires REAL NOT NULL      -- seconds since the epoch
    );
    CREATE TABLE IF NOT EXISTS cap (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        dollars REAL NOT NULL
    )
    """

    def reserve(
        self, dollars: float, *, seconds: float = LEASE_SECONDS
    ) -> Reservation | None:
        """Set aside what one call may cost, if the cap of the store allows it.

        Parameters
        ----------
        dollars : float
            Most that the call may cost.

        seconds : float, default=60.0
            For how long the call counts as under way unless that is renewed.

        Returns
        -------
        reservation : Reservation or None
            To be given to `settle` when the outcome is known; until then, and for good
            if the process is killed, the whole amount counts as spent. None while what
            others have under way may turn out to leave room.

        Raises
        ------
        BudgetError
            If the call could exceed the cap, whatever is under way turns out to cost;
            nothing is set aside then.

        StoreError
            If the file cannot be written.
        """
        reservation = Reservation(dollars)
        with self._transaction() as connection:
            now = time.time()
            cap, spent = _cap(connection), _spent(connection)
            if cap is not None and spent + dollars > cap:
                # A clock that was set back since leaves no call under way for hours.
                connection.execute(
                    "UPDATE under_way SET expires = MIN(expires, ?)", (now + seconds,)
                )
                under_way = _under_way(connection, now)
                if not under_way or spent - sum(under_way) + dollars > cap:
                    raise BudgetError(
                        f"the next call may cost ${dollars:.4f}; of the cap of "
                        f"${cap:.4f} of the store {str(self.path)!r}, ${spent:.4f} are "
                        "spent or reserved. Raise it by CompletionStore(path)"
                        ".set_cap(...)."
                    )
                return None
            connection.execute(
                "INSERT INTO charges VALUES (?, ?, 0)", (reservation.id, dollars)
            )
            connection.execute(
                "INSERT INTO under_way VALUES (?, ?)", (reservation.id, now + seconds)
            )
        return reservation

    def settle(self, reservation: Reservation, dollars: float | None) -> None:
        """Replace what was set aside by what a call did cost.

        Parameters
        ----------
        reservation : Reservation
            What `reserve` gave.

        dollars : float or None
            What the call cost; None keeps what was set aside.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        with self._transaction() as connection:
            settle(connection, reservation, dollars)

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

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            f"the store of completions {str(self.path)!r} cannot be used: {error}. "
            "Name a writable file in LLM(..., store=PATH) or in the environment "
            "variable SKLEARN_ALCHEMIST_STORE."
        )


def settle(
    connection: sqlite3.Connection, reservation: Reservation, dollars: float | None
) -> None:
    """Replace what was set aside, within a transaction.

    Parameters
    ----------
    connection : Connection
        To the file.

    reservation : Reservation
        What was set aside.

    dollars : float or None
        What the call cost; None keeps what was set aside.
    """
    connection.execute(
        "UPDATE charges SET dollars = IFNULL(?, dollars), settled = 1 WHERE id = ?",
        (dollars, reservation.id),
    )
    connection.execute("DELETE FROM under_way WHERE id = ?", (reservation.id,))


def _cap(connection: sqlite3.Connection) -> float | None:
    if not has_table(connection, "cap"):
        return None
    row = connection.execute("SELECT dollars FROM cap").fetchone()
    return None if row is None else row[0]


def _spent(connection: sqlite3.Connection) -> float:
    if not has_table(connection, "charges"):
        return 0.0
    return connection.execute("SELECT TOTAL(dollars) FROM charges").fetchone()[0]


def _under_way(connection: sqlite3.Connection, now: float) -> list[float]:
    """Dollars that calls of living processes have set aside."""
    query = "SELECT dollars FROM charges JOIN under_way USING (id) WHERE expires > ?"
    return [dollars for (dollars,) in connection.execute(query, (now,))]
