"""Undo the choosing of labels, as far as it is known how they were chosen."""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

# What rounding may add to a probability of 1.
_ROUNDING = 1e-6


def check_label_proba(
    label_proba: ArrayLike | float | None, labelled: np.ndarray
) -> np.ndarray:
    """Validate the probabilities with which labels were asked for.

    Parameters
    ----------
    label_proba : array-like of shape (n_samples,), float or None
        Probability with which each label was asked for, or one for all; NaN where there
        is no label, or where it is not known how it was chosen. None if nothing is
        known of any.

    labelled : ndarray of bool of shape (n_samples,)
        Which samples have a label.

    Returns
    -------
    label_proba : ndarray of shape (n_samples,)
        The same where there is a label, NaN elsewhere.

    Raises
    ------
    ValueError
        If a length differs, a value is no probability, or a label is there that was
        asked for with probability 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import check_label_proba
    >>> check_label_proba([0.5, 1, 0.2], np.array([True, True, False]))
    array([0.5, 1. , nan])
    """
    if label_proba is None:
        return np.full(len(labelled), np.nan)
    if isinstance(label_proba, Real):
        label_proba = np.full(len(labelled), float(label_proba))
    proba = check_array(
        label_proba,
        ensure_2d=False,
        ensure_all_finite="allow-nan",
        ensure_min_samples=0,
        dtype=np.float64,
        input_name="label_proba",
    )
    if proba.ndim == 2 and proba.shape[1] == 1:
        proba = proba[:, 0]
    if proba.ndim != 1:
        raise ValueError(
            f"label_proba must have one value a sample, got shape {proba.shape}."
        )
    check_consistent_length(labelled, proba)
    for where, bad in (
        (proba > 1 + _ROUNDING, "above 1"),
        (proba < 0, "below 0"),
        (labelled & (proba == 0), "0 where there is a label"),
    ):
        if where.any():
            row = int(np.flatnonzero(where)[0])
            raise ValueError(
                "label_proba is the probability with which each label was asked for, "
                f"so it lies above 0 and up to 1: sample {row} has {proba[row]:g}, "
                f"which is {bad}. Give 1 for a plain random sample, and NaN where "
                "there is no label or nobody knows how it was chosen."
            )
    return np.where(labelled, np.minimum(proba, 1.0), np.nan)


def label_weights(inverse_proba: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weigh labels that were drawn with unequal probabilities like a plain sample.

    Each label stands for as many samples as the inverse of its probability says [1]_.
    One that was drawn against all odds would outweigh all others: none counts more than
    the root of their number times the mean, which keeps the variance finite and
    vanishes as labels grow [2]_. What is left counts as many labels as a plain sample
    that tells as much [3]_.

    Parameters
    ----------
    inverse_proba : ndarray of shape (n_labels,)
        One over the probability with which each label was asked for.

    counts : ndarray of shape (n_labels,)
        Number of samples that each stands for otherwise.

    Returns
    -------
    weights : ndarray of shape (n_labels,)
        Factors of the counts; all 1 where probabilities are equal.

    References
    ----------
    .. [1] D. G. Horvitz and D. J. Thompson, "A generalization of sampling without
       replacement from a finite universe", JASA 47(260), 1952.

    .. [2] E. L. Ionides, "Truncated importance sampling", Journal of Computational and
       Graphical Statistics 17(2), 2008.

    .. [3] L. Kish, "Survey sampling", Wiley, 1965.

    Examples
    --------
    Two labels that were asked for at any rate, and two of a hundred others.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import label_weights
    >>> label_weights(np.array([1.0, 1.0, 50.0, 50.0]), np.ones(4)).round(2)
    array([0.02, 0.02, 1.02, 1.02])
    """
    total = counts.sum()
    if not total:
        return np.ones_like(inverse_proba)
    weights = inverse_proba / (counts @ inverse_proba / total)
    weights = np.minimum(weights, max(np.sqrt(total), 1.0))
    return weights * (counts @ weights) / (counts @ weights**2)
