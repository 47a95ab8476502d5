"""Tell which literals a text holds, and where, in one pass for all of them."""

import contextlib
from collections.abc import Iterable
from typing import Any

_AhoCorasick: Any = None
with contextlib.suppress(ImportError):
    from ahocorasick_rs import BytesAhoCorasick as _AhoCorasick
    from ahocorasick_rs import Implementation

# Characters of literals up to which the fastest automaton is small.
_MAX_DFA_CHARACTERS = 20_000
# To learn a few more literals takes as long as to learn all of them.
_PATIENCE = 64

# In shorter texts the engine finds a match as fast as it is told where to look.
MIN_LENGTH = 250
# Where more beginnings than this are in a text, it finds all of them as fast.
_MAX_PLACES = 60

# Of texts that are remembered: some whatever their size, more where they are short.
_MIN_TEXTS, _MAX_TEXTS, _MAX_CHARACTERS = 8, 500, 1_000_000

# What a scan gives where it cannot tell; the keys of all patterns hold its entry.
ANYTHING = frozenset([""])

# The only letters beyond ASCII that match letters of ASCII where case is ignored.
_LIKE_ASCII = "\u0130\u0131\u017f\u212a"


def fold(text: str) -> str | None:
    """Lower the case of a text of the same length; None where that loses a match."""
    if not text.isascii() and any(letter in text for letter in _LIKE_ASCII):
        return None
    return text.lower()


class LiteralScan(dict[str, frozenset[str]]):
    """Which literals a text holds, of all that somebody looks for.

    Texts must be of the very type str, whose hash runs no other code.

    Parameters
    ----------
    folded : bool
        Whether the case of texts is lowered first.

    Attributes
    ----------
    places : dict
        Where the literals of texts begin, None where that is found when it is asked.
    """

    def __init__(self, folded: bool) -> None:
        self.folded = folded
        self.places: dict[str, dict[str, list[int]] | None] = {}
        self._literals: list[str] = []
        self._known: set[str] = set()
        self._waiting: set[str] = set()
        self._n_asked = self._n_characters = 0
        self._find: Any = None

    def want(self, literals: Iterable[str]) -> bool:
        """Have literals looked for from some time on; tell whether they are by now."""
        if self._known.issuperset(literals):
            return True
        if not self._waiting.issuperset(literals):
            self._waiting.update(literals)
            return False
        self._n_asked += 1
        if 4 * len(self._waiting) < len(self._known) and self._n_asked < _PATIENCE:
            return False
        self._known |= self._waiting
        self._waiting.clear()
        self._n_asked = 0
        self._literals = sorted(self._known)
        if _AhoCorasick is not None:
            encoded = [_encode(literal) for literal in self._literals]
            is_small = sum(map(len, encoded)) < _MAX_DFA_CHARACTERS
            kind = Implementation.DFA if is_small else None
            automaton = _AhoCorasick(encoded, implementation=kind)
            self._find = automaton.find_matches_as_indexes
        self._forget()
        return True

    def _forget(self) -> None:
        self.clear()
        self.places.clear()
        self._n_characters = 0

    def __missing__(self, text: str) -> frozenset[str]:
        source = fold(text) if self.folded else text
        found, places = ANYTHING, None
        if source is not None and self._find is None:
            found = frozenset(x for x in self._literals if x in source)
        elif source is not None:
            literals = self._literals
            # Otherwise "art" would hide "party".
            hits = self._find(_encode(source), overlapping=True)
            if len(text) < MIN_LENGTH or not text.isascii():
                found = frozenset([literals[number] for number, _, _ in hits])
            else:
                places = dict[str, list[int]]()
                for number, place, _ in hits:
                    literal = literals[number]
                    if literal in places:
                        places[literal].append(place)
                    else:
                        places[literal] = [place]
                found = frozenset(places)
        self._n_characters += len(text)
        n_texts = len(self)
        if n_texts >= _MAX_TEXTS or (
            n_texts >= _MIN_TEXTS and self._n_characters > _MAX_CHARACTERS
        ):
            self._forget()
        self.places[text] = places
        self[text] = found
        return found

    def places_of(self, text: str, literals: tuple[str, ...]) -> list[int] | None:
        """Where some of the literals begin in a text; None if that is slow to say."""
        known = self.places[text]
        is_one = len(literals) == 1
        if known is not None:
            if is_one:
                return known.get(literals[0], [])
            all_places = [known[x] for x in self[text].intersection(literals)]
            if len(all_places) == 1:
                return all_places[0]
        elif is_one or len(text) >= MIN_LENGTH:
            source = fold(text) if self.folded else text
            if source is None:
                return None
            here = self[text].intersection(literals)
            all_places = [_find_all(source, literal) for literal in here]
        else:
            return None
        together = set().union(*all_places)
        return sorted(together) if len(together) <= _MAX_PLACES else None


def _find_all(text: str, literal: str) -> list[int]:
    places, place = [], text.find(literal)
    while place >= 0:
        places.append(place)
        place = text.find(literal, place + 1)
    return places


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# Of literals as they are, and of literals in lower case.
SCANS = (LiteralScan(folded=False), LiteralScan(folded=True))
