"""Find classes and labels, and raise what fails, before programs are paid for."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length

from .._utils import LabelsLike
from ..data import (
    UNLABELED,
    Classes,
    ClassMapping,
    Records,
    minus_one_is_open,
    read_labels,
)
from ..label_model import LabelModelAggregator, check_class_prior
from ._soft_labels import check_class_weight

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


EXAMPLES_OF_PARTS = {
    "aggregator": "LabelModelAggregator()",
    "estimator": "make_pipeline(TfidfVectorizer(), LogisticRegression())",
}
"""What may stand in the place of a part that is None."""


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


def find_labelled(
    labeler: BaseEstimator, y: LabelsLike | None, n_samples: int, *, learn: bool
) -> np.ndarray:
    """Tell which labels to learn from; raise before programs are paid for.

    Parameters
    ----------
    labeler : transformer
        Not fitted.

    y : array-like of shape (n_samples,) or None
        Labels.

    n_samples : int
        Number of records.

    learn : bool
        Whether labels are to be learned from.

    Returns
    -------
    labelled : ndarray of bool of shape (n_samples,)
        All False where labels are not learned from.
    """
    unlabelled = np.zeros(n_samples, dtype=bool)
    if y is None and learn:
        raise ValueError(
            "learn_from_labels=True, but there is no y: give labels, missing ones "
            "as None, or set learn_from_labels=False."
        )
    if y is None:
        return unlabelled
    listed = listed_classes(labeler)
    change = _given_classes(labeler)[1]
    if change is not None and (message := change.explain_labels(y)):
        raise ValueError(message)
    if listed is not None:
        codes = Classes.listed(listed).encode(y, n_samples=n_samples)
        return codes != UNLABELED if learn else unlabelled
    if not learn:
        return unlabelled
    labels = read_labels(y)
    check_consistent_length(unlabelled, labels)
    if UNLABELED in labels:
        raise ValueError(minus_one_is_open({*labels} - {None}))
    return np.array([label is not None for label in labels])


def described_classes(listed: Any, names: np.ndarray | None) -> Classes | None:
    """Take the user's descriptions where they are of the classes that were fitted.

    Parameters
    ----------
    listed : list, dict or None
        The classes as the user wrote them.

    names : ndarray of shape (n_classes,) or None
        The classes, None before they are known.

    Returns
    -------
    classes : Classes or None
        None where nothing is known.
    """
    classes = None if listed is None else Classes.listed(listed)
    if names is None or (classes is not None and np.array_equal(classes.names, names)):
        return classes
    return Classes.of_names(names)


def listed_classes(labeler: BaseEstimator) -> Any:
    """Find the classes that a labeler, or one inside of it, is given or knows."""
    listed, change = _given_classes(labeler)
    if listed is None:
        return getattr(labeler, "classes_", None)
    return listed if change is None else change.after.described


def _given_classes(labeler: BaseEstimator) -> tuple[Any, ClassMapping | None]:
    """Find the classes that a labeler is given, and what became of them."""
    params = labeler.get_params() if hasattr(labeler, "get_params") else {}
    listed, change = None, None
    for name, classes in params.items():
        if name.split("__")[-1] == "classes" and classes is not None:
            mapping = params.get(name.removesuffix("classes") + "class_mapping")
            listed = classes
            change = None
            if mapping:
                known = Classes.listed(classes)
                change = ClassMapping.read(mapping, known, is_fitted=False)
    return listed, change


def last_step(estimator: Any) -> Any:
    """Find what comes last in a pipeline, or in one within it."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return estimator
