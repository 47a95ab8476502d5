"""Read programs from answers, and say where they came from."""

import ast
import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from ..exceptions import ProgramRejected
from ..llm import Completion, Question
from ..programs import (
    LabelingProgram,
    Provenance,
    check_program,
    read_answers,
    run_programs,
    take_numbers,
)
from ..programs._guard import syntax_tree
from ..programs._program import check_length
from ._code_from_answer import extract_source
from ._programs_from_rules import render_rules
from ._trial import Rejection, synthetic_records

if TYPE_CHECKING:
    from ._plan import PlannedProgram
    from ._task_spec import TaskSpec

# Of the cues of a program, those that are tried one by one.
_MAX_CUES = 100
_WORDS = re.compile(r"[^\W_]+")
_ESCAPE = re.compile(r"\\[A-Za-z]")
# Why a model may have stopped -> what a user can do.
_STOPPED = {
    "length": "; the answer was cut off: raise params['max_tokens']",
    "content_filter": "; the provider's filter stopped it: reword the task",
}


def read_program(
    planned: "PlannedProgram",
    question: Question,
    completion: Completion,
    spec: "TaskSpec",
    *,
    style: str = "python",
    n_repairs: int = 0,
    timeout: float = 1.0,
) -> LabelingProgram | Rejection:
    """Read a program from an answer.

    Parameters
    ----------
    planned : PlannedProgram
        What it was planned for.

    question : Question
        What was asked.

    completion : Completion
        What was answered.

    spec : TaskSpec
        What the program is to do.

    style : {"python", "rules"}, default="python"
        Whether the answer is a program or fills in a schema.

    n_repairs : int, default=0
        How often the model was asked to mend it.

    timeout : float, default=1.0
        Seconds that a program may take for one record.

    Returns
    -------
    outcome : LabelingProgram or Rejection
        The program, not yet tried; or why there is none.
    """
    classes = list(spec.classes)
    try:
        if style == "rules":
            source = render_rules(completion.text, planned.target, spec.text_columns)
        else:
            source = extract_source(
                completion.text,
                cut_off=completion.finish_reason == "length",
                earlier=_earlier_program(question),
            )
        program = LabelingProgram(planned.name, source)
        check_length(program)
        spelled = spell_classes(source, classes)
        if spelled != source:
            program = replace(program, source=spelled)
        if answers_with_indices(program, classes, spec.columns, timeout=timeout):
            program = take_numbers(program, classes, in_order=False)
    except (ProgramRejected, ValueError) as error:
        reason = f"{error}{_STOPPED.get(completion.finish_reason or '', '')}"
        return Rejection(planned.name, reason, completion.text)
    return replace(
        program,
        provenance=Provenance(
            model=completion.model,
            slot=planned.name,
            prompt_version=spec.prompts.version,
            prompt_digest=_short_digest(question.prompt),
            completion_digest=_short_digest(completion.text),
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            dollars=completion.dollars,
            repairs=n_repairs,
        ),
    )


def _earlier_program(question: Question) -> str | None:
    """Find the program that a question asks to mend."""
    for message in reversed(question.messages):
        if message["role"] == "assistant":
            with contextlib.suppress(ValueError):
                return extract_source(message["content"])
    return None


def answers_with_indices(
    program: LabelingProgram,
    classes: Sequence[Any],
    columns: Mapping[str, str],
    *,
    timeout: float = 1.0,
) -> bool:
    """Tell whether a program answers with numbers of classes instead of their names.

    It is run, in its sandbox, on records that are made up, those with its own cues
    among them. Only where it answers none of them, or may not be run, does its source
    tell.

    Parameters
    ----------
    program : LabelingProgram
        The program.

    classes : sequence
        The classes, in the order in which they were listed.

    columns : dict of str to str
        Name of each column -> what it is.

    timeout : float, default=1.0
        Seconds that the program may take for one record.

    Returns
    -------
    indices : bool
        Whether the classes are names, and the program answers with integers that are
        numbers of classes.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram
    >>> from sklearn_alchemist.synthesis._program_from_answer import (
    ...     answers_with_indices,
    ... )
    >>> program = LabelingProgram("p", "def label(x): return 1 if 'free' in x else -1")
    >>> answers_with_indices(program, ["ham", "spam"], {"x": "str"})
    True
    """
    if not all(isinstance(name, str) for name in classes):
        return False
    tree = syntax_tree(program.source)
    named, numbered = _count_answers(program, tree, classes, columns, timeout)
    if named or numbered:
        return numbered > named
    found = read_answers(program, classes)
    if found.has_classes:
        return False
    if found.places <= set(range(len(classes))) or found.is_complete:
        return bool(found.places or (found.has_bools and found.is_complete))
    return False


