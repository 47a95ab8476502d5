"""Hold the parameters of the Dawid-Skene model, and what samples add up to."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Parameters:
    """What the model knows after a step.

    A group of programs is one more voter. Its hidden answer depends on the class as
    the answer of a program does; each of its members either repeats it, or answers on
    its own.

    Parameters
    ----------
    class_prior : ndarray of shape (n_classes,)
        Probability of each class.

    confusion : ndarray of shape (n_programs + n_groups, n_classes, n_answers)
        Probability of each answer given the class; abstaining comes first. Of a member
        of a group, when it answers on its own. The groups come last.

    fidelity : ndarray of shape (n_programs,)
        How often each program repeats the answer of its group; 0 in no group.
    """

    class_prior: np.ndarray
    confusion: np.ndarray
    fidelity: np.ndarray


@dataclass(frozen=True)
class Expected:
    """What the samples add up to, under the class probabilities of a step.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Number of samples of each class.

    answers : ndarray of shape (n_programs + n_groups, n_classes, n_answers)
        Number of samples by voter, class and answer. Of a member of a group, those on
        which it answers on its own.

    log_likelihood : float
        Sum over the samples of the natural logarithms of their probabilities.
    """

    classes: np.ndarray
    answers: np.ndarray
    log_likelihood: float


def log_evidence(confusion: np.ndarray) -> np.ndarray:
    """Logarithm of the confusion; 0 for answers that a program never gave.

    Parameters
    ----------
    confusion : ndarray of shape (n_programs, n_classes, n_answers)
        Probability of each answer given the class.

    Returns
    -------
    evidence : ndarray of shape (n_programs, n_answers, n_classes)
        What each answer adds to the logarithm of the probability of each class.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import log_evidence
    >>> log_evidence(np.array([[[0.0, 1.0], [0.0, 1.0]]]))
    array([[[0., 0.],
            [0., 0.]]])
    """
    return log_or_zero(confusion).transpose(0, 2, 1)


def coverage_and_shares(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split a confusion into whether a voter votes, and what if it does.

    Parameters
    ----------
    confusion : ndarray of shape (n_voters, n_classes, n_answers)
        Probability of each answer given the class; abstaining comes first.

    Returns
    -------
    coverage : ndarray of shape (n_voters, n_classes, 2)
        Probabilities of abstaining and of voting.

    shares : ndarray of shape (n_voters, n_classes, n_answers - 1)
        Probability of each vote given that there is one; 0 if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import coverage_and_shares
    >>> coverage_and_shares(np.array([[[0.5, 0.375, 0.125]]]))
    (array([[[0.5, 0.5]]]), array([[[0.75, 0.25]]]))
    """
    voted = confusion[:, :, 1:].sum(axis=2, keepdims=True)
    coverage = np.concatenate([confusion[:, :, :1], voted], axis=2)
    shares = np.zeros_like(confusion[:, :, 1:])
    np.divide(confusion[:, :, 1:], voted, out=shares, where=voted > 0)
    return coverage, shares


def log_or_zero(values: np.ndarray) -> np.ndarray:
    """Take the natural logarithm, and 0 where a value is 0.

    Parameters
    ----------
    values : ndarray
        Values of at least 0.

    Returns
    -------
    logs : ndarray
        Of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import log_or_zero
    >>> log_or_zero(np.array([0.0, 1.0]))
    array([0., 0.])
    """
    return np.log(values, out=np.zeros_like(values), where=values > 0)
