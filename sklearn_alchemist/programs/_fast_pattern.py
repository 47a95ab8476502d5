"""Match one pattern as `re.Pattern` does, after a look at what its matches need."""

import re
from collections.abc import Iterator
from os.path import commonprefix
from re import Match, _compiler  # type: ignore[attr-defined]
from sys import maxsize
from typing import Any, Self

from ._needs import WHOLE, Needs
from ._text_index import (
    ANYTHING,
    BEGINNINGS,
    CHARACTERS,
    FOLDED_BEGINNINGS,
    FOLDED_WORDS,
    MIN_LENGTH,
    SCANS,
    WORDS,
    AhoCorasick,
    LiteralScan,
    TextIndex,
    fold,
)

# To look for more literals takes as long as the search itself.
_MAX_LITERALS = 16
# So does this many where an index holds the word that they begin with.
_MAX_LITERALS_OF_WORDS = 2
# Where more beginnings than this are in a text, the engine finds matches as fast.
_MAX_PLACES = 60

ZERO = 0  # the default flags, told apart from False and 0.0 by `is`

# Of more literals each text holds some.
_MAX_SCANNED_LITERALS = 500

_COMMON = frozenset(".,'-")


def _look_up(needs: Needs) -> tuple[frozenset[str] | None, TextIndex]:
    """Choose an index, and the keys one of which it holds for texts that match."""
    if needs.keys is not None:
        keys = ANYTHING.union(key.rstrip(WHOLE) for key in needs.keys)
        if all(key.endswith(WHOLE) for key in needs.keys):
            return keys, FOLDED_WORDS if needs.folded else WORDS
        return keys, FOLDED_BEGINNINGS if needs.folded else BEGINNINGS
    signs = [_sign(literal) for literal in needs.literals or ()]
    if not signs or None in signs:
        return None, CHARACTERS
    return ANYTHING.union(map(str, signs)), CHARACTERS


def _sign(literal: str) -> str | None:
    """Give the rarest character of a literal that is no letter, if there is one."""
    signs = [c for c in literal if not (c.isalnum() or c.isspace())]
    return min(signs, key=_COMMON.__contains__, default=None)


