"""Run labeling programs in a process of their own, as the host says."""

import gc
import mmap
import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from ._builtins import make_builtins
from ._facades import PROGRAM, build_facades, direct_names
from ._guard import Refusal, guard
from ._limits import end_with_parent, lock_down, silence
from ._protocol import (
    ABSTAIN,
    ERROR,
    INVALID,
    MEMORY,
    SHARED_BYTES,
    VOTES_OFFSET,
    decode,
    encode,
    read_frame,
)

_FILE = "<program>"
_SCALARS = frozenset({str, int, float, bool, type(None)})
_MAX_COMPILED = 256


def main(shared_path: str, memory: int) -> None:
    """Serve requests from standard input until it ends.

    Parameters
    ----------
    shared_path : str
        File of `SHARED_BYTES` bytes for progress and votes.
    memory : int
        Address space that this process may use, in bytes.
    """
    replies = silence()
    with open(shared_path, "r+b") as file:  # noqa: PTH123 -- pathlib is slow to import
        shared = memoryview(mmap.mmap(file.fileno(), SHARED_BYTES))
    os.environ.clear()
    facades = build_facades()
    _import_what_c_code_needs()
    end_with_parent(lifeline=2)
    # The digits of an integer are data here, and time is limited anyway.
    sys.set_int_max_str_digits(0)
    gc.freeze()
    lock_down(memory)
    worker = _Worker(shared, facades)
    _send(replies, {"ok": True})
    while (frame := read_frame(lambda size: os.read(0, size))) is not None:
        _send(replies, worker.answer(decode(frame)))


def _send(descriptor: int, message: dict[str, Any]) -> None:
    data = memoryview(encode(message))
    while data:
        data = data[os.write(descriptor, data) :]


def _import_what_c_code_needs() -> None:
    """Import what could no longer be opened after the lock-down."""
    import _strptime  # type: ignore[import-not-found] # noqa: F401
    import traceback  # noqa: F401

    for codec in ("ascii", "latin-1", "utf-16", "cp1252", "idna", "unicode_escape"):
        "".encode(codec)


class _Worker:
    """What a worker holds between requests: classes, programs and columns."""

    def __init__(self, shared: memoryview, facades: dict[str, Any]) -> None:
        self.progress = shared[:VOTES_OFFSET].cast("q")
        self.votes = shared[VOTES_OFFSET:].cast("i")
        self.facades = facades
        self.direct = direct_names(facades)
        self.compiled: dict[str, Any] = {}
        self.programs: dict[int, tuple[Callable[..., Any], dict[Any, int]]] = {}
        self.columns: dict[str, list[Any]] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what one request says."""
        match request.pop("do"):
            case "load":
                return self.load(**request)
            case "columns":
                self.columns = request["columns"]
                return {"ok": True}
            case "run":
                return self.run(**request)
            case _:
                self.programs.clear()
                self.columns = {}
                return {"ok": True}

    def load(
        self, key: int, source: str, entry_point: str, codes: list[tuple[Any, int]]
    ) -> dict[str, Any]:
        """Execute a program's top level."""
        namespace: dict[str, Any] = {"__name__": PROGRAM}
        namespace["__builtins__"] = make_builtins(
            namespace, self.facades, self.direct
        )
        try:
            exec(self.code_of(source), namespace)
        except Refusal as refusal:
            return {"ok": False, "reason": str(refusal)}
        except BaseException as error:
            return {"ok": False, "reason": _describe(error)}
        function = namespace.get(entry_point)
        if not callable(function):
            return {"ok": False, "reason": f"{entry_point} is no function"}
        self.programs[key] = function, {None: ABSTAIN, **dict(codes)}
        return {"ok": True}

    def code_of(self, source: str) -> Any:
        """Check and compile a program, once."""
        code = self.compiled.get(source)
        if code is None:
            if len(self.compiled) >= _MAX_COMPILED:
                self.compiled.clear()
            code = compile(guard(source), _FILE, "exec", dont_inherit=True)
            self.compiled[source] = code
        return code

    def run(self, key: int, names: list[str], start: int, stop: int) -> dict[str, Any]:
        """Run a program over rows; stop early where memory ran out."""
        label, codes = self.programs[key]
        progress, votes = self.progress, self.votes
        columns = [self.columns[name][start:stop] for name in names]
        rows = list(zip(*columns, strict=True))
        failed: tuple[int, str] | None = None
        row, starved = start, False
        began = time.perf_counter()
        for row, values in enumerate(rows, start):
            progress[0] = row
            try:
                answer = label(*values)
                if type(answer) in _SCALARS:
                    vote = codes.get(answer, INVALID)
                else:
                    vote = INVALID
                if vote == INVALID and failed is None:
                    failed = row, f"returned {_shown(answer)}, which is no class"
            except MemoryError:
                vote, starved = MEMORY, True
            except BaseException as error:
                vote = ERROR
                if failed is None:
                    failed = row, _describe(error)
            votes[row] = vote
            if starved:
                break
        seconds = time.perf_counter() - began
        return {
            "ok": not starved,
            "row": row,
            "seconds": seconds,
            "failed": failed,
        }


def _describe(error: BaseException) -> str:
    """Type and line of an error, without its message, which could hold data."""
    line = _line(error.__traceback__)
    return f"{type(error).__name__[:60]} in line {line}"


def _line(traceback: TracebackType | None) -> int:
    """Line of the program that an error passed last."""
    line = 1
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _shown(answer: Any) -> str:
    """Short form of an answer; code of the program's own classes is not called."""
    if type(answer) not in _SCALARS:
        return f"a value of type {type(answer).__name__[:40]}"
    text = repr(answer[:40] if isinstance(answer, str) else answer)
    return text if len(text) <= 40 else text[:37] + "..."
