"""Find regular expressions that can take forever, from their structure alone.

A backtracking engine tries all ways in which a pattern can match a text before it gives
up. That takes exponential time where a loop can match the same text in several ways,
and cubic time where two repeats side by side can share a long run between them.

References
----------
Weber, Seidl (1991). On the degree of ambiguity of finite automata. Theoretical
Computer Science 88 (2): 325-349.
"""

import re
import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

LOOP = "a repeated part can match the same text in many ways"
NEIGHBOURS = "two repeats side by side match the same characters"

# Patterns with more places where a character is matched are not looked at.
_MAX_PLACES = 2_000
_MAX_PLACES_OF_LOOP = 60
# What repeats more often than this counts as a loop; a loop that repeats, earlier.
_MAX_COPIES, _MAX_COPIES_OF_LOOPS = 30, 4

_REPEATS = {ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT}
_EDGES_OF_TEXT = {ops.AT, ops.ASSERT, ops.ASSERT_NOT}
# Characters that stand for all: what matches none of them in common is disjoint.
_ALPHABET = "".join(map(chr, range(128))) + "\u00a0\u00e9\u00df\u0663\u2014\u4e2d"
_CLASSES = {
    ops.CATEGORY_DIGIT: r"\d",
    ops.CATEGORY_NOT_DIGIT: r"\D",
    ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w",
    ops.CATEGORY_NOT_WORD: r"\W",
}
_CATEGORIES = {
    op: frozenset(re.findall(pattern, _ALPHABET)) for op, pattern in _CLASSES.items()
}


def find_ambiguity(
    pattern: str, flags: int = 0, *, is_whole: bool = False
) -> str | None:
    r"""Say why a pattern can take forever, if it can.

    Parameters
    ----------
    pattern : str
    flags : int, default=0
    is_whole : bool, default=False
        Whether a match must go on to the end of a text, as in `re.fullmatch`.

    Returns
    -------
    reason : {LOOP, NEIGHBOURS} or None
        None where nothing is known against it, or where it is no valid pattern.

    Examples
    --------
    >>> from sklearn_alchemist.programs._ambiguity import find_ambiguity
    >>> find_ambiguity(r"(\w+\s?)+!")
    'a repeated part can match the same text in many ways'
    >>> find_ambiguity(r"(\w+\s)+!") is None
    True
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(pattern, flags)
        automaton = _Automaton(bool(tree.state.flags & re.IGNORECASE))
        automaton.sequence(list(tree), can_fail=is_whole, in_loop=False)
    except (re.error, RecursionError, OverflowError, _TooLarge):
        return None
    if any(automaton.is_ambiguous(loop) for loop in automaton.loops()):
        return LOOP
    return NEIGHBOURS if automaton.has_neighbours() else None


class _TooLarge(Exception):  # noqa: N818 -- reads as what happened
    """There is too much to look at."""


class _Part(NamedTuple):
    """A part of a pattern: places that it can begin and end with, or match nothing."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    is_optional: bool = True


_NOTHING = _Part()


