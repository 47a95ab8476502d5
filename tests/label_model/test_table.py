import numpy as np
import pytest
from numpy.testing import assert_allclose

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
    assert_allclose(PatternTable(codes, n_answers).sum(values), expected)


def test_count_adds_the_weights_of_the_patterns(coded):
    codes, n_answers, rng = coded
    weights = rng.random((len(codes), 2))
    one_hot = codes[:, :, None] == np.arange(n_answers)
    expected = np.einsum("uk,uma->mka", weights, one_hot)
    assert_allclose(PatternTable(codes, n_answers).count(weights), expected)
