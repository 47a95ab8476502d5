"""Keep what was said of training rows, so that labels can be learned later."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from ..data import UNLABELED, ClassMapping
from ..votes import ABSTAIN


@dataclass(frozen=True, eq=False)
class TrainingState:
    """What is kept of the rows of ``fit``: votes and labels, no records.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    gold : ndarray of int of shape (n_samples,)
        Known classes, -1 where none is known.

    label_proba : ndarray of shape (n_samples,)
        Probability with which each label was asked for; NaN where nobody knows.

    weight : ndarray of shape (n_samples,) or None
        How much each row counts; 1 if None.

    taught : ndarray of bool of shape (n_samples,)
        Whose labels the student has learned.

    rows : ndarray of int
        Positions of the rows that the student saw.

    said : ndarray of shape (n_rows, n_classes) or None
        What students that did not learn from these rows say of them.

    kept : ndarray of int or None
        Positions of the rows among those that ``fit`` was given; None if all counted.

    n_given : int or None
        How many ``fit`` was given; None if they were counted in partitions: behind the
        rows that were drawn then stand the different rows of votes of all others.

    aggregator_params : dict
        What the aggregator's ``fit`` was given beside votes and labels.

    profiles : dict
        What tells later whether other records differ from these.

    by_model : ndarray of bool of shape (n_samples,) or None
        Which labels a model gave; None if it gave none.
    """

    votes: np.ndarray
    gold: np.ndarray
    label_proba: np.ndarray
    weight: np.ndarray | None
    taught: np.ndarray
    rows: np.ndarray
    said: np.ndarray | None
    kept: np.ndarray | None
    n_given: int | None
    aggregator_params: dict[str, Any]
    profiles: dict[str, Any] = field(default_factory=dict)
    by_model: np.ndarray | None = None

    @property
    def is_labelled(self) -> np.ndarray:
        """Which rows have a label."""
        return self.gold != UNLABELED

    @property
    def counts(self) -> np.ndarray:
        """How much each row counts."""
        return np.ones(len(self.votes)) if self.weight is None else self.weight

    @property
    def multiplicity(self) -> np.ndarray | None:
        """How many records each row stands for, None where it is one."""
        return self.weight if self.n_given is None else None

    @property
    def heard(self) -> np.ndarray:
        """How much each row counts on which a program votes."""
        return voted_weight(self.votes, self.weight)

    def labels(self, classes: np.ndarray) -> np.ndarray:
        """Write the labels as classes, missing ones as None.

        Parameters
        ----------
        classes : ndarray of shape (n_classes,)
            The classes.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        y = np.full(len(self.gold), None)
        y[self.is_labelled] = classes[self.gold[self.is_labelled]]
        return y

    def with_labels(self, codes: np.ndarray, label_proba: np.ndarray) -> Self:
        """Add labels, in the place of those that were there.

        Parameters
        ----------
        codes : ndarray of int of shape (n_given,)
            Classes of all rows that ``fit`` was given, -1 where none is known.

        label_proba : ndarray of shape (n_given,)
            Probability with which each was asked for; NaN where nobody knows.

        Returns
        -------
        state : TrainingState
            A new one.
        """
        if self.kept is not None:
            codes, label_proba = codes[self.kept], label_proba[self.kept]
        given = codes != UNLABELED
        by_model = None if self.by_model is None else self.by_model & ~given
        return replace(
            self,
            by_model=by_model,
            gold=np.where(given, codes, self.gold),
            label_proba=np.where(given, label_proba, self.label_proba),
        )

    def remap(
        self, change: ClassMapping, prior: np.ndarray, said: np.ndarray | None
    ) -> Self:
        """Speak of the classes of now.

        Parameters
        ----------
        change : ClassMapping
            What became of each class.

        prior : ndarray of shape (n_classes_before,)
            Probability of each class of before.

        said : ndarray of shape (n_rows, n_classes_before) or None
            What students say of rows that they did not see, on the scale of the votes.

        Returns
        -------
        state : TrainingState
            A new one.
        """
        if said is not None:
            said = change.map_proba(said, prior).astype(np.float32)
        return replace(
            self,
            votes=change.map_codes(self.votes),
            gold=change.map_codes(self.gold),
            said=said,
        )

    def count_labels(self, n_judging: float) -> dict[str, int | float]:
        """Count what the labels are used for.

        Parameters
        ----------
        n_judging : int or float
            How many of them tell how accurate programs are.

        Returns
        -------
        label_use : dict of str to int or float
            Number of samples by use.
        """
        n_labels = self.counts[self.is_labelled].sum()
        n_model = 0 if self.by_model is None else self.counts[self.by_model].sum()
        return {
            **({} if self.by_model is None else {"model": _count(n_model)}),
            "given": _count(n_labels - n_model),
            "accuracies": n_judging,
            "student": _count(self.counts[self.taught].sum()),
            "temperature": 0 if self.said is None else _count(n_labels),
        }


def voted_weight(votes: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Weigh the rows on which a program votes; all rows if there is none.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    weight : ndarray of shape (n_samples,) or None
        How much each row counts; 1 if None.

    Returns
    -------
    weight : ndarray of shape (n_samples,)
        The same, 0 where all programs abstain.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import voted_weight
    >>> voted_weight(np.array([[0, -1], [-1, -1]]), None)
    array([1., 0.])
    """
    heard = (votes != ABSTAIN).any(axis=1)
    counted = heard if heard.any() else np.ones(len(votes), dtype=bool)
    return counted * (1.0 if weight is None else weight)


def _count(total: float) -> int | float:
    """Write a number of samples as an int where their weights add up to one."""
    return int(total) if total == int(total) else float(total)
