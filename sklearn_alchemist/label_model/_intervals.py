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
        sure, alone, n_votes, most, least = np.zeros((5, n_programs))
        class_of = np.where(
            patterns.meaning.any(axis=1), patterns.meaning.argmax(axis=1), -1
        )
        for place in chunks(len(patterns.codes)):
            part = patterns.take(place)
            # Answers that are not known, of later chunks, are no votes.
            codes = np.where(part.codes < part.n_answers, part.codes, 0)
            counts, labelled = part.counts, part.is_labelled
            votes_for = count_votes(codes, part.meaning)
            on_row = np.count_nonzero(codes, axis=1)
            compared = (on_row > 1) & ~labelled
            # A second class without votes, where there is but one.
            ranked = np.sort(np.pad(votes_for, ((0, 0), (1, 0))), axis=1)
            rows, programs = np.nonzero(codes)
            voted, weight = class_of[codes[rows, programs]], counts[rows]
            n_votes += np.bincount(programs, weight, n_programs)
            # What stands for no class is never right.
            named = voted >= 0
            rows, programs, voted, weight = (
                array[named] for array in (rows, programs, voted, weight)
            )
            if part.labels is not None:
                right = voted == part.labels[rows]
                sure += np.bincount(programs, weight * right, n_programs)
            single = (on_row[rows] == 1) & ~labelled[rows]
            alone += np.bincount(programs, weight * single, n_programs)
            several = compared[rows]
            rows, programs, voted, weight = (
                array[several] for array in (rows, programs, voted, weight)
            )
            own = votes_for[rows, voted]
            first, second = ranked[rows, -1], ranked[rows, -2]
            other = np.where(own == first, second, first)
            gain = own - 1 - other
            chance = (on_row[rows] - 1) / part.n_classes
            most += np.bincount(
                programs, weight * np.maximum(own - 1, other), n_programs
            )
            least += np.bincount(programs, weight * chance, n_programs)
            column = programs * (2 * width + 1) + width + gain.astype(np.intp)
            gains += np.bincount(column, weight, len(gains))
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
