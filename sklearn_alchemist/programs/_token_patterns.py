"""Take a text apart by `str.translate` and `str.split` where a pattern does just that.

What most programs do first is to find words by one pattern: a run of some characters.
"""

from collections.abc import Iterable, Sequence
from re import IGNORECASE, UNICODE
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_WORD = frozenset(c for c in map(chr, range(128)) if c.isalnum() or c == "_")
_DIGITS = frozenset("0123456789")
_BLANK = frozenset(c for c in map(chr, range(128)) if c.isspace())
_KNOWN = {
    ops.CATEGORY_WORD: _WORD,
    ops.CATEGORY_DIGIT: _DIGITS,
    ops.CATEGORY_SPACE: _BLANK,
}


class _Other(Exception):  # noqa: N818 -- reads as what happened
    """A pattern is of another kind."""


class TokenTable:
    """Texts of ASCII as the tokens that are all that a pattern matches."""

    def __init__(self, characters: frozenset[str]) -> None:
        table = (c if c in characters else " " for c in map(chr, range(128)))
        self._table = "".join(table)

    def findall(self, text: str) -> list[str]:
        """Do what `findall` of the pattern does with a text of ASCII."""
        return text.translate(self._table).split()


def token_table(source: Any, engine: Any) -> TokenTable | bool:
    """Make the table of a pattern that matches whole runs of characters, else False."""
    if engine.flags & ~(IGNORECASE | UNICODE):
        return False
    nodes = list(parser.parse(source, engine.flags))
    inside = [node for node in nodes if node[0] is not ops.AT]
    try:
        characters = _characters(nodes)
        if not _is_run(inside) or characters != _characters(inside):
            return False
    except (_Other, RecursionError):
        return False
    if engine.flags & IGNORECASE:
        if max(characters) > "\x7f":
            return False
        characters |= {c.swapcase() for c in characters}
    return not characters & _BLANK and TokenTable(frozenset(characters))


def _is_set(nodes: Sequence[Any]) -> bool:
    return len(nodes) == 1 and nodes[0][0] in (ops.IN, ops.LITERAL)


def _is_run(nodes: Sequence[Any]) -> bool:
    """Whether a pattern is one set of characters, as many as there are."""
    match nodes:
        case [(ops.MAX_REPEAT, (1, ops.MAXREPEAT, inside))]:
            return _is_set(inside)
    return False


def _characters(nodes: Iterable[Any]) -> set[str]:
    """All characters of ASCII that matches may be made of, and one for all others."""
    found: set[str] = set()
    for op, value in nodes:
        if op is ops.LITERAL:
            found.add(chr(min(value, 128)))
        elif op is ops.IN:
            for kind, item in value:
                if kind is ops.LITERAL:
                    found.add(chr(min(item, 128)))
                elif kind is ops.RANGE:
                    found.update(map(chr, range(item[0], min(item[1], 128) + 1)))
                elif kind is ops.CATEGORY and item in _KNOWN:
                    found |= _KNOWN[item]
                else:
                    raise _Other
        elif op is ops.AT and value is ops.AT_BOUNDARY:
            # With all characters of words, runs end where words do.
            found |= _WORD
        elif op is ops.MAX_REPEAT:
            found |= _characters(value[2])
        else:
            raise _Other
    return found
