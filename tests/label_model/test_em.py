import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp, softmax

from sklearn_alchemist.label_model import (
    Patterns,
    Settings,
    Stepwise,
    class_of_answers,
    fit_votes,
    normalise,
)

vote_matrices = hnp.arrays(
    np.int8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.integers(-1, 2),
)


def patterns_of(votes, n_classes, **known):
    meaning = class_of_answers(np.arange(-1, n_classes), n_classes)
    return Patterns(votes.astype(int) + 1, np.ones(len(votes)), meaning, **known)


def settings_of(**changed):
    default = {"one_coin": False, "abstain": "ignore", "class_prior": None}
    stop = {"groups": [], "max_iter": 1000, "tol": 1e-6}
    return Settings(**{**default, **stop, **changed})


def go_on(model):
    return False


def planted(accuracy, prior, n_samples=4000, coverage=0.6, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.choice(len(prior), n_samples, p=prior)
    shape = (n_samples, len(accuracy))
    wrong = (y[:, None] + rng.integers(1, len(prior), shape)) % len(prior)
    votes = np.where(rng.random(shape) < accuracy, y[:, None], wrong)
    votes[rng.random(shape) > coverage] = -1
    return votes, y


def precision_of(fit, program, vote):
    """Probability of the class of a vote where it is the only one."""
    codes = np.zeros((1, fit.model.evidence.shape[0]), dtype=int)
    codes[0, program] = vote + 1
    return fit.model.posterior(codes)[0, vote]


@pytest.mark.slow
def test_planted_accuracies_are_found():
    accuracy = [0.9, 0.8, 0.7, 0.6, 0.75]
    votes, _ = planted(accuracy, [0.5, 0.5], n_samples=20_000)
    fit = fit_votes(patterns_of(votes, 2), settings_of(), go_on)
    found = [precision_of(fit, program, 1) for program in range(5)]
    assert_allclose(found, accuracy, atol=0.03)
    assert fit.converged


@pytest.mark.slow
@settings(deadline=None)
@given(
    programs=hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(0, 3)),
    seed=st.integers(0, 99),
    one_coin=st.booleans(),
    uniform=st.booleans(),
)
def test_the_only_vote_of_a_row_is_never_overruled_without_overlaps(
    programs, seed, one_coin, uniform
):
    vote = np.random.default_rng(seed).integers(0, 3, len(programs))
    votes = np.full((len(programs), 4), -1)
    votes[np.arange(len(votes)), programs] = vote
    prior = np.array([0.9, 0.05, 0.05]) if uniform else None
    fit = fit_votes(
        patterns_of(votes, 3),
        settings_of(one_coin=one_coin, class_prior=prior),
        go_on,
    )
    proba = fit.model.posterior(votes + 1)
    assert_array_equal(proba.argmax(axis=1), vote)


@pytest.mark.slow
def test_rows_with_one_vote_do_not_say_how_far_to_believe_it():
    votes, _ = planted([0.9, 0.8, 0.7], [0.5, 0.5], coverage=1)
    alone = np.full((8000, 3), -1)
    alone[:, 2] = 0
    without, among = (
        fit_votes(patterns_of(v, 2), settings_of(), go_on)
        for v in (votes, np.vstack([votes, alone]))
    )
    assert_allclose(precision_of(among, 0, 0), precision_of(without, 0, 0), atol=0.05)
    assert_allclose(precision_of(among, 2, 0), precision_of(without, 2, 0), atol=0.05)


@pytest.mark.slow
@settings(deadline=None)
@given(votes=vote_matrices, place=st.integers(0, 9))
def test_a_program_that_never_votes_changes_nothing(votes, place):
    place = min(place, votes.shape[1])
    more = np.insert(votes, place, -1, axis=1)
    one, other = (
        fit_votes(patterns_of(v, 3), settings_of(), go_on) for v in (votes, more)
    )
    assert_allclose(
        other.model.posterior(more + 1), one.model.posterior(votes + 1), atol=1e-12
    )


