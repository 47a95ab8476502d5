"""Summarise what columns hold, in little space, to tell later whether data changed.

No text is kept: of words and values only hashes and counts. How many new words a record
brings is known of the records themselves: a word that one of them alone holds would
have been new in it.
"""

import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._records import Records
from ._sampling import draw_rows

# Enough to tell a change of a twentieth, little enough to cost a fit nothing.
_N_LOOKED_AT = 5_000
_LONGEST = 2_000
_MOST_WORDS = 1 << 15
# A column with more different values holds texts or numbers rather than categories.
_MOST_VALUES = 50
_N_BINS = 10
_SHARES = np.linspace(0, 1, 21)
# Values that occur more often have a bin each, others by how often they do.
_FREQUENT = 10
_RARE = np.array([1, 3])

# Scripts without spaces between words: pairs of characters stand for their words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, eq=False)
class ColumnProfile:
    """What one column held.

    Parameters
    ----------
    kind : {"text", "number", "value"}
        What it was taken for.
    edges : ndarray
        Bounds of bins of lengths or numbers; for values, hashes of the known ones.
    times : ndarray
        How often each known value occurs; empty for texts and numbers.
    counts : ndarray
        Records in each bin; the last is that of missing values.
    known : ndarray of uint32
        Hashes of known words, sorted; of all words, those below `limit`.
    limit : int
        Words with other hashes do not count.
    novelty : ndarray
        Records by the share of their words that no other record holds.
    """

    kind: str
    edges: np.ndarray
    times: np.ndarray
    counts: np.ndarray
    known: np.ndarray
    limit: int
    novelty: np.ndarray

    def count(self, values: Sequence[Any]) -> np.ndarray:
        """Count other values in the same bins.

        Parameters
        ----------
        values : sequence
            Python scalars, None where one is missing.

        Returns
        -------
        counts : ndarray
            As `counts`.
        """
        if self.kind == "value":
            return _count_values(self.edges, self.times, values)
        return _count_numbers(self.edges, values)

    def count_novelty(self, values: Sequence[Any]) -> np.ndarray:
        """Count texts by the share of their words that are new.

        Parameters
        ----------
        values : sequence of (str or None)
            Texts.

        Returns
        -------
        counts : ndarray
            As `novelty`.
        """
        return _novelty(*_hashed(values), self.known, self.limit)

    def news(self, values: Sequence[Any]) -> Counter[str]:
        """Count the records that hold each new word or value.

        Parameters
        ----------
        values : sequence
            Python scalars, None where one is missing.

        Returns
        -------
        news : Counter of str
            Words as `profile_columns` counts them, or values; none for numbers.
        """
        found: Counter[str] = Counter()
        known, limit = self.known, self.limit
        if self.kind == "text":
            for text in values:
                found.update(_words(text))
        elif self.kind == "value":
            found.update(str(value) for value in values if value is not None)
            known, limit = self.edges, 1 << 32
        # In an order that does not hang on how this process hashes.
        found = Counter(dict(sorted(found.items())))
        hashes = _hashes_of(found)
        is_new = (hashes < limit) & ~_is_among(hashes, known)
        words = zip(found.items(), is_new.tolist(), strict=True)
        return Counter({word: n for (word, n), new in words if new})


def profile_columns(records: Records) -> dict[str, ColumnProfile]:
    """Summarise the columns of records that can be read.

    Parameters
    ----------
    records : Records
        What an estimator is fitted to.

    Returns
    -------
    profiles : dict of str to ColumnProfile
        By the names that programs use.
    """
    rows = draw_rows(records.n_rows, _N_LOOKED_AT).tolist()
    return {
        name: _profile(list(column), is_text=records.is_text)
        for name, column in records.take(rows).items()
        if name in records.kinds
    }


