"""Take programs in the forms in which people give them."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..exceptions import ProgramRejected
from ._answer_kinds import read_answers, take_numbers
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
    if program.class_order is not None or numbers or not class_order:
        return program
    if program.returns == "index":
        return take_numbers(program, class_order)
    found = read_answers(program, class_order)
    if found.has_classes or not (
        found.places or (found.has_bools and found.is_complete)
    ):
        return program
    return take_numbers(program, class_order)


def _refuse_namesakes(programs: Sequence[LabelingProgram]) -> None:
    seen = set()
    for program in programs:
        if program.name in seen:
            raise ValueError(
                f"two programs are called {program.name!r}: rename one, as the columns "
                "of the votes are named after them."
            )
        seen.add(program.name)
