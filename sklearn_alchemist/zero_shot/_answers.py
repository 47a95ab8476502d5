"""Read classes out of what a language model answers; guess none."""

import html
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from ..llm._thoughts import last_word, split_thoughts

NO_CLASS = -1
# An answer is a class, or some words around it; of more, the end says what it comes to.
MAX_CHARACTERS = 20_000
_MAX_OBJECTS = 100
_MOST_READ = 200_000

_FENCE = re.compile(r"```(?:\w+\n|\n)?(.*?)```", re.DOTALL)
_NAMED = re.compile(
    r"\b(?:label|class|category|answer|prediction|verdict|conclusion|decision|response"
    r"|classification|sentiment|output|result)\b\W*(?:is\b|would be\b|should be\b)?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^[^\w\n]*(\d{1,9})[ \t]*[.):\-](.+)$", re.MULTILINE)
_NUMBER = re.compile(r"\s*\d{1,9}\s*")
# With one of these, a class that is mentioned may be the one that is ruled out.
_DOUBT = re.compile(
    r"\b(?:not|no|nor|neither|never|none|cannot|unsure|unclear|unless|but|or|except"
    r"|without|hardly|barely|scarcely|far from|rather than|instead of|opposite|false"
    r"|wrong|incorrect|ruled? out|exclud\w+|unlikely|lacks?|anything but|denie[sd]"
    r"|nicht|kein\w*|weder|pas|aucun\w*|nunca|ning\w+|n\u00e3o|\u043d\u0435"
    r"|\u043d\u0435\u0442)\b|n['\u2019]t\b|~~|[\u4e0d\u975e\u6ca1\u6c92\u65e0\u7121]",
    re.IGNORECASE,
)
# What takes back an answer that stands before.
_RETRACTION = re.compile(
    r"\b(?:wait|actually|on second thought|correction|scratch that|my mistake"
    r"|that(?:['\u2019]s| is) (?:wrong|not right)|i take (?:that|it) back|sorry)\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^[-\u2022\u2013\u2014#>+]+(?!\d)\s*")


def read_labels(
    text: str, classes: Sequence[Any], n_records: int, *, cut_off: bool = False
) -> list[int]:
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
    return _merge(
        ((int(number), names.find(rest)) for number, rest in _NUMBERED.findall(text)),
        n_records,
    )


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
        # The longest first: "not spam" is no "spam".
        longest = sorted(filter(None, self.codes), key=len, reverse=True)
        listed = "|".join(map(_mention, longest))
        self.pattern = re.compile(listed or r"(?!)")

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
        if code != NO_CLASS:
            return code
        lines = [line for line in text.splitlines() if line.strip()]
        alone: list[int] = []
        for place in range(len(lines) - 1, -1, -1):
            line = lines[place]
            if _RETRACTION.search(line):
                break
            named = _NAMED.split(line, maxsplit=1)
            if len(named) > 1 and (code := self.match(named[-1])) != NO_CLASS:
                return alone[0] if alone else code
            if (code := self.match(line)) != NO_CLASS:
                alone.append(code)
        if alone:
            return alone[0] if len(set(alone)) == 1 else NO_CLASS
        folded = " ".join(_plain(text).lower().replace("_", " ").split())
        mentioned = {
            self.codes.get(name, self.loose.get(name, NO_CLASS))
            for name in self.pattern.findall(folded)
        }
        rest = self.pattern.sub(" ", folded)
        if len(mentioned) == 1 and not _DOUBT.search(rest):
            return mentioned.pop()
        return NO_CLASS


# A class of more characters is no class.
_LONGEST_NAME = 1_000
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


def _mention(name: str) -> str:
    """Write the pattern of a class that is mentioned, and not as a part of a word.

    Scripts without spaces have no words to be a part of; a hyphen makes one word of
    two, as in "non-positive".
    """
    before = "" if unicodedata.category(name[0]) == "Lo" else r"(?<![\w-])"
    after = "" if unicodedata.category(name[-1]) == "Lo" else r"(?![\w-])"
    return before + re.escape(name.replace("_", " ")) + after


def _plain(text: str) -> str:
    """Write entities, compatibility forms and characters of no width plainly."""
    return unicodedata.normalize("NFKC", html.unescape(text)).translate(_UNSEEN)


def _fold(text: str) -> str:
    """Drop case, spaces around, and the marks that models put around a word."""
    text = _BULLET.sub("", text.strip(" \t\r\n\"'`*.,;:!()[]{}<>"))
    text = text.strip(" \t\r\n\"'`*.,;:!()[]{}<>\u2018\u2019\u201c\u201d\u3002\uff01")
    return " ".join(text.lower().split())


def _loosen(text: str) -> str:
    """Drop besides how words are joined, and what is written in several ways."""
    joined = re.sub(r"(?<=\w)[\s_\-\u2010-\u2015]+(?=\w)", " ", _fold(_plain(text)))
    return joined.strip()


def _number(text: str) -> str:
    """Write a number in one way: 2 for 2.0; empty where it is none."""
    if not _NUMERIC.fullmatch(text := _fold(_plain(text))):
        return ""
    return f"{float(text):g}" if abs(float(text)) < 1e15 else ""


_NUMERIC = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")


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
