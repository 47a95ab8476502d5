"""Start one worker process, ask it one thing at a time, and end it when it stalls."""

import contextlib
import importlib.util
import mmap
import os
import queue
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from ._protocol import (
    MAX_ROWS,
    MAX_SCORES,
    NO_ROW,
    REPLY_BYTES,
    SCORED,
    SCORES_OFFSET,
    SHARED_BYTES,
    SKIPPED,
    VOTES_OFFSET,
    Reply,
    encode,
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
if sys.argv[4]:
    sys.path.append(sys.argv[4])
    import ahocorasick_rs
    sys.path.pop()
from programs.{module} import main
main({of}(sys.argv[2]), int(sys.argv[3]))
"""

_NOT_STARTED = (
    f"{sys.executable or 'Python'} could not be started as a worker process: {{}}"
)

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
        self.process: _Spawned | _Forked
        try:
            self.process = _Forked(memory) if FORKS else _Spawned(memory)
        except OSError as error:
            raise RuntimeError(_NOT_STARTED.format(error)) from None
        shared = self.process.shared
        self._first = np.frombuffer(shared, np.int64, 1)
        self._votes = np.frombuffer(shared, np.int32, MAX_ROWS + 1, VOTES_OFFSET)
        self._scores = np.frombuffer(shared, np.float32, MAX_SCORES, SCORES_OFFSET)
        self._forget_rows()
        try:
            started = self._wait(b"", _START_SECONDS)
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


def _start_python(
    module: str, argument: str, memory: int, *, of: str = "str", **streams: Any
) -> "subprocess.Popen[bytes]":
    """Start an interpreter that imports nothing but a module of this folder."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return subprocess.Popen(
        # -P, -s and our environment isolate as -I does, but -I would ignore the
        # fixed hash seed, and then sets of str would have another order each time.
        [
            *(sys.executable, "-P", "-s", "-S"),
            *(["-B"] if sys.dont_write_bytecode else []),
            *("-c", _BOOT.format(module=module, of=of)),
            *(str(Path(__file__).parent), argument, str(memory), _scanner_folder()),
        ],
        bufsize=0,
        cwd=os.sep,
        env={**kept, "PYTHONHASHSEED": "0"},
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        **streams,
    )


def _scanner_folder() -> str:
    """Where the scanner of literals is installed, "" where it is not."""
    spec = importlib.util.find_spec("ahocorasick_rs")
    return "" if spec is None or not spec.origin else str(Path(spec.origin).parents[1])


