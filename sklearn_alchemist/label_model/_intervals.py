"""Find the range of accuracies that votes allow, whatever depends on what."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from ._patterns import Patterns, chunks
from ._voting import count_votes

# Both sides together miss the accuracy of a program this seldom.
_ERROR = 0.05


@dataclass(frozen=True, eq=False)
class VoteBounds:
    """What is counted to bound accuracies; sums of chunks are those of all rows.

    A vote beside others gains on the strongest other class: how many more of these
    others are right if this one is, than if that class is the true one.

    Parameters
    ----------
    gains : ndarray of shape (n_programs, 2 * width + 1)
        Number of votes with the gains -width, ..., width.

    sure : ndarray of shape (n_programs,)
        Number of votes that labels say to be right.

    alone : ndarray of shape (n_programs,)
        Number of votes that no other vote and no label is beside.

    n_votes : ndarray of shape (n_programs,)
        Number of votes.

    most : ndarray of shape (n_programs,)
        How many of the others' votes can be right.

    least : ndarray of shape (n_programs,)
        How many are if they are no better than chance.
    """

    gains: np.ndarray
    sure: np.ndarray
    alone: np.ndarray
    n_votes: np.ndarray
    most: np.ndarray
    least: np.ndarray

    @classmethod
    def count(cls, patterns: Patterns) -> "VoteBounds":
        """Count in all rows.

        Parameters
        ----------
        patterns : Patterns
            Different rows of votes. Labels to learn from are taken for true.

        Returns
        -------
        bounds : VoteBounds
            What was counted.
        """
        n_programs = patterns.codes.shape[1]
        width = int(np.count_nonzero(patterns.codes, axis=1).max(initial=1))
        gains = np.zeros(n_programs * (2 * width + 1))
        sure, alone, most, least = np.zeros((4, n_programs))
        class_of = np.where(
            patterns.meaning.any(axis=1), patterns.meaning.argmax(axis=1), -1
        )
        middle = np.arange(n_programs) * (2 * width + 1) + width
        for place in chunks(len(patterns.codes)):
            part = patterns.take(place)
            # Answers that are not known, of later chunks, are no votes.
            codes = np.where(part.codes < part.n_answers, part.codes, 0)
            votes_for = count_votes(codes, part.meaning)
            on_row = np.count_nonzero(codes, axis=1)
            unknown = np.where(part.is_labelled, 0.0, part.counts)
            single = np.where(on_row == 1, unknown, 0.0)
            # Rows that are not compared weigh nothing.
            compared = np.where(on_row > 1, unknown, 0.0)
            chance = compared * (on_row - 1) / part.n_classes
            # What stands for no class is never right.
            rows, programs = np.nonzero(class_of[codes] >= 0)
            voted = class_of[codes[rows, programs]]
            if part.labels is not None:
                right = voted == part.labels[rows]
                sure += np.bincount(programs, part.counts[rows] * right, n_programs)
            if single.any():
                alone += np.bincount(programs, single[rows], n_programs)
            own = votes_for[rows, voted]
            first, second = _two_largest(votes_for)
            strongest = first[rows]
            other = np.where(own == strongest, second[rows], strongest)
            own -= 1
            weight = compared[rows]
            most += np.bincount(programs, weight * np.maximum(own, other), n_programs)
            least += np.bincount(programs, chance[rows], n_programs)
            own -= other
            column = middle[programs] + own.astype(np.intp)
            gains += np.bincount(column, weight, len(gains))
        n_votes = patterns.n_votes.sum(axis=1)
        gains = gains.reshape(n_programs, -1)
        return cls(gains, sure, alone, n_votes, most, least)

    def __add__(self, other: "VoteBounds") -> "VoteBounds":
        width = max(self.gains.shape[1], other.gains.shape[1]) // 2
        padded = [
            np.pad(gains, ((0, 0), (width - gains.shape[1] // 2,) * 2))
            for gains in (self.gains, other.gains)
        ]
        return VoteBounds(
            padded[0] + padded[1],
            self.sure + other.sure,
            self.alone + other.alone,
            self.n_votes + other.n_votes,
            self.most + other.most,
            self.least + other.least,
        )

    def shares(self) -> np.ndarray:
        """Compute which shares of right votes are possible on these very rows.

        All classes of rows are allowed with which, where a program votes beside others,
        these are no worse than chance. Of such classes, the extreme ones for a program
        are found by giving up first what gains most for the others.

        Returns
        -------
        shares : ndarray of shape (n_programs, 2)
            Lowest and highest share; 0 and 1 for a program without votes.
        """
        width = self.gains.shape[1] // 2
        steps = np.arange(width, 0, -1.0)
        spare = np.maximum(self.most - self.least, 0)
        low, high = self.sure.copy(), self.sure + self.alone + self.gains.sum(axis=1)
        for program, gains in enumerate(self.gains):
            # If it were always wrong, or always right, others would lose so many.
            ahead, behind = gains[:width:-1], gains[:width]
            for share, counts, sign in ((low, ahead, 1), (high, behind, -1)):
                lost = counts * steps
                share[program] += sign * np.interp(
                    lost.sum() - spare[program],
                    np.r_[0, lost.cumsum()],
                    np.r_[0, counts.cumsum()],
                )
        voted = self.n_votes > 0
        bounds = np.tile([0.0, 1.0], (len(voted), 1))
        bounds[voted] = np.stack([low, high], axis=1)[voted] / self.n_votes[voted, None]
        return bounds.clip(0, 1)

    def intervals(self) -> np.ndarray:
        """Add what chance does in a sample to the shares.

        Returns
        -------
        intervals : ndarray of shape (n_programs, 2)
            Lowest and highest accuracy, by Clopper and Pearson's limits.
        """
        low, high = (self.shares() * self.n_votes[:, None]).T
        n = self.n_votes
        below, above = np.zeros(len(n)), np.ones(len(n))
        some, not_all = low > 0, high < n
        below[some] = betaincinv(low[some], (n - low)[some] + 1, _ERROR / 2)
        above[not_all] = betaincinv(
            high[not_all] + 1, (n - high)[not_all], 1 - _ERROR / 2
        )
        return np.stack([below, above], axis=1)


def _two_largest(votes_for: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value of each row and the next; 0 where there is none."""
    first, second = np.zeros((2, len(votes_for)))
    for column in votes_for.T:
        np.maximum(second, np.minimum(first, column), out=second)
        np.maximum(first, column, out=first)
    return first, second
