"""Train a classifier on labels that programs voted for."""

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from copy import copy
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
from sklearn.utils import (
    Bunch,
    Tags,
    _safe_indexing,
    check_random_state,
    check_scalar,
    get_tags,
)
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._repr_html.estimator import _VisualBlock
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
from ._doc_links import DocLinks
from ._embedding_memory import remembering
from ._preflight import (
    check_classes_of_parts,
    check_finite,
    check_parts,
    known_classes,
)
from ._remapped import (
    RemappedAggregator,
    RemappedStudent,
    remap_parameters,
    remap_voter,
    remap_weights,
)
from ._schema_change import N_FINDERS, read_change
from ._warn import warn
from .data import (
    UNLABELED,
    Classes,
    ClassMapping,
    Records,
    as_indexable,
    check_records,
    label_array,
    minus_one_is_open,
    profile_columns,
    read_labels,
)
from .distillation import (
    BELOW_PROMISE,
    GOLD,
    LABEL_FOLDS,
    VOTE_WEIGHT,
    Blend,
    Lesson,
    Promise,
    Scaling,
    Shared,
    blend_held_out,
    check_student,
    choose_rows,
    default_student,
    distil,
    draw_queue,
    fidelity,
    find_promise,
    fit_blend,
    fit_parameter,
    fit_scaling,
    knows_little,
    log_proba,
    plain_sample,
    probabilities,
    sample_rows,
    say_doubts,
    share_features,
    softmax,
    takes,
    tell_source,
    to_frame,
    usual_temperature,
    usual_vote_weight,
)
from .exceptions import FallbackWarning, LabelsWarning, ProgramWarning
from .label_model import check_label_proba, fit_temperature, label_weights
from .streaming import lazy_for_dask
from .votes import ABSTAIN

_logger = logging.getLogger("sklearn_alchemist.distillation")

# Records on which it is tried whether the student can read them, if not all count.
_TRIED = 1000
# A few labels move it only as far as they must; see `fit_temperature`.
_TRUST_IN_USUAL = 4.0


class _Opinions(NamedTuple):
    """What is said of records: in all, by the student and by the votes; the votes."""

    proba: Any
    student: Any
    from_votes: Any
    votes: Any


