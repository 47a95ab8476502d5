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


def _fails_everywhere(result: RunResult) -> str | None:
    """Say why a program is useless if it fails on every record."""
    n_records = len(result.votes)
    if n_records == 0 or sum(result.failures[0].values()) < n_records:
        return None
    return f"it fails on every one of {n_records} records: {result.first_errors[0]}"
