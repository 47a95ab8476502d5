"""Word what is asked of a language model; the one place where prompts are."""

import hashlib
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

# Recorded with every program; a change of the words below, or of a strategy in
# _plan.py, makes a new version.
PROMPT_VERSION = "1"

SYSTEM = (
    "You are an expert in the subject matter and in Python. You write labeling "
    "programs: small, readable Python functions that assign a class to one record at a "
    "time, run offline on millions of records, and are read and corrected by people."
)

PROGRAM = """\
Write one labeling program for this task:

{task}

Its answer is one of these classes, spelled exactly like this, or None:
{classes}

It is a function with this signature:

    {signature}

{columns}

Approach: {approach}
{context}
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

REPAIR = """\
This program cannot be used: {problem}

Reply with the complete corrected program in a single Python code block, and nothing \
else.\
"""

KNOWLEDGE = """\
A labeling program is going to be written for this task:

{task}

The classes are:
{classes}

{columns}
{documents}
{request}

Reply in plain text of at most 500 words, without code.\
"""

KNOWLEDGE_REQUESTS = {
    "rules": (
        "State the rules by which an experienced annotator decides: for every class "
        "about eight, the surest first, and what decides between classes that are "
        "easily confused."
    ),
    "keywords": (
        "List for every class the words and short phrases that give it away, the "
        "surest first; leave out what is common in the other classes too."
    ),
    "description": (
        "Describe the data: what such records look like and who writes them, and for "
        "every class what its records say, how they say it, and what they share with "
        "records of other classes."
    ),
    "examples": (
        "Invent five realistic and varied records of every class, one of them hard to "
        "decide, each with its class."
    ),
}

RULES = """\
Help to decide this task by weighted evidence:

{task}

The classes are:
{classes}

{columns}
{context}
Fill in what speaks for the class {target} and against all the others.
Focus: {approach}

Reply with one JSON object and nothing else. Its keys:
- "phrases": list of {{"text": a lower-case word or short phrase, "weight": 1 to 4}}, \
20 to 40 of them;
- "patterns": list of {{"regex": a Python regular expression for lower-cased text, \
"weight": 1 to 4}}, at most 10;
- "against": list of lower-case words or phrases that speak against {target}, at most \
20;
- "threshold": the sum of weights from which on the answer is {target}.\
"""

RULE_FOCUSES = {
    "common": "The most common wordings, as ordinary records of this class have them.",
    "telling": "Cues that hardly ever occur in another class.",
    "rare": "Rarer subjects, slang, abbreviations and unusual wordings of this class.",
    "confused": "What tells this class from the one that it is confused with most.",
}

# Puts prior knowledge into a prompt.
KNOWN = "\nWhat is known of the subject:\n{knowledge}\n"


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """The wording of all that is asked, to be replaced in part or as a whole.

    Names in braces are filled in. A text may leave out any of those that the default
    uses, but not those marked as needed.

    Parameters
    ----------
    system : str
        System message of the questions for programs.

    program : str
        Asks for a program: ``{task}``, ``{classes}``, ``{signature}``, ``{columns}``
        and ``{approach}`` are needed; ``{context}`` is prior knowledge.

    repair : str
        Asks to mend a program: ``{problem}`` is needed.

    knowledge : str
        Asks for prior knowledge: ``{task}``, ``{classes}`` and ``{request}`` are
        needed; ``{columns}`` and ``{documents}`` are there.

    rules : str
        Asks for the content of a structured program: ``{task}``, ``{classes}``,
        ``{target}`` and ``{approach}`` are needed; ``{columns}`` and ``{context}`` are
        there.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import Prompts
    >>> Prompts().version
    '1'
    >>> Prompts(repair="Mend it: {problem}").version
    '1+e45f60'
    """

    system: str = SYSTEM
    program: str = PROGRAM
    repair: str = REPAIR
    knowledge: str = KNOWLEDGE
    rules: str = RULES

    def __post_init__(self) -> None:
        for field in fields(self):
            text = getattr(self, field.name)
            if not isinstance(text, str):
                raise TypeError(
                    f"the prompt {field.name!r} must be a str; got "
                    f"{type(text).__name__}."
                )
            _check_fields(field.name, text)

    @property
    def version(self) -> str:
        """Version of the wording, with a digest where it is not the package's own."""
        if self == _DEFAULT:
            return PROMPT_VERSION
        words = "\0".join(asdict(self).values())
        return f"{PROMPT_VERSION}+{hashlib.sha256(words.encode()).hexdigest()[:6]}"


