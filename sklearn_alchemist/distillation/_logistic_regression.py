"""Fit scikit-learn's logistic regression to probabilities instead of labels."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, log_softmax
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import validate_data

# Vectors that L-BFGS remembers. There are more coefficients than rows to multiply, so
# that each costs as much as a pass over the data (benchmarks/annotator_cpu.py).
_MEMORY = 5
# Rows beyond which a matrix of rows by rows is no longer small.
_MOST_ROWS = 2000
# Added to the squared lengths of rows, so that equal ones can be told apart.
_JITTER = 1e-6
# Columns that so large a share of the rows hold are multiplied as dense ones.
_DENSE_SHARE = 0.05
# Dense features up to so many are scaled by how they vary together, as so many rows
# show; beyond, that costs more than the passes it saves (benchmarks/annotator_cpu.py).
_MOST_SCALED = 1000
_ROWS_FOR_SCALE = 1500


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
    is_binary = len(classes) == 2
    n_columns = 1 if is_binary else len(classes)
    begin = None
    if start is not None and start.coef_.shape == (n_columns, X.shape[1]):
        begin = start
    # Of a single column of coefficients, passes are cheaper than what finds the axes.
    turns = n_columns > 1 and not np.isinf(model.C) and _is_wide(X)
    rotation = _rotate(X) if turns else None
    given, X = X, X if rotation is None else rotation.rows
    n_features = X.shape[1]
    total = target.sum()
    share = target / total
    row_share = share.sum(axis=1)
    decay = 0.0 if np.isinf(model.C) else 1 / (model.C * total)
    transposed = X.T
    scale = _find_scale(X, len(classes), decay) if rotation is None else _Scale(None)
    steepest = np.inf

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal steepest
        scaled, intercept = flat[:-n_columns], flat[-n_columns:]
        coef = scale.back(scaled.reshape(n_features, n_columns))
        score = X @ coef + intercept
        if is_binary:
            positive, score = share[:, 1], score[:, 0]
            cost = row_share @ np.logaddexp(0, score) - positive @ score
            excess = (row_share * expit(score) - positive)[:, None]
        else:
            logs = log_softmax(score, axis=1)
            cost = -np.vdot(share, logs)
            excess = row_share[:, None] * np.exp(logs) - share
        gradient = np.empty_like(flat)
        of_coef = transposed @ excess
        of_coef += decay * coef
        steepest = np.abs(of_coef).max(initial=0.0)
        gradient[:-n_columns] = scale.turn(of_coef).ravel()
        gradient[-n_columns:] = excess.sum(axis=0) if model.fit_intercept else 0.0
        return cost + decay / 2 * np.vdot(coef, coef), gradient

    def stop(_: np.ndarray) -> None:
        # The gradient that counts is that of the coefficients, in units of the user.
        if scale.factor is not None and steepest <= model.tol:
            raise StopIteration

    first = np.zeros((n_features + 1) * n_columns)
    if begin is not None:
        coef = begin.coef_.T if rotation is None else rotation.turn(given, begin.coef_)
        first = np.r_[scale.forth(coef).ravel(), begin.intercept_].astype(float)
    found = minimize(
        loss,
        first,
        jac=True,
        method="L-BFGS-B",
        callback=stop,
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
    coef = scale.back(found.x[:-n_columns].reshape(n_features, n_columns))
    model.coef_ = coef.T.copy() if rotation is None else rotation.back(given, coef)
    model.intercept_ = found.x[-n_columns:].copy()
    model.n_iter_ = np.array([found.nit], dtype=np.int32)
    return model


class _Rotation(NamedTuple):
    """Rows in axes of which there are no more than rows, with the same products.

    Neither the penalty nor L-BFGS notices a rotation, and coefficients outside of what
    the rows span stay 0.
    """

    rows: np.ndarray

    def turn(self, X: Any, coef: np.ndarray) -> np.ndarray:
        """Turn coefficients of the features into those of the axes."""
        return solve_triangular(self.rows, X @ coef.T, lower=True)

    def back(self, X: Any, coef: np.ndarray) -> np.ndarray:
        """Turn coefficients of the axes into those of the features."""
        return (X.T @ solve_triangular(self.rows, coef, lower=True, trans="T")).T.copy()


class _Scale(NamedTuple):
    """Coefficients in units in which the loss curves about as much in each direction.

    L-BFGS then needs a third of the passes over the data. Penalty and solution are
    those of the coefficients themselves.
    """

    factor: np.ndarray | None

    def forth(self, coef: np.ndarray) -> np.ndarray:
        """Scale coefficients."""
        return coef if self.factor is None else self.factor.T @ coef

    def back(self, scaled: np.ndarray) -> np.ndarray:
        """Give the coefficients themselves."""
        return scaled if self.factor is None else self._solve(scaled, "T")

    def turn(self, gradient: np.ndarray) -> np.ndarray:
        """Give the gradient by scaled coefficients."""
        return gradient if self.factor is None else self._solve(gradient, "N")

    def _solve(self, b: np.ndarray, trans: str) -> np.ndarray:
        return solve_triangular(
            self.factor, b, lower=True, trans=trans, check_finite=False
        )


def _find_scale(X: Any, n_classes: int, decay: float) -> _Scale:
    """Bound how the loss curves, by some rows; nothing where features are sparse."""
    n_rows, n_features = X.shape
    if sparse.issparse(X) or n_features > min(_MOST_SCALED, n_rows) or not decay:
        return _Scale(None)
    some = np.asarray(X[:: max(1, n_rows // _ROWS_FOR_SCALE)], dtype=float)
    curvature = some.T @ some / (n_classes**2 if n_classes == 2 else n_classes)
    curvature /= len(some)
    curvature.flat[:: n_features + 1] += decay
    return _Scale(cholesky(curvature, lower=True, check_finite=False))


def _is_wide(X: Any) -> bool:
    """Tell whether a pass over products of rows is cheaper than one over features."""
    n_rows, n_features = X.shape
    if not sparse.issparse(X) or n_rows > min(_MOST_ROWS, n_features):
        return False
    # In a pass each number that is stored counts twice, slowly, and each coefficient
    # once for what L-BFGS remembers (benchmarks/annotator_cpu.py).
    return n_rows**2 < 4 * X.nnz + 5 * _MEMORY * n_features


def _rotate(X: Any) -> _Rotation:
    """Find the axes by the Cholesky decomposition of the products of rows."""
    is_dense = np.bincount(X.indices, minlength=X.shape[1]) > _DENSE_SHARE * X.shape[0]
    dense, rare = X[:, is_dense].toarray(), X[:, ~is_dense]
    products = dense @ dense.T + (rare @ rare.T).toarray()
    diagonal = np.einsum("ii->i", products)
    diagonal += _JITTER * max(diagonal.max(), np.finfo(float).tiny)
    return _Rotation(cholesky(products, lower=True, check_finite=False))
