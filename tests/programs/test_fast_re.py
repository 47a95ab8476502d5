import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sklearn_alchemist.programs import _fast_re as fast
from sklearn_alchemist.programs import _literal_scan as _scan
from sklearn_alchemist.programs._required_literals import (
    NOTHING,
    keyword_literals,
    required_literals,
)

# Of patterns that Python may read in another way one day; `re` warns of them too.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

LETTERS = "abAB_1 -.\nßſKıİéσς٣'"
WORDS = ["ab", "aba", "win", "Win", "stock market", "a", "b1", "ß", "K", "ſ", "wins"]
ESCAPES = [r"\b", r"\B", r"\w", r"\W", r"\d", r"\s", r"\.", ".", "^", "$", r"\A", r"\Z"]

literals = st.one_of(
    st.sampled_from(WORDS), st.text(LETTERS, min_size=1, max_size=3)
).map(re.escape)
atoms = st.one_of(
    literals,
    st.sampled_from(ESCAPES),
    st.sampled_from(["[ab]", "[^a]", "[a-zA-Z]", "[Aa]", r"[\w']", "[sſ]"]),
)


def extend(children):
    joined = st.lists(children, min_size=1, max_size=3).map("".join)
    group = st.sampled_from(["(?:{})", "({})", "(?={})", "(?!{})", "(?i:{})", "(?>{})"])
    behind = st.sampled_from([r"(?<=\w)", r"(?<!\w)", r"(?!\w)", "(?<=a)", "(?<!ab)"])
    repeat = st.sampled_from(["?", "*", "+", "{2}", "{0,2}", "{1,}", "??", "+?", "*+"])
    return st.one_of(
        joined,
        behind,
        st.lists(joined, min_size=2, max_size=4).map(lambda a: f"(?:{'|'.join(a)})"),
        st.lists(joined, min_size=2, max_size=3).map("|".join),
        st.tuples(group, joined).map(lambda t: t[0].format(t[1])),
        st.tuples(joined, repeat).map(lambda t: f"(?:{t[0]}){t[1]}"),
        joined.map(lambda p: rf"\b{p}\b"),
        joined.map(lambda p: rf"({p})\1"),
    )


patterns = st.one_of(
    literals.map(lambda p: rf"\b{p}\b"),
    literals.map(lambda p: rf"\b{p}"),
    literals.map(lambda p: rf"\b{p}s?\b"),
    st.lists(literals, min_size=1, max_size=8).map(lambda a: rf"\b({'|'.join(a)})\b"),
    st.recursive(atoms, extend, max_leaves=8),
)
texts = st.one_of(
    st.text(LETTERS, max_size=30),
    st.lists(st.sampled_from([*WORDS, " ", "-", "x", ". "]), max_size=12).map("".join),
    st.lists(st.sampled_from(WORDS), min_size=60, max_size=70).map(" ".join),
)
flags = st.sampled_from(
    [0, re.I, re.A, re.I | re.A, re.M, re.S, re.X, re.I | re.X, re.M | re.I]
)


def shown(value):
    """Make results comparable: matches by all that they tell."""
    if isinstance(value, re.Match):
        places = [value.span(k) for k in range(value.re.groups + 1)]
        return value.group(), value.groups(), value.groupdict(), places, value.string
    if isinstance(value, str | tuple | list | int | None):
        return value
    return [shown(item) for item in value]


def result(function, *args):
    try:
        return shown(function(*args))
    except (re.error, TypeError, ValueError, OverflowError, RecursionError) as error:
        return type(error)


FUNCTIONS = ["search", "match", "fullmatch", "findall", "finditer", "split"]


@pytest.fixture(autouse=True, scope="module")
def _places_in_short_texts():
    """Look for beginnings in texts of any length."""
    patch = pytest.MonkeyPatch()
    patch.setattr(_scan, "MIN_LENGTH", 5)
    forget()
    yield
    patch.undo()
    forget()


def forget():
    """Let scans and patterns start anew."""
    for scan in _scan.SCANS:
        scan._forget()
        scan.__init__(scan.folded)
    fast._patterns.clear()
    fast._flagged.clear()


