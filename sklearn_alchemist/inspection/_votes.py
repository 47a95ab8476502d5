"""Get the votes that are drawn, and check those that are given."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..votes import ABSTAIN
from ._findings import reach_in
from ._parts import FoundPrograms, find_programs


def votes_of(estimator: Any, X: Any) -> tuple[FoundPrograms, np.ndarray]:
    """Run the programs of an estimator."""
    inner, taken = reach_in(estimator, X)
    found = find_programs(inner)
    return found, found.labeler.run(found.before_programs(taken)).votes


def names_of(found: FoundPrograms) -> list[str]:
    """Name the programs of a labeler."""
    return [program.name for program in found.labeler.programs_]


def check_votes(
    votes: ArrayLike, classes: ArrayLike | None
) -> tuple[np.ndarray, list[str]]:
    """Return votes as a matrix, and the names of the classes."""
    votes = np.asarray(votes)
    if votes.ndim != 2 or votes.dtype.kind not in "iu":
        raise ValueError(
            "votes must be a matrix of integers, one column a program; got shape "
            f"{votes.shape} and type {votes.dtype}."
        )
    highest = int(votes.max(initial=ABSTAIN))
    names = as_names(np.arange(highest + 1) if classes is None else np.asarray(classes))
    if votes.min(initial=0) < ABSTAIN or highest >= len(names):
        raise ValueError(
            f"votes must lie between -1 and {len(names) - 1}, the last of "
            f"{len(names)} classes; got {votes.min(initial=0)} to {highest}."
        )
    return votes.astype(int), names


def check_names(names: Sequence[str] | None, n: int) -> list[str] | None:
    """Return the names of programs, one for each."""
    if names is not None and len(names) != n:
        raise ValueError(f"program_names has {len(names)} names for {n} programs.")
    return None if names is None else [str(name) for name in names]


def as_names(names: np.ndarray) -> list[str]:
    """Write classes as text."""
    return [str(name) for name in names.tolist()]
