"""Tell which rows a person should look at, and which first."""

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from ..votes import ABSTAIN

NO_VOTES = "no program votes"
DISAGREE = "student and votes disagree"
UNSURE = "unsure"


def say_doubts(
    proba: np.ndarray,
    student: np.ndarray,
    from_votes: np.ndarray,
    votes: np.ndarray,
    *,
    threshold: float,
) -> np.ndarray:
    """Say what speaks against trusting each label.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities in use.

    student, from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities of the student alone and of the votes alone.

    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    threshold : float
        Labels that are less probable are not trusted.

    Returns
    -------
    doubts : ndarray of shape (n_samples,) of str
        Empty where nothing speaks against it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import say_doubts
    >>> sure, other = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])
    >>> say_doubts(sure, other, sure, np.array([[0]]), threshold=0.5).tolist()
    ['student and votes disagree']
    """
    doubts = np.full(len(proba), "", dtype=object)
    doubts[proba.max(axis=1) < threshold] = UNSURE
    doubts[student.argmax(axis=1) != from_votes.argmax(axis=1)] = DISAGREE
    doubts[(votes == ABSTAIN).all(axis=1)] = NO_VOTES
    return doubts


def least_sure(
    proba: np.ndarray, student: np.ndarray, from_votes: np.ndarray, votes: np.ndarray
) -> np.ndarray:
    """Order rows by how much their label would help.

    A row helps more the less sure its class is, and the more the student and the votes
    differ [1]_; and less, the more rows with the same votes come before it, since a
    label tells of all rows that the programs do not tell apart.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities in use.

    student, from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities of the student alone and of the votes alone.

    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    Returns
    -------
    order : ndarray of int of shape (n_samples,)
        Positions of the rows, the most helpful first.

    References
    ----------
    .. [1] H. S. Seung, M. Opper and H. Sompolinsky, "Query by committee", COLT 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import least_sure
    >>> proba = np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]])
    >>> least_sure(proba, proba, proba, np.array([[0], [1], [1]])).tolist()
    [1, 2, 0]
    """
    middle = (student + from_votes) / 2
    differ = _entropy(middle) - (_entropy(student) + _entropy(from_votes)) / 2
    help_alone = _entropy(proba) + differ
    first = np.argsort(-help_alone, kind="stable")
    # Its place among the rows of the same votes, the most helpful of them first.
    _, pattern = np.unique(votes[first], axis=0, return_inverse=True)
    by_pattern = np.argsort(pattern, kind="stable")
    counts = np.bincount(pattern)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    place = np.empty(len(first), dtype=np.intp)
    place[by_pattern] = np.arange(len(first)) - starts
    return first[np.argsort(-help_alone[first] / (1 + place), kind="stable")]


def to_frame(annotation: Bunch, classes: np.ndarray, X: Any) -> Any:
    """Show annotations as a table with a row a record and a column a program.

    Parameters
    ----------
    annotation : Bunch
        What `DistilledAnnotator.annotate` gives.

    classes : ndarray of shape (n_classes,)
        The classes.

    X : array-like of shape (n_samples, ...)
        The records. If they have an index, the frame gets it.

    Returns
    -------
    frame : DataFrame
        The label, its confidence, flag and doubt, and what each program says: a class,
        or missing where it abstains.
    """
    import pandas as pd

    frame = {n: annotation[n] for n in ("label", "confidence", "flag", "doubt")}
    frame |= {
        f"{name} (program)" if name in frame else name: pd.Categorical.from_codes(
            annotation.votes[:, j], classes
        )
        for j, name in enumerate(annotation.programs)
    }
    return pd.DataFrame(frame, index=X.index if hasattr(X, "iloc") else None)


def _entropy(proba: np.ndarray) -> np.ndarray:
    return -(proba * np.log(np.maximum(proba, 1e-300))).sum(axis=1)
