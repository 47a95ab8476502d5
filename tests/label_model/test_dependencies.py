import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import (
    check_groups,
    find_groups,
    fit_rank_one,
    pair_statistics,
)


def planted(accuracy, copies=(), n_samples=4000, coverage=0.6, seed=0):
    """Codes of independent programs, then of copies of some that err now and then."""
    rng = np.random.default_rng(seed)
    y = rng.integers(1, 3, n_samples)
    right = rng.random((n_samples, len(accuracy))) < accuracy
    codes = np.where(right, y[:, None], 3 - y[:, None])
    codes[rng.random(codes.shape) > coverage] = 0
    for original in copies:
        own = codes[rng.permutation(n_samples), original]
        repeats = rng.random(n_samples) < 0.9
        codes = np.column_stack([codes, np.where(repeats, codes[:, original], own)])
    return codes


def groups_of(codes):
    return [g.tolist() for g in find_groups(codes, np.ones(len(codes)), n_answers=3)]


@pytest.mark.parametrize("seed", range(3))
def test_independent_programs_are_in_no_group(seed):
    codes = planted(np.linspace(0.55, 0.9, 10), seed=seed)
    assert groups_of(codes) == []


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_found(seed):
    codes = planted([0.8, 0.7, 0.75, 0.65, 0.7, 0.6], copies=[0, 0, 3], seed=seed)
    assert groups_of(codes) == [[0, 6, 7], [3, 8]]


def test_copies_of_a_weak_program_are_found():
    codes = planted([0.55, 0.8, 0.75, 0.7, 0.8, 0.7], copies=[0] * 4)
    assert groups_of(codes) == [[0, 6, 7, 8, 9]]


def test_the_order_of_programs_does_not_matter():
    codes = planted([0.8, 0.7, 0.75, 0.65, 0.7, 0.6], copies=[0, 0, 3])
    order = np.random.default_rng(0).permutation(codes.shape[1])
    found = [sorted(order[g].tolist()) for g in groups_of(codes[:, order])]
    assert sorted(found) == groups_of(codes)


def silent_together(accuracy, copies=(), contrary=0):
    """Programs that mostly fall silent on one half of the samples, and the contrary."""
    codes = planted(accuracy, copies, coverage=1.0)
    rng = np.random.default_rng(1)
    n_samples, n_programs = len(codes), len(accuracy)
    is_hard = np.repeat((rng.random(n_samples) < 0.5)[:, None], n_programs, axis=1)
    is_hard[:, n_programs - contrary :] ^= True
    spoken = rng.random((n_samples, n_programs)) < np.where(is_hard, 0.15, 0.95)
    spoken = np.column_stack([spoken, *(spoken[:, c] for c in copies)])
    return np.where(spoken, codes, 0)


@pytest.mark.parametrize("contrary", [0, 1])
def test_falling_silent_on_what_is_hard_for_all_makes_no_group(contrary):
    """What counts is what two have in common beyond the middle pair, not the mean."""
    assert groups_of(silent_together(np.full(7, 0.95), contrary=contrary)) == []


def test_copies_are_found_among_programs_that_fall_silent_together():
    """Also where nearly half of the pairs are copies."""
    codes = silent_together([0.8, 0.75, 0.7, 0.75], copies=[0] * 6)
    assert groups_of(codes) == [[0, 4, 5, 6, 7, 8, 9]]


@pytest.mark.slow
def test_many_programs_are_joined_in_few_rounds():
    codes = planted(np.full(300, 0.7), copies=range(50), n_samples=2000)
    start = time.process_time()
    found = groups_of(codes)
    assert time.process_time() - start < 10
    assert found == [[program, 300 + program] for program in range(50)]


def test_pair_statistics_are_correlations():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (5000, 2))
    codes = np.column_stack([codes, codes[:, 0]])
    pairs = pair_statistics(codes, np.ones(5000), n_answers=3)
    assert_allclose(pairs.votes[0], [0, 0, 1], atol=0.05)
    assert_allclose(pairs.coverage[0], [0, 0, 1], atol=0.05)
    assert_array_equal(np.diag(pairs.n_shared), (codes > 0).sum(axis=0))


def test_one_hidden_cause_is_found_beside_a_pair_that_agrees_more():
    true = np.array([0.7, 0.6, 0.5, 0.6, 0.4, 0.7])
    correlation = np.outer(true, true)
    correlation[0, 1] = correlation[1, 0] = 0.95
    assert_allclose(fit_rank_one(correlation, 1 - np.eye(6)), true, atol=0.03)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([["x"]], "'x', which is not one of"),
        ([[0, 3]], "indices go from 0 to 2"),
        ([["a", "b"], ["b", "c"]], "'b' more than once"),
        (["ab"], "list of lists"),
        ([[0.5, 1]], "0.5"),
    ],
)
def test_groups_that_make_no_sense_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        check_groups(groups, 3, ["a", "b", "c"])


def test_groups_of_one_are_left_out():
    assert check_groups([[0], [], [2, 1]], 3)[0].tolist() == [1, 2]
