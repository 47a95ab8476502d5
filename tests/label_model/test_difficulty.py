from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import (
    Patterns,
    Settings,
    class_of_answers,
    find_levels,
    find_shared_errors,
    fit_votes,
    level_cuts,
)


def fitted(votes, groups=(), levels=None):
    meaning = class_of_answers(np.arange(-1, 2), 2)
    patterns = Patterns(votes + 1, np.ones(len(votes)), meaning, levels=levels)
    how = Settings(False, "ignore", None, list(groups), max_iter=1000, tol=1e-6)
    return patterns, fit_votes(patterns, how, lambda model: False).model


def strength(votes, groups=()):
    shared = find_shared_errors(*fitted(votes, groups))
    return 0.0 if shared is None else shared.strength[-1]


def votes_of(accuracy, n_programs, rng, y):
    right = rng.random((len(y), n_programs)) < accuracy
    return np.where(right, y[:, None], 1 - y[:, None])


def test_errors_of_independent_programs_are_not_shared():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 6000)
    assert strength(votes_of(np.linspace(0.6, 0.85, 8), 8, rng, y)) < 0.05


def test_errors_that_come_together_on_hard_rows_make_less_sure():
    rng = np.random.default_rng(0)
    y, hard = rng.integers(0, 2, 6000), rng.random(6000) < 0.3
    patterns, model = fitted(votes_of(np.where(hard, 0.6, 0.95)[:, None], 8, rng, y))
    shared = find_shared_errors(patterns, model)
    assert shared.strength[-1] > 0.3
    sure = model.posterior(patterns.codes)
    unsure = replace(model, shared=shared).posterior(patterns.codes)
    assert_array_equal(unsure.argmax(axis=1), sure.argmax(axis=1))
    error = (sure.argmax(axis=1) != y).mean()
    assert 1 - sure.max(axis=1).mean() < error
    assert unsure.max(axis=1).mean() < sure.max(axis=1).mean()


def test_copies_in_one_group_are_no_shared_errors():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 6000)
    votes = votes_of(np.full(6, 0.75), 6, rng, y)
    votes = np.column_stack([votes, votes[:, :1], votes[:, :1]])
    apart, together = (strength(votes, g) for g in ([], [np.array([0, 6, 7])]))
    assert together < 0.05 < apart


def test_rows_of_a_harder_level_are_less_sure():
    rng = np.random.default_rng(0)
    y, level = rng.integers(0, 2, 6000), rng.integers(0, 4, 6000)
    hard = rng.random(6000) < np.array([0.0, 0.1, 0.3, 0.6])[level]
    votes = votes_of(np.where(hard, 0.55, 0.95)[:, None], 8, rng, y)
    patterns, model = fitted(votes, levels=level)
    model = replace(model, shared=find_shared_errors(patterns, model))
    unanimous = np.full((4, 8), 2)
    sure = model.posterior(unanimous, levels=np.arange(4))[:, 1]
    assert (np.diff(sure) < 0).all()
    # Where the level is not known, it is that of any row.
    unknown = model.posterior(unanimous[:2], levels=np.array([-1, -1]))[:, 1]
    assert sure[3] < unknown[0] < sure[0]
    assert_allclose(model.posterior(unanimous[:2])[:, 1], unknown)


def test_a_row_without_votes_keeps_its_prior_and_unanimous_votes_their_side():
    rng = np.random.default_rng(0)
    y, hard = rng.integers(0, 2, 2000), rng.random(2000) < 0.5
    votes = votes_of(np.where(hard, 0.5, 0.95)[:, None], 6, rng, y)
    votes[rng.random(votes.shape) < 0.3] = -1
    patterns, model = fitted(votes)
    shared = replace(model, shared=find_shared_errors(patterns, model))
    nothing = np.zeros((1, 6), int)
    assert_array_equal(shared.posterior(nothing), model.posterior(nothing))
    assert (shared.posterior(np.full((1, 6), 1))[0] > 0.5).tolist() == [True, False]


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [3.0, 3.0, 3.0]])
def test_values_that_tell_no_rows_apart_are_one_level(values):
    values = np.array(values)
    assert len(level_cuts(values, np.ones(len(values)))) == 0


@given(
    arrays(float, st.integers(1, 40), elements=st.integers(-5, 5)),
    st.randoms(use_true_random=False),
)
def test_levels_depend_on_counts_and_not_on_order(values, random):
    counts = np.array([random.randint(1, 4) for _ in values])
    cuts = level_cuts(values, counts.astype(float))
    repeated = np.repeat(values, counts)
    random.shuffle(repeated)
    assert_array_equal(level_cuts(repeated, np.ones(len(repeated))), cuts)
    assert len(cuts) <= 3
    levels = find_levels(values, cuts)
    assert set(levels.tolist()) == set(range(len(cuts) + 1))
