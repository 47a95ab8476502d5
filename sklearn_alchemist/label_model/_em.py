"""Estimate from votes alone how far each vote is to be believed.

Each row is a bag of votes: given its class and the number of its votes, every vote is
drawn from the votes that samples of the class get. So it does not matter how often
programs vote, or on which rows all fall silent together, and rows that rest on one vote
say nothing of how far to believe it: only votes that overlap are learned from.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.special import logsumexp

from ._dependencies import find_all_groups
from ._model import VoteModel, normalise, votes_level
from ._patterns import Patterns, chunks, take_rows, vote_matrix
from ._voting import count_levels, silent_prior

# What halving and doubling each of the five does: benchmarks/label_constants.py.
ACCURACY = 0.75
"""Share of right votes that is expected of a program before it is known."""

STRENGTH = 30.0
"""Number of overlapping votes that the expected accuracy is worth."""

CLASS_STRENGTH = 100.0
"""Number of rows that the shares of the votes are worth as class prior."""

# From this share of the samples on, a program that votes one class only is missed where
# it falls silent.
_MISSED = 0.25
# A tie leaves each class so many votes when the shares of the votes start the EM.
_TIE = 0.3
# So many patterns are fitted; all take part in the last step.
_SAMPLE_SIZE = 1 << 16
_TINY = 1e-12

OnStep = Callable[[VoteModel], bool]


@dataclass(frozen=True)
class Settings:
    """How the model is fitted.

    Parameters
    ----------
    one_coin : bool
        Whether a program is equally accurate whatever it votes.

    abstain : {"auto", "ignore", "evidence"}
        Whether an abstention says something of the class: "auto" for whether programs
        vote one class each, and often.

    class_prior : ndarray of shape (n_classes,) or None
        Probability of each class; None if it is estimated.

    groups : sequence of ndarray of int or None
        Programs that depend on each other; None if they are searched for.

    max_iter : int
        Maximum number of steps of one run.

    tol : float
        Largest change of a probability in the last step.
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
    model : VoteModel
        The model.

    settings : Settings
        How it was fitted, with what "auto" stands for.

    log_likelihood : float
        Of the votes of a row, given their number; the mean over the rows learned from.

    n_iter : int
        Number of steps.

    change : float
        Largest change of a probability in the last step.

    converged, stopped : bool
        Whether the last step changed little, and whether `on_step` asked to stop.
    """

    model: VoteModel
    settings: Settings
    log_likelihood: float
    n_iter: int
    change: float
    converged: bool
    stopped: bool


def fit_votes(patterns: Patterns, settings: Settings, on_step: OnStep) -> Fit:
    """Fit the model, with the groups that are given or found.

    Parameters
    ----------
    patterns : Patterns
        Votes, counts and labels.

    settings : Settings
        How the model is fitted.

    on_step : callable
        Called after each step with the model; a true answer ends the fit.

    Returns
    -------
    fit : Fit
        The model, and how it was reached.

    Examples
    --------
    Two programs agree with each other on 80 of 100 rows, the third with nobody.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, Settings, fit_votes
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> codes = np.array([[1, 1, 1], [1, 1, 2], [2, 2, 1], [2, 2, 2], [1, 2, 1]])
    >>> counts = np.array([200.0, 200.0, 200.0, 200.0, 200.0])
    >>> settings = Settings(False, "auto", None, [], max_iter=100, tol=1e-4)
    >>> fit = fit_votes(Patterns(codes, counts, meaning), settings, lambda model: False)
    >>> fit.converged, fit.model.posterior(np.array([[1, 1, 2]])).round(1).tolist()
    (True, [[1.0, 0.0]])
    """
    if settings.abstain == "auto":
        abstain = "evidence" if _silence_says_much(patterns) else "ignore"
        settings = replace(settings, abstain=abstain)
    sample = patterns.sample(_SAMPLE_SIZE)
    groups = settings.groups
    if groups is None:
        groups = find_all_groups(sample)
    problem = _Problem.of(sample, settings, groups)
    fits = [_run(problem, settings, start, on_step) for start in _starts(problem)]
    # Of equally good fits, the one that starts from the votes.
    best = max(fits, key=lambda fit: fit.log_likelihood)
    if sample is patterns or best.stopped:
        return best
    whole = Stepwise.begin(patterns, best.model, settings)
    return replace(best, model=whole.maximise())


def _silence_says_much(patterns: Patterns) -> bool:
    """Tell whether programs that know one class each are missed where they are silent.

    They have to vote often, and mostly together: else nothing tells why they are.
    """
    answered = patterns.n_votes
    n_votes = answered.sum(axis=1)
    one_sided = answered.max(axis=1, initial=0) == n_votes
    covered = n_votes.mean() / max(patterns.counts.sum(), _TINY)
    if not one_sided.all():
        return False
    n_voters = np.count_nonzero(patterns.codes, axis=1)
    several, some = (patterns.counts[n_voters > least].sum() for least in (1, 0))
    return bool(covered >= _MISSED and several >= some / 2)


@dataclass(frozen=True)
class Stepwise:
    """A model between two chunks of votes that are too many to be kept.

    Parameters
    ----------
    model : VoteModel
        The model.

    problem : object
        How often each vote was given so far, and how the model is fitted.

    counted : tuple of ndarray
        Votes and rows by class so far.
    """

    model: VoteModel
    problem: "_Problem"
    counted: tuple[np.ndarray, np.ndarray]

    @classmethod
    def begin(
        cls, patterns: Patterns, model: VoteModel, settings: Settings
    ) -> "Stepwise":
        """Begin where a fit to all patterns has ended.

        Parameters
        ----------
        patterns : Patterns
            What was fitted.

        model : VoteModel
            The model.

        settings : Settings
            How it was fitted.

        Returns
        -------
        stepwise : Stepwise
            The model before the first further chunk.
        """
        nothing = _Problem.of(patterns.take(slice(0)), settings, model.groups)
        so_far = cls(model, nothing, nothing.count(nothing.expect(model)[0]))
        for place in chunks(len(patterns.codes)):
            so_far = so_far._count(patterns.take(place))
        return so_far

    def step(self, chunk: Patterns) -> "Stepwise":
        """Add one more chunk, every sample counting alike.

        Parameters
        ----------
        chunk : Patterns
            The votes of the chunk.

        Returns
        -------
        stepwise : Stepwise
            The model after the chunk.

        References
        ----------
        P. Liang and D. Klein, "Online EM for unsupervised models", NAACL 2009.
        """
        after = self
        for place in chunks(len(chunk.codes)):
            after = after._count(chunk.take(place))
        return replace(after, model=after.maximise())

    def maximise(self) -> VoteModel:
        """Fit the model to what was counted.

        Returns
        -------
        model : VoteModel
            The model.
        """
        model = self.problem.maximise(self.counted)
        return replace(model, shared=self.model.shared)

    def _count(self, chunk: Patterns) -> "Stepwise":
        """Count votes by class, as the model has the classes."""
        before = self.problem
        problem = _Problem.of(chunk, before.settings, before.groups)
        votes, rows = problem.count(problem.expect(self.model)[0])
        counted = (self.counted[0] + votes, self.counted[1] + rows)
        problem = replace(
            problem.without_rows(),
            total=before.total + problem.total,
            overlapping=before.overlapping + problem.overlapping,
            labelled=before.labelled + problem.labelled,
            by_level=before.by_level + problem.by_level,
        )
        return replace(self, problem=problem, counted=counted)


@dataclass(frozen=True)
class _Problem:
    """The votes to learn from, and what is believed of them beforehand."""

    votes: np.ndarray | csr_array  # of the rows that are learned from
    counts: np.ndarray
    levels: np.ndarray
    labels: np.ndarray
    total: np.ndarray  # number of rows behind each vote,
    overlapping: np.ndarray  # of those that are learned from,
    labelled: np.ndarray  # and of those with a label
    by_level: np.ndarray  # what there is besides, see count_levels
    meaning: np.ndarray  # which vote names which class
    shape: tuple[int, int, int]
    groups: tuple[np.ndarray, ...]
    settings: Settings

    @classmethod
    def of(
        cls, patterns: Patterns, settings: Settings, groups: Sequence[np.ndarray]
    ) -> "_Problem":
        """Split rows into those that are learned from and those that are not."""
        n_programs, n_answers = patterns.codes.shape[1], patterns.n_answers
        votes = vote_matrix(patterns.codes, n_answers, groups)
        levels = votes_level(np.asarray(votes.sum(axis=1)))
        learned = levels == 2
        if settings.abstain == "evidence":
            learned[:] = True
        learned |= patterns.is_labelled & (levels > 0)
        labels = patterns.labels
        meaning = np.tile(patterns.meaning[1:], (n_programs, 1))
        votes_for = votes @ meaning.astype(np.float64)
        by_level = count_levels(patterns.with_weighted_labels(1.0), votes_for)
        patterns = patterns.with_weighted_labels()
        from_learned = take_rows(votes, learned)
        known = patterns.counts * patterns.is_labelled
        weights = np.array([patterns.counts, patterns.counts * learned, known])
        totals = votes.T @ weights.T
        return cls(
            from_learned,
            patterns.counts[learned],
            levels[learned],
            np.full(learned.sum(), -1) if labels is None else labels[learned],
            totals[:, 0],
            totals[:, 1],
            totals[:, 2],
            by_level,
            meaning,
            (n_programs, n_answers - 1, patterns.n_classes),
            tuple(groups),
            settings,
        )

    @property
    def expected(self) -> np.ndarray:
        """What each vote says of the class before programs are known."""
        n_classes = self.shape[2]
        if n_classes == 1:
            return np.ones(self.meaning.shape)
        named = self.meaning.any(axis=1, keepdims=True)
        wrong = (1 - ACCURACY) / (n_classes - 1)
        return np.where(named, np.where(self.meaning, ACCURACY, wrong), 1 / n_classes)

    @property
    def alone(self) -> np.ndarray:
        """Number of votes that are worth what is expected of them, and no more.

        What the vote of a program that only ever votes one class is worth where it
        stands alone, no comparison tells, but labels do. As much of that counts as
        there is to be learned from.
        """
        by_program = self.total.reshape(self.shape[:2])
        one_sided = by_program == by_program.sum(axis=1, keepdims=True)
        alone = np.minimum(self.total - self.overlapping, self.overlapping)
        alone = np.maximum(alone - self.labelled, 0.0)
        return np.where(one_sided.ravel(), alone, 0.0)

    def without_rows(self) -> "_Problem":
        """Keep the totals only."""
        none = slice(0)
        return replace(
            self,
            votes=self.votes[none],
            counts=self.counts[none],
            levels=self.levels[none],
            labels=self.labels[none],
        )

    def count(self, proba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count votes and rows by class."""
        weighted = proba * self.counts[:, None]
        return self.votes.T @ weighted, weighted.sum(axis=0)

    def maximise(self, counted: tuple[np.ndarray, np.ndarray]) -> VoteModel:
        """Say what each vote tells, and how frequent classes are (M-step)."""
        strength = (STRENGTH + self.alone) * (self.total > 0)
        by_class = counted[0] + strength[:, None] * self.expected
        if self.settings.one_coin:
            by_class = self._one_coin(by_class)
        if self.settings.abstain == "evidence":
            return self._with_silence(by_class, counted[1])
        precision = by_class + _TINY
        precision /= precision.sum(axis=1, keepdims=True)
        # The share of each class among the votes.
        weights = self.overlapping + self.alone
        share = (weights if weights.any() else self.total) @ precision + _TINY
        share /= share.sum()
        several = counted[1] + CLASS_STRENGTH * share
        several /= several.sum()
        log_prior = np.log([silent_prior(self.by_level, several), share, several])
        evidence = np.log(precision) - log_prior[1]
        if self.settings.class_prior is not None:
            log_prior = np.tile(np.log(self.settings.class_prior), (3, 1))
        # Without any company, a vote is worth what is expected of it.
        apart = self.overlapping == 0
        evidence[apart] = np.log(precision[apart]) - log_prior[1]
        evidence[self.total == 0] = 0
        return VoteModel(evidence.reshape(self.shape), log_prior, groups=self.groups)

    def _one_coin(self, by_class: np.ndarray) -> np.ndarray:
        """Give all votes of a program one accuracy, and all its errors one share."""
        n_programs, n_votes, n_classes = self.shape
        totals = by_class.sum(axis=1)
        named = np.asarray(self.meaning.sum(axis=1)) > 0
        by_program = (n_programs, n_votes)
        right = np.where(self.meaning, by_class, 0).sum(axis=1).reshape(by_program)
        voted = (totals * named).reshape(by_program).sum(axis=1)
        accuracy = np.full(n_programs, ACCURACY)
        np.divide(right.sum(axis=1), voted, out=accuracy, where=voted > 0)
        accuracy = np.repeat(accuracy, n_votes)[:, None]
        wrong = (1 - accuracy) / max(n_classes - 1, 1)
        shares = np.where(self.meaning, accuracy, wrong)
        by_coin = totals[:, None] * shares
        by_coin[~named] = by_class[~named]
        return by_coin

    def _with_silence(self, by_class: np.ndarray, rows: np.ndarray) -> VoteModel:
        """Let a program that falls silent say what it does not vote."""
        n_votes = self.shape[1]
        prior = rows + self.total @ self.expected / max(self.total.sum(), 1)
        shares = (by_class + _TINY) / (prior + STRENGTH)
        voted = shares.reshape(self.shape).sum(axis=1)
        silent = np.log(np.maximum(1 - voted, 1e-3))
        evidence = np.log(shares) - np.repeat(silent, n_votes, axis=0)
        evidence[self.total == 0] = 0
        log_prior = np.log((prior + _TINY) / (prior + _TINY).sum())
        if self.settings.class_prior is not None:
            log_prior = np.log(self.settings.class_prior)
        log_prior = log_prior + silent.sum(axis=0)
        log_prior -= logsumexp(log_prior)
        return VoteModel(
            evidence.reshape(self.shape), np.tile(log_prior, (3, 1)), groups=self.groups
        )

    def expect(self, model: VoteModel) -> tuple[np.ndarray, float]:
        """Give each row its class probabilities, and the log-likelihood (E-step)."""
        logits = self.votes @ model.evidence.reshape(-1, self.shape[2])
        # As a rule all rows have several votes.
        one_level = (self.levels == 2).all()
        logits += model.log_prior[2 if one_level else self.levels]
        known = np.greater_equal(self.labels, 0)
        if known.any():
            other = np.not_equal(self.labels[:, None], np.arange(self.shape[2]))
            logits[np.logical_and(known[:, None], other)] = -np.inf
        proba, total = normalise(logits)
        log_likelihood = self.counts @ total / max(self.counts.sum(), _TINY)
        return proba, float(log_likelihood)


