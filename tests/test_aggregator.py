import doctest
import pathlib
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from common_checks import parametrize_with_checks
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import (
    check_all_zero_sample_weights_error,
    check_dataframe_column_names_consistency,
    check_param_validation,
)

from sklearn_alchemist import LabelModelAggregator
from sklearn_alchemist.exceptions import ClassesWarning, FallbackWarning, LabelsWarning

METHODS = ["dawid_skene", "one_coin", "weighted_vote", "majority_vote"]

vote_matrices = hnp.arrays(
    np.int8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7),
    elements=st.integers(-1, 2),
)


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


def planted_votes(accuracy, prior, n_samples=4000, coverage=0.6, seed=0):
    """Draw classes, and votes of independent programs of known accuracy."""
    rng = np.random.default_rng(seed)
    k = len(prior)
    y = rng.choice(k, n_samples, p=prior)
    shape = (n_samples, len(accuracy))
    right = rng.random(shape) < accuracy
    wrong = (y[:, None] + rng.integers(1, k, shape)) % k
    votes = np.where(right, y[:, None], wrong)
    votes[rng.random(shape) > coverage] = -1
    return votes.astype(np.int8), y


# ------------------------------------------------------- scikit-learn's checks ----
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.ClassesWarning")
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.FallbackWarning")
@parametrize_with_checks({m: LabelModelAggregator(method=m) for m in METHODS})
def test_common_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.ClassesWarning")
@pytest.mark.parametrize(
    "check",
    [
        check_all_zero_sample_weights_error,
        check_dataframe_column_names_consistency,
        check_param_validation,
    ],
)
def test_checks_that_the_common_suite_leaves_out(check, method):
    check("LabelModelAggregator", LabelModelAggregator(method=method))


def test_clones_pickles_and_hashes(method):
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=50)
    aggregator = LabelModelAggregator(method=method, classes={"a": "A", "b": "B"})
    unfitted = joblib.hash(aggregator)
    aggregator.fit(votes)
    assert joblib.hash(clone(aggregator)) == unfitted
    restored = pickle.loads(pickle.dumps(aggregator))
    assert joblib.hash(restored) == joblib.hash(aggregator)
    assert_array_equal(restored.predict_proba(votes), aggregator.predict_proba(votes))


def test_a_grid_search_chooses_the_method():
    votes, y = planted_votes([0.9, 0.9, *[0.5] * 6], [0.5, 0.5], n_samples=1500)
    search = GridSearchCV(
        LabelModelAggregator(classes=[0, 1]), {"method": METHODS}, cv=3
    ).fit(votes, y)
    assert search.best_params_ != {"method": "majority_vote"}


def test_sample_weights_are_routed():
    votes, y = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=90)
    weight = np.tile([1.0, 0.0, 3.0], 30)
    with sklearn.config_context(enable_metadata_routing=True):
        aggregator = LabelModelAggregator(classes=[0, 1])
        aggregator.set_fit_request(sample_weight=True).set_score_request(
            sample_weight=True
        )
        scores = cross_val_score(aggregator, votes, y, params={"sample_weight": weight})
    assert np.isfinite(scores).all()


# -------------------------------------------------------------------- accuracy ----
def test_unequal_programs_are_weighed_better_than_by_a_majority():
    votes, y = planted_votes([0.95, 0.9, 0.6, 0.55, 0.5, 0.5, 0.5], [0.5, 0.5])
    majority, model = (
        LabelModelAggregator(method=m).fit(votes)
        for m in ("majority_vote", "dawid_skene")
    )
    assert model.score(votes, y) > majority.score(votes, y) + 0.05


def test_planted_confusion_and_prior_are_recovered():
    accuracy, prior = [0.9, 0.8, 0.7, 0.6, 0.75], [0.5, 0.3, 0.2]
    votes, _ = planted_votes(accuracy, prior, n_samples=20_000)
    aggregator = LabelModelAggregator(classes=range(3)).fit(votes)
    assert_allclose(aggregator.class_prior_, prior, atol=0.03)
    assert_allclose(aggregator.confusion_[:, :, 0], 0.4, atol=0.03)
    right = np.diagonal(aggregator.confusion_[:, :, 1:], axis1=1, axis2=2)
    assert_allclose(right / 0.6, np.tile(accuracy, (3, 1)).T, atol=0.06)


def test_rare_classes_keep_their_prior():
    votes, y = planted_votes([0.8, 0.75, 0.7, 0.7, 0.65, 0.6], [0.95, 0.05])
    majority, model = (
        LabelModelAggregator(method=m).fit(votes)
        for m in ("majority_vote", "dawid_skene")
    )
    assert_allclose(model.class_prior_, [0.95, 0.05], atol=0.03)
    assert model.score(votes, y) > majority.score(votes, y)


def test_programs_that_know_one_class_each_speak_by_abstaining():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 4000)
    own = np.array([0, 1, 0, 1, 0])
    rate = np.where(y[:, None] == own, 0.6, 0.1)
    votes = np.where(rng.random((4000, 5)) < rate, own, -1)
    majority, model = (
        LabelModelAggregator(method=m).fit(votes)
        for m in ("majority_vote", "dawid_skene")
    )
    assert model.score(votes, y) > majority.score(votes, y) + 0.02


def test_samples_that_draw_few_votes_are_no_class_of_their_own():
    """All programs vote often or seldom on the same samples, whatever their class."""
    rng = np.random.default_rng(1)
    votes, y = planted_votes([0.8, 0.75, 0.7, 0.7, 0.65], [0.5, 0.5], coverage=1)
    votes[rng.random(votes.shape) > rng.choice([0.1, 0.9], (len(y), 1))] = -1
    model = LabelModelAggregator().fit(votes)
    assert_allclose(model.class_prior_, 0.5, atol=0.1)


def test_the_class_prior_can_be_given(method):
    votes, _ = planted_votes([0.8, 0.7, 0.8], [0.8, 0.2], n_samples=400)
    prior = [0.75, 0.25]
    aggregator = LabelModelAggregator(method=method, class_prior=prior).fit(votes)
    assert_allclose(aggregator.class_prior_, prior)


def test_the_class_prior_can_be_uniform(method):
    votes, _ = planted_votes([0.8, 0.7, 0.8], [0.6, 0.4], n_samples=400)
    aggregator = LabelModelAggregator(method=method, class_prior="uniform").fit(votes)
    assert_allclose(aggregator.class_prior_, 0.5)


