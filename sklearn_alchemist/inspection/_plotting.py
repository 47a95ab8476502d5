"""What all displays share: votes and names that are drawn, where, in which colours."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._utils import require
from ..votes import ABSTAIN
from ._escaping import printable
from ._find_programs import FoundPrograms, find_programs
from ._findings import reach_in

# Okabe and Ito's, which people with any colour vision tell apart.
COLOURS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#7f7f7f",
)
# From dark blue to yellow, alike for all kinds of colour vision.
COLOUR_MAP = "cividis"
# Where colours come again.
HATCHES = ("", "//", "xx", "..", "--")
# Of larger matrices, numbers and names could not be read.
MAX_WRITTEN = 15
MAX_NAMED = 60
# Longer names are cut.
_MAX_NAME = 40


def take_axes(ax: Any, display: Any) -> Any:
    """Take the axes of the user, or make some.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Where to draw.
    display : object
        Who draws.

    Returns
    -------
    ax : matplotlib Axes
    """
    if ax is None:
        name = f"{type(display).__name__}.plot"
        pyplot = require("matplotlib.pyplot", extra="plots", needed_by=name)
        # Names of programs are long, and legends lie beside.
        _, ax = pyplot.subplots(layout="constrained")
    return ax


def style_of(code: int) -> dict[str, str]:
    """Choose how to fill what stands for a class."""
    n = len(COLOURS)
    return {"color": COLOURS[code % n], "hatch": HATCHES[code // n % len(HATCHES)]}


def write_values(ax: Any, image: Any, values: Any) -> list[Any]:
    """Write numbers into the cells of a small matrix, dark on light and light on dark.

    Parameters
    ----------
    ax : matplotlib Axes
        Where it is drawn.
    image : matplotlib AxesImage
        The matrix.
    values : ndarray of shape (n_rows, n_columns)
        The numbers; NaN is left empty.

    Returns
    -------
    texts : list of matplotlib Text
    """
    if max(values.shape) > MAX_WRITTEN:
        return []
    texts = []
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            if value == value:  # no NaN
                red, green, blue, _ = image.cmap(image.norm(value))
                is_light = 0.3 * red + 0.6 * green + 0.1 * blue > 0.5
                colour = "black" if is_light else "white"
                written = f"{value:.2f}"
                texts.append(
                    ax.text(
                        column, row, written, ha="center", va="center", color=colour
                    )
                )
    return texts


def numbered(names: Sequence[str] | None, n: int) -> Sequence[str]:
    """Use numbers where there are no names."""
    return [str(place) for place in range(n)] if names is None else names


def name_ticks(axis: Any, names: Sequence[str], **style: Any) -> None:
    """Write the names of what is drawn, unless there are too many to be read."""
    if len(names) > MAX_NAMED:
        axis.set_ticks([])
        return
    axis.set_ticks(range(len(names)), [plain_name(name) for name in names], **style)


def plain_name(name: str) -> str:
    """Write a name so that it is no formula, and leaves room for the drawing."""
    shown = printable(name).replace("$", r"\$")
    return shown if len(shown) <= _MAX_NAME else f"{shown[:_MAX_NAME]}..."


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
