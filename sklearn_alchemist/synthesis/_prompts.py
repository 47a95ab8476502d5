"""Word what is asked of a language model, and write it as messages."""

import hashlib
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from .._utils import read_prompts
from ..llm import Question

if TYPE_CHECKING:
    from ._plan import PlannedProgram
    from ._synthesis_config import SynthesisConfig
    from ._task_spec import TaskSpec

# Recorded with every program; a change of prompts.toml, or of a strategy that was there
# before, makes a new version.
PROMPT_VERSION = "4"
# Those whose words are kept, since stores hold answers to them.
_EARLIER = ("3",)
_TEXTS = read_prompts(__package__, "prompts")
# Of a list of columns: 3,000 tokens, so that prompt and answer stay below 4,096 each.
_MAX_CHARACTERS = 10_000
# Of descriptions such as names with hundreds of letters.
_MAX_LINE = 200


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """The wording of all that is asked, to be replaced in part or as a whole.

    Names in braces are filled in. A text may leave out any of those that the default
    uses, but not those marked as needed. What differs between the questions of a fit
    stands at their ends, so that a provider that remembers how prompts begin charges
    less for them.

    Parameters
    ----------
    system : str
        System message of the questions for programs.

    program : str
        Asks for a program of a given approach: ``{task}``, ``{classes}``,
        ``{signature}``, ``{columns}`` and ``{approach}`` are needed; ``{evidence}`` is
        `text_evidence` or `table_evidence`, ``{context}`` is prior knowledge, earlier
        cues and records.

    free : str
        Asks for a program whose approach is left to the model: ``{task}``,
        ``{classes}``, ``{signature}`` and ``{columns}`` are needed; ``{context}`` is
        there.

    text_evidence, table_evidence : str
        Say which cues to use; ``{n_cues}`` is how many for each class.

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
    '4'
    >>> Prompts(repair="Mend it: {problem}").version.startswith("4+")
    True
    """

    system: str = _TEXTS["system"]
    program: str = _TEXTS["program"]
    free: str = _TEXTS["free"]
    text_evidence: str = _TEXTS["text_evidence"]
    table_evidence: str = _TEXTS["table_evidence"]
    repair: str = _TEXTS["repair"]
    knowledge: str = _TEXTS["knowledge"]
    rules: str = _TEXTS["rules"]

    def __post_init__(self) -> None:
        for field in fields(self):
            text = getattr(self, field.name)
            if not isinstance(text, str):
                raise TypeError(
                    f"the prompt {field.name!r} must be a str; got "
                    f"{type(text).__name__}."
                )
            _check_fields(field.name, text)

    @classmethod
    def of_version(cls, version: str) -> "Prompts":
        """Take the wording of an earlier version, to which a store holds answers.

        Parameters
        ----------
        version : str
            Such as ``provenance.prompt_version`` of a program says.

        Returns
        -------
        prompts : Prompts
            What was asked then.

        Raises
        ------
        ValueError
            If there is no such version any more.

        Examples
        --------
        >>> from sklearn_alchemist.synthesis import Prompts
        >>> Prompts.of_version("3").version
        '3'
        """
        if version == PROMPT_VERSION:
            return cls()
        if version not in _EARLIER:
            known = ", ".join(map(repr, (*_EARLIER, PROMPT_VERSION)))
            raise ValueError(f"version must be one of {known}; got {version!r}.")
        return cls(**read_prompts(__package__, f"prompts_{version}"))

    @property
    def version(self) -> str:
        """Version of the wording, with a digest where it is not the package's own."""
        for version in (PROMPT_VERSION, *_EARLIER):
            if self == Prompts.of_version(version):
                return version
        words = "\0".join(asdict(self).values())
        return f"{PROMPT_VERSION}+{hashlib.sha256(words.encode()).hexdigest()[:6]}"


# Fields that each text needs, and those that it may use.
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "system": (set(), set()),
    "program": (
        {"task", "classes", "signature", "columns", "approach"},
        {"evidence", "context"},
    ),
    "free": ({"task", "classes", "signature", "columns"}, {"context"}),
    "text_evidence": (set(), {"n_cues"}),
    "table_evidence": (set(), {"n_cues"}),
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


KNOWLEDGE_REQUESTS: dict[str, str] = read_prompts(__package__, "strategies")[
    "knowledge"
]
RULE_FOCUSES: dict[str, str] = read_prompts(__package__, "strategies")["rules"]
# Said before anything that the plan adds to a prompt.
KNOWN: str = read_prompts(__package__, "prompts")["known"]
EARLIER: str = read_prompts(__package__, "prompts")["earlier"]


