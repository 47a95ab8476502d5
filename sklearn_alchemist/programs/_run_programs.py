"""Run labeling programs over columns and collect their votes."""

import math
import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import Any

import numpy as np

from ..exceptions import (
    AlchemistWarning,
    SandboxError,
    SandboxWarning,
)
from ._answer_codes import AnswerCodes
from ._entry_point import no_column, optional_parameters
from ._equal_rows import Distinct, find_distinct
from ._in_process import InProcessRunner
from ._pool import MAX_IDLE, POOL, borrowed
from ._program import LabelingProgram, Scalar
from ._protocol import (
    ABSTAIN,
    CRASH,
    FAILURES,
    MAX_ROWS,
    MAX_SCORES,
    SKIPPED,
    encode_columns,
)
from ._run_chunk import (
    MAX_LOST_ROWS,
    ChunkResult,
    ProgramRunner,
    Session,
    Task,
    find_lost,
    key_of,
)
from ._score_votes import collect_scores, scores_to_votes
from ._worker_handle import Worker

# What all programs do with these rows fits into a cache of the processor.
MAX_CHARACTERS = 1 << 18

# Programs of one chunk follow each other, on as many processors as there are.
_MAX_ENCODED = 2 * (os.cpu_count() or 1) + 2

Columns = Mapping[str, Sequence[Scalar | None]]


@dataclass(frozen=True, eq=False, slots=True)
class RunResult:
    """Votes of programs and what went wrong.

    Parameters
    ----------
    votes : ndarray of shape (n_rows, n_programs)
        Class indices, -1 for abstain, in the smallest signed integer type that holds
        the classes.
    failures : tuple of dict
        For each program, number of rows by kind: "error" (it raised), "invalid" (it
        returned no class), "timeout", "memory", "crash" (it ended its worker process),
        "budget" (not run, or not to the end, as its time was used up) and "skipped"
        (not run, after 3 rows lost to timeout, memory or crash). Kinds that did not
        happen are left out. All such rows abstain.
    first_errors : tuple of (str or None)
        For each program, how it failed first: type and line of an exception, or the
        answer that is no class.
    seconds : ndarray of shape (n_programs,)
        Time that each program took, in seconds.
    failed_rows : tuple of dict
        For each program, an ndarray of the rows that failed, by kind.
    scores : ndarray of shape (n_rows, n_programs, n_classes), float32, or None
        What programs gave to classes, NaN where they gave nothing; None where it was
        not asked for.
    """

    votes: np.ndarray
    failures: tuple[dict[str, int], ...]
    first_errors: tuple[str | None, ...]
    seconds: np.ndarray
    failed_rows: tuple[dict[str, np.ndarray], ...] = ()
    scores: np.ndarray | None = None