class _Automaton:
    """Places of a pattern, and in how many ways one place can follow another.

    Parameters
    ----------
    ignores_case : bool
    """

    def __init__(self, ignores_case: bool) -> None:
        self.ignores_case = ignores_case
        # For each place the characters that it matches, and whether what follows the
        # loops around it can fail, so that other ways to match them are tried.
        self.characters: list[frozenset[str]] = []
        self.can_fail: list[bool] = []
        self.ways: Counter[tuple[int, int]] = Counter()
        self.starts_of_loops: set[int] = set()

    def sequence(self, nodes: Sequence[Any], can_fail: bool, in_loop: bool) -> _Part:
        """Add nodes that follow one another."""
        fails = [can_fail] * len(nodes)
        if not in_loop:
            for place in range(len(nodes) - 2, -1, -1):
                op, value = nodes[place + 1]
                fails[place] = fails[place + 1] or _can_fail(op, value)
        whole = _NOTHING
        for (op, value), fail in zip(nodes, fails, strict=True):
            whole = self.join(whole, self.node(op, value, fail, in_loop))
        return whole

    def node(self, op: Any, value: Any, can_fail: bool, in_loop: bool) -> _Part:
        """Add one node."""
        if op is ops.SUBPATTERN:
            return self.sequence(list(value[3]), can_fail, in_loop)
        if op is ops.ATOMIC_GROUP:
            # What is matched in one way is not matched in another.
            return self.sequence(list(value), False, in_loop=True)
        if op is ops.BRANCH:
            parts = [self.sequence(list(p), can_fail, in_loop) for p in value[1]]
            return _either(parts)
        if op is ops.GROUPREF_EXISTS:
            parts = [self.sequence(list(p or ()), can_fail, in_loop) for p in value[1:]]
            return _either(parts)
        if op in _REPEATS:
            least, most, body = value
            can_fail = can_fail and op is not ops.POSSESSIVE_REPEAT
            return self.repeat(least, most, list(body), can_fail, in_loop)
        if op in {ops.ASSERT, ops.ASSERT_NOT}:
            self.sequence(list(value[1]), True, in_loop=False)
            return _NOTHING
        if op is ops.AT:
            return _NOTHING
        return self.place(_characters(op, value, self.ignores_case), can_fail)

    def place(self, characters: frozenset[str], can_fail: bool) -> _Part:
        """Add a place where one character is matched."""
        number = len(self.characters)
        if number >= _MAX_PLACES:
            raise _TooLarge
        self.characters.append(characters)
        self.can_fail.append(can_fail)
        return _Part((number,), (number,), False)

    def repeat(
        self, least: int, most: int, body: list[Any], can_fail: bool, in_loop: bool
    ) -> _Part:
        """Add a repeat: copies of its body, or a loop where there would be many."""
        allowed = _MAX_COPIES_OF_LOOPS if _has_loop(body) else _MAX_COPIES
        if most > allowed:
            part = self.sequence(body, can_fail, in_loop=True)
            self.connect(part.last, part.first)
            self.starts_of_loops.update(part.first)
            return part._replace(is_optional=part.is_optional or least == 0)
        copies = [self.sequence(body, can_fail, in_loop) for _ in range(most)]
        if not copies:
            return _NOTHING
        for one, following in pairwise(copies):
            self.connect(one.last, following.first)
        ends = copies[max(least, 1) - 1 :]
        last = tuple(place for part in ends for place in part.last)
        return _Part(copies[0].first, last, least == 0 or copies[0].is_optional)

    def join(self, one: _Part, other: _Part) -> _Part:
        """Let one part follow another."""
        self.connect(one.last, other.first)
        return _Part(
            one.first + other.first if one.is_optional else one.first,
            one.last + other.last if other.is_optional else other.last,
            one.is_optional and other.is_optional,
        )

    def connect(self, places: Iterable[int], following: Iterable[int]) -> None:
        """Count one more way from each place to each that follows."""
        following = tuple(following)
        for place in places:
            for other in following:
                self.ways[place, other] += 1
        if len(self.ways) > 50 * _MAX_PLACES:
            raise _TooLarge

    def loops(self) -> Iterator[set[int]]:
        """Find the sets of places that can be reached from one another."""
        after: dict[int, set[int]] = {}
        before: dict[int, set[int]] = {}
        for one, other in self.ways:
            after.setdefault(one, set()).add(other)
            before.setdefault(other, set()).add(one)
        seen: set[int] = set()
        for place in self.starts_of_loops:
            if place not in seen:
                loop = _reached(place, after) & _reached(place, before)
                seen |= loop
                if loop:
                    yield loop

    def is_ambiguous(self, loop: set[int]) -> bool:
        """Whether a loop leads back to one of its places in two ways, on one text."""
        if not any(self.can_fail[place] for place in loop):
            return False
        inside = {
            (a, b): n for (a, b), n in self.ways.items() if a in loop and b in loop
        }
        if any(n > 1 and self.characters[b] for (_, b), n in inside.items()):
            return True
        if len(loop) > _MAX_PLACES_OF_LOOP:
            return False
        after: dict[tuple[int, int], set[tuple[int, int]]] = {}
        before: dict[tuple[int, int], set[tuple[int, int]]] = {}
        for a, next_a in inside:
            for b, next_b in inside:
                if self.characters[next_a] & self.characters[next_b]:
                    after.setdefault((a, b), set()).add((next_a, next_b))
                    before.setdefault((next_a, next_b), set()).add((a, b))
        torn = {
            place
            for start in loop
            for pair in _reached((start, start), after)
            & _reached((start, start), before)
            if pair[0] != pair[1]
            for place in pair
        }
        # No text repeats just "i" and "ii" where a loop lists Roman numerals.
        is_rare = torn < loop and all(len(self.characters[p]) == 1 for p in torn)
        return bool(torn) and not is_rare

    def has_neighbours(self) -> bool:
        """Whether a repeat follows another that matches the same runs of text."""
        for one, other in self.ways:
            if one != other and (one, one) in self.ways and (other, other) in self.ways:
                mine, yours = self.characters[one], self.characters[other]
                # With something optional between them, runs of spaces or of digits
                # are too short to matter, but whole texts are not.
                is_long = {"a", " "} <= mine & yours
                is_next = other == one + 1 and mine == yours
                if (is_long or is_next) and self.can_fail[other]:
                    return True
        return False


