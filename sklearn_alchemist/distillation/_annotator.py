"""Train a classifier on labels that programs voted for."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metadata_routing import MetadataRouter, _raise_for_params

from .._utils import DocLinks, LabelsLike, _fit_context, reporting, warn
from ..data import UNLABELED, Classes, check_records, is_dask, profile_columns
from ..exceptions import LabelsWarning
from ..label_model import check_label_proba
from ..votes import ABSTAIN
from ._annotator_checks import (
    EXAMPLES_OF_PARTS,
    check_classes_of_parts,
    check_finite,
    check_parts,
    find_labelled,
    known_classes,
    listed_classes,
)
from ._annotator_fit import (
    AnnotatorFitMixin,
    draw_parts,
    fit_and_vote,
    make_aggregator,
    warn_of_silence,
)
from ._annotator_metadata import label_proba_for, leave_out_weightless, route_parts
from ._annotator_partitions import fit_partitions
from ._annotator_predict import AnnotatorPredictMixin
from ._annotator_remap import AnnotatorRemapMixin
from ._annotator_review import AnnotatorReviewMixin
from ._llm_labels import estimate_fit, model_of
from ._students import check_student
from ._training_state import TrainingState

if TYPE_CHECKING:
    from ..synthesis import CostEstimate


class DistilledAnnotator(
    AnnotatorReviewMixin,
    AnnotatorRemapMixin,
    CallbackSupportMixin,
    MetaEstimatorMixin,
    DocLinks,
    AnnotatorFitMixin,
    AnnotatorPredictMixin,
):
    """Train a classifier on labels that programs voted for.

    The labeler's programs vote, the aggregator turns their votes into probabilities,
    and a student learns these from the records themselves. The student also labels
    what no program has an opinion on, and is quicker and smaller than the programs.
    No gold label is used.

    Parameters
    ----------
    labeler : transformer
        Gives the votes, such as `ProgramSynthesisLabeler`.

    aggregator : classifier, default=None
        Turns votes into probabilities. None is `LabelModelAggregator` with the classes
        of the labeler.

    estimator : classifier, default=None
        The student. It is trained on the probabilities if its ``fit`` takes a
        ``sample_weight``, else on the most probable classes. None is logistic
        regression: for texts on TF-IDF of words and pairs of words, and of characters
        where the texts are short; for tables on scaled and encoded columns.

    predict_with : {"both", "student", "votes"}, default="both"
        Who answers in `predict` and `predict_proba`: the student; the aggregator from
        the votes of the programs; or both, the votes as evidence of weight
        `vote_weight` beside the student. Only the student runs no programs.

    vote_weight : "auto" or float, default="auto"
        Weight of the votes beside the student, when predicting with both and in the
        rounds of training. 1 stands for votes and a student that err independently; a
        student that has learned from the votes repeats much of them. "auto" learns it
        for each class from how well students repeat the votes on rows that they did not
        see, and from labels if there are some; where the student knows little, the
        votes answer alone. See ``vote_weight_``.

    n_rounds : int, default=1
        How often at most what the votes say is corrected by students that did not see
        the row, before the student is trained on it [2]_; not where they repeat votes
        badly.

    class_weight : {"balanced"}, dict or None, default=None
        How much each class counts in training the student. "balanced" gives every
        class the same total.

    uncovered : {"drop", "keep"}, default="drop"
        Whether the student learns from rows on which no program votes.

    min_confidence : float, default=0.0
        The student does not learn from rows whose most probable class is less
        probable.

    max_conflict : float, default=1.0
        The student does not learn from rows of whose votes a larger share disagrees
        with the most frequent vote.

    cv : int, default=4
        Number of folds in which students that did not see a row are asked about it. It
        serves the rounds, and to scale the probabilities of the student, which would
        otherwise say frequent classes too often. 0 does neither; nor do fewer than ten
        rows a fold.

    learn_from_labels : bool, default=False
        Whether to learn from the labels in y, which then may be partly missing (None,
        NaN, or -1 where that is no class). They go to the student, and into the
        temperature of the probabilities; those of which `label_proba` tells ``fit`` how
        they were drawn also tell the aggregator how accurate programs are. Fifty help.

    max_training_rows : int or None, default=25_000
        Most records that the student learns from, labelled ones apart: of more, some of
        each kind, by what the votes say and how many there are. Equal records then
        count once, and their order and their partitions have no say. None is all.

    n_llm_labels : int, default=0
        How many training records ``fit`` shows to the labeler's model, drawn at random,
        twenty a call, to have them labelled. **These records leave this machine.** Ten
        calls for 200 records, whatever the size of the data. The labels tell how
        accurate programs are and set the weight of votes and student and the
        temperature, as labels of people in a plain random sample would, except where
        those are given; the student does not learn them. Where they agree with the
        votes hardly more than by chance, nothing is learned from them, and a warning
        says so. What the programs cost counts towards the caps of the model, too.

    random_state : int, RandomState instance or None, default=None
        Draws the records for the model, where None draws the same each time, so that
        they are paid once; draws those that the student learns from, and thins labels
        of unequal chance in `annotate`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.

    labeler_, aggregator_, estimator_ : estimators
        The fitted parts.

    class_prior_ : ndarray of shape (n_classes,)
        Mean probability of each class over the training records on which programs vote.

    scaling_ : Scaling
        Brings the probabilities of ``estimator_`` to the scale of the votes.

    temperatures_ : dict of str to float
        For each value of `predict_with`, what the logarithms of the probabilities are
        divided by. Without labels to learn from, 1 for student and votes; for both
        more, the more the votes weigh and the nearer to certain they are.

    label_use_ : dict of str to int or float
        How many labels there were to learn from ("given"), and how many of them tell
        how accurate programs are ("accuracies"), are learned by the student
        ("student"), and set the temperatures ("temperature"); with `n_llm_labels` also
        how many the model gave ("model").

    llm_usage_ : Usage
        What these cost. Only with `n_llm_labels`.

    vote_weight_ : ndarray of shape (n_classes,)
        Weight of the votes' evidence for each class beside the student; infinite where
        the votes answer alone.

    shift_ : ndarray of shape (n_classes,)
        What labels add to the log-probability of each class when predicting with both.

    n_features_in_ : int
        Number of columns seen during ``fit``; 1 for texts.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when all of them are strings.

    See Also
    --------
    ProgramSynthesisLabeler : Gets the programs written.
    LabelModelAggregator : Combines their votes.

    References
    ----------
    .. [1] T.-H. Huang, C. Cao, V. Bhargava and F. Sala, "The ALCHEmist: Automated
       Labeling 500x CHEaper Than LLM Data Annotators", NeurIPS 2024.

    .. [2] V. C. Raykar et al., "Learning from crowds", JMLR 11, 2010.

    Examples
    --------
    >>> from sklearn_alchemist import (
    ...     DistilledAnnotator, LabelingProgram, ProgramSynthesisLabeler
    ... )
    >>> programs = [
    ...     LabelingProgram("link", "def label(text): return 'http' in text or None"),
    ...     LabelingProgram("song", "def label(text): return 'song' not in text"),
    ... ]
    >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=programs)
    >>> texts = ["http://a.example free", "what a song", "song of mine", "free http"]
    >>> annotator = DistilledAnnotator(labeler).fit(texts)
    >>> annotator.predict(["free stuff", "this song"])
    array([ True, False])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "labeler": [HasMethods(["fit", "transform"])],
        "aggregator": [HasMethods(["fit", "predict_proba"]), None],
        # Without predict_proba there is a better message than this could give.
        "estimator": [HasMethods(["fit", "predict"]), None],
        "predict_with": [StrOptions({"both", "student", "votes"})],
        "vote_weight": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "n_rounds": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "uncovered": [StrOptions({"drop", "keep"})],
        "min_confidence": [Interval(Real, 0, 1, closed="both")],
        "max_conflict": [Interval(Real, 0, 1, closed="both")],
        "cv": [Interval(Integral, 0, None, closed="left")],
        "learn_from_labels": ["boolean"],
        "max_training_rows": [Interval(Integral, 1, None, closed="left"), None],
        "n_llm_labels": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        labeler: BaseEstimator,
        aggregator: BaseEstimator | None = None,
        estimator: BaseEstimator | None = None,
        *,
        predict_with: str = "both",
        vote_weight: float | str = "auto",
        n_rounds: int = 1,
        class_weight: str | Mapping[Any, float] | None = None,
        uncovered: str = "drop",
        min_confidence: float = 0.0,
        max_conflict: float = 1.0,
        cv: int = 4,
        learn_from_labels: bool = False,
        max_training_rows: int | None = 25_000,
        n_llm_labels: int = 0,
        random_state: Any = None,
    ) -> None:
        self.labeler = labeler
        self.aggregator = aggregator
        self.estimator = estimator
        self.predict_with = predict_with
        self.vote_weight = vote_weight
        self.n_rounds = n_rounds
        self.class_weight = class_weight
        self.uncovered = uncovered
        self.min_confidence = min_confidence
        self.max_conflict = max_conflict
        self.cv = cv
        self.learn_from_labels = learn_from_labels
        self.max_training_rows = max_training_rows
        self.n_llm_labels = n_llm_labels
        self.random_state = random_state

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator and of its parts.

        Parameters
        ----------
        **params : dict
            Names and values; ``aggregator__method`` is one of the aggregator.

        Returns
        -------
        self : DistilledAnnotator
            The annotator.

        Raises
        ------
        ValueError
            If there is no such parameter, or its part is None, the default.
        """
        for name in params:
            part, nested, _ = name.partition("__")
            example = EXAMPLES_OF_PARTS.get(part)
            if nested and example and params.get(part, getattr(self, part)) is None:
                raise ValueError(
                    f"{name} cannot be set, as {part} is None, the default: pass "
                    f"{part}={example} first."
                )
        return super().set_params(**params)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: LabelsLike | None = None,
        *,
        label_proba: ArrayLike | float | None = None,
        **fit_params: Any,
    ) -> Self:
        """Let programs label `X` and train the student on it.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table; also a Dask Series, DataFrame or Bag, of which only what
            the student learns from is brought into memory.

        y : array-like of shape (n_samples,), default=None
            Labels. They name the classes where the labeler does not, and are learned
            from only with `learn_from_labels`.

        label_proba : array-like of shape (n_samples,) or float, default=None
            Probability with which each label was asked for, such as `review_queue`
            gives; 1 where all records or a plain random sample of them were to be
            labelled, NaN where there is no label or nobody knows how it was chosen.
            Only labels with such a probability may move what is thought of programs:
            others may have been picked because programs are wrong there.

        **fit_params : dict
            Metadata for the parts that request it, with metadata routing enabled. A
            ``sample_weight`` that the student requests multiplies the probabilities.
            Records of weight 0 are left out as if they were not there.

        Returns
        -------
        self : DistilledAnnotator
            The fitted annotator.

        Raises
        ------
        ValueError, TypeError
            If the data, the classes or `label_proba` cannot be used.

        LLMError, SynthesisError
            If the labeler gets no programs.

        Warns
        -----
        LabelsWarning
            If labels are to be learned from, and nothing tells how they were chosen.

        ProgramWarning
            If no program votes on any record: the student then knows nothing.
        """
        _raise_for_params(fit_params, self, "fit")
        if is_dask(X):
            if y is not None or label_proba is not None or fit_params:
                raise TypeError(
                    "y, label_proba and sample_weight cannot be given with a Dask "
                    "collection: pass X.compute(), or fit to a sample of it."
                )
            return fit_partitions(self, X)
        given = leave_out_weightless(self, X, y, label_proba, fit_params)
        X, y, params = given.X, given.y, given.params
        records = check_records(self, X, reset=True, allow_nan=self._allows_nan())
        check_student(self.estimator, takes_texts=records.is_text)
        labelled = find_labelled(
            self.labeler, y, records.n_rows, learn=self.learn_from_labels
        )
        asked = check_label_proba(given.label_proba, labelled)
        # What can fail without programs fails before they are paid.
        check_parts(self.labeler, self.aggregator, self.estimator)
        classes = known_classes(listed_classes(self.labeler), y)
        check_classes_of_parts(classes, self.aggregator, self.class_weight)
        check_finite(records, self.estimator)
        if self.n_llm_labels:
            model_of(self.labeler)
        shared = self._share_or_try(X, records)
        of_labels: dict[str, Any] = {}
        if labelled.any():
            of_labels = label_proba_for(self.aggregator, asked)
            if label_proba is None:
                warn(
                    f"Nothing tells how the {labelled.sum()} labels in y were chosen, "
                    "so they serve their own records, the student and the temperature, "
                    "and 0 of them say how accurate programs are. Pass label_proba, "
                    "the probability with which each was asked for: 1 for a plain "
                    "random sample; review_queue gives it with return_proba=True.",
                    LabelsWarning,
                )
        context = self._init_callback_context(
            max_subtasks=4 if self.n_llm_labels else 3
        )
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)

        self.__dict__.pop("_before", None)
        self.labeler_ = clone(self.labeler)
        with reporting(context, "label", self, self.labeler_):
            votes = fit_and_vote(self.labeler_, X, y, params.labeler.fit)
        self.aggregator_ = make_aggregator(
            self.aggregator, self.labeler_, learn=self.learn_from_labels
        )
        with reporting(context, "aggregate", self, self.aggregator_):
            named = hasattr(self.labeler_, "classes_") and not self.learn_from_labels
            naming = None if named else y
            self.aggregator_.fit(votes, naming, **params.aggregator.fit, **of_labels)
        self.classes_ = self.aggregator_.classes_
        gold = np.full(len(votes), UNLABELED)
        if self.learn_from_labels and y is not None:
            gold = Classes.of_names(self.classes_).encode(y, n_samples=len(votes))
        by_model = None
        if self.n_llm_labels:
            with reporting(context, "ask", self, None):
                gold, asked, by_model = self._ask_model(
                    records, votes, gold, asked, params.aggregator.fit
                )
        if not (votes != ABSTAIN).any():
            warn_of_silence(len(votes))
        # The student learns no label that may be wrong: votes repeat none of them.
        certain = gold if by_model is None else np.where(by_model, UNLABELED, gold)
        learned = shared or self._candidates(records, votes, certain)
        rows, said = self._teach(
            context, X, learned, votes, certain, given.weight, params.estimator.fit
        )
        self._training_state = TrainingState(
            votes=np.array(votes, dtype=np.min_scalar_type(-len(self.classes_))),
            gold=gold,
            label_proba=asked,
            weight=given.weight,
            taught=certain != UNLABELED,
            rows=rows,
            said=None if said is None else said.astype(np.float32),
            kept=given.kept,
            n_given=given.n_given,
            aggregator_params=dict(params.aggregator.fit),
            # What tells later whether other records differ from these.
            profiles=profile_columns(records),
            by_model=by_model,
        )
        self._weigh_parts()
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def estimate_cost(self, X: Any, y: ArrayLike | None = None) -> "CostEstimate":
        """Tell what ``fit`` would ask a model for and cost; nothing is sent.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            The training records.

        y : array-like of shape (n_samples,), default=None
            Labels, used as in ``fit``: records whose labels are learned from are not
            shown to the model.

        Returns
        -------
        estimate : CostEstimate
            Calls, tokens and dollars of the labeler's programs and of `n_llm_labels`.
            What depends on answers that are not there yet is guessed; unknown prices
            stay unknown.

        Raises
        ------
        ValueError, TypeError
            If the data or the classes cannot be used, or there is no model to label
            records.
        """
        return estimate_fit(clone(self), X, y)

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell which metadata goes to which part.

        Returns
        -------
        routing : MetadataRouter
            The routing information.
        """
        return route_parts(self)

    def _sk_visual_block_(self) -> _VisualBlock:
        return draw_parts(self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = get_tags(self.labeler).target_tags.required
        tags.classifier_tags.poor_score = True  # fit does not look at who has which y
        default = self.estimator is None
        student = None if default else get_tags(self.estimator).input_tags
        tags.input_tags.string = student is None or student.string
        tags.input_tags.allow_nan = student is None or student.allow_nan
        return tags
