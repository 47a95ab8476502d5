"""Fit a rule that counts or weighs votes, without any iteration."""

from dataclasses import dataclass

import numpy as np

from ._expectation import expect, expect_from_votes
from ._maximisation import maximise
from ._parameters import Parameters
from ._patterns import Patterns
from ._priors import make_priors
from ._table import PatternTable
from ._voting import count_votes, majority_posterior, vote_share_prior
from ._weighted_vote import peer_accuracies, weighted_posterior

# So many patterns tell how often programs agree.
_PEER_SAMPLE = 100_000


@dataclass(frozen=True)
class VotingRule:
    """How votes become class probabilities.

    Parameters
    ----------
    class_prior : ndarray of shape (n_classes,)
        Probability of each class.

    accuracies : ndarray of shape (n_programs,) or None
        Share of right votes of each program; None if all votes count alike.
    """

    class_prior: np.ndarray
    accuracies: np.ndarray | None

    def posterior(self, table: PatternTable, meaning: np.ndarray) -> np.ndarray:
        """Compute the class probabilities of each pattern.

        Parameters
        ----------
        table : PatternTable
            The patterns, without groups.

        meaning : ndarray of bool of shape (n_answers, n_classes)
            Which answer is the index of which class.

        Returns
        -------
        posterior : ndarray of shape (n_patterns, n_classes)
            Rows sum to one.
        """
        if self.accuracies is None:
            return majority_posterior(count_votes(table, meaning), self.class_prior)
        return weighted_posterior(table, meaning, self.accuracies, self.class_prior)


def fit_voting_rule(
    patterns: Patterns, *, weighted: bool, class_prior: np.ndarray | None = None
) -> VotingRule:
    """Learn what a rule has to know.

    Parameters
    ----------
    patterns : Patterns
        Votes and counts.

    weighted : bool
        Whether votes are weighed by the accuracy of their program.

    class_prior : ndarray of shape (n_classes,), default=None
        Probability of each class; the average share of the votes if None.

    Returns
    -------
    rule : VotingRule
        The rule.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, fit_voting_rule
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> patterns = Patterns(np.array([[1, 1, 1], [2, 2, 1]]), np.ones(2), meaning)
    >>> fit_voting_rule(patterns, weighted=False).class_prior.round(2)
    array([0.61, 0.39])
    """
    if class_prior is None:
        table = PatternTable(patterns.codes, patterns.n_answers)
        votes_for = count_votes(table, patterns.meaning)
        class_prior = vote_share_prior(votes_for, patterns.counts)
    sample = patterns.sample(_PEER_SAMPLE) if weighted else None
    return VotingRule(class_prior, None if sample is None else peer_accuracies(sample))


def describe_programs(rule: VotingRule, patterns: Patterns) -> tuple[Parameters, float]:
    """Say how programs vote, if a rule is right about the classes.

    Parameters
    ----------
    rule : VotingRule
        The rule.

    patterns : Patterns
        Votes and counts.

    Returns
    -------
    parameters : Parameters
        A model of independent programs.

    log_likelihood : float
        Of this model, per sample.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import (
    ...     Patterns, describe_programs, fit_voting_rule
    ... )
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> counts = np.full(2, 500.0)
    >>> patterns = Patterns(np.array([[1, 1, 1], [2, 2, 1]]), counts, meaning)
    >>> rule = fit_voting_rule(patterns, weighted=True)
    >>> describe_programs(rule, patterns)[0].confusion[0].round(1)
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """
    table = PatternTable(patterns.codes, patterns.n_answers)
    proba = rule.posterior(table, patterns.meaning)
    counted = expect_from_votes(table, patterns.counts, proba.T)
    priors = make_priors(counted.answers.sum(axis=1), patterns.meaning)
    parameters = maximise(counted, priors, rule.class_prior)
    seen = expect(table, patterns.counts, parameters)
    return parameters, seen.log_likelihood / patterns.counts.sum()
