"""Hold what other programs would change, and write it for a terminal or a page."""

from dataclasses import asdict, dataclass
from typing import Any

from ._escaping import align, escape, in_one_line, mark, plain_data, section, table

_SHOWN_RECORD = 80

Pair = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class ProgramChange:
    """How one program votes before and after.

    Parameters
    ----------
    program : str
        Its name.
    status : {"same", "changed", "new", "gone"}
        Whether its source differs.
    n_votes : int
        Records on which its vote differs.
    coverage, overlap, conflict, accuracy : tuple of (float or None, float or None)
        Before and after: shares of the records on which it votes, another program votes
        too, another program disagrees; and of its votes that are right, where gold
        labels are known. None where there is no such program.
    """

    program: str
    status: str
    n_votes: int
    coverage: Pair
    overlap: Pair
    conflict: Pair
    accuracy: Pair


@dataclass(frozen=True, slots=True)
class Flip:
    """Records whose label changes from one class to another.

    Parameters
    ----------
    before, after : scalar or None
        The labels; None where no program votes.
    positions : tuple of int
        The records.
    examples : tuple of str
        What the first of them hold.
    programs : tuple of str
        Programs whose votes changed on these records, most changes first.
    n_right : int or None
        Records that get their gold label by that, less those that lose it; None
        without gold labels.
    """

    before: Any
    after: Any
    positions: tuple[int, ...]
    examples: tuple[str, ...]
    programs: tuple[str, ...]
    n_right: int | None


@dataclass(frozen=True, slots=True)
class ProgramComparison:
    """What other programs would change; printed, and in a notebook, tables.

    Parameters
    ----------
    programs : tuple of ProgramChange
        Those that were there, then those that are new.
    flips : tuple of Flip
        By class, most records first.
    coverage, conflict, accuracy : tuple of (float or None, float or None)
        Before and after: shares of the records on which any program votes, on which
        programs disagree, and, of those with gold labels, whose label is right. A
        record without votes has no label, which is never right.
    n_rows : int
        Number of records.
    """

    programs: tuple[ProgramChange, ...]
    flips: tuple[Flip, ...]
    coverage: Pair
    conflict: Pair
    accuracy: Pair
    n_rows: int

    @property
    def n_flips(self) -> int:
        """Number of records whose label changes.

        Returns
        -------
        n_flips : int
        """
        return sum(len(flip.positions) for flip in self.flips)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain values.

        Returns
        -------
        values : dict
            Of str, numbers, None, lists and dicts only.
        """
        return plain_data(asdict(self))

    def __str__(self) -> str:
        parts = [self._head(), ""]
        if self.flips:
            parts += [align([_FLIPPED, *map(_flip_cells, self.flips)], right=(2,)), ""]
        return "\n".join(
            [*parts, align([_CHANGED, *map(_change_cells, self.programs)])]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        flips = [
            [
                *map(escape, _flip_cells(flip)[:4]),
                "<br>".join(mark(text[:500], []) for text in flip.examples),
            ]
            for flip in self.flips
        ]
        changes = [[escape(cell) for cell in _change_cells(c)] for c in self.programs]
        shown = [f"<p>{escape(self._head())}</p>"]
        shown += [table(_FLIPPED, flips)] if flips else []
        return section(*shown, table(_CHANGED, changes))

    def _head(self) -> str:
        said = [f"{self.n_flips} of {self.n_rows} labels change"]
        for name in ("coverage", "conflict", "accuracy"):
            pair = getattr(self, name)
            if pair != (None, None):
                said.append(f"{name} {_arrow(pair)}")
        return "; ".join(said) + "."


def _arrow(pair: Pair) -> str:
    old, new = ("-" if value is None else f"{value:.3f}" for value in pair)
    return old if old == new else f"{old} -> {new}"


_FLIPPED = ["before", "after", "records", "by", "examples"]
_CHANGED = ["program", "status", "votes", "coverage", "overlap", "conflict", "accuracy"]


def _flip_cells(flip: Flip) -> list[str]:
    ends = (flip.before, flip.after)
    names = ["-" if end is None else in_one_line(str(end), 30) for end in ends]
    right = "" if flip.n_right is None else f" ({flip.n_right:+d} right)"
    by = in_one_line(", ".join(flip.programs), 40)
    example = in_one_line(flip.examples[0], _SHOWN_RECORD) if flip.examples else ""
    return [*names, f"{len(flip.positions)}{right}", by, example]


def _change_cells(change: ProgramChange) -> list[str]:
    pairs = (change.coverage, change.overlap, change.conflict, change.accuracy)
    name = in_one_line(change.program, 40)
    return [name, change.status, str(change.n_votes), *map(_arrow, pairs)]
