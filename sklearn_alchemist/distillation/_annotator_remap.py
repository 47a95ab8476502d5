"""Let a fitted annotator follow a change of the classes."""

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._utils import LabelsLike
from ..data import Classes, ClassMapping, ProbaClassifierMixin
from ..label_model._remapped import (
    RemappedAggregator,
    StaysFitted,
    remap_parameters,
    remap_voter,
)
from ..synthesis import N_PER_NEW_CLASS
from ._annotate import Opinions
from ._distil import probabilities
from ._scaling import Scaling
from ._training_state import TrainingState


class RemappedStudent(ProbaClassifierMixin, StaysFitted):
    """Probabilities of a fitted student, for the classes of now.

    Parameters
    ----------
    estimator : classifier
        Fitted on classes of before.

    change : ClassMapping
        What became of each class.

    scaling : Scaling
        Brings the student's probabilities to the scale of the votes.

    prior : ndarray of shape (n_classes_before,)
        Probability of each class of before.
    """

    def __init__(
        self, estimator: Any, change: ClassMapping, scaling: Scaling, prior: np.ndarray
    ) -> None:
        self.estimator = estimator
        self.change = change
        self.scaling = scaling
        self.prior = prior

    def predict_proba(self, X: Any) -> np.ndarray:
        """Add up the probabilities of classes that were merged."""
        said = probabilities(self.estimator, X, self.change.before.names)
        return self.change.map_proba(self.scaling(said), self.prior)


