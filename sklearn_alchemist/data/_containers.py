"""Open whatever holds texts or a table, or say what to pass instead."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_array

from .._utils import require

# Collections that are computed only when asked to, by the module of their type.
_LAZY = {
    "dask": "fit to a sample of it, such as X.head(1000); what is fitted then takes "
    "Dask DataFrames, Series and Bags in transform, predict and annotate",
    "duckdb": "pass X.arrow()",
    "ibis": "pass X.to_pyarrow()",
    "pyspark": "pass X.toPandas(), or use X.mapInPandas",
    "polars": "pass X.collect()",
}
_LAZY["dask_expr"] = _LAZY["dask"]


@dataclass(frozen=True)
class Opened:
    """What a container holds, not converted yet.

    Parameters
    ----------
    X : object
        The container, in the form in which scikit-learn asks for names and shape.

    n_rows : int
        Number of records.

    names : list or None
        Names of the columns, if the container has some.

    loads : sequence of callable
        Each takes one column out of the container.

    is_sequence : bool
        Whether it has one dimension, so that it should hold texts.
    """

    X: Any
    n_rows: int
    names: list[Any] | None
    loads: Sequence[Callable[[], Any]]
    is_sequence: bool


def open_container(X: Any) -> Opened:
    """Find the columns of a container.

    Parameters
    ----------
    X : array-like of shape (n_samples,) or (n_samples, n_features)
        Texts, or a table.

    Returns
    -------
    opened : Opened
        Its columns.

    Raises
    ------
    ValueError, TypeError
        If it is no such container; the message says what to pass, and shows no data.
    """
    _refuse(X)
    if X is None:
        raise TypeError("X is None: pass a list of texts, an array, or a table.")
    if _is_frame(X):
        return _open_frame(X)
    if isinstance(X, np.ndarray):
        return _open_array(X)
    if isinstance(X, list | tuple) or (isinstance(X, Sequence) and not _is_array(X)):
        return _open_list(list(X))
    if hasattr(X, "to_pylist") or _is_series(X):
        return _sequence(X, len(X))
    if _is_array(X):
        return open_container(_as_array(X))
    raise TypeError(
        f"X is a {type(X).__name__}: pass a list of texts, an array, or a table."
    )


def as_indexable(X: Any) -> Any:
    """Bring a table into a form that classifiers of scikit-learn can read rows from.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        A table that `open_container` takes.

    Returns
    -------
    table : array-like of shape (n_samples, n_features)
        The same; without a mask or fields, which scikit-learn loses.
    """
    if isinstance(X, np.ma.MaskedArray):
        numeric = X.dtype.kind in "biuf"
        return np.ma.filled(X.astype(float if numeric else object), np.nan)
    if isinstance(X, np.ndarray) and X.dtype.names is not None:
        return np.array([list(row) for row in X.tolist()], dtype=object)
    return X


def frame_like(X: Any, columns: Mapping[str, Any], *, needed_by: str) -> Any:
    """Put what belongs to records into a pandas DataFrame.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        The records. If pandas holds them, the frame gets their index.

    columns : dict of str to array-like of shape (n_samples,)
        The columns.

    needed_by : str
        What the user called, should pandas be missing.

    Returns
    -------
    frame : DataFrame of shape (n_samples, n_columns)
        The table.
    """
    pd = require("pandas", needed_by=needed_by)
    return pd.DataFrame(columns, index=X.index if hasattr(X, "iloc") else None)


def _refuse(X: Any) -> None:
    """Raise for what has no rows that could be counted and read in order."""
    if isinstance(X, str | bytes):
        raise ValueError(f"X is a single {type(X).__name__}: pass a list of texts.")
    if isinstance(X, os.PathLike) or hasattr(X, "readlines"):
        raise TypeError("X is a file or a path: read it, and pass what it holds.")
    if hasattr(X, "tocsr"):  # some of which are mappings, too
        raise TypeError(
            "X is sparse, and programs read columns of values: pass X.toarray(), or a "
            "DataFrame whose columns have names."
        )
    if isinstance(X, Mapping):
        raise TypeError("X is a mapping: pass a DataFrame, as in pandas.DataFrame(X).")
    if isinstance(X, Set):
        raise TypeError("X is a set, which has no order: pass a list.")
    if isinstance(X, Iterator):
        way = "X.read_all()" if hasattr(X, "read_all") else "list(X)"
        raise TypeError(
            f"X is a {type(X).__name__}, which can be read once only: pass {way}."
        )
    library = type(X).__module__.split(".")[0]
    # Of polars and duckdb, what has rows is no lazy plan.
    if library in _LAZY and (library.startswith("dask") or not hasattr(X, "__len__")):
        raise TypeError(
            f"X is a {type(X).__name__} of {library}, which is not computed yet: "
            f"{_LAZY[library]}."
        )


def _is_frame(X: Any) -> bool:
    import narwhals.stable.v2 as nw

    return nw.dependencies.is_into_dataframe(X) or _is_batch(X)


def _is_series(X: Any) -> bool:
    import narwhals.stable.v2 as nw

    return nw.dependencies.is_into_series(X)


def _is_batch(X: Any) -> bool:
    return type(X).__name__ == "RecordBatch" and hasattr(X, "to_pylist")


def _is_array(X: Any) -> bool:
    return hasattr(X, "__array__")


def _as_array(X: Any) -> np.ndarray:
    """Make an array of objects of an extension array, whose types NumPy lacks."""
    array = np.asarray(X)
    return array if array.dtype.kind in "biufcUM" else np.asarray(X, dtype=object)


def refuse_repeated(names: Sequence[Any], reason: str) -> None:
    """Raise for column names that come more than once.

    Parameters
    ----------
    names : sequence
        Names of columns.

    reason : str
        Why they have to differ.

    Raises
    ------
    ValueError
        If two of them are equal.
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if len({*map(str, names)}) < len(names) and repeated:
        raise ValueError(
            f"X has several columns called {repeated[0]!r}: rename them, {reason}."
        )


