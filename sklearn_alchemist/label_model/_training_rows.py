"""Read votes, labels and weights, and drop what does not count."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from ..data import UNLABELED, Classes, read_labels
from ..votes import collapse
from ._label_proba import check_label_proba, label_weights
from ._vote_classes import warn_if_ambiguous

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

    levels : ndarray of int of shape (n_rows,) or None
        Levels of difficulty, -1 where unknown; None if the number of votes tells.
    """

    votes: np.ndarray
    labels: np.ndarray | None
    counts: np.ndarray
    inverse_proba: np.ndarray | None = None
    levels: np.ndarray | None = None

    def collapse(self) -> "Rows":
        """Join equal rows with equal labels that are of equally known origin.

        Returns
        -------
        rows : Rows
            Different rows in lexicographic order, and their counts.
        """
        if self.labels is None and self.levels is None:
            votes, _, counts = collapse(self.votes, self.counts)
            return Rows(votes, None, counts)
        beside = [c for c in (self.labels, self.levels) if c is not None]
        if self.labels is not None:
            beside.append(self.is_sampled)
        both = np.column_stack([self.votes, *beside])
        rows, place, counts = collapse(both, self.counts)
        votes, *columns = np.split(
            rows, range(self.votes.shape[1], both.shape[1]), axis=1
        )
        found = [column[:, 0].astype(int) for column in columns]
        labels = None if self.labels is None else found.pop(0)
        levels = None if self.levels is None else found.pop(0)
        inverse_proba = None
        if self.labels is not None and self.inverse_proba is not None:
            stands_for = self.counts * self.inverse_proba
            inverse_proba = np.bincount(place, stands_for, len(rows)) / counts
        votes = votes.astype(self.votes.dtype)
        return Rows(votes, labels, counts, inverse_proba, levels)

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
        parts = {name: part[chosen] for name, part in self._parts().items()}
        return replace(self, **parts)

    def _parts(self) -> dict[str, np.ndarray]:
        """Return what there is a value of for each row."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: part for name, part in parts.items() if part is not None}

    def without_labels(self) -> "Rows":
        """Forget all labels.

        Returns
        -------
        rows : Rows
            Different rows and their counts, as if there had been no label.
        """
        if self.labels is None:
            return self
        return Rows(self.votes, None, self.counts, levels=self.levels).collapse()

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
        return replace(self, labels=labels).collapse()

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
        parts, others = self._parts(), other._parts()
        if "labels" not in parts or "labels" not in others:
            parts.pop("labels", None)
        # What some rows come without is not known of them.
        for name, unknown in (("inverse_proba", 0.0), ("levels", -1)):
            for rows, own, theirs in ((self, parts, others), (other, others, parts)):
                if name in theirs and name not in own:
                    own[name] = np.full(len(rows.counts), unknown)
        return _joined([parts, others])


def _joined(parts: Sequence[dict[str, np.ndarray]]) -> Rows:
    """Put rows behind each other, of which all hold what the first hold."""
    whole = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    return Rows(labels=whole.pop("labels", None), **whole)


def read_rows(
    votes: np.ndarray,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    classes: Classes | None,
    *,
    learns: bool,
    label_proba: ArrayLike | float | None = None,
    levels: np.ndarray | None = None,
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

    levels : ndarray of int of shape (n_samples,), default=None
        Levels of difficulty, if any are given.

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
    rows = Rows(votes, codes, weight, inverse_proba, levels)
    if not learns:
        rows = Rows(votes, None, weight, levels=levels)
    return rows if used.all() else rows.take(used), classes


def read_in_chunks(
    votes: np.ndarray,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    classes: Classes | None,
    *,
    levels: np.ndarray | None = None,
    size: int = 1 << 18,
    **given: Any,
) -> tuple[Rows, Classes | None]:
    """Validate and collapse all rows; without labels, chunk by chunk.

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

    levels : ndarray of int of shape (n_samples,), default=None
        Levels of difficulty, if any are given.

    size : int, default=262,144
        Number of rows of a chunk.

    **given : dict
        What else `read_rows` takes.

    Returns
    -------
    rows : Rows
        Different rows and their counts.

    classes : Classes or None
        The classes; None if nothing names them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import read_in_chunks
    >>> votes = np.array([[0, 1], [1, 1], [0, 1]])
    >>> rows, _ = read_in_chunks(votes, None, None, None, size=2, learns=False)
    >>> rows.votes.tolist(), rows.counts.tolist()
    ([[0, 1], [1, 1]], [2.0, 1.0])
    """
    if y is not None or len(votes) <= size:
        rows, classes = read_rows(
            votes, y, sample_weight, classes, levels=levels, **given
        )
        return rows.collapse(), classes
    weight = None
    if sample_weight is not None:
        weight = _check_sample_weight(sample_weight, votes)
    chunk_given = given | {"label_proba": None, "goes_on": True}
    parts, repeats = [], True
    for start in range(0, len(votes), size):
        place = slice(start, start + size)
        part = read_rows(
            votes[place],
            None,
            None if weight is None else weight[place],
            classes,
            levels=None if levels is None else levels[place],
            **chunk_given,
        )[0]
        parts.append(part.collapse() if repeats else part)
        repeats = len(parts[-1].votes) < len(part.votes) / 2
    whole = _joined([part._parts() for part in parts])
    if not len(whole.votes):
        read_rows(votes, None, weight, classes, **given)  # raises
    return whole.collapse(), classes
