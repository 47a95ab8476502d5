"""Read votes, labels and weights, and drop what does not count."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from .._records import check_labels, is_missing
from ..votes import ABSTAIN, collapse
from ._answers import warn_if_ambiguous


@dataclass(frozen=True)
class Rows:
    """Votes of samples, with all that is known of the samples.

    Parameters
    ----------
    votes : ndarray of shape (n_rows, n_programs)
        Votes, -1 for abstain.

    labels : ndarray of int of shape (n_rows,) or None
        Class indices, -1 where unknown; None if labels are not learned from.

    counts : ndarray of shape (n_rows,)
        Number of samples that each row stands for.
    """

    votes: np.ndarray
    labels: np.ndarray | None
    counts: np.ndarray

    def collapse(self) -> "Rows":
        """Join equal rows with equal labels.

        Returns
        -------
        rows : Rows
            Different rows in lexicographic order, and their counts.
        """
        if self.labels is None:
            votes, _, counts = collapse(self.votes, self.counts)
            return Rows(votes, None, counts)
        both = np.column_stack([self.votes, self.labels])
        rows, _, counts = collapse(both, self.counts)
        votes = rows[:, :-1].astype(self.votes.dtype)
        return Rows(votes, rows[:, -1].astype(int), counts)

    def followed_by(self, other: "Rows") -> "Rows":
        """Append other rows.

        Parameters
        ----------
        other : Rows
            The rows to append, with labels if these have any.

        Returns
        -------
        rows : Rows
            All of them.
        """
        labels = None
        if self.labels is not None and other.labels is not None:
            labels = np.concatenate([self.labels, other.labels])
        votes = np.concatenate([self.votes, other.votes])
        return Rows(votes, labels, np.concatenate([self.counts, other.counts]))


def read_rows(
    votes: np.ndarray,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    classes: np.ndarray | None,
    *,
    learns: bool,
) -> tuple[Rows, np.ndarray | None]:
    """Validate labels and weights, and leave out samples of weight 0.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes.

    y : array-like of shape (n_samples,) or None
        Labels.

    sample_weight : array-like of shape (n_samples,) or None
        Number of times that each sample counts.

    classes : ndarray of shape (n_classes,) or None
        The classes, sorted; None if y names them.

    learns : bool
        Whether labels are learned from, so that some may be missing.

    Returns
    -------
    rows : Rows
        The samples that count.

    classes : ndarray of shape (n_classes,) or None
        The classes; None if nothing names them.

    Raises
    ------
    ValueError
        If y does not fit the classes, or a weight is negative.

    Warns
    -----
    ClassesWarning
        If votes look like the indices of more classes than y holds.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import read_rows
    >>> votes = np.array([[0, -1], [1, 1], [0, 1]])
    >>> rows, classes = read_rows(votes, ["a", "b", None], None, None, learns=True)
    >>> rows.labels, classes
    (array([ 0,  1, -1]), array(['a', 'b'], dtype='<U1'))
    """
    weight = _check_sample_weight(
        sample_weight, votes, dtype=np.float64, ensure_non_negative=True
    )
    used = weight > 0
    labels = np.full(len(votes), -1) if learns else None
    if y is not None:
        known = is_labelled(y, classes) if learns else np.ones(len(votes), bool)
        check_consistent_length(votes, known)
        if known.any():
            given = _take(y, known) if learns else y
            in_y = check_labels(votes[known], given, classes)[used[known]]
            if classes is None:
                classes = np.unique(in_y)
                warn_if_ambiguous(votes[used], len(classes))
            if labels is not None:
                labels[known & used] = np.searchsorted(classes, in_y)
    if used.all():
        return Rows(votes, labels, weight), classes
    labels = None if labels is None else labels[used]
    return Rows(votes[used], labels, weight[used]), classes


def is_labelled(y: ArrayLike, classes: np.ndarray | None) -> np.ndarray:
    """Tell where labels are neither missing nor -1, unless -1 is a class.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.

    classes : ndarray of shape (n_classes,) or None
        The classes, if they are known.

    Returns
    -------
    labelled : ndarray of bool of shape (n_samples,)
        Which samples have a label.

    Examples
    --------
    >>> from sklearn_alchemist.label_model import is_labelled
    >>> is_labelled(["ham", None, float("nan"), -1], classes=None)
    array([ True, False, False, False])
    """
    means_nothing = classes is None or ABSTAIN not in classes.tolist()
    return np.array(
        [
            not (is_missing(label) or (means_nothing and label == ABSTAIN))
            for label in np.asarray(y, dtype=object)
        ],
        dtype=bool,
    )


def _take(y: ArrayLike, known: np.ndarray) -> list[Any]:
    """Return the labels that are known, as the types that they are."""
    labels = np.asarray(y, dtype=object)
    return labels[known].tolist()
