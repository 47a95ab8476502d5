"""Ask a second reader about the records that programs cannot decide."""

import os
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    clone,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Bunch, Tags, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from ._annotator import DistilledAnnotator
from ._annotator_parts import (
    described_classes,
    last_step,
    listed_classes,
    reporting,
)
from ._briefing import as_llm, check_question
from ._doc_links import DocLinks
from ._typing import LabelsLike, _fit_context
from ._warn import warn
from ._zero_shot import ZeroShotAnnotator
from .cascade import (
    ANSWER_TOKENS,
    NO_ANSWER,
    SMALLEST,
    USUAL_ACCURACY,
    JudgeModel,
    Reader,
    Target,
    affordable,
    bound_target,
    draw_records,
    estimate_target,
    first_of,
    fit_reader,
    key_of,
    permanent_numbers,
    read_nothing,
    spread_answers,
    threshold_within,
    trace_frontier,
)
from .data import UNLABELED, Classes, Records, check_records, label_array
from .distillation import LEAST_LABELS, UNSURE, agree_beyond_chance, plain_sample
from .exceptions import LabelsWarning
from .label_model import check_label_proba
from .llm import LLM
from .streaming import is_dask, lazy_for_dask
from .zero_shot import Reading

if TYPE_CHECKING:
    from .synthesis import CostEstimate

NOT_ASKED = "not asked: budget"
NOT_STORED = "not asked: only stored answers may be used"
REFUSED = "the model refused the record"
NO_CLASS = "the model's answer is no class"
WAITS = "waits for a person"
MODEL, PERSON, ANNOTATOR = "model", "person", "annotator"


class _View(NamedTuple):
    """Records, what is thought of them, and what is answered already."""

    rows: list[Any]
    keys: list[str]
    said: Any
    proba: np.ndarray
    codes: np.ndarray
    gain: np.ndarray
    cost: np.ndarray
    dollars: np.ndarray

    @property
    def worth(self) -> np.ndarray:
        return self.gain / self.cost


