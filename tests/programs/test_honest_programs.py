import pytest

from sklearn_alchemist.programs import check_program, run_programs

HONEST = {
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
