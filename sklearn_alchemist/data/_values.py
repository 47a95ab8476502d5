"""Turn values into the Python scalars that programs get, and say what they are."""

import json
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from ._labels import is_missing

BOOL, INT, FLOAT, STR = "bool", "int", "float", "str"
DATE = "str (ISO date)"
DATETIME = "str (ISO date and time)"
TIME = "str (ISO time)"
SECONDS = "float (seconds)"
JSON = "str (JSON)"

_PLAIN = {str, int, bool, type(None)}
# What values of a type are given as; the first that fits.
_KINDS: tuple[tuple[Any, str], ...] = (
    ((bool, np.bool), BOOL),
    # A duration of NumPy counts as an integer there.
    ((timedelta, np.timedelta64), SECONDS),
    ((int, np.integer), INT),
    ((float, np.floating, Decimal), FLOAT),
    (str, STR),
    ((datetime, np.datetime64), DATETIME),
    (date, DATE),
    (time, TIME),
    ((list, tuple, dict, set, frozenset, np.ndarray), JSON),
)


def plain_values(values: list[Any]) -> list[Any]:
    """Turn values into str, int, float, bool or None.

    Parameters
    ----------
    values : list
        Values of one column.

    Returns
    -------
    values : list
        Numbers as numbers, also where they are Decimals; durations in seconds; dates
        and times in ISO format; what is nested as JSON; None, NaN, NaT and NA as None;
        all else as str.

    Raises
    ------
    TypeError
        If a value is bytes.

    Examples
    --------
    >>> from decimal import Decimal
    >>> from sklearn_alchemist.data import plain_values
    >>> plain_values([Decimal("1.5"), float("nan"), "a"])
    [1.5, None, 'a']
    """
    types = set(map(type, values))
    if types <= _PLAIN:
        return values
    if types <= _PLAIN | {float}:
        if float in types and any(value != value for value in values):
            return [None if value != value else value for value in values]
        return values
    return [_plain(value) for value in values]


def kind_of_values(values: Iterable[Any]) -> str | None:
    """Say what `plain_values` makes of values.

    Parameters
    ----------
    values : iterable
        Values of one column, as they came.

    Returns
    -------
    kind : str or None
        Such as ``"float"`` or ``"str (ISO date)"``, several joined by "or"; None where
        values cannot be read.

    Examples
    --------
    >>> from sklearn_alchemist.data import kind_of_values
    >>> kind_of_values([1, 2.5, None])
    'float'
    """
    types = {type(value): value for value in values if not is_missing(value)}
    if any(issubclass(kind, bytes | bytearray | memoryview) for kind in types):
        return None
    kinds = {_kind_of_type(kind) for kind in types}
    if kinds <= {INT, FLOAT} and FLOAT in kinds:
        return FLOAT
    if kinds == {DATE, DATETIME}:
        return DATETIME
    # Text first: whoever reads no further should be ready for it.
    return " or ".join(sorted(kinds, key=lambda kind: (kind != STR, kind))) or STR


def kind_of_dtype(dtype: np.dtype) -> str | None:
    """Say what `plain_values` makes of an array without looking at its values.

    Parameters
    ----------
    dtype : dtype
        Type of the array.

    Returns
    -------
    kind : str or None
        Such as ``"float"``; None where only the values tell.
    """
    kinds = {"b": BOOL, "i": INT, "u": INT, "f": FLOAT, "U": STR, "T": STR}
    kinds |= {"M": DATETIME, "m": SECONDS}
    return kinds.get(dtype.kind)


def _kind_of_type(kind: type) -> str:
    return next((name for types, name in _KINDS if issubclass(kind, types)), STR)


def _plain(value: Any) -> Any:
    if type(value) is str:
        return value
    if is_missing(value):
        return None
    if isinstance(value, np.datetime64):  # nanoseconds have no Python type
        value = value.astype("datetime64[us]")
    elif isinstance(value, np.timedelta64):
        value = value.astype("timedelta64[us]")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | Decimal):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)  # the text of an enum's member, not its name
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("a value is bytes, not str: decode it first.")
    if isinstance(value, list | tuple | dict | set | frozenset | np.ndarray):
        value = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return json.dumps(value, default=_for_json, ensure_ascii=False)
    return str(value)


def _for_json(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else _plain(value)