@pytest.mark.slow
@settings(max_examples=6 * settings.default.max_examples)
@given(patterns, texts, flags)
@example(r"\bK\b", "K", re.I)
@example(r"\bs\b", "ſ", re.I)
@example(r"\bi\b", "İ ı", re.I)
@example(r"(?<!\w)ab(?!\w)", "xab ab abx", 0)
@example(r"\bab\b|b", "xb", 0)
@example(r"(a|ab)(b?)", "abab", 0)
@example(r"^win", "win win\nwin" * 3, re.M)
@example(r"\b(?:win)?+winner\b", "winner", 0)
@example(r"\bwin\bab\b", "winab", 0)
@example(r"\bwin\b$", "win x", 0)
@example(r"\bwin(?=s)\b", "win wins", 0)
@example(r"\b(?:win|ab|)\b", "-", 0)
@example(r"\bWin\b", "\ufeffwIN", re.I)
@example(r"\bwin\b", "win\ufeff", 0)
@example(r"\bé", "é é", re.A)
def test_functions_and_methods_give_what_re_gives(pattern, text, flag):
    for name in FUNCTIONS:
        expected = result(getattr(re, name), pattern, text, *_args(name, flag))
        for _ in range(3):  # the index of a text is made when it is asked again
            args = _args(name, flag)
            assert result(getattr(fast, name), pattern, text, *args) == expected, name
    try:
        real, ours = re.compile(pattern, flag), fast.compile(pattern, flag)
    except re.error:
        return
    for name in FUNCTIONS:
        expected = result(getattr(real, name), text)
        assert result(getattr(ours, name), text) == expected, name
    for name in FUNCTIONS[:5]:
        expected = result(getattr(real, name), text, 1, 5)
        assert result(getattr(ours, name), text, 1, 5) == expected, name
    assert ours.pattern == real.pattern
    assert (ours.flags, ours.groups) == (real.flags, real.groups)
    assert dict(ours.groupindex) == dict(real.groupindex)


@given(patterns, texts, flags)
def test_without_the_scanner_the_results_are_the_same(pattern, text, flag):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scan, "_AhoCorasick", None)
        forget()
        for _ in range(3):
            for name in ("search", "findall"):
                expected = result(getattr(re, name), pattern, text, flag)
                assert result(getattr(fast, name), pattern, text, flag) == expected
    forget()


def _args(name, flag):
    return (0, flag) if name == "split" else (flag,)


@pytest.mark.slow
@settings(max_examples=3 * settings.default.max_examples)
@given(
    patterns,
    texts,
    flags,
    st.sampled_from(["", "x", r"\g<0>!", r"\1", r"\9", "\\", len, str.upper, 5, None]),
    st.sampled_from([0, 1, 2]),
)
def test_substitution_gives_what_re_gives(pattern, text, flag, repl, count):
    if repl in (len, str.upper):
        convert, repl = repl, None

        def repl(match):
            return str(convert(match.group()))

    for name in ("sub", "subn"):
        expected = result(getattr(re, name), pattern, repl, text, count, flag)
        for _ in range(3):
            ours = result(getattr(fast, name), pattern, repl, text, count, flag)
            assert ours == expected


@given(st.text(max_size=5), st.one_of(texts, st.binary(max_size=5)))
def test_any_text_as_a_pattern_gives_what_re_gives(pattern, text):
    for name in FUNCTIONS:
        expected = result(getattr(re, name), pattern, text)
        assert result(getattr(fast, name), pattern, text) == expected
    assert fast.escape(pattern) == re.escape(pattern)


@given(st.binary(max_size=5), st.binary(max_size=9))
def test_bytes_give_what_re_gives(pattern, text):
    for name in FUNCTIONS:
        expected = result(getattr(re, name), pattern, text)
        assert result(getattr(fast, name), pattern, text) == expected
    assert fast.escape(pattern) == re.escape(pattern)


@pytest.mark.parametrize("pattern", [None, 1, [], {}, len, 1.5])
def test_what_is_no_pattern_raises_as_in_re(pattern):
    for name in FUNCTIONS:
        assert result(getattr(fast, name), pattern, "a") is TypeError
    with pytest.raises(TypeError):
        fast.compile(pattern)


def test_compiled_patterns_are_patterns_for_functions():
    pattern = fast.compile("(?P<word>a+)", re.I)
    assert fast.findall(pattern, "a AA") == ["a", "AA"]
    assert fast.compile(pattern) is pattern
    assert pattern == fast.compile("(?P<word>a+)", re.I) != fast.compile("a+")
    assert len({pattern, fast.compile("(?P<word>a+)", re.I)}) == 1
    assert repr(pattern) == repr(re.compile("(?P<word>a+)", re.I))
    assert isinstance(pattern, fast.FastPattern)
    with pytest.raises(ValueError, match="flags"):
        fast.search(pattern, "a", re.I)
    with pytest.raises(TypeError):
        type("P", (fast.FastPattern,), {})


def test_caches_start_anew_when_they_are_full(monkeypatch):
    monkeypatch.setattr(fast, "_MAX_PATTERNS", 5)
    monkeypatch.setattr(_scan, "_MAX_TEXTS", 5)
    monkeypatch.setattr(_scan, "_PATIENCE", 2)
    for k in range(40):
        text = f"word{k} other"
        for _ in range(3):
            assert fast.findall(rf"\bword{k}\b", text) == [f"word{k}"]
            assert fast.search(rf"word{k + 1}", text, re.I) is None
        assert fast.escape(f"a.{k}") == rf"a\.{k}"
        assert len(fast._patterns) <= 5
        assert len(_scan.SCANS[0]) <= 5


