"""Resolve which answers there are, and what is known of classes beforehand."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from ..exceptions import ClassesWarning
from ..votes import ABSTAIN

_MAX_CONFUSION_SIZE = 10**8


def check_class_indices(votes: np.ndarray, n_classes: int) -> None:
    """Raise unless every vote abstains or is the index of a class.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes.

    n_classes : int
        Number of classes.

    Raises
    ------
    ValueError
        If a vote is no integer from -1 to ``n_classes - 1``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import check_class_indices
    >>> check_class_indices(np.array([[0, 1], [-1, 2]]), n_classes=2)
    Traceback (most recent call last):
        ...
    ValueError: Column 1 of the votes holds 2, but with 2 classes a vote is -1 ...
    """
    bad = (votes < ABSTAIN) | (votes >= n_classes)
    if votes.dtype.kind == "f":
        bad |= votes != np.floor(votes)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"Column {column} of the votes holds {votes[row, column]}, but with "
            f"{n_classes} classes a vote is -1 (abstain) or an index from 0 to "
            f"{n_classes - 1} into the sorted classes. Correct the column, or list "
            "every class in `classes`."
        )


def classes_of_votes(votes: np.ndarray) -> np.ndarray:
    """Take the votes themselves as the classes: 0 to the largest vote.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes, -1 for abstain.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Consecutive integers from 0.

    Raises
    ------
    ValueError
        If a vote is no integer, or below -1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import classes_of_votes
    >>> classes_of_votes(np.array([[0, -1], [2, 0]]))
    array([0, 1, 2])
    """
    if votes.dtype.kind == "f" and (votes != np.floor(votes)).any():
        raise ValueError(
            "Without `classes` and without y, votes must be integers: -1 (abstain) or "
            "the index of a class. Pass y or `classes` to name the classes."
        )
    if votes.min() < ABSTAIN:
        raise ValueError(
            f"Without `classes` and without y, votes must not be below -1 (abstain), "
            f"got {votes.min()}."
        )
    n_classes = max(int(votes.max()), 0) + 1
    check_confusion_size(votes.shape[1], n_classes, n_answers=1)
    return np.arange(n_classes)


def answers_of_votes(votes: np.ndarray) -> np.ndarray:
    """List the different votes, with -1 first even if it is missing.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes, -1 for abstain.

    Returns
    -------
    answers : ndarray of shape (n_answers,)
        -1, then the other votes in increasing order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import answers_of_votes
    >>> answers_of_votes(np.array([[0, 7], [2, 0]]))
    array([-1,  0,  2,  7])
    """
    answers = np.unique(votes)
    return np.concatenate([[ABSTAIN], answers[answers != ABSTAIN]])


def class_of_answers(answers: np.ndarray, n_classes: int) -> np.ndarray:
    """Tell which answer is the index of which class.

    Parameters
    ----------
    answers : ndarray of shape (n_answers,)
        The different votes.

    n_classes : int
        Number of classes.

    Returns
    -------
    meaning : ndarray of bool of shape (n_answers, n_classes)
        At most one True in a row and in a column.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import class_of_answers
    >>> class_of_answers(np.array([-1, 0, 7]), n_classes=2)
    array([[False, False],
           [ True, False],
           [False, False]])
    """
    return answers[:, None] == np.arange(n_classes)


def warn_if_ambiguous(votes: np.ndarray, n_classes: int) -> None:
    """Warn where votes look like the indices of more classes than y names.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes, -1 for abstain.

    n_classes : int
        Number of classes in y.

    Warns
    -----
    ClassesWarning
        If votes are integers from -1 to `n_classes` or more.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import warn_if_ambiguous
    >>> warn_if_ambiguous(np.array([[0, -1], [1, 1]]), n_classes=2)
    """
    if votes.max() < n_classes or votes.min() < ABSTAIN:
        return
    if votes.dtype.kind == "f" and (votes != np.floor(votes)).any():
        return
    warnings.warn(
        f"y holds {n_classes} classes but the votes go up to {votes.max():g}, so which "
        "class a vote stands for is a guess. Pass all classes as `classes`.",
        ClassesWarning,
        stacklevel=5,  # the line that calls fit of the aggregator
    )


def check_confusion_size(n_programs: int, n_classes: int, n_answers: int) -> None:
    """Raise before a table of programs, classes and answers fills the memory.

    Parameters
    ----------
    n_programs, n_classes, n_answers : int
        Lengths of the axes of the table.

    Raises
    ------
    ValueError
        If the table has more than 100 million cells.

    Examples
    --------
    >>> from sklearn_alchemist.label_model import check_confusion_size
    >>> check_confusion_size(n_programs=1000, n_classes=100, n_answers=101)
    """
    if n_programs * n_classes * n_answers > _MAX_CONFUSION_SIZE:
        raise ValueError(
            f"{n_programs} programs, {n_classes} classes and {n_answers} different "
            "votes are too many to be estimated. Votes are -1 (abstain) or the index "
            "of a class; are these measurements rather than votes?"
        )


def check_class_prior(
    class_prior: str | Mapping[Any, float] | ArrayLike, classes: np.ndarray
) -> np.ndarray | None:
    """Validate the class prior that a user asks for.

    Parameters
    ----------
    class_prior : {"estimate", "uniform"}, dict or array-like of shape (n_classes,)
        Probability of each class, or where it comes from.

    classes : ndarray of shape (n_classes,)
        The classes.

    Returns
    -------
    class_prior : ndarray of shape (n_classes,) or None
        Probability of each class; None if it is estimated.

    Raises
    ------
    ValueError
        If the probabilities are not positive, do not sum to one, or are not one for
        each class.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import check_class_prior
    >>> check_class_prior({"spam": 0.2, "ham": 0.8}, np.array(["ham", "spam"]))
    array([0.8, 0.2])
    """
    n_classes = len(classes)
    if isinstance(class_prior, str):
        uniform = np.full(n_classes, 1 / n_classes)
        return uniform if class_prior == "uniform" else None
    if isinstance(class_prior, Mapping):
        names = classes.tolist()
        missing = [name for name in names if name not in class_prior]
        unknown = [name for name in class_prior if name not in names]
        if missing or unknown:
            problem = f"lacks {missing}" if missing else f"holds {unknown}"
            raise ValueError(
                f"class_prior must have one value for each of the classes {names}, but "
                f"it {problem}."
            )
        class_prior = [class_prior[name] for name in names]
    prior = check_array(
        class_prior, ensure_2d=False, dtype=np.float64, input_name="class_prior"
    )
    if prior.shape != (n_classes,):
        raise ValueError(
            f"class_prior must have one value for each of the {n_classes} classes, "
            f"got shape {prior.shape}."
        )
    if (prior <= 0).any() or not np.isclose(prior.sum(), 1):
        raise ValueError(
            f"class_prior must be positive and sum to 1, got {prior.tolist()}."
        )
    return prior / prior.sum()
