"""Start worker processes: forked where the system can, else as fresh interpreters."""

import contextlib
import importlib.util
import mmap
import os
import queue
import select
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from ._protocol import REPLY_BYTES, SHARED_BYTES

START_SECONDS = 60.0
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
# Without these some interpreters do not start at all.
_PASSED_ON = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


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
            ours.settimeout(START_SECONDS)
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


class Forked:
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


class Spawned:
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
