"""Read sentences that state a class; one in which a class merely occurs states none.

The forms are listed, rather than the ways in which a class can be denied, doubted or
asked about: those have no end.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from ._answers import NO_CLASS

_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_MINUS = re.compile(r"[\u2212\u2010-\u2015\ufe58\ufe63\uff0d](?=\s*\d)")

# Nouns for what is labeled and for what labels it.
_NOUN_WORDS = (
    "label class category answer prediction verdict conclusion decision response"
    " classification sentiment output result topic rating grade type choice guess"
    " assessment judgment judgement option record item row text message email e-mail"
    " mail sms tweet post comment review sentence article document content input"
    " question request ticket title headline snippet story passage description image"
    " star stars point points"
)
# An answer may begin with these words, and with no other ones.
_BEGINNINGS = (
    "the this that it its it's that's this's here here's there's i i'd i'll i've we"
    " we'd my our your one a an is are was be would should will has been being as"
    " to of in into with for under on from by at and so thus hence therefore"
    " overall finally say call classify classified label labeled labelled"
    " categorize categorized categorise categorised tag tagged mark marked rate"
    " rated assign assigned choose chosen pick picked select selected predict"
    " predicted give given conclude think believe consider considered identify"
    " identified go goes falls fall belongs belong read reads fits fit best"
    " correct right appropriate suitable final likely most probable very clearly"
    " obviously definitely certainly surely probably evidently plainly simply just"
    " strongly highly overwhelmingly sure ok okay yeah based above analysis case"
    " provided following confident example instance kind sort named"
    " single true"
    " die der das antwort ist es klasse kategorie lautet ergebnis ich"
    " w\u00fcrde sagen la le r\u00e9ponse est c'est classe cat\u00e9gorie el"
    " respuesta es clase categor\u00eda etiqueta resposta \u00e9"
)
_NOUNS = _NOUN_WORDS.split()
_LEAD_WORDS = [*_NOUNS, *_BEGINNINGS.split()]
_LEAD = re.compile(
    r"(?:(?:record|item|row|text) #?1|\\boxed|\\text|"
    + "|".join(sorted(map(re.escape, set(_LEAD_WORDS)), key=len, reverse=True))
    + r")(?!\w|['\u2019]\w)"
    # Scripts without spaces have no ends of words.
    r"|(?:\u6700\u7ec8)?(?:\u7b54\u6848|\u6807\u7b7e|\u6a19\u7c64|\u5206\u7c7b|\u5206\u985e"
    r"|\u7c7b\u522b|\u60c5\u611f|\u7ed3\u679c|\u7b54\u3048|\u30e9\u30d9\u30eb)[\u662f\u4e3a\u306f]?"
    r"|\u8fd9\u662f|\u9019\u662f|\u3053\u308c\u306f"
)
_NAMED = re.compile(
    r"\b(?:label|class|category|answer|prediction|verdict|conclusion|decision|response"
    r"|classification|sentiment|output|result)\b",
    re.IGNORECASE,
)
_MOST_WORDS = 40
_BETWEEN = re.compile(
    r"(?:[\s\"'`*_()\[\]{}:,;|\u2022#\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a]"
    r"|\$(?=\s*\\)|=>?|->|\u2192|>(?=\s*[^\s\d.])|[-\u2013\u2014]+(?!\s*[\d.]))*"
)
_DASH = re.compile(r"\s-\s+(?=\d)")
_SIGNED = re.compile(r"[-+]?\s?\d{1,15}(?:\.\d{1,15})?(?![\w])")
_INVERTED = re.compile(
    r"\W*(?:is|are|was|would|should|will)\s+(?:it|this|that|the|an?|i|we)\b"
)
_CLOSED = r"[\s\"'`*_)\]}$\u2019\u201d\u00bb\u203a]*"
_END = re.compile(
    _CLOSED + r"[.!;\u3002\uff01]*" + _CLOSED + r"(?:\u3067\u3059\u3002?)?"
)
_NOUN = re.compile(_CLOSED + r"(?<=[\s\"'`*_)])(?:" + "|".join(_NOUNS) + r")\b")
_BECAUSE = re.compile(
    _CLOSED + r",?\s+(?:because|since|as (?:it|the|this)|due to|given)\b(?P<why>.+)"
)
_REMARK = re.compile(
    _CLOSED + r"(?:\s[-\u2013\u2014]+\s+(?P<dash>[^\W\d].*\s.*)"
    r"|,\s+(?P<comma>(?:it|this|that|there|the|which)\b.*)"
    r"|\s?\((?P<bracket>[^\W\d][^()]*)\)[.!]?)"
)
_SHARE = re.compile(
    _CLOSED
    + r",?\s*\(?(?:with |confidence[: ]*)?(?P<share>\d{1,3}(?:\.\d+)?)(?P<unit>%?)"
    r"(?: (?:confidence|certainty|sure|certain))?\)?[.!]?"
)
_OUT_OF = re.compile(r"\s*(?:/|out of|of)\s*(\d{1,3})(?![\w%/]|[.,:]\d)")
# With one of these, what is said besides may take the class back.
_DOUBT = re.compile(
    r"\b(?:not|no|nor|neither|never|none|cannot|can't|unsure|unclear|uncertain|unless"
    r"|but|or|except|without|hardly|barely|scarcely|far from|opposite|false|wrong"
    r"|incorrect|ruled? out|exclud\w+|unlikely|anything but|denie[sd]|doubt\w*|if"
    r"|however|although|though|maybe|perhaps|kidding|joking|might|may|could|unable)\b"
    r"|n['\u2019]t\b|~~|\?",
    re.IGNORECASE,
)
# What takes back an answer that stands before.
_TURN = re.compile(
    r"\b(?:wait|actually|on second thoughts?|correction|scratch that|my mistake|however"
    r"|never ?mind|kidding|joking|(?<!no )doubt(?:ful)?|not really|changed my mind"
    r"|that(?:['\u2019]s| is) (?:wrong|not right)|i take (?:that|it) back|sorry)\b"
    r"|^\W*(?:but|or|although|though|no|not)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])")
_TAG = re.compile(r"</?[a-z][\w-]{0,20}\s*/?>", re.IGNORECASE)
_JOINED = re.compile(r"(?<=[^\W_])[_\-\u2010-\u2015]+(?=[^\W\d_])|(?<=\w)_+(?=\w)")
# Words that occur in any prose, and mention no class of that name.
_COMMON = {*_LEAD_WORDS, "no", "yes", "not", "none", "other", "true", "false"}


def plain(text: str) -> str:
    """Write entities, compatibility forms, minus signs and hidden characters plainly.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    text : str
        The same, more plainly.

    Examples
    --------
    >>> from sklearn_alchemist.zero_shot._statements import plain
    >>> plain("R&amp;D: \u22121")
    'R&D: -1'
    """
    text = unicodedata.normalize("NFKC", html.unescape(text)).translate(_UNSEEN)
    return _MINUS.sub("-", text)


class Statements:
    """Sentences that state one of some classes.

    Parameters
    ----------
    classes : sequence
        The classes.

    match : callable
        Gives the code of a text that is a class and nothing else, -1 for others.
    """

    def __init__(self, classes: Sequence[Any], match: Callable[[str], int]) -> None:
        self._match = match
        self._codes: dict[str, int] = {}
        for code, name in enumerate(classes):
            if flat := _flat(str(name)).strip():
                # Two of one name are told apart by their case, and in no sentence.
                same = self._codes.setdefault(flat, code) == code
                self._codes[flat] = code if same else NO_CLASS
        longest = sorted(self._codes, key=len, reverse=True)
        names = "|".join(map(_bounded, longest)) or r"(?!)"
        self._name = re.compile(names)
        rare = [name for name in longest if name not in _COMMON]
        self._mention = re.compile("|".join(map(_mentioned, rare)) or r"(?!)")
        any_name = "|".join(map(_mentioned, longest)) or r"(?!)"
        self._ruled_out = re.compile(
            rf"(?:\b\w+n['\u2019]t|\bnot)\s+(?:an?\s+)?[\"'*`]*({any_name})"
            r"[\"'*`]*\s*(?:[,;.]|\s[-\u2013\u2014])\s*(?:but|rather|instead)?"
        )
        self._instead = re.compile(
            rf",?\s*(?:and\s+|but\s+)?\b(?:not|rather than|instead of)\s+(?:an?\s+)?"
            rf"[\"'*`]*({any_name})(?={_END.pattern}$)"
        )
        self._scale = _largest_of_scale(classes)

    def read(self, text: str) -> int:
        """Read some lines; the last one that states a class holds.

        Parameters
        ----------
        text : str
            The answer.

        Returns
        -------
        code : int
            Position of the class, -1 where none is stated, or several are.
        """
        alone: list[int] = []
        for line in reversed(_TAG.sub("", plain(text)).splitlines()):
            if not line.strip():
                continue
            code = self._line(_flat(line))
            if code == NO_CLASS:
                if _TURN.search(line):
                    break
                continue
            if _NAMED.search(line):
                return alone[0] if alone else code
            alone.append(code)
        return alone[0] if len(set(alone)) == 1 else NO_CLASS

    def _line(self, line: str) -> int:
        """Read a sentence, or several of which one states a class."""
        code = self._statement(line)
        if code != NO_CLASS:
            return code
        sentences = [part for part in _SENTENCE.split(line) if part.strip()]
        codes = [self._statement(sentence) for sentence in sentences]
        stated = set(codes) - {NO_CLASS}
        if len(stated) != 1:
            return NO_CLASS
        (code,) = stated
        for sentence, own in zip(sentences, codes, strict=True):
            if own == NO_CLASS and not self._is_remark(sentence, code):
                return NO_CLASS
        return code

    def _statement(self, sentence: str) -> int:
        """Read a known beginning, a class, and a known end."""
        code = self._match(sentence)
        if code != NO_CLASS:
            return code
        if _INVERTED.match(sentence):
            return NO_CLASS
        sentence = self._without_the_others(sentence)
        found: list[tuple[int, int]] = []
        place = 0
        for _ in range(_MOST_WORDS):
            dash = _DASH.match(sentence, place) if place else None
            between = _BETWEEN.match(sentence, place)
            place = between.end() if between else place
            if dash:  # "Rating - 4", unless it is "- 4"
                signed = _SIGNED.match(sentence, dash.start() + 1)
                if signed and self._match(signed[0]) != NO_CLASS:
                    return NO_CLASS
                place = dash.end()
            for pattern in (self._name, _SIGNED):
                if name := pattern.match(sentence, place):
                    code = self._codes.get(name[0].strip(), NO_CLASS)
                    code = self._match(name[0]) if code == NO_CLASS else code
                    if code != NO_CLASS and self._ends(sentence[name.end() :], code):
                        found.append((len(name[0]), code))
            lead = _LEAD.match(sentence, place)
            if not lead:
                break
            place = lead.end()
        if not found:
            return NO_CLASS
        longest = max(length for length, _ in found)
        codes = {code for length, code in found if length == longest}
        return codes.pop() if len(codes) == 1 else NO_CLASS

    def _without_the_others(self, sentence: str) -> str:
        """Leave out the classes that are ruled out beside one that is stated."""

        def dropped(found: re.Match[str]) -> str:
            whole = self._match(f"not {found[1]}")
            return " " if whole == NO_CLASS else found[0]

        return self._instead.sub(dropped, self._ruled_out.sub(dropped, sentence))

    def _ends(self, rest: str, code: int) -> bool:
        """Tell whether what follows a class is a known end."""
        if self._scale and (out_of := _OUT_OF.match(rest)):
            if int(out_of[1]) != self._scale:
                return False
            rest = rest[out_of.end() :]
        while noun := _NOUN.match(rest):
            rest = rest[noun.end() :]
        if _END.fullmatch(rest):
            return True
        if share := _SHARE.fullmatch(rest):
            most = 100 if share["unit"] else 1
            marked = share["unit"] or "(" in rest
            return bool(marked) and most / 2 < float(share["share"]) <= most
        if because := _BECAUSE.fullmatch(rest):
            why = because["why"]
            return not ("?" in why or _TURN.search(why) or self._others(why, code))
        if remark := _REMARK.fullmatch(rest):
            return self._is_remark(remark[remark.lastgroup or 0], code)
        return False

    def _is_remark(self, text: str, code: int) -> bool:
        """Tell whether what is said besides leaves the class as it is."""
        return not (
            _DOUBT.search(text) or _TURN.search(text) or self._others(text, code)
        )

    def _others(self, text: str, code: int) -> bool:
        """Tell whether another class is mentioned."""
        return any(self._codes[m[0]] != code for m in self._mention.finditer(text))


def _flat(text: str) -> str:
    """Write words in small letters, and those that are joined apart."""
    text = _JOINED.sub(" ", plain(text).lower())
    return re.sub(r"\s+", " ", text)


def _bounded(name: str) -> str:
    """Write the pattern of a class at whose end a word ends, in scripts with words."""
    after = r"(?!\w)" if re.match(r"\w", name[-1]) and not _is_lo(name[-1]) else ""
    return re.escape(name) + after


def _mentioned(name: str) -> str:
    """Write the pattern of a class that is no part of a word."""
    before = "" if _is_lo(name[0]) else r"(?<!\w)"
    return before + _bounded(name)


def _is_lo(character: str) -> bool:
    return unicodedata.category(character) == "Lo"


def _largest_of_scale(classes: Sequence[Any]) -> int:
    """Find what ratings such as 4/5 are out of; 0 where classes are no such scale."""
    names = sorted(int(str(c)) for c in classes if re.fullmatch(r"\d{1,3}", str(c)))
    if len(names) != len(classes) or len(names) < 3 or names[0] > 1:
        return 0
    return names[-1] if names == list(range(names[0], names[-1] + 1)) else 0
