"""Have a language model label some records of a fit."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from ._annotator_parts import described_classes, last_step
from ._briefing import as_authors, check_question
from .data import UNLABELED, Classes, Records
from .llm import LLM, Usage

ROWS_PER_CALL = 20


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
    from .zero_shot import ask_for_labels

    llm, task, classes = model_of(labeler)
    described = described_classes(classes, names)
    assert described is not None
    open_rows = np.flatnonzero(gold == UNLABELED)
    rng = check_random_state(0 if random_state is None else random_state)
    drawn = rng.permutation(open_rows)[:n_rows]
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
    return codes, float(reading.reached.sum() / len(open_rows)), reading.usage
