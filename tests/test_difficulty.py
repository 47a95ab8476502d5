"""Samples that programs find hard, told by a number of theirs."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline

from sklearn_alchemist import LabelModelAggregator
from sklearn_alchemist.label_model import read_in_chunks

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 3000)
LENGTH = RNG.integers(0, 100, 3000)
"""Right in .95 of the votes where the text is long, in .6 where it is short."""
RIGHT = RNG.random((3000, 8)) < np.where(LENGTH < 30, 0.6, 0.95)[:, None]
VOTES = np.where(RIGHT, Y[:, None], 1 - Y[:, None])
VOTES[RNG.random(VOTES.shape) < 0.2] = -1


def fitted(**given):
    return LabelModelAggregator(classes=[0, 1]).fit(VOTES, **given)


def brier(proba):
    return np.mean((proba[:, 1] - Y) ** 2)


def test_a_difficulty_that_tells_hard_rows_makes_probabilities_better():
    told = fitted(difficulty=LENGTH)
    assert len(told.difficulty_cuts_) == 3
    proba = told.predict_proba(VOTES, difficulty=LENGTH)
    assert brier(proba) < brier(fitted().predict_proba(VOTES)) - 0.008
    two = np.where(np.arange(8) < 2, 1, -1)
    hard, easy = told.predict_proba([two, two], difficulty=[5, 90])[:, 1]
    assert easy > hard + 0.1 > 0.6


def test_it_is_optional_afterwards():
    told = fitted(difficulty=LENGTH)
    proba = told.predict_proba(VOTES, difficulty=LENGTH)
    assert_array_equal(proba.argmax(axis=1), told.predict(VOTES, difficulty=LENGTH))
    unknown = told.predict_proba(VOTES, difficulty=np.full(3000, np.nan))
    assert_array_equal(told.predict_proba(VOTES), unknown)
    assert fitted().difficulty_cuts_ is None


def test_counts_of_votes_and_level_are_all_that_is_learned_from():
    told = fitted(difficulty=LENGTH)
    level = np.searchsorted(told.difficulty_cuts_, LENGTH)
    rows, counts = np.unique(
        np.column_stack([VOTES, level]), axis=0, return_counts=True
    )
    few = LabelModelAggregator(classes=[0, 1])
    few.fit(rows[:, :-1], sample_weight=counts, difficulty=rows[:, -1])
    assert_allclose(
        few.predict_proba(VOTES, difficulty=level),
        told.predict_proba(VOTES, difficulty=LENGTH),
        atol=1e-9,
    )


def test_chunks_are_cut_where_the_first_one_was():
    chunks = LabelModelAggregator(classes=[0, 1])
    for place in (slice(2000), slice(2000, 3000)):
        chunks.partial_fit(VOTES[place], difficulty=LENGTH[place])
    first = LabelModelAggregator().fit(VOTES[:2000], difficulty=LENGTH[:2000])
    assert_array_equal(chunks.difficulty_cuts_, first.difficulty_cuts_)
    proba = chunks.predict_proba(VOTES, difficulty=LENGTH)
    assert_allclose(
        proba,
        fitted(difficulty=LENGTH).predict_proba(VOTES, difficulty=LENGTH),
        atol=0.03,
    )
    # A chunk of which it is not known joins in without it.
    chunks.partial_fit(VOTES[:100])
    assert np.isfinite(chunks.predict_proba(VOTES, difficulty=LENGTH)).all()


def test_labels_may_come_with_it():
    some = np.where(np.arange(3000) % 30 == 0, Y, -1)
    model = LabelModelAggregator(
        classes=[0, 1], semi_supervised=True, temperature="estimate"
    ).fit(VOTES, some, label_proba=1 / 30, difficulty=LENGTH)
    assert model.label_use_["accuracies"] == 100
    assert brier(model.predict_proba(VOTES, difficulty=LENGTH)) < 0.1


def test_samples_without_weight_do_not_move_the_cuts():
    weight = (LENGTH < 50).astype(float)
    kept = LENGTH < 50
    some = LabelModelAggregator().fit(VOTES[kept], difficulty=LENGTH[kept])
    assert_array_equal(
        fitted(sample_weight=weight, difficulty=LENGTH).difficulty_cuts_,
        some.difficulty_cuts_,
    )


def test_many_rows_are_read_in_chunks(monkeypatch):
    whole = fitted(difficulty=LENGTH).predict_proba(VOTES, difficulty=LENGTH)
    monkeypatch.setitem(read_in_chunks.__kwdefaults__, "size", 700)
    monkeypatch.setattr("sklearn_alchemist.label_model._aggregator_predict._CHUNK", 700)
    parts = fitted(difficulty=LENGTH).predict_proba(VOTES, difficulty=LENGTH)
    assert_allclose(parts, whole, atol=1e-12)


@pytest.mark.parametrize(
    ("difficulty", "said"),
    [
        (LENGTH[:5], r"shape \(5,\), and there are 3000 rows"),
        (np.ones((3000, 1)), r"pass one number a row, shape \(3000,\)"),
        (["short"] * 3000, "must be numbers, such as the length"),
        ([10**400] * 3000, "must be numbers, such as the length"),
    ],
)
def test_what_is_no_difficulty_is_refused(difficulty, said):
    with pytest.raises(ValueError, match=said):
        fitted(difficulty=difficulty)


def test_a_difficulty_that_comes_late_is_refused():
    model = fitted()
    before = model.predict_proba(VOTES)
    for call in (model.predict_proba, model.partial_fit):
        with pytest.raises(ValueError, match="pass difficulty to fit, too"):
            call(VOTES, difficulty=LENGTH)
    assert_array_equal(model.predict_proba(VOTES), before)


def test_it_is_routed_as_metadata():
    with sklearn.config_context(enable_metadata_routing=True):
        model = LabelModelAggregator().set_fit_request(difficulty=True)
        model.set_predict_proba_request(difficulty=True)
        pipeline = make_pipeline(model).fit(VOTES, difficulty=LENGTH)
        proba = pipeline.predict_proba(VOTES, difficulty=LENGTH)
    told = LabelModelAggregator().fit(VOTES, difficulty=LENGTH)
    assert_array_equal(proba, told.predict_proba(VOTES, difficulty=LENGTH))


def test_another_process_reads_what_was_fitted(tmp_path):
    told = fitted(difficulty=LENGTH)
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps((told, VOTES[:50], LENGTH[:50])))
    code = (
        "import pickle, sys; model, votes, length = "
        "pickle.load(open(sys.argv[1], 'rb'))"
        "; print(model.predict_proba(votes, difficulty=length).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        check=True,
        text=True,
    )
    expected = told.predict_proba(VOTES[:50], difficulty=LENGTH[:50]).tolist()
    assert done.stdout.strip() == str(expected)
