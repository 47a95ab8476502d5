"""Find programs that repeat each other, from pairs of votes alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from ._patterns import Patterns

# What halving and doubling each of them does: benchmarks/label_constants.py.
# Votes that two programs share are compared beyond this many samples only.
_MIN_SHARED = 30
# A pair is not explained by the class if its correlation is off by so much ...
_RESIDUAL = 0.12
# ... and by so many standard errors.
_Z = 4.0
# Programs are joined from this correlation (of votes, plus of coverage) on,
_MIN_SCORE = 0.35
# or if both alone say that one repeats the other.
_TWIN_VOTES, _TWIN_COVERAGE = 0.6, 0.3
# Below this share of voters, joining asks for coverage as a second witness.
_MANY_VOTERS, _MIN_COVERAGE = 0.6, 0.25
# Up to so many voters, they are joined one pair at a time.
_ONE_BY_ONE = 100
# So many answers are enough to compare all pairs of programs.
_PAIR_ANSWERS = 4_000_000


@dataclass(frozen=True)
class PairStatistics:
    """How pairs of voters agree.

    Parameters
    ----------
    votes : ndarray of shape (n_voters, n_voters)
        Correlation of the votes where both vote; 0 on the diagonal.

    coverage : ndarray of shape (n_voters, n_voters)
        Correlation of whether they vote; 0 on the diagonal.

    n_shared : ndarray of shape (n_voters, n_voters)
        Number of samples on which both vote.
    """

    votes: np.ndarray
    coverage: np.ndarray
    n_shared: np.ndarray


def pair_statistics(
    codes: np.ndarray, counts: np.ndarray, n_answers: int
) -> PairStatistics:
    """Correlate the votes, and the coverage, of all pairs of voters.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_voters)
        Answers, 0 for abstain.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    n_answers : int
        Number of different answers.

    Returns
    -------
    statistics : PairStatistics
        The correlations.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import pair_statistics
    >>> codes = np.array([[1, 1, 1], [1, 1, 2], [2, 2, 1], [2, 2, 2], [0, 0, 1]])
    >>> pair_statistics(codes, np.ones(5), n_answers=3).votes
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 0.]])
    """
    voted = (codes > 0).astype(np.float64)
    n_shared = (voted * counts[:, None]).T @ voted
    at_least_one = np.maximum(n_shared, 1)
    covariance = np.zeros_like(n_shared)
    variance = np.zeros_like(n_shared)
    for answer in range(1, n_answers):
        given = (codes == answer).astype(np.float64)
        weighted = given * counts[:, None]
        share = (weighted.T @ voted) / at_least_one  # of the votes shared with another
        covariance += (weighted.T @ given) / at_least_one - share * share.T
        variance += share * (1 - share)
    votes = covariance / np.sqrt(np.maximum(variance * variance.T, 1e-12))

    n_samples = counts.sum()
    covered = np.minimum(np.diag(n_shared) / n_samples, 1)  # sums are rounded
    spread = np.sqrt(covered * (1 - covered))
    coverage = (n_shared / n_samples - np.outer(covered, covered)) / np.maximum(
        np.outer(spread, spread), 1e-12
    )
    np.fill_diagonal(votes, 0)
    np.fill_diagonal(coverage, 0)
    return PairStatistics(votes, coverage, n_shared)


def fit_rank_one(
    correlation: np.ndarray, weight: np.ndarray, n_steps: int = 50
) -> np.ndarray:
    """Explain correlations by one hidden cause, deaf to a few large deviations.

    Under one hidden class the correlation of two independent voters is the product of
    their correlations with the class. The factors minimise the weighted sum of absolute
    deviations, by reweighted least squares.

    Parameters
    ----------
    correlation : ndarray of shape (n_voters, n_voters)
        Symmetric; the diagonal is not used.

    weight : ndarray of shape (n_voters, n_voters)
        Weight of each correlation; 0 on the diagonal.

    n_steps : int, default=50
        Maximum number of steps.

    Returns
    -------
    factors : ndarray of shape (n_voters,)
        The product of two is the correlation that is expected, -1 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import fit_rank_one
    >>> true = np.array([0.9, 0.8, 0.7, 0.6])
    >>> fit_rank_one(np.outer(true, true), 1 - np.eye(4)).round(2)
    array([0.9, 0.8, 0.7, 0.6])
    """
    factors = np.sqrt(np.median(correlation, axis=1).clip(0.01, 1))
    robust = weight
    for _ in range(n_steps):
        best = (robust * correlation) @ factors
        best /= np.maximum(robust @ factors**2, 1e-12)
        # Half-way, since all factors move at once.
        moved = (factors + best.clip(-1, 1)) / 2
        converged = np.abs(moved - factors).max() < 1e-6
        factors = moved
        if converged:
            break
        deviation = np.abs(correlation - np.outer(factors, factors))
        robust = weight / np.maximum(deviation, 0.02)
    return factors


def find_all_groups(patterns: Patterns) -> list[np.ndarray]:
    """Find groups of programs in as many votes as are needed.

    Parameters
    ----------
    patterns : Patterns
        Votes and counts.

    Returns
    -------
    groups : list of ndarray of int
        As from `find_groups`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Patterns, find_all_groups
    >>> patterns = Patterns(np.array([[1], [0]]), np.ones(2), np.eye(2, 1, -1) > 0)
    >>> find_all_groups(patterns)
    []
    """
    size = max(_PAIR_ANSWERS // max(patterns.codes.shape[1], 1), 1000)
    sample = patterns.sample(size)
    return find_groups(sample.codes, sample.counts, sample.n_answers)


def find_groups(
    codes: np.ndarray, counts: np.ndarray, n_answers: int
) -> list[np.ndarray]:
    """Join programs whose agreement no hidden class explains, the tightest first.

    As long as the correlations of the votes are not those of one hidden class, the two
    voters that agree most, in what they vote and in when they do, become one, which
    votes as most of its programs do.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, 0 for abstain.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    n_answers : int
        Number of different answers.

    Returns
    -------
    groups : list of ndarray of int
        Columns of the programs of each group of two or more, in increasing order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import find_groups
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(1, 3, 2000)
    >>> codes = np.where(rng.random((2000, 6)) < 0.7, y[:, None], 3 - y[:, None])
    >>> codes[:, 4:] = codes[:, [0]]
    >>> find_groups(codes, np.ones(2000), n_answers=3)
    [array([0, 4, 5])]
    """
    n_programs = codes.shape[1]
    groups = [[program] for program in range(n_programs)]
    voters = codes
    while len(groups) > 3:
        pairs = _pairs_to_join(voters, counts, n_answers, n_programs)
        if not pairs:
            break
        gone = {second for _, second in pairs}
        for first, second in pairs:
            groups[first] += groups[second]
        groups = [group for place, group in enumerate(groups) if place not in gone]
        voters = np.column_stack([_group_vote(codes[:, g], n_answers) for g in groups])
    found = [np.sort(group) for group in groups if len(group) > 1]
    return sorted(found, key=lambda group: int(group[0]))


def _pairs_to_join(
    voters: np.ndarray, counts: np.ndarray, n_answers: int, n_programs: int
) -> list[tuple[int, int]]:
    """Return the pairs of voters that become one now; none if all is explained."""
    n_voters = voters.shape[1]
    pairs = pair_statistics(voters, counts, n_answers)
    error = 1 / np.sqrt(np.maximum(pairs.n_shared, 1))
    weight = pairs.n_shared / max(pairs.n_shared.max(), 1)
    np.fill_diagonal(weight, 0)
    factors = fit_rank_one(pairs.votes, weight)
    residual = np.abs(pairs.votes - np.outer(factors, factors))
    np.fill_diagonal(residual, 0)
    unexplained = ((residual > _RESIDUAL) & (residual > _Z * error)).any()

    upper = np.triu_indices(n_voters, 1)
    together = (pairs.coverage - np.median(pairs.coverage[upper])).clip(0, 1)
    score = np.where(pairs.n_shared > _MIN_SHARED, pairs.votes, 0) + together
    score[pairs.votes < _Z * error] = -1
    score[np.tril_indices(n_voters)] = -1
    joined: dict[int, int] = {}
    n_joins = 1 if n_voters <= _ONE_BY_ONE else n_voters // 10
    for place in np.argsort(-score, axis=None, kind="stable")[: 4 * n_joins]:
        first, second = map(int, np.unravel_index(place, score.shape))
        pair = first, second
        twins = pairs.votes[pair] > _TWIN_VOTES and together[pair] > _TWIN_COVERAGE
        if score[pair] < _MIN_SCORE or not (unexplained or twins):
            break
        few = n_voters - len(joined) - 1 < np.ceil(_MANY_VOTERS * n_programs)
        if few and together[pair] < _MIN_COVERAGE:
            break
        if first not in joined and second not in joined:
            joined[second] = first
        if len(joined) == n_joins:
            break
    return [(first, second) for second, first in joined.items()]


def _group_vote(codes: np.ndarray, n_answers: int) -> np.ndarray:
    """Return the answer that most programs give; 0 (abstain) if it is not one."""
    votes_for = np.stack([(codes == a).sum(axis=1) for a in range(1, n_answers)])
    most = votes_for.max(axis=0)
    decided = (most > 0) & ((votes_for == most).sum(axis=0) == 1)
    return np.where(decided, votes_for.argmax(axis=0) + 1, 0)


def check_groups(
    program_groups: Sequence[Sequence[str | int]],
    n_programs: int,
    names: Sequence[str] | None = None,
) -> list[np.ndarray]:
    """Validate the groups that a user lists.

    Parameters
    ----------
    program_groups : sequence of sequences of str or int
        Programs by name or by index.

    n_programs : int
        Number of programs.

    names : sequence of str, default=None
        Names of the programs, if they have any.

    Returns
    -------
    groups : list of ndarray of int
        Indices of the programs of each group of two or more, in increasing order.

    Raises
    ------
    ValueError
        If a program does not exist, or is listed more than once.

    Examples
    --------
    >>> from sklearn_alchemist.label_model import check_groups
    >>> check_groups([["b", "a"], ["c"]], n_programs=3, names=["a", "b", "c"])
    [array([0, 1])]
    """
    places = {} if names is None else {name: i for i, name in enumerate(names)}
    seen: set[int] = set()
    groups = []
    for group in program_groups:
        if isinstance(group, str) or not isinstance(group, Iterable):
            raise ValueError(
                f"program_groups must be a list of lists of programs, got {group!r} "
                "where a list is expected."
            )
        members: list[int] = []
        for program in group:
            place = places.get(program) if isinstance(program, str) else program
            if not isinstance(place, Integral) or isinstance(place, bool):
                known = f"one of {list(places)}" if places else "an index"
                raise ValueError(
                    f"program_groups holds {program!r}, which is not {known}."
                )
            if not 0 <= place < n_programs:
                raise ValueError(
                    f"program_groups holds {program!r}, but there are {n_programs} "
                    f"programs: indices go from 0 to {n_programs - 1}."
                )
            if place in seen:
                raise ValueError(f"program_groups lists {program!r} more than once.")
            seen.add(int(place))
            members.append(int(place))
        if len(members) > 1:
            groups.append(np.sort(members))
    return sorted(groups, key=lambda group: int(group[0]))