def _reached(start: Any, following: dict[Any, set[Any]]) -> set[Any]:
    """Find what can be reached in one step or more."""
    reached: set[Any] = set()
    pending = deque([start])
    while pending:
        for item in following.get(pending.popleft(), ()):
            if item not in reached:
                reached.add(item)
                pending.append(item)
    return reached


def _either(parts: Sequence[_Part]) -> _Part:
    return _Part(
        tuple(place for part in parts for place in part.first),
        tuple(place for part in parts for place in part.last),
        any(part.is_optional for part in parts),
    )


def _has_loop(nodes: Iterable[Any]) -> bool:
    return any(
        (op in _REPEATS and value[1] > _MAX_COPIES)
        or any(_has_loop(part) for part in _inner(op, value))
        for op, value in nodes
    )


def _inner(op: Any, value: Any) -> list[Any]:
    """Sequences inside a node."""
    if op is ops.SUBPATTERN:
        return [value[3]]
    if op is ops.ATOMIC_GROUP:
        return [value]
    if op is ops.BRANCH:
        return list(value[1])
    if op in _REPEATS:
        return [value[2]]
    return []


def _can_fail(op: Any, value: Any) -> bool:
    """Whether a node asks for something."""
    if op in _EDGES_OF_TEXT:
        return True
    if op in _REPEATS and value[0] == 0:
        return False
    inner = _inner(op, value)
    return not inner or all(any(_can_fail(*node) for node in part) for part in inner)


def _characters(op: Any, value: Any, ignores_case: bool) -> frozenset[str]:
    """Characters of the alphabet, or literals beyond it, that a node matches."""
    if op is ops.LITERAL:
        found = frozenset([chr(value)])
    elif op is ops.NOT_LITERAL:
        found = frozenset(_ALPHABET) - {chr(value)}
    elif op is ops.IN:
        found = _members(value)
    elif op is ops.CATEGORY:
        found = _CATEGORIES[value]
    else:  # any character, or what a group has matched
        found = frozenset(_ALPHABET) - {"\n"}
    if not ignores_case:
        return found
    return found.union(map(str.lower, found), map(str.upper, found))


def _members(items: Iterable[Any]) -> frozenset[str]:
    found: set[str] = set()
    negated = False
    for op, value in items:
        if op is ops.NEGATE:
            negated = True
        elif op is ops.LITERAL:
            found.add(chr(value))
        elif op is ops.RANGE:
            found.update(c for c in _ALPHABET if value[0] <= ord(c) <= value[1])
        else:
            found |= _CATEGORIES[value]
    return frozenset(_ALPHABET) - found if negated else frozenset(found)
