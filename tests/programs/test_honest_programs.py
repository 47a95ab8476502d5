import pytest

from sklearn_alchemist.programs import check_program, run_programs

HONEST = {
    "enumerations": """
        from enum import Enum, IntEnum, auto

        class Kind(Enum):
            SPAM = "spam"
            HAM = "ham"

            @classmethod
            def _missing_(cls, value):
                return cls.HAM

        class Level(IntEnum):
            LOW = auto()
            HIGH = auto()

        def label(text):
            assert Kind["HAM"] is Kind(99) and len(Kind.__members__) == 2
            return Kind.SPAM.value if Level.HIGH > Level.LOW else None
        """,
    "abstract classes and protocols": """
        from abc import ABC, ABCMeta, abstractmethod
        from typing import Protocol, runtime_checkable

        @runtime_checkable
        class Votes(Protocol):
            def vote(self, text: str) -> str: ...

        class Rule(metaclass=ABCMeta):
            @abstractmethod
            def vote(self, text): ...

        class Spam(Rule, ABC):
            def vote(self, text):
                return "spam"

        def label(text):
            return Spam().vote(text)
        """,
    "context managers, copies and cached properties": """
        import contextlib, copy, functools

        @contextlib.contextmanager
        def lowered(text):
            yield text.lower()

        @functools.total_ordering
        class Text:
            def __init__(self, text): self.text = text
            def __lt__(self, other): return self.text < other.text
            def __eq__(self, other): return self.text == other.text
            @functools.cached_property
            def words(self): return self.text.split()

        def label(text):
            with lowered(text) as low, contextlib.suppress(KeyError):
                assert copy.deepcopy([low]) == [low] and Text(low) >= Text(low)
                {}[low]
            return "spam" if Text(text).words else None
        """,
    "files in memory, hashes, logs and chance": """
        import csv, hashlib, io, logging, random, time, warnings, zlib
        logger = logging.getLogger(__name__)
        logging.basicConfig(level=logging.INFO)

        def label(text):
            logger.info("read %s", text)
            warnings.warn("nothing")
            row = next(csv.reader(io.StringIO("a,b")))
            assert row == ["a", "b"] and zlib.crc32(b"a") == 3904355907
            assert hashlib.md5(b"").hexdigest().startswith("d41d8")
            assert 0 <= random.random() < 1 and random.choice([1]) == 1
            assert random.Random(3).random() == random.Random(3).random()
            return "spam" if time.time() > 0 else None
        """,
    "a star, and a literal": """
        from re import *
        from ast import literal_eval

        def label(text):
            assert literal_eval("[1, 'a']") == [1, "a"]
            return "spam" if search("PRIZE", text, IGNORECASE) else None
        """,
    "methods of many names": """
        class Money:
            def __new__(cls, *args): return super().__new__(cls)
            def __init__(self, n): self.n = n
            def __format__(self, spec): return f"{self.n:{spec}} $"
            def __getattr__(self, name): return name.upper()
            def __rsub__(self, other): return other - self.n

        def label(text):
            assert f"{Money(3):03d}" == "003 $" and Money(1).x == "X"
            assert 3 - Money(1) == 2
            return "spam"
        """,
    "imports that nothing uses": """
        import os, sys
        import numpy as np
        from sklearn.base import BaseEstimator

        def label(text):
            return "spam"

        if __name__ == "__main__":
            print(sys.argv, label("x"))
        """,
    "defaults and more": """
        def label(text, threshold=2, *rest, verbose=False, **options):
            return "spam" if len(text) > threshold and not options else None
        """,
    "helpers beside the entry": """
        def clean(text):
            return text.lower()

        def score(text):
            return len(clean(text))

        def classify_message(text):
            return "spam" if score(text) else None
        """,
    "codecs": """
        def label(text):
            for codec in ("utf-8-sig", "cp1252", "utf-16-le", "gbk", "shift_jis"):
                assert text.encode(codec).decode(codec) == text
            return "spam"
        """,
    "keywords": """
        KEYWORDS = {"spam": ["prize", "winner"], "ham": ["lunch"]}

        def label(text: str) -> "str | None":
            lowered = text.lower()
            scores = {k: sum(w in lowered for w in ws) for k, ws in KEYWORDS.items()}
            best = max(scores, key=scores.get)
            return best if scores[best] else None
        """,
    "regular expressions": r"""
        import re
        PATTERN = re.compile(r"\b(prize|winner)\b", re.I | re.VERBOSE)

        def label(text):
            found = {m.group(1).lower() for m in PATTERN.finditer(text)}
            text = re.sub(r"\w+", lambda m: m.group().upper(), text)
            return "spam" if found and "PRIZE" in text else None
        """,
    "invalid escape in a plain string": """
        import re

        def label(text):
            return "spam" if re.search("pri\\w+", text) else None
        """,
    "many imports": """
        from __future__ import annotations
        import collections.abc
        import math as m, string
        import urllib.parse
        import urllib.parse as up
        from collections import Counter, defaultdict, deque, namedtuple
        from datetime import datetime, timedelta
        from functools import lru_cache, partial, reduce
        from itertools import chain, islice
        from statistics import mean
        from typing import Dict, List, Optional
        import bisect, difflib, fractions, decimal, heapq, html, json, operator
        import textwrap, unicodedata

        def label(text: str) -> Optional[str]:
            words: List[str] = text.split()
            day = datetime.strptime("2024-01-02", "%Y-%m-%d") + timedelta(days=1)
            assert day.strftime("%d") == "03"
            assert isinstance(words, collections.abc.Sequence)
            assert urllib.parse.quote("a b") == up.quote("a b") == "a%20b"
            assert fractions.Fraction(1, 2) + decimal.Decimal("0.5") if False else True
            assert unicodedata.normalize("NFKD", "é").encode("ascii", "ignore") == b"e"
            assert json.loads(json.dumps({"a": [1]})) == {"a": [1]}
            assert reduce(operator.add, [1, 2]) == 3 and mean([1, 3]) == 2
            assert html.unescape("&amp;") == "&"
            assert sorted(words, key=operator.itemgetter(0))
            assert m.sqrt(4) == 2 and "a" in string.ascii_letters
            return "spam" if Counter(words).most_common(1) else None
        """,
    "closures and generators": """
        def make(words):
            seen = 0
            def contains(text):
                nonlocal seen
                seen += 1
                return any(w in text for w in words)
            return contains

        def pairs(items):
            yield from zip(items, items[1:])

        has_prize = make(["prize"])

        def label(text):
            return "spam" if has_prize(text) and list(pairs(text)) else None
        """,
    "match statements": """
        def label(text):
            match text.split():
                case [str(first), *_] if first:
                    return "spam"
                case []:
                    return None
                case {"a": 1, **rest}:
                    return rest
        """,
    "formatting": """
        def label(text):
            row = {"n": 3}
            made = "{} {0!r}" if False else "{:>5.2f}|{!r}".format(1.5, "x")
            assert made == " 1.50|'x'"
            assert "{row[n]}".format(row=row) == "3" and "%(n)d" % row == "3"
            assert "{n}".format_map(row) == "3" and f"{text!r:.3}{len(text):03d}"
            assert list(map("{}!".format, "ab")) == ["a!", "b!"]
            assert str.format("{}", 1) == format(1, "d")
            return "spam"
        """,
    "classes": """
        class Scorer:
            __slots__ = ("_words", "hits", "__count")
            limit = 1

            def __init__(self, words):
                self._words = words
                self.hits = 0
                self.__count = 0

            def __call__(self, text):
                self.hits += sum(w in text for w in self._words)
                self.__count += 1
                return self.hits >= self.limit

            @property
            def mean(self):
                return self.hits / self.__count

            @staticmethod
            def clean(text):
                return text.strip()

        class Loud(Scorer):
            def __init__(self, words):
                super().__init__([w.lower() for w in words])

        def label(text):
            scorer = Loud(["PRIZE"])
            return "spam" if scorer(Scorer.clean(text)) and scorer.mean else None
        """,
    "dataclasses and named tuples": """
        from dataclasses import dataclass, field
        from typing import NamedTuple
        from collections import namedtuple

        @dataclass(frozen=True, order=True)
        class Rule:
            weight: float
            words: list = field(default_factory=list)

            def fires(self, text):
                return any(w in text for w in self.words)

        class Point(NamedTuple):
            x: int
            y: int = 2

        Pair = namedtuple("Pair", ["a", "b"])

        def label(text):
            assert Point(1)._replace(x=3) == (3, 2) and Pair(1, 2)._asdict()["a"] == 1
            return "spam" if Rule(1.0, ["prize"]).fires(text) else None
        """,
    "errors caught in every way": """
        def label(text):
            try:
                int(text)
            except ValueError as error:
                assert error.args
            try:
                {}[text]
            except:
                pass
            try:
                raise KeyError("k")
            except BaseException:
                pass
            finally:
                text += ""
            return "spam"
        """,
    "a main block": """
        def label(text):
            return "spam"

        if __name__ == "__main__":
            import sys
            print(label(sys.argv[1]))
        """,
    "optional imports": """
        try:
            import numpy as np
        except ImportError:
            np = None

        def label(text):
            return "spam" if np is None else None
        """,
    "printing": """
        def label(text):
            print("debug", text, file=None)
            return "spam"
        """,
    "caches": """
        from functools import cache, lru_cache, wraps

        def loud(f):
            @wraps(f)
            def inner(*args):
                return f(*args)
            return inner

        @lru_cache(maxsize=None)
        def score(word):
            return word == "prize"

        @loud
        def label(text):
            return "spam" if any(map(score, text.split())) else None
        """,
    "global state": """
        count = 0
        cache = {}

        def label(text):
            global count
            count += 1
            cache[text] = count
            return "spam" if count else None
        """,
    "function attributes": """
        def label(text):
            label.calls = getattr(label, "calls", 0) + 1
            return "spam"
        """,
    "type checks": """
        def label(text):
            assert type(text) is str and type(text).__name__ == "str"
            assert text.__class__ == str and isinstance(text, (str, type(None)))
            assert hasattr(text, "lower") and getattr(text, "nothing", 1) == 1
            return "spam"
        """,
    "parameter called input": """
        def label(input):
            return "spam" if "prize" in input else None
        """,
    "walrus and comprehensions": """
        def label(text):
            if (n := len([w for w in text.split() if w.isalpha()])) > 1:
                return {True: "spam"}.get(n > 1)
        """,
    "loops with else, del, with star": """
        def label(text):
            first, *rest = text.split()
            words = [*rest, first]
            del words[0]
            for w in words:
                if w == "none":
                    break
            else:
                return "spam"
            while words:
                words.pop()
        """,
    "context managers": """
        class Quiet:
            def __enter__(self):
                return self

            def __exit__(self, kind, error, traceback):
                return True

        def label(text):
            with Quiet():
                raise ValueError
            return "spam"
        """,
    "long elif chain": "def label(text):\n    if text == 'a': return None\n"
    + "".join(f"    elif text == '{i}': return None\n" for i in range(100))
    + "    return 'spam'\n",
    "hints that are not imported": """
        def label(text: Optional[str], /) -> List[Missing]:
            found: Unknown = "spam"
            return found
        """,
    "sorting and text tools": """
        import difflib, heapq, textwrap

        def label(text):
            close = difflib.get_close_matches("prise", text.split())
            top = heapq.nlargest(2, text.split(), key=len)
            ratio = difflib.SequenceMatcher(None, "prize", "prise").ratio()
            return "spam" if close and top and ratio > 0.5 else None
        """,
    "recursion": """
        def depth(n):
            return 0 if n == 0 else 1 + depth(n - 1)

        def label(text):
            return "spam" if depth(300) == 300 else None
        """,
    "keyword loops": r"""
        import re
        TERMS = {"spam": ["prize", "free money"], "ham": ["lunch", "see you"]}

        def label(text):
            scores = {}
            for name, terms in TERMS.items():
                pattern = [r"\b" + re.escape(term) + r"\b" for term in terms]
                scores[name] = sum(len(re.findall(p, text.lower())) for p in pattern)
            best = max(scores, key=scores.get)
            return best if scores[best] > 0 else None
        """,
    "every function of re": r"""
        import re

        def label(text):
            assert re.match("a", text) and re.fullmatch(".*", text)
            assert re.split(r"\s+", text)[1] == "prize"
            assert re.sub("prize", r"<\g<0>>", text) == "a <prize> for the winner"
            assert re.subn("z", "s", text) == ("a prise for the winner", 1)
            assert [m.start() for m in re.finditer(r"\bp", text)] == [2]
            m = re.search(r"(?P<what>pri\w+)", text)
            assert m["what"] == m.group("what") == m.groupdict()["what"] == "prize"
            assert m.span() == (2, 7) and m.string == text and m.re.groups == 1
            try:
                re.compile("(")
            except re.error:
                return "spam"
        """,
    "patterns as objects": r"""
        import re
        from re import Pattern, compile as rx, IGNORECASE
        WORDS: Pattern = rx(r"[a-z]+", IGNORECASE)

        def label(text):
            assert isinstance(WORDS, Pattern) and WORDS.pattern == "[a-z]+"
            assert WORDS.flags & re.IGNORECASE and not WORDS.groups
            assert WORDS == re.compile("[a-z]+", re.I) and {WORDS: 1}[WORDS]
            assert WORDS.sub("", text, count=1) == " prize for the winner"
            return "spam" if len(WORDS.findall(text, 2)) == 4 else None
        """,
    "verbose patterns": r"""
        import re
        PRIZE = re.compile(
            r" \b (?P<thing> prize | reward )  # what"
            "\n"
            r" \s+ for",
            re.X | re.I,
        )

        def label(text):
            return "spam" if PRIZE.search(text) else None
        """,
    "lookaround and backreferences": r"""
        import re

        def label(text):
            doubled = re.search(r"(\w)\1", text)
            ahead = re.search(r"(?<=a )prize(?! fight)", text)
            return "spam" if doubled and ahead else None
        """,
    "votes of helpers": """
        from collections import Counter

        def _length(text): return "spam" if len(text) > 5 else "ham"
        def _word(text): return "spam" if "prize" in text else None
        RULES = (_length, _word, lambda t: "ham" if "lunch" in t else None)

        def label(text):
            votes = Counter(v for v in (rule(text) for rule in RULES) if v)
            (winner, count), *rest = votes.most_common()
            return winner if not rest or count > rest[0][1] else None
        """,
    "scores and thresholds": """
        import math

        WEIGHTS = dict(prize=2.0, winner=1.5, lunch=-2.0)

        def sigmoid(x: float) -> float:
            return 1 / (1 + math.exp(-x))

        def label(text):
            score = sum(WEIGHTS.get(w, 0.0) for w in text.split())
            p = sigmoid(score)
            return "spam" if p > 0.9 else "ham" if p < 0.1 else None
        """,
    "n-grams": """
        def ngrams(tokens, n):
            return zip(*(tokens[i:] for i in range(n)))

        def label(text):
            pairs = {" ".join(pair) for pair in ngrams(text.split(), 2)}
            return "spam" if pairs & {"a prize", "the winner"} else None
        """,
    "normalising": """
        import unicodedata
        from html import unescape
        from urllib.parse import urlparse

        def clean(text):
            text = unicodedata.normalize("NFKD", unescape(text))
            return "".join(c for c in text if not unicodedata.combining(c)).casefold()

        def label(text):
            assert urlparse("http://a.org/b?c=d").netloc == "a.org"
            return "spam" if clean("Pr&iacute;ze") in clean(text) else None
        """,
    "translation tables": """
        import string
        TABLE = str.maketrans("", "", string.punctuation)

        def label(text):
            words = text.translate(TABLE).lower().split()
            return "spam" if words.count("prize") == 1 else None
        """,
    "statistics of words": """
        from statistics import mean, median, pstdev

        def label(text):
            sizes = [len(word) for word in text.split()]
            assert min(sizes) == 1 and median(sizes) == 3 and pstdev(sizes) > 0
            return "spam" if mean(sizes) > 3 else None
        """,
    "fuzzy words": """
        from difflib import SequenceMatcher, get_close_matches

        def label(text):
            near = get_close_matches("prise", text.split(), n=1, cutoff=0.7)
            ratio = SequenceMatcher(None, "winer", "winner").ratio()
            return "spam" if near == ["prize"] and ratio > 0.9 else None
        """,
    "a state machine": """
        NEXT = {("start", "a"): "article", ("article", "prize"): "won"}

        def label(text):
            state = "start"
            for word in text.split():
                state = NEXT.get((state, word), state)
            return {"won": "spam"}.get(state)
        """,
    "a while loop over positions": """
        def label(text):
            count = start = 0
            while (start := text.find("i", start)) != -1:
                count += 1
                start += 1
            return "spam" if count == 2 else None
        """,
    "dates": """
        from datetime import date, datetime, timedelta

        def label(text):
            day = date.fromisoformat("2024-02-28") + timedelta(days=2)
            assert day.isoformat() == "2024-03-01" and day.strftime("%A") == "Friday"
            assert datetime.strptime("3 Mar 2024", "%d %b %Y").month == 3
            return "spam" if day > date(2024, 2, 29) else None
        """,
    "json inside a text": """
        import json

        def label(text):
            try:
                json.loads(text)
            except (json.JSONDecodeError, ValueError) as error:
                assert str(error)
            data = json.loads('{"a": [1, 2.5, null, true], "b": {"c": "prize"}}')
            return "spam" if data["b"]["c"] in text else None
        """,
    "heaps and bisection": """
        import heapq
        from bisect import bisect_left

        def label(text):
            longest = heapq.nlargest(2, text.split(), key=len)
            grades = "ABCDE"[bisect_left([10, 20, 30, 40], len(text))]
            return "spam" if longest == ["winner", "prize"] and grades == "C" else None
        """,
    "iterators": """
        from itertools import chain, count, groupby, islice, takewhile, zip_longest

        def label(text):
            runs = {k: len(list(g)) for k, g in groupby(text)}
            assert list(islice(count(3), 2)) == [3, 4]
            assert [*zip_longest("ab", "c")] == [("a", "c"), ("b", None)]
            head = "".join(takewhile(str.isalpha, text[2:]))
            return "spam" if head == "prize" and runs["n"] == 2 and chain() else None
        """,
    "sets of frozen sets": """
        GROUPS = {frozenset({"prize", "winner"}): "spam", frozenset({"lunch"}): "ham"}

        def label(text):
            words = set(text.split())
            return next((v for k, v in GROUPS.items() if k <= words), None)
        """,
    "named tuples and sorting": """
        from collections import namedtuple, defaultdict, OrderedDict, deque
        Rule = namedtuple("Rule", "word label weight", defaults=[1.0])
        RULES = [Rule("prize", "spam", 2.0), Rule("the", "ham"), Rule("lunch", "ham")]

        def label(text):
            totals = defaultdict(float)
            for rule in sorted(RULES, key=lambda r: (-r.weight, r.word)):
                if rule.word in text:
                    totals[rule.label] += rule.weight
            last = deque(OrderedDict(sorted(totals.items(), key=lambda kv: kv[1])), 1)
            return last.pop() if last else None
        """,
    "guards for types": """
        def label(text):
            if not isinstance(text, str) or not text.strip():
                return None
            try:
                value = float(text)
            except (TypeError, ValueError):
                value = None
            finally:
                done = True
            return "spam" if value is None and done else "ham"
        """,
    "partial functions": """
        from functools import partial, reduce, lru_cache
        import operator

        @lru_cache(maxsize=None)
        def contains(word, text):
            return word in text

        def label(text):
            checks = map(partial(contains, text=text), ("prize", "winner"))
            return "spam" if reduce(operator.and_, checks, True) else None
        """,
    "emoji and scripts": """
        def label(text):
            emoji = sum(0x1F300 <= ord(c) <= 0x1FAFF for c in text + chr(0x1F600))
            latin = all(ord(c) < 128 for c in text)
            return "spam" if emoji == 1 and latin and text.isascii() else None
        """,
}


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST.keys())
def test_honest_programs_run(make, source):
    program = make(source)
    check_program(program)
    result = run_programs(
        [program], {"text": ["a prize for the winner"]}, ["ham", "spam"]
    )
    assert result.first_errors == (None,)
    assert result.votes.tolist() == [[1]]


def test_the_corpus_is_large():
    assert len(HONEST) >= 40
