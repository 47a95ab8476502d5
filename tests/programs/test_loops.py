"""Loops that are given only what a text may hold do what the full loops do."""

import ast
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sklearn_alchemist.programs import _text_index
from sklearn_alchemist.programs._facades import build_facades
from sklearn_alchemist.programs._guard import guard
from sklearn_alchemist.programs._loops import LIVE
from sklearn_alchemist.programs._worker import Worker

TOP = """
import re
from collections import Counter, defaultdict
WORDS = {words!r}
WEIGHTS = {weights!r}
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
FACADES = build_facades()


def outcome(function, text):
    try:
        return function(text)
    except (re.error, NameError, TypeError, ValueError) as error:
        return type(error)


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES)
@settings(max_examples=max(30, settings.default.max_examples // 3))
@given(
    st.lists(words, max_size=9),
    st.dictionaries(words, weights, max_size=8),
    st.lists(texts, min_size=3, max_size=5),
)
@example(["win", "art", "party", "prize"], {"win": 1, "art": 2}, ["party", "x", "win"])
def test_votes_are_those_of_the_full_loop(body, words, weights, texts):
    top = TOP.format(words=words, weights=weights).replace("inf", "float('inf')")
    source = f"{top}\ndef label(text):\n    {body.strip()}\n"
    worker, plain = Worker(FACADES), {}
    try:
        exec(source, plain)
    except re.error:
        return
    worker.load(source, "label")
    # Literals are looked for from the second text on.
    for text in texts * 2:
        expected = outcome(plain["label"], text)
        assert repr(outcome(worker.label, text)) == repr(expected)


def is_narrowed(body):
    source = f"import re\nWORDS = []\ndef label(text):\n    {body.strip()}\n"
    return any(
        isinstance(n, ast.Name) and n.id == LIVE for n in ast.walk(guard(source))
    )


def test_loops_are_narrowed_where_nothing_else_can_be_seen():
    narrowed = [is_narrowed(body) for body in BODIES]
    assert narrowed[:4] == [True] * 4
    assert narrowed[4:6] == [False] * 2
    assert all(narrowed[7:13])


def test_texts_are_scanned_for_all_literals_in_one_pass():
    if _text_index.AhoCorasick is None:
        pytest.skip("the scanner is not installed")
    scan = _text_index.LiteralScan(folded=False)
    assert not scan.want(["party", "art"])
    assert scan.want(["party", "art"])
    assert scan["a party"] == {"party", "art"}
    assert scan["nothing"] == frozenset()
    assert scan["\ud800 art"] is _text_index.ANYTHING
    folded = _text_index.LiteralScan(folded=True)
    assert not folded.want(["win"])
    assert folded.want(["win"])
    assert folded["WIN"] == {"win"}
    assert folded["wİn"] is _text_index.ANYTHING
