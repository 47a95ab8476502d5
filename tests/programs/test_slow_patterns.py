import re
import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs.test_honest_programs import HONEST

from sklearn_alchemist import ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import ProgramWarning
from sklearn_alchemist.programs import LabelingProgram, find_slow_patterns
from sklearn_alchemist.programs._ambiguity import LOOP, NEIGHBOURS, find_ambiguity
from sklearn_alchemist.synthesis._gate import find_problem

# Each with a text of which some copies more take twice the time.
EXPONENTIAL = [
    (r"(a+)+$", "a"),
    (r"(a*)*b", "a"),
    (r"(a|aa)+$", "a"),
    (r"(\w+\s?)+!", "a"),
    (r"(x+x+)+y", "x"),
    (r"(?:\w+[.,]?\s*)+:$", "a"),
    (r"(\S+\.)+@", "a."),
    (r"(\d{1,3},?)+x", "1"),
    (r"(?i)(?:[A-Z][a-z]+\s?)+:", "aa"),
    (r"(?=(a+)+b)", "a"),
    (r"(?:(?:a|b)+c?)*d", "a"),
    (r"(?:.|\w)+!", "a"),
]
HARMLESS = [
    r"(\w+\s)+!",
    r"(ha+)+!",
    r"(?:a++)+b",
    r"(?>a+)+b",
    r"(\w+\s?)+",
    r"https?://\S+|www\.\S+",
    r"[\w.+-]+@[\w-]+\.\w+",
    r"\d+(?:,\d{3})*(?:\.\d+)?\b",
    r"(?:\w+\W+){1,5}?near",
    r".*foo.*bar.*baz",
    r"my\s+.*channel",
    r"\bcheck\s*(out)?\s+(my|this)\b",
    r"stages? (?:i|ii|iii|iv|[abcd]\d?)+\b",
    r".{0,20}.{0,20}x",
    r"(\w+\s*)+(",
    "c++",
]


def seconds(pattern, text):
    began = time.process_time()
    pattern.search(text)
    return time.process_time() - began


@pytest.mark.parametrize(("pattern", "pump"), EXPONENTIAL)
def test_loops_that_match_in_many_ways_are_found(pattern, pump):
    assert find_ambiguity(pattern) == LOOP
    compiled = re.compile(pattern)
    few = seconds(compiled, pump * 8 + "\0")
    assert any(seconds(compiled, pump * n + "\0") > 20 * few for n in range(12, 40))


@pytest.mark.parametrize(
    "pattern",
    [r".*.*x", r"\w+\w+!", r"\s*\s*$", r"\d*\d+x", r"(.*)(.*)foo", r".*\s?.*end"],
)
def test_repeats_side_by_side_are_found(pattern):
    assert find_ambiguity(pattern) == NEIGHBOURS


@pytest.mark.parametrize("pattern", HARMLESS)
def test_other_patterns_are_left_alone(pattern):
    assert find_ambiguity(pattern) is None


def test_what_follows_and_flags_decide():
    assert find_ambiguity(r"(\w+\s?)+") is None
    assert find_ambiguity(r"(\w+\s?)+", is_whole=True) == LOOP
    assert find_ambiguity(r"(?:[A-Z][a-z]+\s?)+:") is None
    assert find_ambiguity(r"(?:[A-Z][a-z]+\s?)+:", re.I) == LOOP


pieces = st.sampled_from(["a", "b", ".", r"\w", "[ab]", "(?:a|ab)", "(?:a|b|)", r"\b"])
trees = st.recursive(
    pieces,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        inner.map("(?:{})*".format),
        inner.map("(?:{})+?".format),
        inner.map("(?:{}){{0,2}}".format),
    ),
    max_leaves=4,
)


@given(trees, st.text("ab", max_size=3))
def test_patterns_without_alarm_take_no_exponential_time(pattern, pump):
    if find_ambiguity(f"{pattern}!") is None:
        compiled = re.compile(f"{pattern}!")
        assert seconds(compiled, pump * 7 + "\n") < 0.5


SOURCE = r"""
import re
WORDS = ["spam", r"(\w+\s?)+!"]
def label(text):
    '''Never write (a+)+$ here.'''
    if re.search(rf"\b(?:{'|'.join(WORDS)}|(a*)*b)c", text):
        return 1
    return 1 if re.search("( x | xx ) +" + "b", text, re.VERBOSE) else 0
"""


def test_patterns_are_found_where_they_stand():
    found = find_slow_patterns(LabelingProgram("p", SOURCE))
    assert [pattern.line for pattern in found] == [3, 6, 8]
    assert str(found[0]) == (
        r"line 3: pattern '(\\w+\\s?)+!' can take forever, as a repeated part can "
        "match the same text in many ways: end what is repeated with something that "
        "it holds nowhere else, or repeat it only once"
    )
    without_re = SOURCE.replace("import re", "import json as re")
    assert find_slow_patterns(LabelingProgram("p", without_re)) == []


@pytest.mark.parametrize("name", HONEST)
def test_honest_programs_raise_no_alarm(name):
    program = LabelingProgram("p", textwrap.dedent(HONEST[name]))
    assert find_slow_patterns(program) == []


def test_the_gate_asks_for_repair_before_anything_runs():
    problem = find_problem(
        LabelingProgram("p", SOURCE), {"text": ["a"]}, [0, 1], timeout=1.0
    )
    assert problem.reason.startswith("line 3: pattern")


def test_programs_that_somebody_gave_are_kept_with_a_warning():
    program = LabelingProgram("p", SOURCE)
    labeler = ProgramSynthesisLabeler(programs=[program], classes=[0, 1])
    with pytest.warns(ProgramWarning, match=r"'p', line 3.*2 more such patterns"):
        labeler.fit(["spam", "a b"])
    assert labeler.programs_ == [program]
