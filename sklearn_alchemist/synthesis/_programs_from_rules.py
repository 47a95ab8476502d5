"""Render readable programs from what a model fills into a JSON schema."""

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ..llm import without_thoughts


def _cues(key: str, most: int) -> dict[str, Any]:
    """Describe a list of weighted cues; without a bound small models find no end."""
    cue = {
        "type": "object",
        "properties": {key: {"type": "string"}, "weight": {"type": "number"}},
        "required": [key, "weight"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": cue, "maxItems": most}


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "phrases": _cues("text", 40),
        "patterns": _cues("regex", 10),
        "against": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
        "threshold": {"type": "number"},
    },
    "required": ["phrases", "patterns", "against", "threshold"],
    "additionalProperties": False,
}
RESPONSE_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "rules", "schema": SCHEMA, "strict": True},
}
_MAX_CUES = 200
# JSON knows integers that no float can hold.
_LARGEST = 10**6
# Far more than so many cues have.
_MAX_CHARACTERS = 200_000
# A backslash with what JSON lets follow it, or alone.
_ESCAPE = re.compile(r"\\(?P<known>[\"\\/bfnrt]|u[0-9a-fA-F]{4})?")

_TEMPLATE = """\
import re

# What speaks for {target!r}, and how strongly.
PHRASES = {{
{phrases}}}
PATTERNS = [
{patterns}]
# What speaks against it.
AGAINST = [
{against}]
THRESHOLD = {threshold}


def _boundary(phrase):
    return re.compile(r"(?<!\\w)" + re.escape(phrase) + r"(?!\\w)")


FOR = [(_boundary(phrase), weight) for phrase, weight in PHRASES.items()]
FOR += [(re.compile(pattern), weight) for pattern, weight in PATTERNS]
NOT = [_boundary(phrase) for phrase in AGAINST]


def label({parameters}):
    text = {text}.lower()
    score = sum(weight for cue, weight in FOR if cue.search(text))
    score -= 2 * sum(1 for cue in NOT if cue.search(text))
    return {target!r} if score >= THRESHOLD else None
"""


def render_rules(answer: str, target: Any, columns: Sequence[str]) -> str:
    """Render the source of a program from a JSON answer.

    Parameters
    ----------
    answer : str
        A JSON object as `SCHEMA` describes it, perhaps within prose or a fence.

    target : object
        The class that the program answers with.

    columns : sequence of str
        The parameters that hold texts; what they hold is read together.

    Returns
    -------
    source : str
        Python source.

    Raises
    ------
    ValueError
        If there is no such object in the answer, or nothing is left of it.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._programs_from_rules import render_rules
    >>> answer = '{"phrases": [{"text": "Free", "weight": 2}]}'
    >>> "'free': 2" in render_rules(answer, "spam", ["text"])
    True
    """
    content = _json_object(without_thoughts(answer[:_MAX_CHARACTERS]))
    phrases = {
        text.lower(): weight
        for text, weight in _weighted(content.get("phrases"), "text")
    }
    # Where a model did not double its backslashes, JSON reads "\b" as a backspace.
    patterns = [
        (regex.replace("\b", r"\b"), weight)
        for regex, weight in _weighted(content.get("patterns"), "regex")
        if _compiles(regex)
    ]
    if not phrases and not patterns:
        raise ValueError("the answer holds no phrases and no patterns")
    given = content.get("against")
    against = [
        item.strip().lower()
        for item in (given if isinstance(given, list) else [])
        if isinstance(item, str) and item.strip()
    ]
    # A threshold that no record can reach would make a silent program.
    threshold = _number(content.get("threshold"), 1)
    total = sum(phrases.values()) + sum(weight for _, weight in patterns)
    threshold = min(max(threshold, 1), max(1, total / 4))
    return _TEMPLATE.format(
        target=target,
        parameters=", ".join(columns),
        text=_joined(columns),
        phrases="".join(f"    {p!r}: {w:g},\n" for p, w in phrases.items()),
        patterns="".join(f"    ({p!r}, {w:g}),\n" for p, w in patterns),
        against="".join(
            f"    {p!r},\n" for p in against[:_MAX_CUES] if p not in phrases
        ),
        threshold=f"{threshold:g}",
    )


def _joined(columns: Sequence[str]) -> str:
    """Write the expression that makes one text of several."""
    if len(columns) == 1:
        return f'({columns[0]} or "")'
    return f'"\\n".join(value or "" for value in ({", ".join(columns)}))'


def _json_object(answer: str) -> Mapping[str, Any]:
    """Find the first JSON object in an answer."""
    decoder = json.JSONDecoder(strict=False)  # line feeds in texts are no harm
    escaped = _ESCAPE.sub(lambda m: m[0] if m["known"] else r"\\", answer)
    for text in dict.fromkeys((answer, escaped)):
        for match in list(re.finditer(r"\{", text))[:50]:
            try:
                value, _ = decoder.raw_decode(text, match.start())
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict) and {"phrases", "patterns"} & value.keys():
                return value
    if cues := _complete_cues(escaped):
        return cues
    raise ValueError("the answer holds no JSON object with phrases or patterns")


def _complete_cues(answer: str) -> dict[str, list[dict[str, Any]]]:
    """Read the cues of an answer that was cut off, as far as they are complete."""
    found: dict[str, list[dict[str, Any]]] = {}
    for match in re.finditer(r'\{\s*"(?:text|regex)"[^{}]*\}', answer):
        try:
            cue = json.loads(match[0], strict=False)
        except ValueError:
            continue
        found.setdefault("phrases" if "text" in cue else "patterns", []).append(cue)
    return found


def _weighted(items: Any, key: str) -> list[tuple[str, float]]:
    """Read cues with weights; a bare text weighs 1."""
    pairs = []
    for item in (items if isinstance(items, list) else [])[:_MAX_CUES]:
        text = item.get(key) if isinstance(item, dict) else item
        weight = _number(item.get("weight") if isinstance(item, dict) else 1, 1)
        if isinstance(text, str) and text.strip() and weight > 0:
            pairs.append((text.strip(), min(weight, 10)))
    return pairs


def _number(value: Any, default: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        return float(default)
    return float(max(-_LARGEST, min(value, _LARGEST)))


def _compiles(regex: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(regex)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
