"""Predict the most probable class, and score: what our classifiers have in common."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from .._utils import LabelsLike
from ._labels import label_array


class ProbaClassifierMixin(ClassifierMixin):
    """Mixin, left of `BaseEstimator`, for classifiers that have ``predict_proba``."""

    classes_: np.ndarray
    predict_proba: Callable[..., Any]

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class.

        Asks, warns and raises as ``predict_proba`` does.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, n_features)
            What ``predict_proba`` takes.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Classes; of equally probable ones the first of ``classes_``.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def score(
        self, X: Any, y: LabelsLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Compute the accuracy.

        Asks, warns and raises as ``predict`` does.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, n_features)
            What ``predict`` takes.

        y : array-like of shape (n_samples,)
            Labels, none of them missing.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            Share of the records whose predicted class is their label.

        Raises
        ------
        ValueError
            If labels are missing, or no label is a class and they are classes written
            in another way, such as numbers for strings.

        Warns
        -----
        ClassesWarning
            If no label is a class.
        """
        check_is_fitted(self)
        return super().score(X, label_array(y, self.classes_), sample_weight)
