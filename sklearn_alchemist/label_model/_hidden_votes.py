"""Sum over the hidden answer that the members of a group repeat."""

import numpy as np

from ._parameters import Parameters, log_evidence
from ._table import Group

_TINY = np.finfo(float).tiny


def group_evidence(group: Group, position: int, parameters: Parameters) -> np.ndarray:
    """Compute the log-likelihood of each row of a group in each class.

    Parameters
    ----------
    group : Group
        The members, and the combinations of their answers.

    position : int
        Place of the group among the voters.

    parameters : Parameters
        The model.

    Returns
    -------
    evidence : ndarray of shape (n_classes, n_rows)
        Natural logarithms.

    Examples
    --------
    Two programs that nearly always repeat a hidden vote, right in 3 cases of 4.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import (
    ...     Parameters, PatternTable, group_evidence
    ... )
    >>> table = PatternTable(np.array([[1, 1], [2, 2]]), 3, [np.array([0, 1])])
    >>> vote = np.array([[0.0, 0.75, 0.25], [0.0, 0.25, 0.75]])
    >>> model = Parameters(np.full(2, 0.5), np.array([vote] * 3), np.full(2, 0.999))
    >>> np.exp(group_evidence(table.groups[0], 2, model)).round(2)
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """
    likelihood, largest = _hidden_likelihood(group, parameters)
    mixed = np.einsum("ya,yar->yr", parameters.confusion[position], likelihood)
    return np.log(np.maximum(mixed, _TINY)) + largest


def split_group(
    group: Group, position: int, parameters: Parameters, by_row: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Count by hidden answer, and what each member answers on its own.

    Parameters
    ----------
    group : Group
        The members, and the combinations of their answers.

    position : int
        Place of the group among the voters.

    parameters : Parameters
        The model.

    by_row : ndarray of shape (n_classes, n_rows)
        Number of samples by class and combination of answers.

    Returns
    -------
    hidden : ndarray of shape (n_classes, n_answers)
        Expected number of samples by class and hidden answer.

    own : ndarray of shape (n_members, n_classes, n_answers)
        Expected number of the samples on which a member answers on its own, by class
        and answer.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, PatternTable, split_group
    >>> table = PatternTable(np.array([[1, 1], [2, 2]]), 3, [np.array([0, 1])])
    >>> vote = np.array([[0.0, 0.75, 0.25], [0.0, 0.25, 0.75]])
    >>> model = Parameters(np.full(2, 0.5), np.array([vote] * 3), np.full(2, 0.999))
    >>> by_row = np.array([[6.0, 2.0], [2.0, 6.0]])
    >>> split_group(table.groups[0], 2, model, by_row)[0].round(1)
    array([[0., 6., 2.],
           [0., 2., 6.]])
    """
    likelihood, _ = _hidden_likelihood(group, parameters)
    # From the likelihood of a hidden answer to the samples that have it.
    likelihood *= parameters.confusion[position][:, :, None]
    by_class = np.maximum(likelihood.sum(axis=1), _TINY)
    likelihood *= (by_row / by_class)[:, None, :]
    hidden = likelihood.sum(axis=2)

    n_classes, n_answers = hidden.shape
    counted = group.members.count(likelihood.reshape(n_classes * n_answers, -1))
    counted = counted.reshape(-1, n_classes, n_answers, n_answers)
    alone, given = _given_hidden(group, parameters)
    own = counted * np.divide(alone, given, out=np.ones_like(given), where=given > 0)
    return hidden, own.sum(axis=2)


def _given_hidden(
    group: Group, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """Return how probable each answer of a member is, on its own and in all.

    Shape (n_members, n_classes, n_answers of the group, n_answers of the member).
    """
    fidelity = parameters.fidelity[group.programs][:, None, None, None]
    alone = (1 - fidelity) * parameters.confusion[group.programs][:, :, None, :]
    repeated = fidelity * np.eye(parameters.confusion.shape[2])
    return alone, alone + repeated


def _hidden_likelihood(
    group: Group, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """Return the likelihood of each row by class and hidden answer, and its scale."""
    _, given = _given_hidden(group, parameters)
    n_members, n_classes, n_answers, _ = given.shape
    values = log_evidence(given.reshape(n_members, n_classes * n_answers, n_answers))
    logs = group.members.sum(values)
    logs = logs.reshape(n_classes, n_answers, -1)
    largest = logs.max(axis=(0, 1))
    logs -= largest
    return np.exp(logs, out=logs), largest
