"""Say what host and worker tell each other: marshalled requests, replies of one size.

A worker is told what the host made, and so may unmarshal it. What it answers is never
more than numbers in range and a short text; the rest lies in memory that only this one
worker shares with the host.
"""

import marshal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_ROWS = 8192

# Shared memory holds the first row (int64), then one int32 per row of a chunk and one
# that stays as it is, as the row at work is the first that does, then one float32 per
# class of each row; what is not written takes no memory.
VOTES_OFFSET = 8
SCORES_OFFSET = VOTES_OFFSET + 4 * (MAX_ROWS + 1)
MAX_SCORES = 1 << 20
SHARED_BYTES = SCORES_OFFSET + 4 * MAX_SCORES

ABSTAIN, INVALID, ERROR, MEMORY, TIMEOUT, CRASH, BUDGET, SKIPPED = range(-1, -9, -1)
FAILURES = {
    "error": ERROR,
    "invalid": INVALID,
    "timeout": TIMEOUT,
    "memory": MEMORY,
    "crash": CRASH,
    "budget": BUDGET,
    "skipped": SKIPPED,
}
# The program gave scores to classes; between worker and host only.
SCORED = -9
# The largest that a float32 holds.
MAX_SCORE = 3.4028234663852886e38
NO_ROW = -1

# How a request ended: as it should, without memory for a row, with a refusal.
DONE, STARVED, REFUSED = 0, 1, 2

_HEADER = struct.Struct("<QQ")
# Most requests are read by one call of the system.
_AT_ONCE = 1 << 16
_REPLY = struct.Struct("<iqqH1000s")
REPLY_BYTES = _REPLY.size


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker answers.

    Parameters
    ----------
    status : {DONE, STARVED, REFUSED}
    row : int
        The last row that was run.
    failed : int
        The first row that failed, `NO_ROW` for none.
    text : str
        How that row failed, or why the request was refused.
    """

    status: int
    row: int = NO_ROW
    failed: int = NO_ROW
    text: str = ""

    def pack(self) -> bytes:
        """Write the reply in `REPLY_BYTES` bytes."""
        data = self.text.encode("utf-8", "backslashreplace")[:1000]
        return _REPLY.pack(self.status, self.row, self.failed, len(data), data)

    @classmethod
    def unpack(cls, data: bytes) -> "Reply":
        """Read a reply that may be anybody's."""
        status, row, failed, size, text = _REPLY.unpack(data)
        rows = range(NO_ROW, MAX_ROWS)
        if status not in (DONE, STARVED, REFUSED) or size > len(text):
            raise ValueError("no reply of a worker")
        if row not in rows or failed not in rows:
            raise ValueError("rows out of range")
        shown = text[:size].decode("utf-8", "replace")
        if not shown.isprintable():
            shown = "".join(c if c.isprintable() else "\ufffd" for c in shown)
        return cls(status, row, failed, shown)


def encode(head: tuple[Any, ...], body: bytes = b"") -> bytes:
    """Frame a request."""
    data = marshal.dumps(head)
    return _HEADER.pack(len(data), len(body)) + data + body


def encode_columns(columns: list[list[Any]]) -> bytes:
    """Write columns for `encode`."""
    # Version 2 knows no references, which would make each text be remembered.
    return marshal.dumps(columns, 2)


def read_request(read: Callable[[int], bytes]) -> tuple[Any, Any] | None:
    """Read the next request of a stream, which holds no more than that one."""
    data: bytes | bytearray = read(_AT_ONCE)
    size = _HEADER.size
    while len(data) < size or len(data) < (size := _size_of(data)):
        piece = read(min(size - len(data), 1 << 20))
        if not piece:
            return None
        if isinstance(data, bytes):
            data = bytearray(data)
        data += piece
    n_head, n_body = _HEADER.unpack_from(data)
    whole = memoryview(data)[_HEADER.size :]
    return marshal.loads(whole[:n_head]), n_body and marshal.loads(whole[n_head:])


def _size_of(data: bytes | bytearray) -> int:
    """Length of the request that some data begin."""
    return _HEADER.size + sum(_HEADER.unpack_from(data))
