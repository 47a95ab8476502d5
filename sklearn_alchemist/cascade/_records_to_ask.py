"""Order records by what an answer is worth, and cut where the budget ends."""

from typing import Any, NamedTuple

import numpy as np

from ._duplicates import first_occurrences
from ._reader_accuracy import NO_ANSWER

# No record whose answer could change nothing is worth asking about.
SMALLEST = float(np.finfo(float).tiny)


class View(NamedTuple):
    """Records, what is thought of them, and what is answered already.

    Parameters
    ----------
    rows : list
        Texts, or dicts of column to value.

    keys : list of str
        What tells the records apart.

    said : Bunch or None
        What the annotator says of them, with ``source`` and ``doubt``.

    proba : ndarray of shape (n_samples, n_classes)
        What the annotator thinks.

    codes : ndarray of int of shape (n_samples,)
        Answers that are known, -1 where there is none.

    gain : ndarray of shape (n_samples,)
        Expected reduction of the error of each record.

    cost : ndarray of shape (n_samples,)
        What asking costs, in what is scarce.

    dollars : ndarray of shape (n_samples,)
        What asking costs; NaN where the price is unknown.
    """

    rows: list[Any]
    keys: list[str]
    said: Any
    proba: np.ndarray
    codes: np.ndarray
    gain: np.ndarray
    cost: np.ndarray
    dollars: np.ndarray

    @property
    def worth(self) -> np.ndarray:
        """Expected reduction of the error for each unit of the cost."""
        return self.gain / self.cost

    @property
    def first(self) -> np.ndarray:
        """For each record the position of the first that equals it."""
        return first_occurrences(self.keys)

    def wanted(self, threshold: float, by_person: np.ndarray) -> np.ndarray:
        """Order the different records above a threshold, that worth most first.

        Parameters
        ----------
        threshold : float
            The least worth.

        by_person : ndarray of int of shape (n_samples,)
            Answers of people, after which nobody is asked; -1 elsewhere.

        Returns
        -------
        positions : ndarray of int
            The records.
        """
        worth = self.worth
        is_wanted = np.zeros(len(worth), dtype=bool)
        is_wanted[np.unique(self.first)] = True
        is_wanted &= (worth >= threshold) & (by_person == NO_ANSWER)
        return affordable(np.where(is_wanted, worth, 0.0), self.cost, None)


class Limits(NamedTuple):
    """What one call may take to the reader.

    Parameters
    ----------
    max_rows : int or None
        Most records; None is no limit.

    max_cost : float or None
        Most dollars; None is no limit.
    """

    max_rows: int | None
    max_cost: float | None

    def cost(self, dollars: np.ndarray) -> np.ndarray:
        """Tell what is scarce: dollars where they are limited, else records.

        Parameters
        ----------
        dollars : ndarray of shape (n_samples,)
            What asking costs; NaN where the price is unknown.

        Returns
        -------
        cost : ndarray of shape (n_samples,)
            The same, or 1 of each record.
        """
        if self.max_cost is None or not (dollars > 0).all():
            return np.ones(len(dollars))
        return dollars

    def cut(self, positions: np.ndarray, dollars: np.ndarray) -> np.ndarray:
        """Cut where the budget ends, stored answers included.

        Parameters
        ----------
        positions : ndarray of int
            Records in order.

        dollars : ndarray of shape (n_samples,)
            What asking costs.

        Returns
        -------
        within : ndarray of int
            The first ones.
        """
        within = positions[: self.max_rows]
        if self.max_cost is not None:
            fits = np.cumsum(dollars[within]) <= self.max_cost * (1 + 1e-9)
            within = within[fits]
        return within

    def threshold(self, view: View) -> float:
        """Find from which worth on both limits pay for records like these.

        Parameters
        ----------
        view : View
            The records.

        Returns
        -------
        threshold : float
            The least worth; infinite where nothing is paid for.
        """
        first = np.unique(view.first)
        worth = view.worth[first]
        by_rows = threshold_within(worth, np.ones(len(first)), self.max_rows)
        if self.max_cost is None:
            return by_rows
        return max(by_rows, threshold_within(worth, view.dollars[first], self.max_cost))


def affordable(worth: np.ndarray, cost: np.ndarray, budget: float | None) -> np.ndarray:
    """Take the records that are worth most, as many as a budget pays.

    Parameters
    ----------
    worth : ndarray of shape (n_samples,)
        Expected reduction of the error for each unit of `cost`.

    cost : ndarray of shape (n_samples,)
        What asking costs, in dollars or in records.

    budget : float or None
        What may be spent; None is no limit.

    Returns
    -------
    positions : ndarray of int
        Records in order of worth, those left out of which an answer is worth nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.cascade import affordable
    >>> affordable(np.array([0.1, 0.0, 0.4]), np.ones(3), 1)
    array([2])
    """
    order = np.argsort(-worth, kind="stable")
    order = order[worth[order] >= SMALLEST]
    if budget is None:
        return order
    # A sum of floats may be above what it stands for.
    fits = np.cumsum(cost[order]) <= budget * (1 + 1e-9)
    return order[fits]


def threshold_within(
    worth: np.ndarray, cost: np.ndarray, budget: float | None
) -> float:
    """Find from which worth on a budget pays for records like these.

    Parameters
    ----------
    worth : ndarray of shape (n_samples,)
        Expected reduction of the error for each unit of `cost`.

    cost : ndarray of shape (n_samples,)
        What asking costs.

    budget : float or None
        What may be spent; None is no limit.

    Returns
    -------
    threshold : float
        The least worth that is paid for; infinite where nothing is.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.cascade import threshold_within
    >>> threshold_within(np.array([0.1, 0.2, 0.4]), np.ones(3), 2)
    0.2
    """
    chosen = affordable(worth, cost, budget)
    n_worth = int((worth >= SMALLEST).sum())
    if len(chosen) == n_worth:
        return SMALLEST
    return float(worth[chosen[-1]]) if len(chosen) else float("inf")