def run_programs(
    programs: Sequence[LabelingProgram],
    columns: Columns,
    classes: Sequence[Scalar],
    *,
    timeout: float = 1.0,
    budget: float | None = None,
    n_jobs: int | None = None,
    on_rows: Callable[[int], object] | None = None,
    sandbox: str | None = "auto",
    keep_scores: bool = False,
) -> RunResult:
    """Run programs over columns, each program in worker processes of ours.

    A program that fails on a row abstains there. Rows that are equal in all columns
    that any program reads are run once. The votes are the same for any `n_jobs`, as
    long as programs carry nothing over from one row to the next.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        Each reads the columns that its parameters name; over a single column, a
        program with a single parameter reads that.
    columns : mapping of str to sequence
        Columns of equal length: str, int, float, bool or None.
    classes : sequence of scalars
        Classes in the order of vote indices.
    timeout : float, default=1.0
        Seconds that a program may take for one row.
    budget : float, optional
        Seconds that a program may take for all rows together; the rows that are left
        then are not run. None means no limit. Which rows that are depends on the speed
        of the machine, and with several workers each may have begun on some more.
    n_jobs : int, optional
        Number of worker processes at a time. None means 1 unless in a
        `joblib.parallel_config` context; -1 means all processors.
    on_rows : callable, optional
        Called in this thread with the number of rows, whenever some are done.
    sandbox : {"auto", "strict"} or None, default="auto"
        With "auto" programs run in worker processes that are locked down as far as the
        system allows; a warning tells, once, where it cannot refuse system calls.
        "strict" raises there instead. None executes programs in this process, unchecked
        and without limits: only for programs that one wrote oneself. It warns, once.
    keep_scores : bool, default=False
        Whether the result holds the scores that programs gave to classes, besides the
        votes that these were turned into.

    Returns
    -------
    result : RunResult
        Votes, failures and times.

    Raises
    ------
    ProgramRejected
        A program reads an unknown column, is refused by the guard, fails when it is
        loaded, or its `class_order` or `class_mapping` names an unknown class.
    ValueError
        Columns differ in length, `timeout` or `budget` is not positive, or `sandbox`
        is unknown.
    SandboxError
        With ``sandbox="strict"``, the system cannot refuse system calls.

    Warns
    -----
    SandboxWarning
        Programs run with less protection than there could be.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram, run_programs
    >>> program = LabelingProgram("prize", '''
    ... def label(text):
    ...     return "spam" if "prize" in text else None
    ... ''')
    >>> texts = ["you won a prize", "see you at noon"]
    >>> run_programs([program], {"text": texts}, ["ham", "spam"]).votes
    array([[ 1],
           [-1]], dtype=int8)
    """
    if not timeout > 0:
        raise ValueError(f"timeout must be positive, got {timeout}")
    if budget is not None and not budget > 0:
        raise ValueError(f"budget must be positive or None, got {budget}")
    if sandbox not in (None, "auto", "strict"):
        raise ValueError(f"sandbox must be 'auto', 'strict' or None, got {sandbox!r}")
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns differ in length: {lengths}")
    labels = [
        value.item() if isinstance(value, np.generic) else value for value in classes
    ]
    answer_codes = AnswerCodes.of(programs, labels)
    tasks = [
        Task(
            key,
            program,
            columns_of(program, list(columns)),
            answer_codes.codes[key],
            answer_codes.n_codes,
        )
        for key, program in enumerate(programs)
    ]
    n_rows = next(iter(lengths.values()), 0)
    # A column may be converted only now that it is known to be read.
    needed = {name: columns[name][:] for task in tasks for name in task.columns}
    distinct = find_distinct(list(needed.values())) if tasks and n_rows else None
    outcomes: list[list[ChunkResult]] = []
    if distinct is not None:
        session = Session(float(timeout), budget)
        needed = {name: distinct.take(values) for name, values in needed.items()}
        most = max(1, min(MAX_ROWS, MAX_SCORES // max(1, answer_codes.n_codes)))
        chunks = list(_chunks(needed, len(distinct.first), most))
        finished = distinct.count_finished([stop for _, stop in chunks])
        # Closed at once when `on_rows` raises, so that no worker goes on.
        if sandbox is None:
            warn_once(_UNPROTECTED)
            runs = _run_here(tasks, needed, chunks, keep_scores)
        else:
            strict = sandbox == "strict"
            runs = _run_chunks(
                session, tasks, needed, chunks, n_jobs, strict, keep_scores
            )
        with closing(runs) as results:
            for done, n_finished in zip(results, finished, strict=True):
                outcomes.append(done)
                if on_rows is not None:
                    on_rows(n_finished)
    result = _collect((n_rows, len(tasks)), outcomes, distinct, answer_codes.n_codes)
    votes = answer_codes.settle(result.votes).astype(_dtype(len(labels)), copy=False)
    scores = None
    if keep_scores:
        scores = collect_scores(outcomes, distinct, (*votes.shape, len(labels)))
        for place, by_kind in enumerate(result.failed_rows):
            for rows in by_kind.values() if scores.flags.writeable else ():
                scores[rows, place] = np.nan
    return replace(result, votes=votes, scores=scores)


def prove_sandbox(sandbox: str | None) -> None:
    """Find out, before anything is paid or run, whether the asked sandbox can be had.

    Parameters
    ----------
    sandbox : {"auto", "strict"} or None
        As in `run_programs`. Only "strict" asks for more than every system has.

    Raises
    ------
    SandboxError
        With ``sandbox="strict"``, the system cannot refuse system calls.

    Examples
    --------
    >>> from sklearn_alchemist.programs import prove_sandbox
    >>> prove_sandbox("auto")
    """
    if sandbox == "strict":
        with borrowed(None) as loan:
            require_walls(loan.worker, strict=True)


def columns_of(program: LabelingProgram, known: list[str]) -> tuple[str, ...]:
    """Columns that a program reads, by name, or the only one."""
    if len(program.parameters) == len(known) == 1:
        return tuple(known)
    for parameter in program.parameters:
        if parameter not in known:
            raise no_column(program.name, parameter, [*map(str, known)])
    optional = optional_parameters(program.source, program.entry_point)
    # Values are told by their place, so that those behind a missing one stay out.
    return program.parameters + tuple(takewhile(known.__contains__, optional))


def _chunks(columns: Columns, n_rows: int, most: int) -> Iterator[tuple[int, int]]:
    """Bounds of chunks that hold few rows and few characters."""
    sizes = np.zeros(n_rows, dtype=np.int64)
    for values in columns.values():
        sizes += [len(value) if isinstance(value, str) else 8 for value in values]
    ends = sizes.cumsum()
    start = 0
    while start < n_rows:
        before = ends[start - 1] if start else 0
        fitting = int(np.searchsorted(ends, before + MAX_CHARACTERS, side="right"))
        stop = min(max(fitting, start + 1), start + most, n_rows)
        yield start, stop
        start = stop


def _run_chunks(
    session: Session,
    tasks: Sequence[Task],
    columns: Columns,
    chunks: Sequence[tuple[int, int]],
    n_jobs: int | None,
    strict: bool,
    keep_scores: bool,
) -> Generator[list[ChunkResult], None, None]:
    """Run each program on each chunk, in threads that wait for one worker each."""
    losses = np.zeros((len(chunks), len(tasks)), dtype=np.int64)
    seconds = np.zeros((len(chunks), len(tasks)))

    def load(task: Task) -> None:
        with borrowed(key_of(task.program)) as loan:
            require_walls(loan.worker, strict)
            ProgramRunner(loan, session, task).load()

    @lru_cache(maxsize=_MAX_ENCODED)
    def encoded(number: int, names: tuple[str, ...]) -> bytes:
        start, stop = chunks[number]
        return encode_columns([list(columns[name][start:stop]) for name in names])

    def run(unit: tuple[int, Task]) -> ChunkResult:
        number, task = unit
        start, stop = chunks[number]
        # What earlier chunks have lost by now already switches it off here.
        if number and losses[:number, task.key].sum() >= MAX_LOST_ROWS:
            return ChunkResult(np.full(stop - start, SKIPPED, dtype=np.int32))
        left = session.budget
        if left is not None:
            left -= float(seconds[:, task.key].sum())
        with borrowed(key_of(task.program)) as loan:
            require_walls(loan.worker, strict)
            runner = ProgramRunner(loan, session, task)
            result = runner.run(encoded(number, task.columns), stop - start, left)
        scores_to_votes(result, task, keep_scores)
        losses[number, task.key] = len(find_lost(result.votes))
        seconds[number, task.key] = result.seconds
        return result

    for task in tasks:
        if not POOL.holds(key_of(task.program)):
            load(task)
    # More programs than workers may wait would start one for each chunk.
    blocks = [tasks[k : k + MAX_IDLE] for k in range(0, len(tasks), MAX_IDLE)]
    units = [
        (number, task)
        for block in blocks
        for number in range(len(chunks))
        for task in block
    ]
    n_threads = min(count_jobs(n_jobs, len(units)), len(units))
    gathered: dict[int, list[ChunkResult]] = {}
    with closing(_in_threads(run, units, n_threads, session)) as found:
        for (number, _), result in zip(units, found, strict=True):
            results = gathered.setdefault(number, [])
            results.append(result)
            if len(results) == len(tasks):
                yield gathered.pop(number)


def _in_threads(
    run: Callable[[tuple[int, Task]], ChunkResult],
    units: Sequence[tuple[int, Task]],
    n_threads: int,
    session: Session,
) -> Generator[ChunkResult, None, None]:
    """Run units in order; give up all that is under way when the caller does."""
    if n_threads == 1:
        yield from map(run, units)
        return
    with ThreadPoolExecutor(n_threads, "labeling") as executor:
        try:
            yield from executor.map(run, units)
        except BaseException:
            session.cancelled.set()
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def require_walls(worker: Worker, strict: bool) -> None:
    """Raise or warn where the kernel refuses a worker nothing."""
    if not worker.restricted:
        if strict:
            raise SandboxError(_UNRESTRICTED)
        warn_once(_UNRESTRICTED)


def _run_here(
    tasks: Sequence[Task],
    columns: Columns,
    chunks: Sequence[tuple[int, int]],
    keep_scores: bool,
) -> Generator[list[ChunkResult], None, None]:
    """Run chunks in this process."""
    runner = InProcessRunner(tasks)
    for start, stop in chunks:
        part = {name: values[start:stop] for name, values in columns.items()}
        results = runner.run(part, stop - start)
        for result, task in zip(results, tasks, strict=True):
            scores_to_votes(result, task, keep_scores)
        yield results


def warn_once(message: str, category: type[Warning] = SandboxWarning) -> None:
    """Issue a warning unless this process has issued it."""
    if message not in _WARNED:
        _WARNED.add(message)
        warnings.warn(message, category, stacklevel=3)


_WARNED: set[str] = set()
_ELSEWHERE = (
    "joblib's {} does not run programs: they run on this machine, in at most as many "
    "processes as it has processors. Pass Dask collections to label on a cluster."
)
_UNPROTECTED = (
    "sandbox=None executes programs in this process, with all rights of yours and "
    "without limits of time and memory: keep to programs that you wrote yourself."
)
_UNRESTRICTED = (
    "this system cannot refuse system calls to worker processes (Linux on x86_64 or "
    "aarch64 can): programs are held by checks of their source and limits of resources "
    "only, and a fault in the checks would give one the rights of your account. Run "
    "untrusted programs in a container."
)


def count_jobs(n_jobs: int | None, n_units: int) -> int:
    """Count the threads that joblib's conventions ask for."""
    if n_units == 1 or n_jobs == 1:
        return 1
    import joblib

    n_asked = int(joblib.effective_n_jobs(n_jobs))
    backend = type(joblib.parallel.get_active_backend()[0])
    if backend.__module__ == "joblib._parallel_backends":  # those of this machine
        return n_asked
    warn_once(_ELSEWHERE.format(backend.__name__), AlchemistWarning)
    return min(n_asked, int(joblib.cpu_count()))


def _collect(
    shape: tuple[int, int],
    outcomes: Sequence[Sequence[ChunkResult]],
    distinct: Distinct | None,
    n_classes: int,
) -> RunResult:
    """Put chunks together as if rows had run one after the other."""
    votes = np.full(shape, ABSTAIN, dtype=_dtype(n_classes))
    failed_rows: list[dict[str, np.ndarray]] = [{} for _ in range(shape[1])]
    first_errors: list[str | None] = [None] * shape[1]
    seconds = np.zeros(shape[1])
    if distinct is not None:
        for place in range(shape[1]):
            results = [outcome[place] for outcome in outcomes]
            column = np.concatenate([result.votes for result in results])
            seconds[place] = math.fsum(result.seconds for result in results)
            # Most columns are whole: looked at once, they are done.
            if column.min() < ABSTAIN or column.max() >= n_classes:
                end = _switch_off(column)
                column[end:] = SKIPPED
                column[(column >= n_classes) | (column < SKIPPED)] = CRASH
                first_errors[place] = _first_error(results, end)
                failed_rows[place] = _take_failed(column, distinct)
            votes[:, place] = distinct.spread(column)
    failures = tuple(
        {kind: len(rows) for kind, rows in by_kind.items()} for by_kind in failed_rows
    )
    return RunResult(votes, failures, tuple(first_errors), seconds, tuple(failed_rows))


def _take_failed(column: np.ndarray, distinct: Distinct) -> dict[str, np.ndarray]:
    """Find the rows that failed in each way, and let them abstain."""
    spread = distinct.spread(column)
    rows = {kind: np.flatnonzero(spread == code) for kind, code in FAILURES.items()}
    column[column < ABSTAIN] = ABSTAIN
    return {kind: found for kind, found in rows.items() if len(found)}


_DTYPES: tuple[Any, ...] = (np.int8, np.int16, np.int32)


def _dtype(n_classes: int) -> Any:
    return next(t for t in _DTYPES if n_classes - 1 <= np.iinfo(t).max)


def _switch_off(votes: np.ndarray) -> int:
    """First row after the lost ones that a program may have."""
    lost = find_lost(votes)
    return (
        int(lost[MAX_LOST_ROWS - 1]) + 1 if len(lost) >= MAX_LOST_ROWS else len(votes)
    )


def _first_error(results: Iterable[ChunkResult], end: int) -> str | None:
    """How a program failed first, before it was switched off."""
    start = 0
    for result in results:
        if result.failed is not None:
            row, text = result.failed
            return text[:200] if start + row < end else None
        start += len(result.votes)
    return None
