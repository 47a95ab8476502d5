"""Find how far errors come together on hard rows, which no agreement shows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from sklearn.utils.validation import _check_sample_weight

from ._model import VoteModel, normalise
from ._patterns import Patterns, sparse_votes

N_LEVELS = 4
"""Rows are cut into at most so many levels of difficulty."""

# Of the errors that programs share, votes show one in so many, since most end in
# agreement: benchmarks/label_constants.py.
_UNSEEN_ERRORS = 7.0
# Where hard rows are decided by the toss of a coin and others are right, a share of s
# hard ones makes errors covary by a quarter of s. Other factors are measured by
# benchmarks/label_constants.py.
_BY_COIN = 4.0
# So many rows of any level each level is worth, so that few rows do not speak alone;
# where levels have many, no value matters: benchmarks/label_constants.py.
_LEVEL_STRENGTH = 50.0
# So many patterns, and patterns times classes, show what all of them would.
_SAMPLE_SIZE, _MAX_CELLS = 1 << 15, 1 << 19
# So many steps find what votes say on each level.
_N_SCALE_STEPS = 10
_TINY = 1e-12


@dataclass(frozen=True)
class SharedErrors:
    """How errors of programs come together, level by level, and at last in all rows.

    Parameters
    ----------
    strength : ndarray of shape (n_levels + 1,)
        From 0, where programs err independently, to 1, where all votes of a row are
        worth as much as one of them.

    hard : ndarray of shape (n_levels + 1,)
        Share of the rows on which votes say nothing of the class.

    scale : ndarray of shape (n_levels + 1,)
        How much a vote says there, on the scale of logarithms; 1 in all rows.

    cuts : ndarray of shape (n_levels - 1,) or None
        Numbers of votes at which levels end; None if levels come with the rows.
    """

    strength: np.ndarray
    hard: np.ndarray
    scale: np.ndarray
    cuts: np.ndarray | None

    def levels(self, n_votes: np.ndarray, level: int) -> np.ndarray:
        """Tell the level of rows from their votes, if it does not come with them.

        Parameters
        ----------
        n_votes : ndarray of shape (n_rows,)
            Number of votes.

        level : int
            The level that comes with them.

        Returns
        -------
        levels : ndarray of int of shape (n_rows,)
            From 0 on; -1 where unknown.
        """
        if self.cuts is None:
            return np.full(len(n_votes), level)
        return find_levels(np.rint(n_votes), self.cuts)


def read_difficulty(difficulty: ArrayLike | None, n_rows: int) -> np.ndarray | None:
    """Validate the difficulty that a user gives.

    Parameters
    ----------
    difficulty : array-like of shape (n_rows,) or None
        Numbers on any scale; NaN, None or masked where unknown.

    n_rows : int
        Number of rows of votes.

    Returns
    -------
    difficulty : ndarray of float of shape (n_rows,) or None
        The numbers.

    Raises
    ------
    ValueError
        If these are no numbers, or not one of each row.

    Examples
    --------
    >>> from sklearn_alchemist.label_model import read_difficulty
    >>> read_difficulty([3, None], n_rows=2)
    array([ 3., nan])
    """
    if difficulty is None:
        return None
    if isinstance(difficulty, np.ma.MaskedArray):
        difficulty = np.ma.filled(difficulty.astype(np.float64), np.nan)
    try:
        values = np.asarray(difficulty, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            "difficulty must be numbers, such as the length of each text, NaN where it "
            f"is not known: {error}"
        ) from error
    if values.shape != (n_rows,):
        raise ValueError(
            f"difficulty has shape {values.shape}, and there are {n_rows} rows of "
            f"votes: pass one number a row, shape ({n_rows},)."
        )
    return values


def level_cuts(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Cut values into levels that as many samples have, as far as ties let them.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Any scale; NaN where unknown.

    counts : ndarray of shape (n_rows,)
        Number of samples of each row.

    Returns
    -------
    cuts : ndarray of shape (n_levels - 1,)
        The largest value of each level but the last.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import level_cuts
    >>> level_cuts(np.arange(8.0), np.ones(8))
    array([1., 3., 5.])
    >>> level_cuts(np.array([2.0, 2.0, 9.0, np.nan]), np.ones(4))
    array([2.])
    """
    known = ~np.isnan(values) & (counts > 0)
    order = np.flatnonzero(known)[np.argsort(values[known], kind="stable")]
    if not len(order):
        return np.empty(0)
    through = counts[order].cumsum()
    shares = np.arange(1, N_LEVELS) / N_LEVELS * through[-1]
    # Sums of weights are rounded.
    cuts = values[order[np.searchsorted(through, shares * (1 - 1e-9))]]
    return np.unique(cuts[cuts < values[order[-1]]])


