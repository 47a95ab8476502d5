"""Search with regular expressions as `re` does, but look for what a match needs first.

Labeling programs ask the same text for hundreds of keywords, one `re.findall` each.
Here a text that is asked more than once gets an index of its words, which all programs
of a batch share, and the regular expression engine only starts where a match may be.
"""

import re
from collections.abc import Callable, Iterator
from re import Match
from sys import maxsize
from typing import Any

from ._needs import NOTHING, PREFIXES, WHOLE, Needs, keyword_needs, needs_of

# Sizes at which caches start anew.
_MAX_PATTERNS = 20_000
_MAX_INDEXED_CHARACTERS = 1_000_000
_MAX_INDEXED_TEXTS = 5_000
# Shorter texts are searched before their beginnings are found.
_MIN_LENGTH = 250
# Where more beginnings than this are in a text, the engine finds matches as fast.
_MAX_PLACES = 24

_ZERO = 0  # the default flags, told apart from False and 0.0 by `is`

_words = re.compile(r"\w+").findall


_ALWAYS = ""  # a key that each index holds
_NO_KEYS = frozenset([_ALWAYS])

# Indices of the words of texts that were asked twice; exact str only.
_indices: dict[str, frozenset[str]] = {}
_asked: set[str] = set()
_n_characters = 0


def _index_of(text: str) -> frozenset[str] | None:
    """Give the index of a text, which is made when it is asked for a second time."""
    global _n_characters
    index = _indices.get(text)
    if index is not None:
        return index
    if text not in _asked:
        if len(_asked) >= _MAX_INDEXED_TEXTS:
            _asked.clear()
        _asked.add(text)
        return None
    _n_characters += len(text)
    if _n_characters > _MAX_INDEXED_CHARACTERS or len(_indices) >= _MAX_INDEXED_TEXTS:
        _indices.clear()
        _asked.clear()
        _n_characters = len(text)
    _indices[text] = index = _index(text)
    return index


def _index(text: str) -> frozenset[str]:
    """Make the set of a text's words and of their beginnings."""
    words: set[str] = set(_words(text))
    entries = {_ALWAYS, *[word + WHOLE for word in words]}
    for size in PREFIXES:
        words = {word[:size] for word in words}
        entries |= words
    return frozenset(entries)


class FastPattern:
    """Do what `re.Pattern` does.

    Made by `compile`; a pattern that is only a keyword is compiled when a text holds
    the keyword.
    """

    __slots__ = ("_engine", "_flags", "_keys", "_needs", "_source")

    def __init__(self, source: Any, flags: Any, engine: Any, needs: Needs) -> None:
        self._source = source
        self._flags = flags
        self._engine = engine
        self._needs = needs
        # Keys that a look into the index of the text itself decides.
        plain = not (needs.folded or needs.ascii_words)
        self._keys = needs.keys if plain else None

    def __init_subclass__(cls) -> None:
        raise TypeError("type 're.Pattern' is not an acceptable base type")

    def _compiled(self) -> Any:
        engine = self._engine
        if engine is None:
            engine = self._engine = re.compile(self._source, self._flags)
        return engine

    def _misses(self, text: str) -> bool:
        """Whether a text certainly holds no match."""
        needs = self._needs
        if needs.folded:
            if not text.isascii():
                return False
            text = text.lower()
        keys = needs.keys
        if keys is not None and (not needs.ascii_words or text.isascii()):
            index = _index_of(text)
            if index is not None:
                return index.isdisjoint(keys)
        literals = needs.literals
        if literals is None:
            return False
        for literal in literals:  # noqa: SIM110 -- a generator takes twice the time
            if literal in text:
                return False
        return True

    def _places(self, text: str) -> list[int] | None:
        """Where matches may begin, in order; None where that takes too long to say."""
        needs = self._needs
        starts = needs.starts
        if starts is None or len(text) < _MIN_LENGTH or len(starts) > _MAX_PLACES:
            return None
        if needs.folded:
            if not text.isascii():
                return None
            text = text.lower()
        places: set[int] = set()
        find = text.find
        for start in starts:
            place = find(start)
            while place >= 0:
                places.add(place)
                if len(places) > _MAX_PLACES:
                    return None
                place = find(start, place + 1)
        return sorted(places)

    def search(
        self, string: Any, pos: Any = 0, endpos: Any = maxsize
    ) -> Match[Any] | None:
        """Do what `re.Pattern.search` does."""
        if type(string) is str and pos is _ZERO and endpos is maxsize:
            return _search(self, string)
        return self._compiled().search(string, pos, endpos)

    def findall(self, string: Any, pos: Any = 0, endpos: Any = maxsize) -> list[Any]:
        """Do what `re.Pattern.findall` does."""
        if type(string) is str and pos is _ZERO and endpos is maxsize:
            return _findall(self, string)
        return self._compiled().findall(string, pos, endpos)

    def finditer(
        self, string: Any, pos: Any = 0, endpos: Any = maxsize
    ) -> Iterator[Match[Any]]:
        """Do what `re.Pattern.finditer` does."""
        if (
            type(string) is str
            and pos is _ZERO
            and endpos is maxsize
            and self._misses(string)
        ):
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
        if type(string) is str and maxsplit is _ZERO and self._misses(string):
            return [string]
        return self._compiled().split(string, maxsplit)

    def sub(self, repl: Any, string: Any, count: Any = 0) -> Any:
        """Do what `re.Pattern.sub` does."""
        if (
            type(string) is str
            and count is _ZERO
            and _is_plain(repl)
            and self._misses(string)
        ):
            return string
        return self._compiled().sub(repl, string, count)

    def subn(self, repl: Any, string: Any, count: Any = 0) -> tuple[Any, int]:
        """Do what `re.Pattern.subn` does."""
        if (
            type(string) is str
            and count is _ZERO
            and _is_plain(repl)
            and self._misses(string)
        ):
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
        return hash(self._compiled())

    def __repr__(self) -> str:
        return repr(self._compiled())


