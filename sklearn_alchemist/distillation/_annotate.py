"""Say of records what is thought of them, by whom, and how far to trust it."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch

from ..data import UNLABELED
from ._error_bound import LEAST_LABELS, ErrorBound, find_error_bound, plain_sample
from ._review_queue import BELOW_PROMISE, GOLD, doubt_reasons, label_sources
from ._training_state import TrainingState


class Opinions(NamedTuple):
    """What is said of records.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities in use.

    student, from_votes : ndarray of shape (n_samples, n_classes) or None
        Probabilities of the student alone, scaled, and of the votes alone; None where
        nobody asked.

    votes : ndarray of shape (n_samples, n_programs) or None
        Class indices, -1 for abstain.
    """

    proba: Any
    student: Any
    from_votes: Any
    votes: Any


def annotate_records(
    said: Opinions,
    classes: np.ndarray,
    gold: np.ndarray,
    *,
    flag_below: float,
    promise: ErrorBound | None,
) -> Bunch:
    """Label records and tell where each label comes from.

    Parameters
    ----------
    said : Opinions
        What is said of the records.

    classes : ndarray of shape (n_classes,)
        The classes.

    gold : ndarray of int of shape (n_samples,)
        Known classes, -1 where none is known.

    flag_below : float
        Labels that are less probable are flagged.

    promise : ErrorBound or None
        What decides instead, where it can be promised.

    Returns
    -------
    annotation : Bunch
        What `DistilledAnnotator.annotate` gives, without names of programs.
    """
    codes, sure = said.proba.argmax(axis=1), said.proba.max(axis=1)
    doubt = doubt_reasons(*said, threshold=flag_below)
    source = label_sources(said.proba, said.student, said.from_votes, said.votes)
    if promise is not None and promise.threshold is not None:
        below = sure < promise.threshold
        doubt[~below] = ""
        doubt[below & (doubt == "")] = BELOW_PROMISE
    given = gold != UNLABELED
    codes = np.where(given, gold, codes)
    doubt[given], source[given] = "", GOLD
    return Bunch(
        label=classes[codes],
        confidence=np.where(given, 1.0, sure),
        source=source,
        flag=doubt != "",
        doubt=doubt,
        proba=said.proba,
        student_proba=said.student,
        votes_proba=said.from_votes,
        votes=said.votes,
        promise=promise,
    )


def error_bound_by_labels(
    proba: np.ndarray,
    gold: np.ndarray,
    label_proba: np.ndarray,
    state: TrainingState | None,
    held_out: np.ndarray | None,
    rng: np.random.RandomState,
    *,
    target_error: float,
    confidence: float,
) -> ErrorBound:
    """Judge by labels given now or of training rows, whichever are more.

    Labels of a model count where people gave too few, as they are: what the model says
    wrongly counts as an error of the annotator, and errors of both are not seen.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities of the records.

    gold : ndarray of int of shape (n_samples,)
        Their classes, -1 where none is known.

    label_proba : ndarray of shape (n_samples,)
        Probability with which each label was asked for; NaN where nobody knows.

    state : TrainingState or None
        What is kept of the training rows.

    held_out : ndarray of shape (n_rows, n_classes) or None
        Probabilities of the training rows that the student saw, by those that did not
        learn from them.

    rng : RandomState
        Thins labels of unequal chance.

    target_error : float
        The share of wrong labels that must not be exceeded.

    confidence : float
        Probability with which the promise is kept.

    Returns
    -------
    promise : ErrorBound
        What can be promised.
    """
    drawn = plain_sample(label_proba, rng)
    if state is not None and held_out is not None:
        chance = state.label_proba[state.rows]
        if state.by_model is not None:  # people's alone, if they suffice
            of_people = np.where(state.by_model[state.rows], np.nan, chance)
            if (~np.isnan(of_people)).sum() >= LEAST_LABELS:
                chance = of_people
        before = plain_sample(chance, rng)
        if len(before) > len(drawn):
            drawn, gold, proba = before, state.gold[state.rows], held_out
    return find_error_bound(
        proba.max(axis=1),
        drawn,
        proba[drawn].argmax(axis=1) != gold[drawn],
        target_error=target_error,
        confidence=confidence,
    )
