"""Train a classifier on labels that programs voted for."""

import logging
import warnings
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    clone,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import (
    Bunch,
    Tags,
    _safe_indexing,
    check_random_state,
    get_tags,
)
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
)
from sklearn.utils.validation import (
    _check_method_params,
    _num_samples,
    check_is_fitted,
)
from threadpoolctl import threadpool_limits

from ._annotator_checks import (
    check_classes_of_parts,
    check_finite,
    check_parts,
    known_classes,
)
from ._annotator_model import ask_about_sample, estimate_fit, model_of
from ._annotator_parts import (
    default_aggregator,
    draw_parts,
    find_labelled,
    fit_and_vote,
    label_proba_for,
    listed_classes,
    make_aggregator,
    program_names,
    reporting,
    route,
    weight_of_rows,
    with_requests,
)
from ._annotator_remap import RemapMixin
from ._annotator_review import ReviewMixin
from ._utils import DocLinks, LabelsLike, _fit_context, remembering, warn
from .data import (
    UNLABELED,
    Classes,
    Records,
    as_indexable,
    check_records,
    label_array,
    profile_columns,
)
from .distillation import (
    VOTE_WEIGHT,
    Blend,
    Lesson,
    Opinions,
    Shared,
    TrainingMemory,
    agree_beyond_chance,
    ask_votes_unseen,
    check_student,
    choose_rows,
    default_student,
    distil,
    log_proba,
    probabilities,
    sample_rows,
    share_features,
    softmax,
    takes,
    weigh_parts,
    weight_of_heard,
)
from .exceptions import FallbackWarning, LabelsWarning, ProgramWarning
from .label_model import check_label_proba
from .streaming import lazy_for_dask
from .votes import ABSTAIN

if TYPE_CHECKING:
    from .synthesis import CostEstimate

_logger = logging.getLogger("sklearn_alchemist.distillation")

# Records on which it is tried whether the student can read them, if not all count.
_TRIED = 1000


