"""Call one program for row after row and turn its answers into votes."""

import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableSequence
from types import TracebackType
from typing import Any

from ._protocol import ABSTAIN, ERROR, INVALID, MAX_SCORE, MEMORY, SCORED

FILE = "<program>"
_SCALARS = frozenset({str, int, float, bool, type(None)})
# Only those whose items no code of a program gives.
_DICTS = frozenset({dict, Counter, defaultdict, OrderedDict})
_NUMBERS = frozenset({int, float, bool})


class ScoreSheet:
    """Writes down the scores that a program gives to classes.

    Parameters
    ----------
    codes : mapping of scalar to int
        What each class is as a vote.
    width : int
        Number of classes.
    floats : memoryview of float32
        Room for that many numbers a row.
    """

    def __init__(
        self, codes: Mapping[Any, int], width: int, floats: "memoryview[float]"
    ) -> None:
        self.codes = codes
        self.width = width
        self.floats = floats
        self.nothing = memoryview(struct.pack("f", float("nan")) * width).cast("f")

    def write(self, row: int, answer: Any) -> int:
        """Write the scores of a row; say what the answer is as a vote."""
        if type(answer) not in _DICTS or _fault(answer, self.codes) is not None:
            return INVALID
        start, vote = row * self.width, ABSTAIN
        if start + self.width > len(self.floats):
            return INVALID
        self.floats[start : start + self.width] = self.nothing
        for label, score in dict.items(answer):
            code = self.codes[label]
            if code == ABSTAIN or score is None:
                continue
            place = start + code
            # Of what are several classes to the program and one now, the best counts.
            if not self.floats[place] >= score:
                self.floats[place] = score
            vote = SCORED
        return vote


def _fault(answer: Any, codes: Mapping[Any, int]) -> str | None:
    """Say what is wrong with scores, if anything is."""
    for label, score in dict.items(answer):
        if type(label) not in _SCALARS or label not in codes:
            return f"a score for {_shown(label)}, which is no class"
        if score is not None and not (
            type(score) in _NUMBERS and -MAX_SCORE <= score <= MAX_SCORE
        ):
            return f"{_shown(score)} as a score, which is no finite int or float"
    return None


def run_rows(
    label: Callable[[Any], Any],
    codes: Mapping[Any, int],
    rows: Iterable[Any],
    start: int,
    progress: "MutableSequence[int] | memoryview[int]",
    votes: "MutableSequence[int] | memoryview[int]",
    sheet: ScoreSheet,
    caught: type[BaseException] = BaseException,
) -> tuple[int, bool, tuple[int, str] | None]:
    """Run a program over rows; stop early where memory ran out.

    The first row goes to `progress`, as it begins; a row is done once it has a vote.
    """
    failed: tuple[int, str] | None = None
    row = progress[0] = start
    for row, values in enumerate(rows, start):
        try:
            answer = label(values)
        except MemoryError:
            votes[row] = MEMORY
            return row, True, failed
        except caught as error:
            votes[row] = ERROR
            if failed is None:
                failed = row, describe(error)
            continue
        try:
            votes[row] = codes[answer]
        except caught:  # scores, unknown, or of a class that is bad at being a key
            votes[row] = vote = sheet.write(row, answer)
            if vote == INVALID and failed is None:
                failed = row, f"returned {_wrong(answer, codes)}"
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


def _wrong(answer: Any, codes: Mapping[Any, int]) -> str:
    """Say why an answer is none."""
    fault = _fault(answer, codes) if type(answer) in _DICTS else None
    return f"{_shown(answer)}, which is no class" if fault is None else fault


def _shown(answer: Any) -> str:
    """Short form of an answer; code of the program's own classes is not called."""
    if type(answer) not in _SCALARS:
        return f"a value of type {type(answer).__name__[:40]}"
    text = repr(answer[:40] if isinstance(answer, str) else answer)
    return text if len(text) <= 40 else text[:37] + "..."
