"""Draw patterns whatever their order and that of the programs, without randomness."""

import numpy as np


def draw_patterns(
    codes: np.ndarray, counts: np.ndarray, n_answers: int, size: int
) -> np.ndarray:
    """Choose about `size` patterns by a hash of their answers.

    The hash of an answer depends on how often its program gives each answer instead of
    on the place of the program. So the same patterns are chosen for any order of rows
    and columns, and for collapsed rows as for repeated ones.

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
    hashes = np.zeros(len(codes), dtype=np.uint64)
    for column in codes.T:
        totals = np.bincount(column, counts, n_answers).view(np.uint64)
        place = np.arange(1, n_answers + 1, dtype=np.uint64)
        program = _mix(totals * np.uint64(2) + place).sum()
        hashes += _mix(program * place).take(column)
    hashes = _mix(hashes)
    largest = np.partition(hashes, size - 1)[size - 1]
    return np.flatnonzero(hashes <= largest)


def _mix(values: np.ndarray) -> np.ndarray:
    """Spread integers over 64 bits (the finaliser of splitmix64, modulo 2 ** 64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
