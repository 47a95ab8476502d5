"""Summarise how each program votes, agrees, fails and what time it takes."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._utils import require
from ..data import Classes
from ..exceptions import ProgramWarning
from ..votes import ABSTAIN, agreement, conflicts, coverage, overlaps, polarity
from ._escaping import align, write_table
from ._find_programs import find_programs

if TYPE_CHECKING:
    import pandas as pd

_MICROSECONDS = 1e6


@dataclass(frozen=True, eq=False)
class ProgramSummary:
    """One line a program, as arrays.

    Printed, it is a table; in a notebook too. `to_frame` makes a DataFrame of it.

    Parameters
    ----------
    columns : dict of str to ndarray of shape (n_programs,)
        ``program``: name.

        ``classes``: number of classes that it votes for.

        ``coverage``: share of the records on which it votes.

        ``overlap``: share of the records on which it and another program vote.

        ``conflict``: share of the records on which another program disagrees with it.

        ``alone``: number of records on which no other program votes, so that their
        label rests on its vote.

        ``agreement``: share of its votes that equal the consensus.

        ``accuracy``: share of its votes that equal gold labels, where they were given.

        ``failures``: number of records on which it raised an error, took too long or
        returned what is no class.

        ``us_per_row``: microseconds a record.
    """

    columns: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def to_frame(self) -> "pd.DataFrame":
        """Make a DataFrame with the programs' names as its index.

        Returns
        -------
        frame : pandas.DataFrame
            One row a program. Needs pandas.
        """
        pd = require("pandas", needed_by="to_frame")

        return pd.DataFrame(dict(self.columns)).set_index("program")

    def _cells(self) -> list[list[str]]:
        formatted = [_format(name, values) for name, values in self.columns.items()]
        return [list(self.columns), *map(list, zip(*formatted, strict=True))]

    def __str__(self) -> str:
        return align(self._cells())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return write_table(self._cells())


def program_summary(
    labeler: Any, X: Any, y: ArrayLike | None = None, *, aggregator: Any = None
) -> ProgramSummary:
    """Run programs and summarise each of them.

    Parameters
    ----------
    labeler : ProgramSynthesisLabeler, Pipeline that has one, or DistilledAnnotator
        Fitted. Of a pipeline the steps before the labeler are applied to `X`; where an
        aggregator is its last step, that gives the consensus.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Texts, or a table.

    y : array-like of shape (n_samples,), default=None
        Gold labels, to add the accuracy of each program. Rows whose label is missing
        do not count.

    aggregator : classifier, default=None
        Fitted on votes; its predictions are the consensus. None takes that of an
        annotator or a pipeline, and the majority vote for a labeler.

    Returns
    -------
    summary : ProgramSummary
        One line a program: number of classes it votes for, coverage, overlap and
        conflict as shares of the records, number of records on which it votes alone,
        agreement with the consensus as a share of its votes, number of failures, and
        microseconds a record.

    Raises
    ------
    TypeError
        If `labeler` has no programs, such as a pipeline without a labeler.

    ValueError
        If `y` holds what is no class.

    Examples
    --------
    >>> from sklearn_alchemist import ProgramSynthesisLabeler
    >>> from sklearn_alchemist.inspection import program_summary
    >>> from sklearn_alchemist.programs import LabelingProgram
    >>> link = LabelingProgram(
    ...     "link", "def label(text): return 'spam' if 'http' in text else None"
    ... )
    >>> labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[link])
    >>> texts = ["http://a.example", "nice song", "http://b.example", "first!"]
    >>> summary = program_summary(labeler.fit(texts), texts, ["spam", "ham"] * 2)
    >>> summary["coverage"], summary["accuracy"]
    (array([0.5]), array([1.]))
    """
    found = find_programs(labeler)
    aggregator = found.aggregator if aggregator is None else aggregator
    X, labeler = found.before_programs(X), found.labeler
    with warnings.catch_warnings():
        # The table says what this warning would say.
        warnings.simplefilter("ignore", ProgramWarning)
        result = labeler.run(X)
    votes, classes = result.votes, labeler.classes_
    voted = votes != ABSTAIN
    alone = voted & (np.count_nonzero(voted, axis=1) == 1)[:, None]
    columns = {
        "program": np.array([program.name for program in labeler.programs_], object),
        "classes": polarity(votes, len(classes)).sum(axis=1),
        "coverage": coverage(votes),
        "overlap": overlaps(votes),
        "conflict": conflicts(votes),
        "alone": np.count_nonzero(alone, axis=0),
        "agreement": agreement(votes, _consensus(votes, classes, aggregator)),
        "failures": np.array([sum(kinds.values()) for kinds in result.failures]),
        "us_per_row": _MICROSECONDS * result.seconds / max(len(votes), 1),
    }
    if y is not None:
        gold = Classes.of_names(classes).encode(y, n_samples=len(votes))
        columns["accuracy"] = agreement(votes, gold)
    return ProgramSummary(columns)


def _consensus(votes: np.ndarray, classes: np.ndarray, aggregator: Any) -> np.ndarray:
    """Class index of each record; -1 where there is none, or no single one."""
    if aggregator is not None:
        return Classes.of_names(classes).encode(aggregator.predict(votes), strict=False)
    shares = np.stack([(votes == k).sum(axis=1) for k in range(len(classes))], axis=1)
    tied = (shares == shares.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return np.where(tied, ABSTAIN, shares.argmax(axis=1))


def _format(name: str, values: np.ndarray) -> list[str]:
    if name == "us_per_row":
        return [f"{value:.0f}" if value >= 10 else f"{value:.1f}" for value in values]
    if values.dtype.kind == "f":
        return ["-" if np.isnan(value) else f"{value:.3f}" for value in values]
    return [str(value) for value in values]
