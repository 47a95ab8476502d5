"""The gate: programs that add nothing to the others are dropped, and it is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklearn_alchemist import LLM, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import ProgramWarning
from sklearn_alchemist.synthesis._gate import find_harmful, find_subsumed

WIDE = """\
def label(text):
    if "http" in text or "buy" in text:
        return "spam"
    return "ham" if "song" in text or "nice" in text else None
"""
NARROW = "def label(text): return 'spam' if 'http' in text else None"
OTHER = "def label(text): return 'spam' if 'ring' in text or 'buy' in text else None"
RARE = "def label(text): return 'spam' if 'www' in text or 'http' in text else None"
HAM = "def label(text): return 'ham' if 'song' in text or 'ring' in text else None"
RECORDS = [f"see http://x.example {i}" for i in range(30)]
RECORDS += [f"buy {i}" for i in range(10)] + [f"ring me {i}" for i in range(10)]
RECORDS += [f"a nice song {i}" for i in range(30)]


def fit(sources, y=None, **options):
    """Let a scripted model write these programs, one after the other."""
    left = list(sources)
    llm = LLM.from_callable(lambda prompt: left.pop(0))
    options = {"task": "Spam?", "classes": ["ham", "spam"], "max_repairs": 0, **options}
    labeler = ProgramSynthesisLabeler(llm, n_programs=len(sources), **options)
    return labeler.fit(RECORDS, y)


def test_what_another_program_says_anyhow_is_dropped_and_kept_in_rejected():
    with pytest.warns(ProgramWarning, match="1 of 4 programs were dropped"):
        fitted = fit([WIDE, NARROW, OTHER, HAM], gate=True)
    (lost,) = fitted.rejected_
    assert lost.answer.strip() == NARROW
    assert "votes are given by" in lost.reason
    assert NARROW not in [program.source.strip() for program in fitted.programs_]


def test_a_word_that_no_record_holds_can_keep_a_program():
    # No record says "www", but a record may.
    fitted = fit([WIDE, RARE, OTHER, HAM], gate=True)
    assert RARE in [program.source.strip() for program in fitted.programs_]


def test_without_the_gate_and_below_three_programs_nothing_is_dropped():
    assert len(fit([WIDE, NARROW, OTHER, HAM]).programs_) == 4
    assert len(fit([WIDE, NARROW, OTHER], gate=True).programs_) == 3


def test_programs_that_somebody_gave_stay():
    given = fit([WIDE, NARROW, OTHER, HAM]).programs_
    again = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=given, gate=True
    ).fit(RECORDS)
    assert again.programs_ == given


@given(arrays(np.int8, (40, 5), elements=st.integers(-1, 2)), st.integers(0, 3))
def test_every_vote_of_a_dropped_program_is_left(votes, n_given):
    votes[:, 1] = np.where(np.arange(40) % 2, votes[:, 0], -1)
    dropped = find_subsumed(votes, list("abcde"), n_given=n_given)
    kept = [j for j in range(5) if j not in dropped]
    assert set(range(n_given)) <= set(kept)
    for j in dropped:
        rows = votes[:, j] != -1
        assert any((votes[rows, i] == votes[rows, j]).all() for i in kept)


def test_two_programs_that_say_the_same_do_not_drop_each_other():
    votes = np.tile([[0], [1]], (20, 3))
    assert sorted(find_subsumed(votes, list("abc"))) == [1, 2]


def noisy(rng, labels, accuracy):
    wrong = rng.random(len(labels)) > accuracy
    return np.where(wrong, 1 - labels, labels)


def test_labels_drop_what_held_out_records_are_better_without():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    good = [noisy(rng, labels, 0.8) for _ in range(4)]
    # Right where it was seen first, wrong for sure on every other record.
    fickle = np.where(np.arange(400) % 4 == 0, labels, 1 - labels)
    fickle[rng.random(400) < 0.3] = -1
    half_right = np.stack([*good, fickle, good[0]], axis=1)
    assert set(find_harmful(half_right, labels)) <= {0, 4, 5}
    assert find_harmful(np.stack(good, axis=1), labels) == {}


def test_few_labels_drop_nothing():
    votes = np.tile([[0, 1, 1]], (30, 1))
    assert find_harmful(votes, np.zeros(30, dtype=int)) == {}
