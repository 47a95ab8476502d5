"""Search with regular expressions as `re` does, but look for what a match needs first.

Labeling programs ask the same text for hundreds of keywords, one `re.findall` each.
Here one pass over a text finds all literals that any pattern of the program needs, and
the regular expression engine only starts where a match may begin.
"""

import re
from collections.abc import Callable, Iterator
from re import Match
from sys import maxsize
from typing import Any, Self

from ._literal_scan import ANYTHING, SCANS, LiteralScan
from ._required_literals import (
    NOTHING,
    RequiredLiterals,
    keyword_literals,
    required_literals,
)
from ._token_patterns import token_table

# Size at which caches start anew.
_MAX_PATTERNS = 20_000
_ZERO = 0  # the default flags, told apart from False and 0.0 by `is`


class FastPattern:
    """Do what `re.Pattern` does.

    Made by `compile`; a pattern that is only a keyword is compiled when a text holds
    the keyword.
    """

    __slots__ = (
        "_engine",
        "_flags",
        "_keyword",
        "_lacks",
        "_needs",
        "_scan",
        "_source",
        "_tokens",
    )

    _source: Any
    _flags: Any
    _engine: Any
    _needs: RequiredLiterals
    _keyword: tuple[bool, str, bool] | None
    _scan: LiteralScan
    # Whether what a scan found in a text is nothing that a match needs, once it looks.
    _lacks: Any
    # How texts fall into what matches; False where that is of another kind.
    _tokens: Any

    # Made by `_make` and no other way, so that a program cannot bend one.
    def __new__(cls, *args: object, **options: object) -> Self:
        raise TypeError("cannot create 're.Pattern' instances")

    def __init_subclass__(cls) -> None:
        raise TypeError("type 're.Pattern' is not an acceptable base type")

    def _compiled(self) -> Any:
        engine = self._engine
        if engine is None:
            engine = self._engine = re.compile(self._source, self._flags)
        return engine

    def _misses(self, text: str) -> bool:
        """Whether a text certainly holds no match."""
        if self._lacks is None and not self._is_scanned():
            return False
        return self._lacks(self._scan[text])

    def _is_scanned(self) -> bool:
        """Leave it to the pass over texts to look for literals, once it does."""
        literals = self._needs.literals
        if literals is None or not self._scan.want(
            {*literals, *(self._needs.starts or ())}
        ):
            return False
        self._lacks = ANYTHING.union(literals).isdisjoint
        return True

    def _places(self, text: str) -> list[int] | None:
        """Where matches may begin, in order; None where that takes too long to say."""
        if self._lacks is None and not self._is_scanned():
            return None
        found = self._scan[text]
        if self._lacks(found):
            return []
        starts = self._needs.starts
        if starts is None or found is ANYTHING:
            return None
        return self._scan.places_of(text, starts)

    def search(
        self, string: Any, pos: Any = 0, endpos: Any = maxsize
    ) -> Match[Any] | None:
        """Do what `re.Pattern.search` does."""
        if type(string) is str and pos is _ZERO and endpos is maxsize:
            lacks = self._lacks
            if lacks is not None and lacks(self._scan[string]):
                return None
            return _search(self, string)
        return self._compiled().search(string, pos, endpos)

    def findall(self, string: Any, pos: Any = 0, endpos: Any = maxsize) -> list[Any]:
        """Do what `re.Pattern.findall` does."""
        if type(string) is str and pos is _ZERO and endpos is maxsize:
            lacks = self._lacks
            if lacks is not None and lacks(self._scan[string]):
                return []
            return _findall(self, string)
        return self._compiled().findall(string, pos, endpos)

    def finditer(
        self, string: Any, pos: Any = 0, endpos: Any = maxsize
    ) -> Iterator[Match[Any]]:
        """Do what `re.Pattern.finditer` does."""
        whole = type(string) is str and pos is _ZERO and endpos is maxsize
        if whole and self._misses(string):
            return iter(())
        return self._compiled().finditer(string, pos, endpos)

    def match(
        self, string: Any, pos: Any = 0, endpos: Any = maxsize
    ) -> Match[Any] | None:
        """Do what `re.Pattern.match` does."""
        return self._compiled().match(string, pos, endpos)

    def fullmatch(
        self, string: Any, pos: Any = 0, endpos: Any = maxsize
    ) -> Match[Any] | None:
        """Do what `re.Pattern.fullmatch` does."""
        return self._compiled().fullmatch(string, pos, endpos)

    def split(self, string: Any, maxsplit: Any = 0) -> list[Any]:
        """Do what `re.Pattern.split` does."""
        whole = type(string) is str and maxsplit is _ZERO
        if whole and self._misses(string):
            return [string]
        return self._compiled().split(string, maxsplit)

    def sub(self, repl: Any, string: Any, count: Any = 0) -> Any:
        """Do what `re.Pattern.sub` does."""
        if type(string) is str and count is _ZERO:
            if self._source == r"\s+" and repl == " " and self._flags is _ZERO:
                return _squeeze(string)
            if _is_plain(repl) and self._misses(string):
                return string
        return self._compiled().sub(repl, string, count)

    def subn(self, repl: Any, string: Any, count: Any = 0) -> tuple[Any, int]:
        """Do what `re.Pattern.subn` does."""
        whole = type(string) is str and count is _ZERO
        if whole and _is_plain(repl) and self._misses(string):
            return string, 0
        return self._compiled().subn(repl, string, count)

    @property
    def pattern(self) -> Any:
        """The pattern as it was given."""
        return self._source

    @property
    def flags(self) -> int:
        """Flags, those in the pattern included."""
        return self._compiled().flags

    @property
    def groups(self) -> int:
        """Number of capturing groups."""
        return self._compiled().groups

    @property
    def groupindex(self) -> Any:
        """Numbers of the named groups."""
        return self._compiled().groupindex

    def __eq__(self, other: object) -> bool:
        if type(other) is FastPattern:
            return self._compiled() == other._compiled()
        return self._compiled() == other

    def __hash__(self) -> int:
        return hash((FastPattern, self._source))

    def __repr__(self) -> str:
        return repr(self._compiled())


