"""Bring what a student and votes say of a class to one scale, and combine both."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

# Probabilities below this are taken as this: a student's 0 is no proof.
_FLOOR = 1e-6
# Holds the scale of a student near 1 and its shifts near 0 as long as rows are few.
_RIDGE = 1e-3


def log_proba(proba: np.ndarray) -> np.ndarray:
    """Take logarithms that stay finite.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities.

    Returns
    -------
    logs : ndarray of shape (n_samples, n_classes)
        Their logarithms, none below that of one in a million.
    """
    return np.log(np.maximum(proba, _FLOOR))


def softmax(scores: np.ndarray) -> np.ndarray:
    """Turn scores into probabilities.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes)
        Logarithms of probabilities, up to a constant a row.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        Rows that sum to 1.
    """
    proba = np.exp(scores - scores.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Scaling:
    """A scale and a shift a class for the log-probabilities of a student.

    A classifier that is held back from fitting every row says the frequent classes too
    often, and a soft one is less sure than it could be. On rows that it did not learn
    from, both can be seen and mended.

    Parameters
    ----------
    scale : float
        Factor of the log-probabilities.

    shift : ndarray of shape (n_classes,)
        What is added to them.
    """

    scale: float
    shift: np.ndarray

    def __call__(self, proba: np.ndarray) -> np.ndarray:
        """Scale probabilities.

        Parameters
        ----------
        proba : ndarray of shape (n_samples, n_classes)
            What the student says.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Scaled, and summing to 1.
        """
        return softmax(self.scale * log_proba(proba) + self.shift)


def fit_scaling(
    proba: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None
) -> Scaling:
    """Find the scaling under which probabilities come closest to others.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        What the student says of rows that it did not learn from.

    target : ndarray of shape (n_samples, n_classes)
        What it should say.

    weight : ndarray of shape (n_samples,), default=None
        Weight of each row; 1 if None.

    Returns
    -------
    scaling : Scaling
        The least cross entropy; vector scaling [1]_ with one scale for all classes.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern
       neural networks", ICML 2017.

    Examples
    --------
    Always right, and never sure.

    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import fit_scaling
    >>> said = np.array([[0.6, 0.4], [0.4, 0.6]] * 50)
    >>> bool(fit_scaling(said, np.eye(2)[[0, 1] * 50])(said).max() > 0.95)
    True
    """
    n_rows, n_classes = proba.shape
    logs = log_proba(proba)
    share = np.full(n_rows, 1 / n_rows) if weight is None else weight / weight.sum()

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale, shift = np.exp(parameters[0]), parameters[1:]
        said = softmax(scale * logs + shift)
        excess = share[:, None] * (said - target)
        gradient = np.r_[(excess * logs).sum() * scale, excess.sum(axis=0)]
        entropy = -(share[:, None] * target * log_proba(said)).sum()
        penalty = _RIDGE * parameters @ parameters
        return entropy + penalty, gradient + 2 * _RIDGE * parameters

    found = minimize(loss, np.zeros(n_classes + 1), jac=True, method="L-BFGS-B").x
    return Scaling(float(np.exp(found[0])), found[1:])


def combine(
    student: np.ndarray,
    votes: np.ndarray,
    prior: np.ndarray,
    vote_weight: float | np.ndarray,
) -> np.ndarray:
    """Take votes as evidence beside what a student says.

    Parameters
    ----------
    student : ndarray of shape (n_samples, n_classes)
        Probabilities of the student, which know how frequent the classes are.

    votes : ndarray of shape (n_samples, n_classes)
        Probabilities that the votes give.

    prior : ndarray of shape (n_classes,)
        Probabilities of the classes before anybody voted.

    vote_weight : float or ndarray of shape (n_classes,)
        Weight of the votes' evidence: 1 if votes and student err independently, less
        the more the student repeats the votes that it has learned from; infinite if the
        student has no say.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        In proportion to ``student * (votes / prior) ** vote_weight``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import combine
    >>> student, votes = np.array([[0.4, 0.6]]), np.array([[0.9, 0.1]])
    >>> combine(student, votes, np.array([0.5, 0.5]), 0.25).round(2)
    array([[0.54, 0.46]])
    """
    if np.isinf(vote_weight).any():
        return votes
    evidence = log_proba(votes) - log_proba(prior)
    return softmax(log_proba(student) + vote_weight * evidence)


def stratified_folds(codes: np.ndarray, n_folds: int) -> np.ndarray:
    """Give every row a fold, so that each fold holds its share of each class.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples,)
        Class of each row.

    n_folds : int
        Number of folds.

    Returns
    -------
    fold : ndarray of int of shape (n_samples,)
        Fold of each row. Nothing is random, and rows in the order of their classes are
        dealt as well as any.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import stratified_folds
    >>> stratified_folds(np.array([0, 0, 0, 1, 1, 1]), 3)
    array([0, 1, 2, 0, 1, 2])
    """
    fold = np.empty(len(codes), dtype=np.intp)
    fold[np.argsort(codes, kind="stable")] = np.arange(len(codes)) % n_folds
    return fold
