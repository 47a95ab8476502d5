import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist import LabelModelAggregator
from sklearn_alchemist.label_model import canonical_order, hash_patterns


@pytest.fixture
def patterns():
    rng = np.random.default_rng(0)
    codes = np.unique(rng.integers(0, 3, (500, 9)), axis=0)
    return codes, rng.integers(1, 9, len(codes)).astype(float)


def test_different_patterns_have_different_hashes(patterns):
    codes, counts = patterns
    assert len(np.unique(hash_patterns(codes, counts, 3))) == len(codes)


def test_any_order_is_put_in_the_same_order(patterns):
    codes, counts = patterns
    rows, columns = canonical_order(codes, counts, 3)
    rng = np.random.default_rng(1)
    i, j = rng.permutation(len(codes)), rng.permutation(codes.shape[1])
    shuffled = codes[np.ix_(i, j)]
    same_rows, same_columns = canonical_order(shuffled, counts[i], 3)
    assert_array_equal(
        shuffled[np.ix_(same_rows, same_columns)], codes[np.ix_(rows, columns)]
    )
    assert_array_equal(counts[i][same_rows], counts[rows])


def test_programs_that_answer_equally_often_are_told_apart_by_the_others():
    codes = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1], [0, 0, 1]])
    counts = np.array([3.0, 3.0, 2.0, 1.0])
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        _, columns = canonical_order(codes[:, order], counts, 3)
        _, expected = canonical_order(codes, counts, 3)
        assert_array_equal(np.array(order)[columns], expected)


def test_many_steps_lead_to_the_same_end_for_any_order_of_programs():
    # Hundreds of steps, whose leaps blow up any difference in rounding; and beyond a
    # hundred programs, several pairs are joined at a time.
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 600)
    shape = (600, 120)
    votes = np.where(rng.random(shape) < 0.6, y[:, None], 1 - y[:, None])
    votes[rng.random(shape) < 0.7] = -1
    copied = rng.random((600, 40)) < 0.6
    votes[:, 40:80] = np.where(copied, votes[:, :40], votes[:, 40:80])
    order = rng.permutation(120)
    one = LabelModelAggregator(guard=False).fit(votes)
    other = LabelModelAggregator(guard=False).fit(votes[:, order])
    assert one.n_iter_ > 100
    assert_allclose(
        other.predict_proba(votes[:, order]), one.predict_proba(votes), atol=1e-9
    )
    assert_allclose(other.confusion_, one.confusion_[order], atol=1e-9)
    assert_allclose(other.accuracies_, one.accuracies_[order], atol=1e-9)


def test_the_order_of_given_groups_does_not_matter():
    rng = np.random.default_rng(5)
    votes = rng.integers(-1, 2, (300, 8))
    order = rng.permutation(8)
    place = np.argsort(order)
    groups = [[0, 3], [1, 2, 7]]
    moved = [[int(place[program]) for program in group] for group in groups[::-1]]
    one = LabelModelAggregator(program_groups=groups, guard=False).fit(votes)
    other = LabelModelAggregator(program_groups=moved, guard=False).fit(votes[:, order])
    assert_allclose(
        other.predict_proba(votes[:, order]), one.predict_proba(votes), atol=1e-9
    )
    found = {tuple(np.sort(order[group])) for group in other.groups_}
    assert found == {(0, 3), (1, 2, 7)}
