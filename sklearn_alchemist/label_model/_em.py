"""Fit the Dawid-Skene model by expectation maximisation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ._priors import Priors
from ._table import PatternTable


@dataclass(frozen=True)
class Parameters:
    """What the model knows after a step.

    Parameters
    ----------
    class_prior : ndarray of shape (n_classes,)
        Probability of each class.

    confusion : ndarray of shape (n_programs, n_classes, n_answers)
        Probability of each answer given the class; abstaining comes first.
    """

    class_prior: np.ndarray
    confusion: np.ndarray


def log_evidence(confusion: np.ndarray) -> np.ndarray:
    """Logarithm of the confusion; 0 for answers that a program never gave.

    Parameters
    ----------
    confusion : ndarray of shape (n_programs, n_classes, n_answers)
        Probability of each answer given the class.

    Returns
    -------
    evidence : ndarray of shape (n_programs, n_answers, n_classes)
        What each answer adds to the logarithm of the probability of each class.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import log_evidence
    >>> log_evidence(np.array([[[0.0, 1.0], [0.0, 1.0]]]))
    array([[[0., 0.],
            [0., 0.]]])
    """
    logs = np.zeros_like(confusion)
    np.log(confusion, out=logs, where=confusion > 0)
    return logs.transpose(0, 2, 1)


def e_step(
    table: PatternTable, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the class probabilities of each pattern.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    parameters : Parameters
        The current model.

    Returns
    -------
    posterior : ndarray of shape (n_patterns, n_classes)
        Rows sum to one.

    log_likelihood : ndarray of shape (n_patterns,)
        Natural logarithm of the probability of each pattern.

    Examples
    --------
    One program says "1" to a fifth of class 0 and three fifths of class 1.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, PatternTable, e_step
    >>> confusion = np.array([[[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]])
    >>> said_one = PatternTable(np.array([[2]]), n_answers=3)
    >>> e_step(said_one, Parameters(np.array([0.5, 0.5]), confusion))[0]
    array([[0.25, 0.75]])
    """
    logits = table.sum(log_evidence(parameters.confusion))
    logits += np.log(parameters.class_prior)
    # Without the largest of the row, no exponential overflows and the sum is not 0.
    largest = logits.max(axis=1, keepdims=True)
    logits -= largest
    posterior = np.exp(logits, out=logits)
    total = posterior.sum(axis=1, keepdims=True)
    posterior /= total
    return posterior, (largest + np.log(total))[:, 0]


def m_step(
    table: PatternTable,
    weighted: np.ndarray,
    priors: Priors,
    class_prior: np.ndarray | None = None,
) -> Parameters:
    """Choose the most probable parameters, given the classes of the patterns.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    weighted : ndarray of shape (n_patterns, n_classes)
        Class probabilities of each pattern, times its number of samples.

    priors : Priors
        Pseudo-counts.

    class_prior : ndarray of shape (n_classes,), default=None
        Probability of each class. If None, it is estimated.

    Returns
    -------
    parameters : Parameters
        The new model.

    Examples
    --------
    One program votes 0 on ten samples of class 0 and 1 on ten samples of class 1.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable, make_priors, m_step
    >>> table = PatternTable(np.array([[1], [2]]), n_answers=3)
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> priors = make_priors(np.array([[0.0, 10.0, 10.0]]), meaning)
    >>> m_step(table, np.diag([10.0, 10.0]), priors).confusion
    array([[[0.  , 0.85, 0.15],
            [0.  , 0.15, 0.85]]])
    """
    if class_prior is None:
        in_class = weighted.sum(axis=0) + priors.classes
        class_prior = in_class / in_class.sum()

    counts = table.count(weighted)
    votes = counts[:, :, 1:]
    coverage = priors.coverage[:, None, :] + np.stack(
        [counts[:, :, 0], votes.sum(axis=2)], axis=2
    )
    coverage /= coverage.sum(axis=2, keepdims=True)
    votes += priors.votes
    # A program without any vote has only zeros here.
    total = votes.sum(axis=2, keepdims=True)
    votes *= np.divide(coverage[:, :, 1:], total, where=total > 0, out=total)
    counts[:, :, 0] = coverage[:, :, 0]
    return Parameters(class_prior, counts)


def em_steps(
    table: PatternTable,
    counts: np.ndarray,
    posterior: np.ndarray,
    priors: Priors,
    class_prior: np.ndarray | None = None,
) -> Iterator[tuple[Parameters, float]]:
    """Alternate the two steps for as long as the caller asks for more.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    posterior : ndarray of shape (n_patterns, n_classes)
        Class probabilities to start from.

    priors : Priors
        Pseudo-counts.

    class_prior : ndarray of shape (n_classes,), default=None
        Probability of each class. If None, it is estimated.

    Yields
    ------
    parameters : Parameters
        The model after one more step.

    objective : float
        Its log-likelihood plus log prior density, per sample: never falls.

    References
    ----------
    A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
    using the EM algorithm", Applied Statistics 28(1), 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable, em_steps, make_priors
    >>> table = PatternTable(np.array([[1], [2]]), n_answers=3)
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> priors = make_priors(np.array([[0.0, 10.0, 10.0]]), meaning)
    >>> start = np.array([[0.8, 0.2], [0.2, 0.8]])
    >>> steps = em_steps(table, np.array([10.0, 10.0]), start, priors)
    >>> first, second = next(steps)[1], next(steps)[1]
    >>> first < second
    True
    """
    while True:
        parameters = m_step(table, posterior * counts[:, None], priors, class_prior)
        posterior, log_likelihood = e_step(table, parameters)
        objective = counts @ log_likelihood + log_prior(parameters, priors)
        yield parameters, float(objective / counts.sum())


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
        What :func:`m_step` maximises beside the likelihood.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, Priors, log_prior
    >>> confusion = np.array([[[0.5, 0.25, 0.25]]])
    >>> priors = Priors(np.ones((1, 1, 2)), np.ones((1, 2)), np.ones(1))
    >>> round(log_prior(Parameters(np.ones(1), confusion), priors), 3)
    -2.773
    """
    confusion = parameters.confusion
    voting = confusion[:, :, 1:].sum(axis=2)
    coverage = np.stack([confusion[:, :, 0], voting], axis=2)
    given_vote = confusion[:, :, 1:] / np.where(voting > 0, voting, 1)[:, :, None]
    return (
        _dot_log(priors.votes, given_vote)
        + _dot_log(priors.coverage[:, None, :], coverage)
        + _dot_log(priors.classes, parameters.class_prior)
    )


def _dot_log(weight: np.ndarray, probability: np.ndarray) -> float:
    """Sum of weight times log probability, leaving out probabilities of 0."""
    logs = np.zeros_like(probability)
    np.log(probability, out=logs, where=probability > 0)
    return float((weight * logs).sum())
