"""Alternate the two steps of EM, and leap ahead where they are slow."""

from collections.abc import Iterator

import numpy as np

from ._expectation import expect
from ._maximisation import log_prior, maximise
from ._parameters import Expected, Parameters, coverage_and_shares, log_or_zero
from ._priors import Priors
from ._table import PatternTable

# Further than this, a leap is hardly ever an improvement.
_LONGEST_LEAP = 16.0


def em_steps(
    table: PatternTable,
    counts: np.ndarray,
    start: Expected,
    priors: Priors,
    class_prior: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    tol: float = 0.0,
) -> Iterator[tuple[Parameters, float]]:
    """Alternate the two steps, and leap where they go, for as long as asked.

    After two steps of EM their direction is followed further; the leap is kept only if
    it adds more than `tol`. So a gain of less than `tol` is that of a plain step.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    start : Expected
        Expected counts to start from.

    priors : Priors
        Pseudo-counts.

    class_prior : ndarray of shape (n_classes,), default=None
        Probability of each class. If None, it is estimated.

    labels : ndarray of int of shape (n_patterns,), default=None
        Class index where the class is known, -1 elsewhere.

    tol : float, default=0
        Least gain of a leap.

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

    R. Varadhan and C. Roland, "Simple and globally convergent methods for accelerating
    the convergence of any EM algorithm", Scandinavian Journal of Statistics 35(2),
    2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable, em_steps, make_priors
    >>> from sklearn_alchemist.label_model import expect_from_votes
    >>> table = PatternTable(np.array([[1], [2]]), n_answers=3)
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> priors = make_priors(np.array([[0.0, 10.0, 10.0]]), meaning)
    >>> counts = np.array([10.0, 10.0])
    >>> start = expect_from_votes(table, counts, np.array([[0.8, 0.2], [0.2, 0.8]]))
    >>> steps = em_steps(table, counts, start, priors)
    >>> first, second = next(steps)[1], next(steps)[1]
    >>> first < second
    True
    """
    n_samples = counts.sum()

    def assess(parameters: Parameters) -> tuple[Expected, float]:
        expected = expect(table, counts, parameters, labels)
        objective = expected.log_likelihood + log_prior(parameters, priors)
        return expected, float(objective / n_samples)

    origin = maximise(start, priors, class_prior)
    expected, objective = assess(origin)
    yield origin, objective
    while True:
        first = maximise(expected, priors, class_prior, origin)
        expected, objective = assess(first)
        yield first, objective
        second = maximise(expected, priors, class_prior, first)
        expected, objective = assess(second)
        yield second, objective
        leap = extrapolate(origin, first, second, class_prior)
        expected_there, objective_there = assess(leap)
        if objective_there > objective + tol:
            origin, expected, objective = leap, expected_there, objective_there
            yield leap, objective
        else:
            origin = second


def extrapolate(
    origin: Parameters,
    first: Parameters,
    second: Parameters,
    class_prior: np.ndarray | None = None,
) -> Parameters:
    """Follow the direction of two steps further, by as much as they slowed down.

    Parameters
    ----------
    origin, first, second : Parameters
        The model before, between and after two steps of EM.

    class_prior : ndarray of shape (n_classes,), default=None
        Probability of each class, if it is given.

    Returns
    -------
    leap : Parameters
        A model, perhaps a worse one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, extrapolate
    >>> steps = [
    ...     Parameters(np.array([p, 1 - p]), np.ones((0, 2, 3)), np.ones(0))
    ...     for p in (0.5, 0.6, 0.65)
    ... ]
    >>> extrapolate(*steps).class_prior.round(1)
    array([0.7, 0.3])
    """
    points = [_factors(parameters) for parameters in (origin, first, second)]
    logs = [
        np.concatenate([log_or_zero(factor).ravel() for factor in p]) for p in points
    ]
    step = logs[1] - logs[0]
    bend = logs[2] - logs[1] - step
    length = np.sqrt(step @ step / max(bend @ bend, np.finfo(float).tiny))
    length = min(max(length, 1.0), _LONGEST_LEAP)
    leap = np.exp(np.minimum(logs[0] + 2 * length * step + length**2 * bend, 0.0))

    factors, start = [], 0
    for factor in points[2]:
        values = leap[start : start + factor.size].reshape(factor.shape) * (factor > 0)
        total = values.sum(axis=-1, keepdims=True)
        factors.append(np.divide(values, total, out=values, where=total > 0))
        start += factor.size
    prior, coverage, shares, fidelity = factors
    confusion = np.concatenate([coverage[..., :1], coverage[..., 1:] * shares], axis=2)
    return Parameters(
        prior if class_prior is None else class_prior, confusion, fidelity[:, 0]
    )


def _factors(
    parameters: Parameters,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return class prior, coverage, shares of the votes, and fidelity.

    The last axis of each holds probabilities that sum to one, or only zeros.
    """
    coverage, shares = coverage_and_shares(parameters.confusion)
    fidelity = np.column_stack([parameters.fidelity, 1 - parameters.fidelity])
    return parameters.class_prior, coverage, shares, fidelity
