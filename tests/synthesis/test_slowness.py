"""Programs are tried on long texts that repeat one thing, under a time-out."""

import pytest

from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import ProgramWarning
from sklearn_alchemist.synthesis._trial import (
    find_slowness,
    longest_text,
    stretched_records,
    synthetic_records,
)

QUICK = LabelingProgram("quick", "def label(text): return 'a' in text")
# Quadratic in the length, which no reading of patterns would find.
SLOW = LabelingProgram(
    "slow",
    "def label(text):\n"
    "    return any(text[:k].count('a') > k for k in range(len(text)) for _ in text)",
)


def test_the_longest_text_is_rounded_up():
    columns = {"n": [10**9, None], "text": ["a", "b" * 700], "other": [None, "c"]}
    assert longest_text(columns) == 1024
    assert longest_text({"n": [1]}) == 0
    assert longest_text({"text": ["x" * 300_000]}) == 1 << 16


def test_texts_are_stretched_and_numbers_are_not():
    columns = stretched_records(synthetic_records({"text": "str", "n": "int"}), 64)
    assert {len(text) for text in columns["text"]} == {64}
    assert all(not isinstance(value, str) for value in columns["n"])
    assert len(columns["n"]) == len(columns["text"])


@pytest.mark.slow
def test_what_is_slow_on_long_texts_is_named():
    columns = stretched_records({"text": ["a"]}, 4096)
    assert find_slowness(QUICK, columns, [False, True], timeout=0.2) is None
    reason = find_slowness(SLOW, columns, [False, True], timeout=0.2)
    assert "takes more than 0.2 s for a text that repeats 'a' up to 4096" in reason


@pytest.mark.slow
def test_given_programs_are_kept_with_a_warning():
    labeler = ProgramSynthesisLabeler(
        programs=[QUICK, SLOW], classes=[False, True], timeout=0.2
    )
    with pytest.warns(ProgramWarning, match="'slow': it takes more than"):
        labeler.fit(["short", "a" + "b" * 3000])
    assert [program.name for program in labeler.programs_] == ["quick", "slow"]
