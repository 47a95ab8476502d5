"""See what a correction of programs would change, before it is made."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone

from .. import programs as _programs
from ..data import UNLABELED, Classes, Records, check_records, read_labels
from ..label_model import LabelModelAggregator
from ..programs import LabelingProgram
from ..votes import (
    ABSTAIN,
    agreement,
    conflicts,
    contradicted,
    coverage,
    overlaps,
)
from ._comparison_result import Flip, Pair, ProgramChange, ProgramComparison
from ._escaping import plain, write_record
from ._find_programs import find_programs

_N_EXAMPLES = 3


def compare_programs(
    old: Any,
    new: Any,
    X: Any,
    y: ArrayLike | None = None,
    *,
    classes: Any = None,
) -> ProgramComparison:
    """See which labels other programs would change, before they are taken.

    Nothing is asked and nothing is fitted but a label model for the votes of each side,
    so that only the programs make a difference.

    Parameters
    ----------
    old, new : labeler, annotator, path, or list of LabelingProgram or callable
        Programs before and after: a folder as `export_programs` writes it, programs, or
        a fitted `ProgramSynthesisLabeler`, pipeline or annotator that has some.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Texts, or a table.

    y : array-like of shape (n_samples,), default=None
        Gold labels, some of which may be missing, to add accuracies.

    classes : list, or dict of class to description, default=None
        The classes, where neither side is a fitted labeler; None takes them from `y`.

    Returns
    -------
    comparison : ProgramComparison
        Which records change their label, by class and with examples; coverage, overlap,
        conflict and accuracy of each program.

    Raises
    ------
    ValueError
        If nothing tells the classes, or there are no programs.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram
    >>> from sklearn_alchemist.inspection import compare_programs
    >>> old, new = (
    ...     LabelingProgram("win", f"def label(text): return {answer}")
    ...     for answer in (
    ...         "'spam' if 'win' in text else None",
    ...         "'ham' if 'wind' in text else None",
    ...     )
    ... )
    >>> compared = compare_programs(
    ...     [old], [new], ["win now", "wind"], classes=["ham", "spam"]
    ... )
    >>> [(flip.before, flip.after, flip.positions) for flip in compared.flips]
    [('spam', None, (0,)), ('spam', 'ham', (1,))]
    """
    fitted = [_fitted(side) for side in (old, new)]
    known = [found.labeler for found in fitted if found is not None]
    names = _class_names(known, classes, y)
    sides = [
        _Side.of(given, found, known, names, X)
        for given, found in zip((old, new), fitted, strict=True)
    ]
    gold = np.full(len(sides[0].votes), ABSTAIN)
    if y is not None:
        gold = Classes.of_names(names).encode(y, n_samples=len(gold), strict=False)
    before, after = (side.labels for side in sides)
    return ProgramComparison(
        programs=_changes(sides, gold),
        flips=_flips(sides, gold, names),
        coverage=_pair((before != ABSTAIN).mean(), (after != ABSTAIN).mean()),
        conflict=_pair(*(contradicted(side.votes).mean() for side in sides)),
        accuracy=_pair(*(_share_right(labels, gold) for labels in (before, after))),
        n_rows=len(gold),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Side:
    """Programs, their votes on the records, and the labels that these make."""

    programs: list[LabelingProgram]
    votes: np.ndarray
    labels: np.ndarray
    records: Records

    @classmethod
    def of(
        cls, given: Any, found: Any, known: Sequence[Any], names: np.ndarray, X: Any
    ) -> "_Side":
        labeler = found.labeler if found is not None else None
        like = labeler if labeler is not None else (known[0] if known else None)
        if found is not None:
            X = found.before_programs(X)
        reader = BaseEstimator() if like is None else like
        records = check_records(reader, X, reset=like is None)
        sandbox = "auto" if like is None else like.sandbox
        if labeler is not None:
            programs, classes = labeler.programs_, labeler.classes_
        else:
            described = names.tolist()
            columns = {name: c.name for name, c in records.columns.items()}
            programs = _programs.load_programs(
                _listed_programs(given), described, columns=columns, sandbox=sandbox
            )
            classes = names
        if not programs:
            raise ValueError("there are no programs to compare: give at least one.")
        result = _programs.run_programs(
            programs,
            records.columns,
            classes.tolist(),
            timeout=1.0 if like is None else like.timeout,
            n_jobs=None if like is None else like.n_jobs,
            sandbox=sandbox,
        )
        places = np.array([*np.searchsorted(names, classes), ABSTAIN])
        votes = places[result.votes]
        aggregator = None if found is None else found.aggregator
        return cls(list(programs), votes, _labels(votes, names, aggregator), records)


def _fitted(side: Any) -> Any:
    """Find the programs of a fitted estimator; None for a folder or a list."""
    if isinstance(side, str | os.PathLike | list | tuple):
        return None
    return find_programs(side)


def _listed_programs(given: Any) -> Any:
    if isinstance(given, str | os.PathLike):
        return given
    return list(given)


def _class_names(
    labelers: Sequence[Any], classes: Any, y: ArrayLike | None
) -> np.ndarray:
    """Classes of both sides, sorted."""
    listed = [labeler.classes_ for labeler in labelers]
    if not listed and classes is None and y is None:
        raise ValueError(
            "nothing tells the classes: give classes, or a fitted labeler as old or "
            "new."
        )
    if classes is not None and not listed:
        return Classes.listed(classes).names
    if not listed:
        labels = [c for c in read_labels(y) if c is not None and c != UNLABELED]
        return np.unique(labels)
    return np.unique(np.concatenate(listed))


def _labels(votes: np.ndarray, names: np.ndarray, aggregator: Any) -> np.ndarray:
    """Labels that a label model of these votes gives; -1 where nobody votes."""
    if not isinstance(aggregator, LabelModelAggregator):
        aggregator = LabelModelAggregator()
    model = clone(aggregator).set_params(
        classes=list(range(len(names))), program_groups=None, semi_supervised=False
    )
    heard = (votes != ABSTAIN).any(axis=1)
    labels = np.full(len(votes), ABSTAIN)
    if heard.any():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            labels[heard] = model.fit(votes).predict(votes[heard])
    return labels


def _changes(sides: Sequence[_Side], gold: np.ndarray) -> tuple[ProgramChange, ...]:
    """Compare programs of the same name."""
    places = [{p.name: j for j, p in enumerate(side.programs)} for side in sides]
    told = [_statistics(side, gold) for side in sides]
    changes = []
    for name in dict.fromkeys([*places[0], *places[1]]):
        where = [place.get(name) for place in places]
        columns = [
            np.full(len(gold), ABSTAIN) if j is None else side.votes[:, j]
            for j, side in zip(where, sides, strict=True)
        ]
        shown = {
            key: _pair(
                *(
                    None if j is None else values[key][j]
                    for j, values in zip(where, told, strict=True)
                )
            )
            for key in told[0]
        }
        changes.append(
            ProgramChange(
                program=name,
                status=_status(sides, where),
                n_votes=int((columns[0] != columns[1]).sum()),
                **shown,
            )
        )
    return tuple(changes)


def _status(sides: Sequence[_Side], where: Sequence[int | None]) -> str:
    old, new = where
    if old is None or new is None:
        return "new" if old is None else "gone"
    return "same" if sides[0].programs[old] == sides[1].programs[new] else "changed"


def _statistics(side: _Side, gold: np.ndarray) -> dict[str, np.ndarray]:
    votes = side.votes
    return {
        "coverage": coverage(votes),
        "overlap": overlaps(votes),
        "conflict": conflicts(votes),
        "accuracy": agreement(votes, gold),
    }


def _flips(
    sides: Sequence[_Side], gold: np.ndarray, names: np.ndarray
) -> tuple[Flip, ...]:
    before, after = (side.labels for side in sides)
    changed = _changed_votes(sides)
    pairs, place = np.unique(
        np.stack([before, after], axis=1), axis=0, return_inverse=True
    )
    flips = []
    for k, (old, new) in enumerate(pairs.tolist()):
        if old == new:
            continue
        rows = np.flatnonzero(place.ravel() == k)
        n_changed: dict[str, int] = {
            name: int(votes[rows].sum()) for name, votes in changed.items()
        }
        known = (gold[rows] != ABSTAIN).any()
        involved = [name for name, n in n_changed.items() if n]
        flips.append(
            Flip(
                before=None if old == ABSTAIN else plain(names[old]),
                after=None if new == ABSTAIN else plain(names[new]),
                positions=tuple(rows.tolist()),
                examples=_examples(sides[0].records, rows[:_N_EXAMPLES]),
                programs=tuple(sorted(involved, key=lambda name: -n_changed[name])),
                n_right=_gained(gold[rows], old, new) if known else None,
            )
        )
    return tuple(sorted(flips, key=lambda flip: -len(flip.positions)))


def _gained(gold: np.ndarray, old: int, new: int) -> int:
    """Gold labels that are met, less those that are lost."""
    known = gold[gold != ABSTAIN]
    return int((known == new).sum() - (known == old).sum())


def _changed_votes(sides: Sequence[_Side]) -> dict[str, np.ndarray]:
    """Whether the vote of each program changes on each row."""
    nothing = np.full(len(sides[0].votes), ABSTAIN)
    by_name = [
        dict(zip([p.name for p in side.programs], side.votes.T, strict=True))
        for side in sides
    ]
    return {
        name: by_name[0].get(name, nothing) != by_name[1].get(name, nothing)
        for name in dict.fromkeys([*by_name[0], *by_name[1]])
    }


def _share_right(labels: np.ndarray, gold: np.ndarray) -> float:
    known = gold != ABSTAIN
    return float((labels[known] == gold[known]).mean()) if known.any() else np.nan


def _examples(records: Records, rows: np.ndarray) -> tuple[str, ...]:
    columns = {
        name: list(column)
        for name, column in records.take(rows.tolist()).items()
        if name in records.kinds
    }
    return tuple(write_record(columns, place) for place in range(len(rows)))


def _pair(before: float | None, after: float | None) -> Pair:
    return _number(before), _number(after)


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