def _profile(values: list[Any], *, is_text: bool) -> ColumnProfile:
    known = [value for value in values if value is not None]
    distinct = {str(value) for value in known}
    nothing = np.empty(0, dtype=np.uint32)
    are_few = len(distinct) <= min(_MOST_VALUES, max(len(known) // 5, 1))
    if not known or (are_few and not is_text):
        hashes, times = np.unique(_hashes_of(known), return_counts=True)
        counts = _count_values(hashes, times, values, are_known=True)
        return ColumnProfile("value", hashes, times, counts, nothing, 0, nothing)
    if all(isinstance(value, int | float) for value in known):
        edges = _quantiles(known)
        counts = _count_numbers(edges, values)
        return ColumnProfile("number", edges, nothing, counts, nothing, 0, nothing)
    edges = _quantiles([len(str(value)) for value in known])
    counts = _count_numbers(edges, values)
    places, hashes = _hashed(values)
    words, n_records = np.unique(hashes, return_counts=True)
    limit = 1 << 32
    if len(words) > _MOST_WORDS:
        limit = int(words[_MOST_WORDS])
        words, n_records = words[:_MOST_WORDS], n_records[:_MOST_WORDS]
    novelty = _novelty(places, hashes, words[n_records > 1], limit)
    return ColumnProfile("text", edges, nothing, counts, words, limit, novelty)


def _count_numbers(edges: np.ndarray, values: Sequence[Any]) -> np.ndarray:
    """Count numbers, or lengths of texts, by bins, then missing values."""
    known = [value for value in values if value is not None]
    numbers = [v if isinstance(v, int | float) else len(str(v)) for v in known]
    places = np.searchsorted(edges, _floats(numbers), side="right")
    counts = np.bincount(places, minlength=len(edges) + 1)
    return np.array([*counts, len(values) - len(known)])


def _count_values(
    hashes: np.ndarray,
    times: np.ndarray,
    values: Sequence[Any],
    *,
    are_known: bool = False,
) -> np.ndarray:
    """Count frequent values each, rare ones by how rare they are, then missing ones.

    A value of the training data counts as often as in the other records, as a value of
    new records does.
    """
    known = _hashes_of([value for value in values if value is not None])
    places = np.minimum(np.searchsorted(hashes, known), max(len(hashes) - 1, 0))
    is_among = _is_among(known, hashes)
    elsewhere = np.zeros(len(known), dtype=int)
    elsewhere[is_among] = times[places[is_among]] - are_known
    is_frequent = is_among.copy()
    is_frequent[is_among] = times[places[is_among]] > _FREQUENT
    frequent = np.bincount(places[is_frequent], minlength=len(hashes))
    rare = np.searchsorted(_RARE, elsewhere[~is_frequent], side="right")
    rarity = np.bincount(rare, minlength=len(_RARE) + 1)
    return np.array([*frequent, *rarity, len(values) - len(known)])


def _quantiles(numbers: Sequence[float]) -> np.ndarray:
    inner = np.linspace(0, 1, _N_BINS + 1)[1:-1]
    # Between a number and infinity there is none.
    return np.unique(np.quantile(_floats(numbers), inner, method="nearest"))


def _floats(numbers: Sequence[float]) -> np.ndarray:
    """Take the largest floats for integers beyond all of them."""
    try:
        return np.array(numbers, dtype=float)
    except OverflowError:
        most = sys.float_info.max
        return np.array([min(max(n, -most), most) for n in numbers], dtype=float)


def _novelty(
    places: np.ndarray, hashes: np.ndarray, known: np.ndarray, limit: int
) -> np.ndarray:
    """Count records by the share of their words that are not known.

    By steps of a twentieth; none at all is a step of its own.
    """
    count = hashes < limit
    places, hashes = places[count], hashes[count]
    n_words = np.bincount(places)
    n_new = np.bincount(places, ~_is_among(hashes, known), minlength=len(n_words))
    shares = n_new[n_words > 0] / n_words[n_words > 0]
    return np.bincount(np.searchsorted(_SHARES, shares), minlength=len(_SHARES))


def _hashes_of(values: Iterable[Any]) -> np.ndarray:
    return np.array([_hash(str(value)) for value in values], dtype=np.uint32)


def _hashed(values: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Say of each word of each text, each once, in which text it is, and its hash."""
    find = _Hashes().__getitem__
    hashes: list[int] = []
    ends: list[int] = []
    for value in values:
        hashes.extend(map(find, _words(value)))
        ends.append(len(hashes))
    places = np.repeat(
        np.arange(len(ends), dtype=np.uint64), np.diff(np.array(ends), prepend=0)
    )
    pairs = (places << np.uint64(32)) | np.array(hashes, dtype=np.uint64)
    # Two words of a text may have one hash; sorting is quicker than NumPy's `unique`.
    pairs.sort()
    pairs = pairs[np.diff(pairs, prepend=~pairs[:1]) != 0]
    return (pairs >> np.uint64(32)).astype(np.intp), pairs.astype(np.uint32)


def _words(value: Any) -> set[str]:
    if value is None:
        return set()
    text = str(value)[:_LONGEST].lower()
    words = set(_WORD.findall(text))
    if not _UNSPACED.search(text):
        return words
    run_on = {word for word in words if _UNSPACED.search(word)}
    pairs = {word[i : i + 2] for word in run_on for i in range(len(word))}
    return (words - run_on) | pairs


class _Hashes(dict[str, int]):
    """Hashes of words, the same in all processes."""

    def __missing__(self, word: str) -> int:
        self[word] = made = _hash(word)
        return made


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def _is_among(hashes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which hashes are among sorted known ones."""
    if not len(known):
        return np.zeros(len(hashes), dtype=bool)
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return known[places] == hashes
