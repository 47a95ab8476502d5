"""Find rows that are equal, so that programs run on each of them once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False, slots=True)
class Distinct:
    """Rows that differ, in the order in which they come first.

    Parameters
    ----------
    first : ndarray of shape (n_distinct,)
        The first row of each kind.
    inverse : ndarray of shape (n_rows,) or None
        Which of them each row equals; None where all rows differ.
    """

    first: np.ndarray
    inverse: np.ndarray | None

    def take(self, values: Sequence[Any]) -> Sequence[Any]:
        """Keep the values of distinct rows."""
        if self.inverse is None:
            return values
        return [values[row] for row in self.first.tolist()]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Give each row what its equal has."""
        return values if self.inverse is None else values[self.inverse]

    def count_finished(self, stops: Sequence[int]) -> list[int]:
        """Count the rows of each part of the distinct rows."""
        if self.inverse is None:
            ends = np.asarray(stops)
        else:
            sizes = np.bincount(self.inverse, minlength=len(self.first))
            ends = sizes.cumsum()[np.asarray(stops) - 1]
        return np.diff(ends, prepend=0).tolist()


def find_distinct(columns: Sequence[Sequence[Any]]) -> Distinct:
    """Find the distinct rows of columns.

    Values are equal if a program cannot tell them apart: ``1``, ``1.0`` and ``True``
    are not.

    Examples
    --------
    >>> from sklearn_alchemist.programs._equal_rows import find_distinct
    >>> distinct = find_distinct([["a", "b", "a"]])
    >>> distinct.first, distinct.inverse
    (array([0, 1]), array([0, 1, 0]))
    """
    keys = [[_key(value) for value in values] for values in columns]
    rows = keys[0] if len(keys) == 1 else list(zip(*keys, strict=True))
    numbers: dict[Any, int] = {}
    inverse = np.fromiter(
        (numbers.setdefault(row, len(numbers)) for row in rows), np.intp, len(rows)
    )
    if len(numbers) == len(rows):
        return Distinct(np.arange(len(rows)), None)
    first = np.full(len(numbers), len(rows))
    np.minimum.at(first, inverse, np.arange(len(rows)))
    return Distinct(first, inverse)


def _key(value: Any) -> Any:
    """Make values equal only if they are the same."""
    if type(value) is str:
        return value
    # The sign of zero shows, and NaN differs from itself.
    return type(value), value.hex() if type(value) is float else value
