"""Tell when votes are counted instead, as they say too little for the model."""

import numpy as np
from scipy.special import logsumexp

from ._model import VoteModel
from ._patterns import Patterns

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
