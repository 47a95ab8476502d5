import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.votes import collapse, rank_rows

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)
narrow = hnp.arrays(np.int8, shapes, elements=st.integers(-1, 2))
wide = hnp.arrays(np.int64, shapes, elements=st.integers(-(2**62), 2**62))
fractions = hnp.arrays(np.float64, shapes, elements=st.floats(-3, 3, width=16))
unsigned = hnp.arrays(np.uint8, shapes)
flags = hnp.arrays(bool, shapes)


@given(narrow | wide | fractions | unsigned | flags)
def test_patterns_are_those_of_numpy(votes):
    expected, inverse, counts = np.unique(
        votes, axis=0, return_inverse=True, return_counts=True
    )
    patterns = collapse(votes)
    assert_array_equal(patterns[0], expected)
    assert_array_equal(patterns[1], inverse.ravel())
    assert_array_equal(patterns[2], counts)


@pytest.mark.parametrize("n_programs", [3, 39, 40, 200])
def test_many_columns_are_told_apart_exactly(n_programs):
    rng = np.random.default_rng(0)
    votes = rng.integers(-1, 2, (50, n_programs), dtype=np.int8)
    votes = votes[rng.integers(0, 50, 500)]
    # Rows that differ in the last column only.
    votes[:5] = votes[5]
    votes[0, -1] = (votes[5, -1] + 2) % 3 - 1
    patterns, inverse, counts = collapse(votes)
    assert_array_equal(patterns, np.unique(votes, axis=0))
    assert_array_equal(patterns[inverse], votes)
    assert counts.sum() == len(votes)


def test_weights_are_added_up():
    votes = np.array([[0, 1], [1, 1], [0, 1]])
    assert_allclose(collapse(votes, np.array([0.5, 2.0, 0.25]))[2], [0.75, 2.0])


@pytest.mark.parametrize("dtype", [np.int8, np.float64])
def test_no_rows_give_no_patterns(dtype):
    patterns, inverse, counts = collapse(np.empty((0, 3), dtype=dtype))
    assert patterns.shape == (0, 3)
    assert len(inverse) == len(counts) == 0


def test_patterns_keep_the_type_of_the_votes():
    assert collapse(np.array([[0, -1]], dtype=np.int16))[0].dtype == np.int16


def test_the_votes_are_left_as_they_are():
    votes = np.array([[1, -1], [0, 1]], dtype=np.int8)
    before = votes.copy()
    collapse(votes)
    assert_array_equal(votes, before)


def test_rows_of_more_columns_than_one_key_holds_are_told_apart():
    votes = np.random.default_rng(0).integers(-1, 40, (300, 60)).astype(np.int8)
    votes[150:] = votes[:150]
    votes[-1, -1] += 1
    patterns, inverse, counts = collapse(votes)
    assert len(patterns) == 151
    assert_array_equal(patterns[inverse], votes)
    assert_array_equal(patterns, np.unique(votes, axis=0))
    assert counts.sum() == 300


@given(narrow | wide)
def test_ranks_find_each_row_again(votes):
    first, rank = rank_rows(votes)
    assert_array_equal(votes[first[rank]], votes)
    assert_array_equal(np.lexsort(votes[first].T[::-1]), np.arange(len(first)))
