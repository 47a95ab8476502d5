"""Hold different rows of votes, and all that is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from ..votes import collapse

# A labelled sample counts as much as so many others.
_LABEL_WEIGHT = 5.0


@dataclass(frozen=True)
class Patterns:
    """Different rows of votes, and all that is known of them.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, 0 for abstain.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    labels : ndarray of int of shape (n_patterns,) or None
        Class indices, -1 where unknown; None if no label is learned from.

    label_weights : ndarray of shape (n_patterns,) or None
        Factors that make labels a plain sample; None if they are one.
    """

    codes: np.ndarray
    counts: np.ndarray
    meaning: np.ndarray
    labels: np.ndarray | None = None
    label_weights: np.ndarray | None = None

    @property
    def n_answers(self) -> int:
        """Number of different answers."""
        return len(self.meaning)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.meaning.shape[1]

    @property
    def is_labelled(self) -> np.ndarray:
        """Which patterns have a label to learn from."""
        if self.labels is None:
            return np.zeros(len(self.codes), dtype=bool)
        return self.labels >= 0

    def take(self, chosen: np.ndarray) -> "Patterns":
        """Keep some of the patterns.

        Parameters
        ----------
        chosen : ndarray of int or bool
            Which ones.

        Returns
        -------
        patterns : Patterns
            These patterns.
        """
        labels, weights = self.labels, self.label_weights
        return replace(
            self,
            codes=self.codes[chosen],
            counts=self.counts[chosen],
            labels=None if labels is None else labels[chosen],
            label_weights=None if weights is None else weights[chosen],
        )

    def with_weighted_labels(self, times: float = _LABEL_WEIGHT) -> "Patterns":
        """Make each labelled sample count as much as several others.

        Parameters
        ----------
        times : float, default=5.0
            How many others, on the mean of the labels.

        Returns
        -------
        patterns : Patterns
            The same patterns with other counts.
        """
        if self.labels is None:
            return self
        of_labels = 1.0 if self.label_weights is None else self.label_weights
        weight = np.where(self.is_labelled, times * of_labels, 1.0)
        return replace(self, counts=weight * self.counts)

    def sample(self, size: int) -> "Patterns":
        """Keep about `size` patterns, evenly spread, and all that are labelled.

        Parameters
        ----------
        size : int
            Number of patterns to keep.

        Returns
        -------
        patterns : Patterns
            The same ones for any order of rows and columns: every so many-th, once
            columns are sorted by their votes and rows by their columns.
        """
        step = -(-len(self.codes) // size)
        if step <= 1:
            return self
        votes_of = [
            np.bincount(column, self.counts, self.n_answers) for column in self.codes.T
        ]
        order = np.lexsort(np.transpose(votes_of))
        rank = collapse(np.ascontiguousarray(self.codes[:, order]))[1]
        return self.take((rank % step == 0) | self.is_labelled)


def vote_matrix(
    codes: np.ndarray, n_answers: int, groups: Sequence[np.ndarray] = ()
) -> csr_array:
    """Mark who votes what in a sparse matrix; programs of a group share one vote.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_programs)
        Answers, 0 for abstain. Those from `n_answers` on are not known, and left out.

    n_answers : int
        Number of known answers, abstaining included.

    groups : sequence of ndarray of int, default=()
        Programs that depend on each other.

    Returns
    -------
    votes : csr_array of shape (n_rows, n_programs * (n_answers - 1))
        What each vote counts: 1, or its share of the vote of its group.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import vote_matrix
    >>> vote_matrix(np.array([[1, 2, 0], [0, 1, 1]]), 3, [np.array([1, 2])]).toarray()
    array([[1. , 0. , 0. , 1. , 0. , 0. ],
           [0. , 0. , 0.5, 0. , 0.5, 0. ]])
    """
    voted = (codes > 0) & (codes < n_answers)
    rows, programs = np.nonzero(voted)
    columns = programs * (n_answers - 1) + codes[rows, programs] - 1
    starts = np.zeros(len(codes) + 1, dtype=np.intp)
    np.cumsum(np.count_nonzero(voted, axis=1), out=starts[1:])
    counts = np.ones(len(rows))
    for group in groups:
        is_member = np.zeros(codes.shape[1], dtype=bool)
        is_member[group] = True
        place = is_member[programs]
        n_voters = np.count_nonzero(voted[:, group], axis=1)
        counts[place] = 1 / n_voters[rows[place]]
    shape = (len(codes), codes.shape[1] * (n_answers - 1))
    return csr_array((counts, columns, starts), shape=shape)
