"""Try programs on a few records before they are kept, locally and for free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from ..exceptions import ProgramRejected
from ..programs import (
    LabelingProgram,
    RunResult,
    check_program,
    run_programs,
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """An answer that gave no usable program.

    Parameters
    ----------
    name : str
        Name that the program would have had.

    reason : str
        Why it cannot be used, in one line.

    answer : str
        What the model answered, or the source of the program.
    """

    name: str
    reason: str
    answer: str


def try_programs(
    programs: Sequence[LabelingProgram],
    columns: Mapping[str, Sequence[Any]],
    classes: Sequence[Any],
    *,
    timeout: float,
    keep_failing: bool = False,
    sandbox: str | None = "auto",
) -> tuple[list[LabelingProgram], list[Rejection], dict[str, RunResult]]:
    """Sort out the programs that cannot be used.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What to try.

    columns : dict of str to sequence
        Some records.

    classes : sequence
        Classes in the order of the votes.

    timeout : float
        Seconds that a program may take for one record.

    keep_failing : bool, default=False
        Keep programs that fail on all of the records; they vote on none.

    sandbox : {"auto", "strict"} or None, default="auto"
        Where programs run, see `run_programs`. With None nothing is checked either.

    Returns
    -------
    usable : list of LabelingProgram
        Programs that pass the guard, load, and fail on some of the records at most.

    rejected : list of Rejection
        The others.

    results : dict of str to RunResult
        Name of each usable program -> how it went, alone.
    """
    usable, rejected, results = [], [], {}
    for program in programs:
        try:
            if sandbox is not None:
                check_program(program)
            result = run_programs(
                [program], columns, classes, timeout=timeout, sandbox=sandbox
            )
            reason = None if keep_failing else _fails_everywhere(result)
        except ProgramRejected as error:
            reason = str(error)
        if reason is not None:
            rejected.append(Rejection(program.name, reason, program.source))
            continue
        usable.append(program)
        results[program.name] = result
    return usable, rejected, results


_TEXTS = [
    *("", " ", "a", "1", "No.", "http://example.org/?a=1", "\u00e7a va \U0001f600"),
    *("THE QUICK BROWN FOX", "The quick brown fox jumps over the lazy dog.", "?!" * 50),
    "It was good, but not as good as before; we paid $ 12.50 and left at 10:30.\n" * 40,
    "I love it! Please visit my page, it is free. (See also: the report of 1999.)",
]
_NUMBERS = [0, 1, -1, 2, 5, 10, 50, 100, 1000, -1000, 10**6, None]


def synthetic_records(kinds: Mapping[str, str]) -> dict[str, list[Any]]:
    """Make records up, the same for all data with the same columns.

    Parameters
    ----------
    kinds : dict of str to str
        Name of each column -> what it holds.

    Returns
    -------
    columns : dict of str to list
        Records as they may occur at worst.
    """
    columns: dict[str, list[Any]] = {}
    for shift, (name, kind) in enumerate(kinds.items()):
        if kind.startswith("str (ISO time"):
            values: list[Any] = ["23:59:59", "00:00:00.000001", None] * 4
        elif kind.startswith("str (ISO"):
            values = ["2024-02-29", "1970-01-01T00:00:00", None] * 4
        elif kind.startswith("str (JSON"):
            values = ["[]", '["a", 1.5]', '{"a": {"b": null}}', None] * 3
        elif kind.startswith("bool"):
            values = [True, False, None] * 4
        elif kind.startswith("float"):
            values = [None if n is None else n / 4 for n in _NUMBERS]
        elif kind.startswith("int"):
            values = list(_NUMBERS)
        else:
            values = list(_TEXTS)
        shift %= len(values)
        columns[name] = values[shift:] + values[:shift]
    return columns


# What texts are made of that regular expressions go through in many ways, and what
# stands at the end so that they do not match at once.
_REPEATED, _END = ("a", "1", " ", "word ", "12 ", "a1", "a.", "A-"), "!"
_MOST_CHARACTERS = 1 << 16


def longest_text(columns: Mapping[str, Sequence[Any]]) -> int:
    """Measure the longest text, up to the next power of two.

    So that parts of the same data are tried in the same way, as a rule.

    Parameters
    ----------
    columns : dict of str to sequence
        Records.

    Returns
    -------
    longest : int
        Number of characters, at most 65,536; 0 where there are no texts.
    """
    texts = (v for values in columns.values() for v in values if isinstance(v, str))
    longest = max(map(len, texts), default=0)
    return min(1 << (longest - 1).bit_length(), _MOST_CHARACTERS) if longest else 0


def stretched_records(
    columns: Mapping[str, Sequence[Any]], longest: int
) -> dict[str, list[Any]]:
    """Make up records of long texts that repeat one thing.

    Parameters
    ----------
    columns : dict of str to sequence
        Records that show which columns hold texts.

    longest : int
        Characters of each text.

    Returns
    -------
    columns : dict of str to list
        Records on which a regular expression that can take forever does.
    """
    texts = [
        (part * longest)[: max(longest - len(_END), 0)] + _END for part in _REPEATED
    ]
    return {
        name: texts
        if any(isinstance(value, str) for value in values)
        else list(islice(cycle(values), len(texts)))
        for name, values in columns.items()
    }


def find_slowness(
    program: LabelingProgram,
    columns: Mapping[str, Sequence[Any]],
    classes: Sequence[Any],
    *,
    timeout: float,
    sandbox: str = "auto",
) -> str | None:
    """Say on which long text a program takes too long, if it does.

    Parameters
    ----------
    program : LabelingProgram
        What to try.

    columns : dict of str to sequence
        What `stretched_records` made.

    classes : sequence
        Classes in the order of the votes.

    timeout : float
        Seconds that a program may take for one record.

    sandbox : {"auto", "strict"}, default="auto"
        Where programs run, see `run_programs`.

    Returns
    -------
    reason : str or None
        What is slow and what to do.
    """
    for row, part in enumerate(_REPEATED):
        # One after the other, so that the first says which it is.
        one = {name: values[row : row + 1] for name, values in columns.items()}
        result = run_programs([program], one, classes, timeout=timeout, sandbox=sandbox)
        if _LOSSES & result.failures[0].keys():
            size = max(len(v[0]) for v in one.values() if isinstance(v[0], str))
            return (
                f"it takes more than {timeout:g} s for a text that repeats {part!r} up "
                f"to {size} characters: keep regular expressions from matching the "
                "same text in many ways, as nested repeats do"
            )
    return None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a program has to be mended.

    Parameters
    ----------
    reason : str
        What is wrong, in one line: type and line of an exception, no message.

    row : int or None, default=None
        A record on which it fails.
    """

    reason: str
    row: int | None = None


