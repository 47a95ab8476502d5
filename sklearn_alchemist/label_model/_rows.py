"""Read votes, labels and weights, and drop what does not count."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from ..data import UNLABELED, Classes, read_labels
from ..votes import collapse
from ._answers import warn_if_ambiguous
from ._label_proba import check_label_proba, label_weights

# Probabilities below this would overflow; what they weigh is cut off far above it.
_LEAST = 1e-9


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

    inverse_proba : ndarray of shape (n_rows,) or None
        One over the probability with which each label was asked for; 0 where there is
        no label, or where nobody knows how it was chosen. None for 0 everywhere.
    """

    votes: np.ndarray
    labels: np.ndarray | None
    counts: np.ndarray
    inverse_proba: np.ndarray | None = None

    def collapse(self) -> "Rows":
        """Join equal rows with equal labels that are of equally known origin.

        Returns
        -------
        rows : Rows
            Different rows in lexicographic order, and their counts.
        """
        if self.labels is None:
            votes, _, counts = collapse(self.votes, self.counts)
            return Rows(votes, None, counts)
        both = np.column_stack([self.votes, self.labels, self.is_sampled])
        rows, place, counts = collapse(both, self.counts)
        votes, labels = rows[:, :-2].astype(self.votes.dtype), rows[:, -2].astype(int)
        if self.inverse_proba is None:
            return Rows(votes, labels, counts)
        stands_for = self.counts * self.inverse_proba
        totals = np.bincount(place, stands_for, minlength=len(rows))
        return Rows(votes, labels, counts, totals / counts)

    def take(self, chosen: np.ndarray) -> "Rows":
        """Keep some of the rows.

        Parameters
        ----------
        chosen : ndarray of bool of shape (n_rows,)
            Which ones.

        Returns
        -------
        rows : Rows
            These rows.
        """
        labels, inverse_proba = self.labels, self.inverse_proba
        return Rows(
            self.votes[chosen],
            None if labels is None else labels[chosen],
            self.counts[chosen],
            None if inverse_proba is None else inverse_proba[chosen],
        )

    def without_labels(self) -> "Rows":
        """Forget all labels.

        Returns
        -------
        rows : Rows
            Different rows and their counts, as if there had been no label.
        """
        if self.labels is None:
            return self
        return Rows(self.votes, None, self.counts).collapse()

    def with_sampled_labels(self) -> "Rows":
        """Forget the labels of which nobody knows how they were chosen.

        Returns
        -------
        rows : Rows
            Different rows and their counts, as if there had been no such label.
        """
        sampled = self.is_sampled
        if self.labels is None or not sampled.any():
            return self.without_labels()
        labels = np.where(sampled, self.labels, UNLABELED)
        return Rows(self.votes, labels, self.counts, self.inverse_proba).collapse()

    def weights(self) -> np.ndarray:
        """Weigh labels of known origin like a plain sample, all others 1.

        Returns
        -------
        weights : ndarray of shape (n_rows,)
            Factors of the counts.
        """
        weights, sampled = np.ones(len(self.counts)), self.is_sampled
        if self.inverse_proba is not None:
            weights[sampled] = label_weights(
                self.inverse_proba[sampled], self.counts[sampled]
            )
        return weights

    @property
    def label_codes(self) -> np.ndarray:
        """Class index of each row, -1 where it has no label."""
        if self.labels is None:
            return np.full(len(self.counts), UNLABELED)
        return self.labels

    @property
    def is_labelled(self) -> np.ndarray:
        """Which rows have a label."""
        return self.label_codes != UNLABELED

    @property
    def is_sampled(self) -> np.ndarray:
        """Which rows have a label of which it is known how it was chosen."""
        if self.inverse_proba is None:
            return np.zeros(len(self.counts), dtype=bool)
        return self.inverse_proba > 0

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
        inverse_proba = None
        if self.inverse_proba is not None or other.inverse_proba is not None:
            parts = (self, other)
            inverse_proba = np.concatenate(
                [
                    np.zeros(len(part.counts))
                    if part.inverse_proba is None
                    else part.inverse_proba
                    for part in parts
                ]
            )
        votes = np.concatenate([self.votes, other.votes])
        counts = np.concatenate([self.counts, other.counts])
        return Rows(votes, labels, counts, inverse_proba)


def read_rows(
    votes: np.ndarray,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    classes: Classes | None,
    *,
    learns: bool,
    label_proba: ArrayLike | float | None = None,
    goes_on: bool = False,
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

    label_proba : array-like of shape (n_samples,), float or None, default=None
        Probability with which each label was asked for; see `check_label_proba`.

    goes_on : bool, default=False
        Whether samples came before these: then all weights may be 0, and y may not be
        the first to name classes.

    Returns
    -------
    rows : Rows
        The samples that count.

    classes : Classes or None
        The classes; None if nothing names them.

    Raises
    ------
    ValueError
        If y does not fit the classes, a weight is negative, or what `label_proba` holds
        is no probability.

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
        sample_weight,
        votes,
        dtype=np.float64,
        ensure_non_negative=True,
        allow_all_zero_weights=goes_on,
    )
    used = weight > 0
    codes = np.full(len(votes), UNLABELED)
    known = np.zeros(len(votes), dtype=bool)
    if y is not None:
        y = read_labels(y)
        check_consistent_length(votes, y)
        # What does not count has no say in what the classes are.
        y = [label for label, counts in zip(y, used.tolist(), strict=True) if counts]
        if classes is None and (classes := Classes.named_by(y, partly=learns)):
            if goes_on:
                raise ValueError(
                    "y names classes that the chunks before it did not have, so what "
                    "their votes stand for is not known: pass classes=[...] in the "
                    "first call of partial_fit."
                )
            warn_if_ambiguous(votes[used], len(classes))
        if classes is not None:
            codes[used] = classes.encode(y)
            known = codes != UNLABELED
    proba = check_label_proba(label_proba, known)
    inverse_proba = (
        None if label_proba is None else np.nan_to_num(1 / np.maximum(proba, _LEAST))
    )
    rows = Rows(votes, codes, weight, inverse_proba)
    if not learns:
        rows = Rows(votes, None, weight)
    return rows if used.all() else rows.take(used), classes
