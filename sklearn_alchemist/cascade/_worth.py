"""Order records by what an answer is worth, and cut where the budget ends."""

import numpy as np

# No record whose answer could change nothing is worth asking about.
SMALLEST = float(np.finfo(float).tiny)


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