def find_levels(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Tell which level each value is of.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        On the scale of the cuts; NaN where unknown.

    cuts : ndarray of shape (n_levels - 1,)
        As from `level_cuts`.

    Returns
    -------
    levels : ndarray of int of shape (n_rows,)
        From 0 on; -1 where unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import find_levels
    >>> find_levels(np.array([1.0, 3.5, np.nan, 9.0]), np.array([1.0, 3.0, 5.0]))
    array([ 0,  2, -1,  3])
    """
    return np.where(np.isnan(values), -1, np.searchsorted(cuts, values))


def first_levels(
    difficulty: ArrayLike | None, sample_weight: ArrayLike | None, n_samples: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Cut the difficulty of the first samples into levels.

    Parameters
    ----------
    difficulty, sample_weight : array-like of shape (n_samples,) or None
        As users give them.

    n_samples : int
        Number of samples.

    Returns
    -------
    cuts : ndarray of shape (n_levels - 1,) or None
        As from `level_cuts`; None if no difficulty is given.

    levels : ndarray of int of shape (n_samples,) or None
        The level of each sample.

    Examples
    --------
    >>> from sklearn_alchemist.label_model import first_levels
    >>> first_levels([9, 8, 7, 6], None, n_samples=4)
    (array([6., 7., 8.]), array([3, 2, 1, 0]))
    """
    values = read_difficulty(difficulty, n_samples)
    if values is None:
        return None, None
    weight = np.ones(n_samples)
    if sample_weight is not None:
        weight = _check_sample_weight(sample_weight, values)
    cuts = level_cuts(values, weight)
    return cuts, find_levels(values, cuts)


def find_shared_errors(patterns: Patterns, model: VoteModel) -> SharedErrors | None:
    """Estimate how errors of programs come together, from votes alone.

    Programs of one author err together on hard samples. If they were independent given
    the class, their errors would be uncorrelated there: the correlation that is left
    is the part of the shared errors that ends in disagreement, and levels on which
    more of it is left have more hard samples.

    Parameters
    ----------
    patterns : Patterns
        Votes, counts and perhaps levels; without these, rows with equally many votes
        are equally hard.

    model : VoteModel
        The model.

    Returns
    -------
    shared : SharedErrors or None
        None where programs are independent.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, VoteModel
    >>> from sklearn_alchemist.label_model import find_shared_errors
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> codes = np.array([[1, 1, 1], [2, 2, 2], [1, 2, 2], [2, 1, 1]])
    >>> patterns = Patterns(codes, np.array([40.0, 40.0, 10.0, 10.0]), meaning)
    >>> evidence = np.log(np.tile([[0.8, 0.2], [0.2, 0.8]], (3, 1, 1)))
    >>> model = VoteModel(evidence, np.log(np.full((3, 2), 0.5)))
    >>> find_shared_errors(patterns, model).strength.max() > 0
    np.True_
    """
    patterns = patterns.sample(min(_SAMPLE_SIZE, _MAX_CELLS // patterns.n_classes + 1))
    votes = sparse_votes(patterns.codes, patterns.n_answers, model.groups)
    n_votes = np.rint(votes.sum(axis=1))
    several = n_votes > 1
    if not several.any():
        return None
    cuts, levels = None, patterns.levels
    if levels is None:
        some = n_votes > 0
        cuts = level_cuts(n_votes[some], patterns.counts[some])
        levels = find_levels(n_votes, cuts)
    n_levels = N_LEVELS if cuts is None else len(cuts) + 1
    patterns, votes, levels = patterns.take(several), votes[several], levels[several]
    scale = np.ones(n_levels + 1)
    if cuts is None:
        scale = _level_scales(patterns, votes, levels, model)
    proba = model.posterior(patterns.codes)
    joint = _joint_errors(patterns, votes, model, proba)
    counts = patterns.counts
    by_level = np.array(
        [np.bincount(levels + 1, counts * j, n_levels + 1) for j in joint]
    )
    by_level, overall = by_level[:, 1:], by_level.sum(axis=1)
    if cuts is None:
        # How often programs are right is known level by level, too.
        logits = votes @ model.evidence.reshape(-1, patterns.n_classes)
        proba = normalise(logits * scale[levels][:, None] + model.log_prior[2])[0]
        for level in np.unique(levels[levels >= 0]):
            place = levels == level
            part, weight = patterns.take(place), counts[place]
            found = _joint_errors(part, votes[place], model, proba[place])
            by_level[:, level] = [weight @ joint for joint in found]
    # Levels with few rows are much like all rows.
    usual = overall[:, None] / max(counts.sum(), _TINY)
    by_level = np.column_stack([by_level + _LEVEL_STRENGTH * usual, overall])
    together, possible, n_pairs = by_level
    if cuts is not None:
        together_all, possible_all = overall[:2, None] * np.ones(n_levels + 1)
    else:
        together_all, possible_all = together, possible
    # More votes never tell less than one: without a bound ten programs that were right
    # on .97 of some articles were sure of .61.
    correlation = together_all / np.maximum(possible_all, _TINY)
    strength = (_UNSEEN_ERRORS * correlation).clip(0, 1)
    hard = (_BY_COIN * together / np.maximum(n_pairs, _TINY)).clip(0, 1)
    if not strength.any():
        return None
    return SharedErrors(strength, hard, scale, cuts)


def _level_scales(
    patterns: Patterns, votes: csr_array, levels: np.ndarray, model: VoteModel
) -> np.ndarray:
    """Say how much votes say on each level, as far as they agree there."""
    n_classes = patterns.n_classes
    said = votes @ model.evidence.reshape(-1, n_classes)
    votes_for = votes @ np.tile(
        patterns.meaning[1:], (votes.shape[1] // (len(patterns.meaning) - 1), 1)
    )
    n_votes = patterns.counts * votes.sum(axis=1)
    scale = np.ones(N_LEVELS + 1)

    def log_odds(right: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Say how far votes are from chance, kept away from always and never."""
        share = (right + _LEVEL_STRENGTH * overall) / (total + _LEVEL_STRENGTH)
        odds = share * max(n_classes - 1, 1) / np.maximum(1 - share, 1e-3)
        return np.log(np.maximum(odds, 1.0))

    for _ in range(_N_SCALE_STEPS):
        logits = said * scale[levels][:, None] + model.log_prior[2]
        right = patterns.counts * (normalise(logits)[0] * votes_for).sum(axis=1)
        overall = right.sum() / n_votes.sum()
        by_level = [
            np.bincount(levels + 1, v, N_LEVELS + 1)[1:] for v in (right, n_votes)
        ]
        usual = log_odds(np.zeros(1), np.zeros(1))
        scale[:-1] = log_odds(*by_level) / np.maximum(usual, _TINY)
    return scale


def _joint_errors(
    patterns: Patterns, votes: csr_array, model: VoteModel, proba: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum up over the pairs of votes of a row: joint errors, their bound, and one."""
    n_programs, n_votes, n_classes = model.evidence.shape
    right = np.tile(patterns.meaning[1:], (n_programs, 1))
    # How often a program that votes is right, by class.
    seen = votes.T @ (proba * patterns.counts[:, None])
    seen = seen.reshape(n_programs, n_votes, n_classes)
    named = right.reshape(seen.shape)
    accuracy = (seen * named).sum(axis=1) / np.maximum(seen.sum(axis=1), _TINY)
    accuracy = np.repeat(accuracy, n_votes, axis=0)
    surprise = right - accuracy
    spread = np.sqrt(accuracy * (1 - accuracy))
    squares = votes.multiply(votes).tocsr()

    def of_pairs(values: np.ndarray) -> np.ndarray:
        """Sum the products of the values of all pairs of voters."""
        total = (votes @ values) ** 2 - squares @ values**2
        for group in model.groups:
            # Members of a group are known to err together.
            member = np.zeros((n_programs, n_votes), dtype=bool)
            member[group] = True
            inside, squared = votes * member.ravel(), squares * member.ravel()
            total = total - ((inside @ values) ** 2 - squared @ values**2)
        return np.asarray(total)

    together = (proba * of_pairs(surprise)).sum(axis=1)
    possible = (proba * of_pairs(spread)).sum(axis=1)
    return together, possible, of_pairs(np.ones((len(surprise), 1)))[:, 0]
