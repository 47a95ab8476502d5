"""Ask about records, each different one once, and read the answers."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import BudgetError, LLMError, OfflineError, StoreError
from ..llm import LLM, Question, Usage, ask
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
    """

    codes: np.ndarray
    answers: np.ndarray
    usage: Usage


def ask_for_labels(
    llm: LLM,
    task: str,
    classes: Mapping[Any, str | None],
    records: Sequence[Any],
    *,
    rows_per_call: int = 1,
    structured: bool = True,
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
    places: dict[str, int] = {}
    which = [
        places.setdefault(json.dumps(record, sort_keys=True), len(places))
        for record in records
    ]
    distinct = [json.loads(written) for written in places]
    batches = [
        distinct[i : i + rows_per_call] for i in range(0, len(distinct), rows_per_call)
    ]
    params = {"temperature": 0, **(llm.params or {})}
    structured = structured and "response_format" not in params
    llm = llm.having(params=params)  # as old as the model: one refresh for all calls
    questions = [
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
    answered = ask(llm, questions, excused=_refuses_record)
    names = list(classes)
    codes: list[int] = []
    answers: list[str] = []
    for batch, completion in zip(batches, answered.completions, strict=True):
        text = "" if completion is None else completion.text
        cut_off = completion is not None and completion.finish_reason == "length"
        codes += read_labels(text, names, len(batch), cut_off=cut_off)
        answers += [text] * len(batch)
    order = np.array(which, dtype=np.intp)
    return Reading(
        np.array(codes, dtype=int)[order],
        np.array(answers, object)[order],
        answered.usage,
    )


def _refuses_record(error: LLMError) -> bool:
    """Tell whether the provider refuses one record, rather than to be asked."""
    if isinstance(error, BudgetError | OfflineError | StoreError):
        return False
    return _REFUSES_RECORD.search(str(error)) is not None