class AnnotatorRemapMixin:
    """What an annotator of programs does when its classes change."""

    # What the annotator was given and has learned.
    aggregator: Any
    learn_from_labels: bool
    predict_with: str
    vote_weight: float | str
    class_weight: Any
    classes_: np.ndarray
    labeler_: Any
    aggregator_: Any
    estimator_: Any
    class_prior_: np.ndarray
    scaling_: Scaling
    vote_weight_: np.ndarray
    shift_: np.ndarray
    fit: Callable[..., Any]
    get_params: Callable[..., dict[str, Any]]
    _training_state: TrainingState
    _held_out: np.ndarray
    _before: tuple[Any, ClassMapping]

    def remap(
        self,
        mapping: Mapping[Any, Any],
        X: Any = None,
        y: LabelsLike | None = None,
        *,
        label_proba: ArrayLike | float | None = None,
        n_programs: int = N_PER_NEW_CLASS,
    ) -> Self:
        """Follow a change of the classes, without starting anew.

        Renamed, merged and removed classes cost nothing, and nothing is fitted again:
        probabilities of merged classes are added up, and those of classes that are gone
        are shared out among the others. A class that is divided or added asks the model
        of the labeler only for programs that tell its parts apart or find it, see
        ``labeler_.estimate_cost(mapping=...)``; label model and student then learn from
        `X`.

        Parameters
        ----------
        mapping : dict
            Class -> its new name, another class with which it is merged, a list of
            classes between which it is divided (or a dict of these to descriptions), or
            None if there is no such class any more. The key None lists added classes.
            Classes that are not mapped stay.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features), \
                default=None
            Records to learn from, where a class is divided or added.

        y : array-like of shape (n_samples,), default=None
            Labels of `X` in the classes of now, used as in ``fit``.

        label_proba : array-like of shape (n_samples,) or float, default=None
            Probability with which each label was asked for, see ``fit``.

        n_programs : int, default=3
            Programs to ask for, for each class that is divided or added.

        Returns
        -------
        annotator : DistilledAnnotator
            A new one, fitted; this one stays as it is. Labels of training records that
            it learned from are kept, ``update`` takes labels in the classes of now, and
            clones of it ask for nothing.

        Raises
        ------
        ValueError, TypeError
            If `mapping` names no class, goes round in a circle, leaves fewer than two
            classes or no program, or needs a model or records that are not there.

        LLMError, SynthesisError
            If the model cannot be asked, or writes nothing usable.

        Examples
        --------
        >>> from sklearn_alchemist import (
        ...     DistilledAnnotator, LabelingProgram, ProgramSynthesisLabeler
        ... )
        >>> source = "def label(text): return 'ad' if 'http' in text else 'talk'"
        >>> labeler = ProgramSynthesisLabeler(
        ...     classes=["ad", "talk"], programs=[LabelingProgram("link", source)]
        ... )
        >>> texts = ["http://a.example", "what a song", "song of mine", "free http"]
        >>> annotator = DistilledAnnotator(labeler).fit(texts)
        >>> annotator.remap({"ad": "unwanted"}).predict(["free http"])
        array(['unwanted'], dtype='<U8')
        """
        check_is_fitted(self)
        describe = getattr(self.labeler_, "_described", None)
        listed = Classes.of_names(self.classes_) if describe is None else describe()
        change = ClassMapping.read(mapping, listed)
        if change.is_free:
            voter = remap_voter(self.labeler_, mapping, change)
            return self._remap_fitted(change, voter)
        if X is None or (self.learn_from_labels and y is None):
            lacking = "X, the records" if X is None else "y, the labels"
            raise ValueError(
                "a class is divided or added, which label model and student have to "
                f"learn: pass {lacking} to learn from."
            )
        voter = remap_voter(self.labeler_, mapping, change, X, n_programs)
        remapped = self._with_parameters(change, voter)
        return remapped.fit(X, y, label_proba=label_proba)

    def _with_parameters(self, change: ClassMapping, voter: Any) -> Self:
        """Copy what the user set, in classes of now."""
        return type(self)(
            **{
                **self.get_params(deep=False),
                "labeler": clone(voter),
                "aggregator": remap_parameters(self.aggregator, change),
                "class_weight": remap_weights(
                    self.class_weight, change, self.class_prior_
                ),
            }
        )

    def _remap_fitted(self, change: ClassMapping, voter: Any) -> Self:
        """Let what is fitted speak of classes of now."""
        remapped = self._with_parameters(change, voter)
        own, prior = remapped.get_params(deep=False), self.class_prior_
        for name, value in vars(self).items():
            if name not in own:
                setattr(remapped, name, value)
        # Who is asked, since sums over classes of before are no sums of their votes.
        before = getattr(self, "_before", None)
        if before is None:
            older = copy(self)
            for name in ("_training_state", "_held_out"):
                older.__dict__.pop(name, None)
            before = (older, change)
        else:
            before = (before[0], before[1].then(change))
        remapped._before = before
        remapped.classes_ = change.after.names
        remapped.labeler_ = voter
        remapped.aggregator_ = RemappedAggregator(self.aggregator_, change)
        remapped.estimator_ = RemappedStudent(
            self.estimator_, change, self.scaling_, prior
        )
        remapped.class_prior_ = change.map_proba(prior[np.newaxis], prior)[0]
        remapped.scaling_ = Scaling(1.0, np.zeros(len(change.after)))
        remapped.vote_weight_ = change.map_values(self.vote_weight_, prior)
        remapped.shift_ = change.map_values(self.shift_, prior)
        if hasattr(self, "_training_state"):
            said = self._training_state.said
            said = None if said is None else self.scaling_(said)
            remapped._training_state = self._training_state.remap(change, prior, said)
        if hasattr(self, "_held_out"):
            remapped._held_out = change.map_proba(self._held_out, prior)
        return remapped

    def _older_opinions(self, X: Any, *, ask_all: bool) -> Opinions:
        """Ask who was fitted on classes of before, and say it for those of now."""
        older, change = copy(self._before[0]), self._before[1]
        older.predict_with, older.vote_weight = self.predict_with, self.vote_weight
        said = older._opinions(X, ask_all=ask_all)

        def mapped(proba: Any) -> Any:
            if proba is None:
                return None
            return change.map_proba(proba, older.class_prior_)

        return Opinions(
            mapped(said.proba),
            mapped(said.student),
            mapped(said.from_votes),
            None if said.votes is None else change.map_codes(said.votes),
        )


def remap_weights(weights: Any, change: ClassMapping, prior: np.ndarray) -> Any:
    """Give classes of now the weights of those that they come from.

    Parameters
    ----------
    weights : dict, str or None
        Class of before -> weight.

    change : ClassMapping
        What became of each class.

    prior : ndarray of shape (n_classes_before,)
        How much each counts where classes are merged.

    Returns
    -------
    weights : dict, str or None
        Class of now -> weight.
    """
    if not isinstance(weights, Mapping):
        return weights
    values = np.array([weights.get(n, 1.0) for n in change.before.names.tolist()])
    now = change.map_values(values.astype(float), prior).tolist()
    return dict(zip(change.after.names.tolist(), now, strict=True))
