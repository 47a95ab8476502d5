"""Make a container of one record, in whatever form a person has it at hand."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

_ONE = "give one record: a text, a row as a dict or tuple, or X.iloc[[i]] of a table"


def one_row(x: Any, names: list[str] | None, *, is_text: bool) -> Any:
    """Make a container with one row that estimators take as X.

    Parameters
    ----------
    x : object
        A text, a mapping or a series of the columns, a sequence of values, or a
        container that has one row; anything else is taken as it is, such as an image.
    names : list of str or None
        Names of the columns, where they have some.
    is_text : bool
        Whether the records are texts.

    Returns
    -------
    X : container of one row

    Raises
    ------
    ValueError
        If it is more than one row, or lacks a column.
    """
    if isinstance(x, str | os.PathLike):
        return [os.fspath(x)]
    if isinstance(x, Mapping):
        return _frame(dict(x), names)
    shape = getattr(x, "shape", None)
    if shape is not None and len(shape) == 2:
        if shape[0] != 1:
            raise ValueError(f"x has {shape[0]} rows: {_ONE}.")
        return x
    if hasattr(x, "index") and hasattr(x, "to_dict") and not isinstance(x, list):
        values = x.to_dict()  # a row of pandas
        return list(values.values()) if is_text else _frame(values, names)
    is_values = isinstance(x, list | tuple) or (shape is not None and len(shape) == 1)
    if not is_values:
        return [x]
    values = list(x)
    if len(values) == 1 and isinstance(values[0], list | tuple | np.ndarray):
        values = list(values[0])
    if is_text:
        if len(values) != 1:
            raise ValueError(f"x has {len(values)} texts: {_ONE}.")
        return values
    if names is None:
        return [values]
    if len(values) != len(names):
        raise ValueError(
            f"x has {len(values)} values, and the columns are {', '.join(names)}: "
            f"{_ONE}."
        )
    return _frame(dict(zip(names, values, strict=True)), names)


def _frame(values: dict[Any, Any], names: list[str] | None) -> Any:
    """Make a table of one row, with the columns in the order of `fit`."""
    if names is None:
        return [list(values.values())]
    missing = [name for name in names if name not in values]
    if missing:
        raise ValueError(
            f"x lacks the column {missing[0]!r}; the columns are {', '.join(names)}."
        )
    row = {name: [values[name]] for name in names}
    for library, make in (("pandas", "DataFrame"), ("polars", "DataFrame")):
        try:
            return getattr(__import__(library), make)(row)
        except ImportError:
            continue
    # Structured: a table with names that NumPy alone can hold.
    kinds = [(name, object) for name in names]
    return np.array([tuple(values[name] for name in names)], dtype=kinds)
