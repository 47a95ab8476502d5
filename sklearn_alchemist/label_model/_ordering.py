"""Put patterns and programs in an order of their own, whatever order they come in."""

import numpy as np


def hash_patterns(codes: np.ndarray, counts: np.ndarray, n_answers: int) -> np.ndarray:
    """Hash the answers of each pattern.

    The hash of an answer depends on how often its program gives each answer instead of
    on the place of the program. So a pattern has the same hash for any order of rows
    and columns, and collapsed rows have the one of repeated ones.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, from 0 to ``n_answers - 1``.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    n_answers : int
        Number of different answers.

    Returns
    -------
    hashes : ndarray of uint64 of shape (n_patterns,)
        Equal for equal patterns.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import hash_patterns
    >>> codes, counts = np.array([[0, 1], [1, 1]]), np.ones(2)
    >>> hashes = hash_patterns(codes, counts, n_answers=2)
    >>> np.array_equal(hash_patterns(codes[:, ::-1], counts, n_answers=2), hashes)
    True
    """
    hashes = np.zeros(len(codes), dtype=np.uint64)
    for column in codes.T:
        totals = np.bincount(column, counts, n_answers).view(np.uint64)
        place = np.arange(1, n_answers + 1, dtype=np.uint64)
        program = _mix(totals * np.uint64(2) + place).sum()
        hashes += _mix(program * place).take(column)
    return _mix(hashes)


def canonical_order(
    codes: np.ndarray, counts: np.ndarray, n_answers: int
) -> tuple[np.ndarray, np.ndarray]:
    """Order patterns and programs by what they hold.

    Sums over patterns are rounded, and the leaps of many steps of EM blow such
    differences up. In one order there are none.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, from 0 to ``n_answers - 1``.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    n_answers : int
        Number of different answers.

    Returns
    -------
    rows : ndarray of int of shape (n_patterns,)
        Positions of the patterns, the first one first.

    columns : ndarray of int of shape (n_programs,)
        Positions of the programs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import canonical_order
    >>> codes, counts = np.array([[0, 1, 1], [1, 1, 0]]), np.array([2.0, 1.0])
    >>> rows, columns = canonical_order(codes, counts, n_answers=2)
    >>> turned = codes[::-1, ::-1]
    >>> same_rows, same_columns = canonical_order(turned, counts[::-1], n_answers=2)
    >>> ordered = codes[np.ix_(rows, columns)]
    >>> np.array_equal(turned[np.ix_(same_rows, same_columns)], ordered)
    True
    """
    hashes = hash_patterns(codes, counts, n_answers)
    seen = _mix(hashes + _mix(counts.astype(np.float64).view(np.uint64)))
    place = np.arange(1, n_answers + 1, dtype=np.uint64)
    programs = [_mix(seen * place.take(column)).sum() for column in codes.T]
    rows = np.argsort(hashes, kind="stable")
    return rows, np.argsort(np.array(programs, dtype=np.uint64), kind="stable")


def _mix(values: np.ndarray) -> np.ndarray:
    """Spread integers over 64 bits (the finaliser of splitmix64, modulo 2 ** 64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