def test_a_majority_vote_is_the_share_of_votes_and_one_more():
    votes = [[0, 0, 1], [1, 1, 1], [-1, 0, -1]]
    aggregator = LabelModelAggregator(method="majority_vote", class_prior=[0.4, 0.6])
    assert_allclose(
        aggregator.fit(votes).predict_proba([[0, 0, 1], [1, -1, -1]]),
        [[2.4 / 4, 1.6 / 4], [0.4 / 2, 1.6 / 2]],
    )


# ------------------------------------------------------------------ invariants ----
@pytest.mark.slow
@settings(deadline=None)
@given(votes=vote_matrices, method=st.sampled_from(METHODS))
def test_posteriors_are_probabilities_for_any_votes(votes, method):
    proba = LabelModelAggregator(method=method).fit(votes).predict_proba(votes)
    assert np.isfinite(proba).all()
    assert (proba >= 0).all()
    assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.slow
@settings(deadline=None)
@given(votes=vote_matrices, method=st.sampled_from(METHODS), seed=st.integers(0, 99))
def test_the_order_of_samples_and_programs_does_not_matter(votes, method, seed):
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(length) for length in votes.shape)
    shuffled = votes[np.ix_(rows, columns)]
    one, other = (LabelModelAggregator(method=method).fit(v) for v in (votes, shuffled))
    assert_allclose(
        other.predict_proba(shuffled), one.predict_proba(votes)[rows], atol=1e-9
    )
    assert_allclose(other.confusion_, one.confusion_[columns], atol=1e-9)


@pytest.mark.slow
@settings(deadline=None)
@given(votes=vote_matrices, method=st.sampled_from(METHODS), seed=st.integers(0, 99))
def test_weights_are_repetitions(votes, method, seed):
    weight = np.random.default_rng(seed).integers(0, 4, len(votes))
    weight[0] = 1
    repeated = np.repeat(votes, weight, axis=0)
    aggregator = LabelModelAggregator(method=method)
    expected = clone(aggregator).fit(repeated)
    aggregator.fit(votes, sample_weight=weight)
    assert_array_equal(aggregator.classes_, expected.classes_)
    assert_allclose(
        aggregator.predict_proba(votes), expected.predict_proba(votes), atol=1e-9
    )


@pytest.mark.slow
@settings(deadline=None)
@given(votes=vote_matrices, method=st.sampled_from(METHODS))
def test_a_row_is_labelled_alone_as_among_others(votes, method):
    aggregator = LabelModelAggregator(method=method).fit(votes)
    together = aggregator.predict_proba(votes)
    alone = np.vstack([aggregator.predict_proba(row[None]) for row in votes])
    assert_allclose(alone, together, atol=1e-12)


def test_repeating_the_order_gives_the_same_model_on_many_samples():
    votes, _ = planted_votes([0.9, 0.8, 0.7, 0.6, 0.5], [0.7, 0.2, 0.1])
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(len(votes)), rng.permutation(5)
    one = LabelModelAggregator().fit(votes)
    other = LabelModelAggregator().fit(votes[np.ix_(rows, columns)])
    assert_allclose(other.confusion_, one.confusion_[columns], atol=1e-9)


# ---------------------------------------------------------------- extreme votes ----
@pytest.mark.parametrize(
    "votes",
    [
        np.full((5, 3), -1),
        np.array([[0], [1], [-1]]),
        np.array([[0, 1], [1, -1]]),
        np.array([[1, -1], [-1, 1], [1, 1]]),
        np.array([[0, 0], [0, 1], [0, -1]]),
        np.array([[1, 0, -1]]),
        np.random.default_rng(0).integers(-1, 2, (20, 1000)),
    ],
    ids=["silent", "one", "two", "one-class", "constant", "one-sample", "thousand"],
)
def test_posteriors_are_finite_for_extreme_votes(votes, method):
    aggregator = LabelModelAggregator(method=method, classes=[0, 1]).fit(votes)
    proba = aggregator.predict_proba(votes)
    assert np.isfinite(proba).all()
    assert_allclose(proba.sum(axis=1), 1)
    assert_allclose(aggregator.confusion_.sum(axis=2), 1)


def test_samples_without_votes_get_about_the_class_prior(method):
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.8, 0.2], n_samples=200)
    aggregator = LabelModelAggregator(method=method, abstain="ignore").fit(votes)
    silent = aggregator.predict_proba([[-1, -1, -1]])
    assert_allclose(silent, [aggregator.class_prior_], atol=0.1)


def test_an_answer_not_seen_in_fit_is_no_evidence(method):
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.8, 0.2], n_samples=200)
    aggregator = LabelModelAggregator(method=method).fit(votes)
    assert_array_equal(
        aggregator.predict_proba([[7, 7, 7]]), aggregator.predict_proba([[-1, -1, -1]])
    )


# --------------------------------------------------------------------- classes ----
def test_a_fold_without_a_class_does_not_shift_the_votes(method):
    """`classes` fixes what index a vote means."""
    votes = np.array([[0, 0], [2, 2], [0, 2]])
    aggregator = LabelModelAggregator(method=method, classes=["c", "a", "b"])
    aggregator.fit(votes, ["a", "c", "a"])
    assert_array_equal(aggregator.classes_, ["a", "b", "c"])
    assert_array_equal(aggregator.predict([[0, 0], [2, 2]]), ["a", "c"])
    assert_array_equal(aggregator.answers_, [-1, 0, 1, 2])


def test_labels_outside_the_classes_are_refused():
    with pytest.raises(ValueError, match=r"y holds \['ruby'\], which is none of"):
        LabelModelAggregator(classes=["ham", "spam"]).fit([[0], [1]], ["ham", "ruby"])


def test_labels_of_another_type_than_the_classes_are_refused():
    with pytest.raises(ValueError, match=r"y holds \['0', '1'\]"):
        LabelModelAggregator(classes=[0, 1]).fit([[0], [1]], ["0", "1"])


@pytest.mark.parametrize("call", ["fit", "predict_proba"])
def test_votes_outside_the_classes_are_refused(call):
    aggregator = LabelModelAggregator(classes=["ham", "spam"]).fit([[0, 1]])
    with pytest.raises(ValueError, match="Column 1 of the votes holds 2"):
        getattr(aggregator, call)([[0, 2]])


def test_fewer_than_two_classes_are_refused():
    with pytest.raises(ValueError, match="at least 2"):
        LabelModelAggregator(classes=["ham"]).fit([[0]])


def test_labels_name_the_classes_and_are_not_learned_from():
    votes, y = planted_votes([0.9, 0.8, 0.7], [0.5, 0.5], n_samples=300)
    names = np.array(["ham", "spam"])
    right, wrong = (LabelModelAggregator().fit(votes, names[v]) for v in (y, 1 - y))
    assert_array_equal(right.predict(votes), wrong.predict(votes))
    assert right.score(votes, names[y]) > 0.8