def _is_plain(repl: Any) -> bool:
    """Whether a replacement cannot be wrong, so that nobody need look at it."""
    return callable(repl) or (type(repl) is str and "\\" not in repl)


def _squeeze(text: str) -> str:
    r"""Do what `re.sub` does for ``r"\s+"`` and a space: both know the same spaces."""
    words = text.split()
    if not words:
        return text and " "
    before = " " if text[0].isspace() else ""
    after = " " if text[-1].isspace() else ""
    return f"{before}{' '.join(words)}{after}"


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _is_bounded(keyword: tuple[bool, str, bool], text: str, place: int) -> bool:
    """Whether a keyword at a place ends and begins where it should."""
    begins, literal, ends = keyword
    after = place + len(literal)
    if begins:
        behind = place > 0 and _is_word(text[place - 1])
        if behind is _is_word(literal[0]):
            return False
    if ends:
        follows = after < len(text) and _is_word(text[after])
        return follows is not _is_word(literal[-1])
    return True


def _search(pattern: FastPattern, text: str) -> Match[str] | None:
    """Search a text that does not lack what a pattern needs."""
    places = pattern._places(text)
    if places is None:
        return pattern._compiled().search(text)
    if places:
        match_at = pattern._compiled().match
        for place in places:
            if match := match_at(text, place):
                return match
    return None


def _findall(pattern: FastPattern, text: str) -> list[Any]:
    """Find all matches in a text that does not lack what a pattern needs."""
    places = pattern._places(text)
    if places is None:
        engine = pattern._compiled()
        if pattern._tokens is None:
            pattern._tokens = token_table(pattern._source, engine)
        if pattern._tokens is not False and text.isascii():
            return pattern._tokens.findall(text)
        return engine.findall(text)
    if not places:
        return []
    end = 0
    if pattern._keyword is not None:
        literal, n_found = pattern._keyword[1], 0
        for place in places:
            if place >= end and _is_bounded(pattern._keyword, text, place):
                end = place + len(literal)
                n_found += 1
        return [literal] * n_found
    engine = pattern._compiled()
    match_at = engine.match
    found = []
    for place in places:
        if place >= end and (match := match_at(text, place)):
            end = match.end()
            found.append(match)
    if engine.groups == 0:
        return [match.group() for match in found]
    if engine.groups == 1:
        return [match.group(1) or "" for match in found]
    return [match.groups("") for match in found]


# Patterns without flags, by their source.
_patterns: dict[str, FastPattern] = {}
_flagged: dict[tuple[str, int], FastPattern] = {}


