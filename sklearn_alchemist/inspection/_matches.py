"""See, for many records at once, what programs match in them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import programs as _programs
from ..data import check_records
from ..exceptions import ProgramRejected
from ..programs import LabelingProgram
from ..votes import ABSTAIN
from ._find_programs import FoundPrograms, find_programs


@dataclass(frozen=True, eq=False, slots=True)
class Matches:
    """What each program does on each record, as seen while it runs.

    Parameters
    ----------
    programs : tuple of str
        Names, in the order of the votes.
    columns : dict of str to list
        The records as programs get them.
    votes : ndarray of shape (n_samples, n_programs)
        Indices of classes, -1 where a program abstains.
    traces : list of list of Trace
        ``traces[row][program]``; its ``spans`` are the parts of the record that the
        program matched. Empty for programs that cannot be watched.
    is_watched : ndarray of shape (n_programs,) of bool
        False for functions that run in this process, which nobody watches.
    """

    programs: tuple[str, ...]
    columns: dict[str, list[Any]]
    votes: np.ndarray
    traces: list[list["_programs.Trace"]]
    is_watched: np.ndarray

    def spans(self, row: int, program: int) -> list[tuple[str, int, int]]:
        """Parts of a record that a program matched, each once and in their order.

        Parameters
        ----------
        row, program : int
            Their positions.

        Returns
        -------
        spans : list of (column, start, stop)
            ``str(value)[start:stop]`` is what was matched, and never empty.
        """
        spans = self.traces[row][program].spans
        order = {name: place for place, name in enumerate(self.columns)}
        return sorted(
            {(span.column, span.start, span.stop) for span in spans},
            key=lambda span: (order[span[0]], *span[1:]),
        )


def find_matches(estimator: Any, X: Any, *, lines: bool = False) -> Matches:
    """Run programs on records and see what they match there.

    Parameters
    ----------
    estimator : ProgramSynthesisLabeler, Pipeline that has one, or DistilledAnnotator
        Fitted.
    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Records as `estimator` takes them.
    lines : bool, default=False
        Whether to see which lines run, too; takes up to six times as long.

    Returns
    -------
    matches : Matches
        Votes and what was matched.
    """
    found = find_programs(estimator)
    return watch(found, found.before_programs(X), lines=lines)


def watch(found: FoundPrograms, X: Any, *, lines: bool) -> Matches:
    """Watch programs on what they get, which steps before them have made of records."""
    labeler = found.labeler
    programs: list[LabelingProgram] = labeler.programs_
    records = check_records(labeler, X, reset=False)
    read = {name for program in programs for name in program.parameters}
    columns = {
        name: list(column)
        for name, column in records.columns.items()
        if name in records.kinds or name in read
    }
    is_watched = np.array(
        [labeler.sandbox is not None or may_be_watched(p) for p in programs], bool
    )
    traces = iter(
        _programs.trace_programs(
            [programs[j] for j in np.flatnonzero(is_watched)],
            columns,
            labeler.classes_.tolist(),
            lines=lines,
            timeout=labeler.timeout,
            n_jobs=labeler.n_jobs,
            sandbox=labeler.sandbox,
        )
    )
    nothing = [_programs.Trace()] * records.n_rows
    by_program = [next(traces) if may else nothing for may in is_watched]
    votes = np.full((records.n_rows, len(programs)), ABSTAIN)
    for j, column in enumerate(by_program):
        votes[:, j] = [trace.vote for trace in column]
    if not is_watched.all():
        votes[:, ~is_watched] = labeler.run(X).votes[:, ~is_watched]
    by_row = [list(row) for row in zip(*by_program, strict=True)]
    names = tuple(program.name for program in programs)
    return Matches(names, columns, votes, by_row, is_watched)


def may_be_watched(program: LabelingProgram) -> bool:
    """Whether a program that runs in this process could run in a worker, too."""
    if hasattr(program, "function"):
        return False
    try:
        _programs.check_program(program)
    except ProgramRejected:
        return False
    return True
