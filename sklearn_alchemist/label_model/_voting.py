"""Count votes, or weigh them by how often programs agree with the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._model import VoteModel, by_chunk, votes_level
from ._patterns import Patterns, chunks, vote_matrix

# Accuracy that is expected of a program among its peers, and how many votes that is
# worth: judged on "weighted vote" in benchmarks/label_models.py.
_PEER_ACCURACY, _PEER_STRENGTH = 0.75, 10.0
# So many patterns tell how often programs agree.
_PEER_SAMPLE = 100_000
# So many rows the shares of the votes are worth as classes of rows without any vote:
# the column "all" of "matrices" and "made" in benchmarks/label_models.py --data.
_SILENT_STRENGTH = 20.0
_TINY = 1e-12


@dataclass(frozen=True)
class MajorityVote:
    """Shares of the votes, one further vote being split between the classes.

    Parameters
    ----------
    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    further : ndarray of shape (n_classes,)
        The further vote. It decides ties, and never overrules a majority.

    none : ndarray of shape (n_classes,)
        Class probabilities of a row without votes.

    groups : tuple of ndarray of int
        Programs that share one vote.
    """

    meaning: np.ndarray
    further: np.ndarray
    none: np.ndarray
    groups: tuple[np.ndarray, ...] = ()

    def posterior(
        self,
        codes: np.ndarray,
        temperature: float = 1.0,
        levels: np.ndarray | None = None,
    ) -> np.ndarray:
        """Compute the class probabilities of rows of votes.

        Parameters
        ----------
        codes : ndarray of int of shape (n_rows, n_programs)
            Answers, 0 for abstain.

        temperature : float, default=1
            What the votes say is divided by it, beside the prior.

        levels : ndarray of int of shape (n_rows,), default=None
            Levels of difficulty, which say nothing here.

        Returns
        -------
        posterior : ndarray of shape (n_rows, n_classes)
            Rows sum to one.
        """

        def compute(codes: np.ndarray) -> np.ndarray:
            votes_for = count_votes(codes, self.meaning, self.groups)
            n_votes = votes_for.sum(axis=1, keepdims=True)
            proba = (votes_for + self.further) / (n_votes + 1)
            if temperature != 1:
                proba = proba ** (1 / temperature)
                proba *= self.further ** (1 - 1 / temperature)
                proba /= proba.sum(axis=1, keepdims=True)
            return np.where(n_votes > 0, proba, self.none)

        return by_chunk(compute, codes, self.meaning.shape[1])

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
        votes_for = count_votes(codes, self.meaning, self.groups)
        voted = votes_for.any(axis=1, keepdims=True)
        return np.where(voted, self.further, self.none)


def count_votes(
    codes: np.ndarray,
    meaning: np.ndarray,
    groups: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Count the votes of each row for each class; a group has one vote.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows, n_programs)
        Answers, 0 for abstain.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    groups : sequence of ndarray of int, default=()
        Programs that share one vote.

    Returns
    -------
    votes_for : ndarray of shape (n_rows, n_classes)
        Numbers of votes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import count_votes
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> count_votes(np.array([[1, 1, 2], [0, 2, 0]]), meaning)
    array([[2., 1.],
           [0., 1.]])
    """
    named = np.tile(meaning[1:].astype(np.float64), (codes.shape[1], 1))
    votes_for = np.empty((len(codes), meaning.shape[1]))
    for place in chunks(len(codes)):
        votes_for[place] = vote_matrix(codes[place], len(meaning), groups) @ named
    return votes_for


