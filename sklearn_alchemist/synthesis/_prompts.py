"""Write the messages that are sent to a language model."""

from collections.abc import Mapping
from typing import Any

from .._utils import read_texts
from ._brief import Brief, count_cues, describe_columns, list_classes, signature_of

KNOWLEDGE_REQUESTS: dict[str, str] = read_texts(__package__, "strategies")["knowledge"]
RULE_FOCUSES: dict[str, str] = read_texts(__package__, "strategies")["rules"]
# Said before anything that the plan adds to a prompt.
KNOWN: str = read_texts(__package__, "prompts")["known"]
EARLIER: str = read_texts(__package__, "prompts")["earlier"]


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
        What it is to rely on; an empty one leaves that to the model.

    context : str, default=""
        Prior knowledge, cues of earlier programs, records.

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
    said = {
        "task": brief.task.strip(),
        "classes": list_classes(brief),
        "signature": signature_of(brief),
        "columns": describe_columns(brief),
        "context": context,
    }
    if not approach:
        return _chat(prompts.system, prompts.free.format(**said))
    parts = [prompts.text_evidence] if brief.text_columns else []
    parts += [] if brief.is_text else [prompts.table_evidence]
    evidence = "\n- ".join(parts)
    user = prompts.program.format(
        **said,
        approach=approach,
        evidence=evidence.format(n_cues=count_cues(len(brief.classes))),
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
        Prior knowledge, cues of earlier programs, records.

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
