"""Derive from a regular expression what every text that it matches must contain."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

_MAX_STARTS = 400
# Of more literals nobody looks which hold others, and each text holds some.
_MAX_COMPARED, _MAX_LITERALS = 60, 500
_MAX_LENGTH = 40
_REPEATS = {ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT}

# Single characters that few texts lack.
_COMMON = frozenset(".,'-")

# A keyword as programs search for it: compiled only where the keyword occurs.
_KEYWORD = re.compile(r"(\\b)?((?:\\[ &'./,+#%:!-]|[A-Za-z0-9_ ',&/%:!-])+?)(\\b)?")


@dataclass(frozen=True, slots=True)
class RequiredLiterals:
    """What must be in a text before it is worth searching.

    Parameters
    ----------
    literals : tuple of str, optional
        Strings, one of which must be there.
    starts : tuple of str, optional
        Strings, with one of which every match begins.
    folded : bool, default=False
        Everything is lower case, and so must the text be.
    keyword : tuple of (bool, str, bool), optional
        All that the pattern is: a string, and whether it begins and ends at a word
        boundary.
    """

    literals: tuple[str, ...] | None = None
    starts: tuple[str, ...] | None = None
    folded: bool = False
    keyword: tuple[bool, str, bool] | None = None


NOTHING = RequiredLiterals()


class _Start(NamedTuple):
    """A literal that a part of a pattern can begin with, open where more may follow."""

    text: str = ""
    is_open: bool = True

    def then(self, other: "_Start") -> "_Start":
        """Put another literal behind this one."""
        if not self.is_open:
            return self
        text = self.text + other.text
        return _Start(text, other.is_open and len(text) < _MAX_LENGTH)


_EMPTY = _Start()
_UNKNOWN = _Start(is_open=False)


def keyword_literals(pattern: str) -> RequiredLiterals | None:
    r"""Read a pattern that is nothing but a keyword, perhaps between word boundaries.

    Examples
    --------
    >>> from sklearn_alchemist.programs._required_literals import keyword_literals
    >>> keyword_literals(r"\bstock\ market\b").keyword
    (True, 'stock market', True)
    >>> keyword_literals("a+") is None
    True
    """
    match = _KEYWORD.fullmatch(pattern)
    if match is None:
        return None
    before, text, after = match.groups()
    text = text.replace("\\", "")
    keyword = before is not None, text, after is not None
    literals = (text,) if _is_rare(text) else None
    return RequiredLiterals(literals, literals, keyword=keyword)


def _is_rare(text: str) -> bool:
    """Whether it is worth while to look for a literal."""
    is_common = text.isalnum() or text.isspace() or text in _COMMON
    return len(text) > 1 or not is_common


@lru_cache(maxsize=4096)
def required_literals(pattern: str, flags: int = 0) -> RequiredLiterals:
    r"""Read a valid pattern.

    Examples
    --------
    >>> from sklearn_alchemist.programs._required_literals import required_literals
    >>> required_literals(r"\b(free|win(ner)?)\b").literals
    ('free', 'win')
    >>> required_literals(r"\w+@\w+\.(com|org)").literals
    ('.com', '.org')
    """
    tree = parser.parse(pattern, flags)
    folded = bool(tree.state.flags & re.IGNORECASE)
    nodes = list(tree)
    all_starts = _starts(nodes)
    literals, starts = _contained(nodes, all_starts), _texts(all_starts)
    if folded:
        literals, starts = _lowered(literals), _lowered(starts)
    literals, starts = _shortest(literals), _first(starts)
    looked_for = {*literals, *starts}
    if not literals or len(looked_for) > _MAX_LITERALS:
        return NOTHING
    if not all(map(_is_rare, looked_for)):
        return NOTHING
    return RequiredLiterals(literals, starts or None, folded)


def _lowered(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Lower the case of texts of ASCII; give none if there are others."""
    return tuple(map(str.lower, texts)) if all(map(str.isascii, texts)) else ()


def _shortest(literals: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out literals that hold another."""
    if len(literals) > _MAX_COMPARED:
        return literals
    return tuple(a for a in literals if not any(b in a and b != a for b in literals))


def _first(starts: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out starts that begin with another: they are at the same places."""
    if len(starts) > _MAX_COMPARED:
        return starts
    return tuple(
        a for a in starts if not any(a.startswith(b) and b != a for b in starts)
    )


def _texts(starts: Sequence[_Start]) -> tuple[str, ...]:
    """Literals of starts, none if one is empty."""
    texts = tuple(dict.fromkeys(start.text for start in starts))
    return texts if all(texts) else ()


def _contained(
    nodes: list[Any], all_starts: list[_Start] | None = None
) -> tuple[str, ...]:
    """Literals of which each match of a sequence contains one."""
    literals: tuple[str, ...] = ()
    for place, (op, value) in enumerate(nodes):
        if op is ops.LITERAL and place and nodes[place - 1][0] is op:
            continue
        known = all_starts if place == 0 else None
        literals = _better(literals, _texts(known or _starts(nodes[place:])))
        for alternatives in _parts(op, value):
            found = [_contained(list(part)) for part in alternatives]
            if all(found):
                literals = _better(literals, tuple({k: 0 for f in found for k in f}))
    return literals


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


def _group_starts(op: Any, group: Iterable[tuple[Any, Any]]) -> Iterable[list[_Start]]:
    """Take literals in a row as one."""
    if op is ops.LITERAL:
        return [[_Start("".join(chr(code) for _, code in group))]]
    return (_node_starts(op, value) for _, value in group)


def _node_starts(op: Any, value: Any) -> list[_Start]:
    if op in (ops.AT, ops.ASSERT, ops.ASSERT_NOT):
        return [_EMPTY]
    if op is ops.IN and len(value) <= 4 and all(o is ops.LITERAL for o, _ in value):
        return [_Start(chr(code)) for _, code in value]
    if op is ops.SUBPATTERN and not value[1] and not value[2]:
        return _starts(list(value[3]))
    if op is ops.BRANCH:
        return [start for part in value[1] for start in _starts(list(part))]
    if op in _REPEATS:
        least, most, inside = value
        if (least, most) == (0, 1):
            return [_EMPTY, *_starts(list(inside))]
        if least >= 1:
            return [start._replace(is_open=False) for start in _starts(list(inside))]
    return [_UNKNOWN]
