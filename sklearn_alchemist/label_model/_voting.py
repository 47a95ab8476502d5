"""Count votes, and turn their numbers into class probabilities."""

import numpy as np

from ._table import PatternTable


def count_votes(table: PatternTable, meaning: np.ndarray) -> np.ndarray:
    """Count the votes of each pattern for each class; a group has one vote.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    Returns
    -------
    votes_for : ndarray of shape (n_patterns, n_classes)
        Numbers of votes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable, count_votes
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> count_votes(PatternTable(np.array([[1, 1, 2], [0, 2, 0]]), 3), meaning)
    array([[2., 1.],
           [0., 1.]])
    """
    shape = (len(table.singles), *meaning.shape)
    votes_for = table.sum(np.broadcast_to(meaning.astype(np.float64), shape))
    for group in table.groups:
        votes_for += (meaning.T @ group.shares)[:, group.rows]
    return votes_for.T


def majority_posterior(votes_for: np.ndarray, class_prior: np.ndarray) -> np.ndarray:
    """Share of the votes for each class, one further vote being split as the prior.

    The one vote decides ties and rows without votes, and never overrules a majority.

    Parameters
    ----------
    votes_for : ndarray of shape (n_patterns, n_classes)
        Number of votes for each class.

    class_prior : ndarray of shape (n_classes,)
        Probability of each class.

    Returns
    -------
    posterior : ndarray of shape (n_patterns, n_classes)
        Rows sum to one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import majority_posterior
    >>> votes_for = np.array([[3, 0], [1, 1], [0, 0]])
    >>> majority_posterior(votes_for, class_prior=np.array([0.8, 0.2]))
    array([[0.95, 0.05],
           [0.6 , 0.4 ],
           [0.8 , 0.2 ]])
    """
    return (votes_for + class_prior) / (votes_for.sum(axis=1, keepdims=True) + 1)


def vote_share_prior(votes_for: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Estimate the class prior as the average share of the votes.

    Every pattern with votes counts alike, however many votes it has; one further
    sample that is spread over all classes keeps every class possible.

    Parameters
    ----------
    votes_for : ndarray of shape (n_patterns, n_classes)
        Number of votes for each class.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    Returns
    -------
    class_prior : ndarray of shape (n_classes,)
        Sums to one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import vote_share_prior
    >>> vote_share_prior(np.array([[2, 0], [1, 3], [0, 0]]), np.array([1, 2, 9]))
    array([0.5, 0.5])
    """
    n_votes = votes_for.sum(axis=1, keepdims=True)
    shares = votes_for / np.maximum(n_votes, 1)
    prior = counts @ shares + 1 / votes_for.shape[1]
    return prior / prior.sum()
