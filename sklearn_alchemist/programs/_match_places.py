"""Find in a record the words that a program met in what it made of the record.

Programs look at lower case, at words, at text without punctuation or accents. Where
that is a column as it is, or one in other case, places are those of the column; else
the matched words are looked for in the record, ignoring case and accents.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

# More places of one word say nothing new.
_MAX_PLACES = 20
# What is kept of texts that programs made of one record.
_MAX_KEPT = 2_000

Place = tuple[int, int, int]

_WORDS = re.compile(r"\w+")
# What may stand between two words that a program met side by side; without a bound, a
# long row of marks would be searched again from each of them.
_BETWEEN = r"\W{0,20}"
# So much of a text shows whether it is made of the record.
_LOOKED_AT = 500


class Folded:
    """A text without case and accents, and where its characters come from.

    Parameters
    ----------
    text : str
    """

    def __init__(self, text: str) -> None:
        self.places: Sequence[int]
        if text.isascii():
            self.text, self.places = text.lower(), range(len(text))
            return
        made: list[str] = []
        places: list[int] = []
        for place, character in enumerate(text):
            for part in unicodedata.normalize("NFKD", character).casefold():
                if not unicodedata.combining(part):
                    made.append(part)
                    places.append(place)
        self.text, self.places = "".join(made), places

    def inside(self, start: int, stop: int) -> tuple[int, int]:
        """Places in the folded text of a part of the text."""
        return bisect_left(self.places, start), bisect_left(self.places, stop)

    def outside(self, start: int, stop: int) -> tuple[int, int]:
        """Places in the text of a part of the folded text."""
        return self.places[start], self.places[stop - 1] + 1


class Record:
    """The values of one record, as a program gets them.

    Parameters
    ----------
    values : sequence
        Of the columns that a program reads.
    """

    def __init__(self, values: Sequence[Any]) -> None:
        self.texts = {
            column: value
            for column, value in enumerate(values)
            if type(value) is str and value
        }
        self._folded: dict[str, Folded] = {}
        self._bases: dict[str, tuple[int, int] | None] = {}
        self._held: dict[str, bool] = {}

    def find(self, text: str, start: int, stop: int) -> list[Place]:
        """Find what a program met.

        Parameters
        ----------
        text : str
            What it looked at: a column or something made of it.
        start, stop : int
            What it met there.

        Returns
        -------
        places : list of (column, start, stop)
            Without white space at their ends; empty where the record holds no such
            words.
        """
        met = text[start:stop].strip()
        if not met:
            return []
        start = text.index(met, start)
        stop = start + len(met)
        found = self._followed(text, start, stop)
        if found is None:
            found = list(self._searched(text, start, stop))
        return [place for place in found if self._shows(*place)]

    def holds(self, text: str) -> bool:
        """Whether a text is made of the record, rather than a program's own."""
        held = self._held.get(text)
        if held is None:
            held = self._base(text) is not None or self._has_words_of(text)
            if len(self._held) < _MAX_KEPT:
                self._held[text] = held
        return held

    def _has_words_of(self, text: str) -> bool:
        words = _WORDS.findall(Folded(text[:_LOOKED_AT]).text)
        known = sum(
            any(word in self._fold(value).text for value in self.texts.values())
            for word in words
        )
        return bool(words) and known > len(words) / 2

    def _followed(self, text: str, start: int, stop: int) -> list[Place] | None:
        """Places in the column that a text is, but for its case or its ends."""
        base = self._base(text)
        if base is None:
            return None
        column, offset = base
        value, made = self._fold(self.texts[column]), self._fold(text)
        first, last = made.inside(start, stop)
        first, last = first + offset, last + offset
        if not 0 <= first < last <= len(value.text):
            return None
        return [(column, *value.outside(first, last))]

    def _base(self, text: str) -> tuple[int, int] | None:
        """Column that a text is all or most of, and by how much it is shifted."""
        if text in self._bases:
            return self._bases[text]
        base = None
        made = self._fold(text).text
        for column, value in self.texts.items():
            whole = self._fold(value).text
            if made == whole:
                base = column, 0
                break
            core = whole.strip()
            if len(made) < len(core):
                # Shorter ones are words, of which there may be several.
                if 2 * len(made) > len(core) and (place := whole.find(made)) >= 0:
                    base = column, place
            elif core and (place := made.find(core)) >= 0:
                base = column, whole.find(core) - place
        if len(self._bases) < _MAX_KEPT:
            self._bases[text] = base
        return base

    def _searched(self, text: str, start: int, stop: int) -> Iterator[Place]:
        """Places of the same words, parts of words only for parts of words."""
        made = self._fold(text)
        first, last = made.inside(start, stop)
        met = made.text[first:last].strip()
        if len(met) > _LOOKED_AT:
            for column, value in self.texts.items():
                folded = self._fold(value)
                if (place := folded.text.find(met)) >= 0:
                    yield column, *folded.outside(place, place + len(met))
            return
        if not met:
            return
        starts_word = not (first and _is_word(made.text[first - 1]))
        ends_word = not (last < len(made.text) and _is_word(made.text[last]))
        forms = [re.escape(met)]
        if words := _WORDS.findall(met):
            forms.append(_BETWEEN.join(words))
        before = r"(?<!\w)" if starts_word and _is_word(met[0]) else ""
        after = r"(?!\w)" if ends_word and _is_word(met[-1]) else ""
        # Languages that put no spaces between words have no such ends.
        patterns = [*(f"{before}{form}{after}" for form in forms), *forms]
        for pattern in dict.fromkeys(patterns):
            n_found = 0
            for column, value in self.texts.items():
                folded = self._fold(value)
                for match in re.finditer(pattern, folded.text):
                    yield column, *folded.outside(*match.span())
                    n_found += 1
                    if n_found == _MAX_PLACES:
                        return
            if n_found:
                return

    def _shows(self, column: int, start: int, stop: int) -> bool:
        return bool(self.texts[column][start:stop].strip())

    def _fold(self, text: str) -> Folded:
        folded = self._folded.get(text)
        if folded is None:
            folded = Folded(text)
            if len(self._folded) < _MAX_KEPT:
                self._folded[text] = folded
        return folded


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
