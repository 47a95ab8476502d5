"""Train a student on what votes say, and let it doubt them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import _safe_indexing

from ..votes import ABSTAIN
from ._blend import GOOD_FIDELITY, fidelity
from ._scaling import Scaling, combine, fit_scaling, stratified_folds
from ._shared_features import SharedFeatures
from ._soft_labels import fit_on_soft_labels

# With fewer rows a fold, a student out of fold is not the student that is deployed.
_LEAST_ROWS_PER_FOLD = 10
# To which probabilities of the same votes are equal, in whatever order they were added.
_DECIMALS = 7


@dataclass(frozen=True)
class SoftTargets:
    """What a student is to learn.

    Parameters
    ----------
    from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities that the votes give.

    classes : ndarray of shape (n_classes,)
        The classes.

    prior : ndarray of shape (n_classes,)
        Probabilities of the classes before anybody voted.

    used : ndarray of shape (n_samples,) of bool
        Which rows to learn from.

    gold : ndarray of int of shape (n_samples,)
        Known classes, -1 where none is known. They are learned as they are.

    weight : ndarray of shape (n_samples,) or None
        How much each row counts in scaling the student; 1 if None. Rows on which no
        program votes should count 0: what their silence means is a guess, and a student
        that is shifted to it says the wrong class of all rows.
    """

    from_votes: np.ndarray
    classes: np.ndarray
    prior: np.ndarray
    used: np.ndarray
    gold: np.ndarray
    weight: np.ndarray | None = None

    def with_gold(self, proba: np.ndarray) -> np.ndarray:
        """Replace probabilities by what is known.

        Parameters
        ----------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            A copy, with certainty where the class is known.
        """
        certain = np.eye(len(self.classes))[self.gold]
        return np.where((self.gold >= 0)[:, None], certain, proba)


@dataclass(frozen=True)
class Distilled:
    """A student and how to read it.

    Parameters
    ----------
    student : classifier
        Fitted.

    scaling : Scaling
        Brings its probabilities to the scale of the votes.

    said : ndarray of shape (n_samples, n_classes) or None
        Probabilities of students that did not learn from the row, not scaled; None
        where there were too few rows for that.
    """

    student: BaseEstimator
    scaling: Scaling
    said: np.ndarray | None

    @property
    def held_out(self) -> np.ndarray | None:
        """Scaled probabilities of students that did not learn from the row."""
        return None if self.said is None else self.scaling(self.said)


def distil(
    shared: SharedFeatures,
    targets: SoftTargets,
    *,
    cv: int,
    n_rounds: int,
    vote_weight: float,
    class_weight: str | Mapping[Any, float] | None = None,
    fit_params: Mapping[str, Any] | None = None,
    on_student: Callable[[], None] | None = None,
) -> Distilled:
    """Train a student, scale it on held-out rows, and let it correct its targets.

    In each round, the probabilities to learn are those of the votes, tempered by
    `vote_weight`, times those that students gave to rows which they had not seen [1]_.
    A student that has not seen a row cannot repeat its votes, so that it does not
    confirm itself; and as the votes are the same in every round, it cannot run away
    from them. Where students repeat the votes badly, there is no round: they would
    correct what they have not understood.

    Parameters
    ----------
    shared : SharedFeatures
        The student, and what it learns from.

    targets : SoftTargets
        What it learns.

    cv : int
        Number of folds. Below 2, or with fewer than ten rows a fold, nothing is held
        out: the student is not scaled and there is no round.

    n_rounds : int
        How often at most the targets are corrected.

    vote_weight : float
        Weight of the votes beside the student.

    class_weight : {"balanced"}, dict or None, default=None
        How much each class counts.

    fit_params : dict, default=None
        More parameters of the student's ``fit``.

    on_student : callable, default=None
        Called after each student is trained, ``cv * (n_rounds + 1) + 1`` times at most.

    Returns
    -------
    distilled : Distilled
        The student, fitted to all rows, and its scaling.

    References
    ----------
    .. [1] V. C. Raykar et al., "Learning from crowds", JMLR 11, 2010.
    """
    X = shared.features

    def fit(
        target: np.ndarray, used: np.ndarray, start: BaseEstimator | None = None
    ) -> BaseEstimator:
        student = fit_on_soft_labels(
            clone(shared.rest),
            X,
            target,
            targets.classes,
            used=used,
            class_weight=class_weight,
            fit_params=fit_params,
            start=start,
        )
        if on_student is not None:
            on_student()
        return student

    def whole(
        target: np.ndarray, used: np.ndarray, start: BaseEstimator | None = None
    ) -> BaseEstimator:
        student = fit(target, used, start)
        # What answers with the average has nothing of the student.
        return shared.join(student) if type(student) is type(shared.rest) else student

    anchor = targets.with_gold(targets.from_votes)
    target, used = anchor, targets.used
    if cv < 2 or used.sum() < cv * _LEAST_ROWS_PER_FOLD:
        n_classes = len(targets.classes)
        return Distilled(whole(target, used), Scaling(1.0, np.zeros(n_classes)), None)
    fold = stratified_folds(anchor.argmax(axis=1), cv)
    weight = np.ones(len(anchor)) if targets.weight is None else targets.weight
    students: list[BaseEstimator | None] = [None] * cv
    for n_left in range(n_rounds, -1, -1):
        said = np.empty_like(anchor)
        for k in range(cv):
            rows = np.flatnonzero(fold == k)
            students[k] = student = fit(target, used & (fold != k), students[k])
            said[rows] = probabilities(
                student, _safe_indexing(X, rows), targets.classes
            )
        scaling = fit_scaling(said, anchor, targets.weight)
        held_out = scaling(said)
        if n_left == 0 or fidelity(held_out, anchor, weight).mean() < GOOD_FIDELITY:
            break
        corrected = combine(held_out, targets.from_votes, targets.prior, vote_weight)
        target = targets.with_gold(corrected)
    return Distilled(whole(target, used, students[0]), scaling, said)


def probabilities(student: BaseEstimator, X: Any, classes: np.ndarray) -> np.ndarray:
    """Give a student's probabilities a column for each class.

    Parameters
    ----------
    student : classifier
        Fitted, to some or all of the classes.

    X : array-like of shape (n_samples, ...)
        What it takes.

    classes : ndarray of shape (n_classes,)
        All classes, sorted.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        0 for a class that no row was given.
    """
    said = student.predict_proba(X)
    proba = np.zeros((len(said), len(classes)))
    proba[:, np.searchsorted(classes, student.classes_)] = said
    return proba


def choose_rows(
    votes: np.ndarray,
    proba: np.ndarray,
    *,
    uncovered: str,
    min_confidence: float,
    max_conflict: float,
) -> np.ndarray:
    """Choose the rows that a student learns from.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    proba : ndarray of shape (n_samples, n_classes)
        Probabilities that the votes give.

    uncovered : {"drop", "keep"}
        What is done with rows on which no program votes.

    min_confidence : float
        Least probability of the most probable class.

    max_conflict : float
        Largest share of the votes of a row that are not for its most voted class.

    Returns
    -------
    used : ndarray of shape (n_samples,) of bool
        Which rows to learn from.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import choose_rows
    >>> votes = np.array([[0, 0], [0, 1], [-1, -1]])
    >>> proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]])
    >>> choose_rows(
    ...     votes, proba, uncovered="drop", min_confidence=0, max_conflict=0.4
    ... )
    array([ True, False, False])
    """
    n_votes = (votes != ABSTAIN).sum(axis=1)
    counts = np.stack([(votes == k).sum(axis=1) for k in range(proba.shape[1])])
    conflict = 1 - counts.max(axis=0) / np.maximum(n_votes, 1)
    conflict[n_votes == 0] = 0.0
    used = (proba.max(axis=1) >= min_confidence) & (conflict <= max_conflict)
    return used if uncovered == "keep" else used & (n_votes > 0)


def sample_rows(
    votes: np.ndarray,
    proba: np.ndarray,
    used: np.ndarray,
    hashes: np.ndarray,
    n_rows: int,
    share: float,
    random_state: np.random.RandomState,
) -> np.ndarray:
    """Sample the rows that a student learns from and is scaled on.

    They are laid out by their most probable class, how many programs vote and how sure
    they are, and taken at even distances, so that each kind has its share; three
    quarters at least are rows to learn from. Where they lie has no say.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    proba : ndarray of shape (n_samples, n_classes)
        Probabilities that the votes give.

    used : ndarray of shape (n_samples,) of bool
        Which rows could be learned from.

    hashes : ndarray of uint64 of shape (n_samples,)
        Hashes of the records, which give rows of one kind their order.

    n_rows : int
        How many rows to take.

    share : float
        Share of all records that could be learned from, of which these may be drawn.

    random_state : RandomState
        Where the randomness comes from.

    Returns
    -------
    rows : ndarray of int
        Positions, in the order of the hashes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import sample_rows
    >>> votes = np.repeat([[0], [1]], [90, 10], axis=0)
    >>> proba, used = np.eye(2)[votes[:, 0]], np.ones(100, dtype=bool)
    >>> hashes = np.arange(100, dtype=np.uint64)
    >>> rng = np.random.RandomState(0)
    >>> rows = sample_rows(votes, proba, used, hashes, 10, 1.0, rng)
    >>> np.bincount(votes[rows, 0])
    array([9, 1])
    """
    parts = [np.flatnonzero(used), np.flatnonzero(~used)]
    n_used = min(len(parts[0]), max(int(0.75 * n_rows), int(n_rows * share)))
    taken = []
    for part, n_taken in zip(parts, (n_used, n_rows - n_used), strict=True):
        n_votes = (votes[part] != ABSTAIN).sum(axis=1)
        # Votes that say the same are told apart by rounding alone.
        sure = proba[part].max(axis=1).round(_DECIMALS)
        best = proba[part].round(_DECIMALS).argmax(axis=1)
        order = np.lexsort((hashes[part], sure, n_votes, best))
        n_taken = min(n_taken, len(part))
        step = len(part) / max(n_taken, 1)
        at = (random_state.uniform() + np.arange(n_taken)) * step
        taken.append(part[order[np.minimum(at.astype(int), len(part) - 1)]])
    rows = np.concatenate(taken)
    return rows[np.argsort(hashes[rows])]