class CascadeAnnotator(
    CallbackSupportMixin, ClassifierMixin, MetaEstimatorMixin, DocLinks, BaseEstimator
):
    """Ask a second reader about the records that programs cannot decide.

    Programs label for free what is easy for them. The records of which the annotator is
    least sure go to a language model, one call a record, or to people, as far as a
    budget reaches. An answer of the model is one more noisy vote, not the truth: how
    often it is right is learned from the records on which programs agree.

    Parameters
    ----------
    annotator : classifier
        Labels all records, such as a `DistilledAnnotator`. Has ``predict_proba``.

    llm_annotator : ZeroShotAnnotator, LLM, str or None, default=None
        The second reader. A model, or its name as litellm writes it, is asked with the
        task and the classes of the annotator's labeler; a `ZeroShotAnnotator` with its
        own. Each record is judged alone, whatever its ``rows_per_call``. None stands
        for people: `annotate` returns what is open, and takes their answers.

    max_cost : float or None, default=None
        Most dollars that one call of `fit` or `annotate` may pay the model; the smaller
        of it and the model's own ``max_cost`` counts. Needs a known price. Records are
        then ordered by what an answer is worth per dollar, else per record. What the
        labeler asks is held by the caps of its own model.

    max_rows : int or None, default=None
        Most records that one call of `fit` or `annotate` takes to the reader, those
        whose answers are stored already included: the same call asks about the same
        records. A model needs `max_rows` or `max_cost`, here or its own.

    target_error : float or None, default=None
        If given, so many records are read that at most this share of all labels is
        wrong. With 100 random gold labels in y, and the `label_proba` of ``fit`` that
        says so, this is kept with the probability `confidence`, as long as the budget
        reaches; without, it is as good as the annotator's probabilities, and a warning
        says so. See ``target_``.

    confidence : float, default=0.9
        Probability with which `target_error` is kept.

    random_state : int, RandomState instance or None, default=None
        Draws the training records that are asked about. None and an int draw by what
        the records say, so that the same call, or a fold that shares them, asks about
        the same ones.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.

    annotator_ : classifier
        The fitted annotator, which learned from the answers if it has ``update``.

    confusion_ : ndarray of shape (n_classes, n_classes)
        How often the reader gives each answer (columns) for each true class (rows), as
        estimated; for people the identity.

    threshold_ : float
        Records are read from this worth on: expected reduction of the error per record,
        or per dollar where dollars are limited. Infinite where none is.

    answers_ : dict of str to int
        Class indices that were answered in ``fit``, by digests of the records.

    target_ : Target or None
        What `target_error` comes to: ``threshold``, ``error``, ``n_labels``,
        ``is_bound`` and ``reason``.

    usage_ : Usage
        What the answers of ``fit`` cost.

    n_features_in_ : int
        Number of columns seen during ``fit``; 1 for texts.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when all of them are strings.

    See Also
    --------
    DistilledAnnotator : Labels all records without a call a record.
    ZeroShotAnnotator : Asks about every record.
    inspection.FrontierDisplay : Draws accuracy against dollars.

    Examples
    --------
    >>> from sklearn_alchemist import (
    ...     LLM, CascadeAnnotator, DistilledAnnotator, LabelingProgram,
    ...     ProgramSynthesisLabeler,
    ... )
    >>> programs = [
    ...     LabelingProgram("link", "def label(text): return 'http' in text or None"),
    ...     LabelingProgram("song", "def label(text): return 'song' not in text"),
    ... ]
    >>> labeler = ProgramSynthesisLabeler(
    ...     task="Is it spam?", classes=[False, True], programs=programs
    ... )
    >>> def answer(prompt):
    ...     return str("free" in prompt)
    >>> texts = ["http://a free", "what a song", "song of mine", "http song", "hello"]
    >>> cascade = CascadeAnnotator(
    ...     DistilledAnnotator(labeler), LLM.from_callable(answer), max_rows=2
    ... )
    >>> annotation = cascade.fit(texts).annotate(texts)
    >>> int(annotation.asked.sum()) <= 4, annotation.usage.calls <= 2
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "annotator": [HasMethods(["fit", "predict_proba"])],
        "llm_annotator": [ZeroShotAnnotator, LLM, str, None],
        "max_cost": [Interval(Real, 0, None, closed="left"), None],
        "max_rows": [Interval(Integral, 0, None, closed="left"), None],
        "target_error": [Interval(Real, 0, 1, closed="neither"), None],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        annotator: BaseEstimator,
        llm_annotator: ZeroShotAnnotator | LLM | str | None = None,
        *,
        max_cost: float | None = None,
        max_rows: int | None = None,
        target_error: float | None = None,
        confidence: float = 0.9,
        random_state: Any = None,
    ) -> None:
        self.annotator = annotator
        self.llm_annotator = llm_annotator
        self.max_cost = max_cost
        self.max_rows = max_rows
        self.target_error = target_error
        self.confidence = confidence
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
        """Fit the annotator, ask about some records, and learn from the answers.

        Half of the records that are asked about are drawn from all, so that their
        answers tell how good annotator and reader are; the other half are drawn in
        proportion to what an answer is worth. Answers that were received stay in the
        store of the model: after any interruption the same call goes on from there.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        y : array-like of shape (n_samples,), default=None
            Labels, some of which may be missing. They are handed on to the annotator.
            Those of which `label_proba` says how they were drawn also tell how often
            the reader is right, and serve `target_error`.

        label_proba : array-like of shape (n_samples,) or float, default=None
            Probability with which each label was asked for, as in the ``fit`` of
            `DistilledAnnotator`; 1 for a plain random sample.

        **fit_params : dict
            Metadata for the annotator, with metadata routing enabled.

        Returns
        -------
        self : CascadeAnnotator
            The fitted cascade.

        Raises
        ------
        ValueError, TypeError
            If the data, the classes or the task cannot be used, or nothing limits what
            the model may be asked.

        BudgetError
            If a limit in dollars has no price, or does not pay for a single call.

        LLMError
            If a model cannot be asked.

        Warns
        -----
        LabelsWarning
            If `target_error` cannot be promised.
        """
        _raise_for_params(fit_params, self, "fit")
        routed: dict[str, Any] = {}
        if _routing_enabled():
            routed = process_routing(self, "fit", **fit_params).annotator.fit
        records = check_records(self, X, reset=True, allow_nan=self._allows_nan())
        self._check_before_paying(y)
        self._drawn_by = _seed(self.random_state)
        context = self._init_callback_context(max_subtasks=3)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)

        if label_proba is not None and has_fit_parameter(self.annotator, "label_proba"):
            routed = {**routed, "label_proba": label_proba}
        annotator = clone(self.annotator)
        with reporting(context, "annotate", self, annotator):
            self.annotator_ = annotator.fit(X, y, **routed)
        self.classes_ = annotator.classes_
        gold, chance = self._gold(y, label_proba, records.n_rows)

        with reporting(context, "ask", self, None):
            proba = _unseen_proba(annotator, X)
            self._meet_reader(records.rows())
            view = self._start(records, proba)
            asked, drawn_with = self._draw(view, chance)
            reading = self._ask([view.rows[i] for i in asked])
            if reading.shortfall is not None and not reading.reached.any():
                raise reading.shortfall
        with reporting(context, "learn", self, None):
            codes = np.full(records.n_rows, NO_ANSWER)
            codes[asked] = reading.codes
            self._remember(view, codes, reading, [view.rows[i] for i in asked])
            self._learn_reader(proba, codes, gold)
            self._teach(proba, codes, asked, drawn_with, gold)
            proba = _unseen_proba(annotator, X)
            view = self._start(records, proba)
            reached = np.full(records.n_rows, self.llm_annotator is None)
            reached[asked] = reading.reached
            first = first_of(view.keys)
            view = view._replace(codes=codes[first])
            judging = self._judging(chance)
            # Up to the first that the budget did not reach, so that it stays a sample.
            n_judging = int(np.logical_and.accumulate(reached[first][judging]).sum())
            self._set_threshold(view, gold, judging[:n_judging], len(judging))
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    @lazy_for_dask
    def predict_proba(self, X: Any) -> np.ndarray:
        """Estimate the probability of each class; ask nothing.

        Answers of ``fit`` and of the model's store count, whoever asked for them.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities between 0 and 1, in the order of ``classes_``.

        Raises
        ------
        StoreError
            If the store of the model cannot be read.
        """
        check_is_fitted(self)
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        if not records.n_rows:
            return np.empty((0, len(self.classes_)))
        proba = self.annotator_.predict_proba(X)
        rows = records.rows()
        gain = self._reader.gain(proba)
        codes = self._known(rows, [*map(key_of, rows)], gain)
        return self._reader.posterior(proba, codes)

    @lazy_for_dask
    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class; ask nothing.

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
        """Compute the accuracy; ask nothing.

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

    def annotate(
        self,
        X: Any,
        answers: Any = None,
        *,
        as_frame: bool = False,
        flag_below: float = 0.7,
    ) -> Any:
        """Label records, and ask about those above the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        answers : dict, Corrections, str or path-like, default=None
            What people say: a dict of position in `X` to class, a file of corrections
            that a report gave, or what :func:`~inspection.read_corrections` made of it.
            Their answers are final, hold for all equal records, and cost nothing.

        as_frame : bool, default=False
            Whether to return a pandas DataFrame, with the index of `X` if it has one.

        flag_below : float, default=0.7
            Labels that are less probable are flagged.

        Returns
        -------
        annotation : Bunch or DataFrame
            ``label``: ndarray of shape (n_samples,), the most probable class.

            ``confidence``: ndarray of shape (n_samples,), its probability.

            ``source``: ndarray of shape (n_samples,) of str, from whom the label comes:
            "model" or "person" if it is what they answered, else what the annotator
            says, "annotator" if it says nothing.

            ``flag``: ndarray of shape (n_samples,) of bool, whether somebody should
            look.

            ``doubt``: ndarray of shape (n_samples,) of str, why: the record was to be
            read and was not, as the budget ended, the model refused it or its answer is
            no class, or it waits for a person; or what the annotator doubts.

            ``asked``: ndarray of shape (n_samples,) of bool, whether there is an answer
            of the model or of a person.

            ``answer``: ndarray of shape (n_samples,) of objects, the class that was
            answered, or None.

            ``open``: ndarray of int, the records that are still to be read, those that
            are worth most first; of equal ones the first. Not in a DataFrame.

            ``proba``: ndarray of shape (n_samples, n_classes). Not in a DataFrame.

            ``target``: Target or None, what `target_error` comes to. Not in a
            DataFrame.

            ``usage``: Usage, what the answers cost. Not in a DataFrame.

            ``n_read``: int, how many different records count towards `max_rows`: those
            to be read, as far as the budget reaches, though their answers may be known.
            Not in a DataFrame.

        Raises
        ------
        ValueError
            If `answers` name what is no position or no class, or two classes for equal
            records.

        LLMError
            If the model cannot be asked. Answers received so far stay in the store:
            the same call goes on from there.
        """
        check_is_fitted(self)
        if is_dask(X):
            raise TypeError(
                "X is a Dask collection, and caps hold for one call of annotate, not "
                "for all partitions: write it to files and use "
                "sklearn_alchemist.streaming.label_files, which keeps them, or use "
                "predict, which asks nothing."
            )
        view = self._look(X, flag_below)
        n_rows = len(view.rows)
        by_person = self._read_answers(answers, view.keys)
        codes, doubt = view.codes.copy(), view.said.doubt.astype(object)
        wanted = self._wanted(view, by_person)
        chosen = self._within_budget(view, wanted)
        missing = chosen[codes[chosen] == NO_ANSWER]
        reading = self._ask([view.rows[i] for i in missing])
        codes[missing] = reading.codes
        why = np.full(n_rows, "", dtype=object)
        why[wanted] = self._not_asked()
        if self.llm_annotator is None:
            why[chosen] = WAITS
        unread = reading.reached & (reading.codes == NO_ANSWER)
        why[missing[unread]] = np.where(
            reading.answers[unread] == "", REFUSED, NO_CLASS
        )
        is_open = np.zeros(n_rows, dtype=bool)
        is_open[wanted] = codes[wanted] == NO_ANSWER
        is_open[missing[unread]] = False
        if self.llm_annotator is None:  # nobody is given more than may be read
            is_open[np.setdiff1d(wanted, chosen)] = False
        # Of equal records, all have the answer of the one that was asked about.
        first = first_of(view.keys)
        codes, why = np.where(codes == NO_ANSWER, codes[first], codes), why[first]
        proba = self._reader.posterior(view.proba, codes)
        known = by_person != NO_ANSWER
        proba[known] = np.eye(len(self.classes_))[by_person[known]]
        codes = np.where(known, by_person, codes)
        read, label = codes != NO_ANSWER, proba.argmax(axis=1)
        sure = proba.max(axis=1)
        doubt[read] = np.where(sure[read] < flag_below, UNSURE, "")
        doubt = np.where(~read & (why != ""), why, doubt)
        source = np.where(read & (codes == label), MODEL, view.said.source)
        answered = np.full(n_rows, None, dtype=object)
        answered[read] = self.classes_[codes[read]]
        columns = {
            "label": self.classes_[label],
            "confidence": sure,
            "source": np.where(known, PERSON, source).astype(object),
            "flag": doubt != "",
            "doubt": doubt,
            "asked": read,
            "answer": answered,
        }
        if as_frame:
            import pandas as pd

            return pd.DataFrame(columns, index=X.index if hasattr(X, "iloc") else None)
        return Bunch(
            **columns,
            open=wanted[is_open[wanted]],
            proba=proba,
            target=self.target_,
            usage=reading.usage,
            n_read=len(chosen),
        )

    def estimate_cost(self, X: Any) -> "CostEstimate":
        """Tell what `annotate` would ask for and cost; nothing is sent.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        estimate : CostEstimate
            Calls, tokens and dollars; ``stored`` answers cost nothing. Unknown prices
            stay unknown.
        """
        from .synthesis import CostEstimate

        check_is_fitted(self)
        view = self._look(X)
        nobody = np.full(len(view.rows), NO_ANSWER)
        chosen = self._within_budget(view, self._wanted(view, nobody))
        missing = chosen[view.codes[chosen] == NO_ANSWER]
        stored = len(chosen) - len(missing)
        model = self._model()
        if model is None or not len(missing):
            return CostEstimate(stored=stored)
        asked = [view.rows[i] for i in missing]
        dollars = float(view.dollars[missing].sum())
        return CostEstimate(
            calls=len(missing),
            stored=stored,
            prompt_tokens=round(model.n_bytes(asked).sum() * self._tokens_per_byte),
            completion_tokens=ANSWER_TOKENS * len(missing),
            dollars=None if np.isnan(dollars) else dollars,
            max_dollars=model.worst_case(asked),
        )

    def frontier(self, X: Any, y: LabelsLike | None = None) -> Bunch:
        """Tell what accuracy to expect for which dollars; ask nothing.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        y : array-like of shape (n_samples,), default=None
            Labels, some of which may be missing, to see what accuracy really is as far
            as answers are stored.

        Returns
        -------
        frontier : Bunch
            Arrays of shape (n_shares,), the records that are worth most first:

            ``share``, ``rows``: how many records are read.

            ``dollars``: what this costs; NaN where the price is unknown.

            ``expected_accuracy``: what the annotator's probabilities and the estimated
            errors of the reader let expect.

            ``random_accuracy``: the same of as many records drawn at random.

            ``accuracy``: with `y`, the share of right labels; NaN from the first share
            on that stored answers do not reach.

        See Also
        --------
        inspection.FrontierDisplay : Draws it.
        """
        check_is_fitted(self)
        view = self._look(X)
        right_alone = right_read = None
        if y is not None:
            gold = Classes.of_names(self.classes_).encode(y, n_samples=len(view.rows))
            read = self._reader.posterior(view.proba, view.codes)
            unread = (view.codes == NO_ANSWER) & (view.gain > 0)
            right_alone, right_read = (
                np.where(
                    gold == UNLABELED,
                    np.nan,
                    (gold == proba.argmax(axis=1)).astype(float),
                )
                for proba in (view.proba, read)
            )
            right_read[unread] = np.nan
        first = np.array(first_of(view.keys), dtype=int) == np.arange(len(view.rows))
        return trace_frontier(
            view.worth,
            np.where(first, view.dollars, 0.0),
            view.proba.max(axis=1, initial=0.0),
            view.gain,
            right_alone,
            right_read,
        )

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell which metadata goes to the annotator.

        Returns
        -------
        routing : MetadataRouter
            The routing information.
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                annotator=self.annotator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def _check_before_paying(self, y: Any) -> None:
        """Raise what can be seen to fail before programs are paid and fitted."""
        reader = self.llm_annotator
        if reader is None:
            return
        listed = listed_classes(getattr(self.annotator, "labeler", self.annotator))
        own = reader.classes if isinstance(reader, ZeroShotAnnotator) else None
        if own is not None and listed is not None:
            ours, theirs = Classes.listed(listed), Classes.listed(own)
            if ours.names.tolist() != theirs.names.tolist():
                raise ValueError(
                    f"llm_annotator has the classes {theirs.names.tolist()}, and the "
                    f"annotator {ours.names.tolist()}: give both the same."
                )
        model = self._model()
        assert model is not None
        known = listed if listed is not None else own
        named = None if known is None else Classes.listed(known)
        if named is None and y is not None:
            named = Classes.named_by(y)
        if not model.task.strip() and not isinstance(reader, ZeroShotAnnotator):
            raise ValueError(
                "the annotator has no labeler with a task that the model could be "
                "asked: give llm_annotator=ZeroShotAnnotator(llm, task=..., "
                "classes=...)."
            )
        check_question(model.task, ["", ""] if named is None else [*named.described])
        if model.is_closed:
            return
        if self._limits() == (None, None):
            raise ValueError(
                "nothing limits what the model may be asked: set max_rows, or max_cost "
                "in dollars, which hold for each call of fit and annotate."
            )
        from .llm import check_affordable

        check_affordable(model.llm)

    def _model(self) -> JudgeModel | None:
        """Settle whom to ask for what; None where people are asked."""
        reader = self.llm_annotator
        if reader is None:
            return None
        fitted = getattr(self, "annotator_", self.annotator)
        labeler: Any = getattr(fitted, "labeler_", getattr(fitted, "labeler", None))
        labeler = last_step(labeler)
        task, structured, llm = getattr(labeler, "task", None), True, reader
        listed = getattr(labeler, "classes", None)
        if isinstance(reader, ZeroShotAnnotator):
            task, structured, llm = reader.task, reader.structured, reader.llm
            listed = listed if reader.classes is None else reader.classes
        classes = described_classes(listed, getattr(self, "classes_", None))
        model = as_llm(llm)
        assert isinstance(model, LLM)
        caps = [c for c in (self.max_cost, model.max_cost) if c is not None]
        return JudgeModel(
            model.having(max_cost=min(caps, default=None)),
            task or "",
            {} if classes is None else classes.sorted_descriptions,
            structured,
        )

    def _limits(self) -> tuple[int | None, float | None]:
        """Tell the most rows and the most dollars of one call."""
        model = self._model()
        if model is None:
            return self.max_rows, None
        rows = [n for n in (self.max_rows, model.llm.max_calls) if n is not None]
        return min(rows, default=None), model.llm.max_cost

    def _gold(
        self, y: Any, label_proba: Any, n_rows: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read the labels of which it is said how they were drawn."""
        gold = np.full(n_rows, UNLABELED)
        if y is None or label_proba is None:
            return gold, np.full(n_rows, np.nan)
        gold = Classes.of_names(self.classes_).encode(y, n_samples=n_rows)
        chance = check_label_proba(label_proba, gold != UNLABELED)
        return np.where(np.isnan(chance), UNLABELED, gold), chance

    def _meet_reader(self, rows: Sequence[Any]) -> None:
        """Think of the reader what is usual, before its first answer."""
        model, n_classes = self._model(), len(self.classes_)
        self._dearer = 1.0
        if model is None:
            self._tokens_per_byte, self._reader = 0.0, Reader(np.eye(n_classes))
        else:
            self._tokens_per_byte = model.tokens_per_byte(rows)
            self._reader = Reader.symmetric(USUAL_ACCURACY, n_classes)

    def _start(self, records: Records, proba: np.ndarray) -> _View:
        """Look at training records with the reader as far as it is known."""
        rows = records.rows()
        gain = self._reader.gain(proba)
        dollars = self._dollars(rows)
        nobody = np.full(len(rows), NO_ANSWER)
        keys = [*map(key_of, rows)]
        cost = self._cost(dollars)
        return _View(rows, keys, None, proba, nobody, gain, cost, dollars)

    def _draw(self, view: _View, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw the training records to ask about, each with a known chance."""
        nothing = np.empty(0, dtype=int), np.empty(0)
        if self.llm_annotator is None:
            return nothing
        first = np.unique(first_of(view.keys))
        numbers = permanent_numbers([view.keys[i] for i in first], self._drawn_by)
        max_rows, max_cost = self._limits()
        n = len(first)
        if max_rows is not None:
            n = min(n, max_rows)
        if max_cost is not None and view.dollars[first].sum() > 0:
            n = min(n, int(max_cost / view.dollars[first].mean()) + 1)
        judged = first_of(view.keys)[self._judging(chance)]
        judged = judged[np.sort(np.unique(judged, return_index=True)[1])][:n]
        left = np.setdiff1d(first, judged)
        places = np.searchsorted(first, left)
        drawn, with_chance = draw_records(
            view.worth[left], numbers[places], n - len(judged)
        )
        asked = np.concatenate([judged, left[drawn]])
        with_chance = np.concatenate([np.full(len(judged), np.nan), with_chance])
        if max_cost is not None:
            fits = np.cumsum(view.dollars[asked]) <= max_cost
            fits[:1] = True  # one that is too dear is told by whoever keeps the budget
            asked, with_chance = asked[fits], with_chance[fits]
        return asked, with_chance

    def _judging(self, chance: np.ndarray) -> np.ndarray:
        """Take a plain random sample of the labels, in random order."""
        if self.target_error is None:
            return np.empty(0, dtype=int)
        rng = np.random.RandomState(self._drawn_by)
        return rng.permutation(plain_sample(chance, rng))

    def _ask(self, rows: Sequence[Any]) -> Reading:
        model = self._model()
        return read_nothing(len(rows)) if model is None else model.ask(rows)

    def _remember(
        self, view: _View, codes: np.ndarray, reading: Reading, asked: list[Any]
    ) -> None:
        """Keep answers without their records, and what they really cost."""
        self.usage_ = reading.usage
        self.answers_ = {
            key: int(code)
            for key, code in zip(view.keys, codes, strict=True)
            if code != NO_ANSWER
        }
        tally = reading.usage.paid + reading.usage.cached
        expected = self._dollars(asked).sum() if asked else 0.0
        if tally.calls and tally.dollars and expected > 0 and tally.calls == len(asked):
            self._dearer = tally.dollars / float(expected)

    def _learn_reader(
        self, proba: np.ndarray, codes: np.ndarray, gold: np.ndarray
    ) -> None:
        if self.llm_annotator is not None:
            believed = proba.copy()
            if self.target_error is None:  # else labels have to judge the reader
                known = gold != UNLABELED
                believed[known] = np.eye(len(self.classes_))[gold[known]]
            self._reader = fit_reader(believed, codes)
        self.confusion_ = self._reader.confusion

    def _teach(
        self,
        proba: np.ndarray,
        codes: np.ndarray,
        asked: np.ndarray,
        drawn_with: np.ndarray,
        gold: np.ndarray,
    ) -> None:
        """Let the annotator learn from answers as from labels that were drawn so.

        All of them: those that agree with the annotator alone would make it too sure.
        """
        read = (codes[asked] != NO_ANSWER) & (gold[asked] == UNLABELED)
        read &= ~np.isnan(drawn_with)  # those were asked about to judge the reader
        rows = asked[read]
        if not hasattr(self.annotator_, "update") or not len(rows):
            return
        weight = 1 / drawn_with[read]
        own = proba[rows].argmax(axis=1)
        if not agree_beyond_chance(own, codes[rows], weight):
            return
        y, chance = np.full(len(codes), None), np.full(len(codes), np.nan)
        y[rows], chance[rows] = self.classes_[codes[rows]], drawn_with[read]
        self.annotator_.update(y, label_proba=chance)

    def _set_threshold(
        self, view: _View, gold: np.ndarray, drawn: np.ndarray, n_labels: int
    ) -> None:
        """Decide from which worth on records are read."""
        max_rows, max_cost = self._limits()
        first = np.unique(first_of(view.keys))
        worth, ones = view.worth[first], np.ones(len(first))
        by_rows = threshold_within(worth, ones, max_rows)
        by_cost = threshold_within(worth, view.dollars[first], max_cost)
        self.threshold_ = max(by_rows, by_cost if max_cost is not None else SMALLEST)
        self.target_: Target | None = None
        if self.target_error is None:
            return
        alone = view.proba.argmax(axis=1)
        read = self._reader.posterior(view.proba, view.codes).argmax(axis=1)
        if self.llm_annotator is None:
            read = np.where(gold == UNLABELED, alone, gold)
        target = bound_target(
            view.worth,
            drawn,
            alone[drawn] != gold[drawn],
            read[drawn] != gold[drawn],
            target_error=self.target_error,
            confidence=self.confidence,
        )
        if len(drawn) < LEAST_LABELS:
            reason = target.reason
            if len(drawn) < LEAST_LABELS <= n_labels:
                reason = (
                    f"the budget of fit lets the model read {len(drawn)} of the "
                    f"{n_labels} random labels, and {LEAST_LABELS} are needed"
                )
            target = estimate_target(
                view.worth, view.proba, view.gain, target_error=self.target_error
            )
            target = Target(
                target.threshold,
                target.error,
                len(drawn),
                False,
                f"{reason}; {target.reason}" if target.reason else reason,
            )
        self.target_ = target
        self.threshold_ = SMALLEST if target.threshold is None else target.threshold
        if target.reason:
            kept = (
                "is estimated, not bounded"
                if target.threshold is not None
                else ("cannot be kept")
            )
            warn(
                f"An error of at most {self.target_error:.1%} {kept}: {target.reason}.",
                LabelsWarning,
            )

    def _look(self, X: Any, flag_below: float = 0.7) -> _View:
        """Ask the annotator about records, and look up what is answered."""
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        rows = records.rows()
        said: Any
        if isinstance(self.annotator_, DistilledAnnotator) and rows:
            said = self.annotator_.annotate(X, flag_below=flag_below)
        else:
            proba = np.empty((0, len(self.classes_)))
            if rows:
                proba = np.asarray(self.annotator_.predict_proba(X))
            unsure = proba.max(axis=1, initial=0.0) < flag_below
            said = Bunch(
                proba=proba,
                source=np.full(len(rows), ANNOTATOR, dtype=object),
                doubt=np.where(unsure, UNSURE, "").astype(object),
            )
        keys, gain = [*map(key_of, rows)], self._reader.gain(said.proba)
        codes, dollars = self._known(rows, keys, gain), self._dollars(rows)
        cost = self._cost(dollars)
        return _View(rows, keys, said, said.proba, codes, gain, cost, dollars)

    def _known(
        self, rows: Sequence[Any], keys: Sequence[str], gain: np.ndarray
    ) -> np.ndarray:
        """Find the answers of `fit`, and of the store where they could change a label.

        Those of `fit` go first, so that a fitted cascade stays what it is.
        """
        codes = np.array([self.answers_.get(key, NO_ANSWER) for key in keys], dtype=int)
        model = self._model()
        if model is not None:
            missing = np.flatnonzero((codes == NO_ANSWER) & (gain > 0))
            codes[missing] = model.find([rows[i] for i in missing.tolist()])
        return codes

    def _read_answers(self, answers: Any, keys: Sequence[str]) -> np.ndarray:
        """Read what people said; equal records share an answer."""
        if answers is None:
            return np.full(len(keys), NO_ANSWER)
        from .inspection import Corrections, read_corrections

        if isinstance(answers, str | os.PathLike):
            answers = read_corrections(answers)
        if isinstance(answers, Corrections):
            if len(answers.y) != len(keys):
                raise ValueError(
                    f"the corrections are of {len(answers.y)} records, and X has "
                    f"{len(keys)}: pass the records of the report."
                )
            answers = {int(i): answers.y[i] for i in answers.positions}
        if not isinstance(answers, Mapping):
            raise TypeError(
                "answers must be a dict of position to class, or a file of "
                f"corrections; got {type(answers).__name__}."
            )
        return spread_answers(answers, keys, self.classes_)

    def _wanted(self, view: _View, by_person: np.ndarray) -> np.ndarray:
        """Order the different records above the threshold, that worth most first."""
        worth = view.worth
        is_wanted = np.zeros(len(worth), dtype=bool)
        is_wanted[np.unique(first_of(view.keys))] = True
        is_wanted &= (worth >= self.threshold_) & (by_person == NO_ANSWER)
        return affordable(np.where(is_wanted, worth, 0.0), view.cost, None)

    def _within_budget(self, view: _View, wanted: np.ndarray) -> np.ndarray:
        """Cut where the budget of one call ends, stored answers included."""
        max_rows, max_cost = self._limits()
        chosen = wanted[:max_rows]
        if max_cost is not None:
            fits = np.cumsum(view.dollars[chosen]) <= max_cost * (1 + 1e-9)
            chosen = chosen[fits]
        return chosen

    def _not_asked(self) -> str:
        model = self._model()
        closed = model is not None and model.is_closed
        return NOT_STORED if closed else NOT_ASKED

    def _cost(self, dollars: np.ndarray) -> np.ndarray:
        """Tell what is scarce: dollars where they are limited, else records."""
        if self._limits()[1] is None or not (dollars > 0).all():
            return np.ones(len(dollars))
        return dollars

    def _dollars(self, rows: Sequence[Any]) -> np.ndarray:
        """Expect what a call about each record costs; NaN where prices are unknown."""
        model = self._model()
        if model is None:
            return np.zeros(len(rows))
        return model.dollars(rows, self._tokens_per_byte) * self._dearer

    def _allows_nan(self) -> bool:
        return get_tags(self.annotator).input_tags.allow_nan

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        own = get_tags(self.annotator)
        tags.target_tags.required = own.target_tags.required
        tags.input_tags.string = own.input_tags.string
        tags.input_tags.allow_nan = own.input_tags.allow_nan
        tags.classifier_tags.poor_score = True  # as that of a DistilledAnnotator
        return tags


def _unseen_proba(annotator: Any, X: Any) -> np.ndarray:
    """Say what is thought of training records by who did not learn from them."""
    proba = np.array(annotator.predict_proba(X), dtype=float)
    memory = getattr(annotator, "_memory", None)
    held_out = getattr(annotator, "_held_out", None)
    if memory is None or held_out is None or annotator.predict_with != "both":
        return proba
    rows = memory.rows if memory.kept is None else memory.kept[memory.rows]
    proba[rows] = held_out
    return proba


def _seed(random_state: Any) -> int:
    if random_state is None:
        return 0
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
