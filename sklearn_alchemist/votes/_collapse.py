"""Collapse equal rows of votes into patterns and their counts."""

import numpy as np

# Keys below 2 ** 62 leave room for one sum without overflow,
_KEY_LIMIT = 1 << 62
# and sums of floating-point numbers are exact up to here.
_EXACT = 1 << 53
# So many rows at one time stay in the cache.
_CHUNK = 1 << 14
# A table of this many counters is cheaper than sorting even a few rows.
_SMALL_TABLE = 1 << 16


def collapse(
    votes: np.ndarray, sample_weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the different rows of a vote matrix and count them.

    Rows are compared by exact integer keys. As many columns as 53 bits hold become one
    key; where they do not suffice, the keys are ranked and joined with the next
    columns, until all columns are read or all rows are found to differ.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes; any finite numbers. Integers in a small range are fastest.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each row; 1 if None.

    Returns
    -------
    patterns : ndarray of shape (n_patterns, n_programs)
        The different rows, in lexicographic order.

    inverse : ndarray of shape (n_samples,)
        Position of each row in `patterns`: ``patterns[inverse]`` is `votes`.

    counts : ndarray of shape (n_patterns,)
        Number of rows of each pattern, or their total weight.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.votes import collapse
    >>> patterns, inverse, counts = collapse(np.array([[1, -1], [0, 0], [1, -1]]))
    >>> patterns
    array([[ 0,  0],
           [ 1, -1]])
    >>> inverse, counts
    (array([1, 0, 1]), array([1, 2]))
    """
    first, inverse = rank_rows(votes)
    counts = np.bincount(inverse, weights=sample_weight, minlength=len(first))
    return votes.take(first, axis=0), inverse, counts


def rank_rows(votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put the different rows of a vote matrix in lexicographic order.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes; any finite numbers.

    Returns
    -------
    first : ndarray of shape (n_patterns,)
        Where each different row stands, in lexicographic order.

    rank : ndarray of shape (n_samples,)
        Rank of each row: ``votes[first[rank]]`` is `votes`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.votes import rank_rows
    >>> first, rank = rank_rows(np.array([[1, -1], [0, 0], [1, -1]]))
    >>> len(first), rank
    (2, array([1, 0, 1]))
    """
    n_samples, n_programs = votes.shape
    digits = _as_small_integers(votes)
    low = int(digits.min(initial=0))
    radix = int(digits.max(initial=0)) - low + 1

    inverse = np.zeros(n_samples, dtype=np.int64)
    first = np.zeros(min(n_samples, 1), dtype=np.intp)
    column = 0
    while column < n_programs and len(first) < n_samples:
        width, size = 0, 1
        room = min(_EXACT, _KEY_LIMIT // len(first))
        while column + width < n_programs and size * radix <= room:
            width, size = width + 1, size * radix
        place = slice(column, column + width)
        inverse *= size
        inverse += _pack(digits[:, place], low, radix)
        first, inverse = _rank(inverse, size * len(first))
        column += width
    return first, inverse


def _pack(digits: np.ndarray, low: int, radix: int) -> np.ndarray:
    """Join the digits of each row to one number, exactly."""
    values = float(radix) ** np.arange(digits.shape[1])[::-1]
    keys = np.empty(len(digits), dtype=np.int64)
    for start in range(0, len(digits), _CHUNK):
        rows = digits[start : start + _CHUNK].astype(np.float64)
        rows -= low
        keys[start : start + _CHUNK] = rows @ values
    return keys


def _rank(keys: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where each different key stands, and the rank of every key."""
    if size > max(_SMALL_TABLE, 2 * len(keys)):
        order = keys.argsort()
        ordered = keys[order]
        is_new = np.ones(len(keys), dtype=bool)
        np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
        rank = np.empty(len(keys), dtype=np.int64)
        rank[order] = is_new.cumsum() - 1
        return order[is_new], rank
    position = np.full(size, -1, dtype=np.intp)
    position[keys] = np.arange(len(keys))
    present = np.flatnonzero(position >= 0)
    first = position[present]
    position[present] = np.arange(len(present))
    return first, position[keys]


def _as_small_integers(votes: np.ndarray) -> np.ndarray:
    """Return integers below 2 ** 31 that are equal and ordered as the votes are."""
    if votes.dtype.kind == "b":
        return votes.view(np.uint8)
    if votes.dtype.kind in "iu" and votes.dtype.itemsize < 4:
        return votes
    small = votes.size == 0 or (votes.min() > -(2**30) and votes.max() < 2**30)
    if small:
        integers = votes.astype(np.int32)
        if votes.dtype.kind in "iu" or np.array_equal(integers, votes):
            return integers
    return np.unique(votes, return_inverse=True)[1].reshape(votes.shape)
