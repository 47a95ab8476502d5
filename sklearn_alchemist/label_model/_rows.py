"""Read votes, labels and weights, and drop what does not count."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from ..data import UNLABELED, Classes, read_labels
from ..votes import collapse
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
    classes: Classes | None,
    *,
    learns: bool,
) -> tuple[Rows, Classes | None]:
    """Validate labels and weights, and leave out samples of weight 0.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Votes.

    y : array-like of shape (n_samples,) or None
        Labels.

    sample_weight : array-like of shape (n_samples,) or None
        Number of times that each sample counts.

    classes : Classes or None
        The classes; None if y names them.

    learns : bool
        Whether labels are learned from, so that some may be missing.

    Returns
    -------
    rows : Rows
        The samples that count.

    classes : Classes or None
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
    >>> rows.labels, classes.names
    (array([ 0,  1, -1]), array(['a', 'b'], dtype='<U1'))
    """
    weight = _check_sample_weight(
        sample_weight, votes, dtype=np.float64, ensure_non_negative=True
    )
    used = weight > 0
    codes = np.full(len(votes), UNLABELED)
    if y is not None:
        y = read_labels(y)
        check_consistent_length(votes, y)
        # What does not count has no say in what the classes are.
        y = [label for label, counts in zip(y, used.tolist(), strict=True) if counts]
        if classes is None and (classes := Classes.named_by(y, partly=learns)):
            warn_if_ambiguous(votes[used], len(classes))
        if classes is not None:
            codes[used] = classes.encode(y)
    labels = codes if learns else None
    if used.all():
        return Rows(votes, labels, weight), classes
    labels = None if labels is None else labels[used]
    return Rows(votes[used], labels, weight[used]), classes
