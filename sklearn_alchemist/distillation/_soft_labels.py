"""Train any scikit-learn classifier on probabilities instead of labels."""

import math
import re
import warnings
from collections.abc import Mapping
from inspect import signature
from numbers import Real
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _check_method_params, has_fit_parameter

from ..exceptions import AlchemistWarning
from ._logistic_regression import fit_logistic, takes_probabilities

# A class that is less probable than this would cost a copy of the row and add nothing.
_LEAST_WEIGHT = 0.01
# Students with partial_fit get more rows than this in chunks of so many.
_CHUNK = 50_000


def expand(
    posterior: np.ndarray, *, least_weight: float = _LEAST_WEIGHT
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn probabilities into weighted labels: each row once per class that matters.

    Parameters
    ----------
    posterior : ndarray of shape (n_samples, n_classes)
        Probabilities of the classes.

    least_weight : float, default=0.01
        Classes that are less probable are left out; what remains is scaled up to 1.

    Returns
    -------
    rows : ndarray of shape (n_expanded,)
        Which sample each weighted label belongs to.

    codes : ndarray of shape (n_expanded,)
        Its class, as a column of `posterior`.

    weights : ndarray of shape (n_expanded,)
        Its weight; those of one sample sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import expand
    >>> rows, codes, weights = expand(np.array([[1.0, 0.0], [0.25, 0.75]]))
    >>> rows, codes, weights
    (array([0, 1, 1]), array([0, 0, 1]), array([1.  , 0.25, 0.75]))
    """
    # The most probable class always matters, however many classes share the rest.
    matters = posterior >= least_weight
    matters[np.arange(len(posterior)), posterior.argmax(axis=1)] = True
    kept = np.where(matters, posterior, 0.0)
    kept /= kept.sum(axis=1, keepdims=True)
    rows, codes = np.nonzero(matters)
    return rows, codes, kept[rows, codes]


def balance(
    codes: np.ndarray,
    weights: np.ndarray,
    classes: np.ndarray,
    class_weight: str | Mapping[Any, float] | None,
) -> np.ndarray:
    """Weigh labels by their class.

    Parameters
    ----------
    codes : ndarray of int of shape (n_expanded,)
        Class of each label.

    weights : ndarray of shape (n_expanded,)
        Its weight.

    classes : ndarray of shape (n_classes,)
        The classes.

    class_weight : {"balanced"}, dict or None
        "balanced" gives all classes that occur the same total; a dict of class to
        factor multiplies, and None leaves the weights as they are.

    Returns
    -------
    weights : ndarray of shape (n_expanded,)
        The new weights. "balanced" keeps their sum.

    Raises
    ------
    ValueError
        If a dict names what is no class.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import balance
    >>> codes, weights = np.array([0, 0, 0, 1]), np.ones(4)
    >>> balance(codes, weights, np.array(["ham", "spam"]), "balanced").round(2)
    array([0.67, 0.67, 0.67, 2.  ])
    """
    if class_weight is None:
        return weights
    if isinstance(class_weight, str):
        totals = np.bincount(codes, weights, minlength=len(classes))
        share = totals.sum() / max((totals > 0).sum(), 1)
        factors = share / np.where(totals > 0, totals, 1.0)
        return weights * factors[codes]
    check_class_weight(class_weight, classes)
    factors = np.array([class_weight.get(name, 1.0) for name in classes.tolist()])
    return weights * factors[codes]


def check_class_weight(
    class_weight: str | Mapping[Any, float] | None, classes: np.ndarray
) -> None:
    """Raise where weights of classes cannot be used.

    Parameters
    ----------
    class_weight : {"balanced"}, dict or None
        As `balance` takes it.

    classes : ndarray of shape (n_classes,)
        The classes.

    Raises
    ------
    ValueError
        If a dict names what is no class, or a weight is no finite number of at least 0.
    """
    if class_weight is None or isinstance(class_weight, str):
        return
    unknown = set(class_weight) - set(classes.tolist())
    if unknown:
        raise ValueError(
            f"class_weight names {sorted(unknown, key=str)}, which is none of the "
            f"classes {classes.tolist()}."
        )
    for name, weight in class_weight.items():
        if not isinstance(weight, Real) or not 0 <= weight < math.inf:
            raise ValueError(
                f"class_weight gives {name!r} the weight {weight!r}: weights are "
                "numbers from 0."
            )


def fit_on_soft_labels(
    student: BaseEstimator,
    X: Any,
    posterior: np.ndarray,
    classes: np.ndarray,
    *,
    used: np.ndarray,
    class_weight: str | Mapping[Any, float] | None = None,
    fit_params: Mapping[str, Any] | None = None,
    start: BaseEstimator | None = None,
) -> BaseEstimator:
    """Fit a classifier to probabilities.

    Logistic regression, alone or at the end of a pipeline, learns them as they are.
    Other classifiers that take a ``sample_weight`` (for a pipeline: whose last step
    takes one) get every row once per class that matters, with its probability as the
    weight. Others get the most probable class. More rows than 50,000 are handed in
    chunks to classifiers that have ``partial_fit``.

    Parameters
    ----------
    student : classifier
        What to fit, in place.

    X : array-like of shape (n_samples, ...)
        What the classifier learns from.

    posterior : ndarray of shape (n_samples, n_classes)
        Probabilities of the classes.

    classes : ndarray of shape (n_classes,)
        The classes, in the order of the columns of `posterior`.

    used : ndarray of shape (n_samples,) of bool
        Which rows to learn from.

    class_weight : {"balanced"}, dict or None, default=None
        How much each class counts; see `balance`. Without sample weights, rows cannot
        be weighed, and it is not used.

    fit_params : dict, default=None
        More parameters of the classifier's ``fit``; what has one entry a sample is
        selected and repeated with the rows, and sample weights are multiplied.

    start : classifier, default=None
        A student fitted to the same rows and another posterior, from which logistic
        regression starts.

    Returns
    -------
    student : classifier
        The fitted classifier; where there is only one class to learn, or no row, one
        that always answers with the average of the probabilities.

    Warns
    -----
    AlchemistWarning
        If the classifier refuses the weights that its ``fit`` takes, as one does that
        hands them on to another; it then gets the most probable classes.
    """
    name = weight_parameter(student)
    if name is None:
        rows, codes = np.arange(len(posterior)), posterior.argmax(axis=1)
        weights = np.ones(len(posterior))
    else:
        rows, codes, weights = expand(posterior)
    kept = used[rows]
    if len(np.unique(codes[kept])) < 2:
        average = posterior[used].mean(axis=0) if kept.any() else posterior.mean(0)
        return DummyClassifier().fit(classes, classes, sample_weight=average)
    rows, codes, weights = rows[kept], codes[kept], weights[kept]
    if _learns_proba(student, fit_params):
        importance = (fit_params or {}).get("sample_weight")
        if importance is not None:
            weights = weights * np.asarray(importance, dtype=float)[rows]
        target = np.zeros(posterior.shape)
        target[rows, codes] = balance(codes, weights, classes, class_weight)
        return _fit_on_proba(student, X, target, classes, start)
    params = _check_method_params(X, dict(fit_params or {}), indices=rows)
    importance = params.pop("sample_weight", 1.0)
    # These weights are ours: who requests the user's metadata does not concern them.
    with config_context(enable_metadata_routing=False):
        many = len(rows) > _CHUNK and hasattr(student, "partial_fit") and not params
        if name is None:
            if many:
                return _fit_in_chunks(student, X, rows, classes[codes], classes, None)
            return student.fit(_safe_indexing(X, rows), classes[codes], **params)
        weights = balance(codes, weights * importance, classes, class_weight)
        if many and "sample_weight" in signature(student.partial_fit).parameters:
            return _fit_in_chunks(student, X, rows, classes[codes], classes, weights)
        try:
            return student.fit(
                _safe_indexing(X, rows), classes[codes], **params, **{name: weights}
            )
        except (TypeError, ValueError) as error:
            if not re.search(r"sample.weight", str(error)):
                raise
            warnings.warn(
                f"{type(student).__name__} takes no sample weights after all, so it "
                f"learns the most probable classes instead: {error}",
                AlchemistWarning,
                stacklevel=2,
            )
        rows = np.flatnonzero(used)
        params = _check_method_params(X, dict(fit_params or {}), indices=rows)
        params.pop("sample_weight", None)
        best = classes[posterior[rows].argmax(axis=1)]
        return student.fit(_safe_indexing(X, rows), best, **params)


def _fit_in_chunks(
    student: BaseEstimator,
    X: Any,
    rows: np.ndarray,
    y: np.ndarray,
    classes: np.ndarray,
    weights: np.ndarray | None,
) -> BaseEstimator:
    """Fit by `partial_fit`, in an order that mixes what lies together."""
    order = np.random.default_rng(0).permutation(len(rows))
    for chunk in np.array_split(order, -(-len(order) // _CHUNK)):
        more = {} if weights is None else {"sample_weight": weights[chunk]}
        part = _safe_indexing(X, rows[chunk])
        student.partial_fit(part, y[chunk], classes=classes, **more)
    return student


def _learns_proba(student: BaseEstimator, fit_params: Mapping[str, Any] | None) -> bool:
    """Tell whether the student can learn probabilities as they are."""
    if set(fit_params or {}) - {"sample_weight"}:
        return False
    if isinstance(student, Pipeline):
        return student.memory is None and takes_probabilities(student.steps[-1][1])
    return takes_probabilities(student)


def _fit_on_proba(
    student: BaseEstimator,
    X: Any,
    target: np.ndarray,
    classes: np.ndarray,
    start: BaseEstimator | None,
) -> BaseEstimator:
    """Fit logistic regression, and what is before it, to weights of the classes."""
    rows = np.flatnonzero(target.sum(axis=1))
    X, target = _safe_indexing(X, rows), target[rows]
    heard = np.flatnonzero(target.sum(axis=0))
    if len(heard) < 2:
        return DummyClassifier().fit(classes, classes, sample_weight=target.sum(axis=0))
    target, classes = target[:, heard], classes[heard]
    model, before = student, start
    with config_context(enable_metadata_routing=False):
        if isinstance(student, Pipeline):
            model = student.steps[-1][1]
            if len(student.steps) > 1:
                X = student[:-1].fit_transform(X, classes[target.argmax(axis=1)])
            before = start.steps[-1][1] if isinstance(start, Pipeline) else None
        before = before if type(before) is type(model) else None
        fit_logistic(model, X, target, classes, start=before)
    return student


def weight_parameter(student: BaseEstimator) -> str | None:
    """Name the parameter of ``fit`` that takes sample weights.

    Parameters
    ----------
    student : classifier
        A classifier, or a pipeline that ends in one.

    Returns
    -------
    name : str or None
        The name; None where it takes no weights.
    """
    return fit_parameter(student, "sample_weight")


def fit_parameter(estimator: BaseEstimator, parameter: str) -> str | None:
    """Name a parameter of ``fit``, of a pipeline that of its last step.

    Parameters
    ----------
    estimator : estimator
        An estimator, or a pipeline that ends in one.

    parameter : str
        Name of the parameter of the estimator.

    Returns
    -------
    name : str or None
        The name to use; None where ``fit`` has no such parameter.
    """
    if isinstance(estimator, Pipeline):
        step, last = estimator.steps[-1]
        return f"{step}__{parameter}" if has_fit_parameter(last, parameter) else None
    return parameter if has_fit_parameter(estimator, parameter) else None
