"""Choose the records that programs are tried on."""

import numpy as np


def draw_rows(n_rows: int, n_drawn: int) -> np.ndarray:
    """Draw some rows at random, the same ones whenever it is asked.

    At even distances, records that alternate would all be of one kind.

    Parameters
    ----------
    n_rows : int
        Number of rows to draw from.

    n_drawn : int
        Most rows to draw.

    Returns
    -------
    rows : ndarray of shape (min(n_rows, n_drawn),)
        Their positions, in ascending order.
    """
    if n_rows <= n_drawn:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, n_drawn, replace=False))
