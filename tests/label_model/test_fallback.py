import numpy as np
import pytest

from sklearn_alchemist.label_model import (
    Patterns,
    Settings,
    class_of_answers,
    fallback_reason,
    fit_votes,
)


def fitted(votes, groups=()):
    meaning = class_of_answers(np.arange(-1, 2), 2)
    patterns = Patterns(votes + 1, np.ones(len(votes)), meaning)
    how = Settings(False, "ignore", None, list(groups), max_iter=1000, tol=1e-6)
    return patterns, fit_votes(patterns, how, lambda model: False).model


def votes_of(accuracy, n_programs, rng, y):
    right = rng.random((len(y), n_programs)) < accuracy
    return np.where(right, y[:, None], 1 - y[:, None])


@pytest.mark.parametrize(("n_wrong", "doubted"), [(1, False), (6, True)])
def test_votes_are_counted_where_the_model_turns_most_of_them_round(n_wrong, doubted):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 4000)
    accuracy = np.where(np.arange(10) < n_wrong, 0.3, 0.8)
    reason = fallback_reason(*fitted(votes_of(accuracy, 10, rng, y)))
    assert (reason is not None) == doubted
    assert not doubted or "worse than chance" in reason
