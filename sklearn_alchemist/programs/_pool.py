"""Keep worker processes for the next call, in this process and in no other."""

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Iterator

from ._processes import FORK_SERVER
from ._worker_handle import Worker

MAX_IDLE = 32


class WorkerPool:
    """Workers that wait for work of their own program; any thread may take one.

    Examples
    --------
    >>> from sklearn_alchemist.programs._pool import WorkerPool
    >>> pool = WorkerPool()
    >>> worker = pool.take("a program")
    >>> worker.alive
    True
    >>> pool.give_back(worker)
    >>> pool.close()
    >>> worker.alive
    False
    """

    def __init__(self) -> None:
        self._reset()

    def holds(self, key: object) -> bool:
        """Whether a worker waits for this program."""
        with self._lock:
            return any(worker.key == key for worker in self._idle)

    def take(self, key: object) -> Worker:
        """Give a worker that waits for this program, or start one without a program."""
        while True:
            with self._lock:
                # The one that has waited least is warm.
                found = (w for w in reversed(self._idle) if w.key == key)
                worker = next(found, None)
                if worker is not None:
                    self._idle.remove(worker)
            if worker is None:
                worker = _start()
                with self._lock:
                    self._all.add(worker)
                return worker
            if worker.alive:
                return worker
            worker.close()

    def give_back(self, worker: Worker) -> None:
        """Keep a worker that has answered all that it was asked."""
        ending = [worker]
        if worker.key is not None:
            with self._lock:
                self._idle.append(worker)
                ending = self._idle[:-MAX_IDLE]
                del self._idle[:-MAX_IDLE]
        for ended in ending:
            ended.close()

    def close(self) -> None:
        """End the workers that wait, and what they are made by if none is at work."""
        with self._lock:
            idle = self._idle.copy()
            self._idle.clear()
        for worker in idle:
            worker.close()
        if not any(worker.alive for worker in list(self._all)):
            FORK_SERVER.close()

    def forget(self) -> None:
        """Let go of all workers: after a fork they are the parent's."""
        workers = list(self._all)
        self._reset()
        for worker in workers:
            worker.forget()
        FORK_SERVER.forget()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: weakref.WeakSet[Worker] = weakref.WeakSet()


def _start() -> Worker:
    """Start a worker; one that is killed meanwhile is replaced."""
    for _ in range(2):
        with contextlib.suppress(RuntimeError):
            return Worker()
    return Worker()


POOL = WorkerPool()
atexit.register(POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: FORK_SERVER.lock.acquire(),
        after_in_parent=lambda: FORK_SERVER.lock.release(),
        after_in_child=POOL.forget,
    )


def close_workers() -> None:
    """End the worker processes that wait for the next call.

    They end by themselves with this process; the next call starts new ones.

    Examples
    --------
    >>> from sklearn_alchemist.programs import close_workers
    >>> close_workers()
    """
    POOL.close()


@contextlib.contextmanager
def borrowed(key: object) -> Iterator["Borrowed"]:
    """Borrow a worker that can be replaced, and leave no busy one behind."""
    loan = Borrowed(key)
    try:
        yield loan
    except BaseException:
        loan.worker.close()
        raise
    POOL.give_back(loan.worker)


class Borrowed:
    """A worker on loan.

    Parameters
    ----------
    key : hashable
        The program that it is for.

    Attributes
    ----------
    worker : Worker
        The one in use.
    """

    def __init__(self, key: object) -> None:
        self.key = key
        self.worker = POOL.take(key)

    def replace(self) -> None:
        """End the worker and take another."""
        self.worker.close()
        self.worker = POOL.take(self.key)
