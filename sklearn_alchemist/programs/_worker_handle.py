"""Ask one worker process one thing at a time, and end it when it stalls."""

import struct
import sys
import threading
import time
from typing import Any

import numpy as np

from ._processes import FORKS, START_SECONDS, Forked, Spawned
from ._protocol import (
    MAX_ROWS,
    MAX_SCORES,
    NO_ROW,
    SCORED,
    SCORES_OFFSET,
    SKIPPED,
    VOTES_OFFSET,
    Reply,
    encode,
)

MEMORY = 1 << 30
_TICK = 0.05
# Where a row uses no processor time at all, it still ends after this many limits.
_WALL_FACTOR = 20.0
_NOT_STARTED = (
    f"{sys.executable or 'Python'} could not be started as a worker process: {{}}"
)


class WorkerLost(Exception):  # noqa: N818 -- reads as what happened
    """The worker process ended, or was ended, before it answered.

    Parameters
    ----------
    row : int
        Row that it was working on, `NO_ROW` for none.
    cause : {"itself", "row", "request"}
        Whether it ended by itself, or was ended because that row or the request as a
        whole took too long.
    seconds : float
        Time that it spent on the request.
    """

    def __init__(self, row: int, cause: str, seconds: float) -> None:
        super().__init__(f"worker process lost at row {row}")
        self.row = row
        self.cause = cause
        self.seconds = seconds


class Worker:
    """One worker process, from its start to its end.

    Parameters
    ----------
    memory : int, default=2**30
        Address space that the process may use, in bytes.

    Raises
    ------
    RuntimeError
        The process does not start.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        # What it holds and for whom; of no meaning here.
        self.key: object = None
        self.session: object = None
        self.codes: object = None
        self.cancelled = threading.Event()
        self.spent = 0.0
        self.process: Spawned | Forked
        try:
            self.process = Forked(memory) if FORKS else Spawned(memory)
        except OSError as error:
            raise RuntimeError(_NOT_STARTED.format(error)) from None
        shared = self.process.shared
        self._first = np.frombuffer(shared, np.int64, 1)
        self._votes = np.frombuffer(shared, np.int32, MAX_ROWS + 1, VOTES_OFFSET)
        self._scores = np.frombuffer(shared, np.float32, MAX_SCORES, SCORES_OFFSET)
        self._forget_rows()
        try:
            started = self._wait(b"", START_SECONDS)
        except WorkerLost:
            raise RuntimeError(_NOT_STARTED.format("it ended")) from None
        except BaseException:
            self.close()
            raise
        # Whether the kernel refuses the process all calls that it does not need.
        self.restricted = started.row == 1

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.is_alive()

    def ask(
        self,
        head: tuple[Any, ...],
        body: bytes = b"",
        *,
        limit: float,
        total: float | None = None,
        before: float = 0.0,
    ) -> Reply:
        """Send a request and wait for the reply; `spent` is then what it took."""
        self._forget_rows()
        return self._wait(encode(head, body), limit, total, before)

    @property
    def row(self) -> int:
        """The row at work: the first without a vote; `NO_ROW` before there is one."""
        first = int(self._first[0])
        if not 0 <= first < MAX_ROWS:
            return NO_ROW
        return first + int(np.argmax(self._votes[first:] == SKIPPED))

    def _forget_rows(self) -> None:
        self._first[0] = NO_ROW
        self._votes[:] = SKIPPED

    def votes(self, start: int, stop: int) -> np.ndarray:
        """Copy the votes that the worker has written."""
        return self._votes[start:stop].copy()

    def scores(self, start: int, stop: int, width: int) -> np.ndarray:
        """Copy the scores that the worker has written, so many a row."""
        taken = self._scores[start * width : stop * width]
        return taken.reshape(stop - start, width).copy()

    def close(self) -> None:
        """End the process at once; closing twice is fine."""
        self.process.close()
        # Nothing may view the map when it is closed.
        self._first, self._votes = self._first.copy(), self._votes.copy()
        has_scores = (self._votes == SCORED).any()
        self._scores = self._scores.copy() if has_scores else np.zeros(MAX_SCORES, "f")
        self.process.shared.close()

    def forget(self) -> None:
        """Let go of a process that belongs to the parent of this one."""
        self.process.forget()

    def _wait(
        self,
        request: bytes,
        limit: float,
        total: float | None = None,
        before: float = 0.0,
    ) -> Reply:
        """Send a request, wait for a reply, and end a worker that takes too long."""
        tick = min(_TICK, limit / 4)
        whole = watch = _Watch(self.pid)
        row = NO_ROW
        left = memoryview(request)
        while True:
            try:
                left, data = self.process.exchange(left, tick)
                if data is not None:
                    reply = Reply.unpack(data)
                    self.spent = whole.seconds
                    return reply
            except (OSError, ValueError, struct.error):
                raise self._lost("itself", whole) from None
            if self.cancelled.is_set():
                raise self._lost("itself", whole)
            now = self.row
            most = limit if now != NO_ROW else max(limit, before)
            if now != row or watch is whole:
                row = now
                watch = _Watch(self.pid)
            elif watch.passed(most, tick):
                lost = self._lost("row", whole)
                if lost.row != row:
                    lost.cause = "itself"
                raise lost
            if total is not None and whole.passed(total, tick):
                raise self._lost("request", whole)

    def _lost(self, cause: str, watch: "_Watch") -> WorkerLost:
        """End the process and say where it was."""
        seconds = watch.seconds
        self.close()
        return WorkerLost(self.row, cause, seconds)


class _Watch:
    """Stop-watch of one process that runs only while the process does."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.wall = 0.0
        self.began = _used(pid)
        self.began_here = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Processor time that was used, wall time where nobody tells."""
        used = _used(self.pid)
        if used is None or self.began is None:
            return time.perf_counter() - self.began_here
        return used - self.began

    def passed(self, limit: float, tick: float) -> bool:
        """Whether the limit is used up, one tick after the last look."""
        # Counted in ticks: a host that was suspended blames no row for that.
        self.wall += tick
        used = _used(self.pid)
        if used is None or self.began is None:
            return self.wall > limit
        return used - self.began > limit or self.wall > limit * _WALL_FACTOR


def _used(pid: int) -> float | None:
    """Processor time of a process; Linux has a clock for each, numbered by its pid."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None
