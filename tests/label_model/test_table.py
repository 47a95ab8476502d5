import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import PatternTable


@pytest.fixture(params=[(1, 1, 2), (3, 2, 1), (40, 7, 3), (500, 11, 4), (30, 5, 90)])
def coded(request):
    """Random codes of (n_patterns, n_programs, n_answers), with few or many blocks."""
    n_patterns, n_programs, n_answers = request.param
    rng = np.random.default_rng(0)
    return rng.integers(0, n_answers, (n_patterns, n_programs)), n_answers, rng


def test_sum_adds_the_values_of_the_answers(coded):
    codes, n_answers, rng = coded
    values = rng.normal(size=(codes.shape[1], n_answers, 3))
    expected = sum(values[j, codes[:, j]] for j in range(codes.shape[1]))
    assert_allclose(PatternTable(codes, n_answers).sum(values), expected.T)


def test_count_adds_the_weights_of_the_patterns(coded):
    codes, n_answers, rng = coded
    weights = rng.random((len(codes), 2))
    one_hot = codes[:, :, None] == np.arange(n_answers)
    expected = np.einsum("uk,uma->mka", weights, one_hot)
    assert_allclose(PatternTable(codes, n_answers).count(weights.T), expected)


def test_a_group_holds_its_different_answers_once():
    codes = np.array([[1, 0, 1], [1, 2, 1], [0, 1, 0]])
    table = PatternTable(codes, 3, [np.array([0, 2])])
    (group,) = table.groups
    assert_array_equal(table.singles, [1])
    assert group.members.n_patterns == 2
    assert_array_equal(group.rows, [1, 1, 0])


def test_the_votes_of_a_group_are_shared_out_or_it_is_silent():
    codes = np.array([[0, 0], [0, 1], [1, 2]])
    (group,) = PatternTable(codes, 3, [np.array([0, 1])]).groups
    shares = group.shares[:, group.rows]
    assert_allclose(shares, [[1, 0, 0], [0, 1, 0.5], [0, 0, 0.5]])