def test_labels_of_fewer_classes_than_votes_warn():
    with pytest.warns(ClassesWarning, match="Pass all classes as `classes`"):
        LabelModelAggregator().fit([[0, 2], [1, 1]], ["a", "b"])


def test_without_names_the_classes_are_the_votes(method):
    aggregator = LabelModelAggregator(method=method).fit([[0, 2], [2, -1]])
    assert_array_equal(aggregator.classes_, [0, 1, 2])


def test_fractions_without_labels_are_refused():
    with pytest.raises(ValueError, match="votes must be integers"):
        LabelModelAggregator().fit([[0.5, 1.0]])


def test_an_answer_that_names_no_class_is_evidence():
    """The third program says 0.7 where the others say 1, and 0.5 where they say 0."""
    votes = np.repeat([[0, 0, 0.5], [1, 1, 0.7], [0, 1, -1]], [40, 40, 5], axis=0)
    aggregator = LabelModelAggregator().fit(votes, votes[:, 1])
    assert_array_equal(aggregator.predict([[-1, -1, 0.5], [-1, -1, 0.7]]), [0, 1])


def test_samples_of_weight_zero_are_left_out_with_their_labels():
    votes = [[0, 0], [1, 1], [5, 5]]
    aggregator = LabelModelAggregator().fit(votes, ["a", "b", "c"], [1, 1, 0])
    assert_array_equal(aggregator.classes_, ["a", "b"])
    assert_array_equal(aggregator.answers_, [-1, 0, 1])


# ------------------------------------------------------------------ parameters ----
@pytest.mark.parametrize(
    ("class_prior", "message"),
    [
        ([0.5, 0.3, 0.2], "one value for each of the 2 classes"),
        ([[0.5, 0.5]], "one value for each of the 2 classes"),
        ([1.0, 0.0], "positive and sum to 1"),
        ([0.5, 0.4], "positive and sum to 1"),
        ([0.5, np.nan], "contains NaN"),
    ],
)
def test_unusable_class_priors_are_refused(class_prior, message):
    with pytest.raises(ValueError, match=message):
        LabelModelAggregator(class_prior=class_prior).fit([[0, 1]])


def test_too_few_steps_warn_and_say_what_to_do():
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=200)
    with pytest.warns(ConvergenceWarning, match="Increase max_iter"):
        aggregator = LabelModelAggregator(max_iter=2).fit(votes)
    assert not aggregator.converged_
    assert aggregator.n_iter_ == 2


def test_a_fit_that_converged_says_so():
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=200)
    aggregator = LabelModelAggregator().fit(votes)
    assert aggregator.converged_
    assert 1 < aggregator.n_iter_ < 1000


def test_missing_votes_are_refused(method):
    with pytest.raises(ValueError, match="contains NaN"):
        LabelModelAggregator(method=method).fit([[0.0, np.nan]])


# ------------------------------------------------------------ frames, callbacks ----
@pytest.mark.parametrize("bad", ["spam", np.nan])
def test_votes_that_are_no_numbers_are_refused_with_advice(bad):
    votes = pd.DataFrame({"a": [0, 1, bad], "b": [1, 1, 0]})
    with pytest.raises(ValueError, match=r"-1 where a program abstains.*Replace"):
        LabelModelAggregator().fit(votes)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_of_votes_are_read(frame):
    votes, _ = planted_votes([0.8, 0.7], [0.5, 0.5], n_samples=60)
    named = frame({"first": votes[:, 0], "second": votes[:, 1]})
    aggregator = LabelModelAggregator().fit(named)
    assert_array_equal(aggregator.feature_names_in_, ["first", "second"])
    expected = LabelModelAggregator().fit(votes).predict_proba(votes)
    assert_array_equal(aggregator.predict_proba(named), expected)


class StopAfter:
    """A callback that stops the fit, and keeps what it saw."""

    def __init__(self, n_steps):
        self.n_steps = n_steps
        self.scores = []

    def setup(self, estimator, context):
        self.truth = None

    def teardown(self, estimator, context):
        self.torn_down = True

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.scores.append(fitted_estimator.predict_proba(X)[0, 0])
        return len(self.scores) >= self.n_steps


def test_a_callback_sees_each_step_and_can_stop():
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=200)
    callback = StopAfter(3)
    aggregator = LabelModelAggregator().set_callbacks(callback).fit(votes)
    assert aggregator.n_iter_ == 3
    assert not aggregator.converged_
    assert len(set(callback.scores)) == 3
    assert callback.torn_down


# --------------------------------------------------------------- dependencies ----
def with_copies(n_copies=4, seed=0):
    votes, y = planted_votes([0.6, 0.8, 0.75, 0.8, 0.7, 0.75], [0.5, 0.5], seed=seed)
    rng = np.random.default_rng(seed)
    copies = np.repeat(votes[:, :1], n_copies, axis=1)
    own = rng.permutation(votes[:, 0])
    copies = np.where(rng.random(copies.shape) < 0.9, copies, own[:, None])
    return np.column_stack([votes, copies]), y


def test_copies_count_as_one_opinion():
    votes, y = with_copies()
    aware, naive = (
        LabelModelAggregator(classes=[0, 1], dependencies=d, guard=False).fit(votes)
        for d in ("auto", "independent")
    )
    assert [group.tolist() for group in aware.groups_] == [[0, 6, 7, 8, 9]]
    assert naive.groups_ == []
    assert aware.score(votes, y) > naive.score(votes, y) + 0.05
    assert_allclose(aware.accuracies_[[0, 6]], 0.6, atol=0.05)
    assert_allclose(aware.confusion_.sum(axis=2), 1)


def test_groups_can_be_given_by_name():
    votes, _ = with_copies()
    frame = pd.DataFrame(votes, columns=[f"p{i}" for i in range(10)])
    by_name, by_index = (
        LabelModelAggregator(classes=[0, 1], program_groups=[group])
        for group in (["p0", "p6", "p7", "p8", "p9"], [0, 6, 7, 8, 9])
    )
    assert_array_equal(
        by_name.fit(frame).predict_proba(frame),
        by_index.fit(frame).predict_proba(frame),
    )
    with pytest.raises(ValueError, match="'nobody', which is not one of"):
        by_name.set_params(program_groups=[["nobody"]]).fit(frame)


def test_a_fit_with_groups_is_pickled():
    votes, _ = with_copies()
    aggregator = LabelModelAggregator(classes=[0, 1]).fit(votes)
    restored = pickle.loads(pickle.dumps(aggregator))
    assert_array_equal(restored.predict_proba(votes), aggregator.predict_proba(votes))


