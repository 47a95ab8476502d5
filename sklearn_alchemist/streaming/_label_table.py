"""Turn what a fitted labeler or annotator says of a batch into a table."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ProgramWarning
from ..votes import ABSTAIN
from ._spending import Spent

if TYPE_CHECKING:
    import pyarrow as pa

VOTES, FAILURES = "votes", "sklearn_alchemist.failures"
RESULTS = ("label", "confidence", "flag", "doubt", "source", VOTES)
"""Columns that may be written for each row."""


@dataclass(frozen=True)
class Inputs:
    """Which columns of a file an estimator takes, and how.

    Parameters
    ----------
    columns : tuple of str
        Their names in the file, in the order of the estimator.

    is_text : bool
        Whether it was fitted to texts, so that it takes one column as a sequence.
    """

    columns: tuple[str, ...]
    is_text: bool

    def csv_types(self) -> "dict[str, pa.DataType]":
        """Let texts of CSV files stay texts, whatever they look like."""
        import pyarrow as pa

        return dict.fromkeys(self.columns, pa.string()) if self.is_text else {}

    def take(self, batch: "pa.Table") -> Any:
        """Give a batch as the estimator was given its training data."""
        if not self.is_text:
            return batch.select(list(self.columns))
        return batch.column(self.columns[0])


def find_inputs(
    estimator: Any, columns: Sequence[str] | str | None, known: Sequence[str]
) -> Inputs:
    """Find the columns that an estimator takes.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    columns : sequence of str, str or None
        What the user says; None takes the names that it was fitted with, and for texts
        the column ``text``, or the only one.

    known : sequence of str
        Names of the columns of the file.

    Returns
    -------
    inputs : Inputs
        The columns.

    Raises
    ------
    ValueError
        If columns are missing, or it is not clear which is meant.
    """
    names = getattr(estimator, "feature_names_in_", None)
    n_features = int(getattr(estimator, "n_features_in_", 1))
    is_text = names is None and n_features == 1
    if columns is None:
        if names is not None:
            columns = [str(name) for name in names]
        elif is_text and ("text" in known or len(known) == 1):
            columns = ["text" if "text" in known else known[0]]
        elif not is_text and len(known) == n_features:
            columns = list(known)
        else:
            what = "the one that holds the texts" if is_text else "those fitted to"
            raise ValueError(
                f"the source has the columns {', '.join(known)}: name {what} in "
                "columns (--columns on the command line)."
            )
    columns = [columns] if isinstance(columns, str) else list(columns)
    missing = [name for name in columns if name not in known]
    if missing:
        raise ValueError(
            f"the source has no column {missing[0]!r}; its columns are "
            f"{', '.join(known)}."
        )
    if len(columns) != n_features:
        raise ValueError(
            f"columns names {len(columns)} columns, and {type(estimator).__name__} was "
            f"fitted to {n_features}."
        )
    return Inputs(tuple(columns), is_text)


def label_batch(
    estimator: Any, X: Any, kept: "pa.Table"
) -> tuple["pa.Table", dict[str, dict[str, int]], Spent]:
    """Label a batch.

    Parameters
    ----------
    estimator : estimator
        A fitted annotator, or a labeler that only votes.

    X : array-like
        The records.

    kept : pyarrow.Table
        Columns of the source that go into the result.

    Returns
    -------
    table : pyarrow.Table
        The columns kept; of an annotator ``label``, ``confidence``, ``flag``, ``doubt``
        and ``source``; and ``votes``, a struct of a class a program, null where one
        abstains.

    failures : dict of str to dict
        Program -> kind of failure -> number of rows.

    spent : Spent
        What a model was asked for.
    """
    failures: dict[str, dict[str, int]] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        columns, spent = _columns(estimator, X)
    for warning in caught:
        said = warning.message
        if isinstance(said, ProgramWarning) and said.failures:
            add_failures(failures, said.failures)
        else:
            warnings.warn_explicit(
                said, warning.category, warning.filename, warning.lineno
            )
    table = kept
    for name, values in columns.items():
        table = table.append_column(result_name(name, kept.column_names), values)
    return table, failures, spent


def result_name(name: str, kept: Sequence[str]) -> str:
    """Say what a column of results is called beside those that are kept.

    Parameters
    ----------
    name : str
        What it is called if it may.

    kept : sequence of str
        Names of the columns that are copied.

    Returns
    -------
    name : str
        The name.
    """
    return f"{name} (label)" if name in kept else name


def add_failures(
    total: dict[str, dict[str, int]], more: Mapping[str, Mapping[str, int]]
) -> None:
    """Add numbers of failed rows, by program and kind, to others."""
    for program, kinds in more.items():
        counted = total.setdefault(program, {})
        for kind, n_rows in kinds.items():
            counted[kind] = counted.get(kind, 0) + int(n_rows)


def _columns(estimator: Any, X: Any) -> tuple[dict[str, Any], Spent]:
    import pyarrow as pa

    classes = estimator.classes_
    if not hasattr(estimator, "annotate"):
        names = [str(name) for name in estimator.get_feature_names_out()]
        votes = np.asarray(estimator.transform(X))
        return {VOTES: _votes(votes, names, classes)}, Spent()
    said = estimator.annotate(X)
    columns = {
        "label": pa.array(said.label.tolist(), _type_of(classes)),
        "confidence": pa.array(np.asarray(said.confidence, dtype=np.float32)),
        "flag": pa.array(said.flag),
    }
    for name in ("doubt", "source"):
        if name in said:
            columns[name] = pa.array(said[name].tolist(), pa.string())
    if "votes" in said:
        columns[VOTES] = _votes(said.votes, [str(n) for n in said.programs], classes)
    return columns, Spent.of_annotation(said)


def _type_of(classes: np.ndarray) -> Any:
    """Type of labels, the same in every part."""
    import pyarrow as pa

    return pa.array(classes.tolist()).type


def _votes(votes: np.ndarray, names: list[str], classes: np.ndarray) -> Any:
    """Write votes as classes, so that files can be read without the labeler."""
    import pyarrow as pa

    dictionary = pa.array(classes.tolist())
    fields = []
    for place in range(votes.shape[1]):
        codes = votes[:, place].astype(np.int32)
        indices = pa.array(codes, mask=codes == ABSTAIN)
        fields.append(pa.DictionaryArray.from_arrays(indices, dictionary))
    return pa.StructArray.from_arrays(fields, names=names)
