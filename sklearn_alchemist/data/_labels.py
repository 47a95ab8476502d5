"""Read labels from whatever holds them, as Python scalars."""

import re
from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from .._utils import warn
from ..exceptions import ClassesWarning

UNLABELED = -1
"""The code of a missing label; in labels it means the same unless it is a class."""
WRITTEN_MISSING = ("nan", "NaN", "NaT", "<NA>")
"""What NumPy and pandas make of a missing label among strings."""

_PLAIN = {str, int, bool, type(None)}


def is_missing(value: Any) -> bool:
    """Tell whether a scalar is None, NaN, NaT or pandas' NA.

    Parameters
    ----------
    value : object
        Any scalar.

    Returns
    -------
    missing : bool
        Whether it stands for no value.
    """
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # pandas.NA has no truth value
        return True
    except ValueError:  # a nested sequence
        return False


def read_labels(y: Any) -> list[Any]:
    """Read labels as str, int, float or bool, None where one is missing.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)
        A list, tuple or ndarray of any type, or a column of pandas, polars or pyarrow.

    Returns
    -------
    labels : list
        Python scalars. What is masked is missing, as None, NaN, NA and NaT are; a -1
        stays, since it may be a class.

    Raises
    ------
    TypeError
        If `y` has no order or no length, or holds bytes or dates.

    ValueError
        If `y` has more than one column.

    Warns
    -----
    DataConversionWarning
        If `y` is a column of a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.data import read_labels
    >>> read_labels(["ham", None, np.str_("spam"), float("nan")])
    ['ham', None, 'spam', None]
    """
    values = _values(y)
    types = set(map(type, values))
    if types <= _PLAIN:
        return values
    if types <= _PLAIN | {float}:
        return [None if value != value else value for value in values]
    return [_plain(value) for value in values]


def without_mask(array: np.ma.MaskedArray) -> np.ndarray:
    """Write None where an array is masked.

    Parameters
    ----------
    array : masked array
        Of any type.

    Returns
    -------
    values : ndarray of object
        Of the same shape.
    """
    values = array.data.astype(object)
    values[np.ma.getmaskarray(array)] = None  # to fill with None means something else
    return values


def label_array(y: Any, classes: np.ndarray | None = None) -> np.ndarray:
    """Read complete labels as an array that scikit-learn takes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels, in any form that `read_labels` takes.

    classes : ndarray of shape (n_classes,) or None, default=None
        The classes of an estimator. What marks a missing label is one then, unless it
        is a class: -1, and what NumPy and pandas make of missing strings. Labels that
        are no class are taken, as a fold may have lacked theirs.

    Returns
    -------
    labels : ndarray of shape (n_samples,)
        Labels of one kind.

    Raises
    ------
    ValueError
        If labels are missing, strings are mixed with numbers, or no label is a class
        and they are classes written in another way.

    Warns
    -----
    ClassesWarning
        If no label is a class.

    Examples
    --------
    >>> import polars as pl
    >>> from sklearn_alchemist.data import label_array
    >>> label_array(pl.Series(["ham", "spam"]))
    array(['ham', 'spam'], dtype='<U4')
    """
    labels = read_labels(y)
    marks: set[Any] = {None}
    if classes is not None:
        marks |= {UNLABELED, str(UNLABELED), *WRITTEN_MISSING} - {*classes.tolist()}
    for position, label in enumerate(labels):
        if label in marks:
            raise ValueError(
                f"y holds a missing label at position {position} ({label!r}): leave "
                "out what has no label."
            )
    check_one_kind(labels, "y")
    if classes is not None and labels:
        _check_any_is_class({*labels}, classes.tolist())
    return np.array(labels)


def _check_any_is_class(labels: set[Any], classes: list[Any]) -> None:
    """Raise or warn where no label is a class, so that all predictions look wrong."""
    if not labels.isdisjoint(classes):
        return
    shown = sorted(labels)
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    message = (
        f"none of the labels in y is a class: y holds {shown[:5]}{more}, and the "
        f"classes are {classes}."
    )
    strings = isinstance(shown[0], str)
    if strings != isinstance(classes[0], str) or not {*map(_folded, labels)}.isdisjoint(
        map(_folded, classes)
    ):
        raise ValueError(f"{message} Write labels as the classes are written.")
    warn(f"{message} All predictions count as wrong.", ClassesWarning)


def _folded(label: Any) -> str:
    """Write a label without case, and without what stands between its words."""
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", "", str(label).strip().casefold())


def check_one_kind(labels: Iterable[Any], name: str) -> None:
    """Raise where strings are mixed with numbers, which nothing can sort.

    Parameters
    ----------
    labels : iterable
        Python scalars.

    name : str
        What to call them.

    Raises
    ------
    ValueError
        If they are mixed.
    """
    kinds: dict[bool, Any] = {}
    for label in labels:
        kinds.setdefault(isinstance(label, str), label)
    if len(kinds) > 1:
        raise ValueError(
            f"{name} must be all strings or all numbers, got {kinds[True]!r} and "
            f"{kinds[False]!r}."
        )


def _values(y: Any) -> list[Any]:
    """Take the elements out of a container of one column."""
    unordered = isinstance(y, str | bytes | Mapping | Set) or hasattr(y, "tocsr")
    if unordered or not (hasattr(y, "__len__") or hasattr(y, "__array__")):
        raise TypeError(
            f"y is a {type(y).__name__}: pass a list or an array of labels, in the "
            "order of the samples."
        )
    if isinstance(y, np.ma.MaskedArray):
        y = without_mask(y)
    if len(getattr(y, "shape", ())) == 2 or _is_nested(y):
        y = column_or_1d(_as_objects(y), warn=True)
    for convert in ("to_pylist", "to_list"):  # pyarrow; polars and pandas
        if hasattr(y, convert):
            return getattr(y, convert)()
    if isinstance(y, list | tuple):
        return list(y)
    labels = np.asarray(y)
    if labels.ndim != 1:
        labels = column_or_1d(labels, warn=True)
    if labels.dtype.kind == "M":  # nanoseconds would come out as integers
        labels = labels.astype("datetime64[us]")
    return labels.tolist()


def _is_nested(y: Any) -> bool:
    return isinstance(y, list | tuple) and any(isinstance(v, list | tuple) for v in y)


def _as_objects(table: Any) -> np.ndarray:
    """Keep the types of the values of a table."""
    if isinstance(table, np.ndarray):
        return table
    if hasattr(table, "iloc") or isinstance(table, list | tuple):
        return np.array(table, dtype=object)
    # pyarrow counts columns by a method, polars by position.
    take = table.column if hasattr(table, "column") else lambda j: table[:, j]
    columns = [_values(take(j)) for j in range(table.shape[1])]
    return np.array(columns, dtype=object).T


def _plain(label: Any) -> Any:
    if is_missing(label):
        return None
    if isinstance(label, np.generic) and not isinstance(label, np.datetime64):
        label = label.item()
    if isinstance(label, Decimal):
        label = int(label) if label == label.to_integral_value() else float(label)
    if isinstance(label, str):
        return str(label)  # of NumPy's, and of an enum's
    if isinstance(label, bool | int | float):
        return label
    advice = "decode it" if isinstance(label, bytes) else "write it as a str"
    raise TypeError(
        f"a label is {type(label).__name__}, neither a str nor a number: {advice} "
        "first."
    )
