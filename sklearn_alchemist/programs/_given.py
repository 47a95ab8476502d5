"""Take programs in the forms in which people give them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ._folder import read_programs
from ._program import LabelingProgram, Scalar


def load_programs(
    programs: "str | os.PathLike[str] | Sequence[LabelingProgram | Callable[..., Any]] "
    "| None",
    class_order: Sequence[Scalar],
) -> list[LabelingProgram]:
    """Read programs from a folder, or make them of functions.

    Parameters
    ----------
    programs : str, path, sequence of LabelingProgram or callable, or None
        A folder that `read_programs` reads, programs, or Python functions.
    class_order : sequence of scalars
        What integers mean to programs that return indices and do not say so.

    Returns
    -------
    loaded : list of LabelingProgram
        In the order given; empty for None.

    Raises
    ------
    ValueError
        Two programs have the same name.
    ProgramRejected
        A function has no source that stands alone.
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
    loaded = [
        program
        if isinstance(program, LabelingProgram)
        else LabelingProgram.from_function(program)
        for program in programs
    ]
    _refuse_namesakes(loaded)
    return [
        replace(program, class_order=tuple(class_order))
        if program.returns == "index" and program.class_order is None
        else program
        for program in loaded
    ]


def _refuse_namesakes(programs: Sequence[LabelingProgram]) -> None:
    seen = set()
    for program in programs:
        if program.name in seen:
            raise ValueError(
                f"two programs are called {program.name!r}: rename one, as the columns "
                "of the votes are named after them."
            )
        seen.add(program.name)
