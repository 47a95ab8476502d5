"""Say what is believed about programs and classes before votes are seen."""

from dataclasses import dataclass

import numpy as np

ACCURACY = 0.7
"""Share of a program's votes that are expected to be right."""

STRENGTH = 10.0
"""Number of votes per class that the expected accuracy is worth."""

RARE_SHARE = 0.02
"""Share of a program's votes below which it hardly ever votes a class."""

FREE_COVERAGE = 2.0
"""Pseudo-counts for the coverage of a program that says little by its votes."""

TIED_COVERAGE = 2.0
"""Pseudo-counts per sample for the coverage of every other program."""


@dataclass(frozen=True)
class Priors:
    """Pseudo-counts of everything that the model estimates.

    Parameters
    ----------
    votes : ndarray of shape (n_programs, n_classes, n_answers - 1)
        Of each vote, given the class and that the program votes; 0 for a vote that the
        program never gave.

    coverage : ndarray of shape (n_programs, 2)
        Of abstaining and of voting, the same in each class.

    classes : ndarray of shape (n_classes,)
        Of each class.
    """

    votes: np.ndarray
    coverage: np.ndarray
    classes: np.ndarray


def make_priors(totals: np.ndarray, meaning: np.ndarray) -> Priors:
    """Build the priors from the number of times each program gave each answer.

    A program that votes every class tells little by abstaining: why it does so often
    has to do with the sample and with the other programs rather than with the class,
    so its coverage is held near the same value in all classes. A program that (nearly)
    never votes some class speaks of that class by abstaining only: its coverage is
    estimated class by class.

    Parameters
    ----------
    totals : ndarray of shape (n_programs, n_answers)
        Number, or weight, of the samples by program and answer, abstaining first.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    Returns
    -------
    priors : Priors
        The pseudo-counts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import make_priors
    >>> totals = np.array([[50.0, 30.0, 20.0], [60.0, 0.0, 40.0]])
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> priors = make_priors(totals, meaning)
    >>> priors.votes[0]
    array([[7., 3.],
           [3., 7.]])
    >>> priors.votes[1]
    array([[0., 3.],
           [0., 7.]])
    >>> priors.coverage
    array([[100. , 100. ],
           [  1.2,   0.8]])
    """
    n_answers, n_classes = meaning.shape
    n_samples = totals[0].sum()
    others = STRENGTH * (1 - ACCURACY) / max(n_answers - 2, 1)
    votes = np.where(meaning[1:].T, STRENGTH * ACCURACY, others)
    votes = votes * (totals[:, None, 1:] > 0)

    n_votes = totals[:, 1:].sum(axis=1)
    covered = n_votes / n_samples
    by_class = totals @ meaning
    reticent = (by_class <= RARE_SHARE * n_votes[:, None]).any(axis=1)
    strength = np.where(reticent, FREE_COVERAGE, TIED_COVERAGE * n_samples)
    coverage = strength[:, None] * np.column_stack([1 - covered, covered])
    return Priors(votes, coverage, np.ones(n_classes))
