"""Loops that are given only what a text may hold do what the full loops do."""

import ast
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sklearn_alchemist.programs import _literal_scan, _loop_filter
from sklearn_alchemist.programs._guard import guard
from sklearn_alchemist.programs._loop_rewrite import PASSING, RELEVANT
from sklearn_alchemist.programs._safe_modules import build_safe_modules
from sklearn_alchemist.programs._worker import Worker

TOP = """
import re
from collections import Counter, defaultdict
WORDS = {words!r}
WEIGHTS = {weights!r}
NEGATIONS = frozenset(["not", "a"])
RULES = [re.compile(r"\\b" + re.escape(w)) for w in WORDS]
"""
BODIES = [
    """
    n = 0
    for w in WORDS:
        n += len(re.findall(r"\\b" + re.escape(w) + r"\\b", text))
    return n, w
    """,
    """
    n = 0
    for w, k in WEIGHTS.items():
        pattern = rf"\\b{re.escape(w)}s?\\b"
        found = len(re.findall(pattern, text, re.I))
        n += k * min(found, 3)
    return n, type(n), found, pattern, w
    """,
    """
    scores = defaultdict(int)
    for w in WORDS:
        scores["all"] += text.count(w)
        if w in text:
            scores[w] += 1
    return dict(scores)
    """,
    """
    found = []
    for w in WORDS:
        if not re.search(w, text):
            continue
        if len(found) > 2:
            break
        found.append(w)
    return found
    """,
    """
    last = None
    for w in WORDS:
        if w in text:
            last = (w, last)
        else:
            last = None
    return last
    """,
    """
    seen, n = 0, 0
    for w in WORDS:
        if re.search(w, text):
            n += seen
            continue
        seen = 1
    return n, seen
    """,
    """
    n = 0
    for w in WORDS:
        rule = re.compile(r"\\b" + re.escape(w))
        n += len(rule.findall(text)) + 2 * min(len(rule.findall(text[:9])), 1)
    return n
    """,
    """
    head, n = text[:9], 0.0
    for w, k in WEIGHTS.items():
        rule = re.compile(r"\\b" + re.escape(w))
        m = len(rule.findall(text))
        if m:
            n += k * m
            if rule.search(head):
                n += k
    return n
    """,
    "return [p.pattern for p in RULES if p.search(text)]",
    "return sum(1 for w in WORDS if re.search(r'\\b' + re.escape(w), text))",
    "return sum(len(re.findall(re.escape(w), text)) for w in WORDS)",
    "return any(re.search(w, text) for w in WORDS)",
    "return {w: text.count(w) for w in WORDS if w in text}",
    "return [w for w in WORDS if w in text] + [len(w) for w in WORDS if not w in text]",
    "return sum(k * text.count(w) for w, k in WEIGHTS.items())",
    "return max((len(re.findall(w, text)) for w in WORDS), default=0)",
    "words = set(text.split()); return [w for w in WORDS if w in words]",
    """
    rest = list(WORDS)
    for w in rest:
        if w in text:
            rest.remove(w)
    return rest
    """,
]
START = """
    good = {"win", "prize", "free"}
    bad = {"art", "i"}
    often = 20 if text.startswith("win") else 1
    tokens = re.findall(r"[a-z]+", (text.lower() + " ") * often)
"""
OF_WORDS = [
    """
    score = 0
    for i, t in enumerate(tokens):
        negated = any(n in NEGATIONS for n in tokens[max(0, i - 2):i])
        if t in good:
            score += -1 if negated else 1
        elif t in bad:
            score -= 1
    return score
    """,
    """
    counts = Counter(tokens)
    stems = {"x": [("wi", 2), ("ar", 1)], "y": [("pr", 3)]}
    scores = {label: 0 for label in stems}
    for token, n in counts.items():
        for label, pairs in stems.items():
            for stem, weight in pairs:
                if token.startswith(stem):
                    scores[label] += weight * n
                    break
    return scores
    """,
    """
    score = []
    for t in tokens:
        value = (t in good) - (t in bad)
        if not value:
            continue
        score.append((t, value))
    return score, t
    """,
    """
    total = 0
    for t in tokens:
        total += WEIGHTS.get(t, 0)
    return total, type(total)
    """,
    """
    n = 0
    for t in tokens:
        if t in good:
            n += 1
    return n, t
    """,
    """
    total = None
    for t in tokens:
        if t in good:
            total = 1
        total += 0
    return total
    """,
    """
    for t in tokens:
        if t in good:
            good.discard(t)
    return sorted(good)
    """,
    """
    seen = 0
    for t in tokens:
        late = missing[t]
        if t in good:
            seen += 1
    return seen
    """,
    """
    found = []
    for t in tokens:
        if "in" in t:
            found.append(t)
            tokens.append("x") if len(tokens) < 9 else None
    return found
    """,
]
words = st.sampled_from(
    [
        "win",
        "art",
        "party",
        "prize",
        "free money",
        "a",
        "",
        "K",
        "i",
        "s+",
        "w.n",
        "\u017f",
    ]
)
texts = st.one_of(
    st.text("winartpyKi\u017fİ \ud800.-", max_size=30),
    st.lists(words, max_size=12).map(" ".join),
    st.lists(words, min_size=60, max_size=70).map(" ".join),
)
weights = st.sampled_from([1, 2, 0.5, -1, True, float("inf")])
FACADES = build_safe_modules()


