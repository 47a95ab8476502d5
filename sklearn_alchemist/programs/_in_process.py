"""Run programs in the caller's own process, for those who wrote them themselves."""

import ast
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..exceptions import ProgramRejected
from ._protocol import ABSTAIN, SCORED, SKIPPED
from ._run_chunk import ChunkResult, Task
from ._run_rows import FILE, ScoreSheet, describe, run_rows


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
        """Run all programs over a chunk."""
        results = []
        for task, label in zip(self.tasks, self.functions, strict=True):
            codes: dict[Any, int] = {None: ABSTAIN, **dict(task.codes)}
            rows = list(zip(*[columns[name] for name in task.columns], strict=True))
            votes = [SKIPPED] * n_rows
            scores = np.full(n_rows * task.n_codes, np.nan, np.float32)
            sheet = ScoreSheet(codes, task.n_codes, memoryview(scores.data))
            failed, start = None, 0
            began = time.perf_counter()
            while start < n_rows:
                row, _, failure = run_rows(
                    *(label, codes, rows[start:], start, [0], votes, sheet),
                    caught=Exception,
                )
                failed, start = failed or failure, row + 1
            seconds = time.perf_counter() - began
            result = ChunkResult(np.array(votes, np.int32), failed, seconds)
            if SCORED in votes:
                result.scores = scores.reshape(n_rows, -1)
            results.append(result)
        return results


def _load(task: Task) -> Callable[..., Any]:
    program = task.program
    if (function := getattr(program, "function", None)) is not None:
        return lambda row: _plain(function(*row))
    namespace: dict[str, Any] = {"__name__": "program"}
    try:
        tree = _without_hints(ast.parse(program.source))
        exec(compile(tree, FILE, "exec", dont_inherit=True), namespace)
    except Exception as error:
        reason = f"program {program.name!r} cannot be loaded: {describe(error)}"
        raise ProgramRejected(reason) from error
    label = namespace[program.entry_point or "label"]
    return lambda row: _plain(label(*row))


def _without_hints(tree: ast.Module) -> ast.Module:
    """Drop hints, which are never evaluated: what they name may not be there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):  # declares a field of a class
            node.annotation = ast.copy_location(ast.Constant(None), node.annotation)
    return tree


def _plain(answer: Any) -> Any:
    """Take Python's own scalars for NumPy's."""
    if isinstance(answer, dict):
        return {_plain(label): _plain(score) for label, score in answer.items()}
    return answer.item() if isinstance(answer, np.generic) else answer
