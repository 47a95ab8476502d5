"""Gather what there is to say of an annotator's programs and labels, in one run."""

import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ..data import UNLABELED, Classes, as_indexable, draw_rows
from ..distillation import NO_VOTES, UNSURE
from ..exceptions import AlchemistWarning
from ..label_model import find_groups
from ..programs import RunResult
from ..votes import ABSTAIN, agreement, collapse
from ._find_programs import FoundPrograms, find_programs

# As `annotate` flags labels by default.
_FLAG_BELOW = 0.7
# On fewer programs nobody can tell whether two repeat each other.
_MIN_TO_GROUP = 4
TIED = "programs disagree"


@dataclass(frozen=True, eq=False, slots=True)
class Findings:
    """What programs say of records, and what becomes of it.

    Parameters
    ----------
    found : FoundPrograms
        The labeler and what belongs to it.
    n_samples : int
        Number of records in all.
    positions : ndarray of int of shape (n_drawn,)
        Which of them were looked at.
    X : array-like of shape (n_drawn, ...)
        These.
    taken : array-like of shape (n_drawn, ...)
        What steps before an annotator made of them.
    run : RunResult
        Votes and failures of the programs on them.
    labels : ndarray of int of shape (n_drawn,)
        Index of the class that each record gets; -1 for none.
    confidence : ndarray of shape (n_drawn,)
        Its probability; of a labeler alone, its share of the votes.
    source, doubt : ndarray of str of shape (n_drawn,)
        Whom each label comes from, and what speaks against trusting it.
    gold : ndarray of int of shape (n_drawn,)
        Index of the true class, -1 where it is not known.
    """

    found: FoundPrograms
    n_samples: int
    positions: np.ndarray
    X: Any
    taken: Any
    run: RunResult
    labels: np.ndarray
    confidence: np.ndarray
    source: np.ndarray
    doubt: np.ndarray
    gold: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        """The classes, in the order of their indices."""
        return self.found.labeler.classes_

    @property
    def names(self) -> list[str]:
        """Names of the programs."""
        return [program.name for program in self.found.labeler.programs_]

    @property
    def votes(self) -> np.ndarray:
        """What each program says of each record, -1 where it abstains."""
        return self.run.votes

    def votes_by_class(self) -> np.ndarray:
        """Count the votes of each program for each class.

        Returns
        -------
        counts : ndarray of int of shape (n_programs, n_classes)
        """
        return count_votes(self.votes, len(self.classes))

    def accuracy(self) -> "Accuracy":
        """Say how often each program is right, as far as anybody knows."""
        n_votes = np.count_nonzero(self.votes != ABSTAIN, axis=0)
        n_programs = len(n_votes)
        share, basis = np.full(n_programs, np.nan), np.full(n_programs, "", object)
        interval = np.full((n_programs, 2), np.nan)
        aggregator = self.found.aggregator
        estimated = np.asarray(getattr(aggregator, "accuracies_", ()), float)
        if estimated.shape == (n_programs,):
            share = np.where(n_votes > 0, estimated, np.nan)
            known = getattr(aggregator, "accuracy_interval_", None)
            interval = share_interval(share, n_votes)
            if known is not None and np.shape(known) == (n_programs, 2):
                interval = np.asarray(known, float)
            basis[~np.isnan(share)] = "estimated"
        labelled = self.gold != UNLABELED
        n_gold = np.count_nonzero(self.votes[labelled] != ABSTAIN, axis=0)
        judged = n_gold > 0
        measured = agreement(self.votes, self.gold)
        share = np.where(judged, measured, share)
        interval[judged] = share_interval(measured, n_gold)[judged]
        basis[judged] = "measured"
        return Accuracy(share, interval, basis, n_gold)

    def groups(self) -> list[list[int]]:
        """Find the programs that repeat each other, as the aggregator did if it does.

        Returns
        -------
        groups : list of list of int
            Positions of the programs of each group of two or more.
        """
        groups = getattr(self.found.aggregator, "groups_", None)
        if groups is None:
            groups = group_programs(self.votes, len(self.classes))
        return [np.asarray(group).tolist() for group in groups]


