"""Try programs on a few records before they are kept, locally and for free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..exceptions import ProgramRejected
from ..programs import LabelingProgram, RunResult, check_program, run_programs
from ..votes import ABSTAIN


@dataclass(frozen=True, slots=True)
class Rejection:
    """An answer that gave no usable program.

    Parameters
    ----------
    name : str
        Name that the program would have had.

    reason : str
        Why it cannot be used, in one line.

    answer : str
        What the model answered, or the source of the program.
    """

    name: str
    reason: str
    answer: str


def try_programs(
    programs: Sequence[LabelingProgram],
    columns: Mapping[str, Sequence[Any]],
    classes: Sequence[Any],
    *,
    timeout: float,
    keep_failing: bool = False,
) -> tuple[list[LabelingProgram], list[Rejection], list[str]]:
    """Sort out the programs that cannot be used.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What to try.

    columns : dict of str to sequence
        Some records.

    classes : sequence
        Classes in the order of the votes.

    timeout : float
        Seconds that a program may take for one record.

    keep_failing : bool, default=False
        Keep programs that fail on all of the records, as silent ones.

    Returns
    -------
    usable : list of LabelingProgram
        Programs that pass the guard, load, and fail on some of the records at most.

    rejected : list of Rejection
        The others.

    silent : list of str
        Names of usable programs that vote on none of the records.
    """
    usable, rejected, silent = [], [], []
    for program in programs:
        try:
            check_program(program)
            result = run_programs([program], columns, classes, timeout=timeout)
            reason = None if keep_failing else _fails_everywhere(result)
        except ProgramRejected as error:
            reason = str(error)
        if reason is not None:
            rejected.append(Rejection(program.name, reason, program.source))
            continue
        usable.append(program)
        if (result.votes == ABSTAIN).all():
            silent.append(program.name)
    return usable, rejected, silent


_TEXTS = [
    *("", " ", "a", "1", "No.", "http://example.org/?a=1", "\u00e7a va \U0001f600"),
    *("THE QUICK BROWN FOX", "The quick brown fox jumps over the lazy dog.", "?!" * 50),
    "It was good, but not as good as before; we paid $ 12.50 and left at 10:30.\n" * 40,
    "I love it! Please visit my page, it is free. (See also: the report of 1999.)",
]
_NUMBERS = [0, 1, -1, 2, 5, 10, 50, 100, 1000, -1000, 10**6, None]


def made_up_records(kinds: Mapping[str, str]) -> dict[str, list[Any]]:
    """Make records up, the same for all data with the same columns.

    Parameters
    ----------
    kinds : dict of str to str
        Name of each column -> what it holds.

    Returns
    -------
    columns : dict of str to list
        Records as they may occur at worst.
    """
    columns: dict[str, list[Any]] = {}
    for shift, (name, kind) in enumerate(kinds.items()):
        if kind.startswith("str (ISO"):
            values: list[Any] = ["2024-02-29", "1970-01-01T00:00:00", None] * 4
        elif kind.startswith("bool"):
            values = [True, False, None] * 4
        elif kind.startswith("float"):
            values = [None if n is None else n / 4 for n in _NUMBERS]
        elif kind.startswith("int"):
            values = list(_NUMBERS)
        else:
            values = list(_TEXTS)
        shift %= len(values)
        columns[name] = values[shift:] + values[:shift]
    return columns


def find_problem(
    program: LabelingProgram,
    columns: Mapping[str, Sequence[Any]],
    classes: Sequence[Any],
    *,
    timeout: float,
) -> str | None:
    """Say why a program has to be mended, if it has to be.

    Parameters
    ----------
    program : LabelingProgram
        What to try.

    columns : dict of str to sequence
        Records, made up so that nothing of the data is told.

    classes : sequence
        Classes in the order of the votes.

    timeout : float
        Seconds that a program may take for one record.

    Returns
    -------
    problem : str or None
        Type and line of an exception, or what it returns that is no class; None where
        it fails on less than a quarter of the records.
    """
    try:
        check_program(program)
        result = run_programs([program], columns, classes, timeout=timeout)
    except ProgramRejected as error:
        return str(error)
    n_failed = sum(result.failures[0].values())
    if n_failed * 4 < len(result.votes):
        return None
    return f"it fails on {n_failed} of {len(result.votes)} made-up records: " + (
        result.first_errors[0] or ", ".join(result.failures[0])
    )


def _fails_everywhere(result: RunResult) -> str | None:
    """Say why a program is useless if it fails on every record."""
    n_records = len(result.votes)
    if n_records == 0 or sum(result.failures[0].values()) < n_records:
        return None
    return f"it fails on every one of {n_records} records: {result.first_errors[0]}"
