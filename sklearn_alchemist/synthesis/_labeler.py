"""Label records with programs that a language model writes."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .. import programs as _programs
from .. import synthesis as _synthesis
from .._utils import DocLinks, LabelsLike, _fit_context
from ..data import check_records
from ..llm import LLM, Completion, Question, Usage
from ..streaming import lazy_for_dask
from ._labeler_fit import N_STEPS, report_rows
from ._labeler_remap import LabelerRemapMixin

if TYPE_CHECKING:
    from ..programs import RunResult
    from ._prompts import Prompts
    from ._trial import Rejection


class ProgramSynthesisLabeler(
    CallbackSupportMixin, TransformerMixin, LabelerRemapMixin, DocLinks, BaseEstimator
):
    """Label records with programs that a language model writes.

    The model is asked `n_programs` times, whatever the number of records; the programs
    then vote on any number of records, locally and for free. They are kept as readable
    source text and run in a locked-down worker process, never in the caller's.

    Unless `show_data` is set, no record is shown to the model: what is asked depends on
    the task, the classes and the names and types of the columns. All folds of a
    cross-validation therefore share their answers, which a store on disk keeps, so that
    they are paid once.

    Parameters
    ----------
    llm : str, LLM, list of them, or None, default=None
        The language model: a name as litellm writes it, such as
        ``"openai/gpt-4o-mini"``, or an `LLM`. Keys are taken from the environment.
        Several models take turns, each within its own caps. None asks nothing and
        needs `programs`.

    task : str, default=None
        What is to be decided about a record, in one sentence. Needed to ask a model.

    classes : list, or dict of class to description, default=None
        The classes to tell apart. Descriptions are shown to the model. None takes
        them from the `y` given to `fit`.

    n_programs : int, default=10
        Number of programs, those in `programs` included.

    n_scoring : int, default=0
        How many of these are asked for a score of each class instead of one class.
        Their votes are cut at thresholds that `fit` learns, see `run`.

    class_groups : bool or "auto", default=False
        Whether every second program looks after a group of up to eight classes only,
        with more cues for each. "auto" does so from twelve classes on.

    programs : str, path, or list of LabelingProgram or callable, default=None
        Programs that exist already: a folder as `export_programs` writes it, or
        programs, or Python functions. They are kept as they are; the model is asked
        only for what is missing to `n_programs`, and above all for classes that they
        never answer. What was deleted from a folder stays deleted.

    class_mapping : dict or None, default=None
        What became of `classes` since programs were written for them, which is no
        reason to write them again: class -> its new name, or another class with which
        it is merged, or None if there is no such class any more, or a list of classes
        between which it is divided (a dict describes them); the key None lists added
        classes. What programs answer is read accordingly, and `classes_` and `y` are
        the classes of now. The model is asked for three more programs for each class
        that is divided or added, unless there are some in `programs`. `classes` may
        also list the classes of now, all of them. See `remap` for what is fitted.

    program_style : {"python", "rules"}, default="python"
        What the model writes: programs, or, for small and cheap models, phrases,
        patterns and weights for one class a call, of which readable programs are
        made. "rules" needs texts, or a table with a column of str.

    prior_knowledge : str, list of str or None, default=None
        What the model is asked for before it writes programs: ``"rules"``,
        ``"keywords"``, ``"description"`` or ``"examples"``. Of several, each is asked
        once, and the programs take them in turn.

    knowledge : str, Path, list of them, or None, default=None
        Documents from which prior knowledge is answered: a str is a text, a Path a
        text, Markdown or CSV file. The passages nearest to the task are sent to the
        model. With ``prior_knowledge=None`` they are asked for "rules".

    embedder : object with ``encode``, default=None
        Finds these passages, such as a sentence-transformers model. None counts words.

    prior_llm : str, LLM or None, default=None
        Writes prior knowledge, with its own caps. None is `llm`, the first of several.

    max_repairs : int, default=3
        Most calls that ask to mend programs which cannot be used. What is wrong is
        found, and told, by way of records that are made up, so that all folds of a
        cross-validation share these calls too.

    show_data : bool, default=False
        Whether the model may see records: some that are typical, later some that the
        programs so far leave open, shortened; what the columns of a table hold; and the
        records on which a program fails. Other records then give other questions, so
        that the folds of a cross-validation pay one by one.

    learn_from_labels : bool, default=False
        Whether programs that are no better than chance on the labels in `y` are
        dropped. `y` may be partly None, NaN or -1 then, if `classes` is given.

    gate : bool, default=False
        Whether programs are dropped all of whose votes another program gives, too: on
        1,000 records, and on each word that some program looks for. With
        `learn_from_labels`, also those without which the others label held-out records
        better. At least three are kept.

    prompts : Prompts or None, default=None
        The wording of what is asked, see :class:`~sklearn_alchemist.synthesis.Prompts`.

    timeout : float, default=1.0
        Seconds that one program may take for one record before it is stopped.

    budget : float or None, default=None
        Seconds that one program may take for all records of a call, None for no limit.
        It abstains on the records that are left then, and a warning tells how many.

    n_jobs : int, default=None
        Number of worker processes. None is 1 unless in a
        :obj:`joblib.parallel_config` context, -1 is one a core.

    sandbox : {"auto", "strict"} or None, default="auto"
        How programs are kept from doing harm. "auto" locks worker processes down as
        far as the system allows and warns once where it cannot refuse system calls;
        "strict" raises there instead. None executes programs in this process, without
        checks and limits: only for programs that you wrote yourself.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted: the vote ``k`` stands for ``classes_[k]``.

    programs_ : list of LabelingProgram
        The programs, in the order of the columns of the votes.

    rejected_ : list of Rejection
        Answers that gave no usable program, and programs that were dropped since they
        say nothing, repeat another or fail at the `gate`, with the reason. At least
        three are kept.

    conversation_ : list of (Question, Completion)
        All that was said to the model and what it answered.

    usage_ : Usage
        Calls, tokens and dollars, split into what was paid and what the store held;
        of all these, what went into repairs and what gave no program that is kept.

    usage_by_llm_ : dict of str to Usage
        The same for each model that was asked, by its name.

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

    rejected_: "list[Rejection]"
    conversation_: list[tuple[Question, Completion]]
    usage_: Usage
    usage_by_llm_: dict[str, Usage]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "llm": [str, LLM, list, tuple, None],
        "task": [str, None],
        "classes": ["array-like", dict, None],
        "n_programs": [Interval(Integral, 1, None, closed="left")],
        "n_scoring": [Interval(Integral, 0, None, closed="left")],
        "class_groups": ["boolean", StrOptions({"auto"})],
        "programs": [str, os.PathLike, list, tuple, None],
        "class_mapping": [dict, None],
        "program_style": [StrOptions({"python", "rules"})],
        "prior_knowledge": [str, list, tuple, None],
        "knowledge": [str, os.PathLike, list, tuple, None],
        "embedder": [HasMethods("encode"), None],
        "prior_llm": [str, LLM, None],
        "max_repairs": [Interval(Integral, 0, None, closed="left")],
        "show_data": ["boolean"],
        "learn_from_labels": ["boolean"],
        "gate": ["boolean"],
        "prompts": [HasMethods("__post_init__"), None],
        "timeout": [Interval(Real, 0, None, closed="neither")],
        "budget": [Interval(Real, 0, None, closed="neither"), None],
        "n_jobs": [Integral, None],
        "sandbox": [StrOptions({"auto", "strict"}), None],
    }

    def __init__(
        self,
        llm: str | LLM | Sequence[str | LLM] | None = None,
        *,
        task: str | None = None,
        classes: Iterable[Any] | dict[Any, str | None] | None = None,
        n_programs: int = 10,
        n_scoring: int = 0,
        class_groups: bool | str = False,
        programs: "str | os.PathLike[str] | Sequence[Any] | None" = None,
        class_mapping: Mapping[Any, Any] | None = None,
        program_style: str = "python",
        prior_knowledge: str | Sequence[str] | None = None,
        knowledge: Any = None,
        embedder: Any = None,
        prior_llm: str | LLM | None = None,
        max_repairs: int = 3,
        show_data: bool = False,
        learn_from_labels: bool = False,
        gate: bool = False,
        prompts: "Prompts | None" = None,
        timeout: float = 1.0,
        budget: float | None = None,
        n_jobs: int | None = None,
        sandbox: str | None = "auto",
    ) -> None:
        self.llm = llm
        self.task = task
        self.classes = classes
        self.n_programs = n_programs
        self.n_scoring = n_scoring
        self.class_groups = class_groups
        self.programs = programs
        self.class_mapping = class_mapping
        self.program_style = program_style
        self.prior_knowledge = prior_knowledge
        self.knowledge = knowledge
        self.embedder = embedder
        self.prior_llm = prior_llm
        self.max_repairs = max_repairs
        self.show_data = show_data
        self.learn_from_labels = learn_from_labels
        self.gate = gate
        self.prompts = prompts
        self.timeout = timeout
        self.budget = budget
        self.n_jobs = n_jobs
        self.sandbox = sandbox

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: LabelsLike | None = None) -> Self:
        """Get the programs written, and try them on a few records.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table. Without `show_data`, only the names and types of its
            columns are told to the model.

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
    def fit_transform(self, X: Any, y: LabelsLike | None = None) -> np.ndarray:
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
        task = context.subcontext("run programs", max_subtasks=N_STEPS)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        on_rows = report_rows(task, self, records.n_rows)
        votes = self._vote(records, on_rows).votes
        task.call_on_fit_task_end(estimator=self, X=X, y=y)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return votes

    @lazy_for_dask
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
        check_is_fitted(self)
        return self._vote(check_records(self, X, reset=False)).votes

    def run(self, X: Any) -> "RunResult":
        """Run the programs and tell how it went.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        result : RunResult
            Votes, and per program its failures and the seconds it took. ``scores``
            holds what programs gave to classes, a float32 array of shape (n_samples,
            n_programs, n_classes), NaN where they gave nothing.

        Warns
        -----
        ProgramWarning
            If a program fails on a record.
        """
        check_is_fitted(self)
        records = check_records(self, X, reset=False)
        return self._vote(records, keep_scores=True)

    def transform_batches(self, batches: Iterable[Any]) -> Iterator[np.ndarray]:
        """Run the programs over more records than memory holds.

        Parameters
        ----------
        batches : iterable of array-like
            Each what `transform` takes. A batch is read when its votes are asked for.

        Returns
        -------
        votes : iterator of ndarray of shape (n_samples, n_programs)
            Those of each batch, in order, as `transform` gives them.

        See Also
        --------
        streaming.label_files : Label files, and go on after an interruption.

        Examples
        --------
        >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
        >>> program = LabelingProgram("free", "def label(text): return 'free' in text")
        >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
        >>> labeler = labeler.fit(["free"])
        >>> [v.tolist() for v in labeler.transform_batches([["free"], ["a", "b"]])]
        [[[1]], [[0], [0]]]
        """
        check_is_fitted(self)
        return map(self.transform, batches)

    def export_programs(self, folder: "str | os.PathLike[str]", X: Any = None) -> None:
        """Write the programs into a folder, to be read and corrected.

        Corrected programs are used by
        ``labeler.set_params(programs=folder, llm=None).fit(X)``. Files may be edited,
        added, deleted and renamed; :func:`~sklearn_alchemist.programs.folder_changes`
        tells what was. Exported again, a folder keeps the digests and authors of what
        was there before, and files that say the same are not touched.

        Parameters
        ----------
        folder : str or path
            The folder to write, one Python file a program. Comments below each program
            say what it looks for, how often it votes and agrees with the others, and
            who wrote it; they are no part of it.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features), \
                default=None
            Records on which votes are counted for these comments. None takes what was
            counted on up to 200 records in ``fit``.
        """
        check_is_fitted(self)
        about = getattr(self, "_about", {})
        if X is not None:
            votes = self.transform(X)
            about = _synthesis.describe_votes(self.programs_, votes, len(self.classes_))
        _programs.write_programs(self.programs_, folder, about=about)

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

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Of versions that had no such parameters.
        added = {"class_mapping": None, "n_scoring": 0, "class_groups": False}
        super().__setstate__({**added, "gate": False, **state})

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "programs_", ()))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.classes is None
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags
