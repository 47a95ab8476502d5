"""Derive from a regular expression what every text that it matches must contain."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from ._text_index import PREFIXES

# What marks a key as a whole word; no word holds it.
WHOLE = " "

_MAX_STARTS = 400
# Of more literals nobody looks which hold others.
_MAX_COMPARED = 60
_MAX_LENGTH = 40
_REPEATS = {ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT}
_NOT_A_WORD_CHARACTER = ([(ops.IN, [(ops.CATEGORY, ops.CATEGORY_WORD)])],)

# A keyword as programs search for it: compiled only where the keyword occurs.
_KEYWORD = re.compile(r"(\\b)?((?:\\[ &'./,+#%:!-]|[A-Za-z0-9_ ',&/%:!-])+?)(\\b)?")


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be in a text before it is worth searching.

    Parameters
    ----------
    keys : frozenset of str, optional
        Whole words (marked by `WHOLE`) or beginnings of words (of a length in
        `PREFIXES`), one of which must be there.
    literals : tuple of str, optional
        Strings, one of which must be there.
    starts : tuple of str, optional
        Strings, with one of which every match begins.
    folded : bool, default=False
        Everything is lower case, and so must the text be.
    exact : bool, default=False
        A text that holds one of `keys` certainly matches.
    """

    keys: frozenset[str] | None = None
    literals: tuple[str, ...] | None = None
    starts: tuple[str, ...] | None = None
    folded: bool = False
    exact: bool = False


NOTHING = Needs()


class _Start(NamedTuple):
    """A literal that a part of a pattern can begin with.

    It is open where what follows in the pattern may extend it, and all where the
    literal and its word boundaries are everything that the part asks for.
    """

    text: str = ""
    at_word: bool = False
    ends_word: bool = False
    is_open: bool = True
    is_all: bool = True

    def then(self, other: "_Start") -> "_Start":
        """Put another literal behind this one."""
        if not self.is_open:
            return self
        at_word = self.at_word if self.text else self.at_word or other.at_word
        ends = other.ends_word if other.text else self.ends_word or other.ends_word
        text = self.text + other.text
        is_open = other.is_open and len(text) < _MAX_LENGTH
        inside = self.text and other.text and (self.ends_word or other.at_word)
        is_all = self.is_all and other.is_all and is_open and not inside
        return _Start(text, at_word, ends, is_open, is_all)

    def closed(self) -> "_Start":
        """Let nothing follow."""
        return _Start(self.text, self.at_word, self.ends_word, False, False)

    @property
    def key(self) -> str | None:
        """Entry of an index of words, if the literal begins a word."""
        match = _WORD.match(self.text)
        if not self.at_word or match is None:
            return None
        word = match.group()
        if self.ends_word or len(word) < len(self.text):
            return word + WHOLE
        return next((word[:size] for size in PREFIXES if size <= len(word)), None)

    @property
    def is_word(self) -> bool:
        """Whether texts with this word certainly match."""
        bounded = self.at_word and self.ends_word and self.is_all
        return bounded and _WORD.fullmatch(self.text) is not None


_WORD = re.compile(r"\w+")
_EMPTY = _Start()
_UNKNOWN = _Start(is_open=False, is_all=False)


def keyword_needs(pattern: str) -> Needs | None:
    r"""Read a pattern that is nothing but a keyword, perhaps between word boundaries.

    Parameters
    ----------
    pattern : str
        Without flags.

    Returns
    -------
    needs : Needs or None
        None where the pattern is more than that.

    Examples
    --------
    >>> from sklearn_alchemist.programs._needs import keyword_needs
    >>> keyword_needs(r"\bstock\ market\b").starts
    ('stock market',)
    >>> keyword_needs("a+") is None
    True
    """
    match = _KEYWORD.fullmatch(pattern)
    if match is None:
        return None
    before, text, after = match.groups()
    text = text.replace("\\", "")
    ends = after is not None and _WORD.fullmatch(text[-1]) is not None
    start = _Start(text, before is not None, ends)
    keys = None if start.key is None else frozenset([start.key])
    return Needs(keys, (text,), (text,), exact=start.is_word)


@lru_cache(maxsize=4096)
def needs_of(pattern: str, flags: int = 0) -> Needs:
    r"""Read a valid pattern.

    Parameters
    ----------
    pattern : str
    flags : int, default=0

    Returns
    -------
    needs : Needs
        Without any field where nothing is known.

    Examples
    --------
    >>> from sklearn_alchemist.programs._needs import needs_of
    >>> sorted(needs_of(r"\b(free|win(ner)?)\b").keys)
    ['free ', 'win ', 'winner ']
    >>> needs_of(r"\w+@\w+\.(com|org)").literals
    ('.com', '.org')
    """
    tree = parser.parse(pattern, flags)
    flags = tree.state.flags
    folded = bool(flags & re.IGNORECASE)
    nodes = list(tree)
    all_starts = _starts(nodes)
    words, literals = _contained(nodes, all_starts)
    starts = _texts(all_starts)
    # Words of ASCII end where those of a text do not.
    keys = frozenset(words) if words and not flags & re.ASCII else None
    exact = all(start.is_word for start in all_starts)
    if folded:
        keys = frozenset(map(str.lower, keys)) if keys and _ascii(keys) else None
        literals = tuple(map(str.lower, literals)) if _ascii(literals) else ()
        starts = tuple(map(str.lower, starts)) if _ascii(starts) else ()
    literals = _shortest(literals)
    exact = exact and keys is not None
    return Needs(keys, literals or None, starts or None, folded, exact)


