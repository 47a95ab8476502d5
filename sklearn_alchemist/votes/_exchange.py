"""Read and write votes as files, and as Snorkel numbers them."""

import csv
import io
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._utils import as_path, read_text, require, write_text
from ._encoding import ABSTAIN, vote_dtype
from ._statistics import polarity

if TYPE_CHECKING:
    import pandas as pd


def write_votes(
    path: str | PathLike[str],
    L: ArrayLike,
    classes: Iterable[Any],
    names: Iterable[str] | None = None,
) -> None:
    """Write votes as CSV: a line a record, a column a program, classes as words.

    Parameters
    ----------
    path : str or path
        The file.

    L : array-like of shape (n_samples, n_programs)
        Votes, -1 where a program abstains, which leaves a cell empty.

    classes : iterable
        Labels to write for the votes 0, 1, ..., once they are sorted.

    names : iterable of str, default=None
        Names of the programs; the columns of `L`, or numbers, if None.

    Raises
    ------
    ValueError
        If `L` is no matrix of positions in `classes` and -1.

    See Also
    --------
    read_votes : Read the file.
    to_long : One line per vote.
    """
    if names is None and hasattr(L, "columns"):
        names = [str(column) for column in L.columns]
    votes = np.asarray(L)
    polarity(votes)  # raises if these are no votes
    labels = np.unique(np.array(list(classes))).tolist()
    if votes.max(initial=ABSTAIN) >= len(labels):
        raise ValueError(
            f"L holds the vote {votes.max()}, but there are {len(labels)} classes."
        )
    if names is None:
        names = [f"program_{j}" for j in range(votes.shape[1])]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["row", *names])
    for i, row in enumerate(votes.tolist()):
        writer.writerow([i, *("" if v == ABSTAIN else labels[v] for v in row)])
    write_text(as_path(path), text.getvalue())


def read_votes(
    path: str | PathLike[str], classes: Iterable[Any] | None = None
) -> "pd.DataFrame":
    """Read votes from CSV: a line a record, a column a program.

    Parameters
    ----------
    path : str or path
        A file as `write_votes` makes it, or as others do. A column called row or task
        is the index.

    classes : iterable, default=None
        All classes, as they are: numbers are numbers again. If None, the words in the
        file, or whole numbers where all are.

    Returns
    -------
    votes : pandas.DataFrame of shape (n_samples, n_programs)
        Positions in the sorted classes, -1 for empty cells, in the smallest signed
        integer type. The classes are in ``votes.attrs["classes"]``.

    Raises
    ------
    ValueError
        If lines differ in length, or hold what is none of `classes`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_alchemist.votes import read_votes, write_votes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_votes(Path(folder, "L.csv"), [[0, -1], [1, 1]], ["ham", "spam"])
    ...     read_votes(Path(folder, "L.csv"))
         program_0  program_1
    row
    0            0         -1
    1            1          1
    """
    pd = require("pandas", needed_by="read_votes")

    where = as_path(path)
    lines = list(csv.reader(io.StringIO(read_text(where), newline="")))
    lines = [line for line in lines if line]
    header, body = (lines[0], lines[1:]) if lines else ([], [])
    for i, line in enumerate(body, 2):
        if len(line) != len(header):
            raise ValueError(
                f"{str(where)!r}, line {i}: {len(line)} cells, where {len(header)} "
                "columns are named."
            )
    has_index = header[:1] in (["row"], ["task"])
    names = header[has_index:]
    cells = [line[has_index:] for line in body]
    seen = {cell for line in cells for cell in line if cell}
    labels = _labels(seen, classes)
    places = {str(label): k for k, label in enumerate(labels)}
    if unknown := sorted(seen - places.keys()):
        raise ValueError(f"{str(where)!r} holds {unknown[:5]}, none of {labels}.")
    votes = np.full((len(cells), len(names)), ABSTAIN, vote_dtype(max(len(labels), 1)))
    for i, line in enumerate(cells):
        votes[i] = [places[cell] if cell else ABSTAIN for cell in line]
    index = None
    if has_index:
        given = [line[0] for line in body]
        whole = all(cell.isdecimal() for cell in given)
        index = pd.Index([int(c) for c in given] if whole else given, name=header[0])
    table = pd.DataFrame(votes, columns=names, index=index)
    table.attrs["classes"] = labels
    return table


def from_snorkel(L: ArrayLike, class_order: Sequence[Any]) -> np.ndarray:
    """Turn Snorkel's matrix of labels into votes.

    Parameters
    ----------
    L : array-like of shape (n_samples, n_functions)
        What ``PandasLFApplier.apply`` gives: -1 for abstaining, else numbers that the
        functions give to classes.

    class_order : sequence
        The classes that 0, 1, ... are there.

    Returns
    -------
    votes : ndarray of shape (n_samples, n_functions)
        Positions in the sorted classes, -1 for abstaining.

    Raises
    ------
    ValueError
        If `L` holds fractions, or numbers that are no class.

    Examples
    --------
    >>> from sklearn_alchemist.votes import from_snorkel, to_snorkel
    >>> votes = from_snorkel([[0, -1], [1, 0]], ["spam", "ham"])
    >>> votes
    array([[ 1, -1],
           [ 0,  1]], dtype=int8)
    >>> to_snorkel(votes, ["spam", "ham"])
    array([[ 0, -1],
           [ 1,  0]])
    """
    order = list(class_order)
    places = {label: k for k, label in enumerate(np.unique(np.array(order)).tolist())}
    return _renumber(L, [places[label] for label in order], vote_dtype(len(order)))


def to_snorkel(votes: ArrayLike, class_order: Sequence[Any]) -> np.ndarray:
    """Turn votes into Snorkel's matrix of labels.

    Parameters
    ----------
    votes : array-like of shape (n_samples, n_programs)
        Positions in the sorted classes, -1 for abstaining.

    class_order : sequence
        The classes that 0, 1, ... are to be.

    Returns
    -------
    L : ndarray of int of shape (n_samples, n_programs)
        For ``LabelModel(cardinality=len(class_order)).fit(L)``.

    Raises
    ------
    ValueError
        If `votes` holds fractions, or numbers that are no class.
    """
    order = list(class_order)
    sorted_labels = np.unique(np.array(order)).tolist()
    return _renumber(votes, [order.index(label) for label in sorted_labels], np.int64)


def _renumber(L: ArrayLike, places: list[int], dtype: Any) -> np.ndarray:
    table = np.asarray(L)
    polarity(table)  # raises if these are no votes
    if len({*places}) < len(places):
        raise ValueError("class_order holds a class twice.")
    if table.max(initial=ABSTAIN) >= len(places):
        raise ValueError(
            f"the vote {table.max()} is no class: there are {len(places)}."
        )
    return np.array([*places, ABSTAIN], dtype=dtype)[table.astype(np.int64)]


def _labels(seen: set[str], classes: Iterable[Any] | None) -> list[Any]:
    if classes is not None:
        return np.unique(np.array(list(classes))).tolist()
    numbers = [str(int(c)) == c for c in seen if c.removeprefix("-").isdecimal()]
    if seen and len(numbers) == len(seen) and all(numbers):
        return sorted(int(cell) for cell in seen)
    return sorted(seen)
