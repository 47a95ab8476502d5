"""Choose the parameters, given expected counts and priors: the M-step of EM."""

import numpy as np
from scipy.special import expit

from ._parameters import Expected, Parameters, coverage_and_shares, log_or_zero
from ._priors import (
    ACCURACY,
    ANCHOR_STRENGTH,
    FIDELITY,
    STRENGTH,
    Priors,
    one_coin_shares,
)


def maximise(
    expected: Expected,
    priors: Priors,
    class_prior: np.ndarray | None = None,
    before: Parameters | None = None,
) -> Parameters:
    """Choose the most probable parameters, given expected counts (M-step).

    Parameters
    ----------
    expected : Expected
        What the samples add up to.

    priors : Priors
        Pseudo-counts.

    class_prior : ndarray of shape (n_classes,), default=None
        Probability of each class. If None, it is estimated.

    before : Parameters, default=None
        The model of the step before, which says how accurate each voter is on the
        whole; the prior accuracy if None.

    Returns
    -------
    parameters : Parameters
        The new model.

    Examples
    --------
    One program votes 0 on ten samples of class 0 and 1 on ten samples of class 1.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable, make_priors, maximise
    >>> from sklearn_alchemist.label_model import expect_from_votes
    >>> table = PatternTable(np.array([[1], [2]]), n_answers=3)
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> priors = make_priors(np.array([[0.0, 10.0, 10.0]]), meaning)
    >>> counted = expect_from_votes(table, np.array([10.0, 10.0]), np.eye(2))
    >>> maximise(counted, priors).confusion
    array([[[0.   , 0.775, 0.225],
            [0.   , 0.225, 0.775]]])
    """
    if class_prior is None:
        in_class = expected.classes + priors.classes
        class_prior = in_class / in_class.sum()

    votes = expected.answers[:, :, 1:]
    coverage = np.stack([expected.answers[:, :, 0], votes.sum(axis=2)], axis=2)
    coverage += priors.coverage[:, None, :] + _coverage_anchor(before, priors)
    coverage[priors.pooled] = coverage[priors.pooled].sum(axis=1, keepdims=True)
    coverage /= coverage.sum(axis=2, keepdims=True)

    confusion = np.empty_like(expected.answers)
    confusion[:, :, 0] = coverage[:, :, 0]
    if priors.one_coin:
        shares = _one_coin(votes, priors)
    else:
        shares = _shares(votes + _anchor(before, priors), priors)
    np.multiply(shares, coverage[:, :, 1:], out=confusion[:, :, 1:])

    # Whatever a member does not answer on its own it repeats.
    n_programs = len(priors.grouped)
    on_its_own = expected.answers[:n_programs].sum(axis=(1, 2))
    n_samples = expected.classes.sum()
    repeated = n_samples - on_its_own + STRENGTH * FIDELITY
    fidelity = repeated / (n_samples + STRENGTH)
    return Parameters(class_prior, confusion, np.where(priors.grouped, fidelity, 0.0))


def log_prior(parameters: Parameters, priors: Priors) -> float:
    """Logarithm of the prior density of the parameters, up to a constant.

    Parameters
    ----------
    parameters : Parameters
        A model.

    priors : Priors
        Pseudo-counts.

    Returns
    -------
    log_prior : float
        What :func:`maximise` maximises beside the likelihood.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, log_prior, make_priors
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> priors = make_priors(np.array([[0.0, 10.0, 10.0]]), meaning)
    >>> sure, fair = (
    ...     Parameters(
    ...         np.full(2, 0.5), np.array([[[0, a, 1 - a], [0, 1 - a, a]]]), np.zeros(1)
    ...     )
    ...     for a in (0.99, 0.7)
    ... )
    >>> log_prior(fair, priors) > log_prior(sure, priors)
    True
    """
    coverage, shares = coverage_and_shares(parameters.confusion)
    total = _log_density(parameters.class_prior, priors.classes)
    total += _log_density(shares, priors.votes)
    if not priors.one_coin:
        anchor = _anchor(parameters, priors)
        strength = np.maximum(anchor.sum(axis=2, keepdims=True), 1.0)
        total += _log_density(shares, anchor) - _log_density(anchor / strength, anchor)
    total += _log_density(coverage, priors.coverage[:, None, :])
    anchor = _coverage_anchor(parameters, priors)
    strength = np.maximum(anchor.sum(axis=2, keepdims=True), 1.0)
    total += _log_density(coverage, anchor) - _log_density(anchor / strength, anchor)
    fidelity = parameters.fidelity[priors.grouped]
    total += STRENGTH * FIDELITY * np.log(fidelity).sum()
    total += STRENGTH * (1 - FIDELITY) * np.log1p(-fidelity).sum()
    return float(total)


