"""Weigh what student and votes say of rows that neither learned from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..label_model import fit_temperature, label_weights
from ._blend import (
    LABEL_FOLDS,
    VOTE_WEIGHT,
    Blend,
    blend_held_out,
    fidelity,
    fit_blend,
    knows_little,
    usual_temperature,
    usual_vote_weight,
)
from ._scaling import Scaling, fit_scaling
from ._training_state import TrainingState

# A few labels move it only as far as they must; see `fit_temperature`.
_TRUST_IN_USUAL = 4.0

# Fits an aggregator to labels: classes or None, and their chances.
FitAggregator = Callable[[np.ndarray, np.ndarray], Any]


@dataclass(frozen=True, eq=False)
class Weighing:
    """How student and votes are read and combined.

    Parameters
    ----------
    class_prior : ndarray of shape (n_classes,)
        Mean probability that the votes give each class.

    scaling : Scaling
        Brings probabilities of the student to the scale of the votes.

    blend : Blend
        Combines both.

    temperatures : dict of str to float
        What log-probabilities are divided by where "student", "votes" or "both" answer.

    held_out : ndarray of shape (n_rows, n_classes) or None
        What is said of the rows that the student saw by those that did not learn from
        them; None where there were too few.

    student_knows_little : bool
        Whether the votes answer alone, as the student repeats them hardly ever.
    """

    class_prior: np.ndarray
    scaling: Scaling
    blend: Blend
    temperatures: dict[str, float]
    held_out: np.ndarray | None = None
    student_knows_little: bool = False


def weigh_parts(
    state: TrainingState,
    from_votes: np.ndarray,
    votes_unseen: Callable[[], np.ndarray],
    vote_weight: float | str,
) -> Weighing:
    """Decide how much student and votes count, and how sure they may be.

    Parameters
    ----------
    state : TrainingState
        Votes, labels, and what students say of rows that they did not see.

    from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities that the votes give.

    votes_unseen : callable
        Gives what votes say of the rows by aggregators without the labels of these.
        Called only where there are labels.

    vote_weight : "auto" or float
        Weight of the votes beside the student.

    Returns
    -------
    weighing : Weighing
        What holds without labels, moved as far as labels say.
    """
    rows, said, heard = state.rows, state.said, state.heard
    prior = np.average(from_votes, axis=0, weights=heard)
    n_classes, learned = len(prior), isinstance(vote_weight, str)
    weight = np.full(n_classes, VOTE_WEIGHT if learned else float(vote_weight))
    temperatures = {"both": 1.0, "student": 1.0, "votes": 1.0}
    if said is None:
        plain = Blend(weight, np.zeros(n_classes), 1.0)
        return Weighing(prior, Scaling(1.0, np.zeros(n_classes)), plain, temperatures)
    asked = state.is_labelled[rows]
    codes, heard, from_votes = state.gold[rows], heard[rows], from_votes[rows]
    known = np.where(asked[:, None], np.eye(n_classes)[codes], from_votes)
    scaling = fit_scaling(said, known, heard)
    student = scaling(said)
    little = False
    if learned:
        little = knows_little(student, known, heard)
        good = fidelity(student, known, heard)
        weight = np.full(n_classes, np.inf) if little else usual_vote_weight(good)
    expected = usual_temperature(weight, from_votes, heard)
    temperatures["both"] = expected
    usual = Blend(weight, np.zeros(n_classes), expected)
    held_out = usual(student, from_votes, prior)
    if not asked.any():
        return Weighing(prior, scaling, usual, temperatures, held_out, little)
    chance, counts = state.label_proba[rows], state.counts[rows]
    drawn = ~np.isnan(chance)
    counts[drawn] *= label_weights(1 / chance[drawn], counts[drawn])
    codes, counts = codes[asked], counts[asked]
    for name, proba in {"student": student, "votes": from_votes}.items():
        temperatures[name] = fit_temperature(
            proba[asked], codes, counts, expected=expected, strength=_TRUST_IN_USUAL
        )
    blend = fit_blend(student[asked], from_votes[asked], prior, codes, counts, usual)
    temperatures["both"] = blend.temperature
    held_out = blend(student, from_votes, prior)
    # Of labels that neither it nor the aggregator did learn from.
    unseen = votes_unseen()[rows][asked]
    held_out[asked] = blend_held_out(
        student[asked], unseen, prior, codes, counts, usual
    )
    if not learned:
        blend = Blend(weight, blend.shift, blend.temperature)
    return Weighing(prior, scaling, blend, temperatures, held_out, little)


def ask_votes_unseen(
    state: TrainingState,
    from_votes: np.ndarray,
    classes: np.ndarray,
    fit_aggregator: FitAggregator,
) -> np.ndarray:
    """Say what votes say of rows, by aggregators without the labels of these.

    Parameters
    ----------
    state : TrainingState
        Votes and labels.

    from_votes : ndarray of shape (n_samples, n_classes)
        What an aggregator that learned from all labels says.

    classes : ndarray of shape (n_classes,)
        The classes.

    fit_aggregator : callable
        Takes labels, missing ones as None, and the probabilities with which they were
        asked for; gives a fitted aggregator.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities.
    """
    proba = from_votes.copy()
    known = state.rows[state.is_labelled[state.rows]]
    if state.said is None or len(known) < LABEL_FOLDS:
        return proba
    y = state.labels(classes)
    for k in range(LABEL_FOLDS):
        rows = known[k::LABEL_FOLDS]
        others, chance = y.copy(), state.label_proba.copy()
        others[rows], chance[rows] = None, np.nan
        proba[rows] = fit_aggregator(others, chance).predict_proba(state.votes[rows])
    return proba
