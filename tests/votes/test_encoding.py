import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_alchemist.votes import ABSTAIN, check_classes, encode_answers, vote_dtype


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


def test_classes_are_sorted():
    assert_array_equal(check_classes(["b", "a", "c"]), ["a", "b", "c"])


def test_classes_of_a_dict_are_its_keys():
    assert_array_equal(check_classes({"b": "second", "a": "first"}), ["a", "b"])


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["a", "b", "a"], "duplicates: .'a'."),
        ([1, 1.0, 2], "duplicates: .1.0."),
        (["a"], "at least 2"),
        ([], "at least 2"),
        (["a", None], "None or NaN"),
        ([0.0, float("nan")], "None or NaN"),
        (["a", 1], "all strings or all numbers"),
        ("ab", "the string 'ab'"),
    ],
)
def test_unusable_classes_are_refused(classes, message):
    with pytest.raises(ValueError, match=message):
        check_classes(classes)


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
