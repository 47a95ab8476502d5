"""Say how exact a share is that was counted."""

import numpy as np
from numpy.typing import ArrayLike

_Z = 1.959964  # two-sided, 95 %


def share_interval(share: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Compute Wilson's score interval of shares, at 95 %.

    Parameters
    ----------
    share : array-like of shape (n_shares,)
        Shares between 0 and 1; NaN where there is none.

    n : array-like of shape (n_shares,)
        How many were counted for each.

    Returns
    -------
    interval : ndarray of shape (n_shares, 2)
        Lowest and highest share; NaN where nothing was counted.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical
       inference", JASA 22, 1927.

    Examples
    --------
    >>> from sklearn_alchemist.inspection._intervals import share_interval
    >>> share_interval([0.8], [10]).round(2)
    array([[0.49, 0.94]])
    """
    share, n = np.asarray(share, float), np.asarray(n, float)
    n = np.where(n > 0, n, np.nan)
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + (_Z / (2 * n)) ** 2)
    return np.stack([centre - half, centre + half], axis=-1).clip(0, 1)
