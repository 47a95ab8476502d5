"""Read classes out of what a language model answers; guess none."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..llm._answer_text import last_word, split_thoughts

NO_CLASS = -1
# An answer is a class, or some words around it; of more, the end says what it comes to.
MAX_CHARACTERS = 20_000
_MAX_OBJECTS = 100
_MOST_READ = 200_000

_FENCE = re.compile(r"```(?:\w+\n|\n)?(.*?)```", re.DOTALL)
# A dot or a dash before a digit is a part of a number.
_NUMBERED = re.compile(
    r"^[^\w\n]*(?:(?:record|item|row|text|no\.?)[ \t]*#?)?(\d{1,9})[^\w\n.):\-]{0,4}"
    r"(?:\.(?!\d)|[):]|[-\u2013\u2014](?!\d))(.+)$",
    re.MULTILINE | re.IGNORECASE,
)
_NUMBER = re.compile(r"\s*\d{1,9}\s*")
_POSITIONS = ("record", "id", "index", "number", "row", "item", "no")
_LABELS = ("label", "class", "category", "answer")


def read_labels(
    text: str, classes: Sequence[Any], n_records: int, *, cut_off: bool = False
) -> list[int]:
    r"""Find the class of each record in an answer.

    JSON as it was asked for is read first, then JSON inside of other text, then words:
    a class alone, or after known ways to begin ("The answer is") and before known ways
    to go on ("because ..."). A class that merely occurs in a sentence is none.

    Parameters
    ----------
    text : str
        The answer.

    classes : sequence
        The classes.

    n_records : int
        Number of records that the answer is about.

    cut_off : bool, default=False
        Whether the answer stops before its end. Its last line then counts only where
        it cannot go on to be another class.

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
    if len(text) > _MOST_READ:  # how it begins and ends says all
        text = text[:1000] + "\n" + text[1000 - _MOST_READ :]
    if n_records == 1 and (code := names.match(text[:1000])) != NO_CLASS:
        return [NO_CLASS if cut_off and names.may_go_on(text) else code]
    said, unfinished = split_thoughts(text)
    if not said.strip() and not unfinished:
        # Some servers take all of an answer for thoughts: a bare answer is none.
        said = _THOUGHT_MARK.sub("", text)
        if n_records == 1 and (code := names.match(said[:1000])) != NO_CLASS:
            return [code]
        return _read_json(said.strip(), names, n_records) or [NO_CLASS] * n_records
    text = last_word(said)[-MAX_CHARACTERS * n_records :]
    found = [
        codes
        for value in _json_values(text)
        if (codes := _codes_of_json(value, names, n_records)) is not None
    ]
    if found:
        return found[-1]  # what comes before was a draft
    if cut_off:
        *whole, last = text.rstrip().split("\n")
        if n_records == 1:
            alone = names.match(text)
            return [NO_CLASS if names.may_go_on(text) else alone]
        if names.may_go_on(last):
            text = "\n".join(whole)
    if n_records == 1:
        return [names.find(text)]
    pairs = [(int(number), rest) for number, rest in _NUMBERED.findall(text)]
    return _merge(((number, names.find(rest)) for number, rest in pairs), n_records)


_THOUGHT_MARK = re.compile(r"^\s*<think>|</think>\s*$")