# ---------------------------------------------------------------------- labels ----
def adversarial(seed=0):
    accuracy = [0.3, 0.25, 0.35, 0.3, 0.25, 0.35, 0.8, 0.85, 0.8, 0.8]
    votes, y = planted_votes(accuracy, [0.5, 0.5], seed=seed)
    known = np.random.default_rng(seed).choice(len(y), 20, replace=False)
    return votes, y, known


@pytest.mark.parametrize("nothing", [-1, None, np.nan])
def test_twenty_labels_rescue_programs_that_are_mostly_wrong(nothing):
    votes, y, known = adversarial()
    some = np.full(len(y), nothing, dtype=object)
    some[known] = y[known]
    aggregator = LabelModelAggregator(classes=[0, 1], semi_supervised=True)
    aggregator.fit(votes, some, label_proba=1.0)
    assert aggregator.score(votes, y) > 0.85
    assert aggregator.label_use_ == {"given": 20, "accuracies": 20, "temperature": 0}


def test_labels_of_unknown_origin_never_move_the_model():
    """They may have been chosen because programs are wrong there."""
    votes, y = planted_votes([0.8, 0.75, 0.85, 0.7, 0.8], [0.5, 0.5])
    plain = LabelModelAggregator(classes=[0, 1], semi_supervised=True).fit(votes)
    wrong = np.flatnonzero(plain.predict(votes) != y)[:50]
    some = np.full(len(y), -1)
    some[wrong] = y[wrong]
    with pytest.warns(LabelsWarning, match="of 50 labels, 0 do"):
        chosen = clone(plain).fit(votes, some)
    assert_array_equal(chosen.confusion_, plain.confusion_)
    assert_array_equal(chosen.predict_proba(votes), plain.predict_proba(votes))
    assert chosen.label_use_ == {"given": 50, "accuracies": 0, "temperature": 0}


def test_labels_without_a_probability_are_told_apart_from_those_with_one():
    votes, y, known = adversarial()
    wrong = np.flatnonzero((votes == 1 - y[:, None]).sum(axis=1) > 3)
    chosen = np.setdiff1d(wrong, known)[:200]
    some, proba = np.full(len(y), -1), np.full(len(y), np.nan)
    some[known], proba[known] = y[known], len(known) / len(y)
    aggregator = LabelModelAggregator(classes=[0, 1], semi_supervised=True)
    alone = clone(aggregator).fit(votes, some, label_proba=proba)
    some[chosen] = y[chosen]
    both = aggregator.fit(votes, some, label_proba=proba)
    assert_array_equal(both.confusion_, alone.confusion_)
    assert both.label_use_ == {"given": 220, "accuracies": 20, "temperature": 0}


def test_choosing_with_known_probabilities_is_undone():
    """Labels where a program is wrong are ten times as probable."""
    votes, y = planted_votes([0.85, 0.75, 0.8], [0.5, 0.5], seed=1)
    chance = np.where(votes[:, 0] == 1 - y, 0.5, 0.05)
    drawn = np.random.default_rng(0).random(len(y)) < chance
    some = np.where(drawn, y, -1)
    true = (votes[:, 0] == y).sum() / (votes[:, 0] >= 0).sum()
    errors = []
    for proba in (np.where(drawn, chance, np.nan), 1.0):
        aggregator = LabelModelAggregator(classes=[0, 1], semi_supervised=True)
        aggregator.fit(votes, some, label_proba=proba)
        errors.append(abs(aggregator.accuracies_[0] - true))
    assert errors[0] < 0.03
    assert errors[1] > 0.1


def test_equal_probabilities_are_a_plain_sample_whatever_they_are():
    votes, y, known = adversarial()
    some = np.full(len(y), -1)
    some[known] = y[known]
    fits = [
        LabelModelAggregator(classes=[0, 1], semi_supervised=True).fit(
            votes, some, label_proba=proba
        )
        for proba in (1.0, np.full(len(y), 0.01), pd.Series(np.full(len(y), 1e-300)))
    ]
    for other in fits[1:]:
        assert_allclose(other.confusion_, fits[0].confusion_, atol=1e-6)


@pytest.mark.parametrize(
    ("proba", "message"),
    [
        ([0.5, 1.5, 0.5], "sample 1 has 1.5, which is above 1"),
        ([0.5, -1, 0.5], "sample 1 has -1, which is below 0"),
        ([0, 1, 1], "sample 0 has 0, which is 0 where there is a label"),
        ([0.5, 0.5], "inconsistent numbers of samples"),
        ([[0.5, 0.5]] * 3, "one value a sample"),
        (["a", "b", "c"], "could not convert string"),
        ([np.inf, 1, 1], "infinity"),
        (2, "above 1"),
    ],
)
def test_probabilities_of_labels_that_are_none_are_named(proba, message):
    aggregator = LabelModelAggregator(classes=[0, 1], semi_supervised=True)
    with pytest.raises(ValueError, match=message):
        aggregator.fit([[0, 1], [1, 1], [0, 0]], [0, None, 1], label_proba=proba)


def test_a_probability_of_zero_may_stand_where_nobody_labelled():
    votes, y = [[0, 1], [1, 1], [0, 0]], [0, None, 1]
    aggregator = LabelModelAggregator(classes=[0, 1], semi_supervised=True)
    use = aggregator.fit(votes, y, label_proba=[1, 0, 0.5]).label_use_
    assert use["accuracies"] == 2


def test_probabilities_of_labels_are_routed():
    votes, y = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=200)
    some, proba = np.where(np.arange(200) < 100, y, -1), np.full(200, 0.5)
    with config_context(enable_metadata_routing=True):
        aggregator = LabelModelAggregator(classes=[0, 1], semi_supervised=True)
        aggregator.set_fit_request(label_proba=True)
        pipeline = make_pipeline(aggregator).fit(votes, some, label_proba=proba)
    assert pipeline[-1].label_use_["accuracies"] == 100


def test_labels_are_not_learned_from_unless_asked():
    votes, y = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=200)
    plain = LabelModelAggregator(classes=[0, 1])
    assert_array_equal(
        plain.fit(votes, y).predict_proba(votes), plain.fit(votes).predict_proba(votes)
    )


