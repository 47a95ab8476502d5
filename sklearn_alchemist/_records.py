"""Validate texts and tables, classes and labels: the one place for input handling."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from ._column_names import parameter_names
from .data import is_missing

TEXT_COLUMN = "text"
_SCALARS = (str, bool, int, float)


@dataclass(frozen=True)
class Records:
    """Validated records, column by column.

    Parameters
    ----------
    columns : dict of str to list
        Values of each column as Python scalars, None where one is missing; the names
        are those that programs use as parameters.

    kinds : dict of str to str
        What each column holds, such as ``"str"`` or ``"float"``.

    n_rows : int
        Number of records.

    is_text : bool
        Whether the records are texts: one column of strings.

    is_named : bool
        Whether the names came with the data, rather than being made up.
    """

    columns: dict[str, list[Any]]
    kinds: dict[str, str]
    n_rows: int
    is_text: bool
    is_named: bool

    def sample(self, n_rows: int) -> dict[str, list[Any]]:
        """Take records at even distances.

        Parameters
        ----------
        n_rows : int
            Most records to take.

        Returns
        -------
        columns : dict of str to list
            The same columns, shorter.
        """
        step = max(1, -(-self.n_rows // n_rows))
        return {name: values[::step] for name, values in self.columns.items()}

    def take(self, rows: Sequence[int]) -> dict[str, list[Any]]:
        """Take some records.

        Parameters
        ----------
        rows : sequence of int
            Their positions.

        Returns
        -------
        columns : dict of str to list
            The same columns, shorter.
        """
        return {n: [values[i] for i in rows] for n, values in self.columns.items()}


def is_text(X: Any) -> bool:
    """Tell whether `X` is meant as a sequence of texts.

    Parameters
    ----------
    X : object
        What a user passed.

    Returns
    -------
    is_text : bool
        True for a one-dimensional sequence that holds a str or bytes.
    """
    if isinstance(X, str | bytes | Mapping) or not hasattr(X, "__len__"):
        return False
    if hasattr(X, "to_pylist"):  # pyarrow, whose elements are no Python objects
        X = X.to_pylist()
    if getattr(X, "ndim", 1) != 1 or hasattr(X, "columns") or len(X) == 0:
        return False
    kind = getattr(getattr(X, "dtype", None), "kind", "O")
    return kind not in "biufcmM" and any(isinstance(x, str | bytes) for x in X)


def check_texts(X: Any) -> list[str]:
    """Validate a sequence of texts.

    Parameters
    ----------
    X : sequence of str
        List, tuple, ndarray, pandas or polars Series, or pyarrow strings.

    Returns
    -------
    texts : list of str
        The same texts.

    Raises
    ------
    ValueError
        If a text is missing.

    TypeError
        If something is no text.
    """
    texts = X.to_pylist() if hasattr(X, "to_pylist") else list(X)
    for i, text in enumerate(texts):
        if isinstance(text, str):
            continue
        if is_missing(text):
            raise ValueError(
                f"the text at position {i} is missing ({text!r}): drop such rows, or "
                "replace missing texts by ''."
            )
        advice = "decode" if isinstance(text, bytes) else "convert"
        raise TypeError(
            f"the text at position {i} is {type(text).__name__}, not str: {advice} it "
            "first."
        )
    return [str(text) for text in texts]  # np.str_ is a str that JSON would keep


def check_records(
    estimator: BaseEstimator, X: Any, *, reset: bool, allow_nan: bool = True
) -> Records:
    """Validate texts or a table.

    Parameters
    ----------
    estimator : estimator instance
        Gets ``n_features_in_`` and ``feature_names_in_`` when `reset` is True, and is
        compared with them otherwise.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Texts, or a table.

    reset : bool
        Whether this is a call from ``fit``.

    allow_nan : bool, default=True
        Whether a table may have missing values.

    Returns
    -------
    records : Records
        The records. Texts are a table with one column, called ``"text"``.

    Raises
    ------
    ValueError, TypeError
        If `X` is empty, of the wrong shape, or holds what is no text.
    """
    if isinstance(X, str):
        raise ValueError("X is a single str: pass a list of texts.")
    if isinstance(X, list | tuple) and not X:
        raise ValueError("X is empty: found 0 sample(s), at least 1 is required.")
    if is_text(X):
        texts = check_texts(X)
        validate_data(estimator, np.array(texts, object)[:, None], reset=reset, **_ANY)
        return Records(
            {TEXT_COLUMN: texts}, {TEXT_COLUMN: "str"}, len(texts), True, True
        )
    finite = "allow-nan" if allow_nan else True
    # A frame as objects: one type for all columns would change the values of some.
    dtype = object if hasattr(X, "columns") else None
    table = validate_data(
        estimator,
        X.astype(object) if hasattr(X, "iloc") else X,
        reset=reset,
        dtype=dtype,
        ensure_all_finite=finite,
    )
    given = getattr(estimator, "feature_names_in_", None)
    names = parameter_names(
        [f"x{i}" for i in range(table.shape[1])] if given is None else given
    )
    values = [[_scalar(value) for value in column] for column in _columns(X, table)]
    columns = dict(zip(names, values, strict=True))
    kinds = dict(zip(names, _column_kinds(X, table), strict=True))
    text = set(kinds.values()) == {"str"} and len(names) == 1
    text = text and all(isinstance(v, str | None) for v in columns[names[0]])
    return Records(columns, kinds, len(table), text, given is not None)


# What validate_data lets through for texts, which are validated already.
_ANY: dict[str, Any] = {"dtype": None, "ensure_all_finite": False}


def _columns(X: Any, table: np.ndarray) -> list[list[Any]]:
    """Take each column with the types that it has by itself."""
    if hasattr(X, "iloc"):
        return [X.iloc[:, j].tolist() for j in range(X.shape[1])]
    if hasattr(X, "get_columns"):
        return [column.to_list() for column in X.get_columns()]
    if table.dtype.kind == "M":  # nanoseconds have no Python type
        table = table.astype("datetime64[us]")
    return [table[:, j].tolist() for j in range(table.shape[1])]


def _column_kinds(X: Any, table: np.ndarray) -> list[str]:
    """Name what each column holds, from its type and not from its values."""
    # pandas has a Series of types, polars a list.
    types = X.dtypes if hasattr(X, "dtypes") else [table.dtype] * table.shape[1]
    return [_kind(str(_value_type(dtype)).lower()) for dtype in types]


def _value_type(dtype: Any) -> Any:
    """Look through a categorical type of pandas at the type of its values."""
    return getattr(getattr(dtype, "categories", None), "dtype", dtype)


def _kind(dtype: str) -> str:
    if dtype.startswith("bool"):
        return "bool"
    if dtype.startswith(("int", "uint")):
        return "int"
    if dtype.startswith(("float", "double", "halffloat", "decimal")):
        return "float"
    if dtype.startswith(("str", "object", "<u", "category", "enum", "utf8")):
        return "str"
    return "str (ISO date)" if dtype.startswith(("date", "time")) else "str"


def _scalar(value: Any) -> Any:
    if type(value) in _SCALARS:
        return None if isinstance(value, float) and math.isnan(value) else value
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        return _scalar(value.item())
    if isinstance(value, bytes):
        raise TypeError("a value is bytes, not str: decode it first.")
    return value.isoformat() if isinstance(value, date) else str(value)
