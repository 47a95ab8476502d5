"""Say which numbers stand for which classes, and which one for abstaining."""

from collections.abc import Iterable
from typing import Any

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


def check_classes(classes: Iterable[Any]) -> np.ndarray:
    """Sort and validate the classes that a user lists.

    Parameters
    ----------
    classes : iterable or dict
        At least two different class labels, all strings or all numbers. Of a dict,
        the keys.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The labels in sorted order; the vote ``k`` stands for the `k`-th.

    Raises
    ------
    ValueError
        If labels are missing, repeated, fewer than two, or strings mixed with
        numbers.

    Examples
    --------
    >>> from sklearn_alchemist.votes import check_classes
    >>> check_classes({"spam": "unwanted mail", "ham": "all other mail"})
    array(['ham', 'spam'], dtype='<U4')
    """
    if isinstance(classes, str):
        raise ValueError(
            f"classes must be a list of labels, got the string {classes!r}."
        )
    labels = classes.to_pylist() if hasattr(classes, "to_pylist") else list(classes)
    for label in labels:
        if label is None or (isinstance(label, float) and label != label):
            raise ValueError("classes must not hold None or NaN.")
        if not isinstance(label, str | int | float | np.number | np.bool):
            raise ValueError(
                f"each class must be a str, a number or a bool; got {label!r}."
            )
        if label == "":
            raise ValueError("an empty str cannot be a class.")
    if len({isinstance(label, str) for label in labels}) > 1:
        raise ValueError(f"classes must be all strings or all numbers, got {labels}.")
    unique, counts = np.unique(labels, return_counts=True)
    if unique.size < counts.sum():
        raise ValueError(
            f"classes holds duplicates: {unique[counts > 1].tolist()}. List each class "
            "once."
        )
    if unique.size < 2:
        raise ValueError(
            f"classes must hold at least 2 classes, got {unique.tolist()}."
        )
    return unique


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
        # One more than the vote, and out of range for what is unknown.
        codes = np.minimum(votes, len(known), dtype=votes.dtype) + votes.dtype.type(1)
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
