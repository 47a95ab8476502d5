import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import (
    Patterns,
    class_of_answers,
    count_levels,
    count_votes,
    fit_voting_rule,
    peer_accuracies,
    silent_prior,
)


def patterns_of(votes):
    meaning = class_of_answers(np.arange(-1, 2), 2)
    return Patterns(votes + 1, np.ones(len(votes)), meaning)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_number_of_votes_for_a_class_does_not_decide_ties(weighted):
    votes = np.array([[0, -1, -1]] * 60 + [[-1, 1, -1]] * 5)
    rule = fit_voting_rule(patterns_of(votes), weighted=weighted)
    tie, none = rule.posterior(np.array([[1, 2, 0], [0, 0, 0]]))
    assert_allclose(tie, [0.5, 0.5])
    assert none[0] > 0.8


@pytest.mark.parametrize("weighted", [False, True])
def test_a_class_prior_that_is_given_decides_ties(weighted):
    votes = np.array([[0, 1], [1, 0], [0, 0], [1, 1]])
    prior = np.array([0.3, 0.7])
    rule = fit_voting_rule(patterns_of(votes), weighted=weighted, class_prior=prior)
    assert_array_equal(rule.posterior(np.array([[1, 2]])).argmax(axis=1), [1])
    assert_allclose(rule.posterior(np.array([[0, 0]])), [prior])


def test_the_only_vote_decides_even_of_a_program_that_others_contradict():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 500)
    votes = np.column_stack([y, y, y, 1 - y])
    patterns = patterns_of(votes)
    assert_allclose(peer_accuracies(patterns)[3], 0.51)
    rule = fit_voting_rule(patterns, weighted=True)
    assert rule.posterior(np.array([[0, 0, 0, 2]]))[0, 1] > 0.5


def test_the_temperature_leaves_the_prior():
    votes = np.array([[0, 1], [1, 0], [0, 0], [1, 1]])
    prior = np.array([0.3, 0.7])
    for weighted in (False, True):
        rule = fit_voting_rule(patterns_of(votes), weighted=weighted, class_prior=prior)
        assert_allclose(rule.posterior(np.array([[1, 0]]), 1e9), [prior], atol=1e-6)


def test_silent_rows_are_of_the_class_whose_votes_seldom_meet():
    """As in a crowd of animals: what is caught once, and never again, hides."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 2000)
    hit = np.where(np.arange(12) % 2 == y[:, None], np.where(y, 0.25, 0.05)[:, None], 0)
    votes = np.where(rng.random(hit.shape) < hit, y[:, None], -1)
    silent = (votes == -1).all(axis=1)
    rule = fit_voting_rule(patterns_of(votes), weighted=False)
    assert y[silent].mean() < 0.25
    assert 0.55 < rule.posterior(np.zeros((1, 12), int))[0, 0] < 0.8


def test_where_no_row_is_silent_one_gets_the_shares_of_the_others():
    levels = np.array([[0, 0], [0, 0], [0, 0], [900.0, 100.0]])
    assert_allclose(silent_prior(levels, np.array([0.9, 0.1])), [0.9, 0.1])


def test_labels_of_silent_rows_say_what_silent_rows_are():
    votes = np.array([[-1, -1]] * 200 + [[0, 0]] * 50 + [[1, 1]] * 50)
    labels = np.repeat([1, -1], [100, 200])
    patterns = patterns_of(votes)
    patterns = Patterns(patterns.codes, patterns.counts, patterns.meaning, labels)
    levels = count_levels(patterns, count_votes(patterns.codes, patterns.meaning))
    assert levels[1].tolist() == [0, 100]
    assert silent_prior(levels, np.array([0.5, 0.5]))[1] > 0.9
