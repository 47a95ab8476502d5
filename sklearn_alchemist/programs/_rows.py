"""Call one program for row after row and turn its answers into votes."""

from collections.abc import Callable, Iterable, Mapping, MutableSequence
from types import TracebackType
from typing import Any

from ._protocol import ERROR, INVALID, MEMORY

FILE = "<program>"
_SCALARS = frozenset({str, int, float, bool, type(None)})


def run_rows(
    label: Callable[[Any], Any],
    codes: Mapping[Any, int],
    rows: Iterable[Any],
    start: int,
    progress: "MutableSequence[int] | memoryview[int]",
    votes: "MutableSequence[int] | memoryview[int]",
    caught: type[BaseException] = BaseException,
) -> tuple[int, bool, tuple[int, str] | None]:
    """Run a program over rows; stop early where memory ran out."""
    failed: tuple[int, str] | None = None
    row = start
    vote_of, scalars = codes.get, _SCALARS
    for row, values in enumerate(rows, start):
        progress[0] = row
        try:
            answer = label(values)
            # Only values whose hashing runs no code of the program.
            known = type(answer) in scalars
            vote = vote_of(answer, INVALID) if known else INVALID
            if vote == INVALID and failed is None:
                failed = row, f"returned {_shown(answer)}, which is no class"
        except MemoryError:
            votes[row] = MEMORY
            return row, True, failed
        except caught as error:
            vote = ERROR
            if failed is None:
                failed = row, describe(error)
        votes[row] = vote
    return row, False, failed


def describe(error: BaseException) -> str:
    """Type and line of an error, without its message, which could hold data."""
    line = _line(error.__traceback__)
    return f"{type(error).__name__[:60]} in line {line}"


def _line(traceback: TracebackType | None) -> int:
    """Line of the program that an error passed last."""
    line = 1
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _shown(answer: Any) -> str:
    """Short form of an answer; code of the program's own classes is not called."""
    if type(answer) not in _SCALARS:
        return f"a value of type {type(answer).__name__[:40]}"
    text = repr(answer[:40] if isinstance(answer, str) else answer)
    return text if len(text) <= 40 else text[:37] + "..."
