"""Have a language model label some records of a fit."""

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from .._utils import warn
from ..data import UNLABELED, Classes, Records, check_question, check_records
from ..exceptions import LabelsWarning
from ..llm import LLM, Usage, as_authors
from ._annotator_checks import (
    described_classes,
    find_labelled,
    known_classes,
    last_step,
    listed_classes,
)
from ._blend import agree_beyond_chance

if TYPE_CHECKING:
    from ..synthesis import CostEstimate

_logger = logging.getLogger("sklearn_alchemist.distillation")

ROWS_PER_CALL = 20
# What a record takes in an answer, with some for its braces, rounded up.
_TOKENS_PER_LABEL = 16


def model_of(labeler: BaseEstimator) -> tuple[LLM, str, Any]:
    """Find the model, the task and the classes that records are shown with.

    Parameters
    ----------
    labeler : transformer
        What writes the programs, or a pipeline that ends with it.

    Returns
    -------
    llm : LLM
        The model, the first one of several.

    task : str
        What is to be decided.

    classes : list, dict or None
        The classes as the user wrote them.

    Raises
    ------
    ValueError
        If there is no model or no task.
    """
    inner = last_step(labeler)
    authors = as_authors(getattr(inner, "llm", None))
    if not authors:
        raise ValueError(
            "n_llm_labels shows records to the labeler's model, and the labeler has "
            "none: give it an llm, or set n_llm_labels=0."
        )
    classes = getattr(inner, "classes", None)
    described = ["", ""] if classes is None else [*Classes.listed(classes).described]
    return authors[0], check_question(getattr(inner, "task", None), described), classes


def ask_about_sample(
    labeler: BaseEstimator,
    records: Records,
    gold: np.ndarray,
    n_rows: int,
    names: np.ndarray,
    random_state: Any,
) -> tuple[np.ndarray, float, Usage]:
    """Have a plain random sample of records labelled, twenty a call.

    Parameters
    ----------
    labeler : transformer
        Fitted; what it has spent counts towards the caps of its model.

    records : Records
        The training records.

    gold : ndarray of int of shape (n_samples,)
        Labels that are known, which are not asked for; -1 elsewhere.

    n_rows : int
        How many are labelled, if there are so many.

    names : ndarray of shape (n_classes,)
        The classes.

    random_state : int, RandomState instance or None
        Draws them; None always draws the same ones, which are paid once.

    Returns
    -------
    codes : ndarray of int of shape (n_samples,)
        Class indices that were answered, -1 elsewhere.

    chance : float
        Probability with which each was drawn.

    usage : Usage
        What the answers cost.

    Raises
    ------
    LLMError
        If the model cannot be asked, or its caps leave no call.
    """
    from ..zero_shot import ask_for_labels

    llm, task, classes = model_of(labeler)
    described = described_classes(classes, names)
    assert described is not None
    drawn = _draw(gold, n_rows, random_state)
    codes = np.full(len(gold), UNLABELED)
    if not len(drawn):
        return codes, 1.0, Usage()
    usage = getattr(last_step(labeler), "usage_", Usage())
    spent = usage.paid.calls + usage.unanswered.calls
    reading = ask_for_labels(
        llm.less(usage.dollars or 0.0, spent),
        task,
        described.sorted_descriptions,
        records.rows(drawn.tolist()),
        rows_per_call=ROWS_PER_CALL,
        partial=True,
    )
    if reading.shortfall is not None and not reading.reached.any():
        raise reading.shortfall
    codes[drawn] = reading.codes
    return (
        codes,
        float(reading.reached.sum() / (gold == UNLABELED).sum()),
        reading.usage,
    )


