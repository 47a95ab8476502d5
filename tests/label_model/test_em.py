from itertools import islice, pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_alchemist.label_model import (
    Parameters,
    PatternTable,
    class_of_answers,
    e_step,
    em_steps,
    log_evidence,
    log_prior,
    m_step,
    majority_posterior,
    make_priors,
)

MEANING = class_of_answers(np.arange(-1, 2), 2)


def start(codes, counts):
    """Everything that the steps need, for two classes."""
    table = PatternTable(codes, 3)
    votes_for = (codes[:, :, None] == [1, 2]).sum(axis=1)
    posterior = majority_posterior(votes_for, np.array([0.5, 0.5]))
    priors = make_priors(table.count(counts[:, None])[:, 0], MEANING)
    return table, counts, posterior, priors


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return start(rng.integers(0, 3, (60, 5)), rng.integers(1, 9, 60).astype(float))


def test_e_step_is_the_rule_of_bayes():
    """One program, that says `1` to 0.2 of class 0 and 0.6 of class 1."""
    confusion = np.array([[[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]])
    table = PatternTable(np.array([[2]]), 3)
    posterior, log_likelihood = e_step(
        table, Parameters(np.array([0.75, 0.25]), confusion)
    )
    evidence = 0.75 * 0.2 + 0.25 * 0.6
    assert_allclose(posterior, [[0.15 / evidence, 0.15 / evidence]])
    assert_allclose(log_likelihood, np.log(evidence))


def test_e_step_survives_a_thousand_programs_that_are_sure():
    confusion = np.tile(
        [[0.0, 1 - 1e-12, 1e-12], [0.0, 1e-12, 1 - 1e-12]], (1000, 1, 1)
    )
    table = PatternTable(np.full((1, 1000), 1), 3)
    posterior, log_likelihood = e_step(table, Parameters(np.full(2, 0.5), confusion))
    assert_allclose(posterior, [[1, 0]])
    assert np.isfinite(log_likelihood).all()


def test_m_step_counts_and_adds_the_prior():
    """Ten samples of class 0, all voted 0, and ten of class 1, half of them voted 1."""
    codes = np.array([[1], [2], [0]])
    table, _, _, priors = start(codes, np.array([10.0, 5.0, 5.0]))
    weighted = np.array([[10.0, 0.0], [0.0, 5.0], [0.0, 5.0]])
    parameters = m_step(table, weighted, priors)
    # Marginal coverage 3/4, held by 2 pseudo-counts for each of 20 samples.
    covered = np.array([(10 + 30) / (10 + 40), (5 + 30) / (10 + 40)])
    right = np.array([(10 + 7) / (10 + 10), (5 + 7) / (5 + 10)])
    assert_allclose(parameters.confusion[0, :, 0], 1 - covered)
    assert_allclose(parameters.confusion[0, [0, 1], [1, 2]], covered * right)
    assert_allclose(parameters.class_prior, [0.5, 0.5])


def test_m_step_keeps_a_given_class_prior(problem):
    table, counts, posterior, priors = problem
    given = np.array([0.9, 0.1])
    parameters = m_step(table, posterior * counts[:, None], priors, given)
    assert_array_equal(parameters.class_prior, given)


def test_m_step_maximises_the_objective(problem):
    """Any other parameters explain the expected counts less well."""
    table, counts, posterior, priors = problem
    weighted = posterior * counts[:, None]
    best = m_step(table, weighted, priors)

    def objective(parameters):
        logits = table.sum(log_evidence(parameters.confusion))
        logits += np.log(parameters.class_prior)
        return (weighted * logits).sum() + log_prior(parameters, priors)

    rng = np.random.default_rng(0)
    for _ in range(20):
        other = best.confusion * np.exp(rng.normal(scale=0.05, size=(5, 2, 3)))
        other /= other.sum(axis=2, keepdims=True)
        prior = best.class_prior * np.exp(rng.normal(scale=0.05, size=2))
        assert objective(Parameters(prior / prior.sum(), other)) < objective(best)


def test_rows_of_the_confusion_sum_to_one(problem):
    parameters, _ = next(em_steps(*problem))
    assert_allclose(parameters.confusion.sum(axis=2), 1)


@pytest.mark.parametrize("class_prior", [None, np.array([0.3, 0.7])])
def test_the_objective_never_falls(problem, class_prior):
    objectives = [obj for _, obj in islice(em_steps(*problem, class_prior), 200)]
    gains = np.array([after - before for before, after in pairwise(objectives)])
    assert (gains > -1e-12).all()
    assert gains[0] > 1e-3


def test_an_answer_never_given_is_no_evidence():
    confusion = np.array([[[0.6, 0.4, 0.0], [0.9, 0.1, 0.0]]])
    assert_array_equal(log_evidence(confusion)[0, 2], [0, 0])


def test_a_program_that_never_votes_is_sure_to_abstain():
    codes = np.array([[0, 1], [0, 2]])
    parameters, objective = next(em_steps(*start(codes, np.array([3.0, 4.0]))))
    assert_array_equal(parameters.confusion[0], [[1, 0, 0], [1, 0, 0]])
    assert np.isfinite(objective)