class FastPattern:
    """Do what `re.Pattern` does.

    Made by `compile`; a pattern that is only a keyword is compiled when a text holds
    the keyword.
    """

    __slots__ = (
        "_engine",
        "_flags",
        "_index",
        "_is_exact",
        "_lacks",
        "_literal",
        "_literals",
        "_needs",
        "_source",
        "_start",
        "_table",
        "_wanted",
    )

    # Made by `make_pattern` and no other way: programs share patterns, and a method
    # that sets one up would be theirs to call.
    def __new__(cls, *args: object, **options: object) -> Self:
        raise TypeError("cannot create 're.Pattern' instances")

    def _set_up(self, source: Any, flags: Any, engine: Any, needs: Needs) -> None:
        self._source = source
        self._flags = flags
        self._engine = engine
        self._needs = needs
        keys, self._index = _look_up(needs)
        # Whether the entries of a text lack all keys.
        self._lacks = None if keys is None else keys.isdisjoint
        self._is_exact = needs.exact
        # What to look for in texts that do not lack them; words are nearly as good.
        literals, starts = needs.literals or (), needs.starts or ()
        by_words = keys is not None and (
            self._index is WORDS or self._index is FOLDED_WORDS
        )
        most = _MAX_LITERALS_OF_WORDS if by_words else _MAX_LITERALS
        self._literals = needs.literals if len(literals) <= most else None
        # What alone decides about short texts.
        alone = len(literals) == 1 and not (by_words or needs.folded)
        self._literal = literals[0] if alone else None
        # What all matches begin with.
        start = commonprefix(starts)  # noqa: RUF071 -- characters, not folders
        self._start = start if start and not needs.folded else None
        # How texts fall into words where that is all that matches are.
        self._table: Any = None if literals else False
        # The pass over texts that is to look for the literals.
        self._wanted: Any = None
        looked_for = {*literals, *starts} if literals else ()
        if (
            AhoCorasick is not None
            and 0 < len(looked_for) <= _MAX_SCANNED_LITERALS
            and min(map(len, looked_for)) > 1
        ):
            self._wanted = SCANS[needs.folded]
            self._lacks = None
            self._literals = needs.literals

    def _scan(self) -> None:
        """Leave what texts lack to the pass over them, once it looks for that."""
        literals = self._needs.literals or ()
        if self._wanted.want({*literals, *(self._needs.starts or ())}):
            self._index, self._wanted = self._wanted, None
            self._lacks = ANYTHING.union(literals).isdisjoint
            # A literal in a text is not yet a word in it.
            self._literals, self._is_exact = None, False

    def __init_subclass__(cls) -> None:
        raise TypeError("type 're.Pattern' is not an acceptable base type")

    def _compiled(self) -> Any:
        engine = self._engine
        if engine is None:
            engine = self._engine = compile_engine(self._source, self._flags)
        return engine

    def _misses(self, text: str) -> bool:
        """Whether a text certainly holds no match."""
        return self._lacks_keys(text) or self._lacks_literals(text)

    def _lacks_keys(self, text: str) -> bool:
        lacks = self._lacks
        return lacks is not None and lacks(self._index[text])

    def _lacks_literals(self, text: str) -> bool:
        literals = self._literals
        if literals is None:
            return False
        if self._needs.folded:
            folded = fold(text)
            if folded is None:
                return False
            text = folded
        for literal in literals:  # noqa: SIM110 -- a generator takes twice the time
            if literal in text:
                return False
        return True

    def _places(self, text: str) -> list[int] | None:
        """Where matches may begin, in order; None where that takes too long to say."""
        needs = self._needs
        starts = needs.starts
        if starts is None:
            return None
        if isinstance(self._index, LiteralScan):
            entries = self._index[text]
            if entries is ANYTHING:
                return None
            starts = tuple(start for start in starts if start in entries)
        if len(starts) > _MAX_PLACES:
            return None
        if needs.folded:
            folded = fold(text)
            if folded is None:
                return None
            text = folded
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
        if type(string) is str and pos is ZERO and endpos is maxsize:
            return None if self._lacks_keys(string) else search_in(self, string)
        return self._compiled().search(string, pos, endpos)

    def findall(self, string: Any, pos: Any = 0, endpos: Any = maxsize) -> list[Any]:
        """Do what `re.Pattern.findall` does."""
        if type(string) is str and pos is ZERO and endpos is maxsize:
            return [] if self._lacks_keys(string) else findall_in(self, string)
        return self._compiled().findall(string, pos, endpos)

    def finditer(
        self, string: Any, pos: Any = 0, endpos: Any = maxsize
    ) -> Iterator[Match[Any]]:
        """Do what `re.Pattern.finditer` does."""
        if (
            type(string) is str
            and pos is ZERO
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
        if type(string) is str and maxsplit is ZERO and self._misses(string):
            return [string]
        return self._compiled().split(string, maxsplit)

    def sub(self, repl: Any, string: Any, count: Any = 0) -> Any:
        """Do what `re.Pattern.sub` does."""
        if type(string) is str and count is ZERO:
            if self._source == r"\s+" and repl == " " and self._flags is ZERO:
                return _squeeze(string)
            if _is_plain(repl) and self._misses(string):
                return string
        return self._compiled().sub(repl, string, count)

    def subn(self, repl: Any, string: Any, count: Any = 0) -> tuple[Any, int]:
        """Do what `re.Pattern.subn` does."""
        if (
            type(string) is str
            and count is ZERO
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
        return hash((FastPattern, self._source))

    def __repr__(self) -> str:
        return repr(self._compiled())


def make_pattern(source: Any, flags: Any, engine: Any, needs: Needs) -> FastPattern:
    """Make a pattern.

    Parameters
    ----------
    source : object
        What `re.compile` takes.
    flags : int
    engine : re.Pattern or None
        None where it is to be compiled when it is needed.
    needs : Needs
        What texts that match hold.

    Returns
    -------
    pattern : FastPattern
    """
    pattern: FastPattern = object.__new__(FastPattern)
    pattern._set_up(source, flags, engine, needs)
    return pattern


def compile_engine(source: Any, flags: Any) -> Any:
    """Do what `re.compile` does, past its cache: programs can reach that in other ways.

    Parameters
    ----------
    source, flags : object

    Returns
    -------
    engine : re.Pattern
    """
    if type(source) is not str:
        return re.compile(source, flags)
    return _compiler.compile(source, flags)


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


_WORDS_ONLY = re.compile(r"\\w\+|\[(?:[\w\s'.,:;&/#@+-]|\\[wd'-])+\]\+")


def _word_table(source: Any, engine: Any) -> str | None:
    """Make a table that turns what no match holds into blanks, for texts of ASCII.

    None unless a pattern matches all that is made of certain characters, none of which
    is a blank: then matches are what `str.split` gives, in half the time.
    """
    if type(source) is not str or _WORDS_ONLY.fullmatch(source) is None:
        return None
    kept = [engine.fullmatch(chr(code)) is not None for code in range(128)]
    if any(kept[code] and chr(code).isspace() for code in range(128)):
        return None
    return "".join(chr(code) if kept[code] else " " for code in range(128))


def search_in(pattern: FastPattern, text: str) -> Match[str] | None:
    """Search a text that does not lack the keys of a pattern."""
    if pattern._wanted is not None:
        pattern._scan()
    if pattern._lacks_literals(text):
        return None
    engine = pattern._engine or pattern._compiled()
    start = pattern._start
    if start is not None and len(text) < MIN_LENGTH:
        place = text.find(start)
        while place >= 0:
            if match := engine.match(text, place):
                return match
            place = text.find(start, place + 1)
        return None
    places = None if len(text) < MIN_LENGTH else pattern._places(text)
    if places is None:
        return engine.search(text)
    for place in places:
        if match := engine.match(text, place):
            return match
    return None


def findall_in(pattern: FastPattern, text: str) -> list[Any]:
    """Find all matches in a text that does not lack the keys of a pattern."""
    if pattern._wanted is not None:
        pattern._scan()
    if pattern._lacks_literals(text):
        return []
    engine = pattern._engine or pattern._compiled()
    table = pattern._table
    if table is False:
        table = pattern._table = _word_table(pattern._source, engine)
    if table is not None and text.isascii():
        return text.translate(table).split()
    places = None if len(text) < MIN_LENGTH else pattern._places(text)
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