def _is_plain(repl: Any) -> bool:
    """Whether a replacement cannot be wrong, so that nobody need look at it."""
    return callable(repl) or (type(repl) is str and "\\" not in repl)


def _search(pattern: FastPattern, text: str) -> Match[str] | None:
    if pattern._misses(text):
        return None
    engine = pattern._compiled()
    places = pattern._places(text)
    if places is None:
        return engine.search(text)
    for place in places:
        if match := engine.match(text, place):
            return match
    return None


def _findall(pattern: FastPattern, text: str) -> list[Any]:
    if pattern._misses(text):
        return []
    engine = pattern._compiled()
    places = pattern._places(text)
    if places is None:
        return engine.findall(text)
    found = []
    end = 0
    for place in places:
        if place >= end and (match := engine.match(text, place)):
            end = match.end()
            found.append(match)
    if engine.groups == 0:
        return [match.group() for match in found]
    if engine.groups == 1:
        return [match.group(1) or "" for match in found]
    return [match.groups("") for match in found]


# Patterns without flags, by their source.
_patterns: dict[str, FastPattern] = {}
# For each of them whether an index holds none of the keys that a match needs.
_tests: dict[str, Callable[[frozenset[str]], bool]] = {}
_flagged: dict[tuple[str, int], FastPattern] = {}


def _make(source: Any, flags: Any) -> FastPattern:
    if type(source) is not str:
        return FastPattern(source, flags, re.compile(source, flags), NOTHING)
    needs = None if flags else keyword_needs(source)
    if needs is not None:
        return FastPattern(source, flags, None, needs)
    engine = re.compile(source, flags)
    try:
        return FastPattern(source, flags, engine, needs_of(source, int(flags)))
    except RecursionError:
        return FastPattern(source, flags, engine, NOTHING)


def _pattern(source: Any, flags: Any) -> FastPattern:
    """Give the pattern of a source, compiled before if it was."""
    if type(source) is FastPattern:
        if flags:
            raise ValueError("cannot process flags argument with a compiled pattern")
        return source
    if type(source) is not str or not isinstance(flags, int):
        return _make(source, flags)
    if flags:
        made = _flagged.get((source, int(flags)))
        if made is None:
            if len(_flagged) >= _MAX_PATTERNS:
                _flagged.clear()
            made = _flagged[source, int(flags)] = _make(source, flags)
        return made
    made = _patterns.get(source)
    if made is None:
        if len(_patterns) >= _MAX_PATTERNS:
            _patterns.clear()
            _tests.clear()
        made = _patterns[source] = _make(source, flags)
        _tests[source] = (made._keys or _NO_KEYS).isdisjoint
    return made


def compile(pattern: Any, flags: Any = 0) -> FastPattern:  # noqa: A001
    """Do what `re.compile` does."""
    return _pattern(pattern, flags)


def search(pattern: Any, string: Any, flags: Any = 0) -> Match[Any] | None:
    """Do what `re.search` does."""
    if type(string) is str:
        if flags is _ZERO:
            # Two look-ups decide about most of what programs ask.
            try:
                if _tests[pattern](_indices[string]):
                    return None
            except (KeyError, TypeError):
                pass
        return _search(_pattern(pattern, flags), string)
    return _pattern(pattern, flags)._compiled().search(string)


def findall(pattern: Any, string: Any, flags: Any = 0) -> list[Any]:
    """Do what `re.findall` does."""
    if type(string) is str:
        if flags is _ZERO:
            try:
                if _tests[pattern](_indices[string]):
                    return []
            except (KeyError, TypeError):
                pass
        return _findall(_pattern(pattern, flags), string)
    return _pattern(pattern, flags)._compiled().findall(string)


def finditer(pattern: Any, string: Any, flags: Any = 0) -> Iterator[Match[Any]]:
    """Do what `re.finditer` does."""
    return _pattern(pattern, flags).finditer(string)


def match(pattern: Any, string: Any, flags: Any = 0) -> Match[Any] | None:
    """Do what `re.match` does."""
    return _pattern(pattern, flags)._compiled().match(string)


def fullmatch(pattern: Any, string: Any, flags: Any = 0) -> Match[Any] | None:
    """Do what `re.fullmatch` does."""
    return _pattern(pattern, flags)._compiled().fullmatch(string)


def split(pattern: Any, string: Any, maxsplit: Any = 0, flags: Any = 0) -> list[Any]:
    """Do what `re.split` does."""
    return _pattern(pattern, flags).split(string, maxsplit)


def sub(
    pattern: Any,
    repl: str | Callable[[Match[Any]], str],
    string: Any,
    count: Any = 0,
    flags: Any = 0,
) -> Any:
    """Do what `re.sub` does."""
    return _pattern(pattern, flags).sub(repl, string, count)


def subn(
    pattern: Any,
    repl: str | Callable[[Match[Any]], str],
    string: Any,
    count: Any = 0,
    flags: Any = 0,
) -> tuple[Any, int]:
    """Do what `re.subn` does."""
    return _pattern(pattern, flags).subn(repl, string, count)


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
