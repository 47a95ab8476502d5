"""Ask a language model for the class of every record: the baseline."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Bunch, Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from .._utils import DocLinks, LabelsLike, _fit_context, warn
from ..data import (
    Classes,
    ProbaClassifierMixin,
    check_question,
    check_records,
    frame_like,
    is_dask,
)
from ..exceptions import AnswerWarning
from ..llm import LLM, as_llm
from ._asking import Reading, ask_for_labels


class ZeroShotAnnotator(
    CallbackSupportMixin, ProbaClassifierMixin, DocLinks, BaseEstimator
):
    """Ask a language model for the class of every record.

    What everybody pays for today, and what programs are compared with: one call a
    record, or a call for some records together. Nothing is learned. Answers are kept
    in the store of the model, so that after any interruption the same call goes on
    from there, and predicting twice costs once.

    Parameters
    ----------
    llm : str or LLM
        The model, or its name as litellm writes it. The temperature is 0 unless the
        model's ``params`` name another.

    task : str
        What is to be decided about a record, in a sentence.

    classes : list, dict or array-like, default=None
        The classes, or a dict of class to description. None takes them from y.

    rows_per_call : int, default=1
        Number of records that one call asks about. More are cheaper, as the task is
        told once, and less accurate. The records of one call share an answer: other
        neighbours make it another question.

    structured : bool, default=True
        Whether to ask for JSON that keeps to a schema. A server that refuses schemas
        is asked without; the answer is then read as JSON or as words.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.

    n_features_in_ : int
        Number of columns seen during ``fit``; 1 for texts.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when all of them are strings.

    See Also
    --------
    DistilledAnnotator : Asks for programs instead, once for all records.
    inspection.compare_costs : What either costs.

    Examples
    --------
    >>> from sklearn_alchemist import LLM, ZeroShotAnnotator
    >>> def answer(prompt):
    ...     return '{"label": "spam"}' if "http" in prompt else "I would say ham."
    >>> annotator = ZeroShotAnnotator(
    ...     LLM.from_callable(answer), task="Is it spam?", classes=["ham", "spam"]
    ... )
    >>> annotator.fit(["any record"]).predict(["see http://a.example", "nice song"])
    array(['spam', 'ham'], dtype='<U4')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "llm": [str, LLM],
        "task": [str],
        "classes": ["array-like", dict, None],
        "rows_per_call": [Interval(Integral, 1, None, closed="left")],
        "structured": ["boolean"],
    }

    def __init__(
        self,
        llm: str | LLM,
        *,
        task: str,
        classes: Iterable[Any] | dict[Any, str | None] | None = None,
        rows_per_call: int = 1,
        structured: bool = True,
    ) -> None:
        self.llm = llm
        self.task = task
        self.classes = classes
        self.rows_per_call = rows_per_call
        self.structured = structured

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: LabelsLike | None = None) -> Self:
        """Settle the classes and the columns; ask nothing.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features), or None
            Texts, or a table. With None, columns are those of whatever is predicted;
            `classes` names the classes then.

        y : array-like of shape (n_samples,), default=None
            Labels. They name the classes where `classes` does not, and are not used
            otherwise.

        Returns
        -------
        self : ZeroShotAnnotator
            The fitted annotator.

        Raises
        ------
        ValueError, TypeError
            If the data, the classes or the task cannot be used.
        """
        context = self._init_callback_context(max_subtasks=0)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        if X is None and y is None and self.classes is not None:
            self.classes_ = Classes.listed(self.classes).names
            for name in ("n_features_in_", "feature_names_in_", "_takes_texts"):
                self.__dict__.pop(name, None)  # of an earlier fit
        else:
            records = check_records(self, X, reset=True)
            self.classes_ = Classes.resolve(
                self.classes, y, n_samples=records.n_rows, estimator=self
            ).names
        check_question(self.task, self.classes_.tolist())
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Ask for the class of each record, and give it all of the probability.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            1 for the class that was answered, in the order of ``classes_``. The same
            for all classes where the answer is none of them: `predict` gives the first
            one there, which `annotate` tells from an answer.

        Raises
        ------
        LLMError
            If the model cannot be asked. Answers received so far stay in the store:
            the same call goes on from there.

        Warns
        -----
        AnswerWarning
            If answers are no class.
        """
        return self._proba(self._read(X))

    def annotate(self, X: Any, *, as_frame: bool = False) -> Any:
        """Label records and show what was answered.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        as_frame : bool, default=False
            Whether to return a pandas DataFrame, with the index of `X` if it has one.

        Returns
        -------
        annotation : Bunch or DataFrame
            ``label``: ndarray of shape (n_samples,), as `predict` gives it.

            ``confidence``: ndarray of shape (n_samples,), its probability.

            ``flag``: ndarray of shape (n_samples,) of bool, whether the answer is none
            of the classes, so that a person should look.

            ``answer``: ndarray of shape (n_samples,) of str, what was answered.

            ``proba``: ndarray of shape (n_samples, n_classes). Not in a DataFrame.

            ``usage``: Usage, what the answers cost. Not in a DataFrame.
        """
        reading = self._read(X, warns=False)
        proba = self._proba(reading)
        columns = {
            "label": self.classes_[proba.argmax(axis=1)],
            "confidence": proba.max(axis=1),
            "flag": reading.codes < 0,
            "answer": reading.answers,
        }
        if as_frame:
            return frame_like(X, columns, needed_by="annotate(as_frame=True)")
        return Bunch(**columns, proba=proba, usage=reading.usage)

    def _read(self, X: Any, *, warns: bool = True) -> Reading:
        check_is_fitted(self)
        if is_dask(X):
            raise TypeError(
                "X is a Dask collection, each record of which would be a call: pass a "
                "sample, such as X.head(1000), or write it to files and use "
                "sklearn_alchemist.streaming.label_files, which keeps to the caps. "
                "What DistilledAnnotator learns from a model takes Dask collections."
            )
        records = check_records(self, X, reset=False)
        classes = (
            Classes.of_names(self.classes_)
            if self.classes is None
            else Classes.listed(self.classes)
        )
        reading = ask_for_labels(
            as_llm(self.llm),
            self.task,
            # In the order of the codes, whatever the order in which the user wrote.
            classes.sorted_descriptions,
            records.rows(),
            rows_per_call=self.rows_per_call,
            structured=self.structured,
        )
        n_unread = int((reading.codes < 0).sum())
        if n_unread and warns:
            first = str(reading.answers[reading.codes < 0][0])[:80]
            warn(
                f"{n_unread} of {len(reading.codes)} answers are none of the classes, "
                f"such as {first!r}: these records get the same probability for every "
                "class. annotate(X).flag tells which they are.",
                AnswerWarning,
            )
        return reading

    def _proba(self, reading: Reading) -> np.ndarray:
        n_classes = len(self.classes_)
        proba = np.full((len(reading.codes), n_classes), 1 / n_classes)
        answered = reading.codes >= 0
        proba[answered] = np.eye(n_classes)[reading.codes[answered]]
        return proba

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.classes is None
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        # Nothing is learned, so predictions need not agree with labels.
        tags.classifier_tags.poor_score = True
        return tags
