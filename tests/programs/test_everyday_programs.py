"""Programs as people write them vote as plain `exec` lets them."""

import contextlib
import io
import logging
import random
import warnings

import pytest
from programs.everyday import PROGRAMS

from sklearn_alchemist.programs import LabelingProgram, run_programs

TEXTS = [
    "",
    "You won a FREE prize, click now!!",
    "See you at lunch tomorrow.",
    "WIN $1,000 cash now!",
    "meeting agenda: 2023-05-01",
    "Free free money now money",
    "not good, never great",
    "123 555-0000 call",
    "call 212-9999 today!",
    "Subject: hello",
    '{"type": "AD", "n": 1}',
    "a,b,c,d",
    "42",
    "congratulatons w1nner fr33",
    "https://x.ru/?ref=1 &amp; more",
    "The quick brown fox. Is it? Yes!",
    "£ 250.50 grátis café été",
    "free money now \ud83d\ude00 naïve",
    "x" * 50 + " 2022-13-45 internationalization of it",
]


def votes_of_exec(source):
    """Votes of plain `exec`, and which rows raise."""
    namespace = {"__name__": "program"}
    exec(source, namespace)
    function = namespace.get("label") or namespace["label_text"]
    votes, n_errors = [], 0
    for text in TEXTS:
        try:
            votes.append({"ham": 0, "spam": 1}.get(function(text), -1))
        except Exception:
            votes.append(-1)
            n_errors += 1
    return votes, n_errors


@pytest.mark.slow
def test_everyday_programs_vote_as_exec_does(monkeypatch):
    monkeypatch.setattr(logging, "basicConfig", lambda **options: None)
    chance = random.getstate()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {}
        for name, source in PROGRAMS.items():
            with contextlib.suppress(ImportError):
                expected[name] = votes_of_exec(source)
    random.setstate(chance)
    programs = [LabelingProgram(name, PROGRAMS[name]) for name in expected]
    result = run_programs(programs, {"text": TEXTS}, ["ham", "spam"])
    for name, votes, failed in zip(
        expected, result.votes.T, result.failures, strict=True
    ):
        assert (votes.tolist(), failed.get("error", 0)) == expected[name], name
        assert failed.keys() <= {"error"}, name
    assert len(expected) >= 59  # one asks for pandas, which need not be there


@pytest.mark.parametrize("module", ["re", "math", "itertools"])
def test_a_star_gives_the_names_that_this_python_has(module):
    program = LabelingProgram("p", f"from {module} import *\ndef label(text): return 1")
    votes = run_programs([program], {"text": ["a"]}, [0, 1]).votes
    assert votes.tolist() == [[1]]
