"""Describe what is asked of a language model and what it answers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked once of a language model.

    Parameters
    ----------
    messages : tuple of mappings
        Chat messages, each with the keys ``"role"`` and ``"content"``.

    sample : int, default=0
        Tells apart repetitions of the same messages: each sample number is a question
        of its own, with an answer of its own.

    params : mapping or None, default=None
        Parameters of the request, on top of those of the model.

    Examples
    --------
    >>> from sklearn_alchemist.llm import Question
    >>> Question(({"role": "user", "content": "Hello?"},)).prompt
    'Hello?'
    """

    messages: tuple[Message, ...]
    sample: int = 0
    params: Mapping[str, Any] | None = None

    def __setstate__(self, state: list[Any]) -> None:
        restore(self, state)

    @property
    def prompt(self) -> str:
        """The contents of the messages as one text."""
        return "\n\n".join(message["content"] for message in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a language model answered.

    Parameters
    ----------
    text : str
        The answer; an empty string where the model answered nothing.

    model : str
        Who answered, as the provider names it.

    finish_reason : str or None, default=None
        Why the model stopped, such as ``"stop"`` or ``"length"``.

    prompt_tokens, completion_tokens : int or None, default=None
        Number of tokens, None where nobody counted.

    dollars : float or None, default=None
        What the answer cost, None where the price is unknown.

    created : str, default=""
        When the answer was received: ISO 8601, UTC.
    """

    text: str
    model: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    dollars: float | None = None
    created: str = ""


def restore(instance: Any, state: list[Any]) -> None:
    """Unpickle a dataclass with slots, also one that had fewer fields when pickled.

    Parameters
    ----------
    instance : object
        What has no values yet.

    state : list
        Values of the first fields; the others get their defaults.
    """
    for position, field in enumerate(fields(instance)):
        if position < len(state):
            value = state[position]
        elif field.default_factory is not MISSING:
            value = field.default_factory()
        else:
            value = field.default
        object.__setattr__(instance, field.name, value)


def digest(value: Any) -> str:
    """Hash a JSON-serialisable value, independently of the order of its keys.

    Parameters
    ----------
    value : object
        Strings, numbers, None, and lists and dicts of them.

    Returns
    -------
    digest : str
        Hexadecimal SHA-256.
    """
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
