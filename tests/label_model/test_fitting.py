import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import (
    Parameters,
    Patterns,
    PatternTable,
    Settings,
    accuracies_of,
    class_of_answers,
    doubts,
    drift,
    fit_patterns,
    fit_temperature,
    misfit,
    start_stepping,
    unexplained,
)

MEANING = class_of_answers(np.arange(-1, 2), 2)


def settings(**changes):
    defaults = {
        "one_coin": False,
        "abstain": "auto",
        "class_prior": None,
        "groups": None,
        "max_iter": 1000,
        "tol": 1e-8,
    }
    return Settings(**{**defaults, **changes})


def go_on(*step):
    return False


def planted(accuracy, n_copies=0, n_samples=4000, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n_samples)
    right = rng.random((n_samples, len(accuracy))) < accuracy
    codes = np.where(right, y[:, None], 1 - y[:, None]) + 1
    codes[rng.random(codes.shape) > 0.6] = 0
    for _ in range(n_copies):
        own = codes[rng.permutation(n_samples), 0]
        copy = np.where(rng.random(n_samples) < 0.9, codes[:, 0], own)
        codes = np.column_stack([codes, copy])
    return Patterns(codes, np.ones(n_samples), MEANING), y


# --------------------------------------------------------------------- groups ----
def test_groups_that_explain_the_agreement_are_kept():
    patterns, _ = planted([0.7, 0.8, 0.7, 0.75, 0.8, 0.7], n_copies=3)
    fit = fit_patterns(patterns, settings(), go_on)
    assert [group.tolist() for group in fit.groups] == [[0, 6, 7, 8]]
    assert fit.parameters.fidelity[[0, 6, 7, 8]].min() > 0.7
    assert unexplained(patterns, fit) < 0.02


def test_given_groups_are_taken_as_they_are():
    patterns, _ = planted([0.8] * 5)
    fit = fit_patterns(patterns, settings(groups=[np.array([1, 2])]), go_on)
    assert_array_equal(fit.groups[0], [1, 2])


def test_a_group_of_independent_programs_does_little_harm():
    patterns, _ = planted([0.8, 0.7, 0.75, 0.8, 0.7, 0.75, 0.7])
    alone = fit_patterns(patterns, settings(groups=[]), go_on)
    grouped = fit_patterns(patterns, settings(groups=[np.array([1, 2])]), go_on)
    assert_allclose(
        accuracies_of(
            grouped.parameters.confusion[[0, 3, 4]], np.full(2, 0.5), MEANING
        ),
        accuracies_of(alone.parameters.confusion[[0, 3, 4]], np.full(2, 0.5), MEANING),
        atol=0.05,
    )


def test_a_fit_can_be_stopped():
    patterns, _ = planted([0.8] * 5)
    fit = fit_patterns(patterns, settings(), lambda *step: True)
    assert (fit.n_iter, fit.stopped, fit.converged) == (1, True, False)


def test_many_patterns_are_first_fitted_on_a_sample(monkeypatch):
    patterns, _ = planted([0.8, 0.7, 0.75, 0.8, 0.7, 0.75, 0.7, 0.8, 0.6])
    whole = fit_patterns(patterns, settings(), go_on)
    monkeypatch.setattr("sklearn_alchemist.label_model._fitting._SAMPLE_SIZE", 500)
    warm = fit_patterns(patterns, settings(tol=1e-10), go_on)
    assert_allclose(warm.parameters.confusion, whole.parameters.confusion, atol=5e-3)


# ---------------------------------------------------------------------- guard ----
def test_a_right_model_has_no_misfit():
    patterns, _ = planted([0.8, 0.7, 0.75, 0.8, 0.7])
    fit = fit_patterns(patterns, settings(), go_on)
    assert unexplained(patterns, fit) < 0.015
    assert doubts(patterns, fit) is None


def test_copies_that_are_taken_for_independent_are_a_misfit():
    patterns, _ = planted([0.8, 0.7, 0.75, 0.8, 0.7], n_copies=3)
    fit = fit_patterns(patterns, settings(groups=[]), go_on)
    assert unexplained(patterns, fit) > 0.02


def test_pairs_of_one_group_are_no_misfit():
    codes = np.array([[1, 1], [2, 2]])
    half = np.full((3, 2, 3), [0.0, 0.5, 0.5])
    model = Parameters(np.full(2, 0.5), half, np.zeros(2))
    table = PatternTable(codes, 3, [np.array([0, 1])])
    assert misfit(table, codes, np.full(2, 1e4), model) == 0


def test_a_model_that_most_programs_contradict_is_doubted():
    patterns, _ = planted([0.3, 0.25, 0.35, 0.3, 0.3, 0.3, 0.8, 0.8, 0.8, 0.8])
    method, why = doubts(patterns, fit_patterns(patterns, settings(), go_on))
    assert method == "majority_vote"
    assert "overrules the majority" in why


def test_drift_compares_with_decided_majorities_only():
    votes_for = np.array([[2, 1], [0, 2], [1, 1], [0, 0]])
    posterior = np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8], [0.9, 0.1]])
    overruled, shift = drift(votes_for, np.ones(4), posterior, np.array([1.0, 0.0]))
    assert overruled == 0.5
    assert 0 < shift < 1


def test_accuracies_are_nan_for_programs_that_never_vote():
    confusion = np.array([[[1.0, 0.0, 0.0]] * 2, [[0.0, 0.9, 0.1], [0.0, 0.3, 0.7]]])
    assert_allclose(
        accuracies_of(confusion, np.array([0.5, 0.5]), MEANING), [np.nan, 0.8]
    )


# ------------------------------------------------------------------- the rest ----
@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_of_overconfident_probabilities_is_found(true):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2, size=(20_000, 3))
    right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (rng.random(20_000)[:, None] > right.cumsum(axis=1)).sum(axis=1)
    sure = np.exp(true * logits) / np.exp(true * logits).sum(axis=1, keepdims=True)
    assert fit_temperature(sure, labels) == pytest.approx(true, rel=0.05)


def test_a_few_labels_hardly_move_the_temperature():
    assert fit_temperature(np.array([[0.6, 0.4]]), np.array([0])) > 0.5


def test_steps_over_chunks_keep_learning():
    accuracy = [0.8, 0.7, 0.75, 0.8, 0.7]
    first, _ = planted(accuracy, n_samples=300, seed=1)
    fit = fit_patterns(first, settings(groups=[]), go_on)
    stepwise = start_stepping(first, fit, None)
    for seed in range(2, 42):
        stepwise = stepwise.step(planted(accuracy, n_samples=500, seed=seed)[0])
    found = accuracies_of(stepwise.parameters.confusion, np.full(2, 0.5), MEANING)
    before = accuracies_of(fit.parameters.confusion, np.full(2, 0.5), MEANING)
    assert np.abs(found - accuracy).max() < np.abs(before - accuracy).max()
    assert_allclose(found, accuracy, atol=0.03)
    assert stepwise.n_samples == 300 + 40 * 500
