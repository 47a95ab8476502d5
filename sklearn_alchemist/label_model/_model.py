"""Turn votes into class probabilities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..votes import collapse
from ._patterns import chunks, vote_matrix

if TYPE_CHECKING:
    from ._difficulty import SharedErrors

# Of more rows, up to so many different ones are computed once and looked up. Judged by
# benchmarks/label_models.py --speed 1000000, at this value only.
_MANY = _MAX_LOOKED_UP = 1 << 16
_TINY = 1e-300


@dataclass(frozen=True)
class VoteModel:
    """What each vote says of the class.

    Parameters
    ----------
    evidence : ndarray of shape (n_programs, n_answers - 1, n_classes)
        What each vote adds to the logarithm of the probability of each class; 0 for a
        vote that a program never gave.

    log_prior : ndarray of shape (3, n_classes)
        Logarithm of the class probabilities among the rows with no vote, one vote, and
        several.

    shared : SharedErrors or None
        How errors of programs come together; None where they are independent.

    groups : tuple of ndarray of int
        Programs that share one vote.
    """

    evidence: np.ndarray
    log_prior: np.ndarray
    shared: "SharedErrors | None" = None
    groups: tuple[np.ndarray, ...] = ()

    def posterior(
        self,
        codes: np.ndarray,
        temperature: float = 1.0,
        levels: np.ndarray | None = None,
    ) -> np.ndarray:
        """Compute the class probabilities of rows of votes.

        As far as errors are shared, the votes of a row are worth what one of them is,
        any one: so what the votes say one by one is averaged [1]_, and on some rows
        they say nothing.

        Parameters
        ----------
        codes : ndarray of int of shape (n_rows, n_programs)
            Answers, 0 for abstain.

        temperature : float, default=1
            What the votes say is divided by it, beside the prior.

        levels : ndarray of int of shape (n_rows,), default=None
            Levels of difficulty, if rows were fitted with levels; -1 where unknown.

        Returns
        -------
        posterior : ndarray of shape (n_rows, n_classes)
            Rows sum to one.

        References
        ----------
        .. [1] M. Stone, "The opinion pool", Annals of Mathematical Statistics 32(4),
           1961.
        """
        given = self.shared is not None and self.shared.cuts is None
        if levels is None or not given:
            levels = np.full(len(codes), -1) if given else np.zeros(len(codes), int)
        n_classes = self.evidence.shape[2]
        proba = np.empty((len(codes), n_classes))
        for level in np.unique(levels):
            place = levels == level
            place = slice(None) if place.all() else place
            compute = self._computing(int(level), temperature)
            proba[place] = by_chunk(compute, codes[place], n_classes)
        return proba

    def _computing(
        self, level: int, temperature: float
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Return what computes the class probabilities of rows of one level."""
        shared = self.shared
        n_answers, n_classes = self.evidence.shape[1] + 1, self.evidence.shape[2]
        evidence = self.evidence.reshape(-1, n_classes)
        each = [evidence, np.ones((len(evidence), 1))]
        if shared is not None:
            each[0] = evidence = evidence * shared.scale[level]
            each.append(normalise(evidence + self.log_prior[1])[0])
        by_vote = np.concatenate(each, axis=1)

        def compute(codes: np.ndarray) -> np.ndarray:
            said = vote_matrix(codes, n_answers, self.groups) @ by_vote
            n_votes = said[:, n_classes]
            prior = self.log_prior[votes_level(n_votes)]
            proba = normalise(said[:, :n_classes] + prior)[0]
            if shared is not None:
                pooled = said[:, n_classes + 1 :] / np.maximum(n_votes, 1)[:, None]
                levels, voted = shared.levels(n_votes, level), n_votes > 0.5
                part = (shared.strength[levels] * voted)[:, None]
                hard = (shared.hard[levels] * voted)[:, None]
                proba = (1 - part) * proba + part * pooled
                proba = (1 - hard) * proba + hard / n_classes
            if temperature != 1:
                logits = np.log(np.maximum(proba, _TINY)) + (temperature - 1) * prior
                proba = normalise(logits / temperature)[0]
            return proba

        return compute

    def prior(self, codes: np.ndarray) -> np.ndarray:
        """Say how probable classes are before it is known what the votes are.

        Parameters
        ----------
        codes : ndarray of int of shape (n_rows, n_programs)
            Answers, 0 for abstain.

        Returns
        -------
        prior : ndarray of shape (n_rows, n_classes)
            Rows sum to one.
        """

        def compute(codes: np.ndarray) -> np.ndarray:
            votes = vote_matrix(codes, self.evidence.shape[1] + 1, self.groups)
            level = votes_level(np.asarray(votes.sum(axis=1)))
            return normalise(self.log_prior[level])[0]

        return by_chunk(compute, codes, self.evidence.shape[2])


