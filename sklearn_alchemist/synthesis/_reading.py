"""Read programs from answers, and say where they came from."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
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
            source = spell_classes(extract_source(completion.text), classes)
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
        Whether the classes are names, none of them is returned, and all integers that
        are returned are numbers of classes, or -1.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._reading import answers_with_indices
    >>> answers_with_indices("def label(x): return 1 if x else -1", ["ham", "spam"])
    True
    """
    if not all(isinstance(name, str) for name in classes):
        return False
    answers = [leaf.value for leaf in _answers(ast.parse(source))]
    if set(classes).intersection(answers):
        return False
    # -1 abstains, as in the paper.
    numbers = {value for value in answers if type(value) is int} - {-1}
    return bool(numbers) and numbers <= set(range(len(classes)))


def spell_classes(source: str, classes: Sequence[Any]) -> str:
    """Write the classes that a program answers with as they are spelled.

    Parameters
    ----------
    source : str
        Python source.

    classes : sequence
        The classes.

    Returns
    -------
    source : str
        The same, where a returned text that differs from just one class in capitals
        and spaces around only is replaced by that class, unless the program compares
        something with it.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._reading import spell_classes
    >>> spell_classes("def label(x): return 'SPAM' if x else None", ["ham", "spam"])
    "def label(x): return 'spam' if x else None"
    """
    folded: dict[str, list[Any]] = {}
    for name in classes:
        folded.setdefault(str(name).strip().lower(), []).append(name)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source  # said where the program is made
    leaves, kept = _answers(tree), _compared(tree)
    lines = source.split("\n")
    # From the end, so that the places before stay where they are.
    for leaf in sorted(leaves, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        text = leaf.value
        if not isinstance(text, str) or text in kept or leaf.lineno != leaf.end_lineno:
            continue
        meant = folded.get(text.strip().lower(), [])
        if text not in classes and len(meant) == 1:
            line = lines[leaf.lineno - 1].encode()
            lines[leaf.lineno - 1] = (
                line[: leaf.col_offset]
                + repr(meant[0]).encode()
                + line[leaf.end_col_offset :]
            ).decode()
    return "\n".join(lines)


def _answers(tree: ast.AST) -> list[ast.Constant]:
    """Find the constants that functions return, by a name as well."""
    returned = [
        n.value for n in ast.walk(tree) if isinstance(n, ast.Return) and n.value
    ]
    leaves = [leaf for value in returned for leaf in _leaves(value)]
    names = {leaf.id for leaf in leaves if isinstance(leaf, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and names & {
            target.id for target in node.targets if isinstance(target, ast.Name)
        }:
            leaves += _leaves(node.value)
    found = {id(leaf): leaf for leaf in leaves if isinstance(leaf, ast.Constant)}
    return list(found.values())


def _compared(tree: ast.AST) -> set[Any]:
    """Find the constants that something is tested to be equal to."""
    return {
        part.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        for part in [node.left, *node.comparators]
        if isinstance(part, ast.Constant)
    }


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the constants and names that an expression may come to."""
    left = [node]
    while left:  # no recursion: a chain of conditions may be a thousand long
        match left.pop():
            case ast.IfExp(body=one, orelse=other):
                left += [one, other]
            case ast.Subscript(
                value=(ast.Name() | ast.Dict() | ast.List() | ast.Tuple()) as table
            ):
                left.append(table)
            case (
                ast.BoolOp(values=parts)
                | ast.Dict(values=parts)
                | ast.List(elts=parts)
                | ast.Tuple(elts=parts)
            ):
                left += parts
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *rest]):
                left += [table, *rest]
            case (
                ast.UnaryOp(
                    op=ast.USub(), operand=ast.Constant(value=int() as number)
                ) as minus
            ):
                yield ast.copy_location(ast.Constant(-number), minus)
            case leaf:
                yield leaf


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
