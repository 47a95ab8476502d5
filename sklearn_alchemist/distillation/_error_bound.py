"""ErrorBound that few labels are wrong, or say that it cannot be promised."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

# With fewer labels a bound at usual targets needs more luck than skill.
LEAST_LABELS = 100
# Shares of the records, the surest first, for which the promise is tried in this order.
# Stopping at the first that fails keeps the confidence, whatever their number [1]_ of
# `find_error_bound`. From a half on: a promise for less would leave most of the work to
# people, and the first trial is passed less often among more doubtful labels.
_SHARES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class ErrorBound:
    """From which confidence on labels are wrong on no more than a share.

    Parameters
    ----------
    threshold : float or None
        Labels of at least this confidence keep the promise; None where there is none.

    bound : float
        Upper confidence bound of the share of wrong labels among them; where there is
        no promise, of those that were tried.

    n_labels : int
        Random labels that were there to judge by.

    reason : str
        Why there is no promise; empty where there is one.
    """

    threshold: float | None
    bound: float
    n_labels: int
    reason: str


def upper_bound(n_wrong: int, n_labels: int, confidence: float) -> float:
    """Bound a share from above by the exact binomial bound.

    Parameters
    ----------
    n_wrong : int
        How many of the labels were wrong.

    n_labels : int
        How many labels were drawn at random.

    confidence : float
        Probability with which the bound holds.

    Returns
    -------
    bound : float
        Between 0 and 1; that of Clopper and Pearson.

    Examples
    --------
    >>> from sklearn_alchemist.distillation import upper_bound
    >>> round(upper_bound(0, 45, 0.9), 3)
    0.05
    """
    if n_wrong >= n_labels:
        return 1.0
    return float(beta.ppf(confidence, n_wrong + 1, n_labels - n_wrong))


def find_error_bound(
    confidences: np.ndarray,
    drawn: np.ndarray,
    wrong: np.ndarray,
    *,
    target_error: float,
    confidence: float,
) -> ErrorBound:
    """Find how many of the surest labels keep a promise.

    The shares of records that are tried are fixed beforehand, and tried from the surest
    on until one fails, so that each may be tested at the whole confidence [1]_.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples,)
        How sure the annotator is of its label of records that it did not learn from.

    drawn : ndarray of int of shape (n_labels,)
        Positions of a plain random sample of them, whose true labels are known.

    wrong : ndarray of bool of shape (n_labels,)
        Whether the annotator's label of each is wrong.

    target_error : float
        The share of wrong labels that must not be exceeded.

    confidence : float
        Probability with which the promise is kept.

    Returns
    -------
    promise : ErrorBound
        The largest share that passes.

    References
    ----------
    .. [1] A. N. Angelopoulos, S. Bates, E. J. Candes, M. I. Jordan and L. Lei, "Learn
       then test: calibrating predictive algorithms to achieve risk control", Annals of
       Applied Statistics 19(2), 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import find_error_bound
    >>> sure = np.linspace(0.5, 1, 1000)
    >>> drawn = np.arange(0, 1000, 5)
    >>> promise = find_error_bound(
    ...     sure, drawn, sure[drawn] < 0.6, target_error=0.05, confidence=0.9
    ... )
    >>> bool(0.59 < promise.threshold < 0.66), promise.bound < 0.05
    (True, True)
    """
    n_labels = len(drawn)
    if n_labels < LEAST_LABELS:
        return ErrorBound(
            None,
            1.0,
            n_labels,
            f"there are {n_labels} random labels, and {LEAST_LABELS} are needed",
        )
    best = ErrorBound(None, 1.0, n_labels, "")
    for share in _SHARES:
        threshold = float(np.quantile(confidences, 1 - share, method="lower"))
        sure = confidences[drawn] >= threshold
        n_wrong, n_sure = int(wrong[sure].sum()), int(sure.sum())
        bound = upper_bound(n_wrong, n_sure, confidence)
        if bound > target_error:
            if best.threshold is None:
                reason = (
                    f"{n_wrong} of {n_sure} random labels among the surest {share:.0%} "
                    f"are wrong, so that up to {bound:.1%} may be"
                )
                return ErrorBound(None, bound, n_labels, reason)
            break
        best = ErrorBound(threshold, bound, n_labels, "")
    return best


def plain_sample(
    label_proba: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Thin labels that were drawn with unequal chances to a plain random sample.

    Parameters
    ----------
    label_proba : ndarray of shape (n_samples,)
        Chance with which each label was asked for; NaN where there is none or nobody
        knows.

    random_state : RandomState
        Decides which labels are left out.

    Returns
    -------
    drawn : ndarray of int
        Positions whose labels all had the same chance.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import plain_sample
    >>> plain_sample(np.array([1.0, np.nan, 1.0]), np.random.RandomState(0))
    array([0, 2])
    """
    known = np.flatnonzero(~np.isnan(label_proba))
    if not len(known):
        return known
    chance = label_proba[known].min() / label_proba[known]
    return known[random_state.uniform(size=len(known)) < chance]
