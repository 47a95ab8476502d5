"""Validate texts and tables: the one place for what estimators take as X."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .._utils import warn
from ._columns import Column, to_list
from ._containers import Opened, open_container
from ._labels import WRITTEN_MISSING, is_missing
from ._parameter_names import parameter_names
from ._sampling import draw_rows
from ._values import STR, plain_values

TEXT_COLUMN = "text"


@dataclass(frozen=True)
class Records:
    """Validated records, column by column.

    Parameters
    ----------
    columns : dict of str to Column
        Values of each column as Python scalars, None where one is missing, converted
        when they are read; the names are those that programs use as parameters.

    n_rows : int
        Number of records.

    is_text : bool
        Whether the records are texts: one column of strings.

    is_named : bool
        Whether the names came with the data, rather than being made up.

    is_sequence : bool
        Whether the texts came in one dimension, rather than as a table.
    """

    columns: Mapping[str, Column]
    n_rows: int
    is_text: bool
    is_named: bool
    is_sequence: bool = False

    @cached_property
    def kinds(self) -> dict[str, str]:
        """What each column holds that can be read, such as "str" or "float"."""
        kinds = {name: column.kind for name, column in self.columns.items()}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    def sample(self, n_rows: int) -> dict[str, Column]:
        """Draw records at random, the same ones whenever it is asked.

        Parameters
        ----------
        n_rows : int
            Most records to take.

        Returns
        -------
        columns : dict of str to Column
            The same columns, shorter.
        """
        return self.take(draw_rows(self.n_rows, n_rows).tolist())

    def take(self, rows: Sequence[int]) -> dict[str, Column]:
        """Take some records.

        Parameters
        ----------
        rows : sequence of int
            Their positions.

        Returns
        -------
        columns : dict of str to Column
            The same columns, shorter.
        """
        return {name: column.take(rows) for name, column in self.columns.items()}

    def texts(self) -> list[str]:
        """Read the only column of texts.

        Returns
        -------
        texts : list of str
            The texts, "" where one is missing.
        """
        (column,) = self.columns.values()
        return ["" if text is None else text for text in column]

    def rows(self, positions: Sequence[int] | None = None) -> list[Any]:
        """Write records as texts, or as dicts of their columns.

        Parameters
        ----------
        positions : sequence of int, default=None
            Which records; all of them if None.

        Returns
        -------
        rows : list of str or dict
            What can be read of each record.
        """
        columns = self.columns if positions is None else self.take(positions)
        if self.is_text:
            (column,) = columns.values()
            return ["" if text is None else text for text in column]
        rows = zip(*(columns[name] for name in self.kinds), strict=True)
        return [dict(zip(self.kinds, row, strict=True)) for row in rows]

    def hashes(self, seed: int = 0) -> np.ndarray:
        """Hash records by what they hold, the same in every process.

        Parameters
        ----------
        seed : int, default=0
            Other seeds give other hashes.

        Returns
        -------
        hashes : ndarray of uint64 of shape (n_rows,)
            Equal records have equal hashes; others hardly ever do.
        """
        if self.is_text:
            written: Iterable[str] = self.texts()
        else:
            written = map(repr, self.array().tolist())
        key = seed.to_bytes(8, "little")
        digests = [
            hashlib.blake2b(
                one.encode("utf-8", "surrogatepass"), digest_size=8, key=key
            ).digest()
            for one in written
        ]
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)

    def array(self) -> np.ndarray:
        """Read all columns into one array of objects.

        Returns
        -------
        array : ndarray of shape (n_rows, n_columns)
            Python scalars, None where one is missing or a column cannot be read.
        """
        array = np.full((self.n_rows, len(self.columns)), None, dtype=object)
        for j, column in enumerate(self.columns.values()):
            with suppress(TypeError):
                array[:, j] = column.values
        return array


def check_records(
    estimator: BaseEstimator, X: Any, *, reset: bool, allow_nan: bool = True
) -> Records:
    """Validate texts or a table.

    Parameters
    ----------
    estimator : estimator instance
        Gets ``n_features_in_`` and ``feature_names_in_`` when `reset` is True, and is
        compared with them otherwise. Whether it takes texts or tables is decided then,
        too, and remembered.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Texts, or a table.

    reset : bool
        Whether this is a call from ``fit``, which needs at least one record.

    allow_nan : bool, default=True
        Whether a table may have missing values.

    Returns
    -------
    records : Records
        The records. Texts are a table with one column, called ``"text"``.

    Raises
    ------
    ValueError, TypeError
        If `X` is empty in ``fit``, of the wrong shape, or holds what is no text.

    Warns
    -----
    AlchemistWarning
        In ``fit``, if a text is what NumPy and pandas write for a missing value.
    """
    opened = open_container(X)
    n_columns = len(opened.loads)
    if reset and opened.n_rows == 0:
        raise ValueError(
            f"X is empty: found 0 sample(s) (shape=(0, {n_columns})) while a minimum "
            "of 1 is required."
        )
    if n_columns == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape=({opened.n_rows}, 0)) while a "
            "minimum of 1 is required."
        )
    if opened.is_sequence and opened.n_rows == 0:
        return _no_records(estimator)
    takes_texts = None if reset else getattr(estimator, "_takes_texts", None)
    if opened.is_sequence:
        texts = _read_sequence(opened, takes_texts)
        _check_features(estimator, opened, reset=reset)
        if reset:
            _warn_of_written_missing(texts)
        columns = {TEXT_COLUMN: Column(TEXT_COLUMN, len(texts), lambda: texts)}
        if reset:
            estimator._takes_texts = True
        return Records(columns, len(texts), True, True, is_sequence=True)
    _check_features(estimator, opened, reset=reset)
    if isinstance(X, np.ndarray) and X.dtype.kind in "fO" and not _has_mask(X):
        _check_numbers(X, allow_nan)
    if reset and isinstance(X, np.ndarray) and X.dtype.kind == "U":
        _warn_of_written_missing(X.ravel().tolist())
    given = getattr(estimator, "feature_names_in_", None)
    names = [f"x{i}" for i in range(n_columns)] if given is None else given.tolist()
    columns = {
        parameter: Column(str(name), opened.n_rows, load)
        for parameter, name, load in zip(
            parameter_names(names), names, opened.loads, strict=True
        )
    }
    if not (allow_nan or (isinstance(X, np.ndarray) and X.dtype.kind in "biuf")):
        _refuse_missing(columns)
    if takes_texts is None:
        takes_texts = n_columns == 1 and next(iter(columns.values())).kind == STR
    elif takes_texts:
        (column,) = columns.values()
        _check_texts(column, allow_missing=True)
    if reset:
        estimator._takes_texts = takes_texts
    return Records(columns, opened.n_rows, takes_texts, given is not None)


def read_columns(table: Any) -> list[list[Any]]:
    """Read all columns of a table that belongs to records, such as their groups.

    Parameters
    ----------
    table : array-like of shape (n_samples,) or (n_samples, n_columns)
        In any container that is taken for X.

    Returns
    -------
    columns : list of list
        Python scalars, None where one is missing.

    Raises
    ------
    ValueError, TypeError
        If it is no such container.
    """
    return [plain_values(to_list(load())) for load in open_container(table).loads]


def _has_mask(X: np.ndarray) -> bool:
    return isinstance(X, np.ma.MaskedArray)


def _no_records(estimator: BaseEstimator) -> Records:
    """Make records of an empty list, which has as many columns as are needed."""
    n_columns = getattr(estimator, "n_features_in_", 1)
    is_text = getattr(estimator, "_takes_texts", n_columns == 1)
    given = getattr(estimator, "feature_names_in_", None)
    names = [f"x{i}" for i in range(n_columns)] if given is None else given.tolist()
    names = [TEXT_COLUMN] if is_text and given is None else parameter_names(names)
    columns = {name: Column(name, 0, list) for name in names}
    is_named = is_text or given is not None
    return Records(columns, 0, is_text, is_named, is_sequence=True)


def _read_sequence(opened: Opened, takes_texts: bool | None) -> list[str]:
    """Read one dimension as texts, or say why it is none."""
    values = to_list(opened.loads[0]())
    holds_texts = any(isinstance(value, str | bytes) for value in values)
    if takes_texts is False and holds_texts:
        raise ValueError(
            "X holds texts, but this estimator was fitted to a table: pass a table "
            "with the same columns, of one record as in table.iloc[[0]]."
        )
    if values and all(map(is_missing, values)):
        _check_texts(values)
    if not holds_texts and not takes_texts:
        raise ValueError(
            "Expected 2D array, got 1D array instead. Reshape your data either using "
            "array.reshape(-1, 1) if your data has a single feature or "
            "array.reshape(1, -1) if it contains a single sample; texts must be str."
        )
    if set(map(type, values)) == {str}:
        return values
    _check_texts(values)
    return plain_values(values)  # np.str_ is a str that JSON would keep


def _check_texts(values: Sequence[Any], *, allow_missing: bool = False) -> None:
    """Raise for what is no text, with its position."""
    for i, text in enumerate(values):
        if isinstance(text, str) or (allow_missing and text is None):
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


def _warn_of_written_missing(values: Sequence[str]) -> None:
    """Hint at a text that was a missing value before it came into an array of str."""
    for written in {*WRITTEN_MISSING}.intersection(values):
        warn(
            f"X holds the text {written!r} ({values.count(written)} of {len(values)}, "
            f"first at position {values.index(written)}), which is what NumPy and "
            "pandas make of a missing value among strings. If it is one, drop it or "
            "write '' before strings are made; if it is a text, all is well."
        )


def _check_features(estimator: BaseEstimator, opened: Opened, *, reset: bool) -> None:
    """Compare names and number of columns with those of ``fit``, or keep them."""
    if not (reset or hasattr(estimator, "n_features_in_")):
        return  # fitted without data
    if opened.names is None or not isinstance(opened.X, np.ndarray):
        validate_data(estimator, opened.X, reset=reset, skip_check_array=True)
        return
    # A container of which scikit-learn reads no names.
    names = np.array(opened.names, dtype=object)
    if reset:
        estimator.feature_names_in_, estimator.n_features_in_ = names, len(names)
    elif not np.array_equal(getattr(estimator, "feature_names_in_", names), names):
        raise ValueError(
            "The feature names should match those that were passed during fit, in the "
            f"same order: {estimator.feature_names_in_.tolist()}."
        )
    elif len(names) != estimator.n_features_in_:
        raise ValueError(
            f"X has {len(names)} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )


def _check_numbers(X: np.ndarray, allow_nan: bool) -> None:
    """Raise for infinity, and for NaN where that is not allowed."""
    check_array(
        X,
        dtype=None,
        ensure_all_finite="allow-nan" if allow_nan else True,
        ensure_min_samples=0,
        input_name="X",
    )


def _refuse_missing(columns: Mapping[str, Column]) -> None:
    for name, column in columns.items():
        if column.kind is not None and None in column.values:
            raise ValueError(
                f"Input X contains NaN or a missing value in column {name!r}, which "
                "the estimator does not take: put an imputer in front of it."
            )