def test_minus_one_is_a_label_where_it_is_a_class():
    votes, y = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=200)
    aggregator = LabelModelAggregator(classes=[-1, 1], semi_supervised=True)
    aggregator.fit(votes, 2 * y - 1, label_proba=1)
    learned = aggregator.score(votes, 2 * y - 1)
    unlabelled = LabelModelAggregator(classes=[-1, 1]).fit(votes)
    assert learned > unlabelled.score(votes, 2 * y - 1) - 0.02
    assert aggregator.log_likelihood_ != unlabelled.log_likelihood_


def test_labels_name_the_classes_if_some_are_missing():
    votes, y = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=200)
    names = np.array(["ham", "spam"], dtype=object)[y]
    names[::2] = None
    aggregator = LabelModelAggregator(semi_supervised=True)
    aggregator.fit(votes, names, label_proba=0.5)
    assert_array_equal(aggregator.classes_, ["ham", "spam"])


def test_unknown_labels_are_refused_among_missing_ones():
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=50)
    with pytest.raises(ValueError, match="none of the classes"):
        LabelModelAggregator(classes=[0, 1], semi_supervised=True).fit(
            votes, [None] * 49 + [7]
        )


def test_a_temperature_fitted_on_labels_calibrates():
    votes, y = with_copies(n_copies=8)
    some = np.where(np.arange(len(y)) % 20 == 0, y, -1)
    raw, fitted = (
        LabelModelAggregator(
            classes=[0, 1], dependencies="independent", guard=False, temperature=t
        ).fit(votes, some if t == "estimate" else None)
        for t in (1.0, "estimate")
    )
    assert fitted.temperature_ > 1.5
    losses = [log_loss(y, model.predict_proba(votes)) for model in (raw, fitted)]
    assert losses[1] < losses[0] - 0.1


def test_a_temperature_divides_what_votes_say_and_leaves_the_prior(method):
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.6, 0.4], n_samples=200)
    votes[0] = -1
    prior = np.array([0.6, 0.4])
    cold, warm = (
        LabelModelAggregator(
            method=method, class_prior=prior, temperature=t, abstain="ignore"
        )
        .fit(votes)
        .predict_proba(votes)
        for t in (1.0, 2.0)
    )
    expected = np.sqrt(cold * prior)
    assert_allclose(warm, expected / expected.sum(axis=1, keepdims=True))
    assert_allclose(warm[0], prior)


def test_a_temperature_without_labels_is_refused():
    votes, _ = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=50)
    with pytest.raises(ValueError, match="needs labels in y"):
        LabelModelAggregator(temperature="estimate").fit(votes)


# ----------------------------------------------------------------------- guard ----
def test_a_model_that_overrules_most_votes_gives_way_to_them():
    votes, y, _ = adversarial()
    aggregator = LabelModelAggregator(classes=[0, 1], semi_supervised=True)
    with pytest.warns(FallbackWarning, match="semi_supervised"):
        aggregator.fit(votes)
    majority = LabelModelAggregator(classes=[0, 1], method="majority_vote").fit(votes)
    assert aggregator.method_ == "majority_vote"
    assert_allclose(aggregator.predict_proba(votes), majority.predict_proba(votes))
    assert aggregator.score(votes, y) == majority.score(votes, y)


def test_programs_that_err_together_are_less_sure_and_decide_as_before():
    rng = np.random.default_rng(0)
    hard, y = rng.random(4000) < 0.3, rng.integers(0, 2, 4000)
    accuracy = np.where(hard, 0.5, 0.95)[:, None]
    together = np.where(rng.random((4000, 9)) < accuracy, y[:, None], 1 - y[:, None])
    alone = np.where(rng.random((4000, 9)) < 0.8, y[:, None], 1 - y[:, None])
    model = LabelModelAggregator(classes=[0, 1])
    unsure, sure = (
        model.fit(votes).predict_proba(votes).max(axis=1) for votes in (together, alone)
    )
    assert abs(sure.mean() - (model.predict(alone) == y).mean()) < 0.02
    assert unsure.max() < 0.95 < sure.max()
    accuracy = model.fit(together).score(together, y)
    assert accuracy - 0.12 < unsure.mean() < accuracy + 0.01


@pytest.mark.slow
def test_among_many_classes_a_thin_majority_may_be_overruled():
    pixels, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    bright = [pixel for pixel in pixels.T if pixel.std() > 2]
    votes = np.full((len(y), len(bright)), -1)
    for program, pixel in zip(votes.T, rng.permutation(bright), strict=True):
        means = [pixel[y == digit].mean() for digit in range(10)]
        low, high = np.quantile(pixel, [0.3, 0.7])
        program[pixel > high] = np.argmax(means)
        program[pixel < low] = np.argmin(means)
    aggregator = LabelModelAggregator(classes=range(10)).fit(votes)
    majority = clone(aggregator).set_params(method="majority_vote").fit(votes)
    assert aggregator.method_ == "dawid_skene"
    assert aggregator.score(votes, y) > majority.score(votes, y) + 0.1


def test_the_guard_can_be_dismissed():
    votes, _, _ = adversarial()
    aggregator = LabelModelAggregator(classes=[0, 1], guard=False).fit(votes)
    assert aggregator.method_ == "dawid_skene"


