"""Ask about records, each different one once, and read the answers."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from ..exceptions import BudgetError, LLMError, OfflineError, StoreError
from ..llm import LLM, Completion, Question, Usage, ask
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
    completions, usage = _ask(llm, task, classes, batches, structured)
    names = list(classes)
    codes: list[int] = []
    answers: list[str] = []
    for batch, completion in zip(batches, completions, strict=True):
        text = "" if completion is None else completion.text
        codes += read_labels(text, names, len(batch))
        answers += [text] * len(batch)
    order = np.array(which, dtype=np.intp)
    return Reading(np.array(codes)[order], np.array(answers, object)[order], usage)


def _ask(
    llm: LLM,
    task: str,
    classes: Mapping[Any, str | None],
    batches: list[list[Any]],
    structured: bool,
) -> tuple[list[Completion | None], Usage]:
    """Ask about each batch; what a server takes no schema for is asked without."""
    questions = [Question(write_messages(task, classes, batch)) for batch in batches]
    params = {"temperature": 0, **(llm.params or {})}
    plain = replace(llm, params=params)
    if not structured or "response_format" in params:
        return _ask_despite_refusals(plain, questions)
    completions: list[Completion | None] = []
    usage = Usage()
    # The last batch may be one record, which is answered in a form of its own.
    for n_records, group in groupby(batches, key=lambda batch: min(len(batch), 2)):
        schema = answer_schema(list(classes), n_records)
        model = replace(plain, params={**params, "response_format": schema})
        start, n_asked = len(completions), len(list(group))
        found, spent = _ask_despite_refusals(model, questions[start : start + n_asked])
        completions += found
        usage += spent
    return completions, usage


def _ask_despite_refusals(
    llm: LLM, questions: list[Question]
) -> tuple[list[Completion | None], Usage]:
    """Ask questions; None for what the provider refuses by itself."""
    try:
        answers = ask(llm, questions)
    except (BudgetError, OfflineError, StoreError):
        raise
    except LLMError as error:
        if not _REFUSES_RECORD.search(str(error)):
            raise
        capped = llm.max_calls is not None or llm.max_cost is not None
        if capped or llm.store is False:
            # To search for the record would ask again what was answered.
            raise LLMError(
                f"{error} The provider refuses one of the records. Leave it out, or "
                "ask with a store and without a cap: it then has no class, and all "
                "others are answered."
            ) from None
        if len(questions) == 1:
            return [None], Usage()
        half = len(questions) // 2
        first, spent = _ask_despite_refusals(llm, questions[:half])
        second, more = _ask_despite_refusals(llm, questions[half:])
        return first + second, spent + more
    return list(answers.completions), answers.usage
