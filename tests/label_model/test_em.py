from itertools import islice, pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import (
    Expected,
    Parameters,
    Patterns,
    PatternTable,
    class_of_answers,
    count_votes,
    em_steps,
    expect,
    expect_from_votes,
    extrapolate,
    log_evidence,
    log_prior,
    majority_posterior,
    make_priors,
    maximise,
    posterior,
)

MEANING = class_of_answers(np.arange(-1, 2), 2)


def start(codes, counts, groups=(), **options):
    """Everything that the steps need, for two classes."""
    table = PatternTable(codes, 3, groups)
    proba = majority_posterior(count_votes(table, MEANING), np.array([0.5, 0.5]))
    begin = expect_from_votes(table, counts, proba.T)
    totals = np.stack([np.bincount(column, counts, 3) for column in codes.T])
    totals = np.concatenate([totals, begin.answers[len(totals) :].sum(axis=1)])
    grouped = ~np.isin(np.arange(codes.shape[1]), table.singles)
    return table, counts, begin, make_priors(totals, MEANING, grouped, **options)


def problem_with(groups, **options):
    rng = np.random.default_rng(0)
    codes, counts = rng.integers(0, 3, (60, 5)), rng.integers(1, 9, 60).astype(float)
    return start(codes, counts, groups, **options)


@pytest.fixture(params=["independent", "grouped"])
def problem(request):
    groups = [np.array([1, 3])] if request.param == "grouped" else []
    return problem_with(groups)


def brute_force(codes, parameters, group):
    """Probability of class and answers, by summing over the hidden answer."""
    joint = np.tile(parameters.class_prior, (len(codes), 1))
    n_classes, n_answers = parameters.confusion.shape[1:]
    for row, answers in enumerate(codes):
        for y in range(n_classes):
            for program, answer in enumerate(answers):
                if program not in group:
                    joint[row, y] *= parameters.confusion[program, y, answer]
            mixed = 0.0
            for hidden in range(n_answers):
                term = parameters.confusion[-1, y, hidden]
                for program in group:
                    repeats = parameters.fidelity[program]
                    alone = parameters.confusion[program, y, answers[program]]
                    same = answers[program] == hidden
                    term *= repeats * same + (1 - repeats) * alone
                mixed += term
            joint[row, y] *= mixed
    return joint


# --------------------------------------------------------------------- E-step ----
def test_the_posterior_is_the_rule_of_bayes():
    """One program, that says `1` to 0.2 of class 0 and 0.6 of class 1."""
    confusion = np.array([[[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]])
    table = PatternTable(np.array([[2]]), 3)
    model = Parameters(np.array([0.75, 0.25]), confusion, np.zeros(1))
    evidence = 0.75 * 0.2 + 0.25 * 0.6
    assert_allclose(posterior(table, model), [[0.15 / evidence, 0.15 / evidence]])
    expected = expect(table, np.array([2.0]), model)
    assert_allclose(expected.log_likelihood, 2 * np.log(evidence))


def test_a_group_is_summed_over_its_hidden_answer():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, (20, 4))
    group = np.array([0, 2])
    confusion = rng.dirichlet(np.ones(3), (5, 2))
    fidelity = np.array([0.8, 0.0, 0.3, 0.0])
    model = Parameters(np.array([0.4, 0.6]), confusion, fidelity)
    table = PatternTable(codes, 3, [group])
    joint = brute_force(codes, model, group)
    assert_allclose(
        posterior(table, model), joint / joint.sum(axis=1, keepdims=True), rtol=1e-10
    )
    assert_allclose(
        expect(table, np.ones(20), model).log_likelihood, np.log(joint.sum(1)).sum()
    )


def test_the_posterior_survives_a_thousand_programs_that_are_sure():
    confusion = np.tile(
        [[0.0, 1 - 1e-12, 1e-12], [0.0, 1e-12, 1 - 1e-12]], (1000, 1, 1)
    )
    table = PatternTable(np.full((1, 1000), 1), 3)
    model = Parameters(np.full(2, 0.5), confusion, np.zeros(1000))
    assert_allclose(posterior(table, model), [[1, 0]])
    assert np.isfinite(expect(table, np.ones(1), model).log_likelihood)


