"""The answers of a second reader count as much as they are worth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_alchemist.cascade import NO_ANSWER, Reader, fit_reader


def made_up(seed, n_classes, n_rows=2000):
    """True classes, and calibrated probabilities of them."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(n_classes, 0.3), n_rows)
    drawn = rng.random((n_rows, 1)) < proba.cumsum(axis=1)
    return rng, drawn.argmax(axis=1), proba


def answers_of(rng, y, accuracy, n_classes):
    wrong = (y + rng.integers(1, n_classes, len(y))) % n_classes
    return np.where(rng.random(len(y)) < accuracy, y, wrong)


def only_some(rng, codes, n):
    asked = np.full(len(codes), NO_ANSWER)
    rows = rng.permutation(len(codes))[:n]
    asked[rows] = codes[rows]
    return asked


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("accuracy", [0.6, 0.8, 0.97])
def test_how_often_a_reader_is_right_is_found_without_labels(n_classes, accuracy):
    rng, y, proba = made_up(0, n_classes)
    reader = fit_reader(proba, answers_of(rng, y, accuracy, n_classes))
    assert np.diag(reader.confusion).mean() == pytest.approx(accuracy, abs=0.03)
    assert np.diag(reader.confusion) == pytest.approx(accuracy, abs=0.1)


def test_an_answer_tells_nothing_of_a_reader_who_says_one_class_only():
    _, _, proba = made_up(0, 3)
    reader = fit_reader(proba, np.ones(len(proba), dtype=int))
    after = reader.posterior(proba, np.ones(len(proba), dtype=int))
    assert np.abs(after - proba).max() < 0.05


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("accuracy", [0.2, 0.5])
@pytest.mark.parametrize("n_answers", [40, 200])
def test_a_reader_worse_than_programs_costs_no_accuracy(n_classes, accuracy, n_answers):
    changes = []
    for seed in range(10):
        rng, y, proba = made_up(seed, n_classes)
        codes = answers_of(rng, y, accuracy, n_classes)
        reader = fit_reader(proba, only_some(rng, codes, n_answers))
        after = reader.posterior(proba, codes).argmax(axis=1)
        changes.append((after == y).mean() - (proba.argmax(axis=1) == y).mean())
    assert np.mean(changes) > -0.0075


def test_known_labels_tell_of_a_reader_what_unsure_programs_cannot():
    rng, y, _ = made_up(0, 2, n_rows=200)
    codes = answers_of(rng, y, 0.95, 2)
    unsure = fit_reader(np.full((200, 2), 0.5), codes)
    known = fit_reader(np.eye(2)[y], codes)
    assert np.diag(known.confusion).min() > 0.9
    assert np.isfinite(unsure.confusion).all()


def test_without_an_answer_a_reader_is_as_good_as_usual():
    reader = fit_reader(np.full((3, 2), 0.5), np.full(3, NO_ANSWER))
    assert reader.n_answers == 0
    assert reader.confusion == pytest.approx(np.array([[0.85, 0.15], [0.15, 0.85]]))


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(sum),
    st.floats(0.34, 1),
)
def test_the_gain_is_what_answers_add_on_average(proba, accuracy):
    proba = np.array([proba]) / np.sum(proba)
    reader = Reader.symmetric(accuracy, 3)
    chance = (proba @ reader.confusion)[0]
    after = [reader.posterior(proba, np.array([a])).max() for a in range(3)]
    expected = chance @ np.array(after) - proba.max()
    assert reader.gain(proba)[0] == pytest.approx(expected, abs=1e-4)
    assert reader.gain(proba)[0] >= 0


def test_records_without_an_answer_keep_their_probabilities():
    proba = np.array([[0.3, 0.7], [0.3, 0.7]])
    after = Reader.symmetric(0.9, 2).posterior(proba, np.array([0, NO_ANSWER]))
    assert after[1].tolist() == [0.3, 0.7]
    assert after[0].argmax() == 0
