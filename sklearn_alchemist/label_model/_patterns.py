"""Hold different rows of votes, and all that is known of them."""

from dataclasses import dataclass, replace

import numpy as np

from ._sampling import draw_patterns

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

    def take(self, chosen: np.ndarray) -> "Patterns":
        """Keep some of the patterns.

        Parameters
        ----------
        chosen : ndarray of int
            Their positions.

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

    def with_weighted_labels(self) -> "Patterns":
        """Make each labelled sample count as much as several others.

        Returns
        -------
        patterns : Patterns
            The same patterns with other counts.
        """
        if self.labels is None:
            return self
        of_labels = 1.0 if self.label_weights is None else self.label_weights
        weight = np.where(self.labels >= 0, _LABEL_WEIGHT * of_labels, 1.0)
        return replace(self, counts=weight * self.counts)

    def sample(self, size: int) -> "Patterns":
        """Keep about `size` patterns, and all that are labelled.

        Parameters
        ----------
        size : int
            Number of patterns to keep.

        Returns
        -------
        patterns : Patterns
            The same ones for any order of rows and columns.
        """
        if len(self.codes) <= size:
            return self
        chosen = draw_patterns(self.codes, self.counts, self.n_answers, size)
        if self.labels is not None:
            chosen = np.union1d(chosen, np.flatnonzero(self.labels >= 0))
        return self.take(chosen)
