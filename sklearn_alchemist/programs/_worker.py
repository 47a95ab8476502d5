"""Run labeling programs in a process of their own, as the host says."""

import _strptime  # type: ignore[import-not-found]
import gc
import mmap
import os
import re
import sys
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from ._builtins import make_builtins
from ._facades import PROGRAM, build_facades, direct_names
from ._guard import Refusal, guard
from ._limits import end_with_parent, lock_down, silence
from ._protocol import (
    ABSTAIN,
    SHARED_BYTES,
    VOTES_OFFSET,
    decode,
    encode,
    read_frame,
)
from ._rows import FILE, describe, run_rows

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
    # Programs make few cycles, and looking for them takes a twentieth of the time.
    gc.set_threshold(5_000, 20, 20)
    worker = _Worker(shared, facades)
    restricted = lock_down(memory, replies)
    _send(replies, {"ok": True, "restricted": restricted})
    while (frame := read_frame(lambda size: os.read(0, size))) is not None:
        _send(replies, worker.answer(decode(frame)))


def _send(descriptor: int, message: dict[str, Any]) -> None:
    data = memoryview(encode(message))
    while data:
        data = data[os.write(descriptor, data) :]


def _import_what_c_code_needs() -> None:
    """Import what could no longer be opened after the lock-down."""
    import traceback  # noqa: F401

    for codec in ("ascii", "latin-1", "utf-16", "cp1252", "idna", "unicode_escape"):
        "".encode(codec)


def _forget_what_programs_cached() -> None:
    """Clear caches of the standard library, in which programs may have left lies.

    An object of a program's own class can claim to equal any text or number, and what
    is kept for it would be found by the next program.
    """
    re.purge()
    _strptime._regex_cache.clear()
    urllib.parse.clear_cache()  # type: ignore[attr-defined]


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
        namespace["__builtins__"] = make_builtins(namespace, self.facades, self.direct)
        try:
            exec(self.code_of(source), namespace)
        except Refusal as refusal:
            return {"ok": False, "reason": str(refusal)}
        except BaseException as error:
            return {"ok": False, "reason": describe(error)}
        finally:
            _forget_what_programs_cached()
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
            code = compile(guard(source), FILE, "exec", dont_inherit=True)
            self.compiled[source] = code
        return code

    def run(self, key: int, names: list[str], start: int, stop: int) -> dict[str, Any]:
        """Run a program over rows; stop early where memory ran out."""
        label, codes = self.programs[key]
        columns = [self.columns[name][start:stop] for name in names]
        began = time.perf_counter()
        row, starved, failed = run_rows(
            label, codes, zip(*columns, strict=True), start, self.progress, self.votes
        )
        seconds = time.perf_counter() - began
        _forget_what_programs_cached()
        return {
            "ok": not starved,
            "row": row,
            "seconds": seconds,
            "failed": failed,
        }