@dataclass(frozen=True, eq=False, slots=True)
class Accuracy:
    """How often each program is right where it votes.

    Parameters
    ----------
    share : ndarray of shape (n_programs,)
        NaN where nobody knows.
    interval : ndarray of shape (n_programs, 2)
        95 % interval.
    basis : ndarray of str of shape (n_programs,)
        "measured" on gold labels, "estimated" by the aggregator, or "".
    n_gold : ndarray of int of shape (n_programs,)
        Number of gold labels on which each votes.
    """

    share: np.ndarray
    interval: np.ndarray
    basis: np.ndarray
    n_gold: np.ndarray


def gather(
    estimator: Any, X: Any, y: ArrayLike | None = None, *, n_records: int
) -> Findings:
    """Run programs and what follows them on at most so many records.

    Parameters
    ----------
    estimator : ProgramSynthesisLabeler, Pipeline that has one, or DistilledAnnotator
        Fitted; also at the end of a pipeline, or the best one of a search.
    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Texts, or a table.
    y : array-like of shape (n_samples,), default=None
        Gold labels, some of which may be missing.
    n_records : int
        Of more records, so many are drawn at random, the same ones each time.

    Returns
    -------
    findings : Findings

    Raises
    ------
    TypeError
        If `estimator` has no programs.
    ValueError
        If `X` holds no record, or `y` what is no class.
    """
    n_samples = _num_samples(X)
    if not n_samples:
        raise ValueError("X holds no record: there is nothing to look at.")
    positions = draw_rows(n_samples, n_records)
    drawn = X
    if len(positions) < n_samples:
        drawn = _safe_indexing(as_indexable(X), positions)
    inner, taken = reach_in(estimator, drawn)
    found = find_programs(inner)
    classes = Classes.of_names(found.labeler.classes_)
    gold = np.full(n_samples, UNLABELED)
    if y is not None:
        gold = classes.encode(y, n_samples=n_samples)
    with warnings.catch_warnings():
        # What they would say is shown.
        warnings.simplefilter("ignore", AlchemistWarning)
        run = found.labeler.run(found.before_programs(taken))
        said = _label(inner, found, taken, run.votes)
    return Findings(
        found=found,
        n_samples=n_samples,
        positions=positions,
        X=drawn,
        taken=taken,
        run=run,
        gold=gold[positions],
        **said,
    )


def count_votes(votes: np.ndarray, n_classes: int) -> np.ndarray:
    """Count the votes of each program for each class.

    Parameters
    ----------
    votes : ndarray of int of shape (n_samples, n_programs)
        Indices of classes, -1 for abstain.
    n_classes : int
        Number of classes.

    Returns
    -------
    counts : ndarray of int of shape (n_programs, n_classes)
    """
    return np.stack(
        [
            np.bincount(column.astype(int) + 1, minlength=n_classes + 1)[1:]
            for column in votes.T
        ]
    )


def group_programs(votes: np.ndarray, n_classes: int) -> list[np.ndarray]:
    """Find programs that repeat each other from their votes alone.

    Parameters
    ----------
    votes : ndarray of int of shape (n_samples, n_programs)
        Indices of classes, -1 for abstain.
    n_classes : int
        Number of classes.

    Returns
    -------
    groups : list of ndarray of int
        Positions of the programs of each group of two or more.
    """
    if votes.shape[1] < _MIN_TO_GROUP:
        return []
    patterns, _, counts = collapse(votes.astype(int))
    return find_groups(patterns + 1, counts, n_classes + 1)


