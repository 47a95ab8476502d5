"""Choose changes of programs that hold on labels they were not chosen on."""

from collections.abc import Sequence

import numpy as np

from ..votes import ABSTAIN


def choose_changes(
    base: np.ndarray,
    votes: np.ndarray,
    programs: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray,
    folds: np.ndarray,
    n_classes: int,
    *,
    strictness: float | None = None,
) -> list[int]:
    """Choose at most one change of each program.

    A change is worth what it adds to the log-probability of the labels when all
    programs vote together, less what the best of so many changes that do nothing may
    seem to add by chance. It is kept if most folds choose it without the labels left
    out, and if what is chosen so adds to the labels left out.

    Parameters
    ----------
    base : ndarray of int of shape (n_labels, n_programs)
        Votes as they are.
    votes : ndarray of int of shape (n_labels, n_changes)
        Votes of the changed program after each change.
    programs : ndarray of int of shape (n_changes,)
        The program that each change is made to.
    codes : ndarray of int of shape (n_labels,)
        Gold labels.
    weights : ndarray of shape (n_labels,)
        What each label counts.
    folds : ndarray of int of shape (n_labels,)
        The part of cross-validation in which each label is left out.
    n_classes : int
        Number of classes.
    strictness : float or None, default=None
        How many standard errors a change has to add; None: what the best of as many
        changes that do nothing adds.

    Returns
    -------
    chosen : list of int
        Positions of the changes.
    """
    shares = _Shares(base, votes, programs, codes, n_classes)
    if strictness is None:
        n_distinct = len(np.unique(np.vstack([programs, votes]), axis=1).T)
        strictness = float(np.sqrt(2 * np.log(max(n_distinct, 2))))
    chosen = shares.climb(weights, strictness)
    if not chosen:
        return []
    times: dict[int, int] = {}
    gained: list[np.ndarray] = []
    for fold in np.unique(folds):
        out = folds == fold
        found = shares.climb(np.where(out, 0.0, weights), strictness)
        gained.append((weights * shares.gain(found))[out])
        for change in found:
            for same in shares.same_votes(change):
                times[same] = times.get(same, 0) + 1
    if not np.concatenate(gained).sum() > 0:
        return []
    n_folds = len(np.unique(folds))
    return [change for change in chosen if 2 * times.get(change, 0) > n_folds]


class _Shares:
    """Class probabilities by shares of votes, and what changes of them add.

    One further vote is shared by all classes, so that no probability is 0.
    """

    def __init__(
        self,
        base: np.ndarray,
        votes: np.ndarray,
        programs: np.ndarray,
        codes: np.ndarray,
        n_classes: int,
    ) -> None:
        gold = codes[:, None]
        self.votes, self.programs = votes, programs
        # What a change adds to the votes for the gold label, and to all votes.
        before = base[:, programs]
        self.right = (votes == gold).astype(float) - (before == gold)
        self.heard = (votes != ABSTAIN).astype(float) - (before != ABSTAIN)
        self.n_right = (base == gold).sum(axis=1) + 1 / n_classes
        self.n_heard = (base != ABSTAIN).sum(axis=1) + 1.0

    def gain(self, changes: Sequence[int]) -> np.ndarray:
        """Tell what changes add to the log-probability of each label together."""
        right = self.n_right + self.right[:, changes].sum(axis=1)
        heard = self.n_heard + self.heard[:, changes].sum(axis=1)
        return np.log(right / heard) - np.log(self.n_right / self.n_heard)

    def climb(self, weights: np.ndarray, strictness: float) -> list[int]:
        """Take the best change again and again, while it adds more than chance."""
        chosen: list[int] = []
        left = np.arange(len(self.programs))
        n_right, n_heard = self.n_right[:, None], self.n_heard[:, None]
        while len(left):
            now = np.log(n_right / n_heard)
            right, heard = n_right + self.right[:, left], n_heard + self.heard[:, left]
            after = np.log(right / heard)
            gains = weights[:, None] * (after - now)
            worth = gains.sum(axis=0) - strictness * np.sqrt((gains**2).sum(axis=0))
            if not worth.max() > 1e-9:
                break
            best = int(left[worth.argmax()])
            chosen.append(best)
            left = left[self.programs[left] != self.programs[best]]
            n_right = n_right + self.right[:, [best]]
            n_heard = n_heard + self.heard[:, [best]]
        return chosen

    def same_votes(self, change: int) -> np.ndarray:
        """Find changes of the same program that the labels cannot tell from one."""
        same = (self.votes == self.votes[:, [change]]).all(axis=0)
        return np.flatnonzero(same & (self.programs == self.programs[change]))
