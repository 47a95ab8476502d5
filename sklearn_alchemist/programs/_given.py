"""Take programs in the forms in which people give them."""

import ast
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..exceptions import ProgramRejected
from ._folder import read_programs
from ._functions import make_program
from ._program import LabelingProgram, Scalar, check_program


def load_programs(
    programs: "str | os.PathLike[str] | Sequence[LabelingProgram | Callable[..., Any]] "
    "| None",
    class_order: Sequence[Scalar],
    *,
    columns: Mapping[str, str] | None = None,
    sandbox: str | None = "auto",
) -> list[LabelingProgram]:
    """Read programs from a folder, or make them of functions.

    Parameters
    ----------
    programs : str, path, sequence of LabelingProgram or callable, or None
        A folder that `read_programs` reads, programs, or Python functions.
    class_order : sequence of scalars
        What integers mean to programs that return indices and do not say so.
    columns : mapping of str to str, optional
        Name of each parameter that there can be -> name of its column.
    sandbox : {"auto", "strict"} or None, default="auto"
        With None, functions that cannot be written as source that stands alone are
        called as they are.

    Returns
    -------
    loaded : list of LabelingProgram
        In the order given; empty for None. Functions of one name are numbered. Programs
        that only return integers where no class is one return indices.

    Raises
    ------
    ValueError
        Two programs have the same name.
    ProgramRejected
        A function has no source that stands alone, or returns integers that can be no
        places of classes, or that it calls by the names of other classes.
    FileNotFoundError
        There is no such folder.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram, load_programs
    >>> program = LabelingProgram("any", "def f(x): return 0", returns="index")
    >>> load_programs([program], ["ham", "spam"])[0].class_order
    ('ham', 'spam')
    """
    if programs is None:
        return []
    if isinstance(programs, str | os.PathLike):
        programs = read_programs(programs)
    loaded: list[LabelingProgram] = []
    for program in programs:
        if not isinstance(program, LabelingProgram):
            program = _from_function(program, columns, sandbox)
            program = _number(program, {other.name for other in loaded})
        loaded.append(_settle_returns(program, class_order))
    _refuse_namesakes(loaded)
    return [
        replace(program, class_order=tuple(class_order))
        if program.returns == "index" and program.class_order is None
        else program
        for program in loaded
    ]


def _from_function(
    function: Any, columns: Mapping[str, str] | None, sandbox: str | None
) -> LabelingProgram:
    program = make_program(function, columns=columns, in_process=sandbox is None)
    if sandbox is None or hasattr(program, "function"):
        return program
    try:
        check_program(program)
    except ProgramRejected as error:
        raise ProgramRejected(
            f"{error}. A function is run with all that it refers to in a process of "
            "its own; sandbox=None runs it as it is, in this one."
        ) from None
    return program


def _number(program: LabelingProgram, taken: set[str]) -> LabelingProgram:
    """Tell functions of one name apart, such as those that another function makes."""
    name, number = program.name, 1
    while name in taken:
        number += 1
        name = f"{program.name}_{number}"
    return program if number == 1 else replace(program, name=name)


def _settle_returns(
    program: LabelingProgram, class_order: Sequence[Scalar]
) -> LabelingProgram:
    """Find out that a program returns places of classes, from what it returns."""
    numbers = [label for label in class_order if not isinstance(label, str)]
    if program.returns == "index" or numbers or not class_order:
        return program
    tree = ast.parse(program.source)
    constants = _constants(tree)
    answers = _answers(tree, constants, program.entry_point)
    places = {a for a in answers if type(a) is int and a != -1}
    if not places or answers & set(class_order):
        return program
    wrong = sorted(place for place in places if not 0 <= place < len(class_order))
    if wrong:
        raise ProgramRejected(
            f"program {program.name!r} returns {wrong[0]}, which is neither a class "
            f"nor the place of one; classes are {', '.join(map(repr, class_order))}"
        )
    known = {_spelled(str(label)): place for place, label in enumerate(class_order)}
    for name, value in constants.items():
        place = known.get(_spelled(name))
        if place is not None and type(value) is int and value != place:
            raise ProgramRejected(
                f"in program {program.name!r}, {name} is {value}, and classes[{value}] "
                "is another: list the classes in the order of the numbers, or make a "
                "LabelingProgram with returns='index' and class_order=[...]"
            )
    return replace(program, returns="index")


def hides_its_answers(program: LabelingProgram, classes: Sequence[Scalar]) -> bool:
    """Whether only running a program tells if it returns classes or their places.

    Parameters
    ----------
    program : LabelingProgram
        What is read.
    classes : sequence of scalars
        The classes.

    Returns
    -------
    hidden : bool
        That classes are strings, and its source returns none of them as it is.
    """
    if program.returns == "index" or not all(isinstance(c, str) for c in classes):
        return False
    tree = ast.parse(program.source)
    answers = _answers(tree, _constants(tree), program.entry_point)
    return not answers & set(classes)


def _spelled(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _constants(tree: ast.Module) -> dict[str, Any]:
    """Names that are bound to one constant each."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            try:
                value = ast.literal_eval(node.value)
            except (ValueError, TypeError, SyntaxError, RecursionError):
                continue
            if isinstance(value, str | int | float | None):
                found |= {t.id: value for t in node.targets if isinstance(t, ast.Name)}
    return found


def _answers(
    tree: ast.Module, constants: Mapping[str, Any], entry_point: str | None
) -> set[Any]:
    """Constants that the entry point returns, as far as they are seen.

    What its helpers return is no answer: many count, and return 0 for an empty text.
    """
    found: set[Any] = set()
    pending = [
        node.value
        for function in tree.body
        if isinstance(function, ast.FunctionDef) and function.name == entry_point
        for node in ast.walk(function)
        if isinstance(node, ast.Return)
    ]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.IfExp):
            pending += [node.body, node.orelse]
        elif isinstance(node, ast.BoolOp):
            pending += node.values
        elif isinstance(node, ast.Attribute):  # a member of an enumeration
            if node.attr in constants:
                found.add(constants[node.attr])
        elif isinstance(node, ast.Name):
            if node.id in constants:
                found.add(constants[node.id])
        elif node is not None:
            try:
                value = ast.literal_eval(node)
            except (ValueError, TypeError, SyntaxError, RecursionError):
                continue
            if isinstance(value, str | int | float | None):
                found.add(value)
    return found


def _refuse_namesakes(programs: Sequence[LabelingProgram]) -> None:
    seen = set()
    for program in programs:
        if program.name in seen:
            raise ValueError(
                f"two programs are called {program.name!r}: rename one, as the columns "
                "of the votes are named after them."
            )
        seen.add(program.name)