# Fields that each text needs, and those that it may use.
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "system": (set(), set()),
    "program": (
        {"task", "classes", "signature", "columns", "approach"},
        {"context"},
    ),
    "repair": ({"problem"}, set()),
    "knowledge": ({"task", "classes", "request"}, {"columns", "documents"}),
    "rules": ({"task", "classes", "target", "approach"}, {"columns", "context"}),
}


def _check_fields(name: str, text: str) -> None:
    """Raise where a text has unknown fields or lacks needed ones."""
    needed, optional = _FIELDS[name]
    try:
        found = {f for _, f, _, _ in string.Formatter().parse(text) if f is not None}
    except ValueError as error:
        raise ValueError(
            f"the prompt {name!r} is no template: {error}. Write {{{{ and }}}} for "
            "braces."
        ) from None
    if unknown := found - needed - optional:
        raise ValueError(
            f"the prompt {name!r} has {sorted(unknown)} in braces; it may have "
            f"{sorted(needed | optional)}. Write {{{{ and }}}} for braces."
        )
    if missing := needed - found:
        raise ValueError(
            f"the prompt {name!r} lacks "
            + ", ".join(f"{{{field}}}" for field in sorted(missing))
            + "."
        )


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


def write_messages(
    brief: Brief, approach: str, *, context: str = ""
) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for one program.

    Without a `context` they depend on the task, the classes and what the brief says of
    the columns, and on no record.

    Parameters
    ----------
    brief : Brief
        What the program is to do.

    approach : str
        What it is to rely on.

    context : str, default=""
        Prior knowledge.

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
    prompts = brief.prompts
    user = prompts.program.format(
        task=brief.task.strip(),
        classes=list_classes(brief),
        signature=_signature(brief),
        columns=describe_columns(brief),
        approach=approach,
        context=context,
    )
    return _chat(prompts.system, user)


def write_repair(
    brief: Brief, asked: tuple[Mapping[str, str], ...], answer: str, problem: str
) -> tuple[Mapping[str, str], ...]:
    """Write the messages that ask to mend a program.

    Parameters
    ----------
    brief : Brief
        What the program is to do.

    asked : tuple of mappings
        The messages that asked for it.

    answer : str
        What was answered.

    problem : str
        Why it cannot be used.

    Returns
    -------
    messages : tuple of mappings
        The conversation, continued.
    """
    return (
        *asked,
        # Some providers refuse an empty message.
        {"role": "assistant", "content": answer.strip() or "(no answer)"},
        {"role": "user", "content": brief.prompts.repair.format(problem=problem)},
    )


def write_knowledge_messages(
    brief: Brief, kind: str, *, documents: str = ""
) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for prior knowledge.

    Parameters
    ----------
    brief : Brief
        What programs are going to do.

    kind : {"rules", "keywords", "description", "examples"}
        What to ask for.

    documents : str, default=""
        Passages to answer from.

    Returns
    -------
    messages : tuple of dict
        Chat messages.
    """
    user = brief.prompts.knowledge.format(
        task=brief.task.strip(),
        classes=list_classes(brief),
        columns=describe_columns(brief),
        documents=documents,
        request=KNOWLEDGE_REQUESTS[kind],
    )
    return ({"role": "user", "content": user},)


def write_rules_messages(
    brief: Brief, target: Any, approach: str, *, context: str = ""
) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for the content of a structured program.

    Parameters
    ----------
    brief : Brief
        What the program is to do.

    target : object
        The class to look for.

    approach : str
        What to focus on.

    context : str, default=""
        Prior knowledge.

    Returns
    -------
    messages : tuple of dict
        Chat messages.
    """
    user = brief.prompts.rules.format(
        task=brief.task.strip(),
        classes=list_classes(brief),
        columns=describe_columns(brief),
        target=repr(target),
        approach=approach,
        context=context,
    )
    return ({"role": "user", "content": user},)


def _chat(system: str, user: str) -> tuple[dict[str, str], ...]:
    messages = ({"role": "user", "content": user},)
    if not system.strip():
        return messages
    return ({"role": "system", "content": system}, *messages)


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


def _signature(brief: Brief) -> str:
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
    lines = "\n".join(f"- {name}: {kind}" for name, kind in brief.columns.items())
    return (
        "Its parameters name the columns that it reads, as many of these as it needs; "
        f"a missing value is None:\n{lines}"
    )