def _ascii(texts: Iterable[str]) -> bool:
    return all(map(str.isascii, texts))


def _shortest(literals: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out literals that hold another."""
    if len(literals) > _MAX_COMPARED:
        return literals
    return tuple(a for a in literals if not any(b in a and b != a for b in literals))


def _texts(starts: Sequence[_Start]) -> tuple[str, ...]:
    """Literals of starts, none if one is empty."""
    texts = tuple(dict.fromkeys(start.text for start in starts))
    return texts if all(texts) else ()


def _contained(
    nodes: list[Any], all_starts: list[_Start] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keys and literals of which each match of a sequence contains one."""
    words: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    for place, (op, value) in enumerate(nodes):
        if op is ops.LITERAL and place and nodes[place - 1][0] is op:
            continue
        known = all_starts if place == 0 else None
        starts = known or _starts(nodes[place:])
        keys = [start.key for start in starts]
        if starts and None not in keys:
            words = _better(words, tuple(dict.fromkeys(map(str, keys))))
        literals = _better(literals, _texts(starts))
        if words and literals:
            break
        for alternatives in _parts(op, value):
            found = [_contained(list(part)) for part in alternatives]
            if all(part[0] for part in found):
                words = _better(words, tuple({k: 0 for f in found for k in f[0]}))
            if all(part[1] for part in found):
                literals = _better(literals, tuple({k: 0 for f in found for k in f[1]}))
    return words, literals


def _parts(op: Any, value: Any) -> list[list[Any]]:
    """Alternatives inside a node, one of which is part of every match."""
    if op is ops.SUBPATTERN and not value[1] and not value[2]:
        return [[value[3]]]
    if op is ops.ATOMIC_GROUP:
        return [[value]]
    if op is ops.BRANCH:
        return [value[1]]
    if op in _REPEATS and value[0] >= 1:
        return [[value[2]]]
    return []


def _better(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Choose what more texts lack: long literals, and few of them."""
    if not one or not other:
        return one or other
    return max(one, other, key=lambda texts: (min(3, *map(len, texts)), -len(texts)))


def _starts(nodes: list[Any]) -> list[_Start]:
    """Literals with one of which every match of a sequence begins."""
    starts = [_EMPTY]
    for op, group in groupby(nodes, key=itemgetter(0)):
        for following in _group_starts(op, group):
            if not any(start.is_open for start in starts):
                return starts
            starts = list(dict.fromkeys(a.then(b) for a in starts for b in following))
            if len(starts) > _MAX_STARTS:
                return [_UNKNOWN]
    return starts


def _group_starts(op: Any, group: Iterable[tuple[Any, Any]]) -> Iterator[list[_Start]]:
    """Take literals in a row as one."""
    if op is ops.LITERAL:
        yield [_Start("".join(chr(code) for _, code in group))]
    else:
        for _, value in group:
            yield _node_starts(op, value)


def _node_starts(op: Any, value: Any) -> list[_Start]:
    if op is ops.AT:
        # Behind a letter the boundary ends a word, before one it begins one.
        boundary = value is ops.AT_BOUNDARY
        return [_Start("", boundary, boundary, is_all=boundary)]
    if op is ops.ASSERT:
        return [_Start(is_all=False)]
    if op is ops.ASSERT_NOT:
        direction, inside = value
        edge = [*inside] in _NOT_A_WORD_CHARACTER
        before, after = edge and direction < 0, edge and direction > 0
        return [_Start("", before, after, is_all=False)]
    if op is ops.IN and len(value) <= 4 and all(o is ops.LITERAL for o, _ in value):
        return [_Start(chr(code)) for _, code in value]
    if op is ops.SUBPATTERN and not value[1] and not value[2]:
        return _starts(list(value[3]))
    if op is ops.BRANCH:
        return [start for part in value[1] for start in _starts(list(part))]
    if op in _REPEATS:
        least, most, inside = value
        if (least, most) == (0, 1):
            # What is possessive is not given back where the rest needs it.
            is_all = op is not ops.POSSESSIVE_REPEAT
            return [_Start(is_all=is_all), *_starts(list(inside))]
        if least >= 1:
            return [start.closed() for start in _starts(list(inside))]
    return [_UNKNOWN]
