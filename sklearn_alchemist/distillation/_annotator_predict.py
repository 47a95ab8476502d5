"""Predict with student and votes: what a fitted annotator does."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from ..data import (
    ProbaClassifierMixin,
    Records,
    as_indexable,
    check_records,
)
from ..streaming import lazy_for_dask
from ._annotate import Opinions
from ._blend import Blend
from ._distil import probabilities
from ._scaling import Scaling, log_proba, softmax
from ._students import takes
from ._training_state import TrainingState


class AnnotatorPredictMixin(ProbaClassifierMixin, BaseEstimator):
    """Predictions of a student and of votes, together or each alone."""

    # What the annotator was given and has learned.
    estimator: Any
    predict_with: str
    vote_weight: float | str
    classes_: np.ndarray
    labeler_: Any
    aggregator_: Any
    estimator_: Any
    class_prior_: np.ndarray
    scaling_: Scaling
    vote_weight_: np.ndarray
    shift_: np.ndarray
    temperatures_: dict[str, float]
    _training_state: TrainingState
    _older_opinions: Callable[..., Opinions]

    @lazy_for_dask
    def predict_proba(self, X: Any) -> np.ndarray:
        """Estimate the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities between 0 and 1, in the order of ``classes_``.
        """
        return self._opinions(X, ask_all=False).proba

    predict = lazy_for_dask(ProbaClassifierMixin.predict)

    def _opinions(self, X: Any, *, ask_all: bool) -> Opinions:
        """Ask those whom `predict_with` names, or all, once."""
        check_is_fitted(self)
        if hasattr(self, "_before"):
            return self._older_opinions(X, ask_all=ask_all)
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        if not records.n_rows:
            nothing = np.empty((0, len(self.classes_)))
            return Opinions(nothing, nothing, nothing, self._vote(X))
        student: Any = None
        from_votes: Any = None
        votes: Any = None
        if ask_all or self.predict_with != "student":
            votes = self._vote(X)
            from_votes = self.aggregator_.predict_proba(votes)
        if ask_all or self.predict_with != "votes":
            taken = self._student_input(X, records)
            said = probabilities(self.estimator_, taken, self.classes_)
            student = self.scaling_(said)
        proba = self._combine(student, from_votes)
        return Opinions(proba, student, from_votes, votes)

    def _combine(self, student: Any, from_votes: Any) -> np.ndarray:
        """Give the probabilities of those whom `predict_with` names."""
        temperature = self.temperatures_[self.predict_with]
        if self.predict_with == "both":
            return self._blend()(student, from_votes, self.class_prior_)
        proba = student if self.predict_with == "student" else from_votes
        if temperature != 1.0:
            proba = softmax(log_proba(proba) / temperature)
        return proba

    def _blend(self) -> Blend:
        weight = self.vote_weight_
        if not isinstance(self.vote_weight, str):
            weight = np.full(len(self.classes_), float(self.vote_weight))
        return Blend(weight, self.shift_, self.temperatures_["both"])

    def _vote(self, X: Any) -> np.ndarray:
        return np.asarray(self.labeler_.transform(X))

    def _student_input(self, X: Any, records: Records) -> Any:
        """Bring `X` into a form that the student can take."""
        # A column of texts in a table of the user's stays one for a student of theirs.
        if records.is_text and (self.estimator is None or records.is_sequence):
            return records.texts()
        return records.array() if self.estimator is None else as_indexable(X)

    def _allows_nan(self) -> bool:
        return takes(self.estimator, "allow_nan")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Of a version that knew one weight, and learned from all rows.
        before = {"max_training_rows": None, "random_state": None, "n_llm_labels": 0}
        for name, value in before.items():
            if not hasattr(self, name):
                setattr(self, name, value)
        if hasattr(self, "class_prior_") and not hasattr(self, "vote_weight_"):
            self.vote_weight_ = np.full(len(self.classes_), float(self.vote_weight))
            self.shift_ = np.zeros(len(self.classes_))
        if isinstance(kept := self.__dict__.pop("_memory", None), Bunch):
            self._training_state = TrainingState(**kept)
