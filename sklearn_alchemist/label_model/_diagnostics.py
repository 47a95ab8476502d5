"""Measure a fit: what programs do, how far it drifts from votes, what it misses."""

import numpy as np

from ._parameters import Parameters
from ._table import PatternTable
from ._voting import vote_share_prior

# Pairs of votes are compared beyond this many samples only.
_MIN_SHARED = 20


def program_confusion(table: PatternTable, parameters: Parameters) -> np.ndarray:
    """Probability of each answer given the class, members of groups included.

    Parameters
    ----------
    table : PatternTable
        Any patterns; the groups matter.

    parameters : Parameters
        The model.

    Returns
    -------
    confusion : ndarray of shape (n_programs, n_classes, n_answers)
        A member repeats its group as often as its fidelity says, and answers on its
        own otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, PatternTable
    >>> from sklearn_alchemist.label_model import program_confusion
    >>> table = PatternTable(np.array([[1, 1]]), 3, groups=[np.array([0, 1])])
    >>> alone = np.array([[0.0, 0.5, 0.5], [0.0, 0.5, 0.5]])
    >>> hidden = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> model = Parameters(
    ...     np.full(2, 0.5), np.stack([alone, alone, hidden]), np.array([0.8, 0.0])
    ... )
    >>> program_confusion(table, model)[0]
    array([[0. , 0.9, 0.1],
           [0. , 0.1, 0.9]])
    """
    n_programs = table.n_programs
    confusion = parameters.confusion[:n_programs].copy()
    for group, voter in zip(
        table.groups, parameters.confusion[n_programs:], strict=True
    ):
        repeats = parameters.fidelity[group.programs][:, None, None]
        confusion[group.programs] *= 1 - repeats
        confusion[group.programs] += repeats * voter
    return confusion


def misfit(
    table: PatternTable,
    codes: np.ndarray,
    counts: np.ndarray,
    parameters: Parameters,
) -> float:
    """Measure how wrong the model is about how often pairs of programs agree.

    Parameters
    ----------
    table : PatternTable
        Any patterns; the groups matter.

    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, 0 for abstain.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    parameters : Parameters
        The model.

    Returns
    -------
    misfit : float
        Root of the mean squared difference between the agreement that is seen and the
        one that is expected, pairs of one group left out and chance subtracted. 0 if
        the model is right.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, PatternTable, misfit
    >>> codes = np.array([[1, 1], [2, 2]])  # always agree
    >>> half = np.full((2, 2, 3), [0.0, 0.5, 0.5])  # should do so half of the time
    >>> model = Parameters(np.full(2, 0.5), half, np.zeros(2))
    >>> table = PatternTable(codes, n_answers=3)
    >>> round(misfit(table, codes, np.full(2, 5e5), model), 3)
    0.5
    """
    confusion = program_confusion(table, parameters)
    n_answers = confusion.shape[2]
    prior = parameters.class_prior[:, None, None]
    by_class = confusion.transpose(1, 0, 2)
    # Expected shares of the samples on which two programs vote, and agree.
    covered = 1 - by_class[:, :, :1]
    shared = (covered @ (prior * covered).transpose(0, 2, 1)).sum(axis=0)
    votes = by_class[:, :, 1:]
    expected = (votes @ (prior * votes).transpose(0, 2, 1)).sum(axis=0)
    expected /= np.maximum(shared, 1e-12)

    voted = (codes > 0).astype(np.float64)
    n_shared = (voted * counts[:, None]).T @ voted
    agree = np.zeros_like(n_shared)
    for answer in range(1, n_answers):
        given = (codes == answer).astype(np.float64)
        agree += (given * counts[:, None]).T @ given
    seen = agree / np.maximum(n_shared, 1)

    compared = np.triu(n_shared > _MIN_SHARED, 1)
    for group in table.groups:
        compared[np.ix_(group.programs, group.programs)] = False
    chance = np.maximum(expected * (1 - expected), 1e-3) / np.maximum(n_shared, 1)
    excess = ((seen - expected) ** 2 - chance)[compared]
    if not excess.size:
        return 0.0
    return float(np.sqrt(max(np.average(excess, weights=n_shared[compared]), 0.0)))


def drift(
    votes_for: np.ndarray,
    counts: np.ndarray,
    posterior: np.ndarray,
    class_prior: np.ndarray,
) -> tuple[float, float]:
    """Measure how far a model has moved from what most votes say.

    Parameters
    ----------
    votes_for : ndarray of shape (n_patterns, n_classes)
        Number of votes for each class.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    posterior : ndarray of shape (n_patterns, n_classes)
        Class probabilities of the model.

    class_prior : ndarray of shape (n_classes,)
        Its class prior.

    Returns
    -------
    overruled : float
        Share of the samples on which a class has most votes and the model says another.

    shift : float
        Total variation between the class prior and the shares of the votes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import drift
    >>> votes_for = np.array([[2, 1], [0, 2], [1, 1]])
    >>> posterior = np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]])
    >>> drift(votes_for, np.ones(3), posterior, np.array([0.5, 0.5]))[0]
    0.5
    """
    most = votes_for.max(axis=1, keepdims=True)
    decided = (most[:, 0] > 0) & ((votes_for == most).sum(axis=1) == 1)
    overruled = decided & (votes_for.argmax(axis=1) != posterior.argmax(axis=1))
    shift = np.abs(class_prior - vote_share_prior(votes_for, counts)).sum() / 2
    share = counts[overruled].sum() / max(counts[decided].sum(), 1e-300)
    return float(share), float(shift)


def accuracies_of(
    confusion: np.ndarray, class_prior: np.ndarray, meaning: np.ndarray
) -> np.ndarray:
    """Share of right votes among the votes of each program, as the model has it.

    Parameters
    ----------
    confusion : ndarray of shape (n_programs, n_classes, n_answers)
        Probability of each answer given the class.

    class_prior : ndarray of shape (n_classes,)
        Probability of each class.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    Returns
    -------
    accuracies : ndarray of shape (n_programs,)
        Values between 0 and 1; NaN for a program that never votes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import accuracies_of
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> confusion = np.array([[[0.5, 0.4, 0.1], [0.5, 0.2, 0.3]]])
    >>> accuracies_of(confusion, np.array([0.5, 0.5]), meaning)
    array([0.7])
    """
    votes = class_prior[:, None] * confusion[:, :, 1:]
    right = (votes * meaning[1:].T).sum(axis=(1, 2))
    voted = votes.sum(axis=(1, 2))
    unknown = np.full(len(voted), np.nan)
    return np.divide(right, voted, out=unknown, where=voted > 0)