def test_one_coin_gives_all_votes_of_a_program_one_accuracy():
    votes, _ = planted([0.9, 0.8, 0.7, 0.75, 0.85], [0.5, 0.5])
    fit = fit_votes(patterns_of(votes, 2), settings_of(one_coin=True), go_on)
    for program, accuracy in enumerate([0.9, 0.8, 0.7, 0.75, 0.85]):
        both = [precision_of(fit, program, vote) for vote in (0, 1)]
        assert_allclose(both, accuracy, atol=0.05)


def test_labels_turn_programs_round_that_are_mostly_wrong():
    votes, y = planted([0.25, 0.3, 0.25, 0.3, 0.8, 0.8], [0.5, 0.5])
    labels = np.full(len(y), -1)
    labels[:30] = y[:30]
    blind, told = (
        fit_votes(patterns_of(votes, 2, labels=known), settings_of(), go_on)
        for known in (None, labels)
    )
    right = [
        (fit.model.posterior(votes + 1).argmax(axis=1) == y).mean()
        for fit in (blind, told)
    ]
    assert right[0] < 0.3
    assert right[1] > 0.75


def test_a_step_can_stop_the_fit():
    votes, _ = planted([0.9, 0.8, 0.7], [0.5, 0.5])
    seen = []
    fit = fit_votes(
        patterns_of(votes, 2),
        settings_of(tol=0.0),
        lambda model: seen.append(model) or len(seen) == 3,
    )
    assert fit.stopped
    assert fit.n_iter == len(seen) == 3


def test_many_rows_are_learned_from_in_any_order(monkeypatch):
    monkeypatch.setattr("sklearn_alchemist.label_model._em._SAMPLE_SIZE", 300)
    votes, y = planted([0.9, 0.8, 0.75, 0.7, 0.65, 0.6], [0.7, 0.3], 6000)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(6000), rng.permutation(6)
    distinct, counts = np.unique(votes, axis=0, return_counts=True)
    patterns = patterns_of(distinct, 2)
    patterns = Patterns(patterns.codes, counts.astype(float), patterns.meaning)
    shuffled = np.unique(votes[np.ix_(rows, columns)], axis=0, return_counts=True)
    other = patterns_of(shuffled[0], 2)
    other = Patterns(other.codes, shuffled[1].astype(float), other.meaning)
    assert len(distinct) > 300
    one, two = (fit_votes(p, settings_of(), go_on) for p in (patterns, other))
    assert_allclose(
        two.model.posterior(votes[:, columns] + 1),
        one.model.posterior(votes + 1),
        atol=1e-9,
    )
    proba = one.model.posterior(votes + 1)
    assert (proba.argmax(axis=1) == y).mean() > 0.78


@pytest.mark.slow
@pytest.mark.parametrize("abstain", ["ignore", "evidence"])
def test_a_chunk_more_is_as_good_as_all_at_once(abstain):
    votes, _ = planted([0.9, 0.8, 0.75, 0.7], [0.6, 0.4])
    how = settings_of(abstain=abstain)
    first = patterns_of(votes[:2000], 2)
    stepwise = Stepwise.begin(first, fit_votes(first, how, go_on).model, how)
    stepwise = stepwise.step(patterns_of(votes[2000:], 2))
    whole = fit_votes(patterns_of(votes, 2), how, go_on)
    assert_allclose(
        stepwise.model.posterior(votes + 1),
        whole.model.posterior(votes + 1),
        atol=0.12,
    )


@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_logarithms_of_any_size_become_probabilities(n_classes):
    logits = np.random.default_rng(0).normal(scale=30, size=(200, n_classes))
    logits[:50, 1:] = -np.inf
    logits[50:100] -= 2000
    proba, total = normalise(logits)
    assert_allclose(proba, softmax(logits, axis=1), rtol=1e-12)
    assert_allclose(total, logsumexp(logits, axis=1), rtol=1e-12)
