import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import class_of_answers, make_priors, one_coin_shares


def priors_of(*totals, n_classes=2, n_answers=None):
    answers = np.arange(-1, (n_answers or n_classes + 1) - 1)
    return make_priors(np.array(totals, float), class_of_answers(answers, n_classes))


def test_programs_are_expected_to_be_right_more_often_than_not():
    votes = priors_of([10, 20, 30, 40], n_classes=3).votes[0]
    assert_allclose(votes.sum(axis=1), 10)
    assert_allclose(np.diag(votes), 7)


def test_a_vote_never_given_gets_no_mass():
    assert_array_equal(priors_of([10, 20, 0]).votes[0][:, 1], [0, 0])


def test_coverage_of_a_program_that_votes_all_classes_is_held():
    assert_allclose(priors_of([50, 30, 20]).coverage, [[100, 100]])


@pytest.mark.parametrize("rare", [0, 1])
def test_coverage_of_a_program_that_hardly_votes_a_class_is_free(rare):
    assert_allclose(priors_of([20, 80 - rare, rare]).coverage.sum(), 2)


def test_a_program_without_votes_is_sure_to_abstain():
    priors = priors_of([100, 0, 0])
    assert_array_equal(priors.coverage, [[2, 0]])
    assert not priors.votes.any()


def test_programs_that_vote_all_classes_are_held_near_one_accuracy():
    assert_array_equal(priors_of([10, 20, 30], [10, 20, 0]).anchored, [True, False])


def test_more_programs_are_tied_tighter():
    few, many = (priors_of(*[[50, 30, 20]] * m).coverage[0].sum() for m in (10, 40))
    assert many == 4 * few


def test_errors_of_one_coin_are_divided_over_what_is_given():
    meaning = class_of_answers(np.arange(-1, 3), 3)
    given = np.array([[True, True, False]])
    shares = one_coin_shares(np.array([0.8]), meaning, given)
    assert_allclose(shares, [[[0.8, 0.2, 0], [0.2, 0.8, 0], [0.5, 0.5, 0]]])
