"""Train a classifier on labels that programs voted for."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    _fit_context,
    clone,
)
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch, Tags, _safe_indexing, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    get_routing_for_object,
    process_routing,
)
from sklearn.utils.validation import (
    _check_method_params,
    _check_sample_weight,
    _num_samples,
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
)
from threadpoolctl import threadpool_limits

from ._aggregator import LabelModelAggregator
from ._embedding_memory import remembering
from ._preflight import (
    check_classes_of_parts,
    check_finite,
    check_parts,
    known_classes,
)
from ._warn import warn
from .data import (
    UNLABELED,
    Classes,
    Records,
    as_indexable,
    check_records,
    label_array,
    minus_one_is_open,
    read_labels,
)
from .distillation import (
    Lesson,
    Shared,
    check_student,
    choose_rows,
    combine,
    default_student,
    distil,
    draw_queue,
    fit_parameter,
    log_proba,
    probabilities,
    say_doubts,
    share_features,
    softmax,
    to_frame,
)
from .exceptions import LabelsWarning, ProgramWarning
from .label_model import check_label_proba, fit_temperature, label_weights
from .votes import ABSTAIN

# Programs of one model err together, so votes and student agree more than they are
# right. Measured on four data sets with recorded programs: the best lie between 1.2 and
# 2.5, and this one was better than 1 on each.
_USUAL_TEMPERATURE = 1.5
# A few labels move it only as far as they must; see `fit_temperature`.
_TRUST_IN_USUAL = 4.0


class _Opinions(NamedTuple):
    """What is said of records: in all, by the student and by the votes; the votes."""

    proba: Any
    student: Any
    from_votes: Any
    votes: Any


class DistilledAnnotator(
    CallbackSupportMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
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

    vote_weight : float, default=0.125
        Weight of the votes beside the student, when predicting with both and in the
        rounds of training. 1 stands for votes and a student that err independently; a
        student that has learned from the votes repeats much of them.

    n_rounds : int, default=1
        How often what the votes say is corrected by students that did not see the row,
        before the student is trained on it [2]_.

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

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.

    labeler_, aggregator_, estimator_ : estimators
        The fitted parts.

    class_prior_ : ndarray of shape (n_classes,)
        Mean probability of each class over the training data.

    scaling_ : Scaling
        Brings the probabilities of ``estimator_`` to the scale of the votes.

    temperatures_ : dict of str to float
        For each value of `predict_with`, what the logarithms of the probabilities are
        divided by. Without labels to learn from, 1.5 for both, as programs of one model
        agree more than they are right, and 1 for the others.

    label_use_ : dict of str to int or float
        How many labels there were to learn from ("given"), and how many of them tell
        how accurate programs are ("accuracies"), are learned by the student
        ("student"), and set the temperatures ("temperature").

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
        "vote_weight": [Interval(Real, 0, None, closed="left")],
        "n_rounds": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "uncovered": [StrOptions({"drop", "keep"})],
        "min_confidence": [Interval(Real, 0, 1, closed="both")],
        "max_conflict": [Interval(Real, 0, 1, closed="both")],
        "cv": [Interval(Integral, 0, None, closed="left")],
        "learn_from_labels": ["boolean"],
    }

    def __init__(
        self,
        labeler: BaseEstimator,
        aggregator: BaseEstimator | None = None,
        estimator: BaseEstimator | None = None,
        *,
        predict_with: str = "both",
        vote_weight: float = 0.125,
        n_rounds: int = 1,
        class_weight: str | Mapping[Any, float] | None = None,
        uncovered: str = "drop",
        min_confidence: float = 0.0,
        max_conflict: float = 1.0,
        cv: int = 4,
        learn_from_labels: bool = False,
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

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
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
        params = _route(self, fit_params)
        weight = _weight_of_rows(X, params)
        if weight is not None and not weight.all():
            rows = np.flatnonzero(weight)
            fit_params = _check_method_params(X, fit_params, indices=rows)
            params, weight = _route(self, fit_params), weight[rows]
            if label_proba is not None and not isinstance(label_proba, Real):
                label_proba = _safe_indexing(label_proba, rows)
            y = None if y is None else _safe_indexing(y, rows)
            X = _safe_indexing(as_indexable(X), rows)
        records = check_records(self, X, reset=True, allow_nan=self._allows_nan())
        check_student(self.estimator, takes_texts=records.is_text)
        labelled = self._labelled(y, records.n_rows)
        asked = check_label_proba(label_proba, labelled)
        # What can fail without programs fails before they are paid.
        check_parts(self.labeler, self.aggregator, self.estimator)
        classes = known_classes(_listed_classes(self.labeler), y)
        check_classes_of_parts(classes, self.aggregator, self.class_weight)
        check_finite(records, self.estimator)
        shared = self._share(X, records)
        of_labels: dict[str, Any] = {}
        if labelled.any():
            of_labels = self._label_proba_for_aggregator(asked)
            if label_proba is None:
                warn(
                    f"Nothing tells how the {labelled.sum()} labels in y were chosen, "
                    "so they serve their own records, the student and the temperature, "
                    "and 0 of them say how accurate programs are. Pass label_proba, "
                    "the probability with which each was asked for: 1 for a plain "
                    "random sample; review_queue gives it with return_proba=True.",
                    LabelsWarning,
                )
        context = self._init_callback_context(max_subtasks=3)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)

        self.labeler_ = clone(self.labeler)
        with _part(context, "label", self, self.labeler_):
            votes = _fit_and_vote(self.labeler_, X, y, params.labeler.fit)
        self.aggregator_ = self._make_aggregator()
        with _part(context, "aggregate", self, self.aggregator_):
            named = hasattr(self.labeler_, "classes_") and not self.learn_from_labels
            given = None if named else y
            self.aggregator_.fit(votes, given, **params.aggregator.fit, **of_labels)
        self.classes_ = self.aggregator_.classes_
        gold = np.full(len(votes), UNLABELED)
        if self.learn_from_labels and y is not None:
            gold = Classes.of_names(self.classes_).encode(y, n_samples=len(votes))
        if not (votes != ABSTAIN).any():
            warnings.warn(
                f"No program votes on any of {len(votes)} records, so the student can "
                "only answer with the class prior. Read the programs in "
                "labeler_.programs_, and describe task and classes in more detail.",
                ProgramWarning,
                stacklevel=2,
            )
        with _part(context, "distill", self, self.estimator), remembering():
            self._distil(shared, votes, gold, asked, weight, params.estimator.fit)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

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
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
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
        return super().score(X, label_array(y), sample_weight)

    def annotate(
        self, X: Any, *, as_frame: bool = False, flag_below: float = 0.7
    ) -> Any:
        """Label records and show where the labels come from.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        as_frame : bool, default=False
            Whether to return a pandas DataFrame, with the index of `X` if it has one.

        flag_below : float, default=0.7
            Labels that are less probable are flagged.

        Returns
        -------
        annotation : Bunch or DataFrame
            ``label``: ndarray of shape (n_samples,), the most probable class.

            ``confidence``: ndarray of shape (n_samples,), its probability.

            ``flag``: ndarray of shape (n_samples,) of bool, whether a person should
            look: no program votes, student and votes disagree, or the label is less
            probable than `flag_below`.

            ``doubt``: ndarray of shape (n_samples,) of str, which of these it is.

            ``proba``, ``student_proba``, ``votes_proba``: ndarrays of shape (n_samples,
            n_classes), what `predict_proba` gives, what the student says and what the
            votes say. Not in a DataFrame.

            ``votes``: ndarray of shape (n_samples, n_programs), what the programs say,
            as indices into ``classes_``, -1 where one abstains. In a DataFrame one
            column a program, with classes, missing where it abstains.

            ``programs``: ndarray of shape (n_programs,), their names. In a DataFrame
            the names of the columns.
        """
        said = self._opinions(X, ask_all=True)
        doubt = say_doubts(*said, threshold=flag_below)
        annotation = Bunch(
            label=self.classes_[said.proba.argmax(axis=1)],
            confidence=said.proba.max(axis=1),
            flag=doubt != "",
            doubt=doubt,
            proba=said.proba,
            student_proba=said.student,
            votes_proba=said.from_votes,
            votes=said.votes,
            programs=self._program_names(said.votes.shape[1]),
        )
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
            Number of records.

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
        positions, label_proba = draw_queue(
            *self._opinions(X, ask_all=True), n, random_state
        )
        return (positions, label_proba) if return_proba else positions

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
                    _default_aggregator()
                    if self.aggregator is None
                    else self.aggregator
                ),
                estimator=(
                    _with_requests(LogisticRegression())
                    if self.estimator is None
                    else self.estimator
                ),
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _make_aggregator(self) -> BaseEstimator:
        """Copy the aggregator and tell it the classes, so that no fold shifts them."""
        if self.aggregator is None:
            aggregator = _default_aggregator()
        else:
            aggregator = clone(self.aggregator)
        # Whatever the aggregator does by itself: here, one parameter decides.
        names = aggregator.get_params()
        learning = [n for n in names if n.split("__")[-1] == "semi_supervised"]
        aggregator.set_params(**dict.fromkeys(learning, self.learn_from_labels))
        if hasattr(self.labeler_, "classes_"):
            open_classes = {
                name: self.labeler_.classes_
                for name, value in aggregator.get_params().items()
                if name.split("__")[-1] == "classes" and value is None
            }
            aggregator.set_params(**open_classes)
        return aggregator

    def _labelled(self, y: ArrayLike | None, n_samples: int) -> np.ndarray:
        """Tell which labels to learn from; raise before programs are paid for."""
        unlabelled = np.zeros(n_samples, dtype=bool)
        if y is None and self.learn_from_labels:
            raise ValueError(
                "learn_from_labels=True, but there is no y: give labels, missing ones "
                "as None, or set learn_from_labels=False."
            )
        if y is None:
            return unlabelled
        listed = _listed_classes(self.labeler)
        if listed is not None:
            codes = Classes.listed(listed).encode(y, n_samples=n_samples)
            return codes != UNLABELED if self.learn_from_labels else unlabelled
        if not self.learn_from_labels:
            return unlabelled
        labels = read_labels(y)
        check_consistent_length(unlabelled, labels)
        if UNLABELED in labels:
            raise ValueError(minus_one_is_open({*labels} - {None}))
        return np.array([label is not None for label in labels])

    def _label_proba_for_aggregator(self, asked: np.ndarray) -> dict[str, Any]:
        """Hand the probabilities of labels to the aggregator, if it takes them."""
        aggregator = self.aggregator
        if aggregator is None or has_fit_parameter(aggregator, "label_proba"):
            return {"label_proba": asked}
        if _routing_enabled():
            routing = get_routing_for_object(aggregator)
            wanted = routing.consumes(method="fit", params=["label_proba"])
            return {"label_proba": asked} if wanted else {}
        name = fit_parameter(aggregator, "label_proba")
        return {} if name is None else {name: asked}

    def _share(self, X: Any, records: Records) -> Shared:
        """Count what the student counts, before programs are paid."""
        student = (
            default_student(records.columns.values(), records.is_text)
            if self.estimator is None
            else self.estimator
        )
        return share_features(student, self._student_input(X, records))

    def _distil(
        self,
        shared: Shared,
        votes: np.ndarray,
        gold: np.ndarray,
        label_proba: np.ndarray,
        weight: np.ndarray | None,
        fit_params: dict[str, Any],
    ) -> None:
        """Train the student, and fit how sure the annotator may be."""
        from_votes = self.aggregator_.predict_proba(votes)
        labelled = gold != UNLABELED
        used = choose_rows(
            votes,
            from_votes,
            uncovered=self.uncovered,
            min_confidence=self.min_confidence,
            max_conflict=self.max_conflict,
        )
        used |= labelled
        self.class_prior_ = np.average(from_votes, axis=0, weights=weight)
        lesson = Lesson(
            from_votes, self.classes_, self.class_prior_, used, gold, weight
        )
        # Threads of BLAS wait for each other more than they help with sparse features.
        limit = 1 if self.estimator is None else None
        with threadpool_limits(limit, user_api="blas"):
            distilled = distil(
                shared,
                lesson,
                cv=self.cv,
                n_rounds=self.n_rounds,
                vote_weight=self.vote_weight,
                class_weight=self.class_weight,
                fit_params=fit_params,
            )
        self.estimator_, self.scaling_ = distilled.student, distilled.scaling
        self.temperatures_ = {"both": 1.0, "student": 1.0, "votes": 1.0}
        counted = np.ones(len(votes)) if weight is None else weight.copy()
        n_labels = _count(counted[labelled].sum())
        judging = getattr(self.aggregator_, "label_use_", {}).get("accuracies", 0)
        self.label_use_ = {
            "given": n_labels,
            "accuracies": judging,
            "student": n_labels,
            "temperature": 0 if distilled.held_out is None else n_labels,
        }
        if distilled.held_out is None:
            return
        self.temperatures_["both"] = _USUAL_TEMPERATURE
        if labelled.any():
            drawn = ~np.isnan(label_proba)
            counted[drawn] *= label_weights(1 / label_proba[drawn], counted[drawn])
            # Of a student that did not learn from the label.
            student = distilled.held_out[labelled]
            both = self._combine(student, from_votes[labelled])
            said = {"both": both, "student": student, "votes": from_votes[labelled]}
            self.temperatures_ = {
                name: fit_temperature(
                    proba,
                    gold[labelled],
                    counted[labelled],
                    expected=_USUAL_TEMPERATURE,
                    strength=_TRUST_IN_USUAL,
                )
                for name, proba in said.items()
            }

    def _combine(self, student: np.ndarray, from_votes: np.ndarray) -> np.ndarray:
        return combine(student, from_votes, self.class_prior_, self.vote_weight)

    def _opinions(self, X: Any, *, ask_all: bool) -> "_Opinions":
        """Ask those whom `predict_with` names, or all, once."""
        check_is_fitted(self)
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        if not records.n_rows:
            nothing = np.empty((0, len(self.classes_)))
            return _Opinions(nothing, nothing, nothing, self._vote(X))
        student: Any = None
        from_votes: Any = None
        votes: Any = None
        proba: Any
        if ask_all or self.predict_with != "student":
            votes = self._vote(X)
            from_votes = self.aggregator_.predict_proba(votes)
        if ask_all or self.predict_with != "votes":
            taken = self._student_input(X, records)
            said = probabilities(self.estimator_, taken, self.classes_)
            student = self.scaling_(said)
        if self.predict_with == "both":
            proba = self._combine(student, from_votes)
        else:
            proba = student if self.predict_with == "student" else from_votes
        temperature = self.temperatures_[self.predict_with]
        if temperature != 1.0:
            proba = softmax(log_proba(proba) / temperature)
        return _Opinions(proba, student, from_votes, votes)

    def _vote(self, X: Any) -> np.ndarray:
        return np.asarray(self.labeler_.transform(X))

    def _program_names(self, n_programs: int) -> np.ndarray:
        if hasattr(self.labeler_, "get_feature_names_out"):
            return self.labeler_.get_feature_names_out()
        return np.array([f"program_{j}" for j in range(n_programs)], dtype=object)

    def _student_input(self, X: Any, records: Records) -> Any:
        """Bring `X` into a form that the student can take."""
        # A column of texts in a table of the user's stays one for a student of theirs.
        if records.is_text and (self.estimator is None or records.is_sequence):
            return records.texts()
        return records.array() if self.estimator is None else as_indexable(X)

    def _allows_nan(self) -> bool:
        return get_tags(self).input_tags.allow_nan

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = get_tags(self.labeler).target_tags.required
        tags.classifier_tags.poor_score = True  # fit does not look at who has which y
        default = self.estimator is None
        student = None if default else get_tags(self.estimator).input_tags
        tags.input_tags.string = student is None or student.string
        tags.input_tags.allow_nan = student is None or student.allow_nan
        return tags


def _count(total: float) -> int | float:
    """Write a number of samples as an int where their weights add up to one."""
    return int(total) if total == int(total) else float(total)


def _weight_of_rows(X: Any, params: Bunch) -> np.ndarray | None:
    """Return the weights that aggregator or student asked for, if there are any."""
    for part in (params.aggregator.fit, params.estimator.fit):
        if part.get("sample_weight") is not None:
            return _check_sample_weight(
                part["sample_weight"],
                np.empty((_num_samples(X), 1)),
                ensure_non_negative=True,
            )
    return None


def _route(annotator: DistilledAnnotator, fit_params: dict[str, Any]) -> Bunch:
    if _routing_enabled():
        return process_routing(annotator, "fit", **fit_params)
    return Bunch(**{p: Bunch(fit={}) for p in ("labeler", "aggregator", "estimator")})


def _with_requests(estimator: BaseEstimator) -> BaseEstimator:
    """Request sample weights for a default, as a user would for an own estimator."""
    if _routing_enabled():
        estimator.set_fit_request(sample_weight=True)
    return estimator


def _default_aggregator() -> LabelModelAggregator:
    return _with_requests(LabelModelAggregator())


def _fit_and_vote(
    labeler: BaseEstimator, X: Any, y: Any, fit_params: dict[str, Any]
) -> np.ndarray:
    if hasattr(labeler, "fit_transform"):
        return np.asarray(labeler.fit_transform(X, y, **fit_params))
    # A frozen labeler has no fit_transform.
    return np.asarray(labeler.fit(X, y, **fit_params).transform(X))


def _listed_classes(labeler: BaseEstimator) -> Any:
    """Find the classes that a labeler, or one inside of it, is given or knows."""
    params = labeler.get_params() if hasattr(labeler, "get_params") else {}
    given = [
        classes
        for name, classes in params.items()
        if name.split("__")[-1] == "classes" and classes is not None
    ]
    return given[-1] if given else getattr(labeler, "classes_", None)


@contextmanager
def _part(
    context: CallbackContext,
    name: str,
    annotator: DistilledAnnotator,
    part: BaseEstimator | None,
) -> Iterator[None]:
    """Report the fit of a part, and hand callbacks on if it supports them."""
    task = context.subcontext(name)
    supported = hasattr(part, "set_callbacks")
    with task.propagate_callback_context(part) if supported else nullcontext():
        task.call_on_fit_task_begin(estimator=annotator)
        yield
        task.call_on_fit_task_end(estimator=annotator)
