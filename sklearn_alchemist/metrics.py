"""Measure accuracy in groups of records, the worst of them above all."""

from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import make_scorer
from sklearn.utils import Bunch
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
)

from .data import label_array, read_columns

__all__ = ["group_accuracy", "worst_group_accuracy", "worst_group_scorer"]


def group_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    groups: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> Bunch:
    """Compute accuracy on average, in each group, and in the worst group.

    A model that relies on what merely goes along with a class, such as the background
    of an image, is good on average and bad in the group where the two part.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.

    y_pred : array-like of shape (n_samples,)
        Predictions.

    groups : array-like of shape (n_samples,) or (n_samples, n_attributes)
        The group of each record; with several columns, each combination is one.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    accuracy : Bunch
        ``average``: float, accuracy over all records.

        ``per_group``: dict of group to float, in sorted order; a group of several
        attributes is a tuple.

        ``worst``: float, the lowest of them.

        ``worst_group``: object, the group that has it.

        ``n_samples``: dict of group to int, sizes of the groups.

        Records of weight 0 are left out, and groups of such records alone.

    Raises
    ------
    ValueError
        If lengths differ, there is no record, a group is missing, or weights are
        negative or add up to 0.

    Examples
    --------
    >>> from sklearn_alchemist.metrics import group_accuracy
    >>> accuracy = group_accuracy([0, 0, 1, 1], [0, 0, 1, 0], ["a", "a", "b", "b"])
    >>> accuracy.average, accuracy.per_group, accuracy.worst_group
    (0.75, {'a': 1.0, 'b': 0.5}, 'b')
    """
    y_true, y_pred = label_array(y_true), label_array(y_pred)
    # Raises where there is no record.
    check_array(y_true, dtype=None, ensure_2d=False, input_name="y_true")
    check_consistent_length(y_true, y_pred, groups, sample_weight)
    weight = _check_sample_weight(sample_weight, y_true, ensure_non_negative=True)
    used = weight > 0
    y_true, y_pred, weight = y_true[used], y_pred[used], weight[used]
    unique_labels(y_true, y_pred)  # raises for what are no labels of one kind
    names = _group_names(groups, used)
    right = y_true == y_pred
    codes = {name: k for k, name in enumerate(_sorted(set(names)))}
    of = np.array([codes[name] for name in names])
    shares = np.bincount(of, weight * right) / np.bincount(of, weight)
    per_group = dict(zip(codes, shares.tolist(), strict=True))
    worst = int(shares.argmin())
    return Bunch(
        average=float(np.average(right, weights=weight)),
        per_group=per_group,
        worst=float(shares[worst]),
        worst_group=list(codes)[worst],
        n_samples=dict(zip(codes, np.bincount(of).tolist(), strict=True)),
    )


def worst_group_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    groups: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the accuracy in the worst group.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.

    y_pred : array-like of shape (n_samples,)
        Predictions.

    groups : array-like of shape (n_samples,) or (n_samples, n_attributes)
        The group of each record.

    sample_weight : array-like of shape (n_samples,), default=None
        Weights.

    Returns
    -------
    accuracy : float
        Between 0 and 1.

    See Also
    --------
    group_accuracy : All groups.

    Examples
    --------
    >>> from sklearn_alchemist.metrics import worst_group_accuracy
    >>> worst_group_accuracy([0, 0, 1, 1], [0, 0, 1, 0], groups=["a", "a", "b", "b"])
    0.5
    """
    return group_accuracy(y_true, y_pred, groups, sample_weight=sample_weight).worst


def worst_group_scorer() -> Any:
    """Make a scorer that asks for the groups of the records.

    It works wherever scikit-learn takes ``scoring``, with metadata routing enabled
    (``sklearn.set_config(enable_metadata_routing=True)``): pass ``groups`` in
    ``cross_validate(params={"groups": ...})`` or to the ``fit`` of a search. Without
    routing scikit-learn hands no groups to scorers: call `group_accuracy` there.

    Returns
    -------
    scorer : callable
        A scorer that requests ``groups``.

    Raises
    ------
    RuntimeError
        If metadata routing is not enabled.

    Examples
    --------
    >>> from sklearn import config_context
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn_alchemist.metrics import worst_group_scorer
    >>> model = DummyClassifier(strategy="constant", constant=1).fit([[0], [0]], [0, 1])
    >>> X, y = [[0], [0], [0]], [1, 1, 0]
    >>> with config_context(enable_metadata_routing=True):
    ...     worst_group_scorer()(model, X, y, groups=["a", "b", "b"])
    0.5
    """
    return make_scorer(worst_group_accuracy).set_score_request(groups=True)


def _sorted(names: set[Any]) -> list[Any]:
    """Sort groups, by their types first where these cannot be compared."""
    try:
        return sorted(names)
    except TypeError:
        return sorted(names, key=lambda name: (type(name).__name__, repr(name)))


def _group_names(groups: ArrayLike, used: np.ndarray) -> list[Any]:
    """Name the group of each record that counts; several attributes make a tuple."""
    columns = [list(compress(column, used)) for column in read_columns(groups)]
    if any(None in column for column in columns):
        raise ValueError("groups holds missing values: give every record a group.")
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
