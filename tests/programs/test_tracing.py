import pytest

from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.programs import run_programs, trace_programs

CLASSES = ["ham", "spam"]


def trace(program, text, **options):
    ((traced,),) = trace_programs([program], {"text": [text]}, CLASSES, **options)
    return traced


def words(traced, text):
    return [text[span.start : span.stop] for span in traced.spans]


WAYS = {
    "in": "'free' in text",
    "in_lower": "'free' in text.lower()",
    "in_words": "'free' in text.lower().split()",
    "word_in_set": "any(w in {'free', 'win'} for w in text.lower().split())",
    "sets": "bool({'free', 'win'} & set(text.lower().split()))",
    "intersection": "len({'free'}.intersection(text.lower().split())) > 0",
    "not_disjoint": "not {'free'}.isdisjoint(text.lower().split())",
    "equal": "any(w == 'free' for w in text.lower().split())",
    "startswith": "any(w.startswith('fre') for w in text.lower().split())",
    "count": "text.lower().count('free') > 0",
    "find": "text.lower().find('free') >= 0",
    "get": "sum({'free': 2}.get(w, 0) for w in text.lower().split()) > 1",
    "counter": "Counter(text.lower().split())['free'] > 0",
    "search": "re.search(r'\\bfree\\b', text, re.I)",
    "pattern": "PATTERN.search(text)",
    "method": "list(filter(PATTERN.search, text.split()))",
    "imported": "search('free', text.lower())",
    "findall": "len(re.findall('free', text.lower())) > 0",
    "finditer": "len(list(PATTERN.finditer(text)))",
    "padded": "' free ' in f' {text.lower()} '",
    "squeezed": "'is free' in re.sub(r'\\W+', ' ', text.lower())",
    "accents": "'free' in unicodedata.normalize('NFKD', text).casefold()",
    "upper": "any(w.isupper() for w in text.upper().split()[-2:-1])",
    "contains": "text.lower().__contains__('free')",
}