def normalise(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn logarithms into probabilities.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
        Logarithms up to a constant a row, at least one of them finite.

    Returns
    -------
    proba : ndarray of shape (n_rows, n_classes)
        Rows sum to one.

    log_total : ndarray of shape (n_rows,)
        Logarithm of the sum of what the logarithms stand for.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import normalise
    >>> normalise(np.log(np.array([[1.0, 3.0]])))[0]
    array([[0.25, 0.75]])
    """
    if logits.shape[1] == 2:
        return _normalise_two(logits)
    # Class by class: reducing many short rows takes longer than their exponentials.
    top = logits[:, 0].copy()
    for column in logits.T[1:]:
        np.maximum(top, column, out=top)
    proba = np.exp(logits - top[:, None])
    total = proba @ np.ones(proba.shape[1])
    proba /= total[:, None]
    return proba, np.log(total) + top


def _normalise_two(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Do as `normalise` with one exponential a row."""
    top = np.maximum(logits[:, 0], logits[:, 1])
    ahead = logits[:, 0] - logits[:, 1]
    ratio = np.exp(-np.abs(ahead))
    more = 1 / (1 + ratio)
    ratio *= more
    proba = np.empty_like(logits)
    np.copyto(proba[:, 0], np.where(ahead >= 0, more, ratio))
    np.copyto(proba[:, 1], np.where(ahead >= 0, ratio, more))
    return proba, top - np.log(more)


def votes_level(n_votes: np.ndarray) -> np.ndarray:
    """Tell rows without any vote (0), with one (1) and with several (2) apart.

    Parameters
    ----------
    n_votes : ndarray of shape (n_rows,)
        Number of votes, which rounding may move.

    Returns
    -------
    level : ndarray of int of shape (n_rows,)
        0, 1 or 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import votes_level
    >>> votes_level(np.array([0.0, 1.0, 7.0]))
    array([0, 1, 2])
    """
    return (n_votes > 0.5).astype(np.intp) + (n_votes > 1.5)


def by_chunk(
    compute: Callable[[np.ndarray], np.ndarray], codes: np.ndarray, n_classes: int
) -> np.ndarray:
    """Compute class probabilities chunk by chunk, and those of equal rows once.

    Parameters
    ----------
    compute : callable
        Maps rows of votes to class probabilities.

    codes : ndarray of int of shape (n_rows, n_programs)
        Answers.

    n_classes : int
        Number of classes.

    Returns
    -------
    proba : ndarray of shape (n_rows, n_classes)
        The probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import by_chunk
    >>> by_chunk(lambda codes: codes / 4, np.array([[1, 3], [1, 3]]), n_classes=2)
    array([[0.25, 0.75],
           [0.25, 0.75]])
    """
    proba = np.empty((len(codes), n_classes))
    n_codes = int(codes.max(initial=0)) + 1
    repeats = len(codes) > _MANY and n_codes ** codes.shape[1] <= _MAX_LOOKED_UP
    if not repeats:
        for place in chunks(len(codes)):
            proba[place] = compute(codes[place])
        return proba
    for start in range(0, len(codes), _MAX_LOOKED_UP * 4):
        place = slice(start, start + _MAX_LOOKED_UP * 4)
        patterns, which, _ = collapse(codes[place])
        by_pattern = by_chunk(compute, patterns, n_classes)
        by_pattern.take(which, axis=0, out=proba[place])
    return proba
