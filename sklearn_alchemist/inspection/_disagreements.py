"""Find the records whose label depends most on which program is believed."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..data import check_records
from ..votes import ABSTAIN, contradicted
from ._escaping import (
    align,
    escape,
    in_one_line,
    mark,
    plain,
    plain_data,
    section,
    table,
    write_record,
)
from ._find_programs import FoundPrograms, find_programs

_SHOWN_RECORD = 60


@dataclass(frozen=True, slots=True)
class Side:
    """Programs that vote for one class, and what follows if they are believed.

    Parameters
    ----------
    vote : scalar
        The class.
    programs : tuple of str
        Names of the programs.
    label : scalar
        The label if those that vote otherwise abstained.
    confidence : float
        Its probability then.
    """

    vote: Any
    programs: tuple[str, ...]
    label: Any
    confidence: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A record on which programs vote differently.

    Parameters
    ----------
    position : int
        Where it is in `X`.
    record : str
        What it holds.
    label : scalar
        Its label.
    confidence : float
        The probability of that.
    change : float
        How far the probabilities move at most if one side is believed, from 0 to 1.
    sides : tuple of Side
        One for each class that is voted for, most programs first.
    """

    position: int
    record: str
    label: Any
    confidence: float
    change: float
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Records that depend on which program is believed; printed, a table.

    Parameters
    ----------
    found : tuple of Disagreement
        The label of the first changes most.
    n_rows : int
        Number of records on which programs vote differently.
    """

    found: tuple[Disagreement, ...]
    n_rows: int

    @property
    def positions(self) -> np.ndarray:
        """Where the records are in `X`.

        Returns
        -------
        positions : ndarray of int
        """
        return np.array([one.position for one in self.found], dtype=int)

    def __len__(self) -> int:
        return len(self.found)

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain values.

        Returns
        -------
        values : dict
            Of str, numbers, lists and dicts only.
        """
        return plain_data(asdict(self))

    def __str__(self) -> str:
        rows = [_cells(one) for one in self.found]
        return align([_HEADER, *rows], right=(0, 2)) if rows else _NONE

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self.found:
            return section(f"<p>{_NONE}</p>")
        rows = []
        for one in self.found:
            *cells, _ = _cells(one)
            rows.append([*map(escape, cells), mark(one.record, [])])
        return section(table(_HEADER, rows))


def disagreements(annotator: Any, X: Any, n: int = 10) -> Disagreements:
    """Find the records whose label changes most if one of the programs is believed.

    Of records on which programs vote differently, each side is believed in turn: those
    that vote otherwise are taken to abstain. To read such records tells which program
    is to be corrected. Records on which the same programs say the same come after
    others.

    Parameters
    ----------
    annotator : DistilledAnnotator, or Pipeline of a labeler and an aggregator
        Fitted.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Texts, or a table.

    n : int, default=10
        Most records to return.

    Returns
    -------
    disagreements : Disagreements
        The records, with their ``positions`` in `X`, who votes for what, and the label
        if they were right.

    Raises
    ------
    TypeError
        If nothing makes labels of the votes.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_alchemist import (
    ...     LabelingProgram, LabelModelAggregator, ProgramSynthesisLabeler
    ... )
    >>> from sklearn_alchemist.inspection import disagreements
    >>> programs = [
    ...     LabelingProgram("link", "def label(text): return 'http' in text or None"),
    ...     LabelingProgram("song", "def label(text): return 'song' not in text"),
    ... ]
    >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=programs)
    >>> pipeline = make_pipeline(labeler, LabelModelAggregator(classes=[False, True]))
    >>> texts = ["http://a.example", "my song", "song: http://b.example", "free"]
    >>> found = disagreements(pipeline.fit(texts), texts)
    >>> found.positions, found.found[0].sides[1].programs
    (array([2]), ('link',))
    """
    check_is_fitted(annotator)
    found = find_programs(annotator)
    aggregator = found.aggregator
    if not hasattr(aggregator, "predict_proba"):
        raise TypeError(
            f"{type(annotator).__name__} makes no labels of votes: give a fitted "
            "DistilledAnnotator, or a pipeline of a labeler and a LabelModelAggregator."
        )
    if found.annotator is None:
        taken = found.before_programs(X)
        votes = np.asarray(found.labeler.transform(taken), dtype=int)
        student = None
        proba = aggregator.predict_proba(votes)
    else:
        said = annotator._opinions(X, ask_all=True)
        votes, student, proba = np.asarray(said.votes, int), said.student, said.proba
    rows = np.flatnonzero(contradicted(votes))
    if not len(rows):
        return Disagreements((), 0)
    believed = _believed(found, votes[rows], None if student is None else student[rows])
    change = np.abs(believed - proba[rows, np.newaxis]).sum(axis=2) / 2
    change = np.nan_to_num(change, nan=-1.0).max(axis=1)
    chosen = _spread(votes[rows], change)[:n]
    some = check_records(found.labeler, found.before_programs(X), reset=False)
    columns = {
        name: list(column)
        for name, column in some.take(rows[chosen].tolist()).items()
        if name in some.kinds
    }
    listed = []
    for place, k in enumerate(chosen):
        row = rows[k]
        best = int(proba[row].argmax())
        listed.append(
            Disagreement(
                position=int(row),
                record=write_record(columns, place),
                label=plain(aggregator.classes_[best]),
                confidence=float(proba[row, best]),
                change=float(change[k]),
                sides=_sides(votes[row], believed[k], found),
            )
        )
    return Disagreements(tuple(listed), len(rows))


