import pickle
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_alchemist import LabelModelAggregator
from sklearn_alchemist.label_model import Patterns, VoteBounds


def patterns_of(votes, n_classes, labels=None):
    votes = np.asarray(votes)
    meaning = np.eye(n_classes + 1, n_classes, -1, dtype=bool)
    return Patterns(votes + 1, np.ones(len(votes)), meaning, labels)


def is_allowed(votes, y, n_classes):
    """Tell whether others are no worse than chance where each program votes."""
    voted, right = votes >= 0, votes == y[:, None]
    others = voted.sum(axis=1, keepdims=True) - voted
    right_others = right.sum(axis=1, keepdims=True) - right
    missing = others * voted / n_classes - right_others * voted
    return missing.sum(axis=0) <= 1e-9


def share_right(votes, y):
    return (votes == y[:, None]).sum(axis=0) / np.maximum((votes >= 0).sum(axis=0), 1)


@st.composite
def problems(draw):
    """Votes of programs that abstain, copy each other and err together."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes, n_programs = draw(st.integers(2, 4)), draw(st.integers(1, 6))
    y = rng.integers(n_classes, size=draw(st.integers(1, 60)))
    shape = len(y), n_programs
    right = rng.random(shape) < rng.uniform(0.2, 1, n_programs)
    votes = np.where(right, y[:, None], rng.integers(n_classes, size=shape))
    shared = rng.random(shape) < rng.uniform(0, 1, n_programs)
    votes = np.where(shared, votes[:, :1], votes)
    return np.where(rng.random(shape) < rng.random(n_programs), votes, -1), y, n_classes


@given(problems())
@settings(max_examples=100, deadline=None)
def test_true_shares_lie_within_the_bounds(problem):
    votes, y, n_classes = problem
    bounds = VoteBounds.count(patterns_of(votes, n_classes))
    low, high = bounds.shares().T
    below, above = bounds.intervals().T
    checked = is_allowed(votes, y, n_classes) & (votes >= 0).any(axis=0)
    true = share_right(votes, y)
    assert (low - 1e-9 <= true)[checked].all()
    assert (true <= high + 1e-9)[checked].all()
    assert (below <= low + 1e-9).all()
    assert (high <= above + 1e-9).all()
    assert (above >= below).all()


@pytest.mark.parametrize("seed", range(8))
def test_no_bound_is_looser_than_all_classes_of_the_rows_allow(seed):
    # Fractions of a row are allowed in the bounds: less than one vote.
    rng = np.random.default_rng(seed)
    votes = rng.integers(-1, 2, size=(9, 3))
    found = VoteBounds.count(patterns_of(votes, 2)).shares()
    ways = [np.array(way) for way in product(range(2), repeat=len(votes))]
    for program in np.flatnonzero((votes >= 0).any(axis=0)):
        shares = [
            share_right(votes, y)[program]
            for y in ways
            if is_allowed(votes, y, 2)[program]
        ]
        one_vote = 1 / (votes[:, program] >= 0).sum()
        assert 0 <= min(shares) - found[program, 0] + 1e-9 < one_vote
        assert 0 <= found[program, 1] - max(shares) + 1e-9 < one_vote


def test_two_programs_differ_by_their_disagreement_at_most():
    votes = np.array([[0, 0]] * 45 + [[1, 1]] * 45 + [[0, 1]] * 10)
    shares = VoteBounds.count(patterns_of(votes, 2)).shares()
    np.testing.assert_allclose(shares, [[0.4, 1.0]] * 2)


def test_who_contradicts_all_others_is_bounded_from_above():
    y = np.arange(1000) % 2
    votes = np.column_stack([y, y, y, 1 - y])
    low, high = VoteBounds.count(patterns_of(votes, 2)).shares().T
    assert high[3] == pytest.approx(0.5)
    assert low[3] == 0


def test_programs_without_overlaps_can_be_anything():
    votes = [[0, -1, -1], [1, -1, -1], [-1, 0, -1], [-1, 1, -1]] * 50
    found = LabelModelAggregator(classes=[0, 1]).fit(votes).accuracy_interval_
    np.testing.assert_array_equal(found, [[0.0, 1.0]] * 3)


def test_what_stands_for_no_class_is_no_evidence_and_never_right():
    # The second answer stands for no class, the fourth is not known.
    meaning = np.array([[0, 0], [1, 0], [0, 0], [0, 1]], dtype=bool)
    codes = np.array([[1, 1], [2, 3], [2, 0], [4, 0]])
    bounds = VoteBounds.count(Patterns(codes, np.ones(4), meaning))
    assert bounds.n_votes.tolist() == [3, 2]
    assert bounds.shares()[0, 1] == pytest.approx(1 / 3)


def test_labels_are_true():
    votes = np.array([[0], [1], [0], [1]])
    bounds = VoteBounds.count(patterns_of(votes, 2, np.array([0, 1, 1, -1])))
    np.testing.assert_allclose(bounds.shares(), [[0.5, 0.75]])


def draw_votes(rng, n_samples=2000):
    y = rng.integers(2, size=n_samples)
    right = rng.random((n_samples, 5)) < [0.95, 0.9, 0.85, 0.8, 0.1]
    votes = np.where(right, y[:, None], 1 - y[:, None])
    votes[rng.random(votes.shape) < 0.2] = -1
    return votes


def test_fewer_rows_make_wider_intervals():
    votes = draw_votes(np.random.default_rng(0), 50)
    widths = [
        np.diff(LabelModelAggregator().fit(np.tile(votes, (n, 1))).accuracy_interval_)
        for n in (1, 10, 100)
    ]
    assert (widths[0] > widths[1]).all()
    assert (widths[1] > widths[2]).all()


def test_the_accuracy_in_all_rows_is_within_the_interval_of_a_sample():
    # Labels tell its share in the sample, so that chance alone is left: it misses the
    # true accuracy at most 5 % of the time.
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(400):
        y = rng.integers(2, size=80)
        vote = np.where(rng.random(80) < 0.8, y, 1 - y)[:, None]
        low, high = VoteBounds.count(patterns_of(vote, 2, y)).intervals()[0]
        missed += not low <= 0.8 <= high
    assert 0 < missed <= 30


def test_neither_the_order_of_programs_nor_that_of_rows_matters():
    rng = np.random.default_rng(0)
    votes = draw_votes(rng)
    found = LabelModelAggregator().fit(votes).accuracy_interval_
    columns, rows = rng.permutation(5), rng.permutation(len(votes))
    shuffled = LabelModelAggregator().fit(votes[rows][:, columns])
    np.testing.assert_allclose(shuffled.accuracy_interval_, found[columns])


def test_estimates_of_a_fit_lie_within():
    aggregator = LabelModelAggregator().fit(draw_votes(np.random.default_rng(0)))
    low, high = aggregator.accuracy_interval_.T
    assert ((low < aggregator.accuracies_) & (aggregator.accuracies_ < high)).all()
    assert high[4] < 0.8


def test_chunks_say_what_all_rows_say(monkeypatch):
    votes = draw_votes(np.random.default_rng(0))
    whole = LabelModelAggregator().fit(votes)
    before = LabelModelAggregator().partial_fit(votes[:500])
    early = before.accuracy_interval_
    after = before.partial_fit(votes[500:]).accuracy_interval_
    np.testing.assert_allclose(after, whole.accuracy_interval_)
    assert (np.diff(early) > np.diff(after)).all()
    # Rows that are not kept are counted at once.
    monkeypatch.setattr(
        "sklearn_alchemist.label_model._aggregator_fit.MAX_PATTERNS", 50
    )
    running = LabelModelAggregator()
    for start in range(0, 2000, 500):
        interval = running.partial_fit(votes[start : start + 500]).accuracy_interval_
    np.testing.assert_allclose(interval, after)


def test_it_is_computed_when_asked_for_and_pickled():
    aggregator = LabelModelAggregator().fit(draw_votes(np.random.default_rng(0)))
    assert "accuracy_interval_" not in vars(aggregator)
    again = pickle.loads(pickle.dumps(aggregator))
    found = aggregator.accuracy_interval_
    assert aggregator.accuracy_interval_ is found
    np.testing.assert_array_equal(again.accuracy_interval_, found)


def test_without_kept_votes_there_is_none():
    assert not hasattr(LabelModelAggregator(), "accuracy_interval_")
    earlier = LabelModelAggregator().fit([[0, 1], [1, 1]])
    del earlier._bounds, earlier._seen
    assert not hasattr(earlier, "accuracy_interval_")
    assert earlier.predict([[1, 1]]).tolist() == [1]