def test_samples_are_counted_once_by_every_voter(problem):
    table, counts, begin, priors = problem
    expected = expect(table, counts, maximise(begin, priors))
    assert_allclose(expected.classes.sum(), counts.sum())
    voters = [*table.singles, *range(table.n_programs, len(expected.answers))]
    assert_allclose(expected.answers[voters].sum(axis=(1, 2)), counts.sum())
    assert_allclose(
        expected.answers[voters].sum(axis=2), [expected.classes] * len(voters)
    )


def test_a_known_class_is_certain():
    table, counts, begin, priors = problem_with([])
    model = maximise(begin, priors)
    labels = np.full(60, -1)
    labels[:30] = 1
    only_labelled = np.where(labels == 1, counts, 0.0)
    expected = expect(table, only_labelled, model, labels)
    assert_allclose(expected.classes, [0, only_labelled.sum()])


def test_chunks_do_not_matter(monkeypatch):
    table, counts, begin, priors = problem_with([np.array([1, 3])])
    model = maximise(begin, priors)
    whole = expect(table, counts, model)
    monkeypatch.setattr("sklearn_alchemist.label_model._expectation._CHUNK", 7)
    chunked = expect(table, counts, model)
    assert_allclose(chunked.answers, whole.answers, atol=1e-10)
    assert_allclose(posterior(table, model).sum(axis=1), 1)


def test_a_temperature_flattens_the_posterior():
    table, _, begin, priors = problem_with([])
    model = maximise(begin, priors)
    cold, warm = posterior(table, model), posterior(table, model, temperature=2.0)
    assert_allclose(warm, np.sqrt(cold) / np.sqrt(cold).sum(axis=1, keepdims=True))


# --------------------------------------------------------------------- M-step ----
def test_the_m_step_counts_and_adds_the_prior():
    """Ten samples of class 0, all voted 0, and ten of class 1, half of them voted 1."""
    codes = np.array([[1], [2], [0]])
    table, _, _, priors = start(codes, np.array([10.0, 5.0, 5.0]))
    proba = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    counted = expect_from_votes(table, np.array([10.0, 5.0, 5.0]), proba)
    parameters = maximise(counted, priors)
    # Marginal coverage 3/4, held by 2 pseudo-counts for each of 20 samples.
    covered = np.array([(10 + 30) / (10 + 40), (5 + 30) / (10 + 40)])
    # 10 pseudo-votes for an accuracy of 0.7, 20 more for equal accuracies.
    right = np.array([(10 + 7 + 14) / (10 + 30), (5 + 7 + 14) / (5 + 30)])
    assert_allclose(parameters.confusion[0, :, 0], 1 - covered)
    assert_allclose(parameters.confusion[0, [0, 1], [1, 2]], covered * right)
    assert_allclose(parameters.class_prior, [0.5, 0.5])


def test_the_m_step_keeps_a_given_class_prior(problem):
    _, _, begin, priors = problem
    given = np.array([0.9, 0.1])
    assert_array_equal(maximise(begin, priors, given).class_prior, given)


@pytest.mark.parametrize("abstain", ["auto", "ignore", "evidence"])
def test_the_m_step_maximises_the_objective(abstain):
    """Any other parameters explain the expected counts less well."""
    table, counts, begin, priors = problem_with([np.array([1, 3])], abstain=abstain)
    before = maximise(begin, priors)
    expected = expect(table, counts, before)
    best = maximise(expected, priors, None, before)

    def objective(parameters):
        logs = np.log(np.where(parameters.confusion > 0, parameters.confusion, 1))
        own = expected.answers[: table.n_programs].sum(axis=(1, 2))[[1, 3]]
        repeats = parameters.fidelity[[1, 3]]
        total = expected.classes @ np.log(parameters.class_prior)
        total += (expected.answers * logs).sum()
        total += (counts.sum() - own) @ np.log(repeats) + own @ np.log1p(-repeats)
        return total + log_prior(parameters, priors)

    assert objective(best) > objective(before)


