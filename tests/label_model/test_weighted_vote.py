import numpy as np
from numpy.testing import assert_allclose

from sklearn_alchemist.label_model import (
    Patterns,
    PatternTable,
    class_of_answers,
    peer_accuracies,
    weighted_posterior,
)

MEANING = class_of_answers(np.arange(-1, 2), 2)


def accuracies_of(codes, counts):
    return peer_accuracies(Patterns(codes, counts, MEANING))


def test_a_program_is_compared_with_the_majority_of_the_others_only():
    """The others of the first two are tied, so nothing is learned of these."""
    codes = np.array([[1, 1, 2]])
    assert_allclose(accuracies_of(codes, np.array([90.0])), [0.7, 0.7, 0.5])


def test_better_programs_get_higher_accuracies():
    rng = np.random.default_rng(0)
    y = rng.integers(1, 3, 5000)
    right = rng.random((5000, 5)) < [0.95, 0.9, 0.8, 0.7, 0.5]
    codes = np.where(right, y[:, None], 3 - y[:, None])
    found = accuracies_of(codes, np.ones(5000))
    assert (np.diff(found) < 0).all()


def test_a_program_worse_than_chance_has_no_say():
    codes = np.array([[1, 1, 1, 2], [2, 2, 2, 1]])
    accuracies = accuracies_of(codes, np.array([500.0, 500.0]))
    assert accuracies[3] == 0.5
    proba = weighted_posterior(
        PatternTable(np.array([[0, 0, 0, 1]]), 3), MEANING, accuracies, np.full(2, 0.5)
    )
    assert_allclose(proba, [[0.5, 0.5]])


def test_votes_are_weighed_by_the_rule_of_bayes():
    table = PatternTable(np.array([[1, 2]]), 3)
    proba = weighted_posterior(
        table, MEANING, np.array([0.8, 0.6]), np.array([0.3, 0.7])
    )
    joint = np.array([0.3 * 0.8 * 0.4, 0.7 * 0.2 * 0.6])
    assert_allclose(proba[0], joint / joint.sum())
