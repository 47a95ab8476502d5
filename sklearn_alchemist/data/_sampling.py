"""Choose the records that programs are tried on, and that a student learns from."""

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


def draw_by_hash(
    hashes: np.ndarray, n_drawn: int, kinds: np.ndarray | None = None
) -> np.ndarray:
    """Draw different records of each kind, in whatever order and parts they come.

    Records are drawn whose hashes are lowest, so that a draw from what was drawn from
    parts is one from the whole, and a record that comes twice counts once.

    Parameters
    ----------
    hashes : ndarray of uint64 of shape (n_rows,)
        Hashes of the records.

    n_drawn : int
        Most records to draw of each kind.

    kinds : ndarray of bool of shape (n_rows,), default=None
        Which of two kinds each is of; equal records are of the same kind. None is one
        kind.

    Returns
    -------
    rows : ndarray of int
        Positions; of each kind in the order of the hashes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.data import draw_by_hash
    >>> draw_by_hash(np.array([7, 3, 9, 3, 1], dtype=np.uint64), 3)
    array([4, 1, 0])
    """
    parts = [np.ones(len(hashes), dtype=bool)] if kinds is None else [kinds, ~kinds]
    drawn = []
    for part in parts:
        rows = np.flatnonzero(part)
        first = np.unique(hashes[rows], return_index=True)[1][:n_drawn]
        drawn.append(rows[first])
    return np.concatenate(drawn)
