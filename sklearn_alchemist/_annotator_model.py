"""Have a language model label some records of a fit."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import cohen_kappa_score
from sklearn.utils import check_random_state

from ._briefing import as_llm, check_question
from .data import UNLABELED, Classes, Records
from .llm import LLM, Usage

ROWS_PER_CALL = 20
# Cohen's kappa below which a model and the votes speak of different things, and neither
# can be told to be right. A judgement: 0 at random.
_LEAST_KAPPA = 0.3


def model_of(labeler: BaseEstimator) -> tuple[LLM, str, Any]:
    """Find the model, the task and the classes that records are shown with.

    Parameters
    ----------
    labeler : transformer
        What writes the programs, or a pipeline that ends with it.

    Returns
    -------
    llm : LLM
        The model.

    task : str
        What is to be decided.

    classes : list, dict or None
        The classes as the user wrote them.

    Raises
    ------
    ValueError
        If there is no model or no task.
    """
    inner: Any = labeler
    while hasattr(inner, "steps"):
        inner = inner.steps[-1][1]
    llm = as_llm(getattr(inner, "llm", None))
    if llm is None:
        raise ValueError(
            "n_llm_labels shows records to the labeler's model, and the labeler has "
            "none: give it an llm, or set n_llm_labels=0."
        )
    classes = getattr(inner, "classes", None)
    described = ["", ""] if classes is None else [*Classes.listed(classes).described]
    return llm, check_question(getattr(inner, "task", None), described), classes


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
    described = Classes.of_names(names).sorted_descriptions
    if classes is not None:
        listed = Classes.listed(classes)
        if listed.names.tolist() == names.tolist():
            described = listed.sorted_descriptions
    open_rows = np.flatnonzero(gold == UNLABELED)
    rng = check_random_state(0 if random_state is None else random_state)
    drawn = rng.permutation(open_rows)[:n_rows]
    codes = np.full(len(gold), UNLABELED)
    if not len(drawn):
        return codes, 1.0, Usage()
    reading = ask_for_labels(
        _with_what_is_left(llm, labeler),
        task,
        described,
        _rows(records, drawn),
        rows_per_call=ROWS_PER_CALL,
        partial=True,
    )
    if reading.shortfall is not None and not reading.reached.any():
        raise reading.shortfall
    codes[drawn] = reading.codes
    return codes, float(reading.reached.sum() / len(open_rows)), reading.usage


def agrees_with_votes(proba: np.ndarray, codes: np.ndarray) -> bool:
    """Tell whether a model and the votes say the same more than by chance.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        What votes say.

    codes : ndarray of int of shape (n_samples,)
        What the model says, -1 where it says nothing.

    Returns
    -------
    agrees : bool
        Whether its labels are learned from.
    """
    asked = codes != UNLABELED
    if not asked.any():
        return False
    labels = np.arange(proba.shape[1])
    kappa = cohen_kappa_score(
        proba[asked].argmax(axis=1), codes[asked], labels=labels, replace_undefined_by=0
    )
    return bool(kappa >= _LEAST_KAPPA)


def _with_what_is_left(llm: LLM, labeler: BaseEstimator) -> LLM:
    """Lower the caps by what the programs of this fit have cost."""
    while hasattr(labeler, "steps"):
        labeler = labeler.steps[-1][1]
    usage = getattr(labeler, "usage_", None)
    if usage is None:
        return llm
    changes: dict[str, Any] = {}
    if llm.max_cost is not None:
        changes["max_cost"] = max(llm.max_cost - (usage.dollars or 0.0), 0.0)
    if llm.max_calls is not None:
        spent = usage.paid.calls + usage.unanswered.calls
        changes["max_calls"] = max(llm.max_calls - spent, 0)
    return llm.having(**changes) if changes else llm


def _rows(records: Records, rows: np.ndarray) -> list[Any]:
    """Write some records as they are shown to the model."""
    columns = records.take(rows.tolist())
    if records.is_text:
        (texts,) = columns.values()
        return list(texts)
    values = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]