def find_problem(
    program: LabelingProgram,
    columns: Mapping[str, Sequence[Any]],
    classes: Sequence[Any],
    *,
    timeout: float,
    records: str = "made-up records",
    sandbox: str = "auto",
) -> Problem | None:
    """Say why a program has to be mended, if it has to be.

    Parameters
    ----------
    program : LabelingProgram
        What to try.

    columns : dict of str to sequence
        Records on which to try it.

    classes : sequence
        Classes in the order of the votes.

    timeout : float
        Seconds that a program may take for one record.

    records : str, default="made-up records"
        What to call them.

    sandbox : {"auto", "strict"}, default="auto"
        Where programs run, see `run_programs`.

    Returns
    -------
    problem : Problem or None
        That it is refused, fails on a quarter of the records or more, is too slow, or
        answers the same record in different ways; None where nothing is wrong.
    """
    n_rows = len(next(iter(columns.values())))
    # There and back again: what an answer depends on besides the record shows.
    twice = {name: [*values, *values[::-1]] for name, values in columns.items()}
    try:
        check_program(program)
        result = run_programs(
            [program], twice, classes, timeout=timeout, sandbox=sandbox
        )
    except ProgramRejected as error:
        return Problem(str(error))
    failures, first_error = result.failures[0], result.first_errors[0]
    n_failed = sum(failures.values())
    if _LOSSES & failures.keys():
        lost = ", ".join(sorted(_LOSSES & failures.keys()))
        return Problem(
            f"it does not come to an end within {timeout:g} s and the memory of its "
            f"process on some of {n_rows} {records}: {lost}"
        )
    if n_failed * 4 >= 2 * n_rows:
        row = _first_failing(program, columns, classes, timeout, sandbox)
        n_once = max(1, n_failed // 2)
        return Problem(
            f"it fails on {n_once} of {n_rows} {records}: {first_error}", row
        )
    votes = result.votes[:, 0]
    if n_failed == 0 and (votes[:n_rows] != votes[n_rows:][::-1]).any():
        return Problem("it answers the same record in different ways")
    return None


_LOSSES = {"timeout", "memory", "crash"}


def _first_failing(
    program: LabelingProgram,
    columns: Mapping[str, Sequence[Any]],
    classes: Sequence[Any],
    timeout: float,
    sandbox: str,
) -> int | None:
    """Find a record on which a program fails, among the first."""
    n_rows = len(next(iter(columns.values())))
    for row in range(min(n_rows, 20)):
        one = {name: values[row : row + 1] for name, values in columns.items()}
        result = run_programs([program], one, classes, timeout=timeout, sandbox=sandbox)
        if result.failures[0]:
            return row
    return None


def _fails_everywhere(result: RunResult) -> str | None:
    """Say why a program is useless if it fails on every record."""
    n_records = len(result.votes)
    if n_records == 0 or sum(result.failures[0].values()) < n_records:
        return None
    return f"it fails on every one of {n_records} records: {result.first_errors[0]}"