def agree_pairwise(votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare each two programs where both vote.

    Parameters
    ----------
    votes : ndarray of int of shape (n_samples, n_programs)
        Indices of classes, -1 for abstain.

    Returns
    -------
    share : ndarray of shape (n_programs, n_programs)
        Share of equal votes; NaN where two never vote on the same record.
    n_shared : ndarray of int of shape (n_programs, n_programs)
        Number of records on which both vote.
    """
    voted = (votes != ABSTAIN).astype(float)
    n_shared = voted.T @ voted
    equal = np.zeros_like(n_shared)
    for k in np.unique(votes[votes != ABSTAIN]):
        given = (votes == k).astype(float)
        equal += given.T @ given
    share = np.full(n_shared.shape, np.nan)
    np.divide(equal, n_shared, out=share, where=n_shared > 0)
    return share, n_shared.astype(int)


def reach_in(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Find the annotator at the end of a pipeline, or the best one of a search."""
    if hasattr(estimator, "best_estimator_"):
        return reach_in(estimator.best_estimator_, X)
    steps: Sequence[Any] = getattr(estimator, "steps", ())
    if steps and hasattr(steps[-1][1], "labeler_"):
        for _, step in steps[:-1]:
            X = X if step in (None, "passthrough") else step.transform(X)
        return reach_in(steps[-1][1], X)
    return estimator, X


class _Voted:
    """Stands for a labeler whose programs did run, so that they run once."""

    def __init__(self, labeler: Any, votes: np.ndarray) -> None:
        self.votes = votes
        if hasattr(labeler, "get_feature_names_out"):
            self.get_feature_names_out = labeler.get_feature_names_out

    def transform(self, X: Any) -> np.ndarray:
        return self.votes


def _label(
    estimator: Any, found: FoundPrograms, X: Any, votes: np.ndarray
) -> dict[str, np.ndarray]:
    """Say what label each record gets, by whoever comes after the programs."""
    classes = found.labeler.classes_
    voter = estimator if found.annotator is None else found.annotator.labeler_
    steps = [step for _, step in getattr(voter, "steps", ())]
    after = steps[steps.index(found.labeler) + 1 :] if steps else []
    last = after.pop() if after and hasattr(after[-1], "predict") else None
    for step in after:
        votes = step.transform(votes)
    if found.annotator is not None:
        annotator = copy(found.annotator)
        annotator.labeler_ = _Voted(found.annotator.labeler_, votes)
        said = annotator.annotate(X, flag_below=_FLAG_BELOW)
        return {
            "labels": Classes.of_names(classes).encode(said.label),
            "confidence": said.confidence,
            "source": said.source,
            "doubt": said.doubt,
        }
    silent = (votes == ABSTAIN).all(axis=1)
    if last is None:
        proba = share_votes(votes, len(classes))
    else:
        proba = _answers(last, votes, classes)
    labels, confidence = proba.argmax(axis=1), proba.max(axis=1)
    doubt = np.full(len(votes), "", object)
    doubt[confidence < _FLAG_BELOW] = UNSURE
    if last is None:
        tied = np.count_nonzero(proba == confidence[:, None], axis=1) > 1
        doubt[tied] = TIED
        labels[tied] = ABSTAIN
    doubt[silent] = NO_VOTES
    source = np.full(len(votes), "votes", object)
    return {
        "labels": labels,
        "confidence": confidence,
        "source": source,
        "doubt": doubt,
    }


def share_votes(votes: np.ndarray, n_classes: int) -> np.ndarray:
    """Give each class its share of the votes for a record; 0 without a vote."""
    counts = np.stack([(votes == k).sum(axis=1) for k in range(n_classes)], axis=1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _answers(aggregator: Any, votes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Ask an aggregator for the probabilities of our classes."""
    names = Classes.of_names(classes)
    if hasattr(aggregator, "predict_proba"):
        known, said = aggregator.classes_, aggregator.predict_proba(votes)
    else:
        known, codes = np.unique(aggregator.predict(votes), return_inverse=True)
        said = np.eye(len(known))[codes]
    places = names.encode(known, strict=False)
    if (places == UNLABELED).all() and known.dtype.kind in "iu":
        places = known.astype(int)  # without classes, it answers as programs vote
    proba = np.zeros((len(votes), len(classes)))
    ours = (places >= 0) & (places < len(classes))
    proba[:, places[ours]] = said[:, ours]
    return proba


_Z = 1.959964  # two-sided, 95 %


def share_interval(share: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Compute Wilson's score interval of shares, at 95 %.

    Parameters
    ----------
    share : array-like of shape (n_shares,)
        Shares between 0 and 1; NaN where there is none.

    n : array-like of shape (n_shares,)
        How many were counted for each.

    Returns
    -------
    interval : ndarray of shape (n_shares, 2)
        Lowest and highest share; NaN where nothing was counted.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical
       inference", JASA 22, 1927.

    Examples
    --------
    >>> from sklearn_alchemist.inspection._findings import share_interval
    >>> share_interval([0.8], [10]).round(2)
    array([[0.49, 0.94]])
    """
    share, n = np.asarray(share, float), np.asarray(n, float)
    n = np.where(n > 0, n, np.nan)
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + (_Z / (2 * n)) ** 2)
    return np.stack([centre - half, centre + half], axis=-1).clip(0, 1)