def _count_answers(
    program: LabelingProgram,
    tree: ast.AST,
    classes: Sequence[Any],
    columns: Mapping[str, str],
    timeout: float,
) -> tuple[int, int]:
    """Count the made-up records that a program answers by name, and by number."""
    records = synthetic_records(columns)
    cues = _cues(tree)
    for name, values in records.items():
        fitting = [c for c in cues if isinstance(c, str) == isinstance(values[2], str)]
        n_cues = len(fitting) // 2 if fitting else 0
        records[name] = [*values, *fitting[:_MAX_CUES]]
        if fitting and isinstance(fitting[0], str):
            records[name] += [
                " ".join(map(str, fitting)),
                " ".join(map(str, fitting[:n_cues])),
                " ".join(map(str, fitting[n_cues:])),
            ]
        # Each once: an answer to a record that is there twice would count twice.
        records[name] = list(dict.fromkeys(records[name]))
    n_rows = max(map(len, records.values()))
    table = {name: list(islice(cycle(v), n_rows)) for name, v in records.items()}
    counts = []
    try:
        check_program(program)
        for numbers in (None, tuple(classes)):
            tried = replace(
                program,
                returns="class" if numbers is None else "index",
                class_order=numbers,
            )
            result = run_programs([tried], table, list(classes), timeout=timeout)
            counts.append(int((result.votes >= 0).sum()))
            if numbers is None and "invalid" not in result.failures[0]:
                return counts[0], 0  # all that it answers is spelled like a class
    except ProgramRejected:
        return 0, 0  # said where it is tried
    error = result.first_errors[0] or ""
    if not any(counts) and error.startswith("returned a value of type"):
        raise ProgramRejected(
            f"program {program.name!r} {error}: return one of "
            f"{', '.join(map(repr, classes))}, or None to abstain"
        )
    return counts[0], counts[1]


def _cues(tree: ast.AST) -> list[Any]:
    """Find what a program may look for: its constants, patterns without their signs."""
    cues: dict[Any, None] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str() as text) if 1 < len(text) < 200:
                cues[text] = None
                cues[" ".join(_WORDS.findall(_ESCAPE.sub(" ", text)))] = None
            case ast.Constant(value=int() | float() as number) if abs(number) < 1e12:
                cues.update(dict.fromkeys([number, number - 1, number + 1]))
    return list(cues)[: 10 * _MAX_CUES]


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
    >>> from sklearn_alchemist.synthesis._program_from_answer import spell_classes
    >>> spell_classes("def label(x): return 'SPAM' if x else None", ["ham", "spam"])
    "def label(x): return 'spam' if x else None"
    """
    known = set(classes)
    folded: dict[str, list[Any]] = {}
    for name in classes:
        folded.setdefault(str(name).strip().lower(), []).append(name)
    try:
        tree = syntax_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source  # said where the program is made
    leaves, kept = _answers(tree), _compared(tree)
    spelled: dict[int, list[tuple[int, int, str]]] = {}
    for leaf in sorted(leaves, key=lambda n: (n.lineno, n.col_offset)):
        text = leaf.value
        if not isinstance(text, str) or text in kept or leaf.lineno != leaf.end_lineno:
            continue
        meant = folded.get(text.strip().lower(), [])
        if text not in known and len(meant) == 1:
            place = (leaf.col_offset, leaf.end_col_offset or 0, repr(meant[0]))
            spelled.setdefault(leaf.lineno - 1, []).append(place)
    lines = source.split("\n")
    for number, places in spelled.items():
        line, parts, done = lines[number].encode(), [], 0
        for start, end, text in places:
            parts += [line[done:start], text.encode()]
            done = end
        lines[number] = b"".join([*parts, line[done:]]).decode()
    return "\n".join(lines)


def _answers(tree: ast.AST) -> list[ast.Constant]:
    """Find the constants that functions return, by a name as well."""
    returned = [
        n.value for n in ast.walk(tree) if isinstance(n, ast.Return) and n.value
    ]
    leaves = [leaf for value in returned for leaf in leaves_of(value)]
    names = {leaf.id for leaf in leaves if isinstance(leaf, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and names & {
            target.id for target in node.targets if isinstance(target, ast.Name)
        }:
            leaves += leaves_of(node.value)
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


def leaves_of(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the constants and names that an expression may come to.

    Parameters
    ----------
    node : ast.expr
        Such as what is returned.

    Yields
    ------
    leaf : ast.expr
        A constant, a name, or what has to be worked out.
    """
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
