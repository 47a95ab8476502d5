import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from sklearn_alchemist.distillation import (
    SentenceEncoder,
    SoftTargets,
    combine,
    distil,
    encoder_student,
    fit_scaling,
    share_features,
    softmax,
    stratified_folds,
)

CLASSES = np.array(["ham", "spam"])


def proba_of(logits):
    return softmax(np.stack([np.zeros(len(logits)), logits], axis=1))


def test_a_scaling_that_is_not_needed_is_near_none():
    rng = np.random.default_rng(0)
    proba = proba_of(rng.normal(0, 2, 5000))
    target = np.eye(2)[(rng.random(5000) < proba[:, 1]).astype(int)]
    np.testing.assert_allclose(fit_scaling(proba, target)(proba), proba, atol=0.03)


def test_a_student_that_says_the_frequent_class_too_often_is_shifted_back():
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 2, 5000)
    target = proba_of(logits)
    biased = proba_of(0.4 * logits - 1)
    scaled = fit_scaling(biased, target)(biased)
    np.testing.assert_allclose(scaled.mean(axis=0), target.mean(axis=0), atol=0.01)
    assert np.abs(scaled - target).mean() < 0.1 * np.abs(biased - target).mean()


def test_votes_that_say_the_prior_are_no_evidence():
    student, prior = np.array([[0.2, 0.8]]), np.array([0.7, 0.3])
    np.testing.assert_allclose(combine(student, prior[None], prior, 0.5), student)


@given(st.lists(st.integers(0, 3), min_size=8, max_size=60), st.integers(2, 4))
def test_every_fold_has_its_share_of_each_class(codes, n_folds):
    codes = np.array(codes)
    fold = stratified_folds(codes, n_folds)
    for k in np.unique(codes):
        counts = np.bincount(fold[codes == k], minlength=n_folds)
        assert counts.max() - counts.min() <= 1


def targets(n=400, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    truth = (X[:, 0] > 0).astype(int)
    said = np.where(rng.random(n) < noise, 1 - truth, truth)
    votes = np.eye(2)[said] * 0.9 + 0.05
    gold, used = np.full(n, -1), np.ones(n, dtype=bool)
    return X, truth, SoftTargets(votes, CLASSES, votes.mean(axis=0), used, gold)


def student_of(X):
    return share_features(LogisticRegression(), X)


@pytest.mark.parametrize("n_rounds", [0, 1, 5])
def test_a_student_does_not_run_away_from_the_votes(n_rounds):
    X, truth, task = targets(noise=0.2)
    distilled = distil(
        student_of(X),
        task,
        cv=4,
        n_rounds=n_rounds,
        vote_weight=0.125,
    )
    assert (distilled.held_out.argmax(axis=1) == truth).mean() > 0.93
    share = distilled.held_out.mean(axis=0)
    np.testing.assert_allclose(share, task.prior, atol=0.02)


def test_too_few_rows_are_not_held_out():
    X, _, task = targets(n=30)
    distilled = distil(student_of(X), task, cv=4, n_rounds=1, vote_weight=0.1)
    assert distilled.held_out is None
    assert distilled.scaling.scale == 1


def test_known_classes_are_learned_as_they_are():
    X, truth, task = targets(noise=0.45)
    known = SoftTargets(task.from_votes, CLASSES, task.prior, task.used, truth)
    distilled = distil(
        student_of(X),
        known,
        cv=4,
        n_rounds=1,
        vote_weight=0.1,
    )
    assert (distilled.held_out.argmax(axis=1) == truth).mean() > 0.97


class Lengths:
    made = 0

    def encode(self, texts):
        return np.array([[len(t), t.count("a")] for t in texts])


def make_lengths():
    Lengths.made += 1
    return Lengths()


@pytest.mark.parametrize("encoder", [Lengths(), make_lengths])
def test_whatever_encodes_texts_can_be_the_student(encoder):
    texts, labels = ["aaa", "b", "aaaa", "bb"] * 5, ["a", "b", "a", "b"] * 5
    student = clone(encoder_student(encoder)).fit(texts, labels)
    again = pickle.loads(pickle.dumps(student))
    assert again.predict(["aaa", "b"]).tolist() == ["a", "b"]


def make_lengths_once():
    Lengths.made += 1
    return Lengths()


def test_what_a_function_makes_is_made_once_a_process_and_not_pickled():
    Lengths.made = 0
    encoder = SentenceEncoder(make_lengths_once)
    encoder.transform(["a"])
    encoder.transform(["b"])
    pickled = pickle.dumps(encoder)
    assert b"Lengths" not in pickled
    pickle.loads(pickled).transform(["a"])
    assert Lengths.made == 1


def test_an_encoder_that_loses_rows_is_an_error():
    class Loses:
        def encode(self, texts):
            return np.zeros((1, 3))

    with pytest.raises(ValueError, match="one row for each of 2 texts"):
        SentenceEncoder(Loses()).fit_transform(["a", "b"])