def _read_json(text: str, names: "_Names", n_records: int) -> list[int] | None:
    """Read the classes from a text that is JSON and nothing else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _codes_of_json(value, names, n_records)


class _Names:
    """The classes by the words that name them."""

    def __init__(self, classes: Sequence[Any]) -> None:
        self.codes: dict[str, int] = {}
        self.loose: dict[str, int] = {}
        for code, name in enumerate(classes):
            # Two classes of one name without case are told apart by their case only.
            folded = _fold(str(name))
            self.codes[folded] = NO_CLASS if folded in self.codes else code
        for code, name in enumerate(classes):
            for form in {_loosen(str(name)), _number(str(name))} - {""}:
                same = self.loose.setdefault(form, code) == code
                self.loose[form] = code if same else NO_CLASS
        self.exact = {str(name): code for code, name in enumerate(classes)}
        from ._statements import Statements  # compiles many patterns

        self.statements = Statements(classes, self.match)

    def match(self, value: Any) -> int:
        """Read a value that should be a class and nothing else."""
        if not isinstance(value, bool | int | float | str):
            return NO_CLASS
        text = str(value).strip()
        if len(text) > _LONGEST_NAME:
            return NO_CLASS
        if text in self.exact:
            return self.exact[text]
        if isinstance(value, float) and value.is_integer():
            return self.match(int(value))
        for form, table in (
            (_fold(text), self.codes),
            (_loosen(text), self.loose),
            (_number(text), self.loose),
        ):
            if form in table:
                return table[form]
        return NO_CLASS

    def may_go_on(self, text: str) -> bool:
        """Tell whether what is cut off is no class yet, or may become another."""
        if self.match(text) == NO_CLASS:
            return True
        begun = _fold(text)
        return any(name != begun and name.startswith(begun) for name in self.codes)

    def find(self, text: str) -> int:
        """Read words that may say more than the class."""
        code = self.match(text)
        return self.statements.read(text) if code == NO_CLASS else code


# A class of more characters is no class.
_LONGEST_NAME = 1_000
_OUTER = " \t\r\n\"'`*:()[]{}\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"
# Before a word, these may say what it is not: "!spam", "<2", ".5".
_LAST = _OUTER + ".,;!\u3002\uff01"
_IN_TAGS = re.compile(r"<([^<>]*)>")
# A dash before a number is a sign.
_BULLET = re.compile(r"^[-\u2022\u2013\u2014#>+]+(?!\s*[\d.])\s*")


def _plain(text: str) -> str:
    from ._statements import plain  # compiles many patterns

    return plain(text)


def _fold(text: str) -> str:
    """Drop case, spaces around, and the marks that models put around a word."""
    text = text.rstrip(_LAST).lstrip(_OUTER)
    if within := _IN_TAGS.fullmatch(text):
        text = within[1]
    text = _BULLET.sub("", text).rstrip(_LAST).lstrip(_OUTER)
    return " ".join(text.lower().split())


def _loosen(text: str) -> str:
    """Drop besides how words are joined, and what is written in several ways."""
    joined = re.sub(r"(?<=\w)[\s_\-\u2010-\u2015]+(?=\w)", " ", _fold(_plain(text)))
    return joined.strip()


def _number(text: str) -> str:
    """Write a number in one way: 2.0 for 2; empty where it is none."""
    if not _NUMERIC.fullmatch(text := _fold(_plain(text))):
        return ""
    return repr(float(text.replace(" ", "")) + 0.0)  # no minus before zero


_NUMERIC = re.compile(r"[-+]? ?\d{1,15}(?:\.\d{1,15})?")


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
        return _code_of_json(value, names)
    if isinstance(value, dict):
        value = value.get("labels", value)
    if isinstance(value, dict) and all(_NUMBER.fullmatch(key) for key in value):
        pairs = [(int(key), names.match(item)) for key, item in value.items()]
        return _merge(pairs, n_records)
    if not isinstance(value, list):
        return None
    if all(isinstance(item, dict) for item in value):
        numbers = [_field(item, _POSITIONS) for item in value]
        codes = [names.match(_field(item, _LABELS)) for item in value]
        if any(number is not None for number in numbers):
            return _merge(zip(map(_as_int, numbers), codes, strict=True), n_records)
        return codes if len(codes) == n_records else None
    # Without numbers nobody knows which record was left out.
    return [names.match(v) for v in value] if len(value) == n_records else None


def _code_of_json(value: Any, names: _Names) -> list[int] | None:
    """Read the class of the only record from JSON; None if it has another form."""
    if isinstance(value, dict):
        fields = {str(key).lower(): item for key, item in value.items()}
        if "labels" in fields and "label" not in fields:
            value = fields["labels"]
        elif any(name in fields for name in _LABELS):
            value = _field(fields, _LABELS)
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            return [names.match(value)]
        elif value and all(isinstance(item, bool) for item in value.values()):
            codes = {key: names.match(key) for key in value}
            chosen = [codes[key] for key, item in value.items() if item]
            known = NO_CLASS not in codes.values()
            return [chosen[0] if known and len(chosen) == 1 else NO_CLASS]
    if isinstance(value, list):
        alone = len(value) == 1 and not isinstance(value[0], list)
        return _code_of_json(value[0], names) if alone else [NO_CLASS]
    code = names.match(value)
    return None if code == NO_CLASS else [code]


def _field(fields: dict[str, Any], names: Sequence[str]) -> Any:
    """Get the first of some fields that is there."""
    lower = {str(key).lower(): item for key, item in fields.items()}
    return next((lower[name] for name in names if name in lower), None)


def _as_int(value: Any) -> int | None:
    """Read the number of a record, which may be written as a string."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _merge(pairs: Iterable[tuple[int | None, int]], n_records: int) -> list[int]:
    """Bring numbered answers in order; two that differ are none.

    Numbers may begin at 0 where all are there. One that is no record's number says
    that the answer counts in a way of its own, so that all may be another record's.
    """
    codes: dict[int, int] = {}
    for number, code in pairs:
        if number is not None:
            same = codes.setdefault(number, code) == code
            codes[number] = code if same else NO_CLASS
    first = 0 if set(codes) == set(range(n_records)) else 1
    numbers = range(first, first + n_records)
    if any(number not in numbers for number in codes):
        return [NO_CLASS] * n_records
    return [codes.get(number, NO_CLASS) for number in numbers]
