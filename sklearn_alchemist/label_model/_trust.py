"""Ask how far a fit is to be trusted: what programs do, and overrule."""

import numpy as np
from scipy.special import logsumexp

from ._model import VoteModel
from ._patterns import Patterns, chunks, vote_matrix

# Fewer samples prove nothing.
_MIN_SAMPLES = 100
# Beyond this share of votes that would be worse than chance, nobody knows which side is
# right. Chosen so that of the votes of benchmarks/label_models.py only mostly wrong
# programs pass it; the script prints the accuracy that follows, not the share.
_MAX_WORSE = 0.25
# Below this many times what chance would have, a vote counts as worse than chance.
_WORSE_THAN_CHANCE = 0.95
# A confusion matrix of so many kinds of votes or more ...
_MANY_KINDS = 10
# ... asks for so many votes a cell: below, counting votes weighed by one accuracy a
# program is better (benchmarks/label_models.py --sizes 2000,8,60 5000,10,30).
_VOTES_PER_CELL = 3.0


def fallback_reason(patterns: Patterns, model: VoteModel) -> str | None:
    """Tell why votes should be counted rather than weighed.

    Parameters
    ----------
    patterns : Patterns
        What was fitted.

    model : VoteModel
        The model.

    Returns
    -------
    reason : str or None
        A sentence; None if the fit can be used.
    """
    if patterns.counts.sum() < _MIN_SAMPLES or patterns.n_classes < 2:
        return None
    # What a vote adds is how many times its class is more probable than by chance.
    n_votes = patterns.n_votes
    named = patterns.meaning[1:]
    chance = logsumexp(model.evidence + model.log_prior[1], axis=2, keepdims=True)
    better = np.exp(model.evidence - chance)
    worse = ((better < _WORSE_THAN_CHANCE) & named).any(axis=2)
    part = n_votes[worse].sum() / max(n_votes.sum(), 1)
    if part <= _MAX_WORSE:
        return None
    return (
        f"The model takes {part:.0%} of the votes for worse than chance, and votes "
        "alone cannot tell which side is right: perhaps most programs are wrong, or "
        "hardly any tells the classes apart."
    )


def sparse_confusion_reason(patterns: Patterns) -> str | None:
    """Tell why there are too few votes for a confusion matrix of each program.

    Parameters
    ----------
    patterns : Patterns
        What is to be fitted.

    Returns
    -------
    reason : str or None
        A sentence; None if votes are enough, or classes few.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, sparse_confusion_reason
    >>> meaning = np.eye(31, 30, -1, dtype=bool)
    >>> codes = np.random.default_rng(0).integers(0, 31, (500, 4))
    >>> print(sparse_confusion_reason(Patterns(codes, np.ones(500), meaning)))
    There are 0.5 votes for each cell of a confusion matrix with 30 classes: ...
    """
    kinds = np.count_nonzero(patterns.n_votes, axis=1)
    if kinds.sum() < _MANY_KINDS * max(int((kinds > 0).sum()), 1):
        return None
    per_cell = patterns.n_votes.sum() / (kinds.sum() * patterns.n_classes)
    if per_cell >= _VOTES_PER_CELL:
        return None
    return (
        f"There are {per_cell:.1f} votes for each cell of a confusion matrix with "
        f"{patterns.n_classes} classes: too few to learn it, so each program has one "
        "accuracy."
    )


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