# ---------------------------------------------------------------- many samples ----
@pytest.mark.slow
@given(vote_matrices, st.sampled_from(METHODS), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_chunks_add_up_to_one_fit(votes, method, n_chunks):
    whole = LabelModelAggregator(method=method, classes=range(3)).fit(votes)
    chunked = LabelModelAggregator(method=method, classes=range(3))
    for chunk in np.array_split(votes, n_chunks):
        if len(chunk):
            chunked.partial_fit(chunk)
    assert_allclose(chunked.predict_proba(votes), whole.predict_proba(votes), atol=1e-9)


@pytest.mark.parametrize("method", ["dawid_skene", "one_coin"])
def test_too_many_patterns_are_learned_step_by_step(monkeypatch, method):
    monkeypatch.setattr(
        "sklearn_alchemist.label_model._aggregator_fit.MAX_PATTERNS", 100
    )
    votes, y = planted_votes([0.9, 0.8, 0.75, 0.8, 0.7, 0.6], [0.6, 0.4], 8000)
    chunked = LabelModelAggregator(method=method, classes=[0, 1])
    for chunk in np.array_split(votes, 8):
        chunked.partial_fit(chunk)
    whole = LabelModelAggregator(method=method, classes=[0, 1]).fit(votes)
    assert chunked.n_iter_ > 1
    assert_allclose(chunked.accuracies_, whole.accuracies_, atol=0.03)
    assert chunked.score(votes, y) > whole.score(votes, y) - 0.01
    chunked.fit(votes)
    assert_array_equal(chunked.predict_proba(votes), whole.predict_proba(votes))


def test_labels_may_come_with_any_chunk():
    votes, y, known = adversarial()
    aggregator = LabelModelAggregator(
        classes=[0, 1], semi_supervised=True, guard=False
    ).partial_fit(votes[:100])
    some = np.full(len(y), -1)
    some[known] = y[known]
    aggregator.partial_fit(votes[100:], some[100:], label_proba=1.0)
    assert aggregator.score(votes, y) > 0.85
    whole = clone(aggregator).fit(
        votes, np.where(np.arange(len(y)) < 100, -1, some), label_proba=1.0
    )
    assert_allclose(aggregator.confusion_, whole.confusion_, atol=1e-9)
    assert aggregator.label_use_ == whole.label_use_


def test_a_refused_chunk_leaves_everything_as_it_was():
    aggregator = LabelModelAggregator(classes=["a", "b"])
    with pytest.raises(ValueError, match="Column 1 of the votes holds 5"):
        aggregator.partial_fit([[0, 5], [1, 1]])
    aggregator.partial_fit([[0, 1], [1, 1], [0, 0]])
    before = aggregator.predict_proba([[0, 1]])
    for chunk, y in (([[0, 5]], None), ([[0, 1]], ["c"]), ([[0, 1, 1]], None)):
        with pytest.raises(ValueError, match=r"holds|features|none of the classes"):
            aggregator.partial_fit(chunk, y)
    assert_array_equal(aggregator.predict_proba([[0, 1]]), before)
    both = LabelModelAggregator(classes=["a", "b"])
    both.fit([[0, 1], [1, 1], [0, 0], [1, 0]])
    aggregator.partial_fit([[1, 0]])
    assert_allclose(aggregator.confusion_, both.confusion_)


def test_names_that_come_after_the_first_chunk_are_refused():
    """Otherwise "spam" would become class 0 as it is the only one in the chunk."""
    aggregator = LabelModelAggregator(semi_supervised=True)
    aggregator.partial_fit([[0, 0], [1, 1]])
    with pytest.raises(ValueError, match="first call of partial_fit"):
        aggregator.partial_fit([[1, 1]], ["spam"], label_proba=1.0)
    aggregator.partial_fit([[1, 1], [2, 0]])
    assert_array_equal(aggregator.classes_, [0, 1, 2])


@pytest.mark.parametrize("later", [["c", "d", "e"], ["a", "c"], [0, 1]])
def test_other_classes_in_a_later_chunk_are_refused(later):
    aggregator = LabelModelAggregator().partial_fit([[0, 1]], classes=["a", "b"])
    with pytest.raises(ValueError, match="not the same as before"):
        aggregator.partial_fit([[0, 1]], classes=later)
    assert_array_equal(
        aggregator.partial_fit([[0, 1]], classes=["b", "a"]).classes_, ["a", "b"]
    )


@pytest.mark.parametrize("y", [False, True], ids=["no labels", "labels"])
def test_chunks_go_on_from_a_fit(y):
    votes, gold = planted_votes([0.8, 0.7, 0.6], [0.5, 0.5], n_samples=400)
    labels = np.where(np.arange(400) % 4, -1, gold) if y else None
    parts = slice(0, 300), slice(300, 400)
    aggregator = LabelModelAggregator(classes=[0, 1], semi_supervised=True)
    whole = clone(aggregator).fit(votes, labels, label_proba=0.25)
    for call, part in zip((aggregator.fit, aggregator.partial_fit), parts, strict=True):
        call(votes[part], labels if labels is None else labels[part], label_proba=0.25)
    assert_allclose(aggregator.confusion_, whole.confusion_, atol=1e-9)


def test_a_fit_to_too_many_rows_says_that_it_cannot_go_on(monkeypatch):
    for module in ("_aggregator_fit", "_aggregator"):
        monkeypatch.setattr(f"sklearn_alchemist.label_model.{module}.MAX_PATTERNS", 10)
    votes, _ = planted_votes([0.9, 0.8, 0.75], [0.6, 0.4], 500)
    aggregator = LabelModelAggregator(classes=[0, 1]).fit(votes)
    with pytest.raises(ValueError, match="more than 10 different rows"):
        aggregator.partial_fit(votes)


def test_votes_unknown_to_later_chunks_say_nothing(monkeypatch):
    monkeypatch.setattr(
        "sklearn_alchemist.label_model._aggregator_fit.MAX_PATTERNS", 10
    )
    votes, _ = planted_votes([0.9, 0.8, 0.75], [0.6, 0.4], 500)
    aggregator = LabelModelAggregator().partial_fit(votes)
    aggregator.partial_fit(np.where(votes[:50] == 1, 9, votes[:50]))
    assert np.isfinite(aggregator.predict_proba(votes)).all()


@pytest.mark.slow
@given(vote_matrices, st.sampled_from(METHODS))
@settings(max_examples=40, deadline=None)
def test_patterns_and_counts_are_as_good_as_samples(votes, method):
    patterns, counts = np.unique(votes, axis=0, return_counts=True)
    by_samples, by_patterns = (
        LabelModelAggregator(method=method, classes=range(3)).fit(X, sample_weight=w)
        for X, w in ((votes, None), (patterns, counts))
    )
    assert_allclose(
        by_patterns.predict_proba(votes), by_samples.predict_proba(votes), atol=1e-9
    )


@pytest.mark.slow
@given(vote_matrices, st.sampled_from(METHODS), st.booleans(), st.data())
@settings(max_examples=40, deadline=None)
def test_samples_of_weight_zero_are_not_there(votes, method, named, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    weight = rng.integers(0, 3, len(votes)) * rng.choice([1.0, 0.3])
    weight[0] = 1.0
    used = weight > 0
    y = np.where(used, rng.integers(-1, 3, len(votes)), 99)  # 99 is no class
    aggregator = LabelModelAggregator(
        method=method, classes=range(3) if named else None, semi_supervised=True
    )
    absent, weightless = (
        clone(aggregator).fit(
            votes[part],
            y[part] if named else None,
            sample_weight=weight[part],
            label_proba=np.where(used, 0.5, 7 * used)[part],
        )
        for part in (used, slice(None))
    )
    assert_array_equal(
        weightless.predict_proba(votes[used]), absent.predict_proba(votes[used])
    )
    assert weightless.label_use_ == absent.label_use_


def test_a_chunk_without_weight_changes_nothing():
    aggregator = LabelModelAggregator(classes=[0, 1])
    with pytest.raises(ValueError, match="at least one non-zero"):
        aggregator.fit([[0, 1], [1, 1]], sample_weight=[0, 0])
    with pytest.raises(ValueError, match="at least one non-zero"):
        aggregator.partial_fit([[0, 1]], sample_weight=[0])
    aggregator.partial_fit([[0, 1], [1, 1]])
    before = aggregator.confusion_
    aggregator.partial_fit([[0, 0]], ["no class"], sample_weight=[0])
    assert_array_equal(aggregator.confusion_, before)


@pytest.mark.parametrize("scale", [1e-9, 0.1, 1 / 3, 1e9])
@pytest.mark.parametrize("seed", range(4))
def test_weights_of_any_scale_hide_no_copies(scale, seed):
    """Sums of fractions are rounded, so a coverage of 1 may come out above 1."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 1000)
    good = np.where(rng.random((1000, 6)) < 0.75, y[:, None], 1 - y[:, None])
    weak = np.where(rng.random(1000) < 0.6, y, 1 - y)
    votes = np.column_stack([good, weak, weak, weak])
    weight = rng.uniform(0.5, 1.5, 1000) * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        weighted = LabelModelAggregator(classes=[0, 1]).fit(votes, sample_weight=weight)
    assert np.isfinite(weighted.predict_proba(votes)).all()
    if scale > 0.01:
        assert [group.tolist() for group in weighted.groups_] == [[6, 7, 8]]


@pytest.mark.parametrize("n_classes", [1, 126, 127, 128, 129, 300])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int64, float])
def test_as_many_classes_as_a_type_holds_are_told_apart(n_classes, dtype):
    y = np.arange(600) % n_classes
    if n_classes - 1 > (np.inf if dtype is float else np.iinfo(dtype).max):
        pytest.skip("the type does not hold them")
    votes = np.column_stack([y, y, y]).astype(dtype)
    classes = None if n_classes == 1 else range(n_classes)
    for method in ("majority_vote", "one_coin"):
        aggregator = LabelModelAggregator(method=method, classes=classes, max_iter=30)
        assert_array_equal(aggregator.fit(votes).predict(votes), y)


# ------------------------------------------------------------------- bad input ----
BAD_VOTES = {
    "all abstain": np.full((30, 4), -1),
    "one program": np.resize([0, 1, -1, 1], (30, 1)),
    "one class": np.resize([1, -1, 1, 1, -1], (30, 4)),
    "constant programs": np.tile([0, 1, -1, 0], (30, 1)),
    "one sample": np.array([[0, 1, 1]]),
    "identical programs": np.repeat(np.resize([0, 1, -1], (30, 1)), 6, axis=1),
    "integers as floats": np.resize([0.0, 1.0, -1.0, 1.0, 0.0], (30, 4)),
}


@pytest.mark.parametrize("n_samples", [1, 99, 100, 1000])
@pytest.mark.parametrize("vote", [-1, 0])
def test_votes_for_one_class_or_none_need_no_classes(n_samples, vote, method):
    votes = np.full((n_samples, 3), vote)
    aggregator = LabelModelAggregator(method=method).fit(votes)
    assert_array_equal(aggregator.classes_, [0])
    assert_array_equal(aggregator.predict_proba(votes), np.ones((n_samples, 1)))


@pytest.mark.parametrize("votes", BAD_VOTES.values(), ids=BAD_VOTES)
@pytest.mark.parametrize("abstain", ["auto", "ignore", "evidence"])
def test_posteriors_are_probabilities_for_degenerate_votes(votes, abstain, method):
    aggregator = LabelModelAggregator(
        method=method, classes=[0, 1, 2], abstain=abstain
    ).fit(votes)
    proba = aggregator.predict_proba(votes)
    assert np.isfinite(proba).all()
    assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.slow
def test_a_thousand_programs_are_aggregated():
    votes, y = planted_votes(np.full(1000, 0.6), [0.5, 0.5], n_samples=40)
    aggregator = LabelModelAggregator(classes=[0, 1]).fit(votes)
    assert aggregator.score(votes, y) > 0.95


def test_agreement_is_never_turned_around():
    """Whatever else is unclear, what all programs say is what they say."""
    votes = np.repeat(np.resize([0, 1], (60, 1)), 5, axis=1)
    assert_array_equal(
        LabelModelAggregator(classes=[0, 1]).fit(votes).predict(votes), votes[:, 0]
    )


@pytest.mark.parametrize(
    "votes",
    [
        [[0, None], [1, 1]],
        [["ham", "spam"], ["ham", "ham"]],
        np.array([["0", "1"], ["1", "1"]]),
        pd.DataFrame({"a": ["ham", None], "b": ["spam", "ham"]}),
        pl.DataFrame({"a": [0, None], "b": [1, 1]}),
    ],
    ids=["None in a list", "names", "digits", "pandas", "polars"],
)
def test_votes_that_are_names_or_missing_end_in_advice(votes):
    with pytest.raises(ValueError, match="Votes are numbers: -1 where"):
        LabelModelAggregator(classes=["ham", "spam"]).fit(votes)


def test_the_example_of_the_guide_runs():
    guide = pathlib.Path(__file__).parents[1] / "docs/label_models.rst"
    result = doctest.testfile(str(guide), module_relative=False)
    assert result.attempted > 5
    assert not result.failed


@pytest.mark.parametrize("module", ["_parameters", "_voting_rule"])
def test_a_fit_of_an_earlier_version_ends_in_advice(module):
    name = "Parameters" if module == "_parameters" else "VotingRule"
    made_before = f"csklearn_alchemist.label_model.{module}\n{name}\n)\x81}}b."
    with pytest.raises(ValueError, match="fit it again"):
        pickle.loads(made_before.encode("latin-1"))


# ------------------------------------------------------------------------- ties ----
TIED = [[0, 1], [1, 0], [0, 0], [1, 1]]


def test_ties_can_be_left_open():
    named = LabelModelAggregator(
        method="majority_vote", classes=["ham", "spam"], tie_break_policy="abstain"
    ).fit(TIED)
    assert named.predict(TIED).tolist() == [None, None, "ham", "spam"]
    numbered = clone(named).set_params(classes=[3, 4]).fit(TIED)
    assert numbered.predict(TIED).tolist() == [-1, -1, 3, 4]
    signed = clone(named).set_params(classes=[-1, 1]).fit(TIED)
    assert signed.predict(TIED).tolist() == [None, None, -1, 1]


def test_ties_are_drawn_for_each_row_of_votes_whatever_the_others_are():
    rng = np.random.default_rng(0)
    votes = rng.integers(-1, 3, (300, 8))
    model = LabelModelAggregator(
        method="majority_vote",
        classes=list("abc"),
        tie_break_policy="random",
        random_state=0,
    ).fit(votes)
    proba = model.predict_proba(votes)
    tied = np.isclose(proba, proba.max(axis=1, keepdims=True))
    drawn = np.searchsorted(model.classes_, model.predict(votes))
    assert tied[np.arange(300), drawn].all()
    assert len(set(drawn[tied.sum(axis=1) == 3])) == 3
    assert_array_equal(model.predict(votes[:7]), model.predict(votes)[:7])
    other = clone(model).set_params(random_state=1).fit(votes)
    assert (other.predict(votes) != model.predict(votes)).any()


def test_the_class_prior_can_be_a_dict():
    prior = {"spam": 0.2, "ham": 0.8}
    model = LabelModelAggregator(classes=["spam", "ham"], class_prior=prior).fit(TIED)
    assert_allclose(model.class_prior_, [0.8, 0.2])
    for wrong, message in (
        ({"spam": 1.0}, r"lacks \['ham'\]"),
        ({"spam": 0.2, "ham": 0.3, "eggs": 0.5}, r"holds \['eggs'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            clone(model).set_params(class_prior=wrong).fit(TIED)


# ------------------------------------------------------------- sparse votes ----
def one_keyword_rules(seed=0, n_samples=4000, n_classes=4, n_rules=60):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n_samples)
    own = np.arange(n_rules) % n_classes
    hit = np.where(y[:, None] == own, 0.03, 0.004)
    busy = rng.gamma(1.0, 1.0, (n_samples, 1))
    votes = np.where(rng.random((n_samples, n_rules)) < hit * busy, own, -1)
    return votes, y


@pytest.mark.parametrize("seed", range(3))
def test_many_sparse_rules_are_never_worse_than_their_majority(seed):
    votes, y = one_keyword_rules(seed)
    covered = (votes >= 0).any(axis=1)
    model = LabelModelAggregator(classes=range(4)).fit(votes)
    votes_for = np.stack([(votes == c).sum(axis=1) for c in range(4)], axis=1)
    top = votes_for == votes_for.max(axis=1, keepdims=True)
    majority = (top[np.arange(len(y)), y] / top.sum(axis=1))[covered].mean()
    assert model.score(votes[covered], y[covered]) >= majority - 0.005
    assert abs(model.class_prior_ - 0.25).max() < 0.1
    alone = (votes >= 0).sum(axis=1) == 1
    assert_array_equal(model.predict(votes[alone]), votes[alone].max(axis=1))


@pytest.mark.slow
@settings(deadline=None)
@given(votes=vote_matrices, seed=st.integers(0, 99))
def test_labels_of_unknown_origin_leave_all_predictions(votes, seed):
    model = LabelModelAggregator(classes=range(3), semi_supervised=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = model.fit(votes).predict(votes)
        before = model.predict_proba(votes)
        known = np.random.default_rng(seed).random(len(votes)) < 0.5
        after = model.fit(votes, np.where(known, own, -1)).predict_proba(votes)
    assert_allclose(after, before, atol=1e-12)


# ------------------------------------------------- what counting votes knows too ----
@given(votes=vote_matrices, method=st.sampled_from(METHODS))
@settings(max_examples=40, deadline=None)
def test_no_only_vote_is_overruled_where_no_votes_overlap(votes, method):
    alone = votes.argmax(axis=1)[:, None] == np.arange(votes.shape[1])
    votes = np.where(alone, votes, -1)
    aggregator = LabelModelAggregator(method=method, classes=range(3))
    predicted = aggregator.fit(votes).predict(votes)
    voted = votes.max(axis=1) >= 0
    assert_array_equal(predicted[voted], votes.max(axis=1)[voted])


@given(votes=vote_matrices, method=st.sampled_from(METHODS), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_program_that_always_abstains_changes_nothing(votes, method, data):
    place = data.draw(st.integers(0, votes.shape[1]))
    more = np.insert(votes, place, -1, axis=1)
    aggregator = LabelModelAggregator(method=method, classes=range(3))
    assert_allclose(
        clone(aggregator).fit(more).predict_proba(more),
        clone(aggregator).fit(votes).predict_proba(votes),
        atol=1e-9,
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.LabelsWarning")
def test_labels_that_a_fit_predicts_leave_the_other_predictions(seed):
    """As long as nobody says that they are a sample, and as far as it was sure."""
    votes, _ = planted_votes(np.full(6, 0.75), [0.5, 0.5], n_samples=500, seed=seed)
    aggregator = LabelModelAggregator(classes=range(2), semi_supervised=True)
    before = aggregator.fit(votes).predict_proba(votes)
    y = np.full(500, None, dtype=object)
    y[:50] = before[:50].argmax(axis=1)
    assert_array_equal(aggregator.fit(votes, y).predict_proba(votes), before)
    sampled = aggregator.fit(votes, y, label_proba=0.1).predict(votes)
    sure = before.max(axis=1) > 0.75
    assert sure.mean() > 0.3
    assert_array_equal(sampled[sure], before.argmax(axis=1)[sure])


def test_with_many_classes_and_few_votes_a_program_has_one_accuracy():
    accuracy = np.repeat([0.2, 0.6], 6)
    votes, y = planted_votes(accuracy, np.full(40, 1 / 40), n_samples=1500)
    aggregator = LabelModelAggregator(classes=range(40)).fit(votes)
    assert aggregator.method_ == "weighted_vote"
    assert "too few to learn it" in aggregator.fallback_reason_
    counted = LabelModelAggregator(classes=range(40), method="majority_vote")
    assert aggregator.score(votes, y) > counted.fit(votes).score(votes, y) + 0.02
    labels = np.where(np.arange(1500) < 100, y, None)
    learning = LabelModelAggregator(classes=range(40), semi_supervised=True)
    assert learning.fit(votes, labels, label_proba=1.0).method_ == "one_coin"


def test_more_rows_than_are_fitted_give_the_same_in_any_order(monkeypatch):
    votes, _ = planted_votes(np.linspace(0.6, 0.9, 12), [0.7, 0.3], n_samples=3000)
    monkeypatch.setattr(
        "sklearn_alchemist.label_model._aggregator_fit._MAX_FITTED", 1000
    )
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(3000), rng.permutation(12)
    first = LabelModelAggregator(classes=range(2)).fit(votes)
    second = LabelModelAggregator(classes=range(2)).fit(votes[rows][:, columns])
    assert_allclose(
        first.predict_proba(votes)[rows],
        second.predict_proba(votes[rows][:, columns]),
        atol=1e-9,
    )
    assert_allclose(first.class_prior_, [0.7, 0.3], atol=0.06)
    assert first.groups_ == []
