"""Keep worker processes for the next call, in this process and in no other."""

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Iterator

from ._host import Worker


class WorkerPool:
    """Workers that wait for work; any thread may take one.

    Examples
    --------
    >>> from sklearn_alchemist.programs._pool import WorkerPool
    >>> pool = WorkerPool()
    >>> worker = pool.take()
    >>> worker.alive
    True
    >>> pool.give_back(worker)
    >>> pool.close()
    >>> worker.alive
    False
    """

    def __init__(self) -> None:
        self._reset()

    def take(self) -> Worker:
        """Give a worker that waits, or start one.

        Returns
        -------
        worker : Worker
            The caller's alone until it is given back or closed.
        """
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                worker = Worker()
                with self._lock:
                    self._all.add(worker)
                return worker
            if worker.alive:
                return worker
            worker.close()

    def give_back(self, worker: Worker) -> None:
        """Keep a worker that has answered all that it was asked.

        Parameters
        ----------
        worker : Worker
            One that ended is closed instead.
        """
        with self._lock:
            if worker.alive and len(self._idle) < _MAX_IDLE:
                self._idle.append(worker)
                return
        worker.close()

    def close(self) -> None:
        """End the workers that wait."""
        with self._lock:
            idle = self._idle.copy()
            self._idle.clear()
        for worker in idle:
            worker.close()

    def forget(self) -> None:
        """Let go of all workers: after a fork they are the parent's."""
        workers = list(self._all)
        self._reset()
        for worker in workers:
            worker.forget()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: weakref.WeakSet[Worker] = weakref.WeakSet()


_MAX_IDLE = 2 * (os.cpu_count() or 1)

POOL = WorkerPool()
atexit.register(POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)


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
def borrowed() -> Iterator["Borrowed"]:
    """Borrow a worker that can be replaced, and leave no busy one behind.

    Yields
    ------
    borrowed : Borrowed
    """
    loan = Borrowed()
    try:
        yield loan
    except BaseException:
        loan.worker.close()
        raise
    POOL.give_back(loan.worker)


class Borrowed:
    """A worker on loan.

    Attributes
    ----------
    worker : Worker
        The one in use.
    """

    def __init__(self) -> None:
        self.worker = POOL.take()

    def replace(self) -> None:
        """End the worker and take another."""
        self.worker.close()
        self.worker = POOL.take()
