"""Write the messages that ask for a labeling program."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Recorded with every program; a change of the words below makes a new version.
PROMPT_VERSION = "1"

SYSTEM = (
    "You are an expert in the subject matter and in Python. You write labeling "
    "programs: small, readable Python functions that assign a class to one record at a "
    "time, run offline on millions of records, and are read and corrected by people."
)

USER = """\
Write one labeling program for this task:

{task}

Its answer is one of these classes, spelled exactly like this, or None:
{classes}

It is a function with this signature:

    {signature}

{columns}

Approach: {strategy}

Rules:
- Return a class, or return None to abstain wherever the evidence is weak or \
contradictory. Other programs see the same records: a wrong answer costs more than \
none.
- Work from what you know about the subject. You have not seen the data, so use cues \
that are general, and plenty of them for every class.
- Use plain Python and, where it helps, these modules: re, math, string, collections, \
itertools, functools, statistics, unicodedata, datetime, html, json, difflib, \
urllib.parse. No other imports, no files, no network, no printing, no randomness.
- It must be right for any value a record can hold (empty, very long, in capitals) and \
fast: build lists and compiled patterns once, outside the function.
- Reply with the complete program in a single Python code block, and nothing else.\
"""


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
    """

    task: str
    classes: Mapping[Any, str | None]
    columns: Mapping[str, str]
    is_text: bool


def write_messages(brief: Brief, strategy: str) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for one program.

    They depend on the task, the classes and the names and types of the columns, and on
    no record.

    Parameters
    ----------
    brief : Brief
        What the program is to do.

    strategy : str
        What it is to rely on.

    Returns
    -------
    messages : tuple of dict
        Chat messages.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import Brief, write_messages
    >>> brief = Brief("Is it spam?", {"ham": None, "spam": None}, {"text": "str"}, True)
    >>> system, user = write_messages(brief, "Decide by vocabulary.")
    >>> "def label(text: str):" in user["content"]
    True
    """
    user = USER.format(
        task=brief.task.strip(),
        classes="\n".join(_class_line(*item) for item in brief.classes.items()),
        signature=_signature(brief),
        columns=_describe_columns(brief),
        strategy=strategy,
    )
    return (
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": user},
    )


def _class_line(name: Any, description: str | None) -> str:
    return f"- {name!r}: {description}" if description else f"- {name!r}"


def _signature(brief: Brief) -> str:
    if brief.is_text:
        (name,) = brief.columns
        return f"def label({name}: str):"
    return f"def label({next(iter(brief.columns))}, ...):"


def _describe_columns(brief: Brief) -> str:
    if brief.is_text:
        (name,) = brief.columns
        return f"`{name}` is the text of one record."
    lines = "\n".join(f"- {name}: {kind}" for name, kind in brief.columns.items())
    return (
        "Its parameters name the columns that it reads, as many of these as it needs; "
        f"a missing value is None:\n{lines}"
    )
