"""Find programs that add nothing to the others, or that these do better without."""

from collections.abc import Collection, Sequence

import numpy as np

from ..votes import ABSTAIN

# On fewer votes, that two programs agree says little.
_MIN_VOTES = 10
_MIN_LABELED = 40


def find_subsumed(
    votes: np.ndarray, names: Sequence[str], *, n_given: int = 0
) -> dict[int, str]:
    """Find programs whose every vote another program gives, too.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Indices of classes, -1 for abstain; on records of all kinds.

    names : sequence of str
        Names of the programs.

    n_given : int, default=0
        The first so many programs stay whatever they say.

    Returns
    -------
    reasons : dict of int to str
        Places of programs, with the reason. Of two that say the same, the first stays.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.synthesis._gate import find_subsumed
    >>> votes = np.array([[0, 0], [1, -1]] * 10)
    >>> find_subsumed(votes, ["wide", "narrow"])
    {1: "all of its 10 votes are given by 'wide', too, which gives 20"}
    """
    cast = votes != ABSTAIN
    n_votes = cast.sum(axis=0)
    reasons: dict[int, str] = {}
    # The narrowest first: what subsumes it may be subsumed itself.
    for j in sorted(range(n_given, votes.shape[1]), key=lambda j: (n_votes[j], -j)):
        if n_votes[j] < _MIN_VOTES:
            continue
        rows = cast[:, j]
        for i in np.argsort(-n_votes, kind="stable").tolist():
            if i == j or i in reasons:
                continue
            if (votes[rows, i] == votes[rows, j]).all():
                reasons[j] = (
                    f"all of its {n_votes[j]} votes are given by {names[i]!r}, too, "
                    f"which gives {n_votes[i]}"
                )
                break
    return reasons


def find_harmful(
    votes: np.ndarray,
    labels: np.ndarray,
    *,
    n_given: int = 0,
    without: Collection[int] = (),
) -> dict[int, str]:
    """Find programs without which the others label held-out records better.

    Each half of the labelled records is labelled by votes weighed on the other one.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Indices of classes, -1 for abstain.

    labels : ndarray of shape (n_samples,)
        Indices of classes, -1 where unknown.

    n_given : int, default=0
        The first so many programs stay whatever they say.

    without : collection of int, default=()
        Places of programs that are dropped already.

    Returns
    -------
    reasons : dict of int to str
        Places of programs, with the reason; the one that costs most comes first.
    """
    known = np.flatnonzero(labels != ABSTAIN)
    reasons: dict[int, str] = {}
    if len(known) < _MIN_LABELED:
        return reasons
    votes, labels = votes[known], labels[known]
    # Dealt in turn within each class, so that both halves hold all of them.
    order = np.argsort(labels, kind="stable")
    half = np.empty(len(labels), dtype=int)
    half[order] = np.arange(len(labels)) % 2
    n_classes = int(max(labels.max(), votes.max())) + 1
    kept = [j for j in range(votes.shape[1]) if j not in without]
    while True:
        right = _right(votes[:, kept], labels, half, n_classes)
        worst, most = None, 0.0
        for j in kept:
            if j < n_given or len(kept) == 1:
                continue
            fewer = [i for i in kept if i != j]
            better = _right(votes[:, fewer], labels, half, n_classes)
            gained, lost = (better & ~right).sum(), (right & ~better).sum()
            # More than chance makes of rows that change at all, twice over.
            sure = (gained - lost) / max(1.0, np.sqrt(gained + lost))
            if sure > max(most, 2.0):
                worst, most = j, sure
                said = f"{gained} of {len(labels)} held-out records, and {lost} wrongly"
        if worst is None:
            return reasons
        reasons[worst] = f"without it the others label {said} that were not so before"
        kept.remove(worst)


def _right(
    votes: np.ndarray, labels: np.ndarray, half: np.ndarray, n_classes: int
) -> np.ndarray:
    """Say which records are labelled rightly by votes weighed on the other half."""
    right = np.zeros(len(labels), dtype=bool)
    for side in (0, 1):
        here, there = half == side, half != side
        scores = np.zeros((here.sum(), n_classes))
        for column in votes.T:
            cast = column[there] != ABSTAIN
            hits = (column[there][cast] == labels[there][cast]).sum()
            accuracy = (hits + 1) / (cast.sum() + n_classes)
            weight = np.log(accuracy * max(1, n_classes - 1) / (1 - accuracy))
            rows = np.flatnonzero(column[here] != ABSTAIN)
            scores[rows, column[here][rows]] += weight
        right[here] = (scores.argmax(axis=1) == labels[here]) & scores.any(axis=1)
    return right
