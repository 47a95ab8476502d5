"""Which records are read, where the budget ends, and what target is kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_alchemist.cascade import (
    SMALLEST,
    affordable,
    bound_target,
    draw_records,
    estimate_target,
    permanent_numbers,
    spread_answers,
    threshold_within,
    trace_frontier,
)

WORTH = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


@given(WORTH, st.floats(0, 10))
def test_a_budget_is_never_exceeded_and_nothing_worthless_is_bought(worth, budget):
    cost = np.linspace(0.1, 2, len(worth))
    chosen = affordable(worth, cost, budget)
    assert cost[chosen].sum() <= budget * (1 + 1e-6)
    assert (worth[chosen] >= SMALLEST).all()
    assert (np.diff(worth[chosen]) <= 0).all()


def test_a_threshold_takes_as_many_records_as_the_budget():
    worth = np.linspace(0, 1, 11)
    assert (worth >= threshold_within(worth, np.ones(11), 3)).sum() == 3
    assert threshold_within(worth, np.ones(11), None) == SMALLEST
    assert threshold_within(worth, np.ones(11), 0) == np.inf
    assert threshold_within(np.zeros(3), np.ones(3), 2) == SMALLEST


def test_records_are_drawn_as_often_as_is_said():
    worth = np.array([0.0, 0.0, 0.1, 0.2, 0.5, 0.0])
    n_drawn, told = np.zeros(6), np.zeros(6)
    for seed in range(3000):
        numbers = permanent_numbers([str(i) for i in range(6)], seed)
        rows, chance = draw_records(worth, numbers, 3)
        n_drawn[rows] += 1
        told[rows] = chance
    assert n_drawn / 3000 == pytest.approx(told, abs=0.04)
    assert told.sum() == pytest.approx(3)


def test_records_keep_their_numbers_whatever_else_is_drawn():
    one = permanent_numbers(["a", "b"], 0)
    assert permanent_numbers(["c", "b", "a"], 0)[[2, 1]].tolist() == one.tolist()
    assert permanent_numbers(["a", "b"], 1).tolist() != one.tolist()


def pool(seed, n_rows=4000):
    """Worth, and whether labels are wrong without and with an answer."""
    rng = np.random.default_rng(seed)
    error = rng.beta(0.4, 3, n_rows)
    return rng, error, rng.random(n_rows) < error, rng.random(n_rows) < 0.01


def test_a_target_is_exceeded_as_seldom_as_was_asked_for():
    _, worth, alone, read = pool(0)
    exceeded, shares = [], []
    for seed in range(100):
        drawn = np.random.default_rng(seed).permutation(len(worth))[:300]
        target = bound_target(
            worth, drawn, alone[drawn], read[drawn], target_error=0.05, confidence=0.9
        )
        asked = worth >= (target.threshold if target.threshold is not None else 0)
        exceeded.append(np.where(asked, read, alone).mean() > 0.05)
        shares.append(asked.mean())
    assert np.sum(exceeded) <= 16
    assert np.mean(shares) < 0.5


def test_a_target_that_no_number_of_answers_keeps_is_not_promised():
    _, worth, alone, _ = pool(0)
    drawn = np.arange(200)
    target = bound_target(
        worth, drawn, alone[:200], alone[:200], target_error=0.01, confidence=0.9
    )
    assert target.threshold is None
    assert "even where every record is read" in target.reason
    few = bound_target(
        worth, drawn[:99], alone[:99], alone[:99], target_error=0.01, confidence=0.9
    )
    assert few.threshold is None
    assert "99 random labels, and 100 are needed" in few.reason


def test_an_estimate_says_that_it_is_one_and_how_many_to_read():
    sure = np.array([0.5, 0.6, 0.9, 1.0])
    proba = np.column_stack([sure, 1 - sure])
    gain = np.array([0.4, 0.3, 0.0, 0.0])
    target = estimate_target(gain, proba, gain, target_error=0.16)
    assert (target.threshold, target.is_bound) == (0.4, False)
    nothing = estimate_target(gain, proba, gain, target_error=0.3)
    assert nothing.threshold == np.inf
    assert estimate_target(gain, proba, gain, target_error=0.01).threshold is None


def test_the_frontier_rises_and_random_records_stay_below_it():
    _, error, _, _ = pool(1)
    gain = np.maximum(error - 0.05, 0)
    frontier = trace_frontier(gain, np.ones(len(gain)), 1 - error, gain)
    assert (np.diff(frontier.expected_accuracy) >= 0).all()
    assert (frontier.expected_accuracy >= frontier.random_accuracy - 1e-12).all()
    assert frontier.dollars.tolist() == frontier.rows.tolist()


def test_the_real_accuracy_is_told_as_far_as_answers_reach():
    worth = np.array([0.4, 0.3, 0.2, 0.1])
    right, read = np.array([0.0, 1, 0, np.nan]), np.array([1.0, 1, np.nan, np.nan])
    frontier = trace_frontier(worth, np.ones(4), worth, worth, right, read)
    told = dict(zip(frontier.rows.tolist(), frontier.accuracy.tolist(), strict=True))
    assert told[0] == pytest.approx(1 / 3)
    assert told[2] == pytest.approx(2 / 3)
    assert np.isnan(told[4])


def test_no_records_have_a_frontier_too():
    frontier = trace_frontier(*[np.empty(0)] * 4)
    assert frontier.rows.tolist() == [0] * len(frontier.rows)


def test_people_answer_equal_records_once():
    classes = np.array(["ham", "spam"])
    assert spread_answers({1: "spam"}, ["a", "b", "b"], classes).tolist() == [-1, 1, 1]
    with pytest.raises(ValueError, match="records 1 and 2 are equal"):
        spread_answers({1: "spam", 2: "ham"}, ["a", "b", "b"], classes)
    with pytest.raises(ValueError, match="7, which is no position of the 3 records"):
        spread_answers({7: "spam"}, ["a", "b", "b"], classes)
    with pytest.raises(ValueError, match="eggs"):
        spread_answers({0: "eggs"}, ["a", "b", "b"], classes)
