"""Weigh votes by how often programs agree with the majority of the others."""

import numpy as np
from scipy.special import softmax

from ._patterns import Patterns
from ._priors import ACCURACY, STRENGTH
from ._table import PatternTable
from ._voting import count_votes


def peer_accuracies(patterns: Patterns) -> np.ndarray:
    """Estimate the accuracy of each program, taking the others' majority for the truth.

    Parameters
    ----------
    patterns : Patterns
        Votes and counts.

    Returns
    -------
    accuracies : ndarray of shape (n_programs,)
        At least 1 / `n_classes`: a program that disagrees with the others is ignored
        rather than turned around.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, peer_accuracies
    >>> codes = np.array([[1, 1, 1], [2, 2, 1]])
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> patterns = Patterns(codes, np.array([90.0, 90.0]), meaning)
    >>> peer_accuracies(patterns).round(2)
    array([0.97, 0.97, 0.51])
    """
    codes, counts, meaning = patterns.codes, patterns.counts, patterns.meaning
    votes_for = count_votes(PatternTable(codes, patterns.n_answers), meaning)
    n_classes = meaning.shape[1]
    accuracies = np.empty(codes.shape[1])
    for program, answers in enumerate(codes.T):
        own = meaning[answers]
        others = votes_for - own
        most = others.max(axis=1, keepdims=True)
        leading = (others == most) & (most > 0)
        decided = (answers > 0) & (leading.sum(axis=1) == 1)
        agrees = decided & (leading & own).any(axis=1)
        right = counts[agrees].sum() + STRENGTH * ACCURACY
        accuracies[program] = right / (counts[decided].sum() + STRENGTH)
    return np.maximum(accuracies, min(1 / n_classes, 0.5))


def weighted_posterior(
    table: PatternTable,
    meaning: np.ndarray,
    accuracies: np.ndarray,
    class_prior: np.ndarray,
) -> np.ndarray:
    """Weigh each vote by the log-odds of its program's accuracy.

    Parameters
    ----------
    table : PatternTable
        The patterns, without groups.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    accuracies : ndarray of shape (n_programs,)
        Share of right votes.

    class_prior : ndarray of shape (n_classes,)
        Probability of each class.

    Returns
    -------
    posterior : ndarray of shape (n_patterns, n_classes)
        Rows sum to one. This is the rule of Bayes for independent programs whose errors
        are equally divided, and whose abstentions say nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable, weighted_posterior
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> table = PatternTable(np.array([[1, 2], [0, 0]]), n_answers=3)
    >>> weighted_posterior(table, meaning, np.array([0.9, 0.75]), np.full(2, 0.5))
    array([[0.75, 0.25],
           [0.5 , 0.5 ]])
    """
    n_classes = len(class_prior)
    # Of a single class every vote is right.
    odds = accuracies * max(n_classes - 1, 1) / (1 - accuracies)
    weights = np.log(odds)[:, None, None] * meaning
    logits = table.sum(weights) + np.log(class_prior)[:, None]
    return softmax(logits, axis=0).T
