"""Fork workers from a process that is ready to be one and never runs a program."""

import mmap
import os
import signal
import socket
import struct

from ._process_limits import end_after_parent, lock_down, seal, silence
from ._protocol import DONE, SHARED_BYTES, Reply
from ._seccomp import prepare_filter
from ._worker import Worker, prepare

# What is asked, and the process it is about.
MESSAGE = struct.Struct("<ci")
FORK, END = b"F", b"E"


def main(channel_descriptor: int, memory: int) -> None:
    """Serve the host until it is gone."""
    channel = socket.socket(fileno=channel_descriptor)
    os.close(silence())
    worker = prepare()
    prepare_filter(1)
    seal()
    channel.sendall(MESSAGE.pack(FORK, 0))
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, MESSAGE.size, 3)
        if len(data) < MESSAGE.size:
            os._exit(0)
        do, pid = MESSAGE.unpack(data)
        if do == FORK:
            parent = os.getpid()
            try:
                pid = os.fork()
            except OSError:
                pid = -1
            if pid == 0:
                try:
                    _become_worker(worker, parent, descriptors, memory)
                finally:
                    os._exit(1)
        else:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except OSError:
                pid = -1
        for descriptor in descriptors:
            os.close(descriptor)
        channel.sendall(MESSAGE.pack(do, pid))


def _become_worker(
    worker: Worker, parent: int, descriptors: list[int], memory: int
) -> None:
    end_after_parent(parent)
    requests, replies, memory_file = descriptors
    shared = mmap.mmap(memory_file, SHARED_BYTES)
    # Above all that may be open, so that nothing is closed by being replaced.
    os.dup2(os.dup2(requests, 90), 0)
    os.dup2(os.dup2(replies, 91), 1)
    os.closerange(2, 256)
    restricted = lock_down(memory, writable=1)
    os.write(1, Reply(DONE, row=int(restricted)).pack())
    worker.serve(0, 1, shared)
