"""Settle what a language model is asked about: classes, task, columns and recipe."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from . import synthesis as _synthesis
from ._warn import warn
from .data import Records
from .exceptions import ColumnNamesWarning
from .llm import LLM

if TYPE_CHECKING:
    from .programs import LabelingProgram
    from .synthesis import Brief, Prompts, Recipe


@overload
def as_llm(llm: str | LLM) -> LLM: ...


@overload
def as_llm(llm: str | LLM | None) -> LLM | None: ...


def as_llm(llm: str | LLM | None) -> LLM | None:
    """Take the name of a model for the model.

    Parameters
    ----------
    llm : str, LLM or None
        What the user gave.

    Returns
    -------
    llm : LLM or None
        The model.
    """
    return LLM(llm) if isinstance(llm, str) else llm


def as_authors(llm: Any) -> tuple[LLM, ...]:
    """Take names of models for the models that write programs.

    Parameters
    ----------
    llm : str, LLM, sequence of them, or None
        What the user gave.

    Returns
    -------
    authors : tuple of LLM
        The models; none for None.

    Raises
    ------
    ValueError, TypeError
        If a list is empty, or holds what is no model.
    """
    if llm is None:
        return ()
    given = [llm] if isinstance(llm, str | LLM) else list(llm)
    if not given:
        raise ValueError("llm is an empty list: give one model at least, or None.")
    for one in given:
        if not isinstance(one, str | LLM):
            raise TypeError(
                f"llm must hold names of models or LLMs; got {type(one).__name__}."
            )
    return tuple(as_llm(one) for one in given)


def check_question(task: str | None, classes: Sequence[Any]) -> str:
    """Make sure that there is something to ask.

    Parameters
    ----------
    task : str or None
        What is to be decided about a record.

    classes : sequence
        The classes.

    Returns
    -------
    task : str
        The same.

    Raises
    ------
    ValueError
        If the task is empty, or there is nothing to choose from.
    """
    if task is None or not task.strip():
        raise ValueError(
            "task is empty: say in one sentence what is to be decided about a "
            "record, such as task='Is this comment spam?'."
        )
    if len(classes) < 2:
        raise ValueError(
            f"y holds only one class, {list(classes)!r}: at least two are needed "
            "to tell records apart."
        )
    return task


def write_brief(
    records: Records,
    described: Mapping[Any, str | None],
    *,
    task: str | None,
    names: np.ndarray | None,
    show_data: bool = False,
    prompts: "Prompts | None" = None,
) -> "Brief":
    """Describe what programs are to do; raise what must not cost money.

    Parameters
    ----------
    records : Records
        What was given to ``fit``; of these, only columns are described.

    described : dict
        Class -> description.

    task : str or None
        What is to be decided about a record.

    names : ndarray of shape (n_features,) or None
        Names of the columns, as the user wrote them.

    show_data : bool, default=False
        Whether the values of columns may be described too.

    prompts : Prompts or None, default=None
        The wording of what is asked.

    Returns
    -------
    brief : Brief
        What programs are to do.

    Raises
    ------
    ValueError
        If there is nothing to ask.

    Warns
    -----
    ColumnNamesWarning
        If columns have no names.
    """
    task = check_question(task, list(described))
    if not records.is_named:
        warn(
            "X has no column names, so the language model cannot know what its "
            "columns mean: pass a DataFrame.",
            ColumnNamesWarning,
        )
    kinds = records.kinds
    if show_data and not records.is_text:
        kinds = _synthesis.describe_values(kinds, records.columns)
    if names is not None and records.is_named and not records.is_text:
        # What a name loses when it becomes that of a parameter may tell a lot.
        kinds = {
            parameter: kinds[parameter]
            if parameter == name
            else f"{kinds[parameter]}, called {name!r}"
            for parameter, name in zip(records.columns, names, strict=True)
            if parameter in kinds
        }
    options = {} if prompts is None else {"prompts": prompts}
    return _synthesis.Brief(task, described, kinds, records.is_text, **options)


def write_recipe(
    *,
    has_texts: bool,
    n_programs: int,
    style: str,
    prior_knowledge: Any,
    knowledge: Any,
    embedder: Any,
    max_repairs: int,
    timeout: float,
    taken: frozenset[str],
    sandbox: str | None,
    given: "Sequence[LabelingProgram]" = (),
    longest: int,
    n_scoring: int = 0,
    class_groups: bool | str = "auto",
) -> "Recipe":
    """Say how programs are to be got; raise what must not cost money.

    Parameters
    ----------
    has_texts : bool
        Whether records are texts, or some column holds texts.

    n_programs : int
        Number of programs to ask for.

    style : {"python", "rules"}
        What the model writes.

    prior_knowledge : str, sequence of str or None
        Kinds of prior knowledge.

    knowledge : str, Path, sequence of them, or None
        Documents that it is answered from.

    embedder : object or None
        Finds passages of the documents.

    max_repairs : int
        Most calls that mend programs.

    timeout : float
        Seconds that a program may take for one record.

    taken : frozenset of str
        Names of programs that exist already, or that somebody deleted.

    given : sequence of LabelingProgram, default=()
        Programs that exist already.

    sandbox : {"auto", "strict"} or None
        Where programs run. What a model has just written is tried in a process of its
        own even where the user runs programs without.

    longest : int
        Characters of the longest text that programs are tried on.

    n_scoring : int, default=0
        How many of the programs give scores.

    class_groups : bool or "auto", default="auto"
        Whether every second program looks after a group of classes.

    Returns
    -------
    recipe : Recipe
        How programs are to be got.

    Raises
    ------
    ValueError, TypeError
        If a kind or a document is none, or rules are to look at a table.
    """
    kinds = _synthesis.settle_kinds(prior_knowledge, documents=knowledge is not None)
    if style == "rules" and not has_texts:
        raise ValueError(
            "program_style='rules' looks for phrases, so it needs texts, and no column "
            "of the table is str: use 'python'."
        )
    return _synthesis.Recipe(
        n_programs=n_programs,
        style=style,
        prior_knowledge=kinds,
        documents=tuple(_synthesis.read_documents(knowledge)),
        embedder=embedder,
        max_repairs=max_repairs,
        timeout=timeout,
        taken=taken,
        sandbox=sandbox or "auto",
        given=tuple(given),
        longest=longest,
        n_scoring=n_scoring,
        class_groups=class_groups,
    )
