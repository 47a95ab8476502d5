"""Say what host and worker tell each other: framed JSON and shared votes."""

import json
import struct
from collections.abc import Callable
from typing import Any

MAX_ROWS = 1024
MAX_REPLY = 1 << 16

# A shared file holds the row at work (int64), then one int32 per row of a chunk.
VOTES_OFFSET = 8
SHARED_BYTES = VOTES_OFFSET + 4 * MAX_ROWS

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
NO_ROW = -1

_HEADER = struct.Struct("<Q")


def encode(message: dict[str, Any]) -> bytes:
    """Frame a message.

    Parameters
    ----------
    message : dict
        Anything that JSON holds, integers of any size, NaN and infinities.

    Returns
    -------
    frame : bytes
    """
    try:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        # Python refuses to write integers of very many digits in decimal.
        text = json.dumps(_spell_integers(message), ensure_ascii=False)
    # Lone surrogates have bytes of their own, so that every str survives.
    data = text.encode("utf-8", "surrogatepass")
    return _HEADER.pack(len(data)) + data


def decode(data: bytes) -> dict[str, Any]:
    """Read a message from a frame without its header.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    message : dict
    """
    text = data.decode("utf-8", "surrogatepass")
    return json.loads(text, object_hook=_read_integer)


def read_frame(read: Callable[[int], bytes], limit: int | None = None) -> bytes | None:
    """Read the next frame of a stream.

    Parameters
    ----------
    read : callable
        Gives at most as many bytes as asked for, none at the end.
    limit : int, optional
        A longer frame counts as the end.

    Returns
    -------
    data : bytes or None
        Without the header; None at the end of the stream.
    """
    header = _read_exactly(read, _HEADER.size)
    if header is None:
        return None
    (size,) = _HEADER.unpack(header)
    return None if limit is not None and size > limit else _read_exactly(read, size)


def _read_exactly(read: Callable[[int], bytes], size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        piece = read(min(size - len(data), 1 << 20))
        if not piece:
            return None
        data += piece
    return bytes(data)


def _spell_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spell_integers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spell_integers(item) for item in value]
    if isinstance(value, int) and abs(value) >> 64:
        return {"integer": hex(value)}
    return value


def _read_integer(value: dict[str, Any]) -> Any:
    return int(value["integer"], 16) if value.keys() == {"integer"} else value
