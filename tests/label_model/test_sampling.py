import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_alchemist.label_model import draw_patterns


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    return (rng.random((5000, 12)) * rng.uniform(1, 4, 12)).astype(int)


def drawn(codes, counts=None, size=500):
    counts = np.ones(len(codes)) if counts is None else counts
    return draw_patterns(codes, counts, 4, size)


def test_about_as_many_as_asked_are_drawn(codes):
    assert len(drawn(codes)) == pytest.approx(500, abs=5)


def test_the_order_of_rows_and_columns_does_not_matter(codes):
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(5000), rng.permutation(12)
    assert_array_equal(np.sort(rows[drawn(codes[rows][:, columns])]), drawn(codes))


def test_repeated_rows_are_drawn_as_their_counts_are():
    rng = np.random.default_rng(0)
    patterns = np.unique(rng.integers(0, 3, (4000, 8)), axis=0)
    counts = rng.integers(1, 4, len(patterns))
    chosen = patterns[drawn(patterns, counts.astype(float))]
    rows = np.repeat(patterns, counts, axis=0)
    hashes = drawn(rows, size=len(rows) // 2)
    # Equal rows have equal hashes, so that all or none of them is drawn.
    different, n_drawn = np.unique(rows[hashes], axis=0, return_counts=True)
    position = [np.flatnonzero((patterns == row).all(axis=1))[0] for row in different]
    assert_array_equal(n_drawn, counts[position])
    assert len(chosen) >= 500


def test_the_sample_looks_like_the_whole(codes):
    share = (codes[drawn(codes, size=2000)] == 1).mean(axis=0)
    assert np.abs(share - (codes == 1).mean(axis=0)).max() < 0.04
