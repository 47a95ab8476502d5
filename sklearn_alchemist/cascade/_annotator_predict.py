"""Label with a fitted cascade: whom it asks, and what it expects of that."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from .._utils import LabelsLike
from ..data import Classes, ProbaClassifierMixin, check_records, frame_like, is_dask
from ..distillation import UNSURE, DistilledAnnotator
from ..streaming import lazy_for_dask
from ..streaming._spending import Spent, limit
from ..zero_shot import Reading
from ._annotate import COLUMNS, NOT_ASKED, NOT_STORED, Chosen, annotate_read
from ._cost_frontier import frontier_of
from ._duplicates import record_key
from ._error_target import Target
from ._llm_reader import ANSWER_TOKENS, LLMReader
from ._reader_accuracy import NO_ANSWER, Reader
from ._records_to_ask import Limits, View
from ._second_reader import read_people

if TYPE_CHECKING:
    from ..synthesis import CostEstimate

_ANNOTATOR = "annotator"


class CascadePredictMixin(ProbaClassifierMixin, BaseEstimator):
    """What a fitted cascade says of records, and asks about them."""

    # What the cascade has learned and can do.
    classes_: np.ndarray
    annotator_: Any
    answers_: dict[str, int]
    threshold_: float
    target_: Target | None
    _reader: Reader
    _tokens_per_byte: float
    _allows_nan: Callable[[], bool]
    _ask: Callable[[Sequence[Any]], Reading]
    _dollars: Callable[[Sequence[Any]], np.ndarray]
    _limits: Callable[[], Limits]
    _model: Callable[[], LLMReader | None]

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
        codes = self._known(rows, [*map(record_key, rows)], gain)
        return self._reader.posterior(proba, codes)

    predict = lazy_for_dask(ProbaClassifierMixin.predict)

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
        annotation = self._annotate(X, answers, flag_below)
        return _to_frame(annotation, X) if as_frame else annotation

    def annotate_batches(
        self,
        batches: Iterable[Any],
        *,
        as_frame: bool = False,
        flag_below: float = 0.7,
    ) -> Iterator[Any]:
        """Label more records than memory holds, and ask within one budget.

        The caps of one call hold for all batches together. Those that come first are
        read first: records above the threshold, those worth most of each batch first,
        until the budget ends; then the annotator labels alone.

        Parameters
        ----------
        batches : iterable of array-like
            Each what `annotate` takes. A batch is read when its labels are asked for.

        as_frame, flag_below : bool and float
            As in `annotate`.

        Returns
        -------
        annotations : iterator of Bunch or DataFrame
            What `annotate` gives for each batch, in order.

        See Also
        --------
        streaming.label_files : Label files, and go on after an interruption.
        """
        check_is_fitted(self)
        return self._annotate_each(batches, as_frame, flag_below)

    def _annotate_each(
        self, batches: Iterable[Any], as_frame: bool, flag_below: float
    ) -> Iterator[Any]:
        """Label batch after batch, each with what those before left of the caps."""
        spent = Spent()
        for X in batches:
            annotation = limit(self, spent)._annotate(X, None, flag_below)
            spent += Spent.of_annotation(annotation)
            yield _to_frame(annotation, X) if as_frame else annotation

    def _annotate(self, X: Any, answers: Any, flag_below: float) -> Bunch:
        """Label records, and ask as far as this call may."""
        check_is_fitted(self)
        if is_dask(X):
            raise TypeError(
                "X is a Dask collection, and caps hold for one call of annotate, not "
                "for all partitions: write it to files and use "
                "sklearn_alchemist.streaming.label_files, which keeps them, or use "
                "predict, which asks nothing."
            )
        view = self._look(X, flag_below)
        by_person = read_people(answers, view.keys, self.classes_)
        wanted = view.wanted(self.threshold_, by_person)
        within = self._limits().cut(wanted, view.dollars)
        missing = within[view.codes[within] == NO_ANSWER]
        reading = self._ask([view.rows[i] for i in missing])
        model = self._model()
        columns, open_rows, proba = annotate_read(
            view,
            Chosen(wanted, within, missing, reading, by_person),
            self._reader,
            self.classes_,
            asks_people=model is None,
            not_asked=NOT_STORED
            if model is not None and model.is_closed
            else NOT_ASKED,
            flag_below=flag_below,
        )
        return Bunch(
            **columns,
            open=open_rows,
            proba=proba,
            target=self.target_,
            usage=reading.usage,
            n_read=len(within),
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
        from ..synthesis import CostEstimate

        check_is_fitted(self)
        view = self._look(X)
        nobody = np.full(len(view.rows), NO_ANSWER)
        wanted = view.wanted(self.threshold_, nobody)
        chosen = self._limits().cut(wanted, view.dollars)
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
        view, gold = self._look(X), None
        if y is not None:
            gold = Classes.of_names(self.classes_).encode(y, n_samples=len(view.rows))
        return frontier_of(view, self._reader, gold)

    def _look(self, X: Any, flag_below: float = 0.7) -> View:
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
                source=np.full(len(rows), _ANNOTATOR, dtype=object),
                doubt=np.where(unsure, UNSURE, "").astype(object),
            )
        keys, gain = [*map(record_key, rows)], self._reader.gain(said.proba)
        codes, dollars = self._known(rows, keys, gain), self._dollars(rows)
        cost = self._limits().cost(dollars)
        return View(rows, keys, said, said.proba, codes, gain, cost, dollars)

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


def _to_frame(annotation: Bunch, X: Any) -> Any:
    """Write the columns of an annotation as a pandas DataFrame."""
    columns = {name: annotation[name] for name in COLUMNS}
    return frame_like(X, columns, needed_by="annotate(as_frame=True)")
