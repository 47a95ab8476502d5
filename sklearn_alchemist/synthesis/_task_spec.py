"""Describe what labeling programs are to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._utils import warn
from ..data import Records, check_question
from ..exceptions import ColumnNamesWarning
from ._prompts import Prompts
from ._shown_records import describe_values

_DEFAULT = Prompts()


@dataclass(frozen=True)
class TaskSpec:
    """What a labeling program is to do.

    Parameters
    ----------
    task : str
        One sentence in the user's words.

    classes : dict
        Class -> description, None where there is none; in the order of the votes.

    columns : dict of str to str
        Name of each column as a parameter of the program -> what it is.

    is_text : bool
        Whether the records are texts rather than rows of a table.

    prompts : Prompts, default=Prompts()
        The wording.
    """

    task: str
    classes: Mapping[Any, str | None]
    columns: Mapping[str, str]
    is_text: bool
    prompts: Prompts = _DEFAULT

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Names of the columns that may hold texts."""
        return tuple(self.columns) if self.is_text else text_columns(self.columns)


def describe_task(
    records: Records,
    described: Mapping[Any, str | None],
    *,
    task: str | None,
    names: np.ndarray | None,
    show_data: bool = False,
    prompts: Prompts | None = None,
) -> TaskSpec:
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
    spec : TaskSpec
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
        kinds = describe_values(kinds, records.columns)
    if names is not None and records.is_named and not records.is_text:
        # What a name loses when it becomes that of a parameter may tell a lot.
        kinds = {
            parameter: kinds[parameter]
            if parameter == name
            else f"{kinds[parameter]}, called {name!r}"
            for parameter, name in zip(records.columns, names, strict=True)
            if parameter in kinds
        }
    return TaskSpec(task, described, kinds, records.is_text, prompts or _DEFAULT)


def text_columns(columns: Mapping[str, str]) -> tuple[str, ...]:
    """Find the columns that may hold texts.

    Parameters
    ----------
    columns : dict of str to str
        Name -> what it is.

    Returns
    -------
    names : tuple of str
        Columns of strings, unless they are known to be dates or a few categories.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._task_spec import text_columns
    >>> text_columns({"age": "int", "body": "str", "on": "str (ISO date)"})
    ('body',)
    """
    return tuple(
        name
        for name, kind in columns.items()
        if kind.split(",")[0] == "str" and not kind.startswith("str, one of ")
    )