def _make(source: Any, flags: Any) -> FastPattern:
    engine, needs = None, NOTHING
    if type(source) is not str:
        engine = re.compile(source, flags)
    elif flags or (known := keyword_literals(source)) is None:
        engine = re.compile(source, flags)
        try:
            needs = required_literals(source, flags)
        except RecursionError:
            needs = NOTHING
    else:
        needs = known
    return _pattern_of(source, flags, engine, needs)


def _pattern_of(
    source: Any, flags: Any, engine: Any, needs: RequiredLiterals
) -> FastPattern:
    pattern: FastPattern = object.__new__(FastPattern)
    pattern._source, pattern._flags, pattern._engine = source, flags, engine
    pattern._needs, pattern._keyword = needs, needs.keyword
    pattern._scan = SCANS[needs.folded]
    pattern._lacks = None
    is_text = type(source) is str
    pattern._tokens = None if is_text and needs.literals is None else False
    return pattern


def pattern_of(source: Any, flags: Any = 0) -> FastPattern:
    """Give the pattern of a source, compiled before if it was."""
    if type(source) is FastPattern:
        if flags:
            raise ValueError("cannot process flags argument with a compiled pattern")
        return source
    if not isinstance(flags, int):
        raise TypeError("flags must be an integer")
    flags = int(flags)
    if type(source) is not str:
        return _make(source, flags)
    known: dict[Any, FastPattern] = _flagged if flags else _patterns
    key = (source, flags) if flags else source
    made = known.get(key)
    if made is None:
        if len(known) >= _MAX_PATTERNS:
            known.clear()
        made = known[key] = _make(source, flags)
    return made


def compile(pattern: Any, flags: Any = 0) -> FastPattern:  # noqa: A001
    """Do what `re.compile` does."""
    return pattern_of(pattern, flags)


def search(pattern: Any, string: Any, flags: Any = 0) -> Match[Any] | None:
    """Do what `re.search` does."""
    made = _patterns.get(pattern) if flags is _ZERO else None
    if made is None:
        made = pattern_of(pattern, flags)
    if type(string) is not str:
        return made._compiled().search(string)
    # One look-up decides about most of what programs ask.
    lacks = made._lacks
    if lacks is not None and lacks(made._scan[string]):
        return None
    return _search(made, string)


def findall(pattern: Any, string: Any, flags: Any = 0) -> list[Any]:
    """Do what `re.findall` does."""
    made = _patterns.get(pattern) if flags is _ZERO else None
    if made is None:
        made = pattern_of(pattern, flags)
    if type(string) is not str:
        return made._compiled().findall(string)
    lacks = made._lacks
    if lacks is not None and lacks(made._scan[string]):
        return []
    return _findall(made, string)


def finditer(pattern: Any, string: Any, flags: Any = 0) -> Iterator[Match[Any]]:
    """Do what `re.finditer` does."""
    return pattern_of(pattern, flags).finditer(string)


def match(pattern: Any, string: Any, flags: Any = 0) -> Match[Any] | None:
    """Do what `re.match` does."""
    return pattern_of(pattern, flags)._compiled().match(string)


def fullmatch(pattern: Any, string: Any, flags: Any = 0) -> Match[Any] | None:
    """Do what `re.fullmatch` does."""
    return pattern_of(pattern, flags)._compiled().fullmatch(string)


def split(pattern: Any, string: Any, maxsplit: Any = 0, flags: Any = 0) -> list[Any]:
    """Do what `re.split` does."""
    return pattern_of(pattern, flags).split(string, maxsplit)


def sub(
    pattern: Any,
    repl: str | Callable[[Match[Any]], str],
    string: Any,
    count: Any = 0,
    flags: Any = 0,
) -> Any:
    """Do what `re.sub` does."""
    return pattern_of(pattern, flags).sub(repl, string, count)


def subn(
    pattern: Any,
    repl: str | Callable[[Match[Any]], str],
    string: Any,
    count: Any = 0,
    flags: Any = 0,
) -> tuple[Any, int]:
    """Do what `re.subn` does."""
    return pattern_of(pattern, flags).subn(repl, string, count)


def purge() -> None:
    """Do nothing: what is kept here changes no result."""


class _Escaped(dict[str, str]):
    """Escaped literals."""

    def __missing__(self, text: str) -> str:
        if len(self) >= _MAX_PATTERNS:
            self.clear()
        self[text] = escaped = re.escape(text)
        return escaped


_escaped = _Escaped()


def escape(pattern: Any) -> Any:
    """Do what `re.escape` does."""
    return _escaped[pattern] if type(pattern) is str else re.escape(pattern)