class DistilledAnnotator(
    ReviewMixin,
    RemapMixin,
    CallbackSupportMixin,
    ClassifierMixin,
    MetaEstimatorMixin,
    DocLinks,
    BaseEstimator,
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
        each kind, by what the votes say and how many there are. None is all.

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
            Texts, or a table.

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
        params = route(self, fit_params)
        if X is None:
            raise TypeError("X is None: pass a list of texts, an array, or a table.")
        weight = weight_of_rows(X, params)
        kept, n_given = None, _num_samples(X)
        if weight is not None and not weight.all():
            kept = rows = np.flatnonzero(weight)
            fit_params = _check_method_params(X, fit_params, indices=rows)
            params, weight = route(self, fit_params), weight[rows]
            if label_proba is not None and not isinstance(label_proba, Real):
                label_proba = _safe_indexing(label_proba, rows)
            y = None if y is None else _safe_indexing(y, rows)
            X = _safe_indexing(as_indexable(X), rows)
        records = check_records(self, X, reset=True, allow_nan=self._allows_nan())
        check_student(self.estimator, takes_texts=records.is_text)
        labelled = find_labelled(
            self.labeler, y, records.n_rows, learn=self.learn_from_labels
        )
        asked = check_label_proba(label_proba, labelled)
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
            given = None if named else y
            self.aggregator_.fit(votes, given, **params.aggregator.fit, **of_labels)
        self.classes_ = self.aggregator_.classes_
        gold = np.full(len(votes), UNLABELED)
        if self.learn_from_labels and y is not None:
            gold = Classes.of_names(self.classes_).encode(y, n_samples=len(votes))
        by_model = None
        if self.n_llm_labels:
            with reporting(context, "ask", self, None):
                gold, asked, by_model = self._ask_model(
                    records, votes, gold, asked, params
                )
        if not (votes != ABSTAIN).any():
            warnings.warn(
                f"No program votes on any of {len(votes)} records, so the student can "
                "only answer with the class prior. Read the programs in "
                "labeler_.programs_, and describe task and classes in more detail.",
                ProgramWarning,
                stacklevel=2,
            )
        n_students = self.cv * (self.n_rounds + 1) + 1
        with (
            reporting(
                context, "distill", self, self.estimator, max_steps=n_students
            ) as on_student,
            remembering(),
        ):
            # The student learns no label that may be wrong: votes repeat none of them.
            certain = gold if by_model is None else np.where(by_model, UNLABELED, gold)
            rows, said = self._distil(
                X, shared, votes, certain, weight, params.estimator.fit, on_student
            )
        self._memory = TrainingMemory(
            votes=np.array(votes, dtype=np.min_scalar_type(-len(self.classes_))),
            gold=gold,
            label_proba=asked,
            weight=weight,
            taught=certain != UNLABELED,
            rows=rows,
            said=None if said is None else said.astype(np.float32),
            kept=kept,
            n_given=n_given,
            aggregator_params=dict(params.aggregator.fit),
            # What tells later whether other records differ from these.
            profiles=profile_columns(records),
            by_model=by_model,
        )
        self._weigh_parts()
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    @lazy_for_dask
    def predict_proba(self, X: Any) -> np.ndarray:
        """Estimate the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities between 0 and 1, in the order of ``classes_``.
        """
        return self._opinions(X, ask_all=False).proba

    @lazy_for_dask
    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Classes.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def score(
        self, X: Any, y: LabelsLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Compute the accuracy.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        y : array-like of shape (n_samples,)
            Labels, none of them missing.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            Share of the records whose most probable class is their label.
        """
        check_is_fitted(self)
        return super().score(X, label_array(y, self.classes_), sample_weight)

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
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                labeler=self.labeler,
                # By identity: an ensemble that is not fitted has no truth value.
                aggregator=(
                    default_aggregator() if self.aggregator is None else self.aggregator
                ),
                estimator=(
                    with_requests(LogisticRegression())
                    if self.estimator is None
                    else self.estimator
                ),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _share_or_try(self, X: Any, records: Records) -> Shared | None:
        """Count what the student counts, before programs are paid for.

        If it is to learn from some rows only, programs tell which; then it is only
        tried whether it can read the records at all.
        """
        most = self.max_training_rows
        if most is None or records.n_rows <= most:
            return self._share(X)
        some = np.linspace(0, records.n_rows - 1, min(most, _TRIED)).astype(int)
        try:
            self._share(_safe_indexing(as_indexable(X), some))
        except ValueError:
            self._share(X)  # the others may hold what these do not
        return None

    def _share(self, X: Any) -> Shared:
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        student = (
            default_student(records.columns.values(), records.is_text)
            if self.estimator is None
            else self.estimator
        )
        return share_features(student, self._student_input(X, records))

    def _random(self) -> np.random.RandomState:
        return check_random_state(self.random_state)

    def _distil(
        self,
        X: Any,
        shared: Shared | None,
        votes: np.ndarray,
        gold: np.ndarray,
        weight: np.ndarray | None,
        fit_params: dict[str, Any],
        on_student: Callable[[], None],
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Train the student; return the rows it saw and what it says of them unseen."""
        from_votes = self.aggregator_.predict_proba(votes)
        heard = weight_of_heard(votes, weight)
        prior = np.average(from_votes, axis=0, weights=heard)
        used = choose_rows(
            votes,
            from_votes,
            uncovered=self.uncovered,
            min_confidence=self.min_confidence,
            max_conflict=self.max_conflict,
        )
        used |= gold != UNLABELED
        rows = np.arange(len(votes))
        if shared is None:
            most = int(self.max_training_rows or len(votes))
            rows = sample_rows(votes, from_votes, gold, used, most, self._random())
            fit_params = _check_method_params(X, fit_params, indices=rows)
            shared = self._share(_safe_indexing(as_indexable(X), rows))
        lesson = Lesson(
            from_votes[rows],
            self.classes_,
            prior,
            used[rows],
            gold[rows],
            heard[rows],
        )
        # Threads of BLAS wait for each other more than they help with sparse features.
        limit = 1 if self.estimator is None else None
        with threadpool_limits(limit, user_api="blas"):
            distilled = distil(
                shared,
                lesson,
                cv=self.cv,
                n_rounds=self.n_rounds,
                vote_weight=(
                    VOTE_WEIGHT
                    if isinstance(self.vote_weight, str)
                    else self.vote_weight
                ),
                class_weight=self.class_weight,
                fit_params=fit_params,
                on_student=on_student,
            )
        self.estimator_ = distilled.student
        return rows, distilled.said

    def _ask_model(
        self,
        records: Records,
        votes: np.ndarray,
        gold: np.ndarray,
        asked: np.ndarray,
        params: Bunch,
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
        by_model = codes != UNLABELED
        said = self.aggregator_.predict_proba(votes).argmax(axis=1)
        if not agree_beyond_chance(said[by_model], codes[by_model]):
            _logger.info("fallback to no labels of the model: they contradict votes")
            warn(
                f"The model's labels of {by_model.sum()} records agree with the votes "
                "hardly more than by chance, so that nothing is learned from them: "
                "read some of both, and describe task and classes in more detail.",
                LabelsWarning,
            )
            return gold, asked, np.zeros(len(gold), dtype=bool)
        given = asked[~np.isnan(asked)]
        if len(given) and (given == given[0]).all():
            chance = given[0]  # both are plain samples, told on one scale
        gold = np.where(by_model, codes, gold)
        asked = np.where(by_model, chance, asked)
        known = gold != UNLABELED
        y = np.full(len(gold), None)
        y[known] = self.classes_[gold[known]]
        self.aggregator_ = make_aggregator(
            self.aggregator, self.labeler_, learn=True
        ).fit(
            votes,
            y,
            **params.aggregator.fit,
            **label_proba_for(self.aggregator, asked),
        )
        return gold, asked, by_model

    def _fit_aggregator(self, y: np.ndarray, label_proba: np.ndarray) -> BaseEstimator:
        """Let an aggregator learn from votes and labels of training records."""
        memory: TrainingMemory = self._memory
        aggregator = make_aggregator(self.aggregator, self.labeler_, learn=True)
        return aggregator.fit(
            memory.votes,
            y,
            **memory.aggregator_params,
            **label_proba_for(self.aggregator, label_proba),
        )

    def _votes_unseen(self, from_votes: np.ndarray) -> np.ndarray:
        """Say what votes say of rows, by aggregators without the labels of these."""
        if not getattr(self.aggregator_, "label_use_", {}).get("accuracies"):
            return from_votes
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the fit to all labels said before
            return ask_votes_unseen(
                self._memory, from_votes, self.classes_, self._fit_aggregator
            )

    def _weigh_parts(self) -> None:
        """Decide how much student and votes count, and how sure they may be."""
        memory: TrainingMemory = self._memory
        from_votes = self.aggregator_.predict_proba(memory.votes)
        judging = getattr(self.aggregator_, "label_use_", {}).get("accuracies", 0)
        weighing = weigh_parts(
            memory,
            from_votes,
            lambda: self._votes_unseen(from_votes),
            self.vote_weight,
        )
        self.class_prior_, self.scaling_ = weighing.class_prior, weighing.scaling
        self.vote_weight_ = weighing.blend.vote_weight
        self.shift_ = weighing.blend.shift
        self.temperatures_ = weighing.temperatures
        self.label_use_ = memory.count_labels(judging)
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

    def _opinions(self, X: Any, *, ask_all: bool) -> Opinions:
        """Ask those whom `predict_with` names, or all, once."""
        check_is_fitted(self)
        if hasattr(self, "_before"):
            return self._older_opinions(X, ask_all=ask_all)
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        if not records.n_rows:
            nothing = np.empty((0, len(self.classes_)))
            return Opinions(nothing, nothing, nothing, self._vote(X))
        student: Any = None
        from_votes: Any = None
        votes: Any = None
        if ask_all or self.predict_with != "student":
            votes = self._vote(X)
            from_votes = self.aggregator_.predict_proba(votes)
        if ask_all or self.predict_with != "votes":
            taken = self._student_input(X, records)
            said = probabilities(self.estimator_, taken, self.classes_)
            student = self.scaling_(said)
        proba = self._combine(student, from_votes)
        return Opinions(proba, student, from_votes, votes)

    def _combine(self, student: Any, from_votes: Any) -> np.ndarray:
        """Give the probabilities of those whom `predict_with` names."""
        temperature = self.temperatures_[self.predict_with]
        if self.predict_with == "both":
            return self._blend()(student, from_votes, self.class_prior_)
        proba = student if self.predict_with == "student" else from_votes
        if temperature != 1.0:
            proba = softmax(log_proba(proba) / temperature)
        return proba

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Of a version that knew one weight, and learned from all rows.
        before = {"max_training_rows": None, "random_state": None, "n_llm_labels": 0}
        for name, value in before.items():
            if not hasattr(self, name):
                setattr(self, name, value)
        if hasattr(self, "class_prior_") and not hasattr(self, "vote_weight_"):
            self.vote_weight_ = np.full(len(self.classes_), float(self.vote_weight))
            self.shift_ = np.zeros(len(self.classes_))
        if isinstance(memory := getattr(self, "_memory", None), Bunch):
            self._memory = TrainingMemory(**memory)

    def _blend(self) -> Blend:
        weight = self.vote_weight_
        if not isinstance(self.vote_weight, str):
            weight = np.full(len(self.classes_), float(self.vote_weight))
        return Blend(weight, self.shift_, self.temperatures_["both"])

    def _vote(self, X: Any) -> np.ndarray:
        return np.asarray(self.labeler_.transform(X))

    def _program_names(self, n_programs: int = 0) -> np.ndarray:
        return program_names(self.labeler_, n_programs)

    def _student_input(self, X: Any, records: Records) -> Any:
        """Bring `X` into a form that the student can take."""
        # A column of texts in a table of the user's stays one for a student of theirs.
        if records.is_text and (self.estimator is None or records.is_sequence):
            return records.texts()
        return records.array() if self.estimator is None else as_indexable(X)

    def _allows_nan(self) -> bool:
        return takes(self.estimator, "allow_nan")

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
