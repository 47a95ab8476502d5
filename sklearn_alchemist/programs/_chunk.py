"""Run all programs over one chunk of rows, and carry on where a worker is lost."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..exceptions import ProgramRejected
from ._host import WorkerLost
from ._pool import Borrowed
from ._program import LabelingProgram, Scalar
from ._protocol import BUDGET, CRASH, MEMORY, NO_ROW, SKIPPED, TIMEOUT

MAX_LOST_ROWS = 3
_LOAD_SECONDS = 2.0
_COLUMNS_SECONDS = 60.0
_MAX_LOST_WORKERS = 5


@dataclass(frozen=True, slots=True)
class Task:
    """A program, the columns that it reads and what its answers stand for.

    Parameters
    ----------
    key : int
        Place of the program in its run.
    program : LabelingProgram
    columns : tuple of str
        Names of columns, in the order of the parameters.
    codes : tuple of (scalar, int)
        Answers and the votes that they are.
    """

    key: int
    program: LabelingProgram
    columns: tuple[str, ...]
    codes: tuple[tuple[Scalar, int], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Session:
    """What one run of programs tells every worker that takes part.

    Parameters
    ----------
    timeout : float
        Seconds for one row.
    budget : float, optional
        Seconds for all rows of one program.
    cancelled : threading.Event
        Set when the run is given up.
    """

    timeout: float
    budget: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class ChunkResult:
    """Votes of one program on one chunk.

    Parameters
    ----------
    votes : ndarray of shape (n_rows,), int32
        Class indices and the negative codes of the protocol.
    failed : tuple of (int, str) or None
        First row that failed, and how.
    seconds : float
        Time that the program took.
    """

    votes: np.ndarray
    failed: tuple[int, str] | None = None
    seconds: float = 0.0


class ChunkRunner:
    """One worker on loan and the columns of one chunk.

    Parameters
    ----------
    loan : Borrowed
        The worker, which may be replaced.
    session : Session
        The run that the chunk belongs to.
    columns : mapping of str to sequence
        Columns of the chunk.
    """

    def __init__(
        self,
        loan: Borrowed,
        session: Session,
        columns: Mapping[str, Sequence[Scalar | None]],
    ) -> None:
        self.loan = loan
        self.session = session
        self.columns = columns
        self.n_rows = len(next(iter(columns.values()), ()))
        self.sent_to: object = None

    def load(self, task: Task) -> None:
        """Load a program into the worker, unless it is there.

        Parameters
        ----------
        task : Task

        Raises
        ------
        ProgramRejected
            The guard refuses it, or its top level raises or takes too long.
        WorkerLost
            The worker ended for another reason.
        """
        worker = self.loan.worker
        if worker.session is not self.session:
            worker.cancelled = self.session.cancelled
            worker.ask("begin", limit=_COLUMNS_SECONDS)
            worker.session, worker.loaded = self.session, set()
        if task.key in worker.loaded:
            return
        program = task.program
        try:
            reply = worker.ask(
                "load",
                limit=max(_LOAD_SECONDS, self.session.timeout),
                key=task.key,
                source=program.source,
                entry_point=program.entry_point,
                codes=task.codes,
            )
        except WorkerLost as lost:
            if lost.cause == "row":
                raise _rejected(program, "its top level takes too long") from None
            raise
        if not reply["ok"]:
            raise _rejected(program, reply["reason"])
        worker.loaded.add(task.key)

    def load_all(self, tasks: Sequence[Task]) -> None:
        """Load programs before any of them runs.

        Parameters
        ----------
        tasks : sequence of Task

        Raises
        ------
        ProgramRejected
            A program cannot be loaded.
        """
        for task in tasks:
            for attempt in range(2):
                try:
                    self.load(task)
                    break
                except WorkerLost:
                    self._replace_worker()
                    if attempt:
                        reason = "its top level ends the worker process"
                        raise _rejected(task.program, reason) from None

    def run(self, task: Task, budget: float | None = None) -> ChunkResult:
        """Run a program over the rows of the chunk.

        A row on which the worker ends or runs out of memory is tried once more in a
        new worker before it counts as lost; `MAX_LOST_ROWS` lost rows end the program,
        and so does a budget that is used up.

        Parameters
        ----------
        task : Task
        budget : float, optional
            Seconds that are left for the program.

        Returns
        -------
        result : ChunkResult

        Raises
        ------
        RuntimeError
            Workers end again and again before they reach a row.
        """
        result = ChunkResult(np.full(self.n_rows, SKIPPED, dtype=np.int32))
        start = n_lost_rows = n_lost_workers = 0
        retried: int | None = None
        while start < self.n_rows:
            left = None if budget is None else budget - result.seconds
            if left is not None and left <= 0:
                result.votes[start:] = BUDGET
                result.failed = result.failed or (start, _REASONS[BUDGET])
                break
            began = time.perf_counter()
            try:
                reply = self._ask_to_run(task, start, left)
                row, kind = reply["row"], None if reply["ok"] else MEMORY
                result.seconds += reply["seconds"]
                if reply["failed"] and result.failed is None:
                    result.failed = (int(reply["failed"][0]), str(reply["failed"][1]))
            except WorkerLost as lost:
                row, kind = lost.row, _KINDS[lost.cause]
                result.seconds += time.perf_counter() - began
            if not start <= row < self.n_rows:
                row = NO_ROW
            done = self.n_rows if kind is None else max(row, start)
            result.votes[start:done] = self.loan.worker.votes(start, done)
            start = done
            if kind is None:
                break
            self._replace_worker()
            if kind == BUDGET:
                budget = 0.0
            elif row == NO_ROW:
                n_lost_workers += 1
                if n_lost_workers == _MAX_LOST_WORKERS:
                    raise RuntimeError("worker processes end before they do any work")
            elif kind != TIMEOUT and row != retried:
                retried = row
            else:
                result.votes[row] = kind
                if result.failed is None:
                    result.failed = row, _REASONS[kind]
                start = row + 1
                n_lost_rows += 1
                if n_lost_rows == MAX_LOST_ROWS:
                    break
        return result

    def _ask_to_run(
        self, task: Task, start: int, budget: float | None
    ) -> dict[str, Any]:
        self.load(task)
        worker = self.loan.worker
        if self.sent_to is not worker:
            worker.ask("columns", limit=_COLUMNS_SECONDS, columns=self.columns)
            self.sent_to = worker
        return worker.ask(
            "run",
            limit=self.session.timeout,
            total=budget,
            key=task.key,
            names=task.columns,
            start=start,
            stop=self.n_rows,
        )

    def _replace_worker(self) -> None:
        if self.session.cancelled.is_set():
            raise RuntimeError("the run was given up")
        self.loan.replace()


_REASONS = {
    TIMEOUT: "took too long",
    MEMORY: "ran out of memory",
    CRASH: "ended the worker process",
    BUDGET: "used up its time budget",
}
_KINDS = {"itself": CRASH, "row": TIMEOUT, "request": BUDGET}


def _rejected(program: LabelingProgram, reason: str) -> ProgramRejected:
    return ProgramRejected(f"program {program.name!r} cannot be loaded: {reason}")
