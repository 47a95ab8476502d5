"""Label records with programs that a language model writes."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from . import programs as _programs
from . import synthesis as _synthesis
from ._briefing import as_authors, as_llm, write_brief, write_recipe
from ._doc_links import DocLinks
from ._schema_change import (
    N_FINDERS,
    Order,
    carry_over,
    check_change,
    check_order,
    check_tellers,
    count_missing,
    order_finders,
    read_change,
)
from ._typing import LabelsLike, _fit_context
from ._warn import warn
from .data import Classes, ClassMapping, Records, check_records
from .exceptions import ProgramRejected, ProgramWarning, SynthesisError
from .llm import LLM, Completion, Question, Usage
from .programs import LabelingProgram
from .streaming import lazy_for_dask
from .votes import ABSTAIN

if TYPE_CHECKING:
    from .programs import RunResult
    from .synthesis import (
        Brief,
        CostEstimate,
        Prompts,
        Recipe,
        Rejection,
        Synthesis,
    )

_logger = logging.getLogger("sklearn_alchemist.synthesis")

# On fewer records, that a class gets no vote says little.
_MIN_TO_JUDGE = 50
# Enough to find typical ones and those that programs leave open.
_N_SHOWN_FROM = 500
# Steps of the progress bar while programs run.
_N_STEPS = 100


class ProgramSynthesisLabeler(
    CallbackSupportMixin, TransformerMixin, DocLinks, BaseEstimator
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

    class_groups : bool or "auto", default="auto"
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
        class_groups: bool | str = "auto",
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
        task = context.subcontext("run programs", max_subtasks=_N_STEPS)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        on_rows = _report_rows(task, self, records.n_rows)
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
            about = self._count_votes(self.programs_, self.transform(X))
        _programs.write_programs(self.programs_, folder, about=about)

    def estimate_cost(
        self,
        X: Any = None,
        y: LabelsLike | None = None,
        *,
        mapping: Mapping[Any, Any] | None = None,
    ) -> "CostEstimate":
        """Tell what `fit` would ask for and cost; nothing is sent.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features), \
                default=None
            Texts, or a table. None stands for any texts.

        y : array-like of shape (n_samples,), default=None
            Labels, used as in `fit`.

        mapping : dict, default=None
            If given, what `remap` would ask for with it is told instead.

        Returns
        -------
        estimate : CostEstimate
            Calls, tokens and dollars. What depends on answers that are not there yet
            is guessed; unknown prices stay unknown.
        """
        if mapping is not None:
            return self._estimate(*self._plan_remap(mapping, X, N_FINDERS)[2:])
        labeler = clone(self)
        labeler._validate_params()
        records = check_records(labeler, [""] if X is None else X, reset=True)
        now, change = labeler._resolve_classes(records, y)
        given = labeler._load(records, now, change)
        return labeler._estimate(labeler._orders(records, now, change, given), records)

    def _estimate(
        self, orders: "list[Order]", records: Records | None
    ) -> "CostEstimate":
        """Add up what orders would cost."""
        authors, estimate = as_authors(self.llm), _synthesis.CostEstimate()
        for order in orders:
            assert records is not None
            one = _synthesis.estimate_cost(
                authors,
                order.brief,
                order.recipe,
                prior_llm=as_llm(self.prior_llm),
                shown=self._shown(records),
            )
            estimate += replace(one, plan=(order.aim,) if order.aim else ())
        return estimate

    def remap(
        self, mapping: Mapping[Any, Any], X: Any = None, *, n_programs: int = N_FINDERS
    ) -> Self:
        """Follow a change of the classes, without writing programs again.

        Renamed, merged and removed classes cost nothing. A class that is divided or
        added asks the model only for programs that tell its parts apart or find it;
        ``estimate_cost(mapping=...)`` tells before what that costs.

        Parameters
        ----------
        mapping : dict
            Class -> its new name, another class with which it is merged, a list of
            classes between which it is divided (or a dict of these to descriptions), or
            None if there is no such class any more. The key None lists added classes.
            Classes that are not mentioned stay.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features), \
                default=None
            Records to try new programs on. Needed where a class of a table is divided
            or added.

        n_programs : int, default=3
            Programs to ask for, for each class that is divided or added.

        Returns
        -------
        labeler : ProgramSynthesisLabeler
            A new one, fitted: its `programs` are those of this one, read otherwise, so
            that clones of it ask for nothing. This one stays as it is.

        Raises
        ------
        ValueError, TypeError
            If `mapping` names no class, goes round in a circle, leaves fewer than two
            classes or no program, or needs a model or records that are not there.

        LLMError, SynthesisError
            If the model cannot be asked, or writes nothing usable.

        Examples
        --------
        >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
        >>> source = "def label(text): return 'ad' if 'buy' in text else 'talk'"
        >>> labeler = ProgramSynthesisLabeler(
        ...     classes=["ad", "talk"], programs=[LabelingProgram("buy", source)]
        ... ).fit(["buy it", "well", "yes"])
        >>> renamed = labeler.remap({"ad": "unwanted"})
        >>> renamed.classes_, renamed.transform(["buy now"])
        (array(['talk', 'unwanted'], dtype='<U8'), array([[1]], dtype=int8))
        """
        change, older, orders, records = self._plan_remap(mapping, X, n_programs)
        remapped = type(self)(**self.get_params(deep=False))
        own = remapped.get_params(deep=False)
        for name, value in vars(self).items():
            if name not in own:
                setattr(remapped, name, value)
        described = dict(change.after.described)
        plain = all(text is None for text in described.values())
        remapped.classes_ = change.after.names
        remapped.rejected_ = list(self.rejected_)
        remapped.conversation_ = list(self.conversation_)
        remapped.programs_ = older
        if orders and records is not None:
            remapped._add_finders(older, orders, records, X is not None)
        return remapped.set_params(
            classes=list(described) if plain else described,
            class_mapping=None,
            programs=list(remapped.programs_),
            n_programs=len(remapped.programs_),
        )

    def _plan_remap(
        self, mapping: Mapping[Any, Any], X: Any, n_programs: int
    ) -> "tuple[ClassMapping, list[LabelingProgram], list[Order], Records | None]":
        """Say what becomes of programs, and what has to be asked; raise what cannot."""
        check_is_fitted(self)
        change = ClassMapping.read(mapping, self._described())
        asks = self.llm is not None
        is_text = getattr(self, "_takes_texts", self.n_features_in_ == 1)
        if X is None and not change.is_free and not is_text:
            raise ValueError(
                "what a class is divided into, or an added class, is looked for in "
                "columns: pass X, some records, to remap or estimate_cost."
            )
        # What is free needs no record, and there is none to make up for a table.
        records = None
        if X is not None or is_text:
            records = check_records(self, [""] if X is None else X, reset=False)
        check_change(change, self.programs_, asks=asks and not change.is_free)
        older = [carry_over(program, change) for program in self.programs_]
        missing = count_missing(change, (), n_programs)
        check_tellers(change, dict.fromkeys(missing, N_FINDERS), asks=asks)
        orders = []
        if missing and records is not None:
            brief, recipe = self._order(records, change.after.described, older)
            orders = order_finders(change, missing, brief, recipe)
        return change, older, orders, records

    def _add_finders(
        self,
        older: list[LabelingProgram],
        orders: "list[Order]",
        records: Records,
        are_real: bool,
    ) -> None:
        """Ask for what tells new classes, and keep what is usable."""
        n_before, usage = len(self.rejected_), self.usage_
        conversation = list(self.conversation_)
        synthesis = self._ask(orders, self._shown(records) if are_real else None, None)
        self.conversation_ = conversation + self.conversation_
        # Without records, that they passed with made-up ones has to be enough.
        found, unfit, _ = self._try(
            synthesis.programs, records, keep_failing=not are_real
        )
        self.rejected_ += synthesis.rejected + unfit
        unusable = self.rejected_[n_before:]
        for order in orders:
            if not any(one.name.startswith(order.prefix) for one in found):
                raise SynthesisError(_synthesis.say_nothing_usable(unusable))
        self.usage_ = usage + synthesis.split_usage({one.name for one in found})
        if unusable:
            warn(
                _synthesis.say_rejected(unusable, len(older) + len(found)),
                ProgramWarning,
            )
        self.programs_ = older + found

    def _described(self) -> Classes:
        """List the classes in the order of the user, with what is said of them."""
        if self.classes is not None:
            listed = Classes.listed(self.classes)
            change = read_change(getattr(self, "class_mapping", None), listed)
            listed = listed if change is None else change.after
            if np.array_equal(listed.names, self.classes_):
                return listed
        return Classes.of_names(self.classes_)

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

    def _fit(self, X: Any, y: LabelsLike | None, context: CallbackContext) -> Records:
        """Do the work of `fit`; return the validated records."""
        records = check_records(self, X, reset=True)
        now, change = self._resolve_classes(records, y)
        self.classes_ = now.names
        # What can fail without the model fails before the model is asked.
        _programs.prove_sandbox(self.sandbox)
        given = self._load(records, now, change)
        order = list((now if change is None else change.before).described)
        given = [self._settle_returns(one, order, records) for one in given]
        given, unfit, silent = self._try(given, records, keep_failing=True)
        for rejection in unfit:
            raise ProgramRejected(rejection.reason)
        self._warn_of_slowness(given, records)
        orders = self._orders(records, now, change, given)
        if not given and not orders:
            raise ValueError(
                "there is nothing to fit: give an llm to write programs, or programs."
            )
        self.rejected_ = []
        self.conversation_ = []
        self.usage_ = Usage()
        self.usage_by_llm_ = {}
        written: list[LabelingProgram] = []
        synthesis = None
        if orders:
            synthesis = self._ask(orders, self._shown(records), context)
            self.rejected_ = synthesis.rejected
            deleted = set(self._deleted().values())
            anew, refused = _synthesis.leave_out(synthesis.programs, deleted)
            self.rejected_ += refused
            written, unfit, unheard = self._try(anew, records)
            self.rejected_ += unfit
            silent += unheard
        programs = given + written
        if not programs:
            raise SynthesisError(_synthesis.say_nothing_usable(self.rejected_))
        unusable = list(self.rejected_)
        labels = None
        if self.learn_from_labels and y is not None:
            labels = Classes.of_names(self.classes_).encode(y)
        choice = _synthesis.choose(
            programs,
            records,
            self.classes_.tolist(),
            self._run,
            n_given=len(given),
            labels=labels,
            gate=self.gate,
        )
        self.programs_, votes = choice.programs, choice.votes
        self.rejected_ += choice.dropped
        self._about = self._count_votes(self.programs_, votes)
        names = {program.name for program in self.programs_}
        if synthesis is not None:
            self.usage_ = synthesis.split_usage(names)
            self.usage_by_llm_ = synthesis.split_by_author(names)
        n_lost = len(self.rejected_)
        _logger.info("%d programs kept, %d not used", len(names), n_lost)
        if unusable:
            losses = _synthesis.say_rejected(unusable, len(names))
            warn(losses, ProgramWarning)
        # The same source once more is no loss that anybody could do anything about.
        sources = {program.source for program in self.programs_}
        dropped = [
            r for r in self.rejected_[len(unusable) :] if r.answer not in sources
        ]
        if dropped:
            warn(_synthesis.say_dropped(dropped, len(names)), ProgramWarning)
        silent = [name for name in silent if name in names]
        self._warn_of_silence(silent, votes, records)
        return records

    def _count_votes(
        self, programs: list[LabelingProgram], votes: np.ndarray
    ) -> dict[str, list[str]]:
        """Say of each program how often it votes, and how often as the others do."""
        shares = [(votes == k).sum(axis=1) for k in range(len(self.classes_))]
        about = {}
        for j, program in enumerate(programs):
            others = np.stack(shares, axis=1)
            voting = np.flatnonzero(votes[:, j] != ABSTAIN)
            others = others[voting]
            others[np.arange(len(voting)), votes[voting, j]] -= 1
            told = np.flatnonzero(others.any(axis=1))
            same = others.argmax(axis=1)[told] == votes[voting[told], j]
            line = f"votes on {len(voting)} of {len(votes)} records"
            if told.size:
                line += f", {same.mean():.0%} of the time as most others do"
            about[program.name] = [line]
        return about

    def _warn_of_silence(
        self, silent: list[str], votes: np.ndarray, records: Records
    ) -> None:
        """Warn of programs that never vote, and of classes without any vote."""
        n_tried = len(votes)
        if silent:
            tried = records.sample(_synthesis.N_TRIED)
            names = _synthesis.explain_silence(silent, self.programs_, tried)
            warn(_synthesis.say_silent(names, n_tried), ProgramWarning)
        several = votes.shape[1] > 1 and (votes != ABSTAIN).any()
        if several and n_tried >= _MIN_TO_JUDGE:
            lacking = _synthesis.unheard_classes(votes, len(self.classes_))
            if lacking:
                classes = self.classes_[lacking].tolist()
                warn(_synthesis.say_unheard(classes, n_tried), ProgramWarning)

    def _run(
        self,
        programs: list[LabelingProgram],
        columns: Mapping[str, Sequence[Any]],
        **options: Any,
    ) -> "RunResult":
        """Let programs vote on some records."""
        return _programs.run_programs(
            programs,
            columns,
            self.classes_.tolist(),
            timeout=self.timeout,
            n_jobs=self.n_jobs,
            sandbox=self.sandbox,
            **options,
        )

    def _resolve_classes(
        self, records: Records, y: LabelsLike | None
    ) -> tuple[Classes, ClassMapping | None]:
        """Say what the classes are now, and what became of those that are listed."""
        options: dict[str, Any] = {
            "n_samples": records.n_rows,
            "estimator": self,
            "partly": self.learn_from_labels,
        }
        if self.class_mapping is None:
            return Classes.resolve(self.classes, y, **options), None
        named = None if self.classes is not None else y
        listed = Classes.resolve(self.classes, named, **options)
        change = read_change(self.class_mapping, listed)
        assert change is not None
        if y is not None:
            if message := change.explain_labels(y):
                raise ValueError(message)
            change.after.encode(y, n_samples=records.n_rows)
        return change.after, change

    def _load(
        self, records: Records, now: Classes, change: ClassMapping | None
    ) -> list[LabelingProgram]:
        """Take the programs that there are, as they are read now."""
        order = list((now if change is None else change.before).described)
        given = _programs.load_programs(self.programs, order, **self._offers(records))
        if change is None:
            return given
        asks = self.llm is not None
        check_order(given, change)
        check_change(change, given, asks=asks)
        check_tellers(change, count_missing(change, given), asks=asks)
        return [carry_over(program, change) for program in given]

    def _orders(
        self,
        records: Records,
        now: Classes,
        change: ClassMapping | None,
        given: list[LabelingProgram],
    ) -> "list[Order]":
        """Say what a model is to be asked for; raise what must not cost money."""
        if self.llm is None:
            return []
        orders = []
        # Who breaks a file wants it mended, and not another one to be paid.
        if self.n_programs > len(given) + len(self._broken()):
            asked = now if change is None else change.before
            brief, recipe = self._order(records, asked.described, given)
            is_older = change is not None and not change.is_ahead
            orders.append(Order(brief, recipe, change=change if is_older else None))
        if change is not None:
            missing = count_missing(change, given)
            brief, recipe = self._order(records, now.described, given)
            orders += order_finders(change, missing, brief, recipe)
        return orders

    def _settle_returns(
        self, program: LabelingProgram, order: list[Any], records: Records
    ) -> LabelingProgram:
        """Take integers for places of classes where a program only gives these."""
        if not _programs.hides_its_answers(program, order):
            return program
        indexed = replace(program, returns="index", class_order=tuple(order))
        try:
            sample = records.sample(_synthesis.N_TRIED)
            as_classes, as_places = (
                (self._run([one], sample).votes != ABSTAIN).any()
                for one in (program, indexed)
            )
        except ProgramRejected:  # is told by the trial
            return program
        if as_classes or not as_places:
            return program
        return _programs.take_numbers(program, order)

    def _offers(self, records: Records) -> dict[str, Any]:
        """Say what functions are offered: columns, and where they run."""
        parameters = list(records.columns)
        names = getattr(self, "feature_names_in_", parameters)
        columns = dict(zip(parameters, map(str, names), strict=True))
        return {"columns": columns, "sandbox": self.sandbox}

    def _broken(self) -> list[str]:
        """Programs of the folder whose files somebody has to mend."""
        if isinstance(self.programs, str | os.PathLike):
            return _programs.broken_programs(self.programs)
        return []

    def _deleted(self) -> dict[str, str]:
        """Programs that somebody deleted from the folder, and that stay deleted."""
        if isinstance(self.programs, str | os.PathLike):
            return _programs.deleted_programs(self.programs)
        return {}

    def _warn_of_slowness(self, given: list[LabelingProgram], records: Records) -> None:
        """Try programs that somebody gave on long texts, where they can be ended."""
        if self.sandbox is None or not given:
            return
        read = {name for program in given for name in program.parameters}
        is_single = len(records.columns) == 1
        columns = {
            name: column
            for name, column in records.columns.items()
            if name in read or is_single
        }
        slow = _synthesis.say_slow(
            given,
            columns,
            self.classes_.tolist(),
            timeout=self.timeout,
            sandbox=self.sandbox,
        )
        if slow:
            warn(slow, ProgramWarning)

    def _shown(self, records: Records) -> Mapping[str, Sequence[Any]] | None:
        """Take the records of which some may be shown to the model."""
        return records.sample(_N_SHOWN_FROM) if self.show_data else None

    def _order(
        self,
        records: Records,
        described: Mapping[Any, str | None],
        given: list[LabelingProgram],
    ) -> "tuple[Brief, Recipe]":
        """Say what the model is to do for us; raise what must not cost money."""
        brief = write_brief(
            records,
            described,
            task=self.task,
            names=getattr(self, "feature_names_in_", None),
            show_data=self.show_data,
            prompts=self.prompts,
        )
        recipe = write_recipe(
            has_texts=bool(brief.text_columns),
            n_programs=self.n_programs - len(given) - len(self._broken()),
            style=self.program_style,
            prior_knowledge=self.prior_knowledge,
            knowledge=self.knowledge,
            embedder=self.embedder,
            max_repairs=self.max_repairs,
            timeout=self.timeout,
            taken=frozenset(program.name for program in given)
            | self._deleted().keys()
            | {*self._broken()},
            given=given,
            sandbox=self.sandbox,
            longest=_synthesis.longest_text(records.columns),
            n_scoring=self.n_scoring,
            class_groups=self.class_groups,
        )
        return brief, recipe

    def _ask(
        self,
        orders: "list[Order]",
        shown: Mapping[str, Sequence[Any]] | None,
        context: CallbackContext | None,
    ) -> "Synthesis":
        """Get programs from the language model; keep what was said."""
        authors, prior_llm = as_authors(self.llm), as_llm(self.prior_llm)
        on_answer = None
        if context is not None:
            recipes = [order.recipe for order in orders]
            n_answers = sum(r.n_programs + len(r.kinds) for r in recipes)
            task = context.subcontext("ask for programs", max_subtasks=n_answers)
            task.call_on_fit_task_begin(estimator=self)
            on_answer = _report_answers(task, self)
        ledger = _synthesis.open_ledger(authors)
        synthesis = _synthesis.Synthesis()
        try:
            for order in orders:
                done = _synthesis.synthesize(
                    authors,
                    order.brief,
                    order.recipe,
                    prior_llm=prior_llm,
                    shown=shown,
                    on_answer=on_answer,
                    ledger=ledger,
                )
                synthesis = synthesis.followed_by(order.sign(done))
        finally:  # what was paid is seen, however it ends
            self.conversation_, self.usage_ = ledger.conversation, ledger.usage
        if context is not None:
            task.call_on_fit_task_end(estimator=self)
        written = {program.name for program in synthesis.programs}
        self.usage_ = synthesis.split_usage(written)
        self.usage_by_llm_ = synthesis.split_by_author(written)
        if synthesis.shortfall is not None:
            if not synthesis.programs:
                raise synthesis.shortfall
            n_asked = sum(order.recipe.n_programs for order in orders)
            warn(
                f"{len(synthesis.programs)} of {n_asked} programs are there: "
                f"{synthesis.shortfall}",
                ProgramWarning,
            )
        return synthesis

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
            records.sample(_synthesis.N_TRIED),
            self.classes_.tolist(),
            timeout=self.timeout,
            keep_failing=keep_failing,
            sandbox=self.sandbox,
        )

    def _vote(
        self,
        records: Records,
        on_rows: Callable[[int], None] | None = None,
        *,
        keep_scores: bool = False,
    ) -> "RunResult":
        """Run all programs on validated records; warn of what failed."""
        result = _programs.run_programs(
            self.programs_,
            records.columns,
            self.classes_.tolist(),
            timeout=self.timeout,
            budget=self.budget,
            n_jobs=self.n_jobs,
            on_rows=on_rows,
            sandbox=self.sandbox,
            keep_scores=keep_scores,
        )
        if any(result.failures):
            warning = ProgramWarning(_synthesis.say_failed(self.programs_, result))
            warning.failures = {
                program.name: failures
                for program, failures in zip(
                    self.programs_, result.failures, strict=True
                )
                if failures
            }
            warn(warning)
        return result

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Of an earlier version.
        for name, default in (
            ("class_mapping", None),
            ("n_scoring", 0),
            ("class_groups", "auto"),
            ("gate", False),
        ):
            if not hasattr(self, name):
                setattr(self, name, default)

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "programs_", ()))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.classes is None
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _report_answers(
    task: CallbackContext, labeler: ProgramSynthesisLabeler
) -> Callable[[int], None]:
    """Turn answers into steps of a progress bar."""

    def on_answer(_: int) -> None:
        answer = task.subcontext("answer").call_on_fit_task_begin(estimator=labeler)
        answer.call_on_fit_task_end(estimator=labeler)

    return on_answer


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
