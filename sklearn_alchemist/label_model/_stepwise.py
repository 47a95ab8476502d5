"""Go on learning from chunks of votes that are too many to be kept."""

from dataclasses import dataclass, replace

import numpy as np

from ._expectation import expect
from ._fitting import Fit
from ._maximisation import maximise
from ._parameters import Expected, Parameters
from ._patterns import Patterns
from ._priors import Priors
from ._table import PatternTable


@dataclass(frozen=True)
class Stepwise:
    """A model between two chunks.

    Parameters
    ----------
    parameters : Parameters
        The model.

    expected : Expected
        The average of what all samples add up to, at the scale of the first fit.

    n_samples : float
        Number, or weight, of the samples so far.

    groups : tuple of ndarray of int
        Programs that depend on each other.

    priors : Priors
        Pseudo-counts of the first fit.

    class_prior : ndarray of shape (n_classes,) or None
        Probability of each class; None if it is estimated.
    """

    parameters: Parameters
    expected: Expected
    n_samples: float
    groups: tuple[np.ndarray, ...]
    priors: Priors
    class_prior: np.ndarray | None

    def step(self, chunk: Patterns) -> "Stepwise":
        """Average in one more chunk, every sample counting alike.

        Parameters
        ----------
        chunk : Patterns
            The votes of the chunk.

        Returns
        -------
        stepwise : Stepwise
            The model after the chunk.
        """
        chunk = chunk.with_weighted_labels()
        table = PatternTable(chunk.codes, chunk.n_answers, self.groups)
        seen = expect(table, chunk.counts, self.parameters, chunk.labels)
        n_samples = self.n_samples + chunk.counts.sum()
        share = chunk.counts.sum() / n_samples
        scale = share * self.expected.classes.sum() / chunk.counts.sum()
        expected = Expected(
            (1 - share) * self.expected.classes + scale * seen.classes,
            (1 - share) * self.expected.answers + scale * seen.answers,
            seen.log_likelihood,
        )
        parameters = maximise(expected, self.priors, self.class_prior, self.parameters)
        return replace(
            self, parameters=parameters, expected=expected, n_samples=n_samples
        )


def start_stepping(
    patterns: Patterns, fit: Fit, class_prior: np.ndarray | None
) -> Stepwise:
    """Begin where a fit to all patterns has ended.

    Parameters
    ----------
    patterns : Patterns
        What was fitted.

    fit : Fit
        The model.

    class_prior : ndarray of shape (n_classes,) or None
        Probability of each class; None if it is estimated.

    Returns
    -------
    stepwise : Stepwise
        The model before the first further chunk.

    References
    ----------
    P. Liang and D. Klein, "Online EM for unsupervised models", NAACL 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import (
    ...     Patterns, Settings, fit_patterns, start_stepping
    ... )
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> codes = np.array([[1, 1, 1], [1, 1, 2], [2, 2, 1], [2, 2, 2]])
    >>> patterns = Patterns(codes, np.array([40.0, 10.0, 10.0, 40.0]), meaning)
    >>> settings = Settings(False, "auto", None, [], max_iter=100, tol=1e-8)
    >>> fit = fit_patterns(patterns, settings, lambda *step: False)
    >>> start_stepping(patterns, fit, None).step(patterns).n_samples
    np.float64(200.0)
    """
    patterns = patterns.with_weighted_labels()
    table = PatternTable(patterns.codes, patterns.n_answers, fit.groups)
    expected = expect(table, patterns.counts, fit.parameters, patterns.labels)
    return Stepwise(
        fit.parameters,
        expected,
        patterns.counts.sum(),
        tuple(fit.groups),
        fit.priors,
        class_prior,
    )