def _shares(votes: np.ndarray, priors: Priors) -> np.ndarray:
    """Probability of each vote given the class and that the voter votes."""
    votes = votes + priors.votes
    # A voter without any vote has only zeros here.
    total = votes.sum(axis=2, keepdims=True)
    return np.divide(votes, total, where=total > 0, out=np.zeros_like(votes))


def _anchor(parameters: Parameters | None, priors: Priors) -> np.ndarray:
    """Pseudo-counts of a voter that is equally accurate in all classes.

    Its accuracy is the one that is closest to the parameters by Kullback-Leibler
    divergence, so that neither an M-step nor a new anchor lowers the objective.
    """
    right = priors.meaning[1:].T
    n_wrong = max(right.shape[1] - 1, 1)
    if parameters is None:
        accuracies = np.full(len(priors.votes), ACCURACY)
    else:
        logs = log_or_zero(coverage_and_shares(parameters.confusion)[1])
        log_right = (logs * right).sum(axis=(1, 2)) / len(right)
        log_wrong = (logs * ~right).sum(axis=(1, 2)) / (len(right) * n_wrong)
        accuracies = expit(log_right - log_wrong - np.log(n_wrong))
    anchor = one_coin_shares(accuracies, priors.meaning, priors.votes[:, 0] > 0)
    strength = ANCHOR_STRENGTH * len(right) * priors.anchored
    return strength[:, None, None] * anchor


def _coverage_anchor(parameters: Parameters | None, priors: Priors) -> np.ndarray:
    """Pseudo-counts of a voter that errs as often on each class it never votes."""
    missed = priors.missed
    if parameters is None:
        votes = priors.coverage[:, 1] / priors.coverage.sum(axis=1)
    else:
        coverage = coverage_and_shares(parameters.confusion)[0]
        odds = log_or_zero(coverage[:, :, 1]) - log_or_zero(coverage[:, :, 0])
        total = (odds * missed).sum(axis=1)
        votes = expit(total / np.maximum(missed.sum(axis=1), 1))
    strength = ANCHOR_STRENGTH * missed.shape[1] * missed[:, :, None]
    return strength * np.column_stack([1 - votes, votes])[:, None, :]


def _one_coin(votes: np.ndarray, priors: Priors) -> np.ndarray:
    """Do the same with one accuracy per voter, and errors that are all alike."""
    given = priors.votes[:, 0] > 0
    right = priors.meaning[1:].T & given[:, None, :]
    # A class says nothing of the accuracy where right votes, or wrong ones, are never
    # given.
    telling = right.any(axis=2) & (given.sum(axis=1) > 1)[:, None]
    votes = (votes + priors.votes) * telling[:, :, None]
    total = votes.sum(axis=(1, 2))
    accuracies = np.full(len(total), ACCURACY)
    np.divide((votes * right).sum(axis=(1, 2)), total, accuracies, where=total > 0)
    return one_coin_shares(accuracies, priors.meaning, given)


def _log_density(probabilities: np.ndarray, pseudo_counts: np.ndarray) -> float:
    """Sum of pseudo-counts times log-probabilities, where there are any counts."""
    counted = np.broadcast_to(pseudo_counts, probabilities.shape) > 0
    return float((pseudo_counts * log_or_zero(probabilities * counted)).sum())
