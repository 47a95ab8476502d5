"""Hold different rows of votes, and all that is known of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ..votes import rank_rows

LABEL_WEIGHT = 5.0
"""A labelled sample counts as much as so many others: benchmarks/label_constants.py."""

# So many rows of votes at one time stay in the cache,
_CHUNK = 1 << 10
# and up to so many columns of them are multiplied dense. The shapes that
# benchmarks/label_models.py --speed measures have 20 to 250; where more of them are
# faster sparse, no script tells.
_MAX_DENSE_COLUMNS = 512


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

    levels : ndarray of int of shape (n_patterns,) or None
        Levels of difficulty, -1 where unknown; None if the number of votes tells.
    """

    codes: np.ndarray
    counts: np.ndarray
    meaning: np.ndarray
    labels: np.ndarray | None = None
    label_weights: np.ndarray | None = None
    levels: np.ndarray | None = None

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

    @cached_property
    def n_votes(self) -> np.ndarray:
        """Number of samples with each vote, of shape (n_programs, n_answers - 1)."""
        n_programs = self.codes.shape[1]
        total = np.zeros(n_programs * (self.n_answers - 1))
        for place in chunks(len(self.codes)):
            votes = vote_matrix(self.codes[place], self.n_answers)
            total += votes.T @ self.counts[place]
        return total.reshape(n_programs, -1)

    def take(self, chosen: np.ndarray | slice) -> "Patterns":
        """Keep some of the patterns.

        Parameters
        ----------
        chosen : ndarray of int or bool, or slice
            Which ones.

        Returns
        -------
        patterns : Patterns
            These patterns.
        """
        kept = ("codes", "counts", "labels", "label_weights", "levels")
        parts = {name: getattr(self, name) for name in kept}
        given = {name: p[chosen] for name, p in parts.items() if p is not None}
        return replace(self, **given)

    def with_weighted_labels(self, times: float | None = None) -> "Patterns":
        """Make each labelled sample count as much as several others.

        Parameters
        ----------
        times : float, default=None
            How many others, on the mean of the labels; `LABEL_WEIGHT` if None.

        Returns
        -------
        patterns : Patterns
            The same patterns with other counts.
        """
        if self.labels is None:
            return self
        of_labels = 1.0 if self.label_weights is None else self.label_weights
        times = LABEL_WEIGHT if times is None else times
        weight = np.where(self.is_labelled, times * of_labels, 1.0)
        return replace(self, counts=weight * self.counts)

    def sample(self, size: int) -> "Patterns":
        """Draw at most `size` patterns, as often as they are, and all with labels.

        Parameters
        ----------
        size : int
            Number of patterns to keep.

        Returns
        -------
        patterns : Patterns
            Those that every so many-th sample has, `size` samples in all. The same
            ones for any order of rows and columns: they are counted through once
            columns are sorted by their votes and rows by their columns.
        """
        if len(self.codes) <= size:
            return self
        order = self._order
        through = self.counts[order].cumsum()
        part = size / through[-1]
        counts = np.empty(len(order))
        counts[order] = np.diff(np.floor(through * part + 0.5), prepend=0.0)
        labelled = self.is_labelled
        counts[labelled] = part * self.counts[labelled]
        return replace(self, counts=counts).take(counts > 0)

    @cached_property
    def _order(self) -> np.ndarray:
        """The patterns in order, once columns are sorted by their votes."""
        columns = np.lexsort(self.n_votes.T)
        first, rank = rank_rows(self.codes.take(columns, axis=1))
        # Equal rows have different labels or levels.
        return first if len(first) == len(rank) else rank.argsort()


def chunks(n_rows: int) -> Iterator[slice]:
    """Cut rows into parts that the cache holds.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    Yields
    ------
    place : slice
        The next rows.

    Examples
    --------
    >>> from sklearn_alchemist.label_model import chunks
    >>> list(chunks(1500))
    [slice(0, 1024, None), slice(1024, 2048, None)]
    """
    for start in range(0, n_rows, _CHUNK):
        yield slice(start, start + _CHUNK)


def vote_matrix(
    codes: np.ndarray, n_answers: int, groups: Sequence[np.ndarray] = ()
) -> np.ndarray | csr_array:
    """Mark who votes what; programs of a group share one vote.

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
    votes : ndarray or csr_array of shape (n_rows, n_programs * (n_answers - 1))
        What each vote counts: 1, or its share of the vote of its group. Dense where
        that is faster.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import vote_matrix
    >>> vote_matrix(np.array([[1, 2, 0], [0, 1, 1]]), 3, [np.array([1, 2])])
    array([[1. , 0. , 0. , 1. , 0. , 0. ],
           [0. , 0. , 0.5, 0. , 0.5, 0. ]])
    """
    n_rows, n_programs = codes.shape
    n_columns = n_programs * (n_answers - 1)
    if n_columns > _MAX_DENSE_COLUMNS or n_rows > _CHUNK:
        return sparse_votes(codes, n_answers, groups)
    # Row after row last, as loops over few answers are slow.
    votes = np.empty((n_programs, n_answers - 1, n_rows))
    by_program = np.ascontiguousarray(codes.T)
    for answer in range(1, n_answers):
        np.equal(by_program, answer, out=votes[:, answer - 1], casting="unsafe")
    for group in groups:
        members = votes[group]
        votes[group] = members / np.maximum(members.sum(axis=(0, 1)), 1)
    return votes.reshape(n_columns, n_rows).T


def take_rows(votes: np.ndarray | csr_array, chosen: np.ndarray) -> Any:
    """Keep some rows of a matrix of votes.

    Parameters
    ----------
    votes : ndarray or csr_array of shape (n_rows, n_columns)
        As from `vote_matrix`.

    chosen : ndarray of bool of shape (n_rows,)
        Which rows.

    Returns
    -------
    votes : ndarray or csr_array
        These rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import take_rows, vote_matrix
    >>> take_rows(vote_matrix(np.array([[1], [0]]), 2), np.array([True, False]))
    array([[1.]])
    """
    if chosen.all():
        return votes
    # Dense ones lie column by column.
    return votes.T[:, chosen].T if isinstance(votes, np.ndarray) else votes[chosen]


def sparse_votes(
    codes: np.ndarray, n_answers: int, groups: Sequence[np.ndarray] = ()
) -> csr_array:
    """Do as `vote_matrix`, for rows that are kept.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_programs)
        Answers, 0 for abstain.

    n_answers : int
        Number of known answers, abstaining included.

    groups : sequence of ndarray of int, default=()
        Programs that depend on each other.

    Returns
    -------
    votes : csr_array of shape (n_rows, n_programs * (n_answers - 1))
        What each vote counts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import sparse_votes
    >>> sparse_votes(np.array([[1, 2, 0]]), 3).toarray()
    array([[1., 0., 0., 1., 0., 0.]])
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
