"""Label records with programs that a language model writes."""

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from . import llm as _llm
from . import programs as _programs
from . import synthesis as _synthesis
from ._records import Records, check_labels, check_records, describe_classes
from .exceptions import (
    ColumnNamesWarning,
    ProgramRejected,
    ProgramWarning,
    SynthesisError,
)
from .llm import LLM, Completion, Question, Usage
from .programs import LabelingProgram
from .votes import check_classes

if TYPE_CHECKING:
    from .programs import RunResult
    from .synthesis import Brief, Rejection

# Enough to see a program fail or stay silent, little enough to cost nothing.
_N_TRIED = 200
# Steps of the progress bar while programs run.
_N_STEPS = 100


class ProgramSynthesisLabeler(CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """Label records with programs that a language model writes.

    The model is asked `n_programs` times, whatever the number of records; the programs
    then vote on any number of records, locally and for free. They are kept as readable
    source text and run in a locked-down worker process, never in the caller's.

    No record is shown to the model: what is asked depends on the task, the classes and
    the names and types of the columns. All folds of a cross-validation therefore share
    their answers, which a store on disk keeps, so that they are paid once.

    Parameters
    ----------
    llm : str, LLM or None, default=None
        The language model: a name as litellm writes it, such as
        ``"openai/gpt-4o-mini"``, or an `LLM`. Keys are taken from the environment.
        None asks nothing and needs `programs`.

    task : str, default=None
        What is to be decided about a record, in one sentence. Needed to ask a model.

    classes : list, or dict of class to description, default=None
        The classes to tell apart. Descriptions are shown to the model. None takes
        them from the `y` given to `fit`.

    n_programs : int, default=10
        Number of programs, those in `programs` included.

    programs : str, path, or list of LabelingProgram or callable, default=None
        Programs that exist already: a folder as `export_programs` writes it, or
        programs, or Python functions. They are kept as they are; the model is asked
        only for what is missing to `n_programs`.

    timeout : float, default=1.0
        Seconds that one program may take for one record before it is stopped.

    n_jobs : int, default=None
        Number of worker processes. None is 1 unless in a
        :obj:`joblib.parallel_config` context, -1 is one a core.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted: the vote ``k`` stands for ``classes_[k]``.

    programs_ : list of LabelingProgram
        The programs, in the order of the columns of the votes.

    rejected_ : list of Rejection
        Answers that gave no usable program, with the reason.

    conversation_ : list of (Question, Completion)
        All that was said to the model and what it answered.

    usage_ : Usage
        Calls, tokens and dollars, split into what was paid and what the store held.

    n_features_in_ : int
        Number of columns seen during ``fit``; 1 for texts.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when all of them are strings.

    See Also
    --------
    LabelModelAggregator : Turns the votes into labels.
    DistilledAnnotator : Trains a classifier on the labels.

    References
    ----------
    .. [1] T.-H. Huang, C. Cao, V. Bhargava and F. Sala, "The ALCHEmist: Automated
       Labeling 500x CHEaper Than LLM Data Annotators", NeurIPS 2024.

    Examples
    --------
    >>> from sklearn_alchemist import LLM, ProgramSynthesisLabeler
    >>> def answer(prompt):
    ...     return "def label(text): return 'spam' if 'http' in text else None"
    >>> labeler = ProgramSynthesisLabeler(
    ...     LLM.from_callable(answer),
    ...     task="Is this comment spam?",
    ...     classes=["ham", "spam"],
    ...     n_programs=1,
    ... )
    >>> labeler.fit_transform(["see http://example.org", "nice song"])
    array([[ 1],
           [-1]], dtype=int8)
    >>> print(labeler.programs_[0])
    def label(text): return 'spam' if 'http' in text else None
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "llm": [str, LLM, None],
        "task": [str, None],
        "classes": ["array-like", dict, None],
        "n_programs": [Interval(Integral, 1, None, closed="left")],
        "programs": [str, os.PathLike, list, tuple, None],
        "timeout": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        llm: str | LLM | None = None,
        *,
        task: str | None = None,
        classes: Iterable[Any] | dict[Any, str | None] | None = None,
        n_programs: int = 10,
        programs: "str | os.PathLike[str] | Sequence[Any] | None" = None,
        timeout: float = 1.0,
        n_jobs: int | None = None,
    ) -> None:
        self.llm = llm
        self.task = task
        self.classes = classes
        self.n_programs = n_programs
        self.programs = programs
        self.timeout = timeout
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Get the programs written, and try them on a few records.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table. Only the names and types of its columns are told to the
            model.

        y : array-like of shape (n_samples,), default=None
            Labels. They name the classes where `classes` does not, and are not used
            otherwise.

        Returns
        -------
        self : ProgramSynthesisLabeler
            The fitted labeler.

        Raises
        ------
        ValueError, TypeError
            If the data, the classes or the task cannot be used.

        LLMError
            If the model cannot be asked. Answers received so far stay in the store.

        SynthesisError
            If no answer holds a usable program.

        ProgramRejected
            If one of the given `programs` may not be run.

        Warns
        -----
        ProgramWarning
            If answers hold no usable program, or a program does not vote.
        """
        context = self._init_callback_context(max_subtasks=1)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        self._fit(X, y, context)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: ArrayLike | None = None) -> np.ndarray:
        """Get the programs written and run them.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        y : array-like of shape (n_samples,), default=None
            Labels, used as in `fit`.

        Returns
        -------
        votes : ndarray of shape (n_samples, n_programs)
            Indices into ``classes_``, -1 where a program abstains.
        """
        context = self._init_callback_context(max_subtasks=2)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        records = self._fit(X, y, context)
        task = context.subcontext("run programs", max_subtasks=_N_STEPS)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        on_rows = _report_rows(task, self, records.n_rows)
        votes = self._vote(records, on_rows).votes
        task.call_on_fit_task_end(estimator=self, X=X, y=y)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return votes

    def transform(self, X: Any) -> np.ndarray:
        """Run the programs.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        votes : ndarray of shape (n_samples, n_programs)
            Indices into ``classes_`` in the smallest signed integer type that holds
            them, -1 where a program abstains or fails.

        Warns
        -----
        ProgramWarning
            If a program fails on a record: it raises an error, takes too long, or
            returns what is no class.
        """
        return self.run(X).votes

    def run(self, X: Any) -> "RunResult":
        """Run the programs and tell how it went.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        result : RunResult
            Votes, and per program its failures and the seconds it took.

        Warns
        -----
        ProgramWarning
            If a program fails on a record.
        """
        check_is_fitted(self)
        return self._vote(check_records(self, X, reset=False))

    def export_programs(self, folder: "str | os.PathLike[str]") -> None:
        """Write the programs into a folder, to be read and corrected.

        Corrected programs are used by
        ``labeler.set_params(programs=folder, llm=None).fit(X)``.

        Parameters
        ----------
        folder : str or path
            The folder to write, one Python file a program.
        """
        check_is_fitted(self)
        _programs.write_programs(self.programs_, folder)

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Name the programs.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Only used to validate feature names with the names seen in `fit`.

        Returns
        -------
        feature_names_out : ndarray of shape (n_programs,) of str objects
            Names of the programs.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features, generate_names=False)
        return np.array([program.name for program in self.programs_], dtype=object)

    def _fit(self, X: Any, y: ArrayLike | None, context: CallbackContext) -> Records:
        """Do the work of `fit`; return the validated records."""
        records = check_records(self, X, reset=True)
        self.classes_, described = self._settle_classes(X, y)
        # What can fail without the model fails before the model is asked.
        given = _programs.load_programs(self.programs, list(described))
        given, unfit, silent = self._try(given, records, keep_failing=True)
        for rejection in unfit:
            raise ProgramRejected(rejection.reason)
        n_missing = self.n_programs - len(given) if self.llm is not None else 0
        if not given and n_missing < 1:
            raise ValueError(
                "there is nothing to fit: give an llm to write programs, or programs."
            )
        usable: list[LabelingProgram] = []
        self.rejected_: list[Rejection] = []
        self.conversation_: list[tuple[Question, Completion]] = []
        self.usage_ = Usage()
        if n_missing > 0:
            brief = self._brief(records, described)
            taken = {program.name for program in given}
            written = self._ask(brief, n_missing, taken, context)
            usable, unfit, unheard = self._try(written, records)
            self.rejected_ += unfit
            silent += unheard
        self.programs_ = given + usable
        if not self.programs_:
            raise SynthesisError(_synthesis.say_nothing_usable(self.rejected_))
        if self.rejected_:
            losses = _synthesis.say_rejected(self.rejected_, len(self.programs_))
            warnings.warn(losses, ProgramWarning, stacklevel=2)
        if silent:
            n_tried = min(records.n_rows, _N_TRIED)
            silence = _synthesis.say_silent(silent, n_tried)
            warnings.warn(silence, ProgramWarning, stacklevel=2)
        return records

    def _settle_classes(
        self, X: Any, y: ArrayLike | None
    ) -> tuple[np.ndarray, dict[Any, str | None]]:
        """Find the classes: sorted, and as described by the user."""
        if self.classes is not None:
            classes = check_classes(self.classes)
            if y is not None:
                check_labels(X, y, classes)
            return classes, describe_classes(self.classes)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None: give classes=[...], or a y that names the classes."
            )
        classes = np.unique(check_labels(X, y, None))
        return classes, describe_classes(classes)

    def _brief(self, records: Records, described: dict[Any, str | None]) -> "Brief":
        """Describe what programs are to do; raise what must not cost money."""
        if self.task is None or not self.task.strip():
            raise ValueError(
                "task is empty: say in one sentence what is to be decided about a "
                "record, such as task='Is this comment spam?'."
            )
        if len(described) < 2:
            raise ValueError(
                f"y holds only one class, {list(described)!r}: at least two are needed "
                "to tell records apart."
            )
        if not records.is_named:
            warnings.warn(
                "X has no column names, so the language model cannot know what its "
                "columns mean: pass a DataFrame.",
                ColumnNamesWarning,
                stacklevel=2,
            )
        return _synthesis.Brief(self.task, described, records.kinds, records.is_text)

    def _ask(
        self,
        brief: "Brief",
        n_programs: int,
        taken: set[str],
        context: CallbackContext,
    ) -> list[LabelingProgram]:
        """Get programs from the language model; keep what they cost."""
        llm = LLM(self.llm) if isinstance(self.llm, str) else self.llm
        assert llm is not None
        slots, questions = _synthesis.questions_for(brief, n_programs, taken=taken)
        task = context.subcontext("ask for programs", max_subtasks=n_programs)
        task.call_on_fit_task_begin(estimator=self)

        def on_answer(_: int) -> None:
            answer = task.subcontext("answer").call_on_fit_task_begin(estimator=self)
            answer.call_on_fit_task_end(estimator=self)

        answers = _llm.ask(llm, questions, on_answer=on_answer)
        task.call_on_fit_task_end(estimator=self)
        self.usage_ = answers.usage
        self.conversation_ = list(zip(questions, answers.completions, strict=True))
        read = _synthesis.read_answers(slots, questions, answers.completions)
        self.rejected_ = read.rejected
        return read.programs

    def _try(
        self,
        programs: list[LabelingProgram],
        records: Records,
        *,
        keep_failing: bool = False,
    ) -> "tuple[list[LabelingProgram], list[Rejection], list[str]]":
        """Sort programs into usable, unfit and silent on a few records."""
        return _synthesis.try_programs(
            programs,
            records.sample(_N_TRIED),
            self.classes_.tolist(),
            timeout=self.timeout,
            keep_failing=keep_failing,
        )

    def _vote(
        self, records: Records, on_rows: Callable[[int], None] | None = None
    ) -> "RunResult":
        """Run all programs on validated records; warn of what failed."""
        result = _programs.run_programs(
            self.programs_,
            records.columns,
            self.classes_.tolist(),
            timeout=self.timeout,
            n_jobs=self.n_jobs,
            on_rows=on_rows,
        )
        if any(result.failures):
            failures = _synthesis.say_failed(self.programs_, result)
            warnings.warn(failures, ProgramWarning, stacklevel=2)
        return result

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "programs_", ()))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.classes is None
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _report_rows(
    task: CallbackContext, labeler: ProgramSynthesisLabeler, n_rows: int
) -> Callable[[int], None]:
    """Turn numbers of finished records into steps of a progress bar."""
    finished = steps = 0

    def on_rows(n_finished: int) -> None:
        nonlocal finished, steps
        finished += n_finished
        while steps < _N_STEPS * finished // n_rows:
            step = task.subcontext("records").call_on_fit_task_begin(estimator=labeler)
            step.call_on_fit_task_end(estimator=labeler)
            steps += 1

    return on_rows
