"""Conditions as programs write them give the votes and errors of plain Python."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_alchemist.programs import LabelingProgram, run_programs

TEXTS = ["", "you win", "Win a prize now", "winning", "my channel", None, 3, 2.5]
CONDITIONS = [
    r're.search(r"\bwin\b", text)',
    r're.search(r"\b(win|prize)\b", text, re.I)',
    r're.search("wi+n", text) is not None',
    r're.search(r"\bwin\b", text) is None',
    r'not re.search(r"\bmy (channel|page)\b", text)',
    r'bool(re.search(r"\bwin", text))',
    r're.search("[", text)',
    r"P.search(text)",
    r"P.search(text) is not None and len(text) > 3",
    r"bool(P.search(text)) + bool(P.match(text)) == 1",
    r"any(re.search(p, text) for p in PATTERNS)",
    r"all([re.search(p, text) for p in PATTERNS])",
    r'any(p.search(text) for p in [P, re.compile("zz"), M])',
    r"sum(1 for p in PATTERNS if re.search(p, text)) > 1",
    r"sum(w in text for w in WORDS) >= 2",
    r'sum(w not in text for w in WORDS for _ in "ab") == 2',
    r'sum(1 for c in text if c == "n")',
    r"sum(not c for c in text)",
    r'(m := re.search(r"\bwin\b", text)) and m.start() == 4',
    r'(P.search(text) or P.search("win")).group() == "win"',
    r"M.search(text)",
    r"None.search(text)",
    r're.search(r"\bwin\b", text) if text else P.search("win")',
    r"re.search(unknown, text)",
    r"sum(unknown in text for w in WORDS)",
]
TOP = r"""
import re
P = re.compile(r"\bwin\b")
PATTERNS = [r"\bwin\b", "priz", r"\b(?:now|win)\b"]
WORDS = ("win", "prize", "my")
class Matcher:
    def __init__(self):
        self.search = P.match
M = Matcher()
"""
FORMS = [
    "    return 1 if {} else 0",
    "    if {}:\n        return 1\n    return 0",
    "    try:\n        while {}:\n            return 1\n    finally:\n        text = 1",
    "    return bool({})",
    "    match text:\n        case x if {}:\n            return 1\n    return 0",
    "    found = {}\n    return 1 if found else 0",
]


def outcome(source, sandbox):
    program = LabelingProgram("p", source)
    result = run_programs([program], {"text": TEXTS * 2}, [0, 1], sandbox=sandbox)
    return result.votes.tolist(), result.failures, result.first_errors


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.SandboxWarning")
@given(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=2), st.data())
def test_votes_and_errors_are_those_of_the_source_as_it_stands(conditions, data):
    body = data.draw(st.sampled_from(FORMS))
    joined = data.draw(st.sampled_from([" and ", " or ", " and not "])).join(
        f"({condition})" for condition in conditions
    )
    source = f"{TOP}\ndef label(text):\n{body.format(joined)}"
    # Without a sandbox the source runs unchanged, with the `re` of Python.
    assert outcome(source, "auto") == outcome(source, None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.SandboxWarning")
@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_condition_alone(condition):
    for form in FORMS:
        body = form.format(f"({condition})")
        source = f"{TOP}\ndef label(text):\n{body}"
        assert outcome(source, "auto") == outcome(source, None)