def vote_share_prior(votes_for: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Estimate the class prior as the average share of the votes.

    Every row with votes counts alike, however many votes it has; one further sample
    that is spread over all classes keeps every class possible.

    Parameters
    ----------
    votes_for : ndarray of shape (n_rows, n_classes)
        Number of votes for each class.

    counts : ndarray of shape (n_rows,)
        Number of samples of each row.

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


def count_levels(patterns: Patterns, votes_for: np.ndarray) -> np.ndarray:
    """Count rows by how many votes they have, and by what these say.

    Parameters
    ----------
    patterns : Patterns
        Votes, counts and labels.

    votes_for : ndarray of shape (n_patterns, n_classes)
        Number of votes for each class.

    Returns
    -------
    levels : ndarray of shape (4, n_classes)
        Rows without any vote (spread over the classes), those of them that have a
        label, rows with one vote, and rows with several, which their votes share.
        Those of two chunks add up.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, count_levels
    >>> from sklearn_alchemist.label_model import count_votes
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> patterns = Patterns(np.array([[0, 0], [1, 0], [1, 2]]), np.ones(3), meaning)
    >>> count_levels(patterns, count_votes(patterns.codes, meaning))
    array([[0.5, 0.5],
           [0. , 0. ],
           [1. , 0. ],
           [0.5, 0.5]])
    """
    n_classes = patterns.n_classes
    n_votes = votes_for.sum(axis=1)
    level = votes_level(n_votes)
    shares = votes_for / np.maximum(n_votes, _TINY)[:, None]
    one, several = (patterns.counts * (level == n) @ shares for n in (1, 2))
    silent = level == 0
    labelled = np.zeros(n_classes)
    if patterns.labels is not None:
        known = silent & patterns.is_labelled
        labels, counts = patterns.labels[known], patterns.counts[known]
        labelled += np.bincount(labels, counts, n_classes)
    n_silent = patterns.counts[silent].sum()
    return np.array([np.full(n_classes, n_silent / n_classes), labelled, one, several])


def silent_prior(levels: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Estimate of which classes the rows are that no program votes on.

    It is not the classes with many votes that fall silent, but those that programs
    seldom meet twice: of animals that were caught once and seldom again, many were
    never caught [1]_. The root of the estimate is taken, since programs differ.

    Parameters
    ----------
    levels : ndarray of shape (4, n_classes)
        As from `count_levels`.

    share : ndarray of shape (n_classes,)
        Class probabilities of rows with votes, which count where no row is silent.

    Returns
    -------
    prior : ndarray of shape (n_classes,)
        Sums to one.

    References
    ----------
    .. [1] A. Chao, "Nonparametric estimation of the number of classes in a population",
       Scandinavian Journal of Statistics 11(4), 1984.

    Examples
    --------
    Both classes are met once equally often, and the first is rarely met again.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import silent_prior
    >>> levels = np.array([[2e3, 2e3], [0, 0], [400.0, 400.0], [100.0, 400.0]])
    >>> silent_prior(levels, share=np.array([0.5, 0.5])).round(2)
    array([0.66, 0.34])
    """
    silent, labelled, one, several = levels
    unseen = np.sqrt(one**2 / (several + 1) + _SILENT_STRENGTH / len(share))
    n_silent = silent.sum()
    prior = n_silent * unseen / unseen.sum() + _SILENT_STRENGTH * share
    prior = _SILENT_STRENGTH * prior / prior.sum() + labelled
    return prior / prior.sum()


def peer_accuracies(patterns: Patterns) -> np.ndarray:
    """Estimate the accuracy of each program, taking the others' majority for the truth.

    Parameters
    ----------
    patterns : Patterns
        Votes and counts.

    Returns
    -------
    accuracies : ndarray of shape (n_programs,)
        Above chance: a program that disagrees with the others is ignored rather than
        turned around, but where it votes alone it decides.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, peer_accuracies
    >>> codes = np.array([[1, 1, 1], [2, 2, 1]])
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> patterns = Patterns(codes, np.array([90.0, 90.0]), meaning)
    >>> peer_accuracies(patterns).round(2)
    array([0.98, 0.98, 0.51])
    """
    codes, counts, meaning = patterns.codes, patterns.counts, patterns.meaning
    votes_for = count_votes(codes, meaning)
    n_classes = meaning.shape[1]
    accuracies = np.empty(codes.shape[1])
    for program, answers in enumerate(codes.T):
        voted = np.flatnonzero(answers)
        own = meaning[answers[voted]]
        others = votes_for[voted] - own
        most = others.max(axis=1, keepdims=True)
        leading = (others == most) & (most > 0)
        decided = leading.sum(axis=1) == 1
        agrees = decided & (leading & own).any(axis=1)
        right = counts[voted][agrees].sum() + _PEER_STRENGTH * _PEER_ACCURACY
        accuracies[program] = right / (counts[voted][decided].sum() + _PEER_STRENGTH)
    # A little above chance, so that the only vote of a row decides.
    return np.maximum(accuracies, min(1.02 / n_classes, 0.51))


def fit_voting_rule(
    patterns: Patterns,
    *,
    weighted: bool,
    class_prior: np.ndarray | None = None,
    groups: tuple[np.ndarray, ...] = (),
) -> VoteModel | MajorityVote:
    """Learn what a rule has to know.

    Parameters
    ----------
    patterns : Patterns
        Votes and counts.

    weighted : bool
        Whether votes are weighed by the accuracy of their program.

    class_prior : ndarray of shape (n_classes,), default=None
        Probability of each class. If None, it is estimated for rows without any vote,
        and has no say in others: how many rules there are for a class says little of
        how frequent it is.

    groups : tuple of ndarray of int, default=()
        Programs that share one vote.

    Returns
    -------
    rule : VoteModel or MajorityVote
        The rule.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, fit_voting_rule
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> patterns = Patterns(np.array([[1, 1, 1], [2, 2, 1]]), np.ones(2), meaning)
    >>> rule = fit_voting_rule(patterns, weighted=False)
    >>> rule.posterior(np.array([[1, 2, 0], [0, 0, 0]])).round(2)
    array([[0.5 , 0.5 ],
           [0.61, 0.39]])
    """
    n_programs, n_classes = patterns.codes.shape[1], patterns.n_classes
    even = np.full(n_classes, 1 / n_classes)
    votes_for = count_votes(patterns.codes, patterns.meaning, groups)
    share = vote_share_prior(votes_for, patterns.counts)
    none = silent_prior(count_levels(patterns, votes_for), share)
    if class_prior is not None:
        even = none = class_prior
    if not weighted:
        return MajorityVote(patterns.meaning, even, none, groups)
    accuracies = peer_accuracies(patterns.sample(_PEER_SAMPLE))
    # Of a single class every vote is right.
    odds = accuracies * max(n_classes - 1, 1) / (1 - accuracies)
    evidence = np.log(odds)[:, None, None] * np.tile(
        patterns.meaning[1:], (n_programs, 1, 1)
    )
    return VoteModel(evidence, np.log([none, even, even]), groups=groups)
