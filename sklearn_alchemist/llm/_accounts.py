"""Hold all that is asked by way of one file to a cap, whoever asks."""

import sqlite3
import uuid
from dataclasses import dataclass, field

from ..exceptions import BudgetError
from ._database import Database, has_table


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


class Accounts(Database):
    """What is spent and set aside by all threads and processes that share a file.

    Parameters
    ----------
    path : Path
        The file.
    """

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
            settle(connection, charge, dollars)

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


def settle(connection: sqlite3.Connection, charge: Charge, dollars: float) -> None:
    """Replace what was set aside, within a transaction.

    Parameters
    ----------
    connection : Connection
        To the file.

    charge : Charge
        What was set aside.

    dollars : float
        What the call cost.
    """
    connection.execute(
        "UPDATE charges SET dollars = ?, settled = 1 WHERE id = ?", (dollars, charge.id)
    )


def _cap(connection: sqlite3.Connection) -> float | None:
    if not has_table(connection, "cap"):
        return None
    row = connection.execute("SELECT dollars FROM cap").fetchone()
    return None if row is None else row[0]


def _spent(connection: sqlite3.Connection) -> float:
    if not has_table(connection, "charges"):
        return 0.0
    return connection.execute("SELECT TOTAL(dollars) FROM charges").fetchone()[0]