def write_messages(
    spec: "TaskSpec", approach: str, *, context: str = ""
) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for one program.

    Without a `context` they depend on the task, the classes and what the spec says of
    the columns, and on no record.

    Parameters
    ----------
    spec : "TaskSpec"
        What the program is to do.

    approach : str
        What it is to rely on; an empty one leaves that to the model.

    context : str, default=""
        Prior knowledge, cues of earlier programs, records.

    Returns
    -------
    messages : tuple of dict
        Chat messages.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import TaskSpec, write_messages
    >>> classes = {"ham": None, "spam": None}
    >>> spec = TaskSpec("Is it spam?", classes, {"text": "str"}, True)
    >>> system, user = write_messages(spec, "Decide by vocabulary.")
    >>> "def label(text: str):" in user["content"]
    True
    """
    prompts = spec.prompts
    said = {
        "task": spec.task.strip(),
        "classes": list_classes(spec),
        "signature": signature_of(spec),
        "columns": describe_columns(spec),
        "context": context,
    }
    if not approach:
        return _chat(prompts.system, prompts.free.format(**said))
    parts = [prompts.text_evidence] if spec.text_columns else []
    parts += [] if spec.is_text else [prompts.table_evidence]
    evidence = "\n- ".join(parts)
    user = prompts.program.format(
        **said,
        approach=approach,
        evidence=evidence.format(n_cues=count_cues(len(spec.classes))),
    )
    return _chat(prompts.system, user)


def write_repair(
    spec: "TaskSpec", asked: tuple[Mapping[str, str], ...], answer: str, problem: str
) -> tuple[Mapping[str, str], ...]:
    """Write the messages that ask to mend a program.

    Parameters
    ----------
    spec : "TaskSpec"
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
        {"role": "user", "content": spec.prompts.repair.format(problem=problem)},
    )


def write_knowledge_messages(
    spec: "TaskSpec", kind: str, *, documents: str = ""
) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for prior knowledge.

    Parameters
    ----------
    spec : "TaskSpec"
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
    user = spec.prompts.knowledge.format(
        task=spec.task.strip(),
        classes=list_classes(spec),
        columns=describe_columns(spec),
        documents=documents,
        request=KNOWLEDGE_REQUESTS[kind],
    )
    return ({"role": "user", "content": user},)


def write_rules_messages(
    spec: "TaskSpec", target: Any, approach: str, *, context: str = ""
) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for the content of a structured program.

    Parameters
    ----------
    spec : "TaskSpec"
        What the program is to do.

    target : object
        The class to look for.

    approach : str
        What to focus on.

    context : str, default=""
        Prior knowledge, cues of earlier programs, records.

    Returns
    -------
    messages : tuple of dict
        Chat messages.
    """
    user = spec.prompts.rules.format(
        task=spec.task.strip(),
        classes=list_classes(spec),
        columns=describe_columns(spec),
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


def list_classes(spec: "TaskSpec") -> str:
    """List the classes with what the user says of them, one a line.

    Parameters
    ----------
    spec : "TaskSpec"
        What programs are to do.

    Returns
    -------
    lines : str
        One line a class.
    """
    return "\n".join(
        f"- {name!r}: {description}" if description else f"- {name!r}"
        for name, description in spec.classes.items()
    )


def signature_of(spec: "TaskSpec") -> str:
    """Write the first line of the function that is asked for."""
    if spec.is_text:
        (name,) = spec.columns
        return f"def label({name}: str):"
    return f"def label({next(iter(spec.columns))}, ...):"


def describe_columns(spec: "TaskSpec") -> str:
    """Say what the parameters of a program may be.

    Parameters
    ----------
    spec : "TaskSpec"
        What programs are to do.

    Returns
    -------
    description : str
        One sentence for a text, one line a column for a table.
    """
    if spec.is_text:
        (name,) = spec.columns
        return f"`{name}` is the text of one record."
    lines = list_columns(spec.columns)
    return (
        "Its parameters name the columns that it reads, as many of these as it needs; "
        f"a missing value is None:\n{lines}"
    )


def count_cues(n_classes: int) -> int:
    """Cues a class that fit into an answer of about 3,000 tokens."""
    return max(5, min(80, 360 // n_classes // 5 * 5))


def write_question(
    planned: "PlannedProgram",
    spec: "TaskSpec",
    config: "SynthesisConfig",
    *,
    known: str = "",
    context: str = "",
) -> Question:
    """Write what is asked for one planned.

    Parameters
    ----------
    planned : "PlannedProgram"
        The planned.

    spec : "TaskSpec"
        What the programs are to do.

    config : "SynthesisConfig"
        How they are to be got.

    known : str, default=""
        Prior knowledge.

    context : str, default=""
        Records, and cues of earlier programs, as they are put into the prompt.

    Returns
    -------
    question : Question
        The question.
    """
    if known:
        context = KNOWN.format(knowledge=known) + context
    if config.style == "rules":
        messages = write_rules_messages(
            spec, planned.target, planned.advice, context=context
        )
    else:
        messages = write_messages(spec, planned.advice, context=context)
    return Question(messages, planned.sample)


def list_columns(columns: Mapping[str, str]) -> str:
    """List columns one a line, as many as a prompt has room for.

    Parameters
    ----------
    columns : dict of str to str
        Name -> what it is.

    Returns
    -------
    lines : str
        The first of them; the last line says how many are left out.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._prompts import list_columns
    >>> print(list_columns({"age": "int", "name": "str"}))
    - age: int
    - name: str
    """
    lines: list[str] = []
    room = _MAX_CHARACTERS
    for name, kind in columns.items():
        line = f"- {name}: {kind}"
        line = line if len(line) <= _MAX_LINE else f"- {name}: {kind.split(',')[0]}"
        room -= len(line) + 1
        if room < 0:
            n_left, last = len(columns) - len(lines), list(columns)[-1]
            lines.append(
                f"There are {n_left} more columns, from {name} to {last}; they are "
                "left out here: do not use them."
            )
            break
        lines.append(line)
    return "\n".join(lines)
