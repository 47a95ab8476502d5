"""Say what is believed about programs and classes before votes are seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

ACCURACY = 0.7
"""Share of a program's votes that are expected to be right."""

STRENGTH = 10.0
"""Number of votes per class that the expected accuracy is worth."""

ANCHOR_STRENGTH = 10.0
"""Number of votes per class, times classes, that equal accuracy in all is worth."""

CLASS_STRENGTH = 0.002
"""Pseudo-counts per sample for the class prior, equally split."""

FIDELITY = 0.9
"""Share of a group's hidden votes that a member is expected to repeat."""

RARE_SHARE = 0.02
"""Share of a program's votes below which it hardly ever votes a class."""

FREE_COVERAGE = 2.0
"""Pseudo-counts for the coverage of a program that says little by its votes."""

TIED_COVERAGE = 2.0
"""Pseudo-counts per sample for the coverage of every other program of ten or fewer."""

TIED_PROGRAMS = 10
"""More programs than this are tied tighter: together they fall silent only once."""


@dataclass(frozen=True)
class Priors:
    """Pseudo-counts of everything that the model estimates.

    Parameters
    ----------
    votes : ndarray of shape (n_voters, n_classes, n_answers - 1)
        Of each vote, given the class and that the voter votes; 0 for a vote that the
        voter never gave.

    coverage : ndarray of shape (n_voters, 2)
        Of abstaining and of voting, the same in each class.

    classes : ndarray of shape (n_classes,)
        Of each class.

    missed : ndarray of bool of shape (n_voters, n_classes)
        Which classes a voter of free coverage (nearly) never votes: how often it votes
        on them by mistake is held near one value.

    anchored : ndarray of bool of shape (n_voters,)
        Whether the accuracies of a voter are held near each other: those of voters
        that vote every class.

    pooled : ndarray of bool of shape (n_voters,)
        Whether the coverage of a voter is exactly the same in all classes.

    grouped : ndarray of bool of shape (n_programs,)
        Which programs belong to a group.

    one_coin : bool
        Whether a voter is equally accurate in all classes, and all its errors are
        equally frequent.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.
    """

    votes: np.ndarray
    coverage: np.ndarray
    classes: np.ndarray
    missed: np.ndarray
    anchored: np.ndarray
    pooled: np.ndarray
    grouped: np.ndarray
    one_coin: bool
    meaning: np.ndarray


def make_priors(
    totals: np.ndarray,
    meaning: np.ndarray,
    grouped: np.ndarray | None = None,
    *,
    abstain: str = "auto",
    one_coin: bool = False,
) -> Priors:
    """Build the priors from the number of times each voter gave each answer.

    A program that votes every class tells little by abstaining: why it does so often
    has to do with the sample and with the other programs rather than with the class,
    so its coverage is held near the same value in all classes, the nearer the more
    programs fall silent together. A program that (nearly) never votes some class speaks
    of that class by abstaining only: its coverage is estimated class by class.

    Parameters
    ----------
    totals : ndarray of shape (n_voters, n_answers)
        Number, or weight, of the samples by voter and answer, abstaining first.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    grouped : ndarray of bool of shape (n_programs,), default=None
        Which programs belong to a group; none if None.

    abstain : {"auto", "ignore", "evidence"}, default="auto"
        "ignore" gives every voter one coverage in all classes, "evidence" estimates
        each by class, "auto" decides voter by voter as said above.

    one_coin : bool, default=False
        Whether a voter is equally accurate in all classes.

    Returns
    -------
    priors : Priors
        The pseudo-counts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import make_priors
    >>> totals = np.array([[50.0, 30.0, 20.0], [60.0, 0.0, 40.0]])
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> priors = make_priors(totals, meaning)
    >>> priors.votes[0]
    array([[7., 3.],
           [3., 7.]])
    >>> priors.votes[1]
    array([[0., 3.],
           [0., 7.]])
    >>> priors.coverage
    array([[100. , 100. ],
           [  1.2,   0.8]])
    """
    n_answers, n_classes = meaning.shape
    n_samples = totals[0].sum()
    others = STRENGTH * (1 - ACCURACY) / max(n_answers - 2, 1)
    votes = np.where(meaning[1:].T, STRENGTH * ACCURACY, others)
    votes = votes * (totals[:, None, 1:] > 0)

    n_votes = totals[:, 1:].sum(axis=1)
    always = totals[:, 0] == 0
    covered = np.where(always, 1.0, np.minimum(n_votes / n_samples, 1.0))
    by_class = totals @ meaning
    rare = by_class <= RARE_SHARE * n_votes[:, None]
    free = rare.any(axis=1)
    if abstain == "evidence":
        free[:] = True
    if grouped is None:
        grouped = np.zeros(len(totals), dtype=bool)
    # What a member answers on its own is unlike what it answers, so its coverage is
    # held equal in all classes but not near a value.
    pooled = np.full(len(totals), abstain == "ignore")
    pooled[: len(grouped)] |= grouped & ~free[: len(grouped)]
    tied = TIED_COVERAGE * max(len(grouped) / TIED_PROGRAMS, 1) * n_samples
    strength = np.where(free, FREE_COVERAGE, tied)
    strength[pooled] = FREE_COVERAGE
    return Priors(
        votes=votes,
        coverage=strength[:, None] * np.column_stack([1 - covered, covered]),
        classes=1 + np.full(n_classes, CLASS_STRENGTH * n_samples / n_classes),
        missed=rare & (~pooled & (covered > 0) & ~always)[:, None],
        anchored=(totals[:, 1:] > 0).all(axis=1) & (n_answers == n_classes + 1),
        pooled=pooled,
        grouped=grouped,
        one_coin=one_coin,
        meaning=meaning,
    )


