"""Fit the model to patterns: find groups, choose where to start, run to the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ._dependencies import find_groups
from ._diagnostics import misfit
from ._em import em_steps
from ._expectation import expect, expect_from_votes
from ._ordering import canonical_order
from ._parameters import Expected, Parameters
from ._patterns import Patterns
from ._priors import Priors, make_priors
from ._table import PatternTable
from ._voting import count_votes, majority_posterior

# So many patterns are fitted first, so that few steps have to see all of them.
_SAMPLE_SIZE = 50_000
# So many answers are enough to compare all pairs of programs.
_PAIR_ANSWERS = 4_000_000
# Found groups that leave more than this unexplained, and more than half of what there
# was, are not the ones that matter.
_GROUP_MISFIT = 0.03

OnStep = Callable[[PatternTable, Parameters, float], bool]


@dataclass(frozen=True)
class Settings:
    """How the model is fitted.

    Parameters
    ----------
    one_coin : bool
        Whether each program is equally accurate in all classes.

    abstain : {"auto", "ignore", "evidence"}
        What an abstention says.

    class_prior : ndarray of shape (n_classes,) or None
        Probability of each class; None if it is estimated.

    groups : sequence of ndarray of int or None
        Programs that depend on each other; None if they are searched for.

    max_iter : int
        Maximum number of steps of one run.

    tol : float
        Least gain of a step.
    """

    one_coin: bool
    abstain: str
    class_prior: np.ndarray | None
    groups: Sequence[np.ndarray] | None
    max_iter: int
    tol: float


@dataclass(frozen=True)
class Fit:
    """Where the steps have led.

    Parameters
    ----------
    parameters : Parameters
        The model.

    groups : list of ndarray of int
        Programs that depend on each other.

    priors : Priors
        Pseudo-counts.

    objective : float
        Penalised log-likelihood per sample.

    gain : float
        What the last step added to it.

    n_iter : int
        Number of steps.

    converged : bool
        Whether the last step gained less than asked.

    stopped : bool
        Whether `on_step` asked to stop.
    """

    parameters: Parameters
    groups: Sequence[np.ndarray]
    priors: Priors
    objective: float
    gain: float
    n_iter: int
    converged: bool
    stopped: bool


def fit_patterns(patterns: Patterns, settings: Settings, on_step: OnStep) -> Fit:
    """Fit the model, with the groups that are given or found.

    Parameters
    ----------
    patterns : Patterns
        Votes, counts and labels.

    settings : Settings
        How the model is fitted.

    on_step : callable
        Called after each step with the table of patterns, the parameters and the
        objective; a true answer ends the fit.

    Returns
    -------
    fit : Fit
        The model, and how it was reached.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, Settings, fit_patterns
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> codes = np.array([[1, 1, 1], [1, 1, 2], [2, 2, 1], [2, 2, 2]])
    >>> patterns = Patterns(codes, np.array([40.0, 10.0, 10.0, 40.0]), meaning)
    >>> settings = Settings(False, "auto", None, None, max_iter=100, tol=1e-8)
    >>> fit_patterns(patterns, settings, lambda *step: False).converged
    True
    """
    if settings.groups is not None:
        return _fit_groups(patterns, settings, settings.groups, on_step)
    groups = _search_groups(_sample_for_pairs(patterns))
    grouped = _fit_groups(patterns, settings, groups, on_step)
    if not groups or grouped.stopped:
        return grouped
    left = unexplained(patterns, grouped)
    if left <= _GROUP_MISFIT:
        return grouped
    independent = _fit_groups(patterns, settings, [], on_step)
    explains_most = left <= unexplained(patterns, independent) / 2
    return grouped if explains_most else independent


def unexplained(patterns: Patterns, fit: Fit) -> float:
    """Measure on a sample how wrong a fit is about the agreement of programs.

    Parameters
    ----------
    patterns : Patterns
        What was fitted.

    fit : Fit
        The model.

    Returns
    -------
    misfit : float
        See :func:`misfit`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, Settings, fit_patterns
    >>> from sklearn_alchemist.label_model import unexplained
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> codes = np.array([[1, 1, 1], [1, 1, 2], [2, 2, 1], [2, 2, 2]])
    >>> patterns = Patterns(codes, np.array([40.0, 10.0, 10.0, 40.0]), meaning)
    >>> settings = Settings(False, "auto", None, [], max_iter=100, tol=1e-8)
    >>> fit = fit_patterns(patterns, settings, lambda *step: False)
    >>> unexplained(patterns, fit) < 0.1
    True
    """
    sample = _sample_for_pairs(patterns)
    table = PatternTable(sample.codes, sample.n_answers, fit.groups)
    expected = expect(table, sample.counts, fit.parameters, sample.labels)
    return misfit(table, sample.codes, sample.counts, _without_priors(expected, fit))


def _search_groups(patterns: Patterns) -> list[np.ndarray]:
    """Find groups, whatever order the programs come in."""
    codes, counts, n_answers = patterns.codes, patterns.counts, patterns.n_answers
    _, columns = canonical_order(codes, counts, n_answers)
    groups = find_groups(codes[:, columns], counts, n_answers)
    found = [np.sort(columns[group]) for group in groups]
    return sorted(found, key=lambda group: int(group[0]))


def _sample_for_pairs(patterns: Patterns) -> Patterns:
    """Keep few enough patterns for the pairs of many programs, too."""
    n_compared = max(_PAIR_ANSWERS // max(patterns.codes.shape[1], 1), 1000)
    return patterns.sample(min(n_compared, _SAMPLE_SIZE))


def _without_priors(expected: Expected, fit: Fit) -> Parameters:
    """Return the most likely parameters, which few samples and priors move apart."""
    confusion = expected.answers + 1e-9
    confusion /= confusion.sum(axis=2, keepdims=True)
    n_samples = expected.classes.sum()
    alone = expected.answers[: len(fit.priors.grouped)].sum(axis=(1, 2))
    return Parameters(
        expected.classes / n_samples,
        confusion,
        np.where(fit.priors.grouped, (1 - alone / n_samples).clip(0, 1), 0.0),
    )


def _fit_groups(
    patterns: Patterns,
    settings: Settings,
    groups: Sequence[np.ndarray],
    on_step: OnStep,
) -> Fit:
    """Fit the model with these groups; first to a sample if there are many patterns."""
    if len(patterns.codes) <= 2 * _SAMPLE_SIZE:
        return _fit_in_order(patterns, settings, groups, on_step)
    warm = _fit_groups(patterns.sample(_SAMPLE_SIZE), settings, groups, on_step)
    if warm.stopped:
        return warm
    table = PatternTable(patterns.codes, patterns.n_answers, groups)
    weighted = patterns.with_weighted_labels()
    start = expect(table, weighted.counts, warm.parameters, patterns.labels)
    priors = _priors(table, weighted, settings)
    return _run(table, weighted, start, priors, settings, on_step)


def _fit_in_order(
    patterns: Patterns,
    settings: Settings,
    groups: Sequence[np.ndarray],
    on_step: OnStep,
) -> Fit:
    """Fit the model from the start, on patterns and programs in their own order."""
    given = PatternTable(patterns.codes, patterns.n_answers, groups)
    given_priors = _priors(given, patterns.with_weighted_labels(), settings)
    rows, columns = canonical_order(patterns.codes, patterns.counts, patterns.n_answers)
    place = np.argsort(columns)
    ordered_groups = [np.sort(place[group]) for group in groups]
    by_place = sorted(range(len(groups)), key=lambda g: int(ordered_groups[g][0]))
    voters = np.append(place, len(place) + np.argsort(by_place)).astype(int)

    def restore(parameters: Parameters) -> Parameters:
        return Parameters(
            parameters.class_prior,
            parameters.confusion[voters],
            parameters.fidelity[place],
        )

    def on_ordered_step(
        table: PatternTable, parameters: Parameters, objective: float
    ) -> bool:
        return on_step(given, restore(parameters), objective)

    ordered = patterns.take(rows).with_weighted_labels()
    ordered = replace(ordered, codes=ordered.codes[:, columns])
    table = PatternTable(
        ordered.codes, ordered.n_answers, [ordered_groups[g] for g in by_place]
    )
    priors = _priors(table, ordered, settings)
    fits = [
        _run(table, ordered, start, priors, settings, on_ordered_step)
        for start in _starts(table, ordered)
    ]
    # Of equally good fits, the one that starts from the votes.
    best = max(fits, key=lambda fit: fit.objective)
    parameters = restore(best.parameters)
    return replace(best, parameters=parameters, groups=groups, priors=given_priors)


def _starts(table: PatternTable, patterns: Patterns) -> list[Expected]:
    """Return expected counts to start from: the votes and, if there are any, labels."""
    uniform = np.full(patterns.n_classes, 1 / patterns.n_classes)
    proba = majority_posterior(count_votes(table, patterns.meaning), uniform).T
    labels = patterns.labels
    if labels is None or not (labels >= 0).any():
        return [expect_from_votes(table, patterns.counts, proba)]
    known = labels >= 0
    proba[:, known] = labels[known] == np.arange(patterns.n_classes)[:, None]
    from_votes = expect_from_votes(table, patterns.counts, proba)
    # As many labelled samples as there are samples, so that no prior outweighs them.
    of_labels = np.where(known, patterns.counts, 0.0)
    of_labels *= patterns.counts.sum() / of_labels.sum()
    return [from_votes, expect_from_votes(table, of_labels, proba)]


def _priors(table: PatternTable, patterns: Patterns, settings: Settings) -> Priors:
    """Build the priors from how often programs and groups give each answer."""
    n_programs = table.n_programs
    totals = np.empty((n_programs + len(table.groups), patterns.n_answers))
    for total, column in zip(totals, patterns.codes.T, strict=False):
        total[:] = np.bincount(column, patterns.counts, patterns.n_answers)
    grouped = np.zeros(n_programs, dtype=bool)
    for total, group in zip(totals[n_programs:], table.groups, strict=True):
        by_row = np.bincount(group.rows, patterns.counts, group.members.n_patterns)
        total[:] = group.shares @ by_row
        grouped[group.programs] = True
    return make_priors(
        totals,
        patterns.meaning,
        grouped,
        abstain=settings.abstain,
        one_coin=settings.one_coin,
    )


def _run(
    table: PatternTable,
    patterns: Patterns,
    start: Expected,
    priors: Priors,
    settings: Settings,
    on_step: OnStep,
) -> Fit:
    """Take steps until one gains little."""
    steps = em_steps(
        table,
        patterns.counts,
        start,
        priors,
        settings.class_prior,
        patterns.labels,
        settings.tol,
    )
    before = -np.inf
    for n_iter, (parameters, objective) in enumerate(steps, start=1):
        gain, before = objective - before, objective
        converged = gain < settings.tol
        stopped = on_step(table, parameters, objective)
        if converged or stopped or n_iter == settings.max_iter:
            break
    groups = [group.programs for group in table.groups]
    return Fit(parameters, groups, priors, objective, gain, n_iter, converged, stopped)