class _ForkServer:
    """The process that workers of this process are forked from, once there is one."""

    def __init__(self) -> None:
        # Held by whoever forks this process, so that a child shares no half of a pipe.
        self.lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    def fork(self, descriptors: list[int], memory: int) -> tuple[int, int]:
        """Fork a worker; give its number and that of the server."""
        try:
            return self._fork(descriptors, memory)
        except OSError:
            # Killed by somebody, perhaps; its workers ended with it.
            self.close()
            return self._fork(descriptors, memory)

    def _fork(self, descriptors: list[int], memory: int) -> tuple[int, int]:
        from ._fork_server import FORK

        if self._process is None:
            self._start(memory)
        assert self._process is not None
        server = self._process.pid
        pid = self._ask(FORK, 0, descriptors)
        if pid <= 0:
            raise OSError("no more processes")
        return pid, server

    def end(self, pid: int, server: int) -> None:
        """End a worker and wait for its end, unless its server has ended before."""
        from ._fork_server import END

        with self.lock, contextlib.suppress(OSError):
            if self._process is not None and self._process.pid == server:
                self._ask(END, pid, [])

    def _start(self, memory: int) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._process = _start_python(
                "_fork_server",
                "0",
                memory,
                of="int",
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._channel = ours
        try:
            ours.settimeout(_START_SECONDS)
            self._receive()
        except BaseException:
            self.close()
            raise

    def _ask(self, do: bytes, pid: int, descriptors: list[int]) -> int:
        from ._fork_server import MESSAGE

        assert self._channel is not None
        try:
            socket.send_fds(self._channel, [MESSAGE.pack(do, pid)], descriptors)
            return self._receive()
        except BaseException:
            # The next answer would be that of this question.
            self.close()
            raise

    def _receive(self) -> int:
        from ._fork_server import MESSAGE

        assert self._channel is not None
        data = self._channel.recv(MESSAGE.size, socket.MSG_WAITALL)
        if len(data) < MESSAGE.size:
            raise OSError("it ended")
        return int(MESSAGE.unpack(data)[1])

    def close(self) -> None:
        """End the server, and with it all workers."""
        with self.lock:
            process, channel = self._process, self._channel
            self._process = self._channel = None
            if channel is not None:
                channel.close()
            if process is not None:
                process.kill()
                process.wait()

    def forget(self) -> None:
        """Let go of a server that belongs to the parent of this process."""
        if self._process is not None:
            self._process.returncode = 0
        if self._channel is not None:
            self._channel.close()
        self.__init__()  # type: ignore[misc]


FORK_SERVER = _ForkServer()
# Elsewhere each worker is an interpreter that starts from nothing.
FORKS = sys.platform == "linux" and hasattr(os, "memfd_create")
if FORKS:
    import fcntl


class _Forked:
    """A process of the fork server: starts in a millisecond."""

    def __init__(self, memory: int) -> None:
        opened: list[int] = []
        with FORK_SERVER.lock:
            try:
                opened += os.pipe()
                opened += os.pipe()
                shared = os.memfd_create("votes")
                opened.append(shared)
                os.ftruncate(shared, SHARED_BYTES)
                self.shared = mmap.mmap(shared, SHARED_BYTES)
                theirs = [opened[0], opened[3], shared]
                self.pid, self.server = FORK_SERVER.fork(theirs, memory)
            except BaseException:
                for descriptor in opened:
                    os.close(descriptor)
                raise
            for descriptor in theirs:
                os.close(descriptor)
        self._requests, self._replies = opened[1], opened[2]
        os.set_blocking(self._requests, False)
        # A chunk is written at once; a user may have few pipes of that size.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._requests, fcntl.F_SETPIPE_SZ, 1 << 19)
        self._poll = select.poll()
        self._poll.register(self._replies, select.POLLIN)
        self._is_open = True

    def exchange(
        self, left: memoryview, tick: float
    ) -> tuple[memoryview, bytes | None]:
        """Write what is left, wait for a reply; both as far as a tick allows."""
        try:
            while left:
                left = left[os.write(self._requests, left) :]
        except BlockingIOError:
            # A worker that ended wakes us, too.
            self._poll.register(self._requests, select.POLLOUT)
            self._poll.poll(tick * 1000)
            self._poll.unregister(self._requests)
            return left, None
        ready = self._poll.poll(tick * 1000)
        return left, os.read(self._replies, REPLY_BYTES) if ready else None

    def is_alive(self) -> bool:
        if not self._is_open:
            return False
        # Whatever is read, an end is told; and other threads may ask meanwhile.
        look = select.poll()
        look.register(self._replies, 0)
        return not look.poll(0)

    def close(self) -> None:
        if self._is_open:
            FORK_SERVER.end(self.pid, self.server)
            self.forget()

    def forget(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._requests)
            os.close(self._replies)


class _Spawned:
    """A process that starts as an interpreter of its own, on any system."""

    def __init__(self, memory: int) -> None:
        descriptor, path = tempfile.mkstemp(prefix="labeling-")
        self._path = Path(path)
        self._lifeline: int | None = None
        try:
            try:
                os.ftruncate(descriptor, SHARED_BYTES)
                self.shared = mmap.mmap(descriptor, SHARED_BYTES)
            finally:
                os.close(descriptor)
            lifeline, self._lifeline = os.pipe()
            try:
                # Its standard error is the pipe that ends it with us.
                self._process = _start_python(
                    "_worker",
                    path,
                    memory,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=lifeline,
                )
            finally:
                os.close(lifeline)
        except BaseException:
            if self._lifeline is not None:
                os.close(self._lifeline)
            self._path.unlink()
            raise
        self.pid = self._process.pid
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        # Windows can wait for a pipe in a thread only.
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout.fileno(),), daemon=True
        )
        self._reader.start()

    def _read(self, descriptor: int) -> None:
        """Pass on replies until they end, then nothing."""
        data = b"-"
        while data:
            try:
                data = os.read(descriptor, REPLY_BYTES)
            except OSError:
                data = b""
            self._answers.put(data)

    def exchange(
        self, left: memoryview, tick: float
    ) -> tuple[memoryview, bytes | None]:
        """Write what is left, and wait for a reply for a tick."""
        while left:
            left = left[self._requests.write(left) or 0 :]
        try:
            return left, self._answers.get(timeout=tick)
        except queue.Empty:
            return left, None

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        # A descriptor closed under a reader could be another file's by its next read.
        self._reader.join()
        self._let_go()
        self._path.unlink(missing_ok=True)

    def forget(self) -> None:
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