def test_abstaining_says_nothing_if_it_is_ignored():
    _, _, begin, priors = problem_with([], abstain="ignore")
    silent = maximise(begin, priors).confusion[:, :, 0]
    assert_allclose(silent[:, 0], silent[:, 1])


def test_one_coin_programs_are_equally_accurate_in_all_classes():
    steps = em_steps(*problem_with([], one_coin=True))
    for parameters, _ in islice(steps, 5):
        votes = parameters.confusion[:, :, 1:]
        shares = votes / votes.sum(axis=2, keepdims=True)
        assert_allclose(shares[:, 0, 0], shares[:, 1, 1])


# ------------------------------------------------------------------ iteration ----
def test_rows_of_the_confusion_sum_to_one(problem):
    parameters, _ = next(em_steps(*problem))
    assert_allclose(parameters.confusion.sum(axis=2), 1)


@pytest.mark.parametrize("class_prior", [None, np.array([0.3, 0.7])])
@pytest.mark.parametrize(
    "options", [{}, {"abstain": "ignore"}, {"abstain": "evidence"}, {"one_coin": True}]
)
def test_the_objective_never_falls(class_prior, options):
    problem = problem_with([np.array([1, 3])], **options)
    steps = em_steps(*problem, class_prior, tol=1e-9)
    objectives = [objective for _, objective in islice(steps, 200)]
    gains = np.array([after - before for before, after in pairwise(objectives)])
    assert (gains > -1e-9).all()
    assert gains[0] > 1e-4


def test_leaps_reach_what_plain_steps_reach_in_fewer_steps():
    table, counts, begin, priors = problem_with([])
    plain, steps = begin, 0
    before, objective = None, -np.inf
    while True:
        before = maximise(plain, priors, None, before)
        plain = expect(table, counts, before)
        reached = (plain.log_likelihood + log_prior(before, priors)) / counts.sum()
        steps += 1
        if reached - objective < 1e-10:
            break
        objective = reached
    leaping = -np.inf
    taken = 0
    for _, objective in em_steps(*problem_with([])):
        taken += 1
        if objective - leaping < 1e-10:
            break
        leaping = objective
    assert leaping >= reached - 1e-6
    assert taken < steps


def test_a_leap_keeps_what_is_impossible_and_what_is_given():
    _, _, begin, priors = problem_with([])
    model = maximise(begin, priors)
    confusion = model.confusion.copy()
    confusion[0, :, 2] = 0
    confusion /= confusion.sum(axis=2, keepdims=True)
    model = Parameters(model.class_prior, confusion, model.fidelity)
    given = np.array([0.5, 0.5])
    leap = extrapolate(model, model, model, given)
    assert_array_equal(leap.confusion[0, :, 2], 0)
    assert_array_equal(leap.class_prior, given)
    assert_allclose(leap.confusion, model.confusion)


def test_an_answer_never_given_is_no_evidence():
    confusion = np.array([[[0.6, 0.4, 0.0], [0.9, 0.1, 0.0]]])
    assert_array_equal(log_evidence(confusion)[0, 2], [0, 0])


def test_a_program_that_never_votes_is_sure_to_abstain():
    codes = np.array([[0, 1], [0, 2]])
    parameters, objective = next(em_steps(*start(codes, np.array([3.0, 4.0]))))
    assert_array_equal(parameters.confusion[0], [[1, 0, 0], [1, 0, 0]])
    assert np.isfinite(objective)


def test_the_start_counts_a_group_once():
    codes = np.array([[1, 1, 2], [2, 2, 1]])
    table = PatternTable(codes, 3, [np.array([0, 1])])
    assert_array_equal(count_votes(table, MEANING), [[1, 1], [1, 1]])
    begin = expect_from_votes(table, np.ones(2), np.eye(2))
    assert isinstance(begin, Expected)
    assert_array_equal(begin.answers[-1], [[0, 1, 0], [0, 0, 1]])


def test_labelled_patterns_count_more():
    codes = np.array([[1], [2]])
    patterns = Patterns(codes, np.ones(2), MEANING, np.array([-1, 1]))
    assert_array_equal(patterns.with_weighted_labels().counts, [1, 5])
