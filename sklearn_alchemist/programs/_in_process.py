"""Run programs in the caller's own process, for those who wrote them themselves."""

import __future__

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..exceptions import ProgramRejected
from ._chunk import ChunkResult, Task
from ._protocol import ABSTAIN, SKIPPED
from ._rows import FILE, describe, run_rows

_HINTS_STAY_TEXT = __future__.annotations.compiler_flag


class InProcessRunner:
    """Execute programs once, then call them for rows: no guard and no limits.

    Parameters
    ----------
    tasks : sequence of Task

    Raises
    ------
    ProgramRejected
        The top level of a program raises.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.functions = [_load(task) for task in tasks]
        self.tasks = tasks

    def run(self, columns: dict[str, Sequence[Any]], n_rows: int) -> list[ChunkResult]:
        """Run all programs over a chunk.

        Parameters
        ----------
        columns : dict of str to sequence
        n_rows : int

        Returns
        -------
        results : list of ChunkResult
        """
        results = []
        for task, label in zip(self.tasks, self.functions, strict=True):
            codes: dict[Any, int] = {None: ABSTAIN, **dict(task.codes)}
            rows = list(zip(*[columns[name] for name in task.columns], strict=True))
            votes = [SKIPPED] * n_rows
            failed, start = None, 0
            began = time.perf_counter()
            while start < n_rows:
                row, _, failure = run_rows(
                    label, codes, rows[start:], start, [0], votes, caught=Exception
                )
                failed, start = failed or failure, row + 1
            seconds = time.perf_counter() - began
            results.append(ChunkResult(np.array(votes, np.int32), failed, seconds))
        return results


def _load(task: Task) -> Callable[..., Any]:
    program = task.program
    if (function := getattr(program, "function", None)) is not None:
        return function
    namespace: dict[str, Any] = {"__name__": "program"}
    try:
        # Hints are never evaluated, as elsewhere; what they name may not be there.
        code = compile(program.source, FILE, "exec", _HINTS_STAY_TEXT, True)
        exec(code, namespace)
    except Exception as error:
        reason = f"program {program.name!r} cannot be loaded: {describe(error)}"
        raise ProgramRejected(reason) from error
    label = namespace[program.entry_point or "label"]
    return lambda *values: _plain(label(*values))


def _plain(answer: Any) -> Any:
    """Take Python's own scalar for NumPy's."""
    return answer.item() if isinstance(answer, np.generic) else answer
