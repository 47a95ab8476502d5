"""Ask the Linux kernel to refuse system calls that no labeling program needs."""

import os
import struct
import sys
from collections.abc import Callable
from functools import lru_cache

# Codes of linux/seccomp.h, linux/filter.h and linux/prctl.h.
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _KILL_PROCESS, _EPERM = 0x7FFF0000, 0x80000000, 0x00050000 | 1
_NUMBER, _ARCHITECTURE, _FIRST, _THIRD = 0, 4, 16, 32
_PROT_EXEC = 4

# Architecture code, and the numbers of the calls that are allowed.
_ARCHITECTURES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0,
            "close": 3,
            "fstat": 5,
            "lseek": 8,
            "munmap": 11,
            "brk": 12,
            "rt_sigaction": 13,
            "rt_sigprocmask": 14,
            "rt_sigreturn": 15,
            "sched_yield": 24,
            "mremap": 25,
            "madvise": 28,
            "nanosleep": 35,
            "getpid": 39,
            "exit": 60,
            "gettimeofday": 96,
            "sigaltstack": 131,
            "gettid": 186,
            "futex": 202,
            "restart_syscall": 219,
            "clock_gettime": 228,
            "clock_getres": 229,
            "exit_group": 231,
            "getrandom": 318,
            "rseq": 334,
            "write": 1,
            "mmap": 9,
            "mprotect": 10,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "close": 57,
            "lseek": 62,
            "read": 63,
            "fstat": 80,
            "exit": 93,
            "exit_group": 94,
            "futex": 98,
            "nanosleep": 101,
            "clock_gettime": 113,
            "clock_getres": 114,
            "sched_yield": 124,
            "restart_syscall": 128,
            "sigaltstack": 132,
            "rt_sigaction": 134,
            "rt_sigprocmask": 135,
            "rt_sigreturn": 139,
            "gettimeofday": 169,
            "getpid": 172,
            "gettid": 178,
            "brk": 214,
            "munmap": 215,
            "mremap": 216,
            "madvise": 233,
            "getrandom": 278,
            "rseq": 293,
            "write": 64,
            "mmap": 222,
            "mprotect": 226,
        },
    ),
}


def restrict_calls(writable: int) -> bool:
    """Refuse all but a few system calls from now on, in this process and for good.

    What is refused fails with a permission error. Calls of another architecture than
    the interpreter's end the process.
    """
    restrict = prepare_filter(writable)
    return restrict is not None and restrict()


@lru_cache(maxsize=1)
def prepare_filter(writable: int) -> Callable[[], bool] | None:
    """Write the filter; give what puts it to use, None where the kernel has none."""
    if sys.platform != "linux" or sys.maxsize < 1 << 32:
        return None
    known = _ARCHITECTURES.get(os.uname().machine)
    if known is None:
        return None
    try:
        import ctypes

        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (ImportError, OSError):
        return None
    program = filter_program(*known, writable)
    code = ctypes.create_string_buffer(program, len(program))

    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    described = ctypes.byref(Filter(len(program) // 8, ctypes.addressof(code)))

    def restrict() -> bool:
        # Named here, the code of the filter lives as long as this function.
        return bool(
            code
            and prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            and prctl(_PR_SET_SECCOMP, _MODE_FILTER, described, 0, 0) == 0
        )

    return restrict


def filter_program(architecture: int, calls: dict[str, int], writable: int) -> bytes:
    """Write the filter as the kernel reads it: eight bytes an instruction."""
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL_PROCESS),
        _step(_LOAD, _NUMBER),
    ]
    for name, number in calls.items():
        if name == "write":
            allow = [
                _step(_LOAD, _FIRST),
                _step(_EQUAL, writable, 0, 1),
                _step(_RETURN, _ALLOW),
                _step(_RETURN, _EPERM),
            ]
        elif name in {"mmap", "mprotect"}:
            # No memory becomes code.
            allow = [
                _step(_LOAD, _THIRD),
                _step(_ANY_BIT, _PROT_EXEC, 1, 0),
                _step(_RETURN, _ALLOW),
                _step(_RETURN, _EPERM),
            ]
        else:
            allow = [_step(_RETURN, _ALLOW)]
        steps += [_step(_EQUAL, number, 0, len(allow)), *allow]
    return b"".join([*steps, _step(_RETURN, _EPERM)])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
