"""Start one worker process, ask it one thing at a time, and end it when it stalls."""

import contextlib
import mmap
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from ._protocol import (
    MAX_REPLY,
    NO_ROW,
    SHARED_BYTES,
    VOTES_OFFSET,
    decode,
    encode,
    read_frame,
)

MEMORY = 1 << 30
_START_SECONDS = 60.0
_TICK = 0.05
# Where a row uses no processor time at all, it still ends after this many limits.
_WALL_FACTOR = 20.0

# A package of this name holds the folder, so that nothing else of ours is imported.
_BOOT = """
import sys, types
package = sys.modules["programs"] = types.ModuleType("programs")
package.__path__ = [sys.argv[1]]
from programs._worker import main
main(sys.argv[2], int(sys.argv[3]))
"""

# Without these some interpreters do not start at all.
_PASSED_ON = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class WorkerLost(Exception):  # noqa: N818 -- reads as what happened
    """The worker process ended, or was ended, before it answered.

    Parameters
    ----------
    row : int
        Row that it was working on, `NO_ROW` for none.
    cause : {"itself", "row", "request"}
        Whether it ended by itself, or was ended because that row or the request as a
        whole took too long.
    """

    def __init__(self, row: int, cause: str) -> None:
        super().__init__(f"worker process lost at row {row}")
        self.row = row
        self.cause = cause


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
        self.session: object = None
        self.loaded: set[int] = set()
        self.cancelled = threading.Event()
        descriptor, path = tempfile.mkstemp(prefix="labeling-")
        self._path = Path(path)
        try:
            os.ftruncate(descriptor, SHARED_BYTES)
            self._map = mmap.mmap(descriptor, SHARED_BYTES)
        finally:
            os.close(descriptor)
        self._progress = np.frombuffer(self._map, np.int64, 1)
        self._votes = np.frombuffer(self._map, np.int32, offset=VOTES_OFFSET)
        self._progress[0] = NO_ROW
        self._lifeline: int | None
        self._process, self._lifeline = _start(path, memory)
        self._replies: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        self._reader = threading.Thread(
            target=_read_replies,
            args=(self._process.stdout.fileno(), self._replies),
            name="labeling-replies",
            daemon=True,
        )
        self._reader.start()
        try:
            started = self._wait(_START_SECONDS)
        except WorkerLost:
            self.close()
            raise RuntimeError(
                f"{sys.executable or 'Python'} could not be started as a worker process"
            ) from None
        # Whether the kernel refuses the process all calls that it does not need.
        self.restricted = started.get("restricted") is True
        if os.name == "posix":
            self._path.unlink()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(
        self, do: str, *, limit: float, total: float | None = None, **details: Any
    ) -> dict[str, Any]:
        """Send a request and wait for the reply.

        Parameters
        ----------
        do : str
            What to do.
        limit : float
            Seconds of processor time (where the system tells, else of wall time) that
            the worker may spend on one row, or on the whole request if it has no rows.
        total : float, optional
            Seconds of the same kind for all rows of the request.
        **details : object
            What the request needs, as JSON holds it.

        Returns
        -------
        reply : dict

        Raises
        ------
        WorkerLost
            The process ended, or stood still and was ended.
        """
        self._progress[0] = NO_ROW
        data = memoryview(encode({"do": do, **details}))
        try:
            while data:
                data = data[self._requests.write(data) :]
        except OSError:
            raise self._lost("itself") from None
        return self._wait(limit, total)

    def votes(self, start: int, stop: int) -> np.ndarray:
        """Copy the votes that the worker has written.

        Parameters
        ----------
        start, stop : int
            Rows within the chunk.

        Returns
        -------
        votes : ndarray of shape (stop - start,), int32
        """
        return self._votes[start:stop].copy()

    def close(self) -> None:
        """End the process at once; closing twice is fine."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        # A descriptor closed under a reader could be another file's by its next read.
        self._reader.join()
        self._let_go()
        # Nothing may view the map when it is closed, nor the file when it goes.
        self._progress, self._votes = self._progress.copy(), self._votes.copy()
        self._map.close()
        self._path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Let go of a process that belongs to the parent of this one."""
        self._process.returncode = 0
        self._let_go()

    def _let_go(self) -> None:
        """Close our ends of the pipes, once."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        lifeline, self._lifeline = self._lifeline, None
        if lifeline is not None:
            os.close(lifeline)

    def _wait(self, limit: float, total: float | None = None) -> dict[str, Any]:
        """Wait for a reply, and end a worker that takes too long."""
        tick = min(_TICK, limit / 4)
        watch, whole = _Watch(self._process.pid), _Watch(self._process.pid)
        row = int(self._progress[0])
        while True:
            try:
                data = self._replies.get(timeout=tick)
            except queue.Empty:
                if self.cancelled.is_set():
                    raise self._lost("itself") from None
                now = int(self._progress[0])
                if now != row:
                    row = now
                    watch.restart()
                elif watch.spent(limit, tick):
                    lost = self._lost("row")
                    if lost.row != row:
                        lost.cause = "itself"
                    raise lost from None
                if total is not None and whole.spent(total, tick):
                    raise self._lost("request") from None
            else:
                if data is None:
                    raise self._lost("itself")
                try:
                    return decode(data)
                except (ValueError, RecursionError):
                    raise self._lost("itself") from None

    def _lost(self, cause: str) -> WorkerLost:
        """End the process and say where it was."""
        self.close()
        return WorkerLost(int(self._progress[0]), cause)


class _Watch:
    """Stop-watch of one process that runs only while the process does."""

    def __init__(self, pid: int) -> None:
        # Linux has a clock for each process; its number is made of the pid.
        self.clock = (~pid << 3) | 2 if sys.platform == "linux" else None
        self.restart()

    def restart(self) -> None:
        """Start from zero."""
        self.wall = 0.0
        self.began = self._used()

    def spent(self, limit: float, tick: float) -> bool:
        """Whether the limit is used up, one tick after the last look."""
        # Counted in ticks: a host that was suspended blames no row for that.
        self.wall += tick
        used = self._used()
        if used is None or self.began is None:
            return self.wall > limit
        return used - self.began > limit or self.wall > limit * _WALL_FACTOR

    def _used(self) -> float | None:
        if self.clock is None:
            return None
        try:
            return time.clock_gettime(self.clock)
        except OSError:
            return None


def _start(path: str, memory: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start the interpreter; its standard error is the pipe that ends it with us."""
    folder = str(Path(__file__).parent)
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    lifeline, ours = os.pipe()
    try:
        process = subprocess.Popen(
            # -P, -s and our environment isolate as -I does, but -I would ignore the
            # fixed hash seed, and then sets of str would have another order each time.
            [
                *(sys.executable, "-P", "-s", "-S"),
                *(["-B"] if sys.dont_write_bytecode else []),
                *("-c", _BOOT, folder, path, str(memory)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=lifeline,
            bufsize=0,
            cwd=os.sep,
            env={**kept, "PYTHONHASHSEED": "0"},
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(lifeline)
    return process, ours


def _read_replies(descriptor: int, replies: queue.SimpleQueue[bytes | None]) -> None:
    """Pass on frames until the stream ends, then None."""
    data: bytes | None = b""
    while data is not None:
        try:
            data = read_frame(lambda size: os.read(descriptor, size), MAX_REPLY)
        except OSError:
            data = None
        replies.put(data)
