"""Read programs from answers, and say where they came from."""

import ast
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..exceptions import ProgramRejected
from ..llm import Completion, Question
from ..programs import LabelingProgram, Provenance
from ._gate import Rejection
from ._parsing import extract_source
from ._plan import Slot
from ._prompts import Brief
from ._rules import render_rules

# Why a model may have stopped -> what a user can do.
_STOPPED = {
    "length": "; the answer was cut off: raise params['max_tokens']",
    "content_filter": "; the provider's filter stopped it: reword the task",
}


def read_program(
    slot: Slot,
    question: Question,
    completion: Completion,
    brief: Brief,
    *,
    style: str = "python",
    n_repairs: int = 0,
) -> LabelingProgram | Rejection:
    """Read a program from an answer.

    Parameters
    ----------
    slot : Slot
        What it was planned for.

    question : Question
        What was asked.

    completion : Completion
        What was answered.

    brief : Brief
        What the program is to do.

    style : {"python", "rules"}, default="python"
        Whether the answer is a program or fills in a schema.

    n_repairs : int, default=0
        How often the model was asked to mend it.

    Returns
    -------
    outcome : LabelingProgram or Rejection
        The program, not yet tried; or why there is none.
    """
    classes = list(brief.classes)
    try:
        if style == "rules":
            (column,) = brief.columns
            source = render_rules(completion.text, slot.target, column)
        else:
            source = extract_source(completion.text)
        program = LabelingProgram(slot.name, source)
    except (ProgramRejected, ValueError) as error:
        reason = f"{error}{_STOPPED.get(completion.finish_reason or '', '')}"
        return Rejection(slot.name, reason, completion.text)
    if answers_with_indices(source, classes):
        program = replace(program, returns="index", class_order=tuple(classes))
    return replace(
        program,
        provenance=Provenance(
            model=completion.model,
            slot=slot.name,
            prompt_version=brief.prompts.version,
            prompt_digest=_short_digest(question.prompt),
            completion_digest=_short_digest(completion.text),
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            dollars=completion.dollars,
            repairs=n_repairs,
        ),
    )


def answers_with_indices(source: str, classes: Sequence[Any]) -> bool:
    """Tell whether a program answers with numbers of classes instead of their names.

    Parameters
    ----------
    source : str
        Python source.

    classes : sequence
        The classes, in the order in which they were listed.

    Returns
    -------
    indices : bool
        Whether the classes are names, none of them is in the source, and all integers
        that it returns are numbers of classes.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._reading import answers_with_indices
    >>> answers_with_indices("def label(x): return 1 if x else -1", ["ham", "spam"])
    True
    """
    if not all(isinstance(name, str) for name in classes):
        return False
    nodes = list(ast.walk(ast.parse(source)))
    texts = {n.value for n in nodes if isinstance(n, ast.Constant)}
    if texts & set(classes):
        return False
    # Of -1 this finds the 1, which is the number of a class as well.
    returned = {
        constant.value
        for node in nodes
        if isinstance(node, ast.Return) and node.value is not None
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant) and type(constant.value) is int
    }
    return bool(returned) and returned <= set(range(len(classes)))


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
