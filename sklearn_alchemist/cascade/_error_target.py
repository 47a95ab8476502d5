"""Find how many records have to be read so that few labels are wrong."""

from dataclasses import dataclass, replace

import numpy as np

from ..distillation import LEAST_LABELS, upper_bound
from ._records_to_ask import SMALLEST, View

# Shares of the records, tried from the most on: the error falls with the share that is
# read, and the first that fails ends the search, so that each may be tested at the
# whole confidence; see `find_error_bound`.
_SHARES = (1.0, 0.75, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.02, 0.0)


@dataclass(frozen=True)
class Target:
    """From which worth on records are read, so that an error is not exceeded.

    Parameters
    ----------
    threshold : float or None
        Records whose answer is worth at least this are read; None where no number of
        answers keeps the target.

    error : float
        Upper confidence bound of the share of wrong labels, where `is_bound`; else what
        the annotator's own probabilities say. Where there is no threshold, that of what
        was tried.

    n_labels : int
        Random gold labels that were there to judge by.

    is_bound : bool
        Whether it is a bound, or an estimate that is as good as the probabilities are.

    reason : str
        Why it is an estimate, or why there is no threshold; empty else.
    """

    threshold: float | None
    error: float
    n_labels: int
    is_bound: bool
    reason: str


def bound_target(
    worth: np.ndarray,
    drawn: np.ndarray,
    wrong_alone: np.ndarray,
    wrong_read: np.ndarray,
    *,
    target_error: float,
    confidence: float,
) -> Target:
    """Find the fewest records to read that keep a target, by random gold labels.

    Parameters
    ----------
    worth : ndarray of shape (n_samples,)
        What an answer is worth, of records that the annotator did not learn from.

    drawn : ndarray of int of shape (n_labels,)
        Positions of a plain random sample of them, whose true labels are known.

    wrong_alone, wrong_read : ndarray of bool of shape (n_labels,)
        Whether the label of each is wrong without and with an answer.

    target_error : float
        The share of wrong labels that must not be exceeded.

    confidence : float
        Probability with which it is not.

    Returns
    -------
    target : Target
        A bound; without a threshold where the labels do not allow one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.cascade import bound_target
    >>> worth = np.linspace(0, 0.5, 1000)
    >>> drawn = np.arange(0, 1000, 5)
    >>> wrong = worth[drawn] > 0.4
    >>> target = bound_target(
    ...     worth, drawn, wrong, wrong & False, target_error=0.05, confidence=0.9
    ... )
    >>> target.is_bound, bool(0.36 < target.threshold < 0.43), target.error < 0.05
    (True, True, True)
    """
    n_labels = len(drawn)
    if n_labels < LEAST_LABELS:
        reason = f"there are {n_labels} random labels, and {LEAST_LABELS} are needed"
        return Target(None, 1.0, n_labels, True, reason)
    best = Target(None, 1.0, n_labels, True, "")
    for share in _SHARES:
        threshold = _threshold_of(worth, share)
        wrong = np.where(worth[drawn] >= threshold, wrong_read, wrong_alone)
        n_wrong = int(wrong.sum())
        bound = upper_bound(n_wrong, n_labels, confidence)
        if bound > target_error:
            if best.threshold is None:
                reason = (
                    f"{n_wrong} of {n_labels} random labels are wrong even where every "
                    f"record is read, so that up to {bound:.1%} may be"
                )
                return Target(None, bound, n_labels, True, reason)
            break
        best = Target(threshold, bound, n_labels, True, "")
    return best


def estimate_target(
    worth: np.ndarray, proba: np.ndarray, gain: np.ndarray, *, target_error: float
) -> Target:
    """Find the fewest records to read that keep a target, by the annotator's word.

    Parameters
    ----------
    worth : ndarray of shape (n_samples,)
        What an answer is worth.

    proba : ndarray of shape (n_samples, n_classes)
        What the annotator thinks.

    gain : ndarray of shape (n_samples,)
        Expected reduction of the error of each record.

    target_error : float
        The share of wrong labels that should not be exceeded.

    Returns
    -------
    target : Target
        An estimate.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.cascade import estimate_target
    >>> proba = np.array([[0.9, 0.1], [0.5, 0.5]])
    >>> gain = np.array([0.0, 0.4])
    >>> target = estimate_target(gain, proba, gain, target_error=0.15)
    >>> target.threshold, round(target.error, 2), target.is_bound
    (0.4, 0.1, False)
    """
    error = float(np.mean(1 - proba.max(axis=1))) if len(proba) else 0.0
    if error <= target_error:
        return Target(float("inf"), error, 0, False, "")
    order = np.argsort(-worth, kind="stable")
    order = order[worth[order] >= SMALLEST]
    errors = error - np.cumsum(gain[order]) / len(worth)
    enough = np.flatnonzero(errors <= target_error)
    if len(enough):
        first = enough[0]
        return Target(float(worth[order[first]]), float(errors[first]), 0, False, "")
    least = float(errors[-1]) if len(errors) else error
    reason = f"reading every record is estimated to leave {least:.1%} of labels wrong"
    return Target(None, least, 0, False, reason)


def find_target(
    view: View,
    gold: np.ndarray,
    read_codes: np.ndarray,
    drawn: np.ndarray,
    n_labels: int,
    *,
    target_error: float,
    confidence: float,
) -> Target:
    """Find the fewest records to read: bounded by labels, or estimated without.

    Parameters
    ----------
    view : View
        Records that the annotator did not learn from, each different one once at least.

    gold : ndarray of int of shape (n_samples,)
        Known classes, -1 where none is known.

    read_codes : ndarray of int of shape (n_samples,)
        The label of each record with an answer.

    drawn : ndarray of int of shape (n_drawn,)
        Positions of a plain random sample of the labels, as far as they were read.

    n_labels : int
        How many random labels there are.

    target_error : float
        The share of wrong labels that must not be exceeded.

    confidence : float
        Probability with which it is not.

    Returns
    -------
    target : Target
        A bound, or with fewer than 100 labels an estimate.
    """
    alone = view.proba.argmax(axis=1)
    bounded = bound_target(
        view.worth,
        drawn,
        alone[drawn] != gold[drawn],
        read_codes[drawn] != gold[drawn],
        target_error=target_error,
        confidence=confidence,
    )
    if len(drawn) >= LEAST_LABELS:
        return bounded
    reason = bounded.reason
    if n_labels >= LEAST_LABELS:
        reason = (
            f"the budget of fit lets the model read {len(drawn)} of the "
            f"{n_labels} random labels, and {LEAST_LABELS} are needed"
        )
    estimate = estimate_target(
        view.worth, view.proba, view.gain, target_error=target_error
    )
    if estimate.reason:
        reason = f"{reason}; {estimate.reason}"
    return replace(estimate, n_labels=len(drawn), is_bound=False, reason=reason)


def _threshold_of(worth: np.ndarray, share: float) -> float:
    """Find from which worth on a share of the records lies."""
    if share == 0:
        return float("inf")
    least = float(np.quantile(worth, 1 - share, method="higher"))
    return max(least, SMALLEST)
