"""Read classes out of what a language model answers; guess none."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..llm import without_thoughts

NO_CLASS = -1
# An answer is a class, or some words around it; of more, the end says what it comes to.
MAX_CHARACTERS = 20_000
_MAX_OBJECTS = 100

_FENCE = re.compile(r"```(?:\w+\n|\n)?(.*?)```", re.DOTALL)
_NAMED = re.compile(r"\b(?:label|class|category|answer)\b\W*(?:is\b)?", re.IGNORECASE)
_NUMBERED = re.compile(r"^[^\w\n]*(\d{1,9})[ \t]*[.):\-](.+)$", re.MULTILINE)
_NUMBER = re.compile(r"\s*\d{1,9}\s*")
# With one of these, a class that is mentioned may be the one that is ruled out.
_DOUBT = re.compile(
    r"\b(?:not|no|nor|neither|never|none|cannot|unsure|unclear|unless|but|or)\b|n't\b",
    re.IGNORECASE,
)


def read_labels(text: str, classes: Sequence[Any], n_records: int) -> list[int]:
    r"""Find the class of each record in an answer.

    JSON as it was asked for is read first, then JSON inside of other text, then words:
    an answer that is a class, or that names exactly one and rules none out.

    Parameters
    ----------
    text : str
        The answer.

    classes : sequence
        The classes.

    n_records : int
        Number of records that the answer is about.

    Returns
    -------
    codes : list of int
        Position of each record's class in `classes`, -1 where the answer holds none.

    Examples
    --------
    >>> from sklearn_alchemist.zero_shot import read_labels
    >>> read_labels('{"label": "spam"}', ["ham", "spam"], 1)
    [1]
    >>> read_labels("It is **ham**.", ["ham", "spam"], 1)
    [0]
    >>> read_labels("It could be ham or spam.", ["ham", "spam"], 1)
    [-1]
    >>> read_labels("1. spam\n2. ham", ["ham", "spam"], 2)
    [1, 0]
    """
    names = _Names(classes)
    text = without_thoughts(text)[-MAX_CHARACTERS * n_records :]
    for value in _json_values(text):
        codes = _codes_of_json(value, names, n_records)
        if codes is not None:
            return codes
    if n_records == 1:
        return [names.find(text)]
    return _merge(
        ((int(number), names.find(rest)) for number, rest in _NUMBERED.findall(text)),
        n_records,
    )


class _Names:
    """The classes by the words that name them."""

    def __init__(self, classes: Sequence[Any]) -> None:
        self.codes: dict[str, int] = {}
        for code, name in enumerate(classes):
            # Two classes of one name without case are told apart by their case only.
            folded = _fold(str(name))
            self.codes[folded] = NO_CLASS if folded in self.codes else code
        self.exact = {str(name): code for code, name in enumerate(classes)}
        # The longest first: "not spam" is no "spam".
        longest = sorted(self.codes, key=len, reverse=True)
        listed = "|".join(map(re.escape, longest))
        self.pattern = re.compile(rf"(?<!\w)(?:{listed})(?!\w)")

    def match(self, value: Any) -> int:
        """Read a value that should be a class and nothing else."""
        if isinstance(value, bool | int | float | str):
            text = str(value).strip()
            if text in self.exact:
                return self.exact[text]
            if isinstance(value, float) and value.is_integer():
                return self.match(int(value))
            return self.codes.get(_fold(text), NO_CLASS)
        return NO_CLASS

    def find(self, text: str) -> int:
        """Read words that may say more than the class."""
        code = self.match(text)
        if code != NO_CLASS:
            return code
        lines = [line for line in text.splitlines() if line.strip()]
        for line in reversed(lines):
            for part in (line, _NAMED.split(line, maxsplit=1)[-1]):
                code = self.match(part)
                if code != NO_CLASS:
                    return code
        folded = " ".join(text.lower().split())
        mentioned = {self.codes[name] for name in self.pattern.findall(folded)}
        rest = self.pattern.sub(" ", folded)
        if len(mentioned) == 1 and not _DOUBT.search(rest):
            return mentioned.pop()
        return NO_CLASS


def _fold(text: str) -> str:
    """Drop case, spaces around, and the marks that models put around a word."""
    return " ".join(text.strip(" \t\r\n\"'`*.,;:!()[]{}<>").lower().split())


def _json_values(text: str) -> Iterable[Any]:
    """Yield what of an answer is JSON: all of it, a fenced block, or an object."""
    candidates = [text, *_FENCE.findall(text)]
    for candidate in candidates:
        try:
            yield json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    decoder = json.JSONDecoder()
    start = text.find("{")
    for _ in range(_MAX_OBJECTS):
        if start == -1:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)


def _codes_of_json(value: Any, names: _Names, n_records: int) -> list[int] | None:
    """Read the classes from JSON; None if it has another form."""
    if n_records == 1:
        if isinstance(value, dict):
            fields = {str(key).lower(): item for key, item in value.items()}
            if "labels" in fields and "label" not in fields:
                value = fields["labels"]
            else:
                keys = ("label", "class", "category", "answer")
                found = [fields[key] for key in keys if key in fields]
                return [names.match(found[0])] if found else None
        if isinstance(value, list):
            alone = len(value) == 1 and not isinstance(value[0], list)
            return _codes_of_json(value[0], names, 1) if alone else [NO_CLASS]
        code = names.match(value)
        return None if code == NO_CLASS else [code]
    if isinstance(value, dict):
        value = value.get("labels", value)
    if isinstance(value, dict) and all(_NUMBER.fullmatch(key) for key in value):
        pairs = [(int(key), names.match(item)) for key, item in value.items()]
        return _merge(pairs, n_records)
    if not isinstance(value, list):
        return None
    if all(isinstance(item, dict) for item in value):
        numbered = [
            (item.get("record"), names.match(item.get("label"))) for item in value
        ]
        return _merge(numbered, n_records)
    # Without numbers nobody knows which record was left out.
    return [names.match(v) for v in value] if len(value) == n_records else None


def _merge(pairs: Iterable[tuple[Any, int]], n_records: int) -> list[int]:
    """Bring numbered answers in order; two that differ are none."""
    codes: dict[int, int] = {}
    for number, code in pairs:
        if isinstance(number, int) and not isinstance(number, bool):
            same = codes.setdefault(number, code) == code
            codes[number] = code if same else NO_CLASS
    return [codes.get(number, NO_CLASS) for number in range(1, n_records + 1)]
