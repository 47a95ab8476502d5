"""Bring records into a form that a page can hold: as strings, and not too many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing

from ..data import as_indexable, check_records
from ..votes import ABSTAIN
from ._findings import Findings
from ._matches import watch

# What all records of a page may take, so that it opens at once and can be mailed.
_MAX_BYTES = 2_500_000
_LENGTHS = (20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100)
_MAX_COLUMNS = 50


@dataclass(frozen=True, eq=False, slots=True)
class PageRecords:
    """Records as strings.

    Parameters
    ----------
    keys : list of str
        What programs call the columns.
    names : list of str
        What the user calls them.
    values : list of list of str
        One list a record; a missing value is None.
    limit : int
        Values are cut to so many characters.
    n_cut : int
        Number of values that are longer.
    n_columns : int
        Number of columns that there are; only the first ones are shown.
    """

    keys: list[str]
    names: list[str]
    values: list[list[str | None]]
    limit: int
    n_cut: int
    n_columns: int

    def shown(self, row: int) -> list[str | None]:
        """Give a record as it is shown."""
        return [
            None if value is None else value[: self.limit] for value in self.values[row]
        ]

    def lengths(self, row: int) -> list[int] | int:
        """Say how long the values of a record are that are cut, 0 for the others."""
        lengths = [
            len(value) if value is not None and len(value) > self.limit else 0
            for value in self.values[row]
        ]
        return lengths if any(lengths) else 0


def read_page_records(X: Any) -> PageRecords:
    """Read records as strings.

    Parameters
    ----------
    X : array-like of shape (n_samples,) or (n_samples, n_features)
        Texts or a table; of anything else, such as images, what it prints as.

    Returns
    -------
    page_records : PageRecords
    """
    try:
        columns = check_records(BaseEstimator(), X, reset=True).columns
        readable = {
            key: column for key, column in columns.items() if column.kind is not None
        }
    except (TypeError, ValueError):
        keys = names = ["record"]
        values: list[list[str | None]] = [[repr(record)] for record in X]
        n_columns = 1
    else:
        n_columns = len(readable)
        readable = dict(list(readable.items())[:_MAX_COLUMNS])
        keys = list(readable)
        names = [column.name for column in readable.values()]
        rows = zip(*readable.values(), strict=True)
        values = [[None if v is None else str(v) for v in row] for row in rows]
    flat = [value for row in values for value in row if value is not None]
    lengths = np.array([len(value) for value in flat], dtype=int)
    limit = _limit(flat, lengths)
    n_cut = int((lengths > limit).sum())
    return PageRecords(keys, names, values, limit, n_cut, n_columns)


def choose_rows_to_mark(findings: Findings, n_marked: int) -> np.ndarray:
    """Choose the records in which to mark what programs matched.

    Half are the most doubtful ones, the others those on which each program contradicts
    the label, as many of each.

    Parameters
    ----------
    findings : Findings
        What programs said.
    n_marked : int
        Most records to choose.

    Returns
    -------
    rows : ndarray of int of shape (n_chosen,)
        In ascending order.
    """
    n_rows = len(findings.positions)
    if n_rows <= n_marked:
        return np.arange(n_rows)
    votes, by_doubt = findings.votes, np.argsort(findings.confidence, kind="stable")
    chosen = dict.fromkeys(by_doubt[: n_marked // 2].tolist())
    against = (votes != ABSTAIN) & (votes != findings.labels[:, None])
    share = max(1, (n_marked - len(chosen)) // max(votes.shape[1], 1))
    for column in against.T:
        rows = [row for row in np.flatnonzero(column).tolist() if row not in chosen]
        chosen |= dict.fromkeys(rows[:share])
    for row in by_doubt.tolist():
        if len(chosen) >= n_marked:
            break
        chosen.setdefault(row)
    return np.sort(np.array(list(chosen)[:n_marked], dtype=int))


def find_marks(
    findings: Findings, page_records: PageRecords, rows: np.ndarray
) -> dict[int, list[list[int]]]:
    """Say what programs matched in records, for those that are shown as they were read.

    Parameters
    ----------
    findings : Findings
        The programs and records.
    page_records : PageRecords
        The records as strings.
    rows : ndarray of int
        In which records to look.

    Returns
    -------
    marks : dict of int to list of [program, column, start, stop]
        For each row; positions count as JavaScript does, in units of UTF-16.
    """
    found = findings.found
    X = _safe_indexing(as_indexable(findings.taken), rows)
    matches = watch(found, found.before_programs(X), lines=False)
    places = {key: place for place, key in enumerate(page_records.keys)}
    marks: dict[int, list[list[int]]] = {}
    for number, row in enumerate(rows.tolist()):
        shown = page_records.values[row]
        marks[row] = []
        for program in range(len(matches.programs)):
            for key, start, stop in matches.spans(number, program):
                place = places.get(key)
                if place is None or start >= page_records.limit:
                    continue
                text = shown[place]
                # Steps before the programs may have changed it.
                if text is None or text != str(matches.columns[key][number]):
                    continue
                ends = _utf16(text, (start, min(stop, page_records.limit)))
                marks[row].append([program, place, *ends])
    return marks


def _limit(flat: Sequence[str], lengths: np.ndarray) -> int:
    """Find to how many characters values have to be cut."""
    n_bytes = sum(len(value.encode("utf-8", "surrogatepass")) for value in flat)
    wide = n_bytes / max(lengths.sum(), 1)
    for limit in _LENGTHS:
        if wide * np.minimum(lengths, limit).sum() <= _MAX_BYTES:
            return limit
    return _LENGTHS[-1]


def _utf16(text: str, places: Sequence[int]) -> list[int]:
    """Count as JavaScript does, to which an emoji is two characters."""
    if text.isascii():
        return list(places)
    return [len(text[:n].encode("utf-16-le", "surrogatepass")) // 2 for n in places]
