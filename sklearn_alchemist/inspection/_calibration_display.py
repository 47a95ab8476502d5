"""Draw how often labels are right against how sure they are said to be."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.calibration import CalibrationDisplay, calibration_curve

from ..data import UNLABELED, Classes
from ._plotting import COLOURS, take_axes

_N_ROWS = (100, 1_000, 10_000, 100_000, 1_000_000)
# Dollars below which a scale that has to show nothing at all is linear.
_CENT = 0.01


class ConfidenceCalibrationDisplay(CalibrationDisplay):
    """Draw how often labels are right against how sure they are said to be.

    :class:`sklearn.calibration.CalibrationDisplay` for the most probable of any number
    of classes, as what matters of an annotation is its label and confidence. Make one
    by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    prob_true : ndarray of shape (n_bins,)
        Share of right labels.

    prob_pred : ndarray of shape (n_bins,)
        Mean confidence.

    y_prob : ndarray of shape (n_samples,)
        Confidence of each label.

    estimator_name : str, default=None
        Name in the legend.

    pos_label : None
        Not used.

    Attributes
    ----------
    line_ : matplotlib Artist
        The curve.

    ax_ : matplotlib Axes
        What was drawn on.

    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : The same for one class of two.

    Examples
    --------
    >>> from sklearn_alchemist.inspection import ConfidenceCalibrationDisplay
    >>> display = ConfidenceCalibrationDisplay.from_predictions(
    ...     ["a", "b", "b", "b"],
    ...     [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.45, 0.55]],
    ...     classes=["a", "b"],
    ... )
    >>> display.prob_pred.round(2), display.prob_true.round(2)
    (array([0.55, 0.9 ]), array([1.  , 0.67]))
    """

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        n_bins: int = 5,
        strategy: str = "uniform",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Ask an annotator, or any classifier, and draw.

        Parameters
        ----------
        estimator : classifier
            Fitted, such as a DistilledAnnotator or a ZeroShotAnnotator; has
            ``predict_proba``.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Records whose labels it did not learn from.

        y : array-like of shape (n_samples,)
            Gold labels, of which some may be missing.

        n_bins : int, default=5
            Number of bins.

        strategy : {"uniform", "quantile"}, default="uniform"
            Whether bins are equally wide or equally full.

        name : str, default=None
            Name in the legend; None is the estimator's.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        **kwargs : dict
            Passed to :func:`matplotlib.pyplot.plot`.

        Returns
        -------
        display : ConfidenceCalibrationDisplay
            What was drawn.
        """
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            classes=estimator.classes_,
            n_bins=n_bins,
            strategy=strategy,
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        classes: ArrayLike,
        n_bins: int = 5,
        strategy: str = "uniform",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw probabilities against gold labels.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Gold labels, of which some may be missing.

        y_proba : array-like of shape (n_samples, n_classes)
            Probabilities.

        classes : array-like of shape (n_classes,)
            The classes, in the order of the columns.

        n_bins : int, default=5
            Number of bins.

        strategy : {"uniform", "quantile"}, default="uniform"
            Whether bins are equally wide or equally full.

        name : str, default=None
            Name in the legend.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        **kwargs : dict
            Passed to :func:`matplotlib.pyplot.plot`.

        Returns
        -------
        display : ConfidenceCalibrationDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If there is no gold label, or shapes do not fit.
        """
        proba, names = np.asarray(y_proba, float), np.asarray(classes)
        if proba.ndim != 2 or proba.shape[1] != len(names):
            raise ValueError(
                f"y_proba must have one column for each of {len(names)} classes, got "
                f"shape {proba.shape}."
            )
        gold = Classes.of_names(names).encode(y_true, n_samples=len(proba))
        known = gold != UNLABELED
        if not known.any():
            raise ValueError("y_true holds no label to compare with.")
        confidence = proba[known].max(axis=1).clip(0, 1)
        is_right = proba[known].argmax(axis=1) == gold[known]
        prob_true, prob_pred = calibration_curve(
            is_right, confidence, pos_label=True, n_bins=n_bins, strategy=strategy
        )
        display = cls(prob_true, prob_pred, confidence, estimator_name=name)
        return display.plot(ax=ax, **kwargs)

    def plot(
        self,
        *,
        ax: Any = None,
        name: str | None = None,
        ref_line: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        name : str, default=None
            Name in the legend; None is that of the display.

        ref_line : bool, default=True
            Whether to draw where labels are as right as they are sure.

        **kwargs : dict
            Passed to :func:`matplotlib.pyplot.plot`.

        Returns
        -------
        display : ConfidenceCalibrationDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        kwargs = {"color": COLOURS[0], **kwargs}
        ax = take_axes(ax, self)
        super().plot(ax=ax, name=name, ref_line=ref_line, **kwargs)
        ax.set(xlabel="mean confidence", ylabel="share of right labels")
        return self
