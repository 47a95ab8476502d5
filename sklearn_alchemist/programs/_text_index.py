"""Index the words and characters of texts that are searched again and again."""

import contextlib
import re
from collections.abc import Callable, Iterable
from typing import Any

AhoCorasick: Any = None
with contextlib.suppress(ImportError):
    from ahocorasick_rs import AhoCorasick

# Lengths of the beginnings of words that an index holds, longest first.
PREFIXES = (5, 3)

# Shorter texts have no index of beginnings: to look for literals is faster.
MIN_LENGTH = 250

# Sizes at which an index starts anew.
_MAX_CHARACTERS = 1_000_000
_MAX_TEXTS = 5_000
_MAX_SCANNED = 500

# What an index gives where it cannot tell; the keys of all patterns hold its entry.
ANYTHING = frozenset([""])

# The only letters beyond ASCII that match letters of ASCII where case is ignored.
_LIKE_ASCII = "\u0130\u0131\u017f\u212a"

_find_words = re.compile(r"\w+").findall
# Makes spaces of what is no word character of ASCII, and leaves the rest of UTF-8.
_SPACED = bytes(
    k if k > 127 or re.match(r"\w", chr(k)) else ord(" ") for k in range(256)
)

# Texts that some index was asked for once.
_asked: set[str] = set()


class TextIndex(dict[str, frozenset[str]]):
    """Entries of texts, made when a text is asked for the second time.

    Texts must be of the very type str, whose hash runs no other code.

    Parameters
    ----------
    entries_of : callable
        Makes the entries of a text, or gives `ANYTHING`.
    """

    def __init__(self, entries_of: Callable[[str], frozenset[str]]) -> None:
        self._entries_of = entries_of
        self._n_characters = 0

    def __missing__(self, text: str) -> frozenset[str]:
        if text not in _asked:
            if len(_asked) >= _MAX_TEXTS:
                _asked.clear()
            _asked.add(text)
            return ANYTHING
        entries = self._entries_of(text)
        self._n_characters += len(text)
        if self._n_characters > _MAX_CHARACTERS or len(self) >= _MAX_TEXTS:
            self.clear()
            self._n_characters = len(text)
        self[text] = entries
        return entries


def fold(text: str) -> str | None:
    """Lower the case of a text so that letters of ASCII show where case is ignored.

    Parameters
    ----------
    text : str

    Returns
    -------
    folded : str or None
        As long as the text, and with words at the same places. None where other
        letters of the text match letters of ASCII, too.
    """
    if not text.isascii() and any(letter in text for letter in _LIKE_ASCII):
        return None
    return text.lower()


def _words(text: str) -> frozenset[str]:
    """Find the words that `re.findall` finds, in a third of the time."""
    data = text.encode("utf-8", "surrogatepass").translate(_SPACED)
    words = frozenset(data.decode("utf-8", "surrogatepass").split())
    if text.isascii():
        return words
    others = [word for word in words if not word.isascii()]
    return words.difference(others).union(*map(_find_words, others))


def _folded_words(text: str) -> frozenset[str]:
    folded = fold(text)
    if folded is None:
        return ANYTHING
    # Programs that lower the case of the same text have made these.
    return WORDS.get(folded) or _words(folded)


def _with_beginnings(text: str, words: TextIndex) -> frozenset[str]:
    entries = ANYTHING if len(text) < MIN_LENGTH else words[text]
    if entries is ANYTHING:
        return entries
    beginnings: list[Iterable[str]] = [entries]
    for size in PREFIXES:
        beginnings.append({word[:size] for word in beginnings[-1]})
    return entries.union(*beginnings)


WORDS = TextIndex(_words)
BEGINNINGS = TextIndex(lambda text: _with_beginnings(text, WORDS))
CHARACTERS = TextIndex(frozenset)
FOLDED_WORDS = TextIndex(_folded_words)
FOLDED_BEGINNINGS = TextIndex(lambda text: _with_beginnings(text, FOLDED_WORDS))


class LiteralScan(dict[str, frozenset[str]]):
    """Which literals a text holds, of all that somebody looks for, in one pass.

    Parameters
    ----------
    folded : bool
        Whether the case of texts is lowered first.
    """

    def __init__(self, folded: bool) -> None:
        self.folded = folded
        self._literals: set[str] = set()
        self._waiting: set[str] = set()
        self._n_asked = 0
        self._find: Any = None

    def want(self, literals: Iterable[str]) -> bool:
        """Have literals looked for from some time on; tell whether they are by now.

        Parameters
        ----------
        literals : iterable of str

        Returns
        -------
        looked_for : bool
        """
        if AhoCorasick is None:
            return False
        if self._literals.issuperset(literals):
            return True
        if not self._waiting.issuperset(literals):
            self._waiting.update(literals)
            return False
        # To learn a few more takes as long as to learn all of them.
        self._n_asked += 1
        if 4 * len(self._waiting) < len(self._literals) and self._n_asked < 64:
            return False
        self._literals |= self._waiting
        self._waiting.clear()
        self._n_asked = 0
        self._find = AhoCorasick(sorted(self._literals)).find_matches_as_strings
        self.clear()
        return True

    def __missing__(self, text: str) -> frozenset[str]:
        source = fold(text) if self.folded else text
        found = ANYTHING
        if source is not None:
            # What is no Unicode, a lone surrogate, is none that could be encoded.
            with contextlib.suppress(UnicodeEncodeError):
                # Otherwise "art" would hide "party".
                found = frozenset(self._find(source, overlapping=True))
        if len(self) >= _MAX_SCANNED:
            self.clear()
        self[text] = found
        return found


# Of literals as they are, and of literals in lower case.
SCANS = (LiteralScan(folded=False), LiteralScan(folded=True))
