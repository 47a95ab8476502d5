"""List what programs raise: rows, lines and messages."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .. import programs as _programs
from ..data import check_records
from ..exceptions import ProgramWarning
from ._escaping import align, escape, in_one_line, plain_data, section, table
from ._find_programs import find_programs
from ._matches import may_be_watched

# Rows of one program and one kind that are run again for their messages.
_N_EXAMPLES = 5
_SHOWN = 100
_LINE = re.compile(r"^\w+ in line (\d+)")
# What there is to say where no program said it.
_SAID = {
    "error": "it raised an error",
    "invalid": "it returned what is no class",
    "timeout": "it took too long",
    "memory": "it ran out of memory",
    "crash": "it ended the worker process",
    "budget": "its time for all records was used up",
    "skipped": "it was switched off after rows that it took too long or too much for",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a program failed, and where.

    Parameters
    ----------
    program : str
        Its name.
    kind : str
        "error", "invalid", "timeout", "memory", "crash", "budget" or "skipped".
    line : int or None
        Line of the program that raised, where it is known.
    message : str
        Type, line and message of the exception, or what else happened; cut, and free
        of control characters. It may hold parts of records.
    rows : tuple of int
        Positions of records on which this was seen: of each kind, the first five rows
        are looked at.
    n_rows : int
        How many records failed in this kind, looked at or not.
    """

    program: str
    kind: str
    line: int | None
    message: str
    rows: tuple[int, ...]
    n_rows: int


@dataclass(frozen=True, slots=True)
class Failures:
    """How programs failed; printed, and in a notebook, a table.

    Parameters
    ----------
    failures : tuple of Failure
        One for each program, kind and message.
    n_rows : int
        Number of records.
    """

    failures: tuple[Failure, ...]
    n_rows: int

    def __len__(self) -> int:
        return len(self.failures)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain values.

        Returns
        -------
        values : dict
            Of str, numbers, None, lists and dicts only.
        """
        return plain_data(asdict(self))

    def __str__(self) -> str:
        if not self.failures:
            return f"No program failed on any of {self.n_rows} records."
        return align([_HEADER, *map(_cells, self.failures)], right=(2,))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self.failures:
            return section(f"<p>{escape(str(self))}</p>")
        rows = [[escape(cell) for cell in _cells(one)] for one in self.failures]
        return section(table(_HEADER, rows))


def failures(labeler: Any, X: Any) -> Failures:
    """List the records on which programs fail, with the line and the message.

    The programs run on all records; on the first of each kind that failed they run
    again, in the sandbox, for the message, which is never told to a language model.

    Parameters
    ----------
    labeler : ProgramSynthesisLabeler, Pipeline that has one, or DistilledAnnotator
        Fitted.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Texts, or a table.

    Returns
    -------
    failures : Failures
        One line for each program, kind of failure and message.

    Raises
    ------
    TypeError
        If `labeler` has no programs.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
    >>> from sklearn_alchemist.inspection import failures
    >>> first = LabelingProgram("first", "def label(text): return text.split()[0]")
    >>> labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[first])
    >>> print(failures(labeler.fit(["ham", "spam"]), ["spam", "", "eggs"]))
    program  kind     rows  where  message
    first    error       1  1      IndexError in line 1: list index out of range
    first    invalid     1  2      returned 'eggs', which is no class
    """
    found = find_programs(labeler)
    taken = found.before_programs(X)
    with warnings.catch_warnings():
        # The table says what this warning would say.
        warnings.simplefilter("ignore", ProgramWarning)
        result = found.labeler.run(taken)
    records = check_records(found.labeler, taken, reset=False)
    listed: list[Failure] = []
    for program, by_kind in zip(
        found.labeler.programs_, result.failed_rows, strict=True
    ):
        for kind, rows in by_kind.items():
            looked_at = rows[:_N_EXAMPLES]
            said = [_SAID[kind]] * len(looked_at)
            watched = found.labeler.sandbox is not None or may_be_watched(program)
            if kind in ("error", "invalid") and watched:
                said = _ask_again(found.labeler, program, records, looked_at, said)
            listed += _group(program.name, kind, rows, said)
    return Failures(tuple(listed), records.n_rows)


def _ask_again(
    labeler: Any, program: Any, records: Any, rows: np.ndarray, otherwise: list[str]
) -> list[str]:
    """Run a program again on rows that failed, for the messages."""
    columns: Mapping[str, Any] = records.take(rows.tolist())
    read = [name for name in columns if name in records.kinds]
    (traces,) = _programs.trace_programs(
        [program],
        {name: columns[name] for name in {*read, *program.parameters} & {*columns}},
        labeler.classes_.tolist(),
        lines=False,
        timeout=labeler.timeout,
        sandbox=labeler.sandbox,
    )
    return [
        trace.message or other for trace, other in zip(traces, otherwise, strict=True)
    ]


def _group(program: str, kind: str, rows: np.ndarray, said: list[str]) -> list[Failure]:
    """Put rows with the same message together."""
    places: dict[str, list[int]] = {}
    for row, message in zip(rows.tolist(), said, strict=False):
        places.setdefault(message, []).append(row)
    grouped = []
    for message, its_rows in places.items():
        match = _LINE.match(message)
        line = int(match[1]) if match else None
        grouped.append(
            Failure(program, kind, line, message, tuple(its_rows), len(rows))
        )
    return grouped


_HEADER = ["program", "kind", "rows", "where", "message"]


def _cells(failure: Failure) -> list[str]:
    where = ", ".join(map(str, failure.rows))
    message = in_one_line(failure.message, _SHOWN)
    name = in_one_line(failure.program, 40)
    return [name, failure.kind, str(failure.n_rows), where, message]
