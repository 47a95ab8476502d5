"""Find out which part of a request a server refuses, and leave it out."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ._question import Message

SYSTEM = "system"
LIMITS = ("max_tokens", "max_completion_tokens")
# What servers call that of which they know no `response_format`.
_SCHEMA = re.compile(r"schema|json mode|json_object|structured output|grammar")
_SYSTEM = re.compile(
    r"system[ _-](role|message|prompt|instruction)|role.{0,20}system"
    r"|developer instruction|only user and assistant roles|roles must alternate"
)
_COMPLAINT = re.compile(
    r"support|unrecognized|unknown|not permitted|not allowed|unexpected|extra inputs"
    r"|invalid value|invalid role|deprecated|must alternate"
)
# Of a limit on tokens: the number is refused, and not the name.
_TOO_LARGE = re.compile(r"too (large|high|many|long)|at most|maximum|exceed")


class CallRefused(Exception):  # noqa: N818 -- caught at once, never shown
    """A server refuses a part of the request, and did not charge for it.

    Parameters
    ----------
    what : str
        Name of the parameter, or ``"system"``.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def refused_part(error: Exception, sent: set[str]) -> str | None:
    """Read from an error which part of a request the server does not take.

    Parameters
    ----------
    error : Exception
        What litellm raised.

    sent : set of str
        Names of parameters that can be left out, and ``"system"``.

    Returns
    -------
    what : str or None
        The part that the message names; None where it is about something else.
    """
    if getattr(error, "status_code", None) not in {400, 422}:
        return None
    text = str(error).lower()
    if not _COMPLAINT.search(text):
        return None
    if SYSTEM in sent and _SYSTEM.search(text):
        return SYSTEM
    if "response_format" in sent and _SCHEMA.search(text):
        return "response_format"
    droppable = sent - {"api_base", "api_key", SYSTEM}
    if _TOO_LARGE.search(text):
        droppable -= {*LIMITS}
    named = [n for n in droppable if re.search(rf"(?<!\w){n}(?!\w)", text)]
    # "Use max_completion_tokens instead" names both.
    return min(named, key=text.index, default=None)


def without(options: dict[str, Any], refused: Iterable[str]) -> dict[str, Any]:
    """Leave out of a request what a server refuses.

    Parameters
    ----------
    options : dict
        Parameters of the request.

    refused : iterable of str
        What it refuses.

    Returns
    -------
    options : dict
        The rest; a limit on tokens stays, under its other name.

    Examples
    --------
    >>> from sklearn_alchemist.llm._refusals import without
    >>> without({"max_tokens": 9, "temperature": 1}, ["max_tokens", "temperature"])
    {'max_completion_tokens': 9}
    """
    kept = {name: value for name, value in options.items() if name not in refused}
    if "max_tokens" in refused and "max_completion_tokens" not in refused:
        kept.setdefault("max_completion_tokens", options.get("max_tokens"))
        if kept["max_completion_tokens"] is None:
            del kept["max_completion_tokens"]
    return kept


def merge_system(messages: Sequence[Message]) -> list[Message]:
    """Say in the first message of the user what the system message says.

    Parameters
    ----------
    messages : sequence of mappings
        Chat messages.

    Returns
    -------
    messages : list of mappings
        The same without a system message.
    """
    system = [m["content"] for m in messages if m["role"] == SYSTEM]
    rest = [dict(m) for m in messages if m["role"] != SYSTEM]
    if system and rest:
        rest[0]["content"] = "\n\n".join([*system, rest[0]["content"]])
    return list(rest)
