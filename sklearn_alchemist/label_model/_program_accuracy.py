"""Tell how often programs are right, as class probabilities have it."""

import numpy as np

from ._patterns import Patterns, chunks, vote_matrix


def program_confusion(
    patterns: Patterns, proba: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Count what programs answer in each class, under given class probabilities.

    Parameters
    ----------
    patterns : Patterns
        Votes and counts.

    proba : ndarray of shape (n_patterns, n_classes)
        Class probabilities.

    Returns
    -------
    confusion : ndarray of shape (n_programs, n_classes, n_answers)
        Probability of each answer given the class, abstaining first.

    class_prior : ndarray of shape (n_classes,)
        Mean class probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, program_confusion
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> patterns = Patterns(np.array([[1], [2], [0]]), np.full(3, 1e6), meaning)
    >>> proba = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    >>> program_confusion(patterns, proba)[0].round(2)
    array([[[0.33, 0.67, 0.  ],
            [0.33, 0.  , 0.67]]])
    """
    n_programs, n_answers = patterns.codes.shape[1], patterns.n_answers
    weighted = proba * patterns.counts[:, None]
    rows = weighted.sum(axis=0)
    by_class = np.zeros((n_programs * (n_answers - 1), proba.shape[1]))
    for place in chunks(len(weighted)):
        by_class += vote_matrix(patterns.codes[place], n_answers).T @ weighted[place]
    by_class = by_class.reshape(n_programs, n_answers - 1, proba.shape[1])
    # One more sample, of any class: rows of a class that nothing has stay finite.
    overall = by_class.sum(axis=2, keepdims=True) / max(rows.sum(), 1e-12)
    shares = ((by_class + overall) / (rows + 1)).transpose(0, 2, 1)
    silent = 1 - shares.sum(axis=2, keepdims=True)
    confusion = np.concatenate([silent.clip(0, 1), shares], axis=2)
    confusion /= confusion.sum(axis=2, keepdims=True)
    return np.ascontiguousarray(confusion), rows / rows.sum()


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
