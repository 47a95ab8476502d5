"""Take from the worker process what no labeling program needs."""

import contextlib
import os
import sys
from collections.abc import Callable

from ._landlock import give_up_files
from ._seccomp import restrict_calls

_SIGKILL = 9
_PR_SET_PDEATHSIG = 1


def end_with_parent(lifeline: int) -> None:
    """Make this process end when the other end of a pipe closes.

    Works inside long calls into C on Linux, where the kernel sends the signal, and
    between Python instructions elsewhere.
    """
    try:
        import fcntl
        import signal
    except ImportError:
        return
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, _SIGKILL)
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)
        return
    parent = os.getppid()

    def look(signum: int, frame: object) -> None:
        if os.getppid() != parent:
            os._exit(0)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)


def end_after_parent(parent: int) -> None:
    """Make this process of Linux end when its parent does, whatever it is at."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def seal() -> None:
    """Give up all files, in this process and in what it will fork."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
            resource.setrlimit(limit, (0, 0))
    with contextlib.suppress(ImportError):
        give_up_files()


def lock_down(memory: int, writable: int) -> bool:
    """Give up memory, new processes and system calls for good; files went by `seal`."""
    for step in _steps(memory):
        # A system that lacks one limit still gets the others.
        with contextlib.suppress(OSError, ValueError):
            step()
    return restrict_calls(writable)


def _steps(memory: int) -> list[Callable[[], None]]:
    """List what to give up; files last, as the other steps may need them."""
    try:
        import resource
    except ImportError:
        return []

    limits = [
        ("RLIMIT_AS", memory),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_NOFILE", 0),
    ]

    def limit(name: str, value: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(getattr(resource, name), (value, value))

    return [limit(name, value) for name, value in limits if hasattr(resource, name)]


def silence() -> int:
    """Send standard output nowhere."""
    replies = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    sys.stdout = sys.stderr = sys.stdin = None
    return replies
