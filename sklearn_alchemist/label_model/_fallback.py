"""Decide whether a fit is to be trusted more than voting."""

import numpy as np

from ._diagnostics import accuracies_of, drift
from ._expectation import posterior
from ._fitting import Fit, unexplained
from ._patterns import Patterns
from ._table import PatternTable
from ._voting import count_votes
from ._weighted_vote import peer_accuracies

# So many patterns show what all of them would.
_SAMPLE_SIZE = 50_000
# Fewer samples prove nothing.
_MIN_SAMPLES = 100
# The share of overruled samples is divided by what pure chance would overrule: among
# ten classes majorities are thin. A model beyond this share has found something else;
_MAX_OVERRULED = 0.8
# on so many, if it also takes so many voters to be this much worse than chance;
_MAX_OVERRULED_BY_FEW, _MAX_WORSE, _WORSE_THAN_CHANCE = 0.5, 0.25, 0.9
# on so many, if the shares of the classes have moved by so much, too.
_MAX_OVERRULED_AND_SHIFTED, _MAX_SHIFT = 0.4, 0.3
# Beyond this misfit, independent errors are no description of the programs,
_MAX_MISFIT = 0.06
# and if programs agree with the majority of the others as often, that is one.
_MIN_AGREEMENT = 0.6


def doubts(patterns: Patterns, fit: Fit) -> tuple[str, str] | None:
    """Tell why a fit should not be used, and which method is better.

    Parameters
    ----------
    patterns : Patterns
        What was fitted.

    fit : Fit
        The model.

    Returns
    -------
    doubts : tuple of str, or None
        The method to use instead, and the reason as a sentence; None if there is none.

    Examples
    --------
    Two programs that always agree, and a third that goes its own way.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, Settings, doubts
    >>> from sklearn_alchemist.label_model import fit_patterns
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> codes = np.array([[1, 1, 1], [1, 1, 2], [2, 2, 1], [2, 2, 2]])
    >>> patterns = Patterns(codes, np.array([400.0, 300.0, 300.0, 400.0]), meaning)
    >>> settings = Settings(False, "auto", None, [], max_iter=100, tol=1e-8)
    >>> fit = fit_patterns(patterns, settings, lambda *step: False)
    >>> doubts(patterns, fit) is None
    True
    """
    if patterns.counts.sum() < _MIN_SAMPLES or patterns.n_classes < 2:
        return None
    patterns = patterns.sample(_SAMPLE_SIZE)
    table = PatternTable(patterns.codes, patterns.n_answers, fit.groups)
    class_prior = fit.parameters.class_prior
    overruled, shift = drift(
        count_votes(table, patterns.meaning),
        patterns.counts,
        posterior(table, fit.parameters),
        class_prior,
    )
    accuracies = accuracies_of(fit.parameters.confusion, class_prior, patterns.meaning)
    voters = np.append(table.singles, np.arange(table.n_programs, len(accuracies)))
    worse = (accuracies[voters] < _WORSE_THAN_CHANCE / patterns.n_classes).mean()
    by_chance = overruled / (1 - 1 / patterns.n_classes)
    if (
        by_chance > _MAX_OVERRULED
        or (by_chance > _MAX_OVERRULED_BY_FEW and worse > _MAX_WORSE)
        or (by_chance > _MAX_OVERRULED_AND_SHIFTED and shift > _MAX_SHIFT)
    ):
        return "majority_vote", (
            f"The model overrules the majority of the votes on {overruled:.0%} of the "
            "samples, which votes alone cannot justify: perhaps most programs are "
            "worse than chance, or hardly any tells the classes apart."
        )
    disagreement = unexplained(patterns, fit)
    if disagreement > _MAX_MISFIT:
        if peer_accuracies(patterns).mean() < _MIN_AGREEMENT:
            return None
        return "weighted_vote", (
            "Pairs of programs agree more or less often than the model can explain (by "
            f"{disagreement:.0%} of their common votes on average), so they are not "
            "independent."
        )
    return None
