"""Run one labeling program in a process of its own, as the host says."""

import contextlib
import gc
import mmap
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from ._builtins import make_builtins
from ._constants import take_constants
from ._guard import Refusal, guard
from ._observer import Observer
from ._process_limits import end_with_parent, lock_down, seal, silence
from ._protocol import (
    ABSTAIN,
    DONE,
    REFUSED,
    SCORES_OFFSET,
    SHARED_BYTES,
    STARVED,
    VOTES_OFFSET,
    Reply,
    read_request,
)
from ._run_rows import FILE, ScoreSheet, describe, run_rows
from ._safe_modules import PROGRAM, build_safe_modules, direct_names
from ._safe_stdlib import start_row
from ._seccomp import prepare_filter

_CODECS = """
    ascii big5 cp1250 cp1251 cp1252 cp437 cp850 euc_jp euc_kr gb18030 gbk idna iso8859-2
    iso8859-15 koi8-r latin-1 mac-roman punycode raw_unicode_escape shift_jis
    unicode_escape utf-16 utf-16-be utf-16-le utf-32 utf-8-sig
    """


class Worker:
    """What a worker holds: one program, once it is told which.

    Parameters
    ----------
    facades : dict of str to object
        What `build_safe_modules` made.
    """

    def __init__(self, facades: dict[str, Any]) -> None:
        self.facades = facades
        self.direct = direct_names(facades)
        self.code: Any = None
        # What it finds besides its own names: nothing that it could change.
        self.builtins: dict[str, Any] = {}
        self.entry_point = ""
        self.label: Callable[..., Any] | None = None
        # What its answers are, as votes.
        self.codes: dict[Any, int] = {}
        # Where scores are written.
        self.scores: memoryview[float] = memoryview(b"").cast("f")
        # Whether the program may draw at random.
        self.draws = False
        # Made where a program is to be watched; such a worker only does that.
        self.observer: Observer | None = None

    def serve(self, requests: int, replies: int, shared: Any) -> None:
        """Answer requests until they end."""
        whole = memoryview(shared)
        progress = whole[:VOTES_OFFSET].cast("q")
        votes = whole[VOTES_OFFSET:SCORES_OFFSET].cast("i")
        self.scores = whole[SCORES_OFFSET:].cast("f")
        while (
            request := read_request(lambda size: os.read(requests, size))
        ) is not None:
            (do, *details), columns = request
            if do == "load":
                reply = self.load(*details)
            elif do == "observe":
                self.observer = self.observer or Observer(self.facades)
                reply = self.observer.answer(details, columns, progress, votes)
            else:
                anew, codes, width, start = details
                reply = self.run(anew, codes, width, start, columns, progress, votes)
            del request, columns
            os.write(replies, reply.pack())

    def load(self, source: str, entry_point: str) -> Reply:
        """Check and compile a program, and execute its top level."""
        try:
            tree = guard(source)
            constants = take_constants(tree)
            self.code = compile(tree, FILE, "exec", dont_inherit=True)
            self.builtins = make_builtins(self.facades, self.direct)
            code = compile(constants, FILE, "exec", dont_inherit=True)
            exec(code, {"__builtins__": self.builtins}, self.builtins)
        except Refusal as refusal:
            return Reply(REFUSED, text=str(refusal))
        except Exception as error:
            return Reply(REFUSED, text=describe(error))
        self.entry_point = entry_point
        self.draws = "random" in source
        return self.begin()

    def begin(self) -> Reply:
        """Execute the top level, so that nothing of what was before is left."""
        namespace = {"__name__": PROGRAM, "__builtins__": self.builtins}
        self.label = None
        if self.draws:
            start_row(())
        try:
            exec(self.code, namespace)
        except BaseException as error:
            return Reply(REFUSED, text=describe(error))
        label = namespace.get(self.entry_point)
        if not callable(label):
            return Reply(REFUSED, text=f"{self.entry_point} is no function")
        self.label = label
        return Reply(DONE)

    def run(
        self,
        anew: bool,
        codes: tuple[tuple[Any, int], ...] | None,
        width: int,
        start: int,
        columns: list[list[Any]],
        progress: "memoryview[int]",
        votes: "memoryview[int]",
    ) -> Reply:
        """Run the program over rows; stop early where memory ran out."""
        if anew and (begun := self.begin()).status != DONE:
            return begun
        assert self.label is not None
        if codes is not None:
            self.codes = {None: ABSTAIN, **dict(codes)}
        if start:
            columns = [values[start:] for values in columns]
        label, rows = _by_row(self.label, columns, self.draws)
        sheet = ScoreSheet(self.codes, width, self.scores)
        row, starved, failed = run_rows(
            label, self.codes, rows, start, progress, votes, sheet
        )
        status = STARVED if starved else DONE
        return Reply(status, row) if failed is None else Reply(status, row, *failed)


def _by_row(
    label: Callable[..., Any], columns: list[list[Any]], draws: bool
) -> tuple[Callable[[Any], Any], Iterable[Any]]:
    """Give rows, and a function that takes one."""
    if draws:

        def drawing(row: Any) -> Any:
            start_row(row)
            return label(*row)

        return drawing, zip(*columns, strict=True)
    if len(columns) == 1:
        # Most programs read one column, and a row of one value costs time.
        return label, columns[0]
    return lambda row: label(*row), zip(*columns, strict=True)


def prepare() -> Worker:
    """Import all that programs may need, and forget what the process was told."""
    os.environ.clear()
    worker = Worker(build_safe_modules())
    _import_what_c_code_needs()
    # The digits of an integer are data here, and time is limited anyway.
    sys.set_int_max_str_digits(0)
    gc.collect()
    gc.freeze()
    # Programs make few cycles, and looking for them takes a twentieth of the time.
    gc.set_threshold(5_000, 20, 20)
    return worker


def _import_what_c_code_needs() -> None:
    """Import what could no longer be opened after the lock-down."""
    import _strptime  # type: ignore[import-not-found]  # noqa: F401
    import traceback  # noqa: F401

    for codec in _CODECS.split():
        # Some builds of Python lack some.
        with contextlib.suppress(LookupError):
            "".encode(codec)


def main(shared_path: str, memory: int) -> None:
    """Be a worker whose requests come from standard input."""
    replies = silence()
    with open(shared_path, "r+b") as file:  # noqa: PTH123 -- pathlib is slow to import
        shared = mmap.mmap(file.fileno(), SHARED_BYTES)
    worker = prepare()
    end_with_parent(lifeline=2)
    prepare_filter(replies)
    seal()
    restricted = lock_down(memory, replies)
    os.write(replies, Reply(DONE, row=int(restricted)).pack())
    worker.serve(0, replies, shared)