def _starts(problem: _Problem) -> list[np.ndarray]:
    """Return class probabilities to start from: votes, and labels if there are any."""
    proba = problem.votes @ problem.meaning.astype(np.float64) + _TIE
    proba /= proba.sum(axis=1, keepdims=True)
    known = problem.labels >= 0
    if not known.any():
        return [proba]
    proba[known] = problem.labels[known, None] == np.arange(problem.shape[2])
    # As many labelled samples as there are samples, so that no prior outweighs them.
    labelled = np.where(known, problem.counts, 0.0)
    labelled *= problem.counts.sum() / labelled.sum()
    only = replace(problem, counts=labelled)
    from_labels, _ = problem.expect(only.maximise(only.count(proba)))
    return [proba, from_labels]


def _run(
    problem: _Problem, settings: Settings, proba: np.ndarray, on_step: OnStep
) -> Fit:
    """Alternate the two steps until no probability changes much."""
    for n_iter in itertools.count(1):
        model = problem.maximise(problem.count(proba))
        stopped = on_step(model)
        after, log_likelihood = problem.expect(model)
        change = float(np.abs(after - proba).max(initial=0.0))
        converged = change < settings.tol
        if converged or stopped or n_iter == settings.max_iter:
            ended = (n_iter, change, converged, stopped)
            return Fit(model, settings, log_likelihood, *ended)
        proba = after
    raise AssertionError("unreachable")
