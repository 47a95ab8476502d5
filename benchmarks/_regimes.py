"""Plant label-model problems whose best possible answer is known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from sklearn_alchemist.votes import vote_dtype

Oracle = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Problem:
    """Votes, the classes behind them, and the rule that knows how both were made.

    Parameters
    ----------
    votes : ndarray of int8 of shape (n_samples, n_programs)
        Class indices, -1 for abstain.

    y : ndarray of shape (n_samples,)
        True classes.

    oracle : callable
        Maps votes to the exact class probabilities.
    """

    votes: np.ndarray
    y: np.ndarray
    oracle: Oracle


@dataclass(frozen=True)
class Component:
    """Samples that meet programs in one state: easy or hard, busy or quiet.

    Parameters
    ----------
    share : float
        Share of the samples.

    confusion : ndarray of shape (n_programs, n_classes, 1 + n_classes)
        Probability of each answer given the class, abstaining first.
    """

    share: float
    confusion: np.ndarray


def confusion_of(
    accuracy: np.ndarray, coverage: np.ndarray, n_classes: int
) -> np.ndarray:
    """Build tables from accuracies (per class or not) and coverages (likewise).

    Parameters
    ----------
    accuracy, coverage : ndarray of shape (n_programs,) or (n_programs, n_classes)
        Share of right votes among votes, share of votes among samples.

    n_classes : int
        Number of classes.

    Returns
    -------
    confusion : ndarray of shape (n_programs, n_classes, 1 + n_classes)
        Rows sum to one.
    """
    shape = (len(accuracy), n_classes)
    right = np.broadcast_to(accuracy.reshape(len(accuracy), -1), shape)[..., None]
    voted = np.broadcast_to(coverage.reshape(len(coverage), -1), shape)[..., None]
    same = np.eye(n_classes)
    votes = np.where(same, right, (1 - right) / (n_classes - 1))
    return np.concatenate([1 - voted, voted * votes], axis=2)


def draw(
    rng: np.random.Generator,
    class_prior: np.ndarray,
    components: list[Component],
    n_samples: int,
    copies: tuple[np.ndarray, float] = (np.empty(0, dtype=int), 0.0),
) -> Problem:
    """Draw a problem from a mixture, some programs copying the first one.

    Parameters
    ----------
    rng : Generator
        Source of randomness.

    class_prior : ndarray of shape (n_classes,)
        Probability of each class.

    components : list of Component
        What may happen to a sample; the shares sum to one.

    n_samples : int
        Number of samples.

    copies : tuple of an ndarray of int and a float
        The programs that repeat what program 0 says, and how often they do.

    Returns
    -------
    problem : Problem
        Votes, classes and the oracle.
    """
    n_classes = len(class_prior)
    copying, fidelity = copies
    y = rng.choice(n_classes, n_samples, p=class_prior)
    state = rng.choice(len(components), n_samples, p=[c.share for c in components])
    cumulated = np.stack([c.confusion for c in components]).cumsum(axis=3)
    votes = np.empty((n_samples, cumulated.shape[1]), dtype=vote_dtype(n_classes))
    for program, column in enumerate(votes.T):
        limits = cumulated[state, program, y, :-1]
        column[:] = (rng.random(n_samples)[:, None] > limits).sum(axis=1) - 1
    for program in copying:
        repeats = rng.random(n_samples) < fidelity
        votes[repeats, program] = votes[repeats, 0]

    def oracle(votes: np.ndarray) -> np.ndarray:
        logits = []
        for component in components:
            total = np.tile(
                np.log(class_prior) + np.log(component.share), (len(votes), 1)
            )
            for program, column in enumerate(votes.T):
                likelihood = component.confusion[program].T[column + 1]
                if program in copying:
                    same = (column == votes[:, 0])[:, None]
                    likelihood = fidelity * same + (1 - fidelity) * likelihood
                total += np.log(likelihood + 1e-300)
            logits.append(total)
        return softmax(np.logaddexp.reduce(logits), axis=1)

    return Problem(votes, y, oracle)


def regime(
    name: str,
    seed: int,
    n_samples: int = 5000,
    n_programs: int = 10,
    n_classes: int = 2,
) -> Problem:
    """Draw one problem of a named regime.

    Parameters
    ----------
    name : str
        One of `REGIMES`.

    seed : int
        Seed of everything random.

    n_samples, n_programs, n_classes : int
        Size of the problem.

    Returns
    -------
    problem : Problem
        Votes, classes and the oracle.
    """
    rng = np.random.default_rng([REGIMES.index(name), seed])
    m, k = n_programs, n_classes
    uniform = np.full(k, 1 / k)
    prior = uniform
    floor = 1 / k
    # Where k = 2, right in 60 to 85 % of the votes; with more classes, as much better
    # than chance.
    accuracy = floor + (1 - floor) * rng.uniform(0.2, 0.7, m)
    coverage = rng.uniform(0.2, 0.6, m)
    copies = (np.empty(0, dtype=int), 0.0)
    shares = [1.0]
    tables = [confusion_of(accuracy, coverage, k)]

    if name == "95/5":
        prior = np.full(k, 0.05 / (k - 1))
        prior[0] = 0.95
        tables = [
            confusion_of(floor + (1 - floor) * rng.uniform(0.4, 0.8, m), coverage, k)
        ]
    elif name == "unipolar":
        speaks_of = np.arange(m) % k
        hit = rng.uniform(0.3, 0.7, m)
        miss = hit * rng.uniform(0.05, 0.4, m)
        table = np.zeros((m, k, k + 1))
        for j, c in enumerate(speaks_of):
            table[j, :, c + 1] = miss[j]
            table[j, c, c + 1] = hit[j]
        table[..., 0] = 1 - table.sum(axis=2)
        tables = [table]
    elif name == "shared activity":
        shares = [0.5, 0.5]
        tables = [
            confusion_of(accuracy, np.minimum(coverage * s, 0.95), k)
            for s in (0.2, 1.8)
        ]
    elif name == "spammers":
        accuracy = np.where(np.arange(m) < 0.7 * m, floor, floor + (1 - floor) * 0.6)
        tables = [confusion_of(accuracy, coverage, k)]
    elif name in ("copies 40 %", "copies 60 %", "copies of a weak one"):
        share = 0.6 if name == "copies 60 %" else 0.4
        accuracy[0] = floor + (1 - floor) * (0.1 if "weak" in name else 0.4)
        coverage[0] = 0.5
        tables = [confusion_of(accuracy, coverage, k)]
        copies = (np.arange(1, max(round(share * m), 2)), 0.9)
    elif name == "adversarial 60 %":
        accuracy = np.where(
            np.arange(m) < 0.6 * m,
            floor * rng.uniform(0.3, 0.8, m),
            floor + (1 - floor) * 0.6,
        )
        tables = [confusion_of(accuracy, coverage, k)]
    elif name == "lean":
        by_class = np.repeat(accuracy[:, None], k, axis=1) - 0.1
        by_class[:, 0] += 0.2
        tables = [confusion_of(by_class.clip(0.02, 0.97), coverage, k)]
    elif name == "difficulty":
        shares = [0.6, 0.4]
        easy = np.minimum(accuracy + (1 - floor) * 0.2, 0.97)
        hard = floor + (accuracy - floor) * 0.2
        tables = [confusion_of(a, coverage, k) for a in (easy, hard)]
    elif name == "asymmetric":
        by_class = floor + (1 - floor) * rng.uniform(0.0, 0.9, (m, k))
        tables = [confusion_of(by_class, coverage, k)]
    elif name != "independent":
        raise ValueError(f"unknown regime {name!r}")
    components = [Component(s, t) for s, t in zip(shares, tables, strict=True)]
    return draw(rng, prior, components, n_samples, copies)


REGIMES = [
    "independent",
    "95/5",
    "unipolar",
    "shared activity",
    "spammers",
    "copies 40 %",
    "copies 60 %",
    "copies of a weak one",
    "adversarial 60 %",
    "lean",
    "difficulty",
    "asymmetric",
]
"""Everything that may be wrong with programs, one trouble a regime."""