@pytest.fixture(scope="module")
def traced_ways():
    from sklearn_alchemist.programs import LabelingProgram

    head = "import re, unicodedata\nfrom collections import Counter\n"
    head += "from re import search\nPATTERN = re.compile('free', re.I)\n"
    programs = [
        LabelingProgram(
            name, f"{head}def label(text):\n    return 'spam' if {how} else None"
        )
        for name, how in WAYS.items()
    ]
    texts = {"text": ["It is  Free!", "it is free now"]}
    traces = trace_programs(programs, texts, CLASSES)
    return texts["text"], dict(zip(WAYS, traces, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_matched_words_are_found_however_a_program_looks_for_them(way, traced_ways):
    (_, text), traces = traced_ways
    traced = traces[way][1]
    assert traced.vote == 1
    assert traced.lines == (6,)
    assert {word.lower() for word in words(traced, text)} <= {"free", "fre", "is free"}
    assert traced.spans


def test_what_a_program_cut_up_is_found_in_the_record(traced_ways):
    (text, _), traces = traced_ways
    assert words(traces["squeezed"][0], text) == ["is  Free"]
    # The word there is "free!", which is none that the program knows.
    assert traces["in_words"][0].vote == -1


def test_marks_are_found_one_by_one(make):
    program = make("""
        def label(text):
            words = "".join(c for c in text if c not in "!#$%&()*+,-./:;<=>?@")
            return "spam" if sum(c in "!?" for c in text) > 1 and words else None
        """)
    assert words(trace(program, "now! (2,3) why?"), "now! (2,3) why?") == ["!", "?"]


def test_rows_of_marks_are_searched_in_no_time(make):
    program = make(r"""
        import re
        def label(text):
            marks = re.sub("[^!?]", " ", text)
            if "! ! a" in "! ! a" + marks or re.search("[?] ? ?b", "? ? ?b" + text):
                return "spam"
        """)
    text = "!" * 50_000 + "?" * 50_000
    assert trace(program, text, timeout=0.2).vote == 1


def test_lines_that_ran_are_those_that_led_to_the_vote(make):
    program = make("""
        def label(text):
            if "win" in text:
                return "spam"
            if "song" in text:
                return "ham"
            return None
        """)
    assert trace(program, "a song").lines == (3, 5, 6)
    assert trace(program, "a win").lines == (3, 4)
    assert trace(program, "a win", lines=False).lines == ()


def test_a_pattern_that_takes_a_text_apart_marks_nothing(make):
    program = make(r"""
        import re
        def label(text):
            tokens = re.findall(r"[a-z]+", text.lower())
            return "spam" if "prize" in tokens else "ham"
        """)
    text = "you get a prize for all that you do"
    assert words(trace(program, text), text) == ["prize"]


def test_numbers_are_followed_through_what_is_computed_of_them(make):
    program = make("""
        def label(age, balance, name):
            owed = 2.0 * balance - 1
            return "spam" if owed > 7 else "ham"
        """)
    columns = {"age": [31], "balance": [5.5], "name": ["Al"]}
    ((traced,),) = trace_programs([program], columns, CLASSES)
    assert [span[:3] for span in traced.spans] == [("balance", 0, len("5.5"))]


def test_words_are_marked_in_the_column_that_holds_them(make):
    program = make("""
        def label(title, body):
            return "spam" if "win" in (title + " " + body).lower() else None
        """)
    columns = {"title": ["hello"], "body": ["You WIN"]}
    ((traced,),) = trace_programs([program], columns, CLASSES)
    assert [span[:3] for span in traced.spans] == [("body", 4, 7)]


@pytest.mark.parametrize(
    "text",
    [
        "</script><b>free</b>\x00\x1b[31m",
        "\u202efree\u202c \u0645\u062c\u0627\u0646\u064a",
        "stra\u00dfe \u0130stanbul free",
        "\ud800 free \U0001f600",
        "x " * 50_000 + "free",
    ],
)
def test_places_are_those_of_the_text_as_it_is(make, text):
    program = make("""
        def label(text):
            return "spam" if "free" in text.lower() else None
        """)
    traced = trace(program, text)
    assert (traced.vote, words(traced, text)) == (1, ["free"])


def test_votes_are_those_that_nobody_watched(make):
    program = make(r"""
        import random, re
        LIMIT = 0.3
        def label(text):
            words = re.findall(r"\w+", text)
            score = sum(w in ("a", "b") for w in words) / max(len(words), 1)
            if random.random() < 0.2 or 0.1 < score <= LIMIT:
                return "ham"
            return {"c": "spam"}[words[0]]
        """)
    texts = [f"{a} {b} {c} x y" for a in "abc" for b in "abc" for c in "abc"] + [""]
    votes = run_programs([program], {"text": texts}, CLASSES).votes[:, 0]
    (traces,) = trace_programs([program], {"text": texts}, CLASSES)
    assert [traced.vote for traced in traces] == votes.tolist()
    assert traces[-1].failure in (None, "error")


def test_failures_say_line_and_message(make):
    program = make("""
        class Odd(Exception):
            def __str__(self):
                return "<b>\\x1b[31m" + "x" * 1000
        def label(text):
            if text == "odd":
                raise Odd
            if text == "what":
                return 3.5
            if text == "deep":
                return label(text)
            return ["ham"][int(text)]
        """)
    texts = ["odd", "what", "1", "zero", "deep"]
    (traces,) = trace_programs([program], {"text": texts}, CLASSES)
    said = [traced.message for traced in traces]
    assert [t.failure for t in traces] == ["error", "invalid", *["error"] * 3]
    assert said[0].startswith("Odd in line 7: <b>\ufffd[31mxxx")
    assert len(said[0]) < 400
    assert said[1] == "returned 3.5, which is no class"
    assert said[2] == "IndexError in line 12: list index out of range"
    assert said[3].startswith("ValueError in line 12: invalid literal for int()")
    assert said[4].startswith("RecursionError in line ")


@pytest.mark.slow
def test_a_row_that_never_ends_costs_no_other_row(make):
    program = make("""
        def label(text):
            while text == "stuck":
                pass
            return "ham"
        """)
    texts = {"text": ["a", "stuck", "b"]}
    (traces,) = trace_programs([program], texts, CLASSES, timeout=0.01)
    assert [t.vote for t in traces] == [0, -1, 0]
    assert traces[1].failure == "timeout"


def test_a_program_that_cannot_be_loaded_is_told(make):
    with pytest.raises(ProgramRejected, match="cannot be loaded: NameError in line 2"):
        trace(make("\nmissing\ndef label(text): return 'ham'"), "a")


def test_no_rows_have_no_traces(make):
    program = make("def label(text): return 'ham'")
    assert trace_programs([program], {"text": []}, CLASSES) == [[]]
