"""Tell records apart by what they say: equal ones share one question and one answer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from ..data import UNLABELED, Classes
from ._reader_accuracy import NO_ANSWER


def record_key(row: Any) -> str:
    """Name a record without saying it.

    Parameters
    ----------
    row : str or dict
        A text, or a dict of column to value.

    Returns
    -------
    key : str
        First digits of a SHA-256.
    """
    written = json.dumps(row, sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def first_occurrences(keys: Sequence[str]) -> np.ndarray:
    """Say for each record which is the first that equals it.

    Parameters
    ----------
    keys : sequence of str
        Names of the records.

    Returns
    -------
    positions : ndarray of int of shape (n_records,)
        Positions of the first ones.

    Examples
    --------
    >>> from sklearn_alchemist.cascade import first_occurrences
    >>> first_occurrences(["a", "b", "a"])
    array([0, 1, 0])
    """
    places: dict[str, int] = {}
    return np.array([places.setdefault(k, i) for i, k in enumerate(keys)], dtype=int)


def spread_answers(
    answers: Mapping[int, Any], keys: Sequence[str], classes: np.ndarray
) -> np.ndarray:
    """Read what people said of some records, for all that equal them.

    Parameters
    ----------
    answers : dict of int to class
        Position -> class; a missing class is no answer.

    keys : sequence of str
        Names of all records.

    classes : ndarray of shape (n_classes,)
        The classes.

    Returns
    -------
    codes : ndarray of int of shape (n_records,)
        Class indices, -1 where there is no answer.

    Raises
    ------
    ValueError
        If a position is none, a class is none, or equal records got two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.cascade import spread_answers
    >>> spread_answers({0: "no"}, ["x", "y", "x"], np.array(["no", "yes"]))
    array([ 0, -1,  0])
    """
    for position in answers:
        known = isinstance(position, Integral) and not isinstance(position, bool)
        if not known or not 0 <= int(position) < len(keys):
            raise ValueError(
                f"answers holds {position!r}, which is no position of the {len(keys)} "
                "records, counted from 0."
            )
    given = list(answers.values())
    codes = Classes.of_names(classes).encode(
        given, n_samples=len(given), what="answers"
    )
    said: dict[str, tuple[int, int]] = {}
    names = classes.tolist()
    for position, code in zip(answers, codes.tolist(), strict=True):
        if code == UNLABELED:
            continue
        other, before = said.setdefault(keys[position], (position, code))
        if before != code:
            raise ValueError(
                f"records {other} and {position} are equal, and answers calls one "
                f"{names[before]!r} and the other {names[code]!r}: give one class "
                "for both."
            )
    spread = [said[key][1] if key in said else NO_ANSWER for key in keys]
    return np.array(spread, dtype=int)
