import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.votes import agreement, conflicts, coverage, overlaps, polarity

VOTES = np.array(
    [
        [0, 0, -1],
        [0, 1, -1],
        [-1, 2, -1],
        [2, 2, 0],
    ],
    dtype=np.int8,
)

votes_matrices = hnp.arrays(
    np.int8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6),
    elements=st.integers(-1, 2),
)


def test_coverage_counts_votes():
    assert_allclose(coverage(VOTES), [0.75, 1.0, 0.25])


def test_overlaps_counts_votes_in_company():
    assert_allclose(overlaps(VOTES), [0.75, 0.75, 0.25])


def test_conflicts_counts_votes_that_meet_another_opinion():
    assert_allclose(conflicts(VOTES), [0.5, 0.5, 0.25])


@given(votes_matrices)
def test_conflicts_equals_a_comparison_of_all_pairs(votes):
    differ = (votes[:, :, None] != votes[:, None, :]) & (votes[:, None, :] != -1)
    expected = ((votes != -1) & differ.any(axis=2)).mean(axis=0)
    assert_allclose(conflicts(votes), expected)


@given(votes_matrices)
def test_overlaps_equals_a_comparison_of_all_pairs(votes):
    others = (votes != -1).sum(axis=1, keepdims=True) - (votes != -1)
    assert_allclose(overlaps(votes), ((votes != -1) & (others > 0)).mean(axis=0))


@given(votes_matrices)
def test_conflict_needs_overlap_and_overlap_needs_coverage(votes):
    assert (conflicts(votes) <= overlaps(votes)).all()
    assert (overlaps(votes) <= coverage(votes)).all()


def test_polarity_tells_which_classes_are_ever_voted():
    assert_array_equal(
        polarity(VOTES),
        [[True, False, True], [True, True, True], [True, False, False]],
    )


def test_polarity_has_a_column_for_classes_nobody_votes():
    assert polarity(VOTES, n_classes=5).shape == (3, 5)
    assert not polarity(VOTES, n_classes=5)[:, 3:].any()


def test_polarity_refuses_votes_beyond_the_classes():
    with pytest.raises(ValueError, match="votes holds 2, but n_classes is 2"):
        polarity(VOTES, n_classes=2)


def test_agreement_is_the_share_of_votes_that_hit():
    assert_allclose(agreement(VOTES, [0, 0, 2, 0]), [2 / 3, 0.5, 1.0])


def test_agreement_leaves_out_unknown_labels():
    assert_allclose(agreement(VOTES, [-1, 0, 2, -1]), [1.0, 0.5, np.nan])


def test_agreement_refuses_labels_of_another_length():
    with pytest.raises(ValueError, match="labels must have shape"):
        agreement(VOTES, [0, 1])


@pytest.mark.parametrize("statistic", [coverage, overlaps, conflicts])
def test_statistics_of_no_rows_are_zero(statistic):
    assert_array_equal(statistic(np.empty((0, 2), dtype=np.int8)), [0, 0])


@pytest.mark.parametrize("statistic", [coverage, overlaps, conflicts, polarity])
@pytest.mark.parametrize(
    ("votes", "message"),
    [
        (np.array([0, 1]), "matrix of integers"),
        (np.array([[0.5, 1.0]]), "matrix of integers"),
        (np.array([[0, -2]]), "below -1"),
    ],
)
def test_what_is_no_vote_matrix_is_refused(statistic, votes, message):
    with pytest.raises(ValueError, match=message):
        statistic(votes)
