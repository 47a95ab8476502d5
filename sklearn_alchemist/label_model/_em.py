"""Fit the Dawid-Skene model, with groups of dependent programs, by EM."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ._priors import (
    ACCURACY,
    ANCHOR_STRENGTH,
    FIDELITY,
    STRENGTH,
    Priors,
    one_coin_shares,
)
from ._table import Block, Group, PatternTable, count_rows

# Samples whose probabilities are held at one time: few enough for the cache.
_CHUNK = 1 << 15
# Further than this, a leap is hardly ever an improvement.
_LONGEST_LEAP = 16.0


@dataclass(frozen=True)
class Parameters:
    """What the model knows after a step.

    A group of programs is one more voter. Its hidden answer depends on the class as
    the answer of a program does; each of its members either repeats it, or answers on
    its own.

    Parameters
    ----------
    class_prior : ndarray of shape (n_classes,)
        Probability of each class.

    confusion : ndarray of shape (n_programs + n_groups, n_classes, n_answers)
        Probability of each answer given the class; abstaining comes first. Of a member
        of a group, when it answers on its own. The groups come last.

    fidelity : ndarray of shape (n_programs,)
        How often each program repeats the answer of its group; 0 in no group.
    """

    class_prior: np.ndarray
    confusion: np.ndarray
    fidelity: np.ndarray


@dataclass(frozen=True)
class Expected:
    """What the samples add up to, under the class probabilities of a step.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Number of samples of each class.

    answers : ndarray of shape (n_programs + n_groups, n_classes, n_answers)
        Number of samples by voter, class and answer. Of a member of a group, those on
        which it answers on its own.

    log_likelihood : float
        Sum over the samples of the natural logarithms of their probabilities.
    """

    classes: np.ndarray
    answers: np.ndarray
    log_likelihood: float


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
    return _log(confusion).transpose(0, 2, 1)


def posterior(
    table: PatternTable, parameters: Parameters, temperature: float = 1.0
) -> np.ndarray:
    """Compute the class probabilities of each pattern.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    parameters : Parameters
        The model.

    temperature : float, default=1
        Logarithms of probabilities are divided by it; above 1 they come closer to
        each other.

    Returns
    -------
    posterior : ndarray of shape (n_patterns, n_classes)
        Rows sum to one.

    Examples
    --------
    One program says "1" to a fifth of class 0 and three fifths of class 1.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, PatternTable, posterior
    >>> confusion = np.array([[[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]])
    >>> said_one = PatternTable(np.array([[2]]), n_answers=3)
    >>> posterior(said_one, Parameters(np.full(2, 0.5), confusion, np.zeros(1)))
    array([[0.25, 0.75]])
    """
    model = _Evidence(table, parameters)
    proba = np.empty((table.n_patterns, len(parameters.class_prior)))
    for start, stop in _chunks(table.n_patterns):
        logits = model.logits(model.rows(start, stop))
        logits /= temperature
        _normalise(logits)
        proba[start:stop] = logits.T
    return proba


def expect(
    table: PatternTable,
    counts: np.ndarray,
    parameters: Parameters,
    labels: np.ndarray | None = None,
) -> Expected:
    """Add up the samples under their class probabilities (E-step).

    Parameters
    ----------
    table : PatternTable
        The patterns.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    parameters : Parameters
        The current model.

    labels : ndarray of int of shape (n_patterns,), default=None
        Class index where the class of the samples is known, -1 elsewhere.

    Returns
    -------
    expected : Expected
        Expected counts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, PatternTable, expect
    >>> confusion = np.array([[[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]])
    >>> said_one = PatternTable(np.array([[2]]), n_answers=3)
    >>> model = Parameters(np.array([0.5, 0.5]), confusion, np.zeros(1))
    >>> expect(said_one, np.array([8.0]), model).answers[0]
    array([[0., 0., 2.],
           [0., 0., 6.]])
    """
    model = _Evidence(table, parameters)
    n_classes = len(parameters.class_prior)
    joint = [np.zeros_like(evidence) for evidence in model.tables]
    classes = np.zeros(n_classes)
    log_likelihood = 0.0
    for start, stop in _chunks(table.n_patterns):
        rows = model.rows(start, stop)
        logits = model.logits(rows)
        if labels is not None:
            known = labels[start:stop]
            impossible = (known >= 0) & (known != np.arange(n_classes)[:, None])
            logits[impossible] = -np.inf
        weight = counts[start:stop]
        log_likelihood += weight @ _normalise(logits)
        logits *= weight
        classes += logits.sum(axis=1)
        for total, row in zip(joint, rows, strict=True):
            total += count_rows(row, logits, total.shape[1])
    return model.split(classes, joint, log_likelihood)


def expect_from_votes(
    table: PatternTable, counts: np.ndarray, proba: np.ndarray
) -> Expected:
    """Add up the samples under given class probabilities, to start from.

    The hidden answer of a group is taken from the votes of its members.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    proba : ndarray of shape (n_classes, n_patterns)
        Class probabilities of each pattern.

    Returns
    -------
    expected : Expected
        Expected counts; the log-likelihood is not known (-inf).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable, expect_from_votes
    >>> table = PatternTable(np.array([[1], [2]]), n_answers=3)
    >>> proba = np.array([[0.75, 0.25], [0.25, 0.75]])
    >>> expect_from_votes(table, np.array([4.0, 4.0]), proba).answers[0]
    array([[0., 3., 1.],
           [0., 1., 3.]])
    """
    weights = proba * counts
    n_classes = len(proba)
    answers = np.empty(
        (table.n_programs + len(table.groups), n_classes, table.n_answers)
    )
    answers[table.singles] = table.count(weights)
    for position, group in enumerate(table.groups, table.n_programs):
        by_row = count_rows(group.rows, weights, group.members.n_patterns)
        answers[position] = by_row @ group.shares.T
        answers[group.programs] = (1 - FIDELITY) * group.members.count(by_row)
    return Expected(weights.sum(axis=1), answers, -np.inf)


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
    coverage, shares = _coverage_and_shares(parameters.confusion)
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
    logs = [np.concatenate([_log(factor).ravel() for factor in p]) for p in points]
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


class _Evidence:
    """What each row of the tables of a :class:`PatternTable` says about the class."""

    def __init__(self, table: PatternTable, parameters: Parameters) -> None:
        self.table = table
        self.parameters = parameters
        self._log_prior = np.log(parameters.class_prior)[:, None]
        evidence = log_evidence(parameters.confusion[table.singles])
        self.tables = list(table.block_sums(_pad(evidence, table.n_answers)))
        self.tables += [
            _group_evidence(group, voter, *_of_group(group, parameters))
            for group, voter in zip(
                table.groups, parameters.confusion[table.n_programs :], strict=True
            )
        ]

    def rows(self, start: int, stop: int) -> list[np.ndarray]:
        """Return the rows of some patterns in each table."""
        parts: list[Block | Group] = [*self.table.blocks, *self.table.groups]
        return [part.rows[start:stop].astype(np.intp) for part in parts]

    def logits(self, rows: list[np.ndarray]) -> np.ndarray:
        """Return the logarithm of the joint probability of class and pattern."""
        logits = np.repeat(self._log_prior, len(rows[0]), axis=1)
        for table, row in zip(self.tables, rows, strict=True):
            for logit, evidence in zip(logits, table, strict=True):
                logit += evidence.take(row)
        return logits

    def split(
        self, classes: np.ndarray, joint: list[np.ndarray], log_likelihood: float
    ) -> Expected:
        """Count by voter what was counted by row."""
        table, n_blocks = self.table, len(self.table.blocks)
        answers = np.empty_like(self.parameters.confusion)
        answers[table.singles] = table.split_blocks(joint[:n_blocks], len(classes))
        for position, (group, by_row) in enumerate(
            zip(table.groups, joint[n_blocks:], strict=True), table.n_programs
        ):
            answers[position], answers[group.programs] = _split_group(
                group,
                by_row,
                self.parameters.confusion[position],
                *_of_group(group, self.parameters),
            )
        return Expected(classes, answers, log_likelihood)


def _of_group(group: Group, parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Return the confusion and the fidelity of the members of a group."""
    return parameters.confusion[group.programs], parameters.fidelity[group.programs]


def _given_hidden(confusion: np.ndarray, fidelity: np.ndarray) -> np.ndarray:
    """Probability of each answer of each member, given class and hidden answer.

    Shape (n_members, n_classes, n_answers of the group, n_answers of the member).
    """
    alone = (1 - fidelity)[:, None, None, None] * confusion[:, :, None, :]
    return alone + fidelity[:, None, None, None] * np.eye(confusion.shape[2])


def _hidden_likelihood(
    group: Group, confusion: np.ndarray, fidelity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the likelihood of each row by class and hidden answer, and its scale."""
    n_members, n_classes, n_answers = confusion.shape
    given = _given_hidden(confusion, fidelity)
    values = log_evidence(given.reshape(n_members, n_classes * n_answers, n_answers))
    logs = group.members.sum(_pad(values, group.members.n_answers))
    logs = logs.reshape(n_classes, n_answers, -1)
    largest = logs.max(axis=(0, 1))
    logs -= largest
    return np.exp(logs, out=logs), largest


def _group_evidence(
    group: Group, voter: np.ndarray, confusion: np.ndarray, fidelity: np.ndarray
) -> np.ndarray:
    """Return the log-likelihood of each row of a group in each class."""
    likelihood, largest = _hidden_likelihood(group, confusion, fidelity)
    mixed = np.einsum("ya,yar->yr", voter, likelihood)
    return np.log(np.maximum(mixed, np.finfo(float).tiny)) + largest


def _split_group(
    group: Group,
    by_row: np.ndarray,
    voter: np.ndarray,
    confusion: np.ndarray,
    fidelity: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Count by hidden answer, and what each member answers on its own."""
    n_members, n_classes, n_answers = confusion.shape
    likelihood, _ = _hidden_likelihood(group, confusion, fidelity)
    likelihood *= voter[:, :, None]
    likelihood *= (by_row / np.maximum(likelihood.sum(axis=1), np.finfo(float).tiny))[
        :, None, :
    ]
    hidden = likelihood.sum(axis=2)
    counted = group.members.count(likelihood.reshape(n_classes * n_answers, -1))
    counted = counted.reshape(n_members, n_classes, n_answers, n_answers)
    alone = (1 - fidelity)[:, None, None, None] * confusion[:, :, None, :]
    given = _given_hidden(confusion, fidelity)
    own = counted * np.divide(alone, given, out=np.ones_like(given), where=given > 0)
    return hidden, own.sum(axis=2)


def _chunks(n_patterns: int) -> Iterator[tuple[int, int]]:
    """Yield where the chunks of the patterns start and stop."""
    for start in range(0, n_patterns, _CHUNK):
        yield start, min(start + _CHUNK, n_patterns)


def _normalise(logits: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities in place; return the logarithms of the sums."""
    # Without the largest of the column, no exponential overflows and no sum is 0.
    largest = logits.max(axis=0)
    logits -= largest
    np.exp(logits, out=logits)
    total = logits.sum(axis=0)
    logits /= total
    return largest + np.log(total)


def _pad(evidence: np.ndarray, n_answers: int) -> np.ndarray:
    """Add answers of which nothing is known, up to `n_answers`."""
    missing = n_answers - evidence.shape[1]
    return np.pad(evidence, ((0, 0), (0, missing), (0, 0)))


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
        logs = _log(_coverage_and_shares(parameters.confusion)[1])
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
        coverage = _coverage_and_shares(parameters.confusion)[0]
        odds = _log(coverage[:, :, 1]) - _log(coverage[:, :, 0])
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
    return float((pseudo_counts * _log(probabilities * counted)).sum())


def _factors(
    parameters: Parameters,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return class prior, coverage, shares of the votes, and fidelity.

    The last axis of each holds probabilities that sum to one, or only zeros.
    """
    coverage, shares = _coverage_and_shares(parameters.confusion)
    fidelity = np.column_stack([parameters.fidelity, 1 - parameters.fidelity])
    return parameters.class_prior, coverage, shares, fidelity


def _coverage_and_shares(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split a confusion into abstaining or voting, and the votes among the votes."""
    voted = confusion[:, :, 1:].sum(axis=2, keepdims=True)
    coverage = np.concatenate([confusion[:, :, :1], voted], axis=2)
    shares = np.zeros_like(confusion[:, :, 1:])
    np.divide(confusion[:, :, 1:], voted, out=shares, where=voted > 0)
    return coverage, shares


def _log(values: np.ndarray) -> np.ndarray:
    """Logarithm, and 0 where a value is 0."""
    return np.log(values, out=np.zeros_like(values), where=values > 0)