def test_few_long_texts_are_remembered_and_many_short_ones():
    scan = _scan.LiteralScan(folded=False)
    scan.want(["win"])
    scan.want(["win"])
    for k in range(30):
        assert scan[f"{k} win" + "." * 300_000] == {"win"}
        assert len(scan) <= 8
    texts = [f"{k} win" for k in range(100)]
    scan._forget()
    assert all(scan[text] for text in texts)
    assert set(texts) <= scan.keys()


def places_of_words(text):
    return [match.span() for match in re.finditer(r"\w+", text)]


@given(st.one_of(texts, st.text(max_size=30)))
def test_folded_texts_keep_their_places(text):
    folded = _scan.fold(text)
    if folded is not None:
        assert len(folded) == len(text)
        assert places_of_words(folded) == places_of_words(text)


TOKENS = [
    r"\w+", r"[a-z']+", r"\b\w+\b", r"\b[a-z]+\b", r"[a-z][a-z'\-]*", r"\d+", r"\w{2,}",
    r"[a-z]+(?:'[a-z]+)?", r"(\w)\w*", r"[A-Z]{2,}", r"\b[A-Z]+\b", r"\B\w", r"\w+?",
    r"[^\s]+", r"\S+", r"[a-zé]+", r"\w*", r"(a)|(b)", r"\w+(?=s)",
]  # fmt: skip
LIKE_TOKENS = st.text("aAbsS09_'- .\n\x1cé\u017f", max_size=25)


@given(st.sampled_from(TOKENS), st.sampled_from([0, re.I, re.A]), LIKE_TOKENS)
def test_texts_fall_into_the_tokens_that_re_finds(pattern, flag, text):
    assert fast.findall(pattern, text, flag) == re.findall(pattern, text, flag)


SEPARATORS = [r"[.!?]+", r"[.'-]", "a", "_+", r"\s+", r"\W", "ab", r"[.!?]+\s*"]


@given(st.sampled_from(SEPARATORS), LIKE_TOKENS | st.text(".!?ab\0 ", max_size=15))
def test_texts_split_where_re_splits_them(pattern, text):
    assert fast.split(pattern, text) == re.split(pattern, text)


@pytest.mark.slow
def test_all_letters_that_match_ascii_letters_forbid_folding():
    foreign = "".join(map(chr, [*range(128, 0xD800), *range(0xE000, 0x110000)]))
    alike = set(re.findall("[a-z]", foreign, re.I))
    assert {letter for letter in alike if _scan.fold(letter) is None} == alike
    unlike = "".join(letter for letter in foreign if letter not in alike | {"\u0130"})
    assert len(_scan.fold(unlike)) == len(unlike)
    assert places_of_words(_scan.fold(unlike)) == places_of_words(unlike)


@given(st.text(" \t\n\x1c\x85\u2003\u200b_ab", max_size=12))
def test_squeezing_spaces_gives_what_re_gives(text):
    assert fast.sub(r"\s+", " ", text) == re.sub(r"\s+", " ", text)


def test_split_and_re_know_the_same_spaces():
    every = "".join(map(chr, range(0x110000)))
    assert every.split() == re.split(r"\s+", every)


@pytest.mark.parametrize(
    ("pattern", "literals", "starts"),
    [
        (r"\bwin\b", ("win",), ("win",)),
        (r"\bwinners?\b", ("winner",), ("winner",)),
        (r"(?<!\w)win(?!\w)", ("win",), ("win",)),
        (r"\b(?:free|win(?:ner)?)\b", ("free", "win"), ("free", "win")),
        (r"\w+@\w+\.(com|org)", (".com", ".org"), None),
        (r"(lose|win|)", None, None),
        (r"\d+%", ("%",), None),
        (r"e\d", None, None),
    ],
)
def test_every_match_holds_a_literal(pattern, literals, starts):
    needs = required_literals(pattern)
    assert (needs.literals, needs.starts) == (literals, starts)


def test_flags_and_strange_letters_are_read_with_care():
    assert required_literals(r"\bWin\b", re.I).literals == ("win",)
    assert required_literals(r"\bWin\b", re.I).folded
    assert required_literals("ſ", re.I).literals is None
    assert required_literals(r"(?i:a)b").starts is None
    assert required_literals(r"a|") == NOTHING
    assert keyword_literals(r"\bK\b|x") is None
    assert keyword_literals(r"\bstock market").keyword == (True, "stock market", False)
