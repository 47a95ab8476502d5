"""Settle who the second reader of a cascade is, and read what people answer."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data import Classes, check_question
from ..distillation._annotator_checks import (
    described_classes,
    last_step,
    listed_classes,
)
from ..llm import LLM, as_llm
from ..zero_shot import ZeroShotAnnotator
from ._duplicates import spread_answers
from ._llm_reader import LLMReader
from ._reader_accuracy import NO_ANSWER
from ._records_to_ask import Limits


def resolve_reader(
    reader: ZeroShotAnnotator | LLM | str | None,
    annotator: Any,
    names: np.ndarray | None,
    max_cost: float | None,
) -> LLMReader | None:
    """Settle whom to ask for what.

    Parameters
    ----------
    reader : ZeroShotAnnotator, LLM, str or None
        The second reader.

    annotator : classifier
        Fitted or not; its labeler has the task and the classes of a bare model.

    names : ndarray of shape (n_classes,) or None
        The classes, None before they are known.

    max_cost : float or None
        Most dollars; the model's own cap counts, too.

    Returns
    -------
    model : LLMReader or None
        None where people are asked.
    """
    if reader is None:
        return None
    labeler: Any = getattr(annotator, "labeler_", getattr(annotator, "labeler", None))
    labeler = last_step(labeler)
    task, structured, llm = getattr(labeler, "task", None), True, reader
    listed = getattr(labeler, "classes", None)
    if isinstance(reader, ZeroShotAnnotator):
        task, structured, llm = reader.task, reader.structured, reader.llm
        listed = listed if reader.classes is None else reader.classes
    classes = described_classes(listed, names)
    model = as_llm(llm)
    assert isinstance(model, LLM)
    caps = [c for c in (max_cost, model.max_cost) if c is not None]
    return LLMReader(
        model.having(max_cost=min(caps, default=None)),
        task or "",
        {} if classes is None else classes.sorted_descriptions,
        structured,
    )


def check_reader(
    reader: ZeroShotAnnotator | LLM | str | None,
    annotator: Any,
    model: LLMReader | None,
    limits: Limits,
    y: Any,
) -> None:
    """Raise what can be seen to fail before programs are paid and fitted.

    Parameters
    ----------
    reader : ZeroShotAnnotator, LLM, str or None
        The second reader.

    annotator : classifier
        Not fitted.

    model : LLMReader or None
        What `resolve_reader` made of both.

    limits : Limits
        What one call may ask for.

    y : array-like of shape (n_samples,) or None
        Labels, which name the classes where nobody else does.

    Raises
    ------
    ValueError
        If the classes are not the same, there is no task, or nothing limits what the
        model may be asked.

    BudgetError
        If a limit in dollars has no price, or does not pay for a single call.
    """
    if model is None:
        return
    listed = listed_classes(getattr(annotator, "labeler", annotator))
    own = reader.classes if isinstance(reader, ZeroShotAnnotator) else None
    if own is not None and listed is not None:
        ours, theirs = Classes.listed(listed), Classes.listed(own)
        if ours.names.tolist() != theirs.names.tolist():
            raise ValueError(
                f"llm_annotator has the classes {theirs.names.tolist()}, and the "
                f"annotator {ours.names.tolist()}: give both the same."
            )
    known = listed if listed is not None else own
    named = None if known is None else Classes.listed(known)
    if named is None and y is not None:
        named = Classes.named_by(y)
    if not model.task.strip() and not isinstance(reader, ZeroShotAnnotator):
        raise ValueError(
            "the annotator has no labeler with a task that the model could be "
            "asked: give llm_annotator=ZeroShotAnnotator(llm, task=..., "
            "classes=...)."
        )
    check_question(model.task, ["", ""] if named is None else [*named.described])
    if model.is_closed:
        return
    if limits == (None, None):
        raise ValueError(
            "nothing limits what the model may be asked: set max_rows, or max_cost "
            "in dollars, which hold for each call of fit and annotate."
        )
    from ..llm import check_affordable

    check_affordable(model.llm)


def read_people(answers: Any, keys: Sequence[str], classes: np.ndarray) -> np.ndarray:
    """Read what people said; equal records share an answer.

    Parameters
    ----------
    answers : dict, Corrections, str, path-like or None
        A dict of position to class, corrections, or a file of them.

    keys : sequence of str
        What tells the records apart.

    classes : ndarray of shape (n_classes,)
        The classes.

    Returns
    -------
    codes : ndarray of int of shape (n_records,)
        Class indices, -1 where there is no answer.

    Raises
    ------
    ValueError, TypeError
        If the answers are of other records, or name what is no position or no class.
    """
    if answers is None:
        return np.full(len(keys), NO_ANSWER)
    from ..inspection import Corrections, read_corrections

    if isinstance(answers, str | os.PathLike):
        answers = read_corrections(answers)
    if isinstance(answers, Corrections):
        if len(answers.y) != len(keys):
            raise ValueError(
                f"the corrections are of {len(answers.y)} records, and X has "
                f"{len(keys)}: pass the records of the report."
            )
        answers = {int(i): answers.y[i] for i in answers.positions}
    if not isinstance(answers, Mapping):
        raise TypeError(
            "answers must be a dict of position to class, or a file of "
            f"corrections; got {type(answers).__name__}."
        )
    return spread_answers(answers, keys, classes)
