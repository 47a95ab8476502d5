from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import (
    Patterns,
    Settings,
    class_of_answers,
    fallback_reason,
    fit_votes,
    shared_errors,
)


def fitted(votes, groups=()):
    meaning = class_of_answers(np.arange(-1, 2), 2)
    patterns = Patterns(votes + 1, np.ones(len(votes)), meaning)
    how = Settings(False, "ignore", None, list(groups), max_iter=1000, tol=1e-6)
    return patterns, fit_votes(patterns, how, lambda model: False).model


def votes_of(accuracy, n_programs, rng, y):
    right = rng.random((len(y), n_programs)) < accuracy
    return np.where(right, y[:, None], 1 - y[:, None])


def test_errors_of_independent_programs_are_not_shared():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 6000)
    accuracy = np.linspace(0.6, 0.85, 8)
    assert shared_errors(*fitted(votes_of(accuracy, 8, rng, y))) < 0.05


def test_errors_that_come_together_on_hard_rows_are_seen():
    rng = np.random.default_rng(0)
    y, hard = rng.integers(0, 2, 6000), rng.random(6000) < 0.3
    accuracy = np.where(hard, 0.6, 0.95)[:, None]
    patterns, model = fitted(votes_of(accuracy, 8, rng, y))
    shared = shared_errors(patterns, model)
    assert shared > 0.3
    sure = model.posterior(patterns.codes)
    unsure = replace(model, shared_errors=shared).posterior(patterns.codes)
    assert_array_equal(unsure.argmax(axis=1), sure.argmax(axis=1))
    assert unsure.max(axis=1).mean() < sure.max(axis=1).mean()


def test_copies_in_one_group_are_no_shared_errors():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 6000)
    votes = votes_of(np.full(6, 0.75), 6, rng, y)
    votes = np.column_stack([votes, votes[:, :1], votes[:, :1]])
    apart, together = (
        shared_errors(*fitted(votes, groups)) for groups in ([], [np.array([0, 6, 7])])
    )
    assert together < 0.05 < apart


def test_a_single_vote_is_as_sure_whatever_is_shared():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 500)
    _, model = fitted(votes_of(np.full(3, 0.8), 3, rng, y))
    alone = np.array([[2, 0, 0]])
    assert_allclose(
        replace(model, shared_errors=5.0).posterior(alone), model.posterior(alone)
    )


@pytest.mark.parametrize(("n_wrong", "doubted"), [(1, False), (6, True)])
def test_votes_are_counted_where_the_model_turns_most_of_them_round(n_wrong, doubted):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 4000)
    accuracy = np.where(np.arange(10) < n_wrong, 0.3, 0.8)
    reason = fallback_reason(*fitted(votes_of(accuracy, 10, rng, y)))
    assert (reason is not None) == doubted
    assert not doubted or "worse than chance" in reason
