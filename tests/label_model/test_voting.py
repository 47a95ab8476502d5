import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import majority_posterior, vote_share_prior

PRIOR = np.array([0.01, 0.09, 0.9])


@given(hnp.arrays(int, (5, 3), elements=st.integers(0, 1000)))
def test_the_prior_never_overrules_a_majority(votes_for):
    posterior = majority_posterior(votes_for, PRIOR)
    winner = posterior.argmax(axis=1)
    assert_array_equal(votes_for[np.arange(5), winner], votes_for.max(axis=1))


def test_the_prior_decides_ties_and_rows_without_votes():
    posterior = majority_posterior(np.array([[4, 4, 0], [0, 0, 0]]), PRIOR)
    assert posterior[0].argmax() == 1
    assert_allclose(posterior[1], PRIOR)


def test_each_row_with_votes_counts_once_in_the_prior():
    votes_for = np.array([[9, 0], [0, 1], [0, 0]])
    assert_allclose(vote_share_prior(votes_for, np.array([1, 1, 50])), [0.5, 0.5])


def test_the_prior_of_no_votes_is_uniform():
    assert_allclose(vote_share_prior(np.zeros((2, 4)), np.array([3, 4])), 0.25)
