"""Columns that are converted when they are read, and not before."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from . import _values
from ._labels import without_mask
from ._values import kind_of_dtype, kind_of_values, plain_values


class Column(Sequence[Any]):
    """One column as Python scalars, converted when it is first read.

    Parameters
    ----------
    name : str
        What an error calls it.

    n_rows : int
        Number of values.

    load : callable
        Takes the column out of what holds it: an array, a list, or a column of pandas,
        polars or pyarrow.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.data import Column
    >>> column = Column("age", 2, lambda: np.array([31.0, np.nan]))
    >>> column.kind, list(column)
    ('float', [31.0, None])
    """

    def __init__(self, name: str, n_rows: int, load: Callable[[], Any]) -> None:
        self.name = name
        self._n_rows = n_rows
        self._load = load

    @cached_property
    def kind(self) -> str | None:
        """What values are, from the type of the column where that tells.

        Returns
        -------
        kind : str or None
            Such as ``"float"``; None for what cannot be read.
        """
        source = self._load()
        kind = _kind_of_source(source)
        return kind_of_values(to_list(source)) if kind == "" else kind

    @cached_property
    def values(self) -> list[Any]:
        """Convert the column.

        Returns
        -------
        values : list
            Python scalars, None where one is missing.

        Raises
        ------
        TypeError
            If values are bytes.
        """
        try:
            return plain_values(to_list(self._load()))
        except TypeError as error:
            raise TypeError(f"column {self.name!r} cannot be read: {error}") from None

    def take(self, rows: Sequence[int]) -> "Column":
        """Take some values, without converting the others.

        Parameters
        ----------
        rows : sequence of int
            Their positions.

        Returns
        -------
        column : Column
            A shorter column.
        """
        if "values" in vars(self):
            values = self.values
            return Column(self.name, len(rows), lambda: [values[i] for i in rows])
        return Column(self.name, len(rows), lambda: _take(self._load(), rows))

    def __len__(self) -> int:
        return self._n_rows

    def __getitem__(self, place: Any) -> Any:
        return self.values[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | Column) and self.values == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.values)


def _kind_of_source(source: Any) -> str | None:
    """Read the type of a column; "" where only values tell."""
    if isinstance(source, np.ndarray):
        return kind_of_dtype(source.dtype) or ""
    if isinstance(source, list) or _is_arrow_array(source):
        return ""
    import narwhals.stable.v2 as nw

    dtype = nw.from_native(source, series_only=True, allow_series=True).dtype
    if dtype == nw.Boolean:
        return _values.BOOL
    if dtype.is_integer():
        return _values.INT
    if dtype.is_numeric():
        return _values.FLOAT
    if dtype == nw.Binary:
        return None
    by_type = {
        nw.String: _values.STR,
        nw.Date: _values.DATE,
        nw.Datetime: _values.DATETIME,
        nw.Time: _values.TIME,
        nw.Duration: _values.SECONDS,
        nw.List: _values.JSON,
        nw.Array: _values.JSON,
        nw.Struct: _values.JSON,
    }
    return next((kind for known, kind in by_type.items() if dtype == known), "")


def _is_arrow_array(source: Any) -> bool:
    """Tell an array of pyarrow, which narwhals takes only in chunks."""
    return hasattr(source, "to_pylist") and not hasattr(source, "chunks")


def to_list(source: Any) -> list[Any]:
    """Take the values out of a column.

    Parameters
    ----------
    source : list, array or column of pandas, polars or pyarrow
        The column.

    Returns
    -------
    values : list
        Its values, as the container gives them; None where one is masked.
    """
    if isinstance(source, list):
        return source
    if isinstance(source, np.ma.MaskedArray):
        source = without_mask(source)
    if isinstance(source, np.ndarray):
        # Nanoseconds have no Python type, and would come out as integers.
        if source.dtype.kind in "mM":
            source = source.astype(f"{source.dtype.kind}8[us]")
        return source.tolist()
    for convert in ("to_pylist", "to_list"):  # pyarrow; pandas and polars
        if hasattr(source, convert):
            return getattr(source, convert)()
    return list(source)


def _take(source: Any, rows: Sequence[int]) -> Any:
    """Take some values of a column; a column again, so that its type still tells."""
    if hasattr(source, "iloc"):
        return source.iloc[list(rows)]
    if hasattr(source, "to_pylist"):  # not all types of pyarrow can be taken from
        return [source[int(i)].as_py() for i in rows]
    if isinstance(source, list):
        return [source[i] for i in rows]
    return source[np.asarray(rows, dtype=int)]
