"""Describe what is asked, what is answered, and what it costs."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
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
    """Unpickle a dataclass with slots, also one that had fewer fields when pickled."""
    for position, one in enumerate(fields(instance)):
        if position < len(state):
            value = state[position]
        elif one.default_factory is not MISSING:
            value = one.default_factory()
        else:
            value = one.default
        object.__setattr__(instance, one.name, value)


def digest(value: Any) -> str:
    """Hash a JSON-serialisable value, independently of the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _total(values: Iterable[float | None]) -> float | None:
    """Add up, where one unknown makes the sum unknown."""
    known = list(values)
    return None if None in known else sum(v for v in known if v is not None)


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls and what they took.

    Parameters
    ----------
    calls : int, default=0
        Number of answers.

    prompt_tokens, completion_tokens : int or None, default=0
        Number of tokens; None where they were not counted for every answer.

    dollars : float or None, default=0.0
        Cost; None where the price of an answer is unknown.
    """

    calls: int = 0
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    dollars: float | None = 0.0

    @classmethod
    def of(cls, completions: Iterable[Completion]) -> "Tally":
        """Add up completions.

        Parameters
        ----------
        completions : iterable of Completion
            What was answered.

        Returns
        -------
        tally : Tally
            Their sum.
        """
        answers = list(completions)
        prompt = _total(answer.prompt_tokens for answer in answers)
        completion = _total(answer.completion_tokens for answer in answers)
        return cls(
            len(answers),
            None if prompt is None else int(prompt),
            None if completion is None else int(completion),
            _total(answer.dollars for answer in answers),
        )

    def __add__(self, other: "Tally") -> "Tally":
        prompt = _total([self.prompt_tokens, other.prompt_tokens])
        completion = _total([self.completion_tokens, other.completion_tokens])
        return Tally(
            self.calls + other.calls,
            None if prompt is None else int(prompt),
            None if completion is None else int(completion),
            _total([self.dollars, other.dollars]),
        )

    @property
    def tokens(self) -> int | None:
        """Tokens of prompts and completions together, None where unknown."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens

    def __str__(self) -> str:
        tokens = "tokens unknown" if self.tokens is None else f"{self.tokens:,} tokens"
        dollars = "cost unknown" if self.dollars is None else f"${self.dollars:.4f}"
        calls = "1 call" if self.calls == 1 else f"{self.calls} calls"
        return f"{calls}, {tokens}, {dollars}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What answers cost, split by who paid for them.

    Parameters
    ----------
    paid : Tally
        Answers that were asked for, and paid, by this fit.

    cached : Tally
        Answers taken from the store, with what they cost when they were asked for.

    repaired : Tally
        Those of all these answers that mend an earlier one.

    wasted : Tally
        Those of all these answers that gave no program that is kept.

    unanswered : Tally
        Calls of this fit that were sent and gave no answer, and that may be charged
        all the same: at most these dollars. A call that a server refused, as it does
        for a limit of rate, costs nothing and is not counted.

    Examples
    --------
    >>> from sklearn_alchemist.llm import Tally, Usage
    >>> print(Usage(paid=Tally(2, 900, 300, 0.0012), cached=Tally()))
    paid: 2 calls, 1,200 tokens, $0.0012; from the store: 0 calls, 0 tokens, $0.0000
    """

    paid: Tally = field(default_factory=Tally)
    cached: Tally = field(default_factory=Tally)
    repaired: Tally = field(default_factory=Tally)
    wasted: Tally = field(default_factory=Tally)
    unanswered: Tally = field(default_factory=Tally)

    def __setstate__(self, state: list[Any]) -> None:
        restore(self, state)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.paid + other.paid,
            self.cached + other.cached,
            self.repaired + other.repaired,
            self.wasted + other.wasted,
            self.unanswered + other.unanswered,
        )

    @property
    def calls(self) -> int:
        """Number of answers, paid or from the store."""
        return self.paid.calls + self.cached.calls

    @property
    def tokens(self) -> int | None:
        """Number of tokens of all answers, None where unknown."""
        total = _total([self.paid.tokens, self.cached.tokens])
        return None if total is None else int(total)

    @property
    def dollars(self) -> float | None:
        """What this fit has cost, None where a price is unknown.

        Calls without an answer that may be charged count at their worst case.
        """
        return _total([self.paid.dollars, self.unanswered.dollars])

    def __str__(self) -> str:
        text = f"paid: {self.paid}; from the store: {self.cached}"
        if self.unanswered.calls:
            text += f"; without an answer: {self.unanswered}"
        return text
