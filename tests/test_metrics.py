import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, cross_validate

from sklearn_alchemist.metrics import (
    group_accuracy,
    worst_group_accuracy,
    worst_group_scorer,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from("abc")), min_size=1
)


@pytest.mark.slow
@given(ROWS)
def test_the_average_lies_between_the_groups(rows):
    y_true, y_pred, groups = zip(*rows, strict=True)
    accuracy = group_accuracy(y_true, y_pred, groups)
    shares = accuracy.per_group
    assert accuracy.worst == min(shares.values()) == shares[accuracy.worst_group]
    assert accuracy.worst <= accuracy.average + 1e-12 <= max(shares.values()) + 2e-12
    assert sum(accuracy.n_samples.values()) == len(rows)


@pytest.mark.slow
@given(ROWS)
def test_weights_are_repetitions(rows):
    y_true, y_pred, groups = (np.array(c) for c in zip(*rows, strict=True))
    weight = np.arange(len(rows)) % 3 + 1
    weighted = group_accuracy(y_true, y_pred, groups, sample_weight=weight)
    repeated = group_accuracy(*(np.repeat(a, weight) for a in (y_true, y_pred, groups)))
    assert weighted.worst == pytest.approx(repeated.worst)
    assert weighted.average == pytest.approx(repeated.average)


def test_several_attributes_make_a_group_each():
    groups = np.array([["water", "bird"], ["water", "bird"], ["land", "bird"]])
    accuracy = group_accuracy([1, 1, 0], [1, 0, 0], groups)
    assert accuracy.per_group == {("land", "bird"): 1.0, ("water", "bird"): 0.5}


def test_a_frame_of_attributes_is_taken():
    groups = pd.DataFrame({"y": [0, 0, 1], "place": ["a", "b", "a"]})
    assert group_accuracy([0, 0, 1], [0, 1, 1], groups).worst_group == (0, "b")


def test_a_group_without_weight_is_never_the_worst():
    accuracy = group_accuracy([0, 0], [0, 1], ["a", "b"], sample_weight=[1, 0])
    assert accuracy.worst_group == "a"
    assert accuracy.per_group == {"a": 1.0}


@pytest.mark.slow
@given(ROWS, st.data())
def test_records_of_weight_zero_are_not_there(rows, data):
    y_true, y_pred, groups = (np.array(c, object) for c in zip(*rows, strict=True))
    weight = np.array([1, *data.draw(st.lists(st.integers(0, 2)))], dtype=float)
    weight = np.resize(weight, len(rows))
    used = weight > 0
    groups[~used] = None  # what does not count may lie in no group
    y_true, y_pred = y_true.astype(int), y_pred.astype(int)
    weightless = group_accuracy(y_true, y_pred, groups, sample_weight=weight)
    absent = group_accuracy(
        y_true[used], y_pred[used], groups[used], sample_weight=weight[used]
    )
    assert weightless == absent


@pytest.mark.parametrize("form", [list, pd.Series, lambda g: np.array(g, object)])
def test_numbers_and_strings_may_both_be_groups(form):
    accuracy = group_accuracy([0, 1, 1], [0, 1, 0], form(["a", 2, 1]))
    assert list(accuracy.per_group.items()) == [(1, 0.0), (2, 1.0), ("a", 1.0)]


def test_attributes_in_a_list_of_tuples_keep_their_types():
    accuracy = group_accuracy([0, 1, 1], [0, 1, 0], [("b", 1), ("a", 2), (3, 2)])
    assert set(accuracy.per_group) == {(3, 2), ("a", 2), ("b", 1)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0, 1], ["a"]), "inconsistent numbers of samples"),
        (([], [], []), "minimum of 1 is required"),
        (([0, 1], [0, 1], ["a", None]), "missing"),
        (([0, 1], [0, 1], [0.0, np.nan]), "missing"),
        (([0, 1], ["a", "b"], [0, 1]), "Mix"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        group_accuracy(*arguments)


@pytest.mark.parametrize("weight", [[0, 0], [1, -1]])
def test_weights_that_weigh_nothing_are_refused(weight):
    with pytest.raises(ValueError, match="weight"):
        group_accuracy([0, 1], [0, 1], ["a", "b"], sample_weight=weight)


def test_the_scorer_gets_its_groups_by_routing():
    X, y = np.zeros((8, 1)), np.array([0, 1] * 4)
    groups = np.array(["a", "b", "a", "b", "b", "b", "b", "a"])
    model = DummyClassifier(strategy="constant", constant=0)
    with config_context(enable_metadata_routing=True):
        scores = cross_validate(
            model, X, y, cv=2, scoring=worst_group_scorer(), params={"groups": groups}
        )
        search = GridSearchCV(
            model, {"constant": [0, 1]}, scoring=worst_group_scorer(), cv=2
        ).fit(X, y, groups=groups)
    expected = [
        worst_group_accuracy(y[f], np.zeros(4), groups=groups[f])
        for f in (slice(0, 4), slice(4, 8))
    ]
    assert sorted(scores["test_score"]) == sorted(expected)
    assert search.best_score_ >= np.mean(expected)


def test_without_routing_the_scorer_says_what_is_missing():
    with pytest.raises(RuntimeError, match="metadata routing"):
        worst_group_scorer()


def test_groups_keep_their_types_and_may_mix_them():
    mixed = group_accuracy([0, 1], [0, 1], pd.Series(["a", 1], dtype=object))
    assert mixed.per_group == {1: 1.0, "a": 1.0}
    pairs = group_accuracy([0, 1], [0, 0], [("a", 1), ("b", 2)])
    assert pairs.per_group == {("a", 1): 1.0, ("b", 2): 0.0}
