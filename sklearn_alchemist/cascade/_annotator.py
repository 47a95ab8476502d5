"""Ask a second reader about the records that programs cannot decide."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import has_fit_parameter

from .._utils import DocLinks, LabelsLike, _fit_context, reporting, warn
from ..data import UNLABELED, Classes, Records, check_records
from ..distillation import agree_beyond_chance, plain_sample
from ..exceptions import LabelsWarning
from ..label_model import check_label_proba
from ..llm import LLM
from ..zero_shot import Reading, ZeroShotAnnotator
from ._annotator_predict import CascadePredictMixin
from ._duplicates import record_key
from ._error_target import Target, find_target
from ._llm_reader import LLMReader, read_nothing
from ._reader_accuracy import NO_ANSWER, USUAL_ACCURACY, Reader, fit_reader
from ._records_to_ask import SMALLEST, Limits, View
from ._second_reader import check_reader, resolve_reader
from ._training_sample import draw_training, drawn_answers


class CascadeAnnotator(
    CallbackSupportMixin, MetaEstimatorMixin, DocLinks, CascadePredictMixin
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
        check_reader(
            self.llm_annotator, self.annotator, self._model(), self._limits(), y
        )
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
            judging = self._judging(chance)
            asked, drawn_with = self._draw(view, judging)
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
            first = view.first
            view = view._replace(codes=codes[first])
            # Up to the first that the budget did not reach, so that it stays a sample.
            n_judging = int(np.logical_and.accumulate(reached[first][judging]).sum())
            self._set_threshold(view, gold, judging[:n_judging], len(judging))
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

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

    def _model(self) -> LLMReader | None:
        """Settle whom to ask for what; None where people are asked."""
        annotator = getattr(self, "annotator_", self.annotator)
        classes = getattr(self, "classes_", None)
        return resolve_reader(self.llm_annotator, annotator, classes, self.max_cost)

    def _limits(self) -> Limits:
        """Tell the most rows and the most dollars of one call."""
        model = self._model()
        if model is None:
            return Limits(self.max_rows, None)
        rows = [n for n in (self.max_rows, model.llm.max_calls) if n is not None]
        return Limits(min(rows, default=None), model.llm.max_cost)

    def _dollars(self, rows: Sequence[Any]) -> np.ndarray:
        """Expect what a call about each record costs; NaN where prices are unknown."""
        model = self._model()
        if model is None:
            return np.zeros(len(rows))
        return model.dollars(rows, self._tokens_per_byte) * self._dearer

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

    def _start(self, records: Records, proba: np.ndarray) -> View:
        """Look at training records with the reader as far as it is known."""
        rows = records.rows()
        gain = self._reader.gain(proba)
        dollars = self._dollars(rows)
        nobody = np.full(len(rows), NO_ANSWER)
        keys = [*map(record_key, rows)]
        cost = self._limits().cost(dollars)
        return View(rows, keys, None, proba, nobody, gain, cost, dollars)

    def _draw(self, view: View, judging: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw the training records to ask about, each with a known chance."""
        if self.llm_annotator is None:
            return np.empty(0, dtype=int), np.empty(0)
        return draw_training(view, judging, self._limits(), self._drawn_by)

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
        self, view: View, codes: np.ndarray, reading: Reading, asked: list[Any]
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
        """Let the annotator learn from answers as from labels that were drawn so."""
        rows, chance = drawn_answers(asked, drawn_with, codes, gold)
        if not hasattr(self.annotator_, "update") or not len(rows):
            return
        own = proba[rows].argmax(axis=1)
        if not agree_beyond_chance(own, codes[rows], 1 / chance):
            return
        y, label_proba = np.full(len(codes), None), np.full(len(codes), np.nan)
        y[rows], label_proba[rows] = self.classes_[codes[rows]], chance
        self.annotator_.update(y, label_proba=label_proba)

    def _set_threshold(
        self, view: View, gold: np.ndarray, drawn: np.ndarray, n_labels: int
    ) -> None:
        """Decide from which worth on records are read."""
        self.threshold_ = self._limits().threshold(view)
        self.target_: Target | None = None
        if self.target_error is None:
            return
        read = self._reader.posterior(view.proba, view.codes).argmax(axis=1)
        if self.llm_annotator is None:
            alone = view.proba.argmax(axis=1)
            read = np.where(gold == UNLABELED, alone, gold)
        self.target_ = target = find_target(
            view,
            gold,
            read,
            drawn,
            n_labels,
            target_error=self.target_error,
            confidence=self.confidence,
        )
        kept = "is estimated, not bounded"
        if target.threshold is None:
            kept = "cannot be kept"
        self.threshold_ = SMALLEST if target.threshold is None else target.threshold
        if target.reason:
            warn(
                f"An error of at most {self.target_error:.1%} {kept}: {target.reason}.",
                LabelsWarning,
            )

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
    state = getattr(annotator, "_training_state", None)
    held_out = getattr(annotator, "_held_out", None)
    if state is None or held_out is None or annotator.predict_with != "both":
        return proba
    rows = state.rows if state.kept is None else state.kept[state.rows]
    proba[rows] = held_out
    return proba


def _seed(random_state: Any) -> int:
    if random_state is None:
        return 0
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
