"""Count how programs vote, overlap, disagree and hit given labels."""

import numpy as np

from ._encoding import ABSTAIN


def coverage(votes: np.ndarray) -> np.ndarray:
    """Share of samples that each program votes on.

    Parameters
    ----------
    votes : array-like of int of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    Returns
    -------
    coverage : ndarray of shape (n_programs,)
        Values between 0 and 1.

    Raises
    ------
    ValueError
        If `votes` is no matrix of integers from -1 on.

    Examples
    --------
    >>> from sklearn_alchemist.votes import coverage
    >>> coverage([[0, -1], [1, 1], [0, -1], [0, 0]])
    array([1. , 0.5])
    """
    votes = _check_votes(votes)
    return _share_of_rows(votes != ABSTAIN)


def overlaps(votes: np.ndarray) -> np.ndarray:
    """Share of samples on which each program and at least one other vote.

    Parameters
    ----------
    votes : array-like of int of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    Returns
    -------
    overlaps : ndarray of shape (n_programs,)
        Values between 0 and the program's coverage.

    Raises
    ------
    ValueError
        If `votes` is no matrix of integers from -1 on.

    Examples
    --------
    >>> from sklearn_alchemist.votes import overlaps
    >>> overlaps([[0, -1, 0], [1, 1, -1], [0, -1, -1], [0, 0, 0]])
    array([0.75, 0.5 , 0.5 ])
    """
    votes = _check_votes(votes)
    voted = votes != ABSTAIN
    voted &= (np.count_nonzero(voted, axis=1) > 1)[:, None]
    return _share_of_rows(voted)


def conflicts(votes: np.ndarray) -> np.ndarray:
    """Share of samples on which each program votes and another one disagrees.

    Parameters
    ----------
    votes : array-like of int of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    Returns
    -------
    conflicts : ndarray of shape (n_programs,)
        Values between 0 and the program's overlap.

    Raises
    ------
    ValueError
        If `votes` is no matrix of integers from -1 on.

    Examples
    --------
    >>> from sklearn_alchemist.votes import conflicts
    >>> conflicts([[0, -1, 1], [1, 1, -1], [0, -1, -1], [0, 0, 0]])
    array([0.25, 0.  , 0.25])
    """
    votes = _check_votes(votes)
    # Where two votes of a row differ, every vote of the row differs from some other.
    return _share_of_rows((votes != ABSTAIN) & contradicted(votes)[:, np.newaxis])


def contradicted(votes: np.ndarray) -> np.ndarray:
    """Tell on which rows votes differ.

    Parameters
    ----------
    votes : array-like of int of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    Returns
    -------
    contradicted : ndarray of shape (n_samples,) of bool
        Whether two programs vote for different classes.

    Raises
    ------
    ValueError
        If `votes` is no matrix of integers from -1 on.

    Examples
    --------
    >>> from sklearn_alchemist.votes import contradicted
    >>> contradicted([[0, -1, 1], [1, 1, -1]])
    array([ True, False])
    """
    votes = _check_votes(votes)
    highest = votes.max(axis=1, keepdims=True, initial=ABSTAIN)
    return ((votes != ABSTAIN) & (votes != highest)).any(axis=1)


def polarity(votes: np.ndarray, n_classes: int | None = None) -> np.ndarray:
    """Tell which classes each program ever votes.

    Parameters
    ----------
    votes : array-like of int of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    n_classes : int, default=None
        Number of classes. If None, one more than the largest vote.

    Returns
    -------
    polarity : ndarray of bool of shape (n_programs, n_classes)
        True where the program votes the class at least once.

    Raises
    ------
    ValueError
        If `votes` is no matrix of integers from -1 to ``n_classes - 1``.

    Examples
    --------
    >>> from sklearn_alchemist.votes import polarity
    >>> polarity([[0, -1], [1, 1]])
    array([[ True,  True],
           [False,  True]])
    """
    votes = _check_votes(votes)
    largest = int(votes.max(initial=ABSTAIN))
    if n_classes is None:
        n_classes = largest + 1
    elif largest >= n_classes:
        raise ValueError(f"votes holds {largest}, but n_classes is {n_classes}.")
    ever = np.zeros((votes.shape[1], n_classes + 1), dtype=bool)
    for program, column in zip(ever, votes.T, strict=True):
        program[column] = True  # -1, the last place, takes the abstentions
    return ever[:, :-1]


def agreement(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of the votes of each program that equal given labels.

    Parameters
    ----------
    votes : array-like of int of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    labels : array-like of int of shape (n_samples,)
        Class indices, -1 where the class is unknown; such rows are left out.

    Returns
    -------
    agreement : ndarray of shape (n_programs,)
        Values between 0 and 1; NaN for a program without a vote on a labelled row.

    Raises
    ------
    ValueError
        If `votes` is no matrix of integers from -1 on, or `labels` has another length.

    Examples
    --------
    >>> from sklearn_alchemist.votes import agreement
    >>> agreement([[0, -1], [1, -1], [1, 0], [0, -1]], [0, 1, 0, -1])
    array([0.66666667, 1.        ])
    """
    votes = _check_votes(votes)
    labels = np.asarray(labels)
    if labels.shape != votes.shape[:1]:
        raise ValueError(
            f"labels must have shape {votes.shape[:1]}, got {labels.shape}."
        )
    known = labels != ABSTAIN
    votes, labels = votes[known], labels[known]
    n_votes = np.count_nonzero(votes != ABSTAIN, axis=0)
    n_hits = np.count_nonzero(votes == labels[:, None], axis=0)
    share = np.full(votes.shape[1], np.nan)
    return np.divide(n_hits, n_votes, out=share, where=n_votes > 0)


def _check_votes(votes: np.ndarray) -> np.ndarray:
    """Return the votes as an array, if it is a matrix of integers from -1 on."""
    votes = np.asarray(votes)
    if votes.ndim != 2 or votes.dtype.kind not in "iu":
        raise ValueError(
            "votes must be a matrix of integers, one column a program; got shape "
            f"{votes.shape} and type {votes.dtype}."
        )
    if votes.min(initial=0) < ABSTAIN:
        raise ValueError(f"votes must not be below -1, got {votes.min()}.")
    return votes


def _share_of_rows(marked: np.ndarray) -> np.ndarray:
    """Share of rows marked in each column; 0 where there are no rows."""
    return np.count_nonzero(marked, axis=0) / max(len(marked), 1)
