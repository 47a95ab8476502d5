"""Draw patterns whatever their order and that of the programs, without randomness."""

import numpy as np

from ._ordering import hash_patterns


def draw_patterns(
    codes: np.ndarray, counts: np.ndarray, n_answers: int, size: int
) -> np.ndarray:
    """Choose about `size` patterns by a hash of their answers.

    The same patterns are chosen for any order of rows and columns, and for collapsed
    rows as for repeated ones.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, from 0 to ``n_answers - 1``.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    n_answers : int
        Number of different answers.

    size : int
        Number of patterns to choose.

    Returns
    -------
    chosen : ndarray of int
        Positions of the chosen patterns, in increasing order; all if there are no more.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import draw_patterns
    >>> codes = np.array([[0, 1], [1, 1], [2, 0], [2, 2]])
    >>> len(draw_patterns(codes, np.array([5.0, 3.0, 2.0, 1.0]), n_answers=3, size=2))
    2
    """
    if len(codes) <= size:
        return np.arange(len(codes))
    hashes = hash_patterns(codes, counts, n_answers)
    largest = np.partition(hashes, size - 1)[size - 1]
    return np.flatnonzero(hashes <= largest)