def label_of(source):
    """Load a program into this process, as if it had run no other one."""
    _loop_filter._groups.clear()
    _loop_filter._known.clear()
    worker = Worker(FACADES)
    worker.load(source, "label")
    return worker.label


def outcome(function, text):
    try:
        return function(text)
    except (re.error, NameError, TypeError, ValueError) as error:
        return type(error)


@pytest.mark.slow
@pytest.mark.parametrize("body", [*BODIES, *OF_WORDS])
@settings(max_examples=max(20, settings.default.max_examples // 5))
@given(
    st.lists(words, max_size=9),
    st.dictionaries(words, weights, max_size=8),
    st.lists(texts, min_size=3, max_size=5),
)
@example(["win", "art", "party", "prize"], {"win": 1, "art": 2}, ["party", "x", "win"])
def test_votes_are_those_of_the_full_loop(body, words, weights, texts):
    top = TOP.format(words=words, weights=weights).replace("inf", "float('inf')")
    start = START if "tokens" in body else ""
    source = f"{top}\ndef label(text):\n{start}    {body.strip()}\n"
    plain = {}
    try:
        exec(source, plain)
    except re.error:
        return
    label = label_of(source)
    # Literals are looked for from the second text on.
    for text in texts * 2:
        expected = outcome(plain["label"], text)
        assert repr(outcome(label, text)) == repr(expected)


@pytest.mark.parametrize("body", OF_WORDS)
@pytest.mark.parametrize("text", ["x y " * 20, "win " * 20, "x " * 20 + "win"])
def test_loops_over_words_of_which_none_or_all_pass(body, text):
    top = TOP.format(words=["win"], weights={"win": 2})
    source = f"{top}\ndef label(text):\n{START}    {body.strip()}\n"
    plain, label = {}, label_of(source)
    exec(source, plain)
    for _ in range(2):
        expected = outcome(plain["label"], text)
        assert repr(outcome(label, text)) == repr(expected)


def is_narrowed(body, by=RELEVANT):
    start = START if "tokens" in body else ""
    head = (
        "import re\nfrom collections import Counter\nWORDS = []\nNEGATIONS = {'not'}\n"
    )
    source = (
        f"{head}WEIGHTS = {{'a': 1}}\ndef label(text):\n{start}    {body.strip()}\n"
    )
    return any(isinstance(n, ast.Name) and n.id == by for n in ast.walk(guard(source)))


def test_loops_are_narrowed_where_nothing_else_can_be_seen():
    narrowed = [is_narrowed(body) for body in BODIES]
    assert narrowed[:4] == [True] * 4
    assert narrowed[4:6] == [False] * 2
    assert all(narrowed[7:13])
    assert [is_narrowed(body, PASSING) for body in OF_WORDS] == [True] * 6 + [False] * 3


def test_texts_are_scanned_for_all_literals_in_one_pass():
    scan = _literal_scan.LiteralScan(folded=False)
    assert not scan.want(["party", "art"])
    assert scan.want(["party", "art"])
    assert scan["a party"] == {"party", "art"}
    assert scan["nothing"] == frozenset()
    assert scan["\ud800 art"] == {"art"}
    long = "é art" + " party" * 50
    assert scan[long] == {"party", "art"}
    assert scan.places_of(long, ("art",)) == [2, *range(7, 307, 6)]
    folded = _literal_scan.LiteralScan(folded=True)
    assert not folded.want(["win"])
    assert folded.want(["win"])
    assert folded["WIN"] == {"win"}
    assert folded["wİn"] is _literal_scan.ANYTHING