def _believed(
    found: FoundPrograms, votes: np.ndarray, student: np.ndarray | None
) -> np.ndarray:
    """Probabilities if only those were heard that vote for each class; NaN for none."""
    annotator, aggregator = found.annotator, found.aggregator
    n_classes = len(aggregator.classes_)
    believed = np.full((len(votes), int(votes.max()) + 1, n_classes), np.nan)
    for k in range(believed.shape[1]):
        rows = np.flatnonzero((votes == k).any(axis=1))
        if not len(rows):
            continue
        heard = np.where(votes[rows] == k, k, ABSTAIN)
        proba = aggregator.predict_proba(heard)
        if student is not None:
            proba = annotator._combine(student[rows], proba)
        believed[rows, k] = proba
    return believed


def _spread(votes: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Order rows by change; those with the votes of an earlier one come later."""
    order = np.argsort(-change, kind="stable")
    seen: dict[bytes, int] = {}
    turns = np.empty(len(order), dtype=int)
    for place, row in enumerate(order):
        key = votes[row].tobytes()
        turns[place] = seen[key] = seen.get(key, -1) + 1
    return order[np.argsort(turns, kind="stable")]


def _sides(
    votes: np.ndarray, believed: np.ndarray, found: FoundPrograms
) -> tuple[Side, ...]:
    names = [program.name for program in found.labeler.programs_]
    sides = []
    for k in np.unique(votes[votes != ABSTAIN]):
        best = int(believed[k].argmax())
        sides.append(
            Side(
                vote=plain(found.labeler.classes_[k]),
                programs=tuple(names[j] for j in np.flatnonzero(votes == k)),
                label=plain(found.aggregator.classes_[best]),
                confidence=float(believed[k, best]),
            )
        )
    return tuple(sorted(sides, key=lambda side: -len(side.programs)))


_NONE = "Programs vote differently on no record."
_HEADER = ["position", "label", "change", "if believed", "record"]


def _cells(one: Disagreement) -> list[str]:
    sides = "; ".join(
        f"{side.label} ({side.confidence:.2f}): {', '.join(side.programs)}"
        for side in one.sides
    )
    return [
        str(one.position),
        in_one_line(f"{one.label} ({one.confidence:.2f})", 40),
        f"{one.change:.2f}",
        in_one_line(sides, 100),
        in_one_line(one.record, _SHOWN_RECORD),
    ]
