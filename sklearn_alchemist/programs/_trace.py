"""Ask workers what programs do on single rows: lines that run, words that they match.

Rows run once more, in workers of their own kind, with nothing left out. What a worker
says of a row is numbers, and is only believed where they are places in that row.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from ..exceptions import ProgramRejected
from ._answer_codes import AnswerCodes
from ._pool import borrowed
from ._program import LabelingProgram, Scalar
from ._protocol import (
    ABSTAIN,
    CRASH,
    DONE,
    FAILURES,
    MAX_ROWS,
    SCORED,
    TIMEOUT,
    encode_columns,
)
from ._run_chunk import LOAD_SECONDS
from ._run_programs import columns_of, count_jobs, require_walls
from ._score_votes import cut_scores, thresholds_of
from ._worker_handle import Worker, WorkerLost

# Watched rows take longer, which is no fault of the program.
_SLOWER = 20.0
# Rows of one request; they are asked again one by one if one of them ends the worker.
_MAX_BATCH = 64
# Of one batch; a worker that says more says nothing that we asked for.
_MAX_TOLD = 1 << 22
_MAX_MESSAGE = 400

_NAMES = {code: name for name, code in FAILURES.items()}


class Span(NamedTuple):
    """A part of a record that a program matched.

    Parameters
    ----------
    column : str
        Column of the record, as programs call it.
    start, stop : int
        Part of the text, or of ``str(value)`` where the value is no text.
    line : int
        Line of the program at which it was matched.
    """

    column: str
    start: int
    stop: int
    line: int


@dataclass(frozen=True, slots=True)
class Trace:
    """What one program did on one row.

    Parameters
    ----------
    vote : int
        Index of the class, -1 where it abstains or fails.
    failure : str or None
        How it failed, by the names in `RunResult`; None where it did not.
    message : str
        Type, line and message of an exception, or the answer that is no class; cut,
        and free of control characters.
    lines : tuple of int
        Lines that ran.
    spans : tuple of Span
        What it matched, in the order of its steps.
    """

    vote: int = ABSTAIN
    failure: str | None = None
    message: str = ""
    lines: tuple[int, ...] = ()
    spans: tuple[Span, ...] = ()


def trace_programs(
    programs: Sequence[LabelingProgram],
    columns: Mapping[str, Sequence[Scalar | None]],
    classes: Sequence[Scalar],
    *,
    lines: bool = True,
    timeout: float = 1.0,
    n_jobs: int | None = None,
    sandbox: str | None = "auto",
) -> list[list[Trace]]:
    """Run programs over rows and see what they do there.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        As for `run_programs`, like all that is not described here.
    columns : mapping of str to sequence
        Columns of equal length.
    classes : sequence of scalars
        Classes in the order of vote indices.
    lines : bool, default=True
        Whether to see which lines run, which takes twice the time.
    timeout : float, default=1.0
        Seconds that a program may take for one row when nobody watches.
    n_jobs : int, optional
        Number of worker processes at a time.
    sandbox : {"auto", "strict"} or None, default="auto"
        None is "auto", as only workers watch.

    Returns
    -------
    traces : list of list of Trace
        For each program, one a row.

    Raises
    ------
    ProgramRejected
        A program cannot be loaded.
    """
    labels = [c.item() if isinstance(c, np.generic) else c for c in classes]
    n_rows = len(next(iter(columns.values()), ()))
    limit = _SLOWER * timeout

    answer_codes = AnswerCodes.of(programs, labels)

    def trace(place: int) -> list[Trace]:
        program = programs[place]
        names = columns_of(program, list(columns))
        codes = answer_codes.codes[place]
        task = _Task(program, names, codes, answer_codes.n_codes, lines, limit)
        values = [list(columns[name]) for name in names]
        traces: list[Trace] = []
        for start in range(0, n_rows, _MAX_BATCH):
            batch = [part[start : start + _MAX_BATCH] for part in values]
            traces += task.run(batch, sandbox == "strict")
        return traces

    n_threads = min(count_jobs(n_jobs, len(programs)), len(programs))
    places = range(len(programs))
    if n_threads <= 1:
        return _settle([trace(place) for place in places], answer_codes)
    with ThreadPoolExecutor(n_threads, "tracing") as executor:
        return _settle(list(executor.map(trace, places)), answer_codes)


def _settle(traces: list[list[Trace]], answer_codes: AnswerCodes) -> list[list[Trace]]:
    """Say votes for the classes of now, which programs together tell."""
    if all(can is None for can in answer_codes.known) or not traces:
        return traces
    votes = np.array([[trace.vote for trace in column] for column in traces]).T
    settled = answer_codes.settle(votes.reshape(-1, len(traces))).T.tolist()
    return [
        [replace(trace, vote=vote) for trace, vote in zip(column, said, strict=True)]
        for column, said in zip(traces, settled, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Task:
    """A program to be watched."""

    program: LabelingProgram
    names: tuple[str, ...]
    codes: tuple[tuple[Scalar, int], ...]
    n_codes: int
    lines: bool
    limit: float

    def run(self, batch: list[list[Any]], strict: bool) -> list[Trace]:
        """Watch rows together; one by one if one of them ends the worker."""
        n_rows = len(batch[0])
        try:
            return self._ask(batch, strict)
        except WorkerLost as lost:
            if n_rows == 1:
                kind = TIMEOUT if lost.cause == "row" else CRASH
                return [Trace(failure=_NAMES[kind])]
        return [
            trace
            for row in range(n_rows)
            for trace in self.run([[part[row]] for part in batch], strict)
        ]

    def _ask(self, batch: list[list[Any]], strict: bool) -> list[Trace]:
        program = self.program
        key = ("watched", program.source, program.entry_point)
        with borrowed(key) as loan:
            worker = loan.worker
            require_walls(worker, strict)
            worker.cancelled = Event()
            if worker.key is None:
                self._load(worker)
                worker.key = key
            head = ("observe", "watch", self.codes, self.n_codes, self.lines)
            reply = worker.ask(
                head, encode_columns(batch), limit=self.limit, before=LOAD_SECONDS
            )
            told = _Told(_told_by(worker) if reply.status == DONE else [])
            rows = zip(*batch, strict=True)
            return [self._read(told, row) for row in rows]

    def _load(self, worker: Worker) -> None:
        source, entry_point = self.program.source, self.program.entry_point
        try:
            reply = worker.ask(
                ("observe", "load", source, entry_point),
                limit=max(LOAD_SECONDS, self.limit),
            )
        except WorkerLost:
            reason = "its top level ends the worker process, or takes too long"
        else:
            if reply.status == DONE:
                return
            reason = reply.text
        raise ProgramRejected(
            f"program {self.program.name!r} cannot be loaded: {reason}"
        )

    def _read(self, told: "_Told", row: tuple[Any, ...]) -> Trace:
        """Read what was said of a row; nothing that is not about it."""
        code = told.number(SCORED, self.n_codes)
        if code == SCORED:
            code = self._read_scores(told)
        n_lines = self.program.source.count("\n") + 1
        lines = [told.number(0, n_lines + 1) for _ in told.count()]
        spans = [self._read_span(told, row, n_lines) for _ in told.count()]
        said = "".join(chr(told.number(0, 0x110000)) for _ in told.count())
        if told.is_spoilt:
            return Trace(failure=_NAMES[CRASH])
        said = "".join(c if c.isprintable() else "\ufffd" for c in said)
        return Trace(
            max(code, ABSTAIN),
            _NAMES.get(code),
            said[:_MAX_MESSAGE],
            tuple(lines),
            tuple(span for span in spans if span is not None),
        )

    def _read_scores(self, told: "_Told") -> int:
        """Turn what was said to be scores into a vote, as `run_programs` does."""
        bits = [told.number(-(1 << 31), 1 << 31) for _ in range(self.n_codes)]
        scores = np.array([bits], dtype=np.int32).view(np.float32)
        if np.isinf(scores).any():
            return CRASH
        cuts = thresholds_of(self.program, self.codes, self.n_codes)
        return int(cut_scores(scores, cuts)[0])

    def _read_span(
        self, told: "_Told", row: tuple[Any, ...], n_lines: int
    ) -> Span | None:
        line, column = told.number(0, n_lines + 1), told.number(0, len(row))
        value = row[column]
        size = len(value) if isinstance(value, str) else 0
        start, stop = told.number(0, size + 1), told.number(0, size + 1)
        if not isinstance(value, str):
            start, stop = 0, len(str(value))
        if start >= stop:
            return None
        return Span(self.names[column], start, stop, line)


class _Told:
    """Numbers in the order in which they were said; spoilt by the first wrong one."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = iter(numbers)
        self.is_spoilt = False

    def number(self, low: int, high: int) -> int:
        """Read a number below `high`; `low` where that is not what was said."""
        number = low - 1 if self.is_spoilt else next(self._numbers, low - 1)
        if not low <= number < high:
            self.is_spoilt = True
            return low
        return number

    def count(self) -> Iterator[int]:
        """Read how many of something follow; stop where they are not there."""
        for place in range(self.number(0, _MAX_TOLD)):
            if self.is_spoilt:
                return
            yield place


def _told_by(worker: Worker) -> list[int]:
    """Fetch all that a worker has seen, page by page."""
    told: list[int] = []
    total = 1
    while len(told) < total <= _MAX_TOLD:
        worker.ask(("observe", "tell", len(told)), limit=LOAD_SECONDS)
        total, *page = worker.votes(0, MAX_ROWS).tolist()
        told += page[: total - len(told)]
    return told