def check_class_prior(
    class_prior: str | ArrayLike, n_classes: int
) -> np.ndarray | None:
    """Validate the class prior that a user asks for.

    Parameters
    ----------
    class_prior : {"estimate", "uniform"} or array-like of shape (n_classes,)
        Probability of each class, or where it comes from.

    n_classes : int
        Number of classes.

    Returns
    -------
    class_prior : ndarray of shape (n_classes,) or None
        Probability of each class; None if it is estimated.

    Raises
    ------
    ValueError
        If the probabilities are not positive, do not sum to one, or are not one for
        each class.

    Examples
    --------
    >>> from sklearn_alchemist.label_model import check_class_prior
    >>> check_class_prior("uniform", n_classes=2)
    array([0.5, 0.5])
    """
    if isinstance(class_prior, str):
        uniform = np.full(n_classes, 1 / n_classes)
        return uniform if class_prior == "uniform" else None
    prior = check_array(
        class_prior, ensure_2d=False, dtype=np.float64, input_name="class_prior"
    )
    if prior.shape != (n_classes,):
        raise ValueError(
            f"class_prior must have one value for each of the {n_classes} classes, "
            f"got shape {prior.shape}."
        )
    if (prior <= 0).any() or not np.isclose(prior.sum(), 1):
        raise ValueError(
            f"class_prior must be positive and sum to 1, got {prior.tolist()}."
        )
    return prior / prior.sum()


def one_coin_shares(
    accuracies: np.ndarray, meaning: np.ndarray, given: np.ndarray
) -> np.ndarray:
    """Probability of each vote if a voter errs as often in all classes.

    Parameters
    ----------
    accuracies : ndarray of shape (n_voters,)
        Share of right votes.

    meaning : ndarray of bool of shape (n_answers, n_classes)
        Which answer is the index of which class.

    given : ndarray of bool of shape (n_voters, n_answers - 1)
        Which votes a voter ever gives.

    Returns
    -------
    shares : ndarray of shape (n_voters, n_classes, n_answers - 1)
        Errors are equally divided over the votes that are given. Rows sum to one, or
        are zero if none is.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import one_coin_shares
    >>> meaning = np.array([[False, False], [True, False], [False, True]])
    >>> one_coin_shares(np.array([0.75]), meaning, np.ones((1, 2), dtype=bool))
    array([[[0.75, 0.25],
            [0.25, 0.75]]])
    """
    right = meaning[1:].T & given[:, None, :]
    wrong = ~right & given[:, None, :]
    n_wrong = np.maximum(wrong.sum(axis=2, keepdims=True), 1)
    of_all = accuracies[:, None, None]
    shares = right * of_all + wrong * (1 - of_all) / n_wrong
    total = shares.sum(axis=2, keepdims=True)
    return np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
