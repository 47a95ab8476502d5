"""Run one program over a chunk of rows, and carry on where its worker is lost."""

import threading
from dataclasses import dataclass, field

import numpy as np

from ..exceptions import ProgramRejected
from ._pool import Borrowed
from ._program import LabelingProgram, Scalar
from ._protocol import (
    ABSTAIN,
    BUDGET,
    CRASH,
    DONE,
    MEMORY,
    NO_ROW,
    REFUSED,
    SCORED,
    SKIPPED,
    TIMEOUT,
    Reply,
)
from ._worker_handle import WorkerLost

MAX_LOST_ROWS = 3
LOAD_SECONDS = 2.0
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
    n_codes : int
        Number of different votes that may be.
    """

    key: int
    program: LabelingProgram
    columns: tuple[str, ...]
    codes: tuple[tuple[Scalar, int], ...]
    n_codes: int


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
    scores : ndarray of shape (n_rows, n_codes), float32, or None
        What it gave to classes where the vote is `SCORED`; None where it nowhere is.
    """

    votes: np.ndarray
    failed: tuple[int, str] | None = None
    seconds: float = 0.0
    scores: np.ndarray | None = None


def find_lost(votes: np.ndarray) -> np.ndarray:
    """Find the rows that count towards switching a program off."""
    if votes.min(initial=ABSTAIN) > MEMORY:
        return _NONE
    return np.flatnonzero((votes <= MEMORY) & (votes >= CRASH))


_NONE = np.arange(0)


class ProgramRunner:
    """A program and the worker on loan that runs it.

    Parameters
    ----------
    loan : Borrowed
        The worker, which may be replaced.
    session : Session
        The run that this is part of.
    task : Task
        The program.
    """

    def __init__(self, loan: Borrowed, session: Session, task: Task) -> None:
        self.loan = loan
        self.session = session
        self.task = task

    def load(self) -> None:
        """Load the program into the worker, unless it is there."""
        for attempt in range(2):
            try:
                return self._load()
            except WorkerLost:
                self._replace_worker()
                if attempt:
                    reason = "its top level ends the worker process"
                    raise _rejected(self.task.program, reason) from None
        return None

    def _load(self) -> None:
        worker, program = self.loan.worker, self.task.program
        worker.cancelled = self.session.cancelled
        if worker.key is not None:
            return
        try:
            reply = worker.ask(
                ("load", program.source, program.entry_point),
                limit=max(LOAD_SECONDS, self.session.timeout),
            )
        except WorkerLost as lost:
            if lost.cause == "row":
                raise _rejected(program, "its top level takes too long") from None
            raise
        if reply.status != DONE:
            raise _rejected(program, reply.text)
        worker.key, worker.session = key_of(program), self.session

    def run(
        self, columns: bytes, n_rows: int, budget: float | None = None
    ) -> ChunkResult:
        """Run the program over the rows of a chunk.

        A row on which the worker ends or runs out of memory is tried once more in a
        new worker before it counts as lost; `MAX_LOST_ROWS` lost rows end the program,
        and so does a budget that is used up.
        """
        result = ChunkResult(np.full(n_rows, SKIPPED, dtype=np.int32))
        start = n_lost_rows = n_lost_workers = 0
        retried: int | None = None
        while start < n_rows:
            left = None if budget is None else budget - result.seconds
            if left is not None and left <= 0:
                result.votes[start:] = BUDGET
                result.failed = result.failed or (start, _REASONS[BUDGET])
                break
            try:
                reply = self._ask_to_run(columns, start, left)
                row, kind = reply.row, None if reply.status == DONE else MEMORY
                result.seconds += self.loan.worker.spent
                if reply.failed != NO_ROW and result.failed is None:
                    result.failed = reply.failed, reply.text
            except WorkerLost as lost:
                row, kind = lost.row, _KINDS[lost.cause]
                result.seconds += lost.seconds
            if not start <= row < n_rows:
                row = NO_ROW
            done = n_rows if kind is None else max(row, start)
            result.votes[start:done] = self.loan.worker.votes(start, done)
            if (result.votes[start:done] == SCORED).any():
                self._take_scores(result, start, done)
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

    def _take_scores(self, result: ChunkResult, start: int, stop: int) -> None:
        """Copy what a worker says are scores."""
        width = self.task.n_codes
        if result.scores is None:
            shape = len(result.votes), width
            result.scores = np.full(shape, np.nan, dtype=np.float32)
        result.scores[start:stop] = self.loan.worker.scores(start, stop, width)

    def _ask_to_run(self, columns: bytes, start: int, budget: float | None) -> Reply:
        self._load()
        worker = self.loan.worker
        # What the program left behind in another run is not for this one.
        anew = worker.session is not self.session
        # Nor need it be told again how to read its answers.
        codes = None if worker.codes == self.task.codes else self.task.codes
        reply = worker.ask(
            ("run", anew, codes, self.task.n_codes, start),
            columns,
            limit=self.session.timeout,
            total=budget,
            before=LOAD_SECONDS,
        )
        if reply.status == REFUSED:
            raise _rejected(self.task.program, reply.text)
        worker.session, worker.codes = self.session, self.task.codes
        return reply

    def _replace_worker(self) -> None:
        if self.session.cancelled.is_set():
            raise RuntimeError("the run was given up")
        self.loan.replace()


def key_of(program: LabelingProgram) -> tuple[str, str | None]:
    """Say which worker a program may have: one that has run it before."""
    return program.source, program.entry_point


_REASONS = {
    TIMEOUT: "took too long",
    MEMORY: "ran out of memory",
    CRASH: "ended the worker process",
    BUDGET: "used up its time budget",
}
_KINDS = {"itself": CRASH, "row": TIMEOUT, "request": BUDGET}


def _rejected(program: LabelingProgram, reason: str) -> ProgramRejected:
    return ProgramRejected(f"program {program.name!r} cannot be loaded: {reason}")
