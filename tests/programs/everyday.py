"""Programs in everyday style, written without sight of what is checked."""

PROGRAMS = {}
PROGRAMS["dataclass_rules"] = """
from dataclasses import dataclass, field
from typing import List
import re

@dataclass
class Rule:
    name: str
    pattern: str
    weight: float = 1.0
    tags: List[str] = field(default_factory=list)

    def score(self, text: str) -> float:
        return self.weight * len(re.findall(self.pattern, text, re.IGNORECASE))

RULES = [Rule("money", r"\\$\\d+|cash|money", 2.0, ["spam"]), Rule("win", r"\\bwin(ner)?\\b", 1.5), Rule("meet", r"meeting|agenda", -2.0)]

def label(text):
    total = sum(rule.score(text) for rule in RULES)
    if total > 1: return "spam"
    if total < 0: return "ham"
    return None
"""
PROGRAMS["enum_votes"] = """
from enum import Enum
from collections import Counter
class Vote(Enum):
    SPAM = "spam"
    HAM = "ham"
    ABSTAIN = None
def label(text):
    votes = Counter()
    for word in text.lower().split():
        word = word.strip(".,!?:;'\\"()")
        if word in {"free", "winner", "prize", "cash"}:
            votes[Vote.SPAM] += 1
        elif word in {"meeting", "tomorrow", "lunch", "thanks"}:
            votes[Vote.HAM] += 1
    if not votes:
        return Vote.ABSTAIN.value
    return votes.most_common(1)[0][0].value
"""
PROGRAMS["itertools_bigrams"] = """
from itertools import tee, islice, chain
import re
def pairwise_words(words):
    a, b = tee(words)
    return zip(a, islice(b, 1, None))
SPAMMY = {("click", "here"), ("free", "money"), ("act", "now"), ("prize", "now")}
def label(text):
    words = re.findall(r"\\w+", text.lower())
    hits = [p for p in pairwise_words(words) if p in SPAMMY]
    flat = list(chain.from_iterable(hits))
    return "spam" if flat else "ham" if len(words) > 4 else None
"""
PROGRAMS["difflib_close"] = """
import difflib
WORDS = ["congratulations", "winner", "viagra", "lottery"]
def label(text):
    for token in text.lower().split():
        if difflib.get_close_matches(token, WORDS, n=1, cutoff=0.8):
            return "spam"
    ratio = difflib.SequenceMatcher(None, text.lower(), "see you at the meeting").ratio()
    if ratio > 0.6:
        return "ham"
"""
PROGRAMS["statistics_len"] = """
import statistics
def label(text):
    lengths = [len(w) for w in text.split()]
    if len(lengths) < 2:
        return None
    mean = statistics.mean(lengths)
    sd = statistics.stdev(lengths)
    return "spam" if sd > 3 and mean > 4 else "ham"
"""
PROGRAMS["datetime_parse"] = """
from datetime import datetime, timedelta
import re
def label(text):
    m = re.search(r"(\\d{4})-(\\d{2})-(\\d{2})", text)
    if not m:
        return None
    try:
        when = datetime.strptime(m.group(0), "%Y-%m-%d")
    except ValueError:
        return "spam"
    if when + timedelta(days=30) < datetime(2024, 1, 1):
        return "spam"
    return "ham" if when.weekday() < 5 else None
"""
PROGRAMS["closures"] = """
import re
def make_matcher(words):
    regex = re.compile(r"\\b(?:" + "|".join(map(re.escape, words)) + r")\\b", re.I)
    def matcher(text):
        return len(regex.findall(text))
    return matcher
spam = make_matcher(["free", "win", "cash", "100%"])
ham = make_matcher(["lunch", "dear", "meeting"])
def label(text):
    s, h = spam(text), ham(text)
    return "spam" if s > h else "ham" if h > s else None
"""
PROGRAMS["textwrap_unicodedata"] = """
import textwrap, unicodedata
def normalize(s):
    s = unicodedata.normalize("NFKD", s)
    return "".join(c for c in s if not unicodedata.combining(c)).lower()
def label(text):
    short = textwrap.shorten(normalize(text), width=60, placeholder="...")
    return "spam" if "gratis" in short or "free" in short else None
"""
PROGRAMS["json_or_text"] = """
import json
def label(text):
    try:
        data = json.loads(text)
    except (ValueError, TypeError):
        return "ham" if text.strip() else None
    if isinstance(data, dict) and data.get("type", "").lower() == "ad":
        return "spam"
    return None
"""
PROGRAMS["contextlib_suppress"] = """
from contextlib import suppress, contextmanager
@contextmanager
def scoring():
    box = {"score": 0}
    yield box
    box["score"] = max(box["score"], -5)
def label(text):
    with scoring() as box:
        with suppress(ValueError, IndexError):
            box["score"] += int(text.split("$")[1].split()[0])
    return "spam" if box["score"] > 50 else None
"""
PROGRAMS["logging_print"] = """
import logging
logger = logging.getLogger(__name__)
logging.basicConfig(level=logging.INFO, format="%(message)s")
def label(text):
    logger.debug("looking at %s", text[:20])
    if "!" in text:
        print("shouting:", text, sep=" ", end="\\n")
        logger.info("found it")
        return "spam"
    logger.warning("nothing")
    return None
"""
PROGRAMS["hash_bucket"] = """
import hashlib
def label(text):
    digest = hashlib.md5(text.strip().lower().encode("utf-8")).hexdigest()
    known = {hashlib.md5(b"free money now").hexdigest()}
    if digest in known:
        return "spam"
    return "ham" if int(digest[:2], 16) < 64 else None
"""
PROGRAMS["main_block"] = '''
import sys, os
import re
def label(text):
    """Label."""
    return "spam" if re.search(r"https?://", text) else "ham"
if __name__ == "__main__":
    for line in sys.stdin:
        print(label(line), os.getcwd())
'''
PROGRAMS["protocol"] = """
from typing import Protocol, Optional, runtime_checkable
@runtime_checkable
class Scorer(Protocol):
    def score(self, text: str) -> float: ...
class Length:
    def score(self, text: str) -> float:
        return len(text) / 10
class Exclaim:
    def score(self, text: str) -> float:
        return text.count("!") * 2.5
SCORERS: list[Scorer] = [Length(), Exclaim()]
def label(text: str) -> Optional[str]:
    total = sum(s.score(text) for s in SCORERS)
    if total > 6: return "spam"
    return "ham" if total < 3 else None
"""
PROGRAMS["cached_property"] = """
from functools import cached_property, lru_cache
class Doc:
    def __init__(self, text):
        self.text = text
    @cached_property
    def tokens(self):
        return self.text.lower().split()
    @property
    def n(self): return len(self.tokens)
    def __len__(self): return self.n
    def __contains__(self, w): return w in self.tokens
@lru_cache(maxsize=None)
def weight(word): return 2 if word.startswith("pri") else 1
def label(text):
    doc = Doc(text)
    if "prize" in doc or "free" in doc:
        return "spam"
    if len(doc) and sum(weight(t) for t in doc.tokens) > 8:
        return "ham"
"""
PROGRAMS["namedtuple_table"] = """
from collections import namedtuple, defaultdict, OrderedDict
Pattern = namedtuple("Pattern", "regex label weight")
import re
TABLE = [Pattern(re.compile(r"free|win", re.I), "spam", 2), Pattern(re.compile(r"lunch|meet", re.I), "ham", 1)]
def label(text):
    scores = defaultdict(float)
    for p in TABLE:
        scores[p.label] += p.weight * len(p.regex.findall(text))
    ranked = OrderedDict(sorted(scores.items(), key=lambda kv: -kv[1]))
    best, score = next(iter(ranked.items()))
    return best if score else None
"""
PROGRAMS["abc_strategy"] = """
from abc import ABC, abstractmethod
class Heuristic(ABC):
    @abstractmethod
    def __call__(self, text): ...
    def __repr__(self): return f"<{type(self).__name__}>"
class Caps(Heuristic):
    def __call__(self, text):
        letters = [c for c in text if c.isalpha()]
        return bool(letters) and sum(map(str.isupper, letters)) / len(letters) > 0.5
class Digits(Heuristic):
    def __call__(self, text): return sum(c.isdigit() for c in text) > 3
ALL = [Caps(), Digits()]
def label(text):
    return "spam" if any(h(text) for h in ALL) else None
"""
PROGRAMS["match_stmt"] = """
def label(text):
    words = text.lower().split()
    match words:
        case []: return None
        case ["free", *rest]: return "spam"
        case [first, *_, last] if first == last: return "spam"
        case [only]: return None
        case _: return "ham"
"""
PROGRAMS["walrus_groups"] = """
import re
PHONE = re.compile(r"(?P<area>\\d{3})[-. ]?(?P<num>\\d{4})")
def label(text):
    if (m := PHONE.search(text)) and m["area"] != "555":
        return "spam"
    elif m is not None and m.groupdict()["num"] == "0000":
        return "ham"
"""
PROGRAMS["random_tie"] = """
import random
random.seed(42)
def label(text):
    s = sum(w in text.lower() for w in ("win", "free", "cash"))
    h = sum(w in text.lower() for w in ("meet", "lunch", "agenda"))
    if s == h:
        random.shuffle([1, 2])
        return None
    return "spam" if s > h else "ham"
"""
PROGRAMS["decimal_money"] = """
from decimal import Decimal, InvalidOperation
import re
def label(text):
    total = Decimal("0")
    for raw in re.findall(r"\\$\\s?([\\d,]+(?:\\.\\d{2})?)", text):
        try:
            total += Decimal(raw.replace(",", ""))
        except InvalidOperation:
            continue
    return "spam" if total >= Decimal("100.00") else None
"""
PROGRAMS["string_module"] = """
import string
TABLE = str.maketrans("", "", string.punctuation)
def label(text):
    words = text.translate(TABLE).lower().split()
    title = string.capwords(" ".join(words[:3]))
    if title.startswith("Free") or title.endswith("Now"):
        return "spam"
    return "ham" if all(w.isalpha() for w in words) and words else None
"""
PROGRAMS["try_finally"] = """
def label(text):
    state = []
    try:
        state.append(text[10])
        return "ham" if state[0] == " " else None
    except IndexError as e:
        state.append(str(e))
        return "spam" if "!" in text else None
    finally:
        state.clear()
"""
PROGRAMS["generator_sentences"] = """
import re
def sentences(text):
    for part in re.split(r"(?<=[.!?])\\s+", text.strip()):
        if part:
            yield part
def label(text):
    scored = [(i, s.count("!") - s.count("?")) for i, s in enumerate(sentences(text))]
    if not scored: return None
    i, best = max(scored, key=lambda t: (t[1], -t[0]))
    return "spam" if best > 0 else "ham" if best < 0 else None
"""
PROGRAMS["heapq_top"] = """
import heapq
from collections import Counter
STOP = frozenset("the a an of to and in is it you i".split())
def label(text):
    counts = Counter(w for w in text.lower().split() if w not in STOP)
    top = heapq.nlargest(3, counts.items(), key=lambda kv: (kv[1], kv[0]))
    names = {w for w, _ in top}
    return "spam" if names & {"free", "win", "prize", "click"} else None
"""
PROGRAMS["bisect_thresholds"] = """
from bisect import bisect_right
CUTS = [10, 30, 60]
NAMES = [None, "ham", "spam", "ham"]
def label(text): return NAMES[bisect_right(CUTS, len(text))]
"""
PROGRAMS["html_url"] = """
import html
from urllib.parse import urlparse, parse_qs
import re
def label(text):
    for url in re.findall(r"https?://\\S+", html.unescape(text)):
        parts = urlparse(url)
        if parts.netloc.endswith((".ru", ".biz")) or "ref" in parse_qs(parts.query):
            return "spam"
        return "ham"
"""
PROGRAMS["csv_line"] = """
import csv, io
def label(text):
    rows = list(csv.reader(io.StringIO(text)))
    if rows and len(rows[0]) > 2:
        return "spam"
    return None
"""
PROGRAMS["operator_reduce"] = """
from functools import reduce, partial
import operator
contains = lambda w, t: w in t
CHECKS = [partial(contains, w) for w in ("free", "win", "now")]
def label(text):
    t = text.casefold()
    n = reduce(operator.add, (int(c(t)) for c in CHECKS), 0)
    return {0: None, 1: "ham"}.get(n, "spam")
"""
PROGRAMS["math_entropy"] = """
import math
from collections import Counter
def entropy(s):
    n = len(s)
    return -sum(c / n * math.log2(c / n) for c in Counter(s).values()) if n else 0.0
def label(text):
    e = entropy(text)
    if e > 4.0: return "spam"
    if 0 < e < 3.2: return "ham"
"""
PROGRAMS["state_machine"] = """
from enum import auto, IntEnum
class S(IntEnum):
    START = auto(); HOT = auto(); SPAM = auto()
def label(text):
    state = S.START
    for token in text.lower().split():
        if state is S.START and token in ("free", "win"): state = S.HOT
        elif state == S.HOT and token.strip("!") in ("now", "money", "prize"): state = S.SPAM
    return "spam" if state >= S.SPAM else None if state == S.START else "ham"
"""
PROGRAMS["global_counter"] = """
import re
_SPAM = "free win cash prize click".split()
def _count(text, vocab):
    tokens = re.findall("[a-z]+", text.lower())
    return sum(tokens.count(v) for v in vocab)
def label(text, threshold=2, **kwargs):
    n = _count(text, _SPAM)
    if n >= threshold: return "spam"
    return None
"""
PROGRAMS["typed_dict"] = """
from typing import TypedDict, Dict, List, Tuple, Union, Any, Callable, Final, Literal
class Entry(TypedDict):
    word: str
    weight: int
Label = Literal["spam", "ham"]
LEXICON: Final[List[Entry]] = [{"word": "free", "weight": 2}, {"word": "lunch", "weight": -2}]
def label(text: str) -> Union[Label, None]:
    score: int = 0
    for e in LEXICON:
        score += e["weight"] * text.lower().count(e["word"])
    return "spam" if score > 0 else "ham" if score < 0 else None
"""
PROGRAMS["class_api"] = """
import re
class SpamDetector:
    THRESHOLD = 2
    _patterns = [r"\\bfree\\b", r"\\bwin", r"!{2,}", r"\\$"]
    def __init__(self):
        self.compiled = [re.compile(p, re.I) for p in self._patterns]
    @staticmethod
    def clean(t): return re.sub(r"\\s+", " ", t).strip()
    @classmethod
    def default(cls): return cls()
    def predict(self, text):
        text = self.clean(text)
        return sum(1 for p in self.compiled if p.search(text)) >= self.THRESHOLD
detector = SpamDetector.default()
def label(text):
    return "spam" if detector.predict(text) else None
"""
PROGRAMS["zip_weights"] = """
words = ["free", "win", "lunch", "meeting"]
weights = [1.5, 1.0, -1.0, -2.0]
lexicon = dict(zip(words, weights))
def label(text):
    toks = [t.strip(".,!?") for t in text.lower().split()]
    s = sum(lexicon.get(t, 0.0) for t in toks)
    return "spam" if s > 0.5 else "ham" if s < -0.5 else None
"""
PROGRAMS["format_build"] = """
import re
TEMPLATE = r"\\b{}\\b"
def label(text):
    for w, lab in {"free": "spam", "lunch": "ham", "prize": "spam"}.items():
        if re.search(TEMPLATE.format(re.escape(w)), text, flags=re.I | re.M):
            return lab
    return None
"""
PROGRAMS["set_ops"] = """
def tokenize(t): return set(t.lower().replace(",", " ").replace(".", " ").replace("!", " ").split())
A = {"free", "win", "prize"}; B = {"lunch", "meeting", "agenda"}
def label(text):
    t = tokenize(text)
    a, b = len(t & A) / (len(t | A) or 1), len(t & B) / (len(t | B) or 1)
    if a == b == 0: return None
    return "spam" if a >= b else "ham"
"""
PROGRAMS["nested_functions"] = """
def label(text):
    def has(*ws): return any(w in low for w in ws)
    def score():
        nonlocal total
        if has("free", "gratis"): total += 2
        if has("meeting"): total -= 2
        return total
    low, total = text.lower(), 0
    return "spam" if score() > 0 else "ham" if total < 0 else None
"""
PROGRAMS["fractions_ratio"] = """
from fractions import Fraction
def label(text):
    if not text: return None
    r = Fraction(sum(c.isupper() for c in text), len(text))
    return "spam" if r > Fraction(1, 4) else "ham" if r < Fraction(1, 40) else None
"""
PROGRAMS["deque_window"] = """
from collections import deque
def label(text):
    window = deque(maxlen=3)
    for w in text.lower().split():
        window.append(w.strip("!.,"))
        if "free" in window and ("now" in window or "money" in window):
            return "spam"
    return "ham" if len(window) == 3 else None
"""
PROGRAMS["regex_verbose"] = '''
import re
RX = re.compile(r"""
    (?P<cur>[$€£])\\s*   # currency
    (?P<amt>\\d+(?:[.,]\\d+)*)
""", re.VERBOSE)
def label(text):
    amounts = [float(m.group("amt").replace(",", "")) for m in RX.finditer(text)]
    return "spam" if amounts and max(amounts) > 99 else None
'''
PROGRAMS["copy_defaults"] = """
import copy
BASE = {"spam": 0, "ham": 0}
def label(text):
    s = copy.deepcopy(BASE)
    s["spam"] += text.count("!")
    s["ham"] += text.count(".")
    top = max(s, key=s.get)
    return top if s[top] else None
"""
PROGRAMS["assert_raise"] = """
class TooShort(Exception):
    def __init__(self, n): super().__init__(f"only {n}"); self.n = n
def check(text):
    if len(text) < 5: raise TooShort(len(text))
    return text
def label(text):
    try: t = check(text)
    except TooShort as err: return None if err.n else "ham"
    assert isinstance(t, str), "text"
    return "spam" if t.isupper() else "ham"
"""
PROGRAMS["while_scan"] = """
def label(text):
    i = n = 0
    while (i := text.find("!", i)) != -1:
        n += 1; i += 1
    else:
        n += 0
    return "spam" if n > 1 else None
"""
PROGRAMS["sorted_rank"] = """
CLASSES = {"spam": ["free", "win"], "ham": ["lunch", "meeting"]}
def label(text):
    low = text.lower()
    ranked = sorted(((sum(low.count(k) for k in ks), c) for c, ks in CLASSES.items()), reverse=True)
    (top, name), (second, _) = ranked[0], ranked[1]
    return name if top > second else None
"""
PROGRAMS["warnings_time"] = """
import warnings, time
def label(text):
    t0 = time.perf_counter()
    if len(text) > 40: warnings.warn("long text")
    elapsed = time.perf_counter() - t0
    return "spam" if "free" in text.lower() and elapsed >= 0 else None
"""
PROGRAMS["star_import"] = """
from re import *
from math import *
def label(text):
    return "spam" if search(r"\\bfree\\b", text, IGNORECASE) and floor(2.5) == 2 else None
"""
PROGRAMS["pandas_unused"] = """
import numpy as np
import pandas as pd
import re
def label(text):
    return "spam" if re.search("free|win", text.lower()) else None
"""
PROGRAMS["multi_functions"] = """
def preprocess(t): return t.lower().strip()
def rule_a(t): return "spam" if "free" in t else None
def rule_b(t): return "ham" if "lunch" in t else None
def label_text(text):
    t = preprocess(text)
    for rule in (rule_a, rule_b):
        r = rule(t)
        if r is not None: return r
"""
PROGRAMS["bool_mask"] = """
def label(text):
    flags = [text.endswith("!"), text.isupper(), "free" in text.lower(), any(ch.isdigit() for ch in text)]
    bits = sum(1 << i for i, f in enumerate(flags) if f)
    return "spam" if bits & 0b0101 else "ham" if bits == 0 else None
"""
PROGRAMS["str_methods"] = """
def label(text):
    head, sep, tail = text.partition(":")
    if sep and head.strip().title() in ("Subject", "Re"): return "ham"
    if text.swapcase().startswith("free".upper()) or text.removeprefix("WIN").lstrip() != text.lstrip(): return "spam"
    return None if text.expandtabs().splitlines()[:1] == [] else ("ham" if text.zfill(3)[0] == "0" else None)
"""
PROGRAMS["slots_eq"] = """
class Token:
    __slots__ = ("text", "pos")
    def __init__(self, text, pos): self.text, self.pos = text, pos
    def __eq__(self, other): return isinstance(other, Token) and self.text == other.text
    def __hash__(self): return hash(self.text)
    def __lt__(self, other): return self.pos < other.pos
def label(text):
    toks = [Token(w, i) for i, w in enumerate(text.lower().split())]
    return "spam" if len(set(toks)) < len(toks) else "ham" if toks and min(toks).text == "see" else None
"""
PROGRAMS["frozen_dc"] = """
from dataclasses import dataclass, asdict, replace
@dataclass(frozen=True, order=True)
class Score:
    value: float
    label: str = "ham"
    def boosted(self, by): return replace(self, value=self.value + by)
def label(text):
    scores = [Score(text.count("!"), "spam").boosted(0.5), Score(text.count("."))]
    best = max(scores)
    return asdict(best)["label"] if best.value >= 1 else None
"""
PROGRAMS["iterclass"] = """
class Words:
    def __init__(self, t): self.t = t
    def __iter__(self): yield from self.t.lower().split()
    def __getitem__(self, i): return list(self)[i]
def label(text):
    w = Words(text)
    try: return "spam" if w[0] in ("free", "win") else ("ham" if "lunch" in w else None)
    except IndexError: return None
"""
PROGRAMS["scores_dict"] = """
def label(text):
    low = text.lower()
    scores = {"spam": 0.0, "ham": 0.0}
    for k in ("free", "win", "prize"): scores["spam"] += low.count(k)
    for k in ("lunch", "meeting"): scores["ham"] += low.count(k)
    total = sum(scores.values())
    return max(scores, key=scores.get) if total else None
"""
PROGRAMS["negation_window"] = """
import re
NEG = {"not", "no", "never"}
GOOD = {"good", "great", "love"}
def label(text):
    toks = re.findall(r"[a-z']+", text.lower())
    score = 0
    for i, t in enumerate(toks):
        if t in GOOD:
            score += -1 if any(n in NEG for n in toks[max(0, i-2):i]) else 1
    return "ham" if score > 0 else "spam" if score < 0 else None
"""
PROGRAMS["singledispatch_types"] = """
def label(text):
    if isinstance(text, (int, float)): return None
    if type(text).__name__ != "str": return None
    kind = text.__class__
    return "spam" if kind is str and text.count("free") else None
"""
PROGRAMS["doc_all"] = '''
"""Spam heuristics."""
__all__ = ["label"]
__version__ = "1.0"
from typing import Optional
DEBUG = False
def label(text: str) -> Optional[str]:
    """Return label."""
    if DEBUG: print(__version__)
    return "spam" if text.lower().startswith(("free", "win")) else None
'''
PROGRAMS["exec_free_calc"] = """
import ast
def label(text):
    try: value = ast.literal_eval(text)
    except (ValueError, SyntaxError): return None
    return "spam" if isinstance(value, (int, float)) and value > 10 else "ham"
"""
PROGRAMS["translate_leet"] = """
LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "$": "s", "@": "a"})
def label(text):
    t = text.lower().translate(LEET)
    return "spam" if any(w in t for w in ("free", "prize", "cash")) else None
"""
