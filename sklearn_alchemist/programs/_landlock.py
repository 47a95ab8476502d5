"""Ask the Linux kernel to keep a process from files and networks, for good.

A second wall behind seccomp: where a kernel has no Landlock, nothing is said.
"""

import contextlib
import ctypes
import os
import struct
import sys

# System calls of linux/landlock.h, numbered alike on all architectures.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_PR_SET_NO_NEW_PRIVS = 38

# Rights that each version knows, as numbers of bits: of files, of TCP, of what lies
# beyond the process (abstract sockets and signals).
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
_NETWORK = {4: 2}
_SCOPES = {6: 2}


def give_up_files() -> int:
    """Refuse this process and its children all files, TCP and signals to others.

    Descriptors that are open stay usable.
    """
    if sys.platform != "linux":
        return 0
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
        if version <= 0:
            return 0
        rights = ruleset(version)
        descriptor = libc.syscall(_CREATE_RULESET, rights, len(rights), 0)
        if descriptor < 0:
            return 0
        try:
            libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            if libc.syscall(_RESTRICT_SELF, descriptor, 0) == 0:
                return int(version)
        finally:
            os.close(descriptor)
    return 0


def ruleset(version: int) -> bytes:
    """Write `struct landlock_ruleset_attr`, with all rights and no exception."""
    words = []
    for known in (_FILES, _NETWORK, _SCOPES):
        sizes = [bits for since, bits in known.items() if since <= version]
        if sizes:
            words.append((1 << max(sizes)) - 1)
    return struct.pack(f"={len(words)}Q", *words)
