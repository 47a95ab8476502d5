"""Fit scikit-learn's logistic regression to probabilities instead of labels."""

import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import validate_data

# Vectors that L-BFGS remembers. There are more coefficients than rows to multiply, so
# that each costs as much as a pass over the data (benchmarks/annotator_cpu.py).
_MEMORY = 5


def takes_probabilities(student: BaseEstimator) -> bool:
    """Tell whether `fit_logistic` can stand in for the classifier's own ``fit``.

    Parameters
    ----------
    student : classifier
        What is to be fitted.

    Returns
    -------
    takes : bool
        True for scikit-learn's logistic regression with its default solver and
        penalty, without class weights.
    """
    return (
        type(student) is LogisticRegression
        and student.solver == "lbfgs"
        and student.l1_ratio in (0, None)
        and student.penalty in ("deprecated", "l2")
        and student.class_weight is None
        and not student.warm_start
        and not getattr(student, "_skl_callbacks", ())
    )


def fit_logistic(
    model: LogisticRegression,
    X: Any,
    target: np.ndarray,
    classes: np.ndarray,
    *,
    start: LogisticRegression | None = None,
) -> LogisticRegression:
    """Minimise the cross entropy to probabilities, without repeating rows.

    The objective is that of the model's own ``fit`` on each row once per class, with
    the probability of the class as its weight.

    Parameters
    ----------
    model : LogisticRegression
        What to fit, in place.

    X : array-like or sparse matrix of shape (n_samples, n_features)
        Features.

    target : ndarray of shape (n_samples, n_classes)
        Weight of each class in a row: its probability, times the weight of the row.

    classes : ndarray of shape (n_classes,)
        The classes, at least two.

    start : LogisticRegression, default=None
        A model fitted to the same features, from which to start.

    Returns
    -------
    model : LogisticRegression
        The fitted model.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` is reached.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_alchemist.distillation import fit_logistic
    >>> X, target = np.array([[0.0], [1.0]]), np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> model = LogisticRegression(C=1e6)
    >>> model = fit_logistic(model, X, target, np.array(["ham", "spam"]))
    >>> model.predict_proba(X).round(2)
    array([[0.9, 0.1],
           [0.2, 0.8]])
    """
    X = validate_data(model, X, accept_sparse="csr", dtype=[np.float64, np.float32])
    n_features, is_binary = X.shape[1], len(classes) == 2
    n_columns = 1 if is_binary else len(classes)
    total = target.sum()
    share = target / total
    row_share = share.sum(axis=1)
    decay = 0.0 if np.isinf(model.C) else 1 / (model.C * total)
    transposed = X.T

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        coef, intercept = flat[:-n_columns], flat[-n_columns:]
        by_column = coef.reshape(n_features, n_columns)
        score = X @ by_column + intercept
        if is_binary:
            positive, score = share[:, 1], score[:, 0]
            cost = row_share @ np.logaddexp(0, score) - positive @ score
            excess = (row_share * expit(score) - positive)[:, None]
        else:
            logs = log_softmax(score, axis=1)
            cost = -np.vdot(share, logs)
            excess = row_share[:, None] * np.exp(logs) - share
        gradient = np.empty_like(flat)
        gradient[:-n_columns] = (transposed @ excess).ravel()
        gradient[:-n_columns] += decay * coef
        gradient[-n_columns:] = excess.sum(axis=0) if model.fit_intercept else 0.0
        return cost + decay / 2 * (coef @ coef), gradient

    first = np.zeros((n_features + 1) * n_columns)
    if start is not None and start.coef_.shape == (n_columns, n_features):
        first = np.r_[start.coef_.T.ravel(), start.intercept_].astype(float)
    found = minimize(
        loss,
        first,
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": model.max_iter,
            "gtol": model.tol,
            "ftol": 64 * np.finfo(float).eps,
            "maxcor": _MEMORY,
            "maxls": 50,
        },
    )
    if found.nit >= model.max_iter and not found.success:
        warnings.warn(
            f"Logistic regression did not converge in max_iter={model.max_iter} "
            "iterations: raise max_iter, or scale the features.",
            ConvergenceWarning,
            stacklevel=2,
        )
    model.classes_ = classes
    model.coef_ = found.x[:-n_columns].reshape(n_features, n_columns).T.copy()
    model.intercept_ = found.x[-n_columns:].copy()
    model.n_iter_ = np.array([found.nit], dtype=np.int32)
    return model
