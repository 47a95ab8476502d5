"""Fit what combines votes: choose a method, fall back, and describe the programs."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._utils import LabelsLike, warn
from ..data import Classes
from ..exceptions import FallbackWarning, LabelsWarning
from ..votes import ABSTAIN, encode_answers, vote_dtype
from ._calibration import fit_temperature
from ._dependencies import check_groups, find_all_groups
from ._difficulty import find_shared_errors
from ._em import Settings, Stepwise, fit_votes
from ._fallback import fallback_reason, sparse_confusion_reason
from ._intervals import VoteBounds
from ._model import VoteModel
from ._patterns import Patterns
from ._program_accuracy import accuracies_of, program_confusion
from ._training_rows import Rows
from ._vote_classes import (
    answers_of_votes,
    check_class_indices,
    check_class_prior,
    check_confusion_size,
    class_of_answers,
    classes_of_votes,
)
from ._voting import MajorityVote, count_votes, fit_voting_rule, vote_share_prior

MAX_PATTERNS = 1 << 18
"""Up to so many different rows of votes, partial_fit starts again from all of them."""

ITERATED = ("dawid_skene", "one_coin")
"""The methods that are fitted by expectation maximisation."""

_logger = logging.getLogger("sklearn_alchemist.label_model")

# Of more different rows of votes, so many samples are drawn and fitted. Judged by
# benchmarks/label_models.py --speed 1000000, at this value only.
_MAX_FITTED = 1 << 18
# How strongly few labels are held near the temperature 1:
# benchmarks/label_constants.py.
_TEMPERATURE_STRENGTH = 8.0
# What to do where the model is not to be trusted; within an annotator, in the words of
# its own parameters.
_ADVICE = {
    False: "Label some samples at random and set semi_supervised, or say which "
    "programs depend on each other in program_groups, or set guard=False if the model "
    "is right.",
    True: "Label some records at random and set learn_from_labels=True; or pass "
    "aggregator=LabelModelAggregator(...) with program_groups=[...], where programs "
    "depend on each other, or with guard=False if the model is right.",
}


def can_keep(rows: Rows) -> bool:
    """Tell whether different rows of votes are few enough to be kept.

    Parameters
    ----------
    rows : Rows
        Different rows.

    Returns
    -------
    can_keep : bool
        Whether they are at most `MAX_PATTERNS`.
    """
    return len(rows.votes) <= MAX_PATTERNS


class AggregatorFitMixin:
    """Fit the parameters of `LabelModelAggregator` to rows of votes."""

    method: str
    classes: Iterable[Any] | None
    class_prior: str | Mapping[Any, float] | ArrayLike
    abstain: str
    dependencies: str
    program_groups: Sequence[Sequence[str | int]] | None
    semi_supervised: bool
    temperature: float | str
    guard: bool
    random_state: int | np.random.RandomState | None
    max_iter: int
    tol: float

    n_features_in_: int
    _in_annotator: bool = False
    _init_callback_context: Any
    _classes: Classes | None
    _model: VoteModel | MajorityVote
    _seen: Rows | None
    _bounds: VoteBounds | None
    _running: Stepwise
    _settings: Settings

    @cached_property
    def accuracy_interval_(self) -> np.ndarray:
        """Lowest and highest accuracy of each program that votes allow."""
        bounds, seen = getattr(self, "_bounds", None), getattr(self, "_seen", None)
        if bounds is None and seen is not None:
            bounds = VoteBounds.count(self._encode(seen))
        if bounds is None:
            raise AttributeError(
                f"This {type(self).__name__} has no accuracy_interval_: it is not "
                "fitted, or an earlier version fitted it."
            )
        return bounds.intervals()

    def _learns(self) -> bool:
        """Tell whether labels are learned from."""
        return self.semi_supervised or self.temperature == "estimate"

    def _warn_of_origins(self, rows: Rows, label_proba: Any) -> None:
        """Tell once a call that labels of unknown origin do not judge programs."""
        n_labels = int(rows.is_labelled.sum())
        if label_proba is not None or not self.semi_supervised or not n_labels:
            return
        warn(
            "Nothing tells how the labels in y were chosen, so they do not say how "
            f"accurate programs are: of {self.label_use_['given']:g} labels, "
            f"{self.label_use_['accuracies']:g} do, and the temperature is fitted to "
            f"{self.label_use_['temperature']:g}. Pass label_proba, the probability "
            "with which each was asked for: 1 for a plain random sample.",
            LabelsWarning,
        )

    def _fit_rows(
        self,
        rows: Rows,
        classes: Classes | None,
        X: ArrayLike,
        y: LabelsLike | None,
    ) -> None:
        """Fit the method to different rows of votes."""
        names, answers = self._resolve_classes(rows.votes, classes)
        check_confusion_size(rows.votes.shape[1], len(names), len(answers))
        groups = self._given_groups()
        class_prior = check_class_prior(self.class_prior, names)
        self._check_temperature(rows)
        self.classes_, self.answers_ = names, answers
        seed = check_random_state(self.random_state)
        self._seed = int(seed.randint(np.iinfo(np.int32).max))
        patterns = self._encode(rows).sample(_MAX_FITTED)
        task = self._init_callback_context(max_subtasks=None)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        self.method_ = self.method
        self.fallback_reason_: str | None = None
        if self.method in ITERATED:
            self._settings = Settings(
                one_coin=self.method == "one_coin",
                abstain=self.abstain,
                class_prior=class_prior,
                groups=groups,
                max_iter=self.max_iter,
                tol=self.tol,
            )
            self._run(patterns, task, X, y)
        else:
            self._vote(patterns, class_prior)
        self._describe(patterns, class_prior)
        # Rows that are not kept are counted now, others when intervals are asked for.
        self._bounds = None if can_keep(rows) else VoteBounds.count(patterns)
        self.__dict__.pop("accuracy_interval_", None)
        self._n_samples = rows.counts.sum()
        self.temperature_ = self._find_temperature(rows)
        self.label_use_ = self._count_labels(rows)
        task.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes={}
        )

    def _known_classes(
        self, classes: Iterable[Any] | None, *, first: bool
    ) -> Classes | None:
        """Return the classes of earlier chunks, or those that are listed."""
        listed = [Classes.listed(c) for c in (self.classes, classes) if c is not None]
        known = None if first else self._classes
        for other in listed:
            if known is None and not first:
                raise ValueError(
                    "classes come with a later chunk, and what the votes before it "
                    "stand for is not known: pass them in the first call of "
                    "partial_fit."
                )
            if known is not None and not np.array_equal(known.names, other.names):
                raise ValueError(
                    f"classes={other.names.tolist()} is not the same as before, "
                    f"{known.names.tolist()}: leave it out, or use another "
                    "LabelModelAggregator."
                )
            known = other
        return known

    def _resolve_classes(
        self, votes: np.ndarray, classes: Classes | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the names of the classes, and the answers."""
        names = classes_of_votes(votes) if classes is None else classes.names
        if self.classes is None:
            return names, answers_of_votes(votes)
        check_class_indices(votes, len(names))
        return names, np.arange(ABSTAIN, len(names), dtype=vote_dtype(len(names)))

    def _given_groups(self) -> list[np.ndarray] | None:
        """Return the groups that the user asks for; None if they are searched for."""
        if self.program_groups is None:
            return None if self.dependencies == "auto" else []
        names = getattr(self, "feature_names_in_", None)
        return check_groups(self.program_groups, self.n_features_in_, names)

    def _vote(
        self,
        patterns: Patterns,
        class_prior: np.ndarray | None,
        groups: Sequence[np.ndarray] | None = (),
    ) -> None:
        """Set what was learned by counting votes."""
        self._model = fit_voting_rule(
            patterns,
            weighted={"weighted_vote": True, "majority_vote": False}[self.method_],
            class_prior=class_prior,
            groups=tuple(find_all_groups(patterns) if groups is None else groups),
        )
        self.n_iter_, self.converged_ = 1, True
        self.log_likelihood_ = np.nan

    def _run(
        self, patterns: Patterns, task: Any, X: ArrayLike, y: LabelsLike | None
    ) -> None:
        """Set what was learned by expectation maximisation, or by its fallback."""

        def on_step(model: VoteModel) -> bool:
            step = task.subcontext(task_name="em-step")
            step.call_on_fit_task_begin(estimator=self, X=X, y=y)
            # Set in each step, so that callbacks meet an estimator that can predict.
            self._model, self.class_prior_ = model, np.exp(model.log_prior[2])
            return bool(
                step.call_on_fit_task_end(
                    estimator=self, X=X, y=y, reconstruction_attributes={}
                )
            )

        self.temperature_ = 1.0
        if self.method_ == "dawid_skene":
            self.fallback_reason_ = sparse_confusion_reason(patterns)
        if self.fallback_reason_ is not None:
            _logger.info("fallback from Dawid-Skene: %s", self.fallback_reason_)
        if self.fallback_reason_ is not None and patterns.labels is None:
            self.method_ = "weighted_vote"
            self._vote(patterns, self._settings.class_prior, self._settings.groups)
            return
        if self.fallback_reason_ is not None:
            self.method_ = "one_coin"
            self._settings = replace(self._settings, one_coin=True)
        fit = fit_votes(patterns, self._settings, on_step)
        self._model, self._settings = fit.model, fit.settings
        self.n_iter_, self.converged_ = fit.n_iter, fit.converged
        self.log_likelihood_ = fit.log_likelihood
        if not (fit.converged or fit.stopped):
            warn(
                f"The fit did not converge in max_iter={self.max_iter} steps; the last "
                f"one still moved a probability by {fit.change:.2g}. Increase "
                "max_iter"
                f"{' of the aggregator' if self._in_annotator else ''}, or tol if that "
                "is close enough.",
                ConvergenceWarning,
            )
        reason = None
        if self.guard and not fit.stopped and patterns.labels is None:
            reason = fallback_reason(patterns, fit.model)
        if reason is not None:
            self.method_, self.fallback_reason_ = "majority_vote", reason
            _logger.info("fallback to the majority vote: %s", reason)
            warn(
                f"{reason} So method='majority_vote' is used instead of "
                f"{self.method!r}. {_ADVICE[self._in_annotator]}",
                FallbackWarning,
            )
            self._vote(patterns, self._settings.class_prior)
        elif not fit.stopped:
            shared = find_shared_errors(patterns, fit.model)
            self._model = replace(fit.model, shared=shared)

    def _describe(self, patterns: Patterns, class_prior: np.ndarray | None) -> None:
        """Set the attributes that say what programs do."""
        self.groups_ = list(self._model.groups)
        proba = self._model.posterior(patterns.codes, levels=patterns.levels)
        self.confusion_, prior = program_confusion(patterns, proba)
        self.class_prior_ = prior if class_prior is None else class_prior
        if class_prior is None and self.method_ not in ITERATED:
            votes_for = count_votes(patterns.codes, patterns.meaning)
            self.class_prior_ = vote_share_prior(votes_for, patterns.counts)
        self.accuracies_ = accuracies_of(
            self.confusion_, self.class_prior_, patterns.meaning
        )

    def _check_temperature(self, rows: Rows) -> None:
        """Raise if labels are to tell the temperature and there are none."""
        if self.temperature == "estimate" and not rows.is_labelled.any():
            raise ValueError(
                'temperature="estimate" needs labels in y, and there are none. Pass '
                "some, or set temperature to a number."
            )

    def _find_temperature(self, rows: Rows) -> float:
        """Return the temperature that is given, or fits the labels."""
        if not isinstance(self.temperature, str):
            return float(self.temperature)
        known = rows.is_labelled
        codes = encode_answers(rows.votes[known], self.answers_)
        weight = (rows.weights() * rows.counts)[known]
        return fit_temperature(
            self._model.posterior(
                codes, levels=None if rows.levels is None else rows.levels[known]
            ),
            rows.label_codes[known],
            weight,
            strength=_TEMPERATURE_STRENGTH,
            prior=self._model.prior(codes),
        )

    def _count_labels(self, rows: Rows) -> dict[str, int | float]:
        """Count what the labels are used for."""
        given = rows.counts[rows.is_labelled].sum()
        learns = self.semi_supervised and self.method_ in ITERATED
        sampled = rows.counts[rows.is_sampled].sum() if learns else 0
        fitted = given if self.temperature == "estimate" else 0
        totals = {"given": given, "accuracies": sampled, "temperature": fitted}
        return {
            use: int(total) if total == int(total) else float(total)
            for use, total in totals.items()
        }

    def _encode(self, rows: Rows) -> Patterns:
        """Return votes as positions in `answers_`; unknown ones as n_answers."""
        learns = self.semi_supervised
        rows = rows.with_sampled_labels() if learns else rows.without_labels()
        return Patterns(
            encode_answers(rows.votes, self.answers_),
            rows.counts,
            class_of_answers(self.answers_, len(self.classes_)),
            rows.labels,
            None if rows.labels is None else rows.weights(),
            rows.levels,
        )

    def _start_steps(self, rows: Rows) -> None:
        """Go over from fitting all patterns again to one step for each chunk."""
        if isinstance(self._model, VoteModel):
            patterns = self._encode(rows)
            self._running = Stepwise.begin(patterns, self._model, self._settings)
        self._seen = None  # the rows are not needed any more

    def _step(self, rows: Rows) -> None:
        """Learn from one more chunk by one step of stepwise EM."""
        if self.classes is not None:
            check_class_indices(rows.votes, len(self.classes_))
        chunk = self._encode(rows)
        self._running = self._running.step(chunk)
        self._model = self._running.model
        new = self._count_labels(rows) | {"temperature": 0}
        self.label_use_ = {use: n + new[use] for use, n in self.label_use_.items()}
        before = self.confusion_, self.class_prior_
        self._describe(chunk, self._settings.class_prior)
        total = self._n_samples + chunk.counts.sum()
        share = self._n_samples / total
        self.confusion_ = share * before[0] + (1 - share) * self.confusion_
        self.class_prior_ = share * before[1] + (1 - share) * self.class_prior_
        self.accuracies_ = accuracies_of(
            self.confusion_, self.class_prior_, chunk.meaning
        )
        bounds = getattr(self, "_bounds", None)  # earlier pickles have none
        if bounds is not None:
            self._bounds = bounds + VoteBounds.count(chunk)
            self.__dict__.pop("accuracy_interval_", None)
        self._n_samples = total
        self.n_iter_ += 1
