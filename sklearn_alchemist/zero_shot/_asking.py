"""Ask about records, each different one once, and read the answers."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import BudgetError, LLMError, OfflineError, StoreError
from ..llm import LLM, Completion, Question, Usage
from ._answers import read_labels
from ._prompts import answer_schema, write_messages

# What a provider says of a record that it does not take, rather than of the account.
_REFUSES_RECORD = re.compile(r"ContextWindowExceeded|ContentPolicyViolation", re.I)


@dataclass(frozen=True)
class Reading:
    """What a language model says of records.

    Parameters
    ----------
    codes : ndarray of shape (n_records,)
        Position of the class of each record, -1 where the answer holds none.

    answers : ndarray of shape (n_records,) of str
        The answers that the codes were read from; of records that were asked about
        together, the same one. Empty where the provider refused the record.

    usage : Usage
        What the answers cost.

    reached : ndarray of bool of shape (n_records,)
        Whether a record was asked about; not where the budget ended before.

    shortfall : BudgetError or None, default=None
        Why records were not reached.
    """

    codes: np.ndarray
    answers: np.ndarray
    usage: Usage
    reached: np.ndarray
    shortfall: BudgetError | None = None


def ask_for_labels(
    llm: LLM,
    task: str,
    classes: Mapping[Any, str | None],
    records: Sequence[Any],
    *,
    rows_per_call: int = 1,
    structured: bool = True,
    partial: bool = False,
) -> Reading:
    """Ask for the class of each record.

    Records that are equal are asked about once. A record that the provider refuses,
    for its length or what it says, has no class; other failures are raised.

    Parameters
    ----------
    llm : LLM
        The model.

    task : str
        What is to be decided.

    classes : dict
        Class -> description, None where there is none.

    records : sequence
        Texts, or dicts of column to value.

    rows_per_call : int, default=1
        Number of records that one call asks about.

    structured : bool, default=True
        Whether to ask for JSON by a schema. A server that refuses schemas is asked
        without.

    partial : bool, default=False
        Whether to return what the budget allowed, where it ends before the last record,
        instead of raising.

    Returns
    -------
    reading : Reading
        Classes, answers and cost.

    Raises
    ------
    LLMError
        If the model cannot be asked, or not within its budget. Answers received so
        far stay in its store.
    """
    from ..llm import ask  # who asks nothing need not load what asks

    batches, which = share_calls(records, rows_per_call)
    llm, questions = write_questions(llm, task, classes, batches, structured=structured)
    answered = ask(llm, questions, excused=_refuses_record, partial=partial)
    names = list(classes)
    codes: list[int] = []
    answers: list[str] = []
    reached: list[bool] = []
    for i, (batch, completion) in enumerate(
        zip(batches, answered.completions, strict=True)
    ):
        codes += _read(completion, names, len(batch))
        answers += ["" if completion is None else completion.text] * len(batch)
        reached += [completion is not None or i in answered.excused] * len(batch)
    return Reading(
        np.array(codes, dtype=int)[which],
        np.array(answers, object)[which],
        answered.usage,
        np.array(reached, dtype=bool)[which],
        answered.shortfall,
    )


def share_calls(
    records: Sequence[Any], rows_per_call: int
) -> tuple[list[Sequence[Any]], np.ndarray]:
    """Deal records to calls, those that are equal once.

    Parameters
    ----------
    records : sequence
        Texts, or dicts of column to value.

    rows_per_call : int
        Number of records that one call asks about.

    Returns
    -------
    batches : list of sequences of records
        One a call.

    which : ndarray of int of shape (n_records,)
        Position of each record among those of all calls.
    """
    distinct, which = _distinct(records)
    starts = range(0, len(distinct), rows_per_call)
    return [distinct[i : i + rows_per_call] for i in starts], which


def write_questions(
    llm: LLM,
    task: str,
    classes: Mapping[Any, str | None],
    batches: Sequence[Sequence[Any]],
    *,
    structured: bool = True,
) -> tuple[LLM, list[Question]]:
    """Write what is asked of records, one question a batch.

    Parameters
    ----------
    llm : LLM
        The model.

    task : str
        What is to be decided.

    classes : dict
        Class -> description, None where there is none.

    batches : sequence of sequence of records
        Records that share a call.

    structured : bool, default=True
        Whether to ask for JSON by a schema.

    Returns
    -------
    llm : LLM
        The model with the parameters that it is asked with.

    questions : list of Question
        What to ask it.
    """
    params = {"temperature": 0, **(llm.params or {})}
    structured = structured and "response_format" not in params
    llm = llm.having(params=params)  # as old as the model: one refresh for all calls
    return llm, [
        Question(
            write_messages(task, classes, batch),
            # The last batch may be one record, which is answered in a form of its own.
            params=(
                {"response_format": answer_schema(list(classes), len(batch))}
                if structured
                else None
            ),
        )
        for batch in batches
    ]


def find_labels(
    llm: LLM,
    task: str,
    classes: Mapping[Any, str | None],
    records: Sequence[Any],
    *,
    structured: bool = True,
) -> Reading:
    """Read the classes that were answered before, one call a record; ask nothing.

    Parameters
    ----------
    llm : LLM
        The model.

    task : str
        What is to be decided.

    classes : dict
        Class -> description, None where there is none.

    records : sequence
        Texts, or dicts of column to value.

    structured : bool, default=True
        Whether it was asked for JSON by a schema.

    Returns
    -------
    reading : Reading
        Classes and answers; ``reached`` where there is an answer in the store.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    from ..llm import find_stored

    distinct, which = _distinct(records)
    llm, questions = write_questions(
        llm, task, classes, [[record] for record in distinct], structured=structured
    )
    found = find_stored(llm, questions)
    names = list(classes)
    codes = [_read(completion, names, 1)[0] for completion in found]
    texts = ["" if completion is None else completion.text for completion in found]
    return Reading(
        np.array(codes, dtype=int)[which],
        np.array(texts, object)[which],
        Usage(),
        np.array([completion is not None for completion in found], dtype=bool)[which],
    )


def _distinct(records: Sequence[Any]) -> tuple[list[Any], np.ndarray]:
    """Find the different records, and which of them each record is."""
    places: dict[str, int] = {}
    which = [
        places.setdefault(json.dumps(record, sort_keys=True), len(places))
        for record in records
    ]
    return [json.loads(written) for written in places], np.array(which, dtype=np.intp)


def _read(completion: Completion | None, names: list[Any], n_records: int) -> list[int]:
    if completion is None:
        return [-1] * n_records
    cut_off = completion.finish_reason == "length"
    return read_labels(completion.text, names, n_records, cut_off=cut_off)


def _refuses_record(error: LLMError) -> bool:
    """Tell whether the provider refuses one record, rather than to be asked."""
    if isinstance(error, BudgetError | OfflineError | StoreError):
        return False
    return _REFUSES_RECORD.search(str(error)) is not None
