"""Describe what labeling programs are to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._columns import list_columns, text_columns
from ._wording import Prompts

_DEFAULT = Prompts()


@dataclass(frozen=True)
class Brief:
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


def list_classes(brief: Brief) -> str:
    """List the classes with what the user says of them, one a line.

    Parameters
    ----------
    brief : Brief
        What programs are to do.

    Returns
    -------
    lines : str
        One line a class.
    """
    return "\n".join(
        f"- {name!r}: {description}" if description else f"- {name!r}"
        for name, description in brief.classes.items()
    )


def signature_of(brief: Brief) -> str:
    """Write the first line of the function that is asked for."""
    if brief.is_text:
        (name,) = brief.columns
        return f"def label({name}: str):"
    return f"def label({next(iter(brief.columns))}, ...):"


def describe_columns(brief: Brief) -> str:
    """Say what the parameters of a program may be.

    Parameters
    ----------
    brief : Brief
        What programs are to do.

    Returns
    -------
    description : str
        One sentence for a text, one line a column for a table.
    """
    if brief.is_text:
        (name,) = brief.columns
        return f"`{name}` is the text of one record."
    lines = list_columns(brief.columns)
    return (
        "Its parameters name the columns that it reads, as many of these as it needs; "
        f"a missing value is None:\n{lines}"
    )


def count_cues(n_classes: int) -> int:
    """Cues a class that fit into an answer of about 3,000 tokens."""
    return max(5, min(80, 360 // n_classes // 5 * 5))