def add_model_labels(
    said: np.ndarray,
    codes: np.ndarray,
    chance: float,
    gold: np.ndarray,
    label_proba: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add labels of a model to those of people, if it speaks of the same as the votes.

    Parameters
    ----------
    said : ndarray of int of shape (n_samples,)
        What the votes say.

    codes : ndarray of int of shape (n_samples,)
        What the model says, -1 where it was not asked.

    chance : float
        Probability with which each record was drawn for the model.

    gold : ndarray of int of shape (n_samples,)
        Labels of people, -1 where there is none.

    label_proba : ndarray of shape (n_samples,)
        Probability with which each of them was asked for; NaN where nobody knows.

    Returns
    -------
    gold, label_proba : ndarrays of shape (n_samples,)
        Both together.

    by_model : ndarray of bool of shape (n_samples,)
        Which labels are the model's; none where they contradict the votes.

    Warns
    -----
    LabelsWarning
        If they do.
    """
    by_model = codes != UNLABELED
    if not agree_beyond_chance(said[by_model], codes[by_model]):
        _logger.info("fallback to no labels of the model: they contradict votes")
        warn(
            f"The model's labels of {by_model.sum()} records agree with the votes "
            "hardly more than by chance, so that nothing is learned from them: "
            "read some of both, and describe task and classes in more detail.",
            LabelsWarning,
        )
        return gold, label_proba, np.zeros(len(gold), dtype=bool)
    given = label_proba[~np.isnan(label_proba)]
    if len(given) and (given == given[0]).all():
        chance = given[0]  # both are plain samples, told on one scale
    return (
        np.where(by_model, codes, gold),
        np.where(by_model, chance, label_proba),
        by_model,
    )


def estimate_sample(
    labeler: BaseEstimator,
    records: Records,
    gold: np.ndarray,
    n_rows: int,
    names: np.ndarray,
    random_state: Any,
) -> "CostEstimate":
    """Tell what `ask_about_sample` would ask for and cost; nothing is sent.

    Parameters
    ----------
    labeler : transformer
        Fitted or not.

    records : Records
        The training records.

    gold : ndarray of int of shape (n_samples,)
        Labels that are known, which are not asked for; -1 elsewhere.

    n_rows : int
        How many are labelled, if there are so many.

    names : ndarray of shape (n_classes,)
        The classes.

    random_state : int, RandomState instance or None
        Draws them. A RandomState draws others later.

    Returns
    -------
    estimate : CostEstimate
        Calls, tokens and dollars; stored answers cost nothing.
    """
    from ..synthesis import estimate_questions
    from ..zero_shot import share_calls, write_questions

    llm, task, classes = model_of(labeler)
    described = described_classes(classes, names)
    assert described is not None
    drawn = _draw(gold, n_rows, random_state)
    batches, _ = share_calls(records.rows(drawn.tolist()), ROWS_PER_CALL)
    llm, questions = write_questions(llm, task, described.sorted_descriptions, batches)
    return estimate_questions(llm, questions, ROWS_PER_CALL * _TOKENS_PER_LABEL)


def estimate_fit(annotator: Any, X: Any, y: Any) -> "CostEstimate":
    """Tell what the fit of an annotator would ask for and cost; nothing is sent.

    Parameters
    ----------
    annotator : DistilledAnnotator
        Not fitted; it is looked at like one that is going to be.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        The training records.

    y : array-like of shape (n_samples,) or None
        Labels.

    Returns
    -------
    estimate : CostEstimate
        That of the labeler, and that of the labels.
    """
    from ..synthesis import CostEstimate

    annotator._validate_params()
    records = check_records(annotator, X, reset=True, allow_nan=annotator._allows_nan())
    labeler, learns = annotator.labeler, annotator.learn_from_labels
    labelled = find_labelled(labeler, y, records.n_rows, learn=learns)
    voter = last_step(labeler)
    estimate = CostEstimate()
    if hasattr(voter, "estimate_cost"):
        estimate = voter.estimate_cost(X, y)
    if not annotator.n_llm_labels:
        return estimate
    model_of(labeler)
    names = known_classes(listed_classes(labeler), y)
    if names is None:
        raise ValueError(
            "the classes are not known before programs vote: give them to the labeler, "
            "or pass y."
        )
    gold = np.full(records.n_rows, UNLABELED)
    if labelled.any():
        gold = Classes.of_names(names).encode(y, n_samples=len(gold))
    return estimate + estimate_sample(
        labeler, records, gold, annotator.n_llm_labels, names, annotator.random_state
    )


def _draw(gold: np.ndarray, n_rows: int, random_state: Any) -> np.ndarray:
    """Draw records without labels; None always draws the same ones."""
    rng = check_random_state(0 if random_state is None else random_state)
    return rng.permutation(np.flatnonzero(gold == UNLABELED))[:n_rows]
