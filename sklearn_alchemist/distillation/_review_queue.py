"""Tell which rows a person should look at, and which first."""

from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from .._utils import require
from ..data import frame_like
from ..votes import ABSTAIN

NO_VOTES = "no program votes"
DISAGREE = "student and votes disagree"
UNSURE = "unsure"
BELOW_PROMISE = "less sure than the promised error allows"
GOLD = "gold"
_FRAME = "annotate(as_frame=True)"
_COLUMNS = ("label", "confidence", "flag", "doubt", "source")
# Share of a queue that is drawn with the same chance for every row, so that no label
# stands for more than twice the rows that it would stand for in a plain sample.
_PLAIN_SHARE = 0.5
# Chances that close to 1 are certain, whatever rounding says.
_CERTAIN = 1 - 1e-9


def doubt_reasons(
    proba: np.ndarray,
    student: np.ndarray,
    from_votes: np.ndarray,
    votes: np.ndarray,
    *,
    threshold: float,
) -> np.ndarray:
    """Say what speaks against trusting each label.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities in use.

    student, from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities of the student alone and of the votes alone.

    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    threshold : float
        Labels that are less probable are not trusted.

    Returns
    -------
    doubts : ndarray of shape (n_samples,) of str
        Empty where nothing speaks against it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import doubt_reasons
    >>> sure, other = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])
    >>> doubt_reasons(sure, other, sure, np.array([[0]]), threshold=0.5).tolist()
    ['student and votes disagree']
    """
    doubts = np.full(len(proba), "", dtype=object)
    doubts[proba.max(axis=1) < threshold] = UNSURE
    doubts[student.argmax(axis=1) != from_votes.argmax(axis=1)] = DISAGREE
    doubts[(votes == ABSTAIN).all(axis=1)] = NO_VOTES
    return doubts


def label_sources(
    proba: np.ndarray,
    student: np.ndarray,
    from_votes: np.ndarray,
    votes: np.ndarray,
) -> np.ndarray:
    """Say from whom each label comes.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities in use.

    student, from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities of the student alone and of the votes alone.

    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    Returns
    -------
    source : ndarray of shape (n_samples,) of str
        "both" where student and votes agree, "student" where no program votes, and
        otherwise who says the label; "both" where neither does alone.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import label_sources
    >>> sure, other = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])
    >>> label_sources(sure, other, sure, np.array([[0]])).tolist()
    ['votes']
    """
    label = proba.argmax(axis=1)
    by_student, by_votes = (p.argmax(axis=1) == label for p in (student, from_votes))
    source = np.full(len(label), "both", dtype=object)
    source[by_student & ~by_votes] = "student"
    source[by_votes & ~by_student] = "votes"
    # Silence may tip the balance, but nobody voted for the label.
    source[(votes == ABSTAIN).all(axis=1)] = "student"
    return source


def draw_queue(
    proba: np.ndarray,
    student: np.ndarray,
    from_votes: np.ndarray,
    votes: np.ndarray,
    n: int,
    random_state: Any = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows to be labelled, hard ones more often, each with a known probability.

    Half of the chance is the same for every row, and half goes to rows in proportion to
    how unsure their class is and how much student and votes differ [1]_. The rows are
    laid out by their votes and taken at even distances, so that rows that programs do
    not tell apart get their share and no more [2]_.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities in use.

    student, from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities of the student alone and of the votes alone.

    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    n : int
        Number of rows to draw.

    random_state : int, RandomState instance or None, default=None
        Where the randomness comes from.

    Returns
    -------
    positions : ndarray of int of shape (min(n, n_samples),)
        The rows, in random order.

    label_proba : ndarray of shape (min(n, n_samples),)
        Probability with which each was drawn.

    References
    ----------
    .. [1] H. S. Seung, M. Opper and H. Sompolinsky, "Query by committee", COLT 1992.

    .. [2] W. G. Madow, "On the theory of systematic sampling, II", Annals of
       Mathematical Statistics 20(3), 1949.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import draw_queue
    >>> proba = np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]])
    >>> votes = np.array([[0], [1], [1]])
    >>> positions, chance = draw_queue(proba, proba, proba, votes, 3, random_state=0)
    >>> sorted(positions.tolist()), chance.tolist()
    ([0, 1, 2], [1.0, 1.0, 1.0])
    """
    rng = check_random_state(random_state)
    n_rows = len(proba)
    middle = (student + from_votes) / 2
    differ = _entropy(middle) - (_entropy(student) + _entropy(from_votes)) / 2
    hard = np.maximum(_entropy(proba) + differ, 0.0)
    size = np.full(n_rows, _PLAIN_SHARE / n_rows)
    if hard.sum() > 0:
        size += (1 - _PLAIN_SHARE) * hard / hard.sum()
    chance = inclusion_probabilities(size, min(n, n_rows))
    certain = chance >= _CERTAIN
    order = np.lexsort((hard, *votes.T[::-1]))
    order = order[~certain[order]]
    ends = np.cumsum(chance[order])
    n_drawn = min(n, n_rows) - int(certain.sum())
    points = rng.uniform() + np.arange(n_drawn)
    if n_drawn:
        points *= ends[-1] / n_drawn  # the sum is rounded
    drawn = order[np.searchsorted(ends, points, side="right")]
    positions = rng.permutation(np.append(np.flatnonzero(certain), drawn))
    return positions, np.minimum(chance[positions], 1.0)


def inclusion_probabilities(size: np.ndarray, n: int) -> np.ndarray:
    """Share a number of draws among rows in proportion to their sizes.

    Parameters
    ----------
    size : ndarray of shape (n_samples,)
        Positive.

    n : int
        Number of draws without replacement, at most `n_samples`.

    Returns
    -------
    chance : ndarray of shape (n_samples,)
        Between 0 and 1, summing to `n`; rows that are too large are certain.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import inclusion_probabilities
    >>> inclusion_probabilities(np.array([8.0, 1.0, 1.0]), 2)
    array([1. , 0.5, 0.5])
    """
    chance = np.zeros(len(size))
    certain = np.zeros(len(size), dtype=bool)
    while True:
        left = n - certain.sum()
        total = size[~certain].sum()
        chance = np.where(certain, 1.0, left * size / max(total, 1e-300))
        too_large = (chance > _CERTAIN) & ~certain
        if not too_large.any():
            return chance
        certain |= too_large


def to_frame(annotation: Bunch, classes: np.ndarray, X: Any) -> Any:
    """Show annotations as a table with a row a record and a column a program.

    Parameters
    ----------
    annotation : Bunch
        What `DistilledAnnotator.annotate` gives.

    classes : ndarray of shape (n_classes,)
        The classes.

    X : array-like of shape (n_samples, ...)
        The records. If they have an index, the frame gets it.

    Returns
    -------
    frame : DataFrame
        The label, its confidence, flag, doubt and source, and what each program says: a
        class, or missing where it abstains.
    """
    pd = require("pandas", needed_by=_FRAME)

    frame = {n: annotation[n] for n in _COLUMNS}
    frame |= {
        f"{name} (program)" if name in frame else name: pd.Categorical.from_codes(
            annotation.votes[:, j], classes
        )
        for j, name in enumerate(annotation.programs)
    }
    return frame_like(X, frame, needed_by=_FRAME)


def _entropy(proba: np.ndarray) -> np.ndarray:
    return -(proba * np.log(np.maximum(proba, 1e-300))).sum(axis=1)