def _open_frame(X: Any) -> Opened:
    """Open a DataFrame or an Arrow table; columns are taken by position."""
    names = list(
        X.schema.names if hasattr(X, "schema") and hasattr(X, "column") else X.columns
    )
    refuse_repeated(names, "as programs tell columns by their names")
    if hasattr(X, "iloc"):
        take: Callable[[int], Any] = lambda j: X.iloc[:, j]  # noqa: E731
    elif hasattr(X, "get_columns"):
        take = X.to_series
    elif hasattr(X, "column"):  # pyarrow
        take = X.column
    else:
        import narwhals.stable.v2 as nw

        frame = nw.from_native(X, eager_only=True)
        take = lambda j: frame[:, j].to_native()  # noqa: E731
    loads = [partial(take, j) for j in range(len(names))]
    if _is_batch(X):  # of which scikit-learn reads no names
        return Opened(
            _stand_in(X.num_rows, len(names)), X.num_rows, names, loads, False
        )
    return Opened(X, X.shape[0], names, loads, False)


def _open_array(X: np.ndarray) -> Opened:
    names = X.dtype.names
    if names is not None and X.ndim == 1:
        loads = [partial(X.__getitem__, name) for name in names]
        shape = _stand_in(len(X), len(names))
        return Opened(shape, len(X), list(names), loads, False)
    if X.ndim == 1:
        return _sequence(X, len(X))
    if X.ndim != 2 or X.dtype.kind == "c":
        check_array(X)  # raises, as everywhere
    loads = [partial(X.__getitem__, (slice(None), j)) for j in range(X.shape[1])]
    return Opened(X, len(X), None, loads, False)


def _open_list(X: list[Any]) -> Opened:
    if any(isinstance(row, Mapping) for row in X):
        raise TypeError(
            "X is a list of mappings: pass a DataFrame, as in pandas.DataFrame(X)."
        )
    if not any(isinstance(row, list | tuple | np.ndarray) for row in X):
        return _sequence(X, len(X))
    lengths = {
        len(row) if isinstance(row, list | tuple | np.ndarray) else -1 for row in X
    }
    if len(lengths) > 1:
        raise ValueError(
            "X is a list of rows of different lengths: give every row a value for each "
            "column, None where it has none."
        )
    if any(isinstance(row, np.ndarray) and row.ndim != 1 for row in X):
        return _open_array(np.array(X))
    # Each column keeps the types that it has by itself.
    (n_columns,) = lengths
    loads = [partial(_column_of_rows, X, j) for j in range(n_columns)]
    return Opened(_stand_in(len(X), n_columns), len(X), None, loads, False)


def _column_of_rows(rows: list[Any], place: int) -> list[Any]:
    return [row[place] for row in rows]


def _sequence(X: Any, n_rows: int) -> Opened:
    return Opened(_stand_in(n_rows, 1), n_rows, None, [lambda: X], True)


def _stand_in(n_rows: int, n_columns: int) -> np.ndarray:
    """Make an array of this shape that takes no memory."""
    return np.broadcast_to(np.int8(0), (n_rows, n_columns))


def is_dask(X: Any) -> bool:
    """Tell a Dask collection, without importing Dask.

    Parameters
    ----------
    X : object
        Anything.

    Returns
    -------
    is_dask : bool
        Whether it is one.

    Examples
    --------
    >>> from sklearn_alchemist.data import is_dask
    >>> is_dask(["a text"])
    False
    """
    module = type(X).__module__.split(".")[0]
    return module in {"dask", "dask_expr"} and hasattr(X, "__dask_graph__")
