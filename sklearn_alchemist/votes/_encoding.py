"""Say which numbers stand for which classes, and which one for abstaining."""

import numpy as np

ABSTAIN = -1
"""The vote of a program that does not decide."""


def vote_dtype(n_classes: int) -> np.dtype:
    """Smallest signed integer type that holds every class index and -1.

    Parameters
    ----------
    n_classes : int
        Number of classes, at least 1.

    Returns
    -------
    dtype : dtype
        One of int8, int16, int32 and int64.

    Raises
    ------
    ValueError
        If `n_classes` is smaller than 1.

    Examples
    --------
    >>> from sklearn_alchemist.votes import vote_dtype
    >>> vote_dtype(128), vote_dtype(129)
    (dtype('int8'), dtype('int16'))
    """
    if n_classes < 1:
        raise ValueError(f"n_classes must be at least 1, got {n_classes}.")
    # The type that holds -n_classes holds n_classes - 1 and -1 too.
    return np.min_scalar_type(-n_classes)


def encode_answers(votes: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Replace each vote by its position among the known answers.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes, -1 for abstain.

    answers : ndarray of shape (n_answers,)
        -1, then the other known votes in increasing order.

    Returns
    -------
    codes : ndarray of shape (n_samples, n_programs)
        Positions in `answers`: 0 for abstain, `n_answers` for an unknown vote.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.votes import encode_answers
    >>> encode_answers(np.array([[-1, 3], [5, 4]]), np.array([-1, 3, 5]))
    array([[0, 1],
           [2, 3]], dtype=int8)
    """
    known = answers[1:]
    dtype = vote_dtype(len(answers) + 1)
    if votes.dtype.kind == "i" and np.array_equal(known, np.arange(len(known))):
        # One more than the vote, and out of range for what is unknown: the type of the
        # votes may hold neither.
        wide = np.promote_types(votes.dtype, dtype)
        codes = np.minimum(votes, len(known), dtype=wide) + wide.type(1)
        codes[codes < 0] = len(answers)
        return codes.astype(dtype, copy=False)
    codes = np.full(votes.shape, len(answers), dtype=dtype)
    codes[votes == ABSTAIN] = 0
    if known.size:
        # Column by column, since positions take eight times the memory of votes.
        for code, column in zip(codes.T, votes.T, strict=True):
            position = np.searchsorted(known, column)
            position[position == known.size] = 0
            np.copyto(code, position + 1, where=known[position] == column)
    return codes
