"""Let people see what an annotator is unsure of, and let it learn what they say."""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted

from .._utils import LabelsLike, warn
from ..data import UNLABELED, Classes, Records
from ..exceptions import FallbackWarning, LabelsWarning
from ..label_model import check_label_proba
from ..llm import Usage
from ..streaming import lazy_for_dask
from ._annotate import Opinions, annotate_records, error_bound_by_labels
from ._annotator_fit import make_aggregator, program_names
from ._annotator_metadata import label_proba_for
from ._held_out_weights import ask_votes_unseen, weigh_parts
from ._llm_labels import add_model_labels, ask_about_sample
from ._review_queue import draw_queue, to_frame
from ._scaling import Scaling
from ._training_state import TrainingState

_logger = logging.getLogger("sklearn_alchemist.distillation")


class AnnotatorReviewMixin:
    """What people do with an annotator: read, doubt and correct labels."""

    # What the annotator was given, has learned and can do.
    aggregator: Any
    predict_with: str
    vote_weight: float | str
    n_llm_labels: int
    random_state: Any
    classes_: np.ndarray
    labeler_: Any
    aggregator_: Any
    class_prior_: np.ndarray
    scaling_: Scaling
    vote_weight_: np.ndarray
    shift_: np.ndarray
    temperatures_: dict[str, float]
    label_use_: dict[str, int | float]
    llm_usage_: Usage
    _training_state: TrainingState
    _held_out: np.ndarray
    _opinions: Callable[..., Opinions]

    def annotate_batches(
        self, batches: Iterable[Any], **parameters: Any
    ) -> Iterator[Any]:
        """Label more records than state holds.

        Parameters
        ----------
        batches : iterable of array-like
            Each what `annotate` takes. A batch is read when its labels are asked for.

        **parameters : dict
            Those of `annotate` but labels.

        Returns
        -------
        annotations : iterator of Bunch or DataFrame
            What `annotate` gives for each batch, in order.

        See Also
        --------
        streaming.label_files : Label files, and go on after an interruption.
        """
        check_is_fitted(self)
        return (self.annotate(batch, **parameters) for batch in batches)

    @lazy_for_dask
    def annotate(
        self,
        X: Any,
        y: LabelsLike | None = None,
        *,
        label_proba: ArrayLike | float | None = None,
        as_frame: bool = False,
        flag_below: float = 0.7,
        target_error: float | None = None,
        confidence: float = 0.9,
    ) -> Any:
        """Label records and show where the labels come from.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        y : array-like of shape (n_samples,), default=None
            Labels that are known, the others missing. They are returned as they are.

        label_proba : array-like of shape (n_samples,) or float, default=None
            Probability with which each label in `y` was asked for, as in ``fit``. With
            it, they tell how often labels are wrong; ``fit`` must not know them.

        as_frame : bool, default=False
            Whether to return a pandas DataFrame, with the index of `X` if it has one.

        flag_below : float, default=0.7
            Labels that are less probable are flagged.

        target_error : float, default=None
            If given, those labels are flagged without which at most this share of the
            rest is wrong. At least 100 labels are needed of which `label_proba` tells
            how they were drawn, here or in ``fit`` or ``update``; labels of unequal
            chance are thinned to a plain random sample. Where it cannot be promised, a
            warning says why and nothing is flagged on that ground.

        confidence : float, default=0.9
            Probability with which the promise of `target_error` is kept, by an exact
            binomial bound.

        Returns
        -------
        annotation : Bunch or DataFrame
            ``label``: ndarray of shape (n_samples,), the most probable class.

            ``confidence``: ndarray of shape (n_samples,), its probability.

            ``source``: ndarray of shape (n_samples,) of str, from whom the label comes:
            "gold" if it was given, "votes", "student", or "both" if they agree; of
            records on which no program votes, "student".

            ``flag``: ndarray of shape (n_samples,) of bool, whether a person should
            look: no program votes, student and votes disagree, or the label is less
            probable than `flag_below`; with a promise of `target_error`, whether it is
            less probable than the promise needs.

            ``doubt``: ndarray of shape (n_samples,) of str, which of these it is.

            ``proba``, ``student_proba``, ``votes_proba``: ndarrays of shape (n_samples,
            n_classes), what `predict_proba` gives, what the student says and what the
            votes say. Not in a DataFrame.

            ``votes``: ndarray of shape (n_samples, n_programs), what the programs say,
            as indices into ``classes_``, -1 where one abstains. In a DataFrame one
            column a program, with classes, missing where it abstains.

            ``programs``: ndarray of shape (n_programs,), their names. In a DataFrame
            the names of the columns.

            ``promise``: None without `target_error`, else what can be promised: its
            ``threshold`` of the confidence (None where there is none), ``bound`` of the
            share of wrong labels, ``n_labels`` and ``reason``. Not in a DataFrame.

        Warns
        -----
        LabelsWarning
            If `target_error` cannot be promised.
        """
        for name, value in (("target_error", target_error), ("confidence", confidence)):
            if value is not None and not 0 < value < 1:
                raise ValueError(f"{name} must be between 0 and 1, got {value!r}.")
        said = self._opinions(X, ask_all=True)
        gold = np.full(len(said.proba), UNLABELED)
        if y is not None:
            gold = Classes.of_names(self.classes_).encode(y, n_samples=len(gold))
        promise = None
        if target_error is not None:
            promise = error_bound_by_labels(
                said.proba,
                gold,
                check_label_proba(label_proba, gold != UNLABELED),
                getattr(self, "_training_state", None),
                getattr(self, "_held_out", None),
                self._random(),
                target_error=target_error,
                confidence=confidence,
            )
            if promise.threshold is None:
                warn(
                    f"An error of at most {target_error:.1%} cannot be promised: "
                    f"{promise.reason}. Nothing is flagged on that ground.",
                    LabelsWarning,
                )
        annotation = annotate_records(
            said, self.classes_, gold, flag_below=flag_below, promise=promise
        )
        annotation["programs"] = self._program_names(said.votes.shape[1])
        return to_frame(annotation, self.classes_, X) if as_frame else annotation

    def review_queue(
        self,
        X: Any,
        n: int = 50,
        *,
        return_proba: bool = False,
        random_state: Any = None,
    ) -> Any:
        """Pick the records whose gold label would help most.

        Every record has a chance. It is higher for records of which the annotator is
        not sure and on which student and votes differ, and spread over the different
        rows of votes. Only with the probabilities can it be told afterwards how
        accurate programs are on the whole, rather than on what is hard for them.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        n : int, default=50
            Number of records, not negative.

        return_proba : bool, default=False
            Whether to return the probabilities, too.

        random_state : int, RandomState instance or None, default=None
            Where the randomness comes from; an int gives the same records again.

        Returns
        -------
        positions : ndarray of int of shape (min(n, n_samples),)
            Where they are in `X`, in random order: who stops early has labelled a
            smaller sample of the same kind. Give their labels back in y, with
            ``learn_from_labels=True`` and the others missing.

        label_proba : ndarray of shape (min(n, n_samples),)
            Probability with which each was picked, for the `label_proba` of ``fit``.
            Only if `return_proba` is True.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.base import clone
        >>> from sklearn_alchemist import (
        ...     DistilledAnnotator, LabelingProgram, ProgramSynthesisLabeler
        ... )
        >>> link = LabelingProgram("link", "def label(text): return 'http' in text")
        >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[link])
        >>> texts = ["http://a free", "what a song", "song of mine", "free http"]
        >>> annotator = DistilledAnnotator(labeler).fit(texts)
        >>> queue, chance = annotator.review_queue(texts, 2, return_proba=True)
        >>> y, label_proba = np.full(4, None), np.full(4, np.nan)
        >>> y[queue], label_proba[queue] = ["free" in texts[i] for i in queue], chance
        >>> learning = clone(annotator).set_params(learn_from_labels=True)
        >>> learning.fit(texts, y, label_proba=label_proba).label_use_["accuracies"]
        2
        """
        check_scalar(n, "n", Integral, min_val=0)
        positions, label_proba = draw_queue(
            *self._opinions(X, ask_all=True), n, random_state
        )
        return (positions, label_proba) if return_proba else positions

    def update(
        self, y: LabelsLike, *, label_proba: ArrayLike | float | None = None
    ) -> Self:
        """Learn from labels of the training records, in seconds.

        What programs say of the records is kept from ``fit``, so that nothing is paid,
        run or counted again: the labels serve the weight of votes and student, a shift
        for each class and the temperature, and those of which `label_proba` tells how
        they were drawn also tell how accurate programs are. The student stays as it is;
        ``fit`` teaches it labels, too.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels of the records of ``fit``, in their order, the others missing. They
            are added to those that were learned before, and replace them where both
            are given.

        label_proba : array-like of shape (n_samples,) or float, default=None
            Probability with which each label was asked for; see ``fit``.

        Returns
        -------
        self : DistilledAnnotator
            The updated annotator.

        Raises
        ------
        ValueError
            If `y` holds no label, what is no class, or other than a label or a gap for
            each record of ``fit``.

        Examples
        --------
        >>> from sklearn_alchemist import (
        ...     DistilledAnnotator, LabelingProgram, ProgramSynthesisLabeler
        ... )
        >>> program = LabelingProgram("link", "def label(text): return 'http' in text")
        >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
        >>> texts = ["http://a.example", "what a song", "song of mine", "free http"]
        >>> annotator = DistilledAnnotator(labeler).fit(texts)
        >>> annotator.update([True, None, False, None], label_proba=1.0).label_use_
        {'given': 2, 'accuracies': 2, 'student': 0, 'temperature': 0}
        """
        check_is_fitted(self)
        if not hasattr(self, "_training_state"):
            raise ValueError(
                "this annotator was fitted by a version that kept no votes: fit again."
            )
        state = self._training_state
        if state.n_given is None:
            raise ValueError(
                "this annotator was fitted to a Dask collection, whose records have no "
                "places that labels could be given by: fit it in memory to a sample "
                "that holds them, with learn_from_labels=True."
            )
        codes = Classes.of_names(self.classes_).encode(y, n_samples=state.n_given)
        given = codes != UNLABELED
        if not given.any():
            raise ValueError("y holds no label: give at least one, the others missing.")
        asked = check_label_proba(label_proba, given)
        self.__dict__.pop("_before", None)
        self._training_state = state = state.with_labels(codes, asked)
        self.aggregator_ = self._fit_aggregator(
            state.labels(self.classes_), state.label_proba
        )
        self._weigh_parts()
        return self

    def _ask_model(
        self,
        records: Records,
        votes: np.ndarray,
        gold: np.ndarray,
        asked: np.ndarray,
        fit_params: dict[str, Any],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Add the model's labels to those that are known, and say which they are."""
        codes, chance, self.llm_usage_ = ask_about_sample(
            self.labeler_,
            records,
            gold,
            self.n_llm_labels,
            self.classes_,
            self.random_state,
        )
        said = self.aggregator_.predict_proba(votes).argmax(axis=1)
        gold, asked, by_model = add_model_labels(said, codes, chance, gold, asked)
        if by_model.any():
            known = gold != UNLABELED
            y = np.full(len(gold), None)
            y[known] = self.classes_[gold[known]]
            self.aggregator_ = self._aggregate(votes, y, asked, fit_params)
        return gold, asked, by_model

    def _aggregate(
        self,
        votes: np.ndarray,
        y: np.ndarray,
        label_proba: np.ndarray,
        fit_params: dict[str, Any],
    ) -> BaseEstimator:
        """Let a new aggregator learn from votes and labels."""
        return make_aggregator(self.aggregator, self.labeler_, learn=True).fit(
            votes, y, **fit_params, **label_proba_for(self.aggregator, label_proba)
        )

    def _fit_aggregator(self, y: np.ndarray, label_proba: np.ndarray) -> BaseEstimator:
        """Let an aggregator learn from votes and labels of training records."""
        state = self._training_state
        return self._aggregate(state.votes, y, label_proba, state.aggregator_params)

    def _votes_unseen(self, from_votes: np.ndarray) -> np.ndarray:
        """Say what votes say of rows, by aggregators without the labels of these."""
        if not getattr(self.aggregator_, "label_use_", {}).get("accuracies"):
            return from_votes
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the fit to all labels said before
            return ask_votes_unseen(
                self._training_state, from_votes, self.classes_, self._fit_aggregator
            )

    def _weigh_parts(self) -> None:
        """Decide how much student and votes count, and how sure they may be."""
        state = self._training_state
        from_votes = self.aggregator_.predict_proba(state.votes)
        judging = getattr(self.aggregator_, "label_use_", {}).get("accuracies", 0)
        weighing = weigh_parts(
            state,
            from_votes,
            lambda: self._votes_unseen(from_votes),
            self.vote_weight,
        )
        self.class_prior_, self.scaling_ = weighing.class_prior, weighing.scaling
        self.vote_weight_ = weighing.blend.vote_weight
        self.shift_ = weighing.blend.shift
        self.temperatures_ = weighing.temperatures
        self.label_use_ = state.count_labels(judging)
        if weighing.held_out is not None:
            self._held_out = weighing.held_out
        if weighing.student_knows_little and self.predict_with == "both":
            _logger.info("fallback to the votes: the student agrees by chance only")
            warn(
                "On records that it did not see, the student agrees with the votes "
                "hardly more than by chance, so the votes answer alone. Give more "
                "records, or a student that can read them, such as encoder_student.",
                FallbackWarning,
            )

    def _program_names(self, n_programs: int = 0) -> np.ndarray:
        return program_names(self.labeler_, n_programs)

    def _random(self) -> np.random.RandomState:
        return check_random_state(self.random_state)
