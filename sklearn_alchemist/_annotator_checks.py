"""Raise what can be seen to fail before programs are written and paid."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ._aggregator import LabelModelAggregator
from .data import Classes, Records
from .distillation import check_class_weight
from .label_model import check_class_prior

# These hand on what they are given, whatever it is.
_HAND_ON = {"FunctionTransformer", "ColumnTransformer", "FeatureUnion"}


def check_parts(*parts: BaseEstimator | None) -> None:
    """Check the parameters of estimators and of those in them, as their `fit` would.

    Parameters
    ----------
    *parts : estimator or None
        What is going to be fitted.

    Raises
    ------
    InvalidParameterError
        If a parameter of one has no value that it can have.
    """
    for part in parts:
        for estimator in _nested(part):
            if hasattr(type(estimator), "_parameter_constraints"):
                estimator._validate_params()


def known_classes(listed: Any, y: Any) -> np.ndarray | None:
    """Tell the classes, as far as they are known before the labeler is fitted.

    Parameters
    ----------
    listed : list, dict or None
        The classes that the labeler was given.

    y : array-like or None
        Labels, which name them where it was not.

    Returns
    -------
    classes : ndarray of shape (n_classes,) or None
        Sorted; None where only `fit` finds them.

    Raises
    ------
    ValueError
        If what is listed cannot be classes.
    """
    if listed is not None:
        return Classes.listed(listed).names
    if y is None:
        return None
    try:
        named = Classes.named_by(y)
    except ValueError:  # for the labeler to say, as it knows what -1 means
        return None
    return None if named is None else named.names


def check_classes_of_parts(
    classes: np.ndarray | None,
    aggregator: BaseEstimator | None,
    class_weight: str | Mapping[Any, float] | None,
) -> None:
    """Check what has to fit the classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,) or None
        What `known_classes` gives.

    aggregator : classifier or None
        Turns votes into probabilities.

    class_weight : {"balanced"}, dict or None
        How much each class counts.

    Raises
    ------
    ValueError
        If it does not.
    """
    if classes is None:
        return
    check_class_weight(class_weight, classes)
    for estimator in _nested(aggregator):
        if isinstance(estimator, LabelModelAggregator):
            own = estimator.classes
            names = classes if own is None else Classes.listed(own).names
            check_class_prior(estimator.class_prior, names)


def check_finite(records: Records, student: BaseEstimator | None) -> None:
    """Check that a table holds no infinity that the student is going to refuse.

    Parameters
    ----------
    records : Records
        What is going to be learned from.

    student : classifier or None
        The student; None is the default one.

    Raises
    ------
    ValueError
        If there is one. Names the column.
    """
    if records.is_text or not _refuses_infinity(student):
        return
    for name, column in records.columns.items():
        if not (column.kind or "").startswith("float"):
            continue
        for row, value in enumerate(column):
            if isinstance(value, float) and math.isinf(value):
                raise ValueError(
                    f"X contains infinity, in row {row} of the column {name!r}, which "
                    "the student cannot learn from: replace it by a number or by a "
                    "missing value, or choose an estimator that takes it."
                )


def _refuses_infinity(student: BaseEstimator | None) -> bool:
    """Whether the first that sees the data is of scikit-learn, and checks it."""
    first = student
    while isinstance(first, Pipeline) and first.steps:
        first = first.steps[0][1]
    if first is None:
        return student is None
    kind = type(first)
    return kind.__module__.startswith("sklearn.") and kind.__name__ not in _HAND_ON


def _nested(part: Any) -> Iterator[BaseEstimator]:
    """Go through an estimator and all that its parameters hold."""
    if not hasattr(part, "get_params") or isinstance(part, type):
        return
    yield part
    for value in part.get_params(deep=True).values():
        if hasattr(value, "get_params") and not isinstance(value, type):
            yield value