class DistilledAnnotator(
    CallbackSupportMixin, ClassifierMixin, MetaEstimatorMixin, DocLinks, BaseEstimator
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

    random_state : int, RandomState instance or None, default=None
        Draws these records, and thins labels of unequal chance in `annotate`.

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
        ("student"), and set the temperatures ("temperature").

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
        self.random_state = random_state

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
        kept, n_given = None, _num_samples(X)
        if weight is not None and not weight.all():
            kept = rows = np.flatnonzero(weight)
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
        shared = self._share_or_try(X, records)
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

        self.__dict__.pop("_before", None)
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
            rows, said = self._distil(
                X, shared, votes, gold, weight, params.estimator.fit
            )
        self._memory = Bunch(
            votes=np.array(votes, dtype=np.min_scalar_type(-len(self.classes_))),
            gold=gold,
            label_proba=asked,
            weight=weight,
            taught=gold != UNLABELED,
            rows=rows,
            said=None if said is None else said.astype(np.float32),
            kept=kept,
            n_given=n_given,
            aggregator_params=dict(params.aggregator.fit),
            # What tells later whether other records differ from these.
            profiles=profile_columns(records),
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
        check_is_fitted(self)
        return super().score(X, label_array(y, self.classes_), sample_weight)

    def update(
        self, y: ArrayLike, *, label_proba: ArrayLike | float | None = None
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
        if not hasattr(self, "_memory"):
            raise ValueError(
                "this annotator was fitted by a version that kept no votes: fit again."
            )
        memory = self._memory
        codes = Classes.of_names(self.classes_).encode(y, n_samples=memory.n_given)
        given = codes != UNLABELED
        if not given.any():
            raise ValueError("y holds no label: give at least one, the others missing.")
        asked = check_label_proba(label_proba, given)
        if memory.kept is not None:
            codes, asked, given = (a[memory.kept] for a in (codes, asked, given))
        gold = np.where(given, codes, memory.gold)
        chance = np.where(given, asked, memory.label_proba)
        y = np.full(len(gold), None)
        y[gold != UNLABELED] = self.classes_[gold[gold != UNLABELED]]
        self.__dict__.pop("_before", None)
        self._memory = Bunch(**{**memory, "gold": gold, "label_proba": chance})
        aggregator = self._make_aggregator(learn=True)
        self.aggregator_ = aggregator.fit(
            memory.votes,
            y,
            **memory.aggregator_params,
            **self._label_proba_for_aggregator(chance),
        )
        self._weigh_parts()
        return self

    def remap(
        self,
        mapping: Mapping[Any, Any],
        X: Any = None,
        y: ArrayLike | None = None,
        *,
        label_proba: ArrayLike | float | None = None,
        n_programs: int = N_FINDERS,
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
            for name in ("_memory", "_held_out"):
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
        if hasattr(self, "_memory"):
            memory = self._memory
            said = memory.said
            if said is not None:
                said = change.map_proba(self.scaling_(said), prior).astype(np.float32)
            remapped._memory = Bunch(
                **{
                    **memory,
                    "votes": change.map_codes(memory.votes),
                    "gold": change.map_codes(memory.gold),
                    "said": said,
                }
            )
        if hasattr(self, "_held_out"):
            remapped._held_out = change.map_proba(self._held_out, prior)
        return remapped

    def annotate_batches(
        self, batches: Iterable[Any], **parameters: Any
    ) -> Iterator[Any]:
        """Label more records than memory holds.

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
        y: ArrayLike | None = None,
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
        codes, sure = said.proba.argmax(axis=1), said.proba.max(axis=1)
        doubt = say_doubts(*said, threshold=flag_below)
        source = tell_source(said.proba, said.student, said.from_votes, said.votes)
        gold = np.full(len(codes), UNLABELED)
        if y is not None:
            gold = Classes.of_names(self.classes_).encode(y, n_samples=len(codes))
        given = gold != UNLABELED
        promise = None
        if target_error is not None:
            asked = check_label_proba(label_proba, given)
            promise = self._promise(said.proba, gold, asked, target_error, confidence)
            if promise.threshold is None:
                warn(
                    f"An error of at most {target_error:.1%} cannot be promised: "
                    f"{promise.reason}. Nothing is flagged on that ground.",
                    LabelsWarning,
                )
            else:
                below = sure < promise.threshold
                doubt[~below] = ""
                doubt[below & (doubt == "")] = BELOW_PROMISE
        codes = np.where(given, gold, codes)
        doubt[given], source[given] = "", GOLD
        annotation = Bunch(
            label=self.classes_[codes],
            confidence=np.where(given, 1.0, sure),
            source=source,
            flag=doubt != "",
            doubt=doubt,
            proba=said.proba,
            student_proba=said.student,
            votes_proba=said.from_votes,
            votes=said.votes,
            programs=self._program_names(said.votes.shape[1]),
            promise=promise,
        )
        return to_frame(annotation, self.classes_, X) if as_frame else annotation

    def _promise(
        self,
        proba: np.ndarray,
        gold: np.ndarray,
        label_proba: np.ndarray,
        target_error: float,
        confidence: float,
    ) -> Promise:
        """Judge by labels given now or to `fit`, whichever are more."""
        rng = self._random()
        drawn = plain_sample(label_proba, rng)
        memory = getattr(self, "_memory", None)
        if memory is not None and memory.said is not None:
            before = plain_sample(memory.label_proba[memory.rows], rng)
            if len(before) > len(drawn):
                drawn, gold = before, memory.gold[memory.rows]
                proba = self._held_out
        codes = proba.argmax(axis=1)
        return find_promise(
            proba.max(axis=1),
            drawn,
            codes[drawn] != gold[drawn],
            target_error=target_error,
            confidence=confidence,
        )

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

    def _make_aggregator(self, *, learn: bool | None = None) -> BaseEstimator:
        """Copy the aggregator and tell it the classes, so that no fold shifts them."""
        if self.aggregator is None:
            aggregator = _default_aggregator()
        else:
            aggregator = clone(self.aggregator)
        # Whatever the aggregator does by itself: here, one parameter decides.
        names = aggregator.get_params()
        learning = [n for n in names if n.split("__")[-1] == "semi_supervised"]
        learn = self.learn_from_labels if learn is None else learn
        aggregator.set_params(**dict.fromkeys(learning, learn))
        if isinstance(aggregator, LabelModelAggregator):
            aggregator._in_annotator = True
        for name, value in names.items():
            if name.split("__")[-1] == "program_groups" and value is not None:
                groups = _positions(value, self._program_names().tolist())
                aggregator.set_params(**{name: groups})
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
        change = _given_classes(self.labeler)[1]
        if change is not None and (message := change.explain_labels(y)):
            raise ValueError(message)
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
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Train the student; return the rows it saw and what it says of them unseen."""
        from_votes = self.aggregator_.predict_proba(votes)
        heard = _weight_of_heard(votes, weight)
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
            )
        self.estimator_ = distilled.student
        return rows, distilled.said

    def _weigh_parts(self) -> None:
        """Decide how much student and votes count, and how sure they may be."""
        memory = self._memory
        rows, said = memory.rows, memory.said
        from_votes = self.aggregator_.predict_proba(memory.votes)
        weight = np.ones(len(from_votes)) if memory.weight is None else memory.weight
        heard = _weight_of_heard(memory.votes, memory.weight)
        self.class_prior_ = np.average(from_votes, axis=0, weights=heard)
        prior, n_classes = self.class_prior_, len(self.classes_)
        labelled = memory.gold != UNLABELED
        n_labels = _count(weight[labelled].sum())
        judging = getattr(self.aggregator_, "label_use_", {}).get("accuracies", 0)
        self.temperatures_ = {"both": 1.0, "student": 1.0, "votes": 1.0}
        self.shift_ = np.zeros(n_classes)
        self.label_use_ = {
            "given": n_labels,
            "accuracies": judging,
            "student": _count(weight[memory.taught].sum()),
            "temperature": 0 if said is None else n_labels,
        }
        self.vote_weight_ = np.full(
            n_classes,
            VOTE_WEIGHT
            if isinstance(self.vote_weight, str)
            else float(self.vote_weight),
        )
        if said is None:
            self.scaling_ = Scaling(1.0, np.zeros(n_classes))
            return
        known = np.where(
            labelled[rows, None], np.eye(n_classes)[memory.gold[rows]], from_votes[rows]
        )
        self.scaling_ = fit_scaling(said, known, heard[rows])
        student = self.scaling_(said)
        good = fidelity(student, known, heard[rows])
        if isinstance(self.vote_weight, str):
            self.vote_weight_ = usual_vote_weight(good)
            if knows_little(student, known, heard[rows]):
                self.vote_weight_ = np.full(n_classes, np.inf)
                self._tell_little()
        expected = usual_temperature(self.vote_weight_, from_votes[rows], heard[rows])
        self.temperatures_["both"] = expected
        usual = Blend(self.vote_weight_, self.shift_, expected)
        asked = labelled[rows]
        self._held_out = usual(student, from_votes[rows], prior)
        if not asked.any():
            return
        chance, counted = memory.label_proba[rows], weight[rows].copy()
        drawn = ~np.isnan(chance)
        counted[drawn] *= label_weights(1 / chance[drawn], counted[drawn])
        codes, counted = memory.gold[rows][asked], counted[asked]
        opinions = {"student": student[asked], "votes": from_votes[rows][asked]}
        for name, proba in opinions.items():
            self.temperatures_[name] = fit_temperature(
                proba,
                codes,
                counted,
                expected=expected,
                strength=_TRUST_IN_USUAL,
            )
        said_of = (student[asked], from_votes[rows][asked])
        blend = fit_blend(*said_of, prior, codes, counted, usual)
        self._held_out = blend(student, from_votes[rows], prior)
        # Of labels that neither it nor the aggregator did learn from.
        said_of = (student[asked], self._votes_unseen()[rows][asked])
        self._held_out[asked] = blend_held_out(*said_of, prior, codes, counted, usual)
        self.temperatures_["both"] = blend.temperature
        self.shift_ = blend.shift
        if isinstance(self.vote_weight, str):
            self.vote_weight_ = blend.vote_weight

    def _votes_unseen(self) -> np.ndarray:
        """Say what votes say of rows, by aggregators without the labels of these."""
        memory = self._memory
        proba = self.aggregator_.predict_proba(memory.votes)
        use = getattr(self.aggregator_, "label_use_", {})
        known = memory.rows[memory.gold[memory.rows] != UNLABELED]
        if memory.said is None or not use.get("accuracies") or len(known) < LABEL_FOLDS:
            return proba
        y = np.full(len(memory.gold), None)
        labelled = memory.gold != UNLABELED
        y[labelled] = self.classes_[memory.gold[labelled]]
        for k in range(LABEL_FOLDS):
            rows = known[k::LABEL_FOLDS]
            others, chance = y.copy(), memory.label_proba.copy()
            others[rows], chance[rows] = None, np.nan
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the fit to all labels said before
                aggregator = self._make_aggregator(learn=True).fit(
                    memory.votes,
                    others,
                    **memory.aggregator_params,
                    **self._label_proba_for_aggregator(chance),
                )
            proba[rows] = aggregator.predict_proba(memory.votes[rows])
        return proba

    def _tell_little(self) -> None:
        if self.predict_with == "both":
            _logger.info("fallback to the votes: the student agrees by chance only")
            warn(
                "On records that it did not see, the student agrees with the votes "
                "hardly more than by chance, so the votes answer alone. Give more "
                "records, or a student that can read them, such as encoder_student.",
                FallbackWarning,
            )

    def _opinions(self, X: Any, *, ask_all: bool) -> "_Opinions":
        """Ask those whom `predict_with` names, or all, once."""
        check_is_fitted(self)
        if hasattr(self, "_before"):
            return self._older_opinions(X, ask_all=ask_all)
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        if not records.n_rows:
            nothing = np.empty((0, len(self.classes_)))
            return _Opinions(nothing, nothing, nothing, self._vote(X))
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
        return _Opinions(proba, student, from_votes, votes)

    def _combine(self, student: Any, from_votes: Any) -> np.ndarray:
        """Give the probabilities of those whom `predict_with` names."""
        temperature = self.temperatures_[self.predict_with]
        if self.predict_with == "both":
            return self._blend()(student, from_votes, self.class_prior_)
        proba = student if self.predict_with == "student" else from_votes
        if temperature != 1.0:
            proba = softmax(log_proba(proba) / temperature)
        return proba

    def _older_opinions(self, X: Any, *, ask_all: bool) -> "_Opinions":
        """Ask who was fitted on classes of before, and say it for those of now."""
        older, change = copy(self._before[0]), self._before[1]
        older.predict_with, older.vote_weight = self.predict_with, self.vote_weight
        said = older._opinions(X, ask_all=ask_all)

        def mapped(proba: Any) -> Any:
            if proba is None:
                return None
            return change.map_proba(proba, older.class_prior_)

        return _Opinions(
            mapped(said.proba),
            mapped(said.student),
            mapped(said.from_votes),
            None if said.votes is None else change.map_codes(said.votes),
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Of a version that knew one weight, and learned from all rows.
        for name, value in (("max_training_rows", None), ("random_state", None)):
            if not hasattr(self, name):
                setattr(self, name, value)
        if hasattr(self, "class_prior_") and not hasattr(self, "vote_weight_"):
            self.vote_weight_ = np.full(len(self.classes_), float(self.vote_weight))
            self.shift_ = np.zeros(len(self.classes_))

    def _blend(self) -> Blend:
        weight = self.vote_weight_
        if not isinstance(self.vote_weight, str):
            weight = np.full(len(self.classes_), float(self.vote_weight))
        return Blend(weight, self.shift_, self.temperatures_["both"])

    def _vote(self, X: Any) -> np.ndarray:
        return np.asarray(self.labeler_.transform(X))

    def _program_names(self, n_programs: int = 0) -> np.ndarray:
        voter = self.labeler_
        while hasattr(voter, "steps"):  # those before need not name what they give
            voter = voter.steps[-1][1]
        if hasattr(voter, "get_feature_names_out"):
            return voter.get_feature_names_out()
        return np.array([f"program_{j}" for j in range(n_programs)], dtype=object)

    def _student_input(self, X: Any, records: Records) -> Any:
        """Bring `X` into a form that the student can take."""
        # A column of texts in a table of the user's stays one for a student of theirs.
        if records.is_text and (self.estimator is None or records.is_sequence):
            return records.texts()
        return records.array() if self.estimator is None else as_indexable(X)

    def _allows_nan(self) -> bool:
        return takes(self.estimator, "allow_nan")

    def _sk_visual_block_(self) -> _VisualBlock:
        """Draw all three parts, also those that stand for None."""
        parts = {
            "labeler": getattr(self, "labeler_", self.labeler),
            "aggregator": getattr(self, "aggregator_", self.aggregator),
            "estimator": getattr(self, "estimator_", self.estimator),
        }
        if parts["aggregator"] is None:
            parts["aggregator"] = LabelModelAggregator()
        if parts["estimator"] is None:  # which, X decides
            parts["estimator"] = "LogisticRegression"
        names = {
            name: part if isinstance(part, str) else type(part).__name__
            for name, part in parts.items()
        }
        return _VisualBlock(
            "serial",
            list(parts.values()),
            names=[f"{name}: {called}" for name, called in names.items()],
            name_details=[str(part) for part in parts.values()],
        )

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


def _weight_of_heard(votes: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Weigh the rows on which a program votes; all rows if there is none."""
    heard = (votes != ABSTAIN).any(axis=1)
    counted = heard if heard.any() else np.ones(len(votes), dtype=bool)
    return counted * (1.0 if weight is None else weight)


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


def _positions(groups: Any, names: list[str]) -> list[list[int]]:
    """Say which programs are meant by names, as votes come without."""
    places = {name: j for j, name in enumerate(names)}
    unknown = [
        program
        for group in groups
        for program in group
        if isinstance(program, str) and program not in places
    ]
    if unknown:
        raise ValueError(
            f"program_groups of the aggregator holds {unknown[0]!r}, which is no "
            f"program; programs are {', '.join(names)}."
        )
    return [[places.get(program, program) for program in group] for group in groups]


def _listed_classes(labeler: BaseEstimator) -> Any:
    """Find the classes that a labeler, or one inside of it, is given or knows."""
    listed, change = _given_classes(labeler)
    if listed is None:
        return getattr(labeler, "classes_", None)
    return listed if change is None else change.after.described


def _given_classes(labeler: BaseEstimator) -> tuple[Any, ClassMapping | None]:
    """Find the classes that a labeler is given, and what became of them."""
    params = labeler.get_params() if hasattr(labeler, "get_params") else {}
    listed, change = None, None
    for name, classes in params.items():
        if name.split("__")[-1] == "classes" and classes is not None:
            mapping = params.get(name.removesuffix("classes") + "class_mapping")
            listed = classes
            change = read_change(mapping, Classes.listed(classes)) if mapping else None
    return listed, change


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
