import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_alchemist.votes import ABSTAIN, encode_answers, vote_dtype


@pytest.mark.parametrize(
    ("n_classes", "dtype"),
    [
        (1, np.int8),
        (2, np.int8),
        (128, np.int8),
        (129, np.int16),
        (32_768, np.int16),
        (32_769, np.int32),
        (2**31, np.int32),
        (2**31 + 1, np.int64),
    ],
)
def test_vote_dtype_is_the_smallest_that_holds_all_indices(n_classes, dtype):
    assert vote_dtype(n_classes) == dtype
    assert np.iinfo(dtype).max >= n_classes - 1


def test_vote_dtype_refuses_no_classes():
    with pytest.raises(ValueError, match="at least 1"):
        vote_dtype(0)


def test_answers_get_their_position_and_unknown_ones_the_next():
    votes = np.array([[ABSTAIN, 2, 7], [9, -5, 8]])
    assert_array_equal(
        encode_answers(votes, np.array([ABSTAIN, 2, 7])), [[0, 1, 2], [3, 3, 3]]
    )


def test_answers_below_minus_one_and_fractions_are_answers():
    votes = np.array([[-2.0, 0.5, ABSTAIN]])
    assert_array_equal(encode_answers(votes, np.array([-1, -2, 0.5])), [[1, 2, 0]])


def test_all_votes_are_unknown_where_only_abstaining_is_known():
    assert_array_equal(encode_answers(np.array([[0, -1]]), np.array([-1])), [[1, 0]])


@pytest.mark.parametrize("n_classes", [126, 127, 128, 129])
def test_votes_as_small_as_their_type_allows_are_encoded(n_classes):
    votes = np.arange(-1, n_classes, dtype=vote_dtype(n_classes))[:, None]
    codes = encode_answers(votes, np.arange(-1, n_classes))
    assert_array_equal(codes[:, 0], np.arange(n_classes + 1))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64])
def test_votes_below_minus_one_are_unknown_in_every_type(dtype):
    votes = np.array([[-1, -2, 0, np.iinfo(dtype).min, np.iinfo(dtype).max]], dtype)
    assert encode_answers(votes, np.array([-1, 0, 1])).tolist() == [[0, 3, 1, 3, 3]]
