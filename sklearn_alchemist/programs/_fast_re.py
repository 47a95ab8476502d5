"""Search with regular expressions as `re` does, but look for what a match needs first.

Labeling programs ask the same text for hundreds of keywords, one `re.findall` each.
Here a text that is asked more than once gets an index of its words, which all programs
of a batch share, and the regular expression engine only starts where a match may be.
"""

import re
from collections.abc import Callable, Iterator
from re import Match
from types import MethodType
from typing import Any

from ._fast_pattern import (
    ZERO,
    FastPattern,
    compile_engine,
    findall_in,
    make_pattern,
    search_in,
)
from ._needs import NOTHING, keyword_needs, needs_of
from ._text_index import ANYTHING, MIN_LENGTH

# Size at which caches start anew.
_MAX_PATTERNS = 20_000

# Patterns without flags, by their source.
_patterns: dict[str, FastPattern] = {}
_flagged: dict[tuple[str, int], FastPattern] = {}


def _make(source: Any, flags: Any) -> FastPattern:
    if type(source) is not str:
        return make_pattern(source, flags, compile_engine(source, flags), NOTHING)
    needs = None if flags else keyword_needs(source)
    if needs is not None:
        return make_pattern(source, flags, None, needs)
    engine = compile_engine(source, flags)
    try:
        return make_pattern(source, flags, engine, needs_of(source, flags))
    except RecursionError:
        return make_pattern(source, flags, engine, NOTHING)


def _pattern(source: Any, flags: Any) -> FastPattern:
    """Give the pattern of a source, compiled before if it was."""
    if type(source) is FastPattern:
        if flags:
            raise ValueError("cannot process flags argument with a compiled pattern")
        return source
    if not isinstance(flags, int):
        raise TypeError("flags must be an integer")
    # What a class of a program makes of its own integers is nothing to share.
    flags = int.__int__(flags)
    if type(source) is not str:
        return _make(source, flags)
    if flags:
        made = _flagged.get((source, flags))
        if made is None:
            if len(_flagged) >= _MAX_PATTERNS:
                _flagged.clear()
            made = _flagged[source, flags] = _make(source, flags)
        return made
    made = _patterns.get(source)
    if made is None:
        if len(_patterns) >= _MAX_PATTERNS:
            _patterns.clear()
        made = _patterns[source] = _make(source, flags)
    return made


def pattern_of(source: Any) -> FastPattern:
    """Give the pattern that functions use for what they are given."""
    return _pattern(source, 0)


def compile(pattern: Any, flags: Any = 0) -> FastPattern:  # noqa: A001
    """Do what `re.compile` does."""
    return _pattern(pattern, flags)


def search(pattern: Any, string: Any, flags: Any = 0) -> Match[Any] | None:
    """Do what `re.search` does."""
    made = _patterns.get(pattern) if flags is ZERO else None
    if made is None:
        made = _pattern(pattern, flags)
    if type(string) is not str:
        return made._compiled().search(string)
    # One look-up decides about most of what programs ask.
    literal = made._literal
    if literal is not None and len(string) < MIN_LENGTH:
        if literal not in string:
            return None
    elif (lacks := made._lacks) is not None and lacks(made._index[string]):
        return None
    return search_in(made, string)


def found(pattern: Any, string: Any, flags: Any = 0) -> Match[Any] | bool | None:
    """Do what `re.search` does where only the truth of the result counts.

    Parameters
    ----------
    pattern, string : object
    flags : int, default=0

    Returns
    -------
    found : re.Match, True or None
        None where there is no match.
    """
    # As in `search`, written out again: a shared call would cost as much as an answer.
    made = _patterns.get(pattern) if flags is ZERO else None
    if made is None:
        made = _pattern(pattern, flags)
    if type(string) is not str:
        return made._compiled().search(string)
    literal = made._literal
    if literal is not None and len(string) < MIN_LENGTH:
        if literal not in string:
            return None
    elif (lacks := made._lacks) is not None:
        entries = made._index[string]
        if lacks(entries):
            return None
        if made._is_exact and entries is not ANYTHING:
            return True
    return search_in(made, string)


def found_by(method: Any, string: Any) -> Any:
    """Call a method called search where only the truth of the result counts.

    Parameters
    ----------
    method : callable
        Of a `FastPattern`, or of anything else.
    string : object

    Returns
    -------
    found : object
        What the method gives, or True for a match.
    """
    if type(method) is not MethodType or method.__func__ is not FastPattern.search:
        return method(string)
    pattern: Any = method.__self__
    if type(string) is not str:
        return method(string)
    lacks = pattern._lacks
    if lacks is not None:
        entries = pattern._index[string]
        if lacks(entries):
            return None
        if pattern._is_exact and entries is not ANYTHING:
            return True
    return search_in(pattern, string)


def findall(pattern: Any, string: Any, flags: Any = 0) -> list[Any]:
    """Do what `re.findall` does."""
    made = _patterns.get(pattern) if flags is ZERO else None
    if made is None:
        made = _pattern(pattern, flags)
    if type(string) is not str:
        return made._compiled().findall(string)
    literal = made._literal
    if literal is not None and len(string) < MIN_LENGTH:
        if literal not in string:
            return []
    elif (lacks := made._lacks) is not None and lacks(made._index[string]):
        return []
    return findall_in(made, string)


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
