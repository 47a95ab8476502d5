"""Show votes as tables that users of other libraries know."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._utils import require
from ._encoding import ABSTAIN, vote_dtype
from ._statistics import conflicts, coverage, overlaps, polarity

if TYPE_CHECKING:
    import pandas as pd


def lf_summary(
    L: ArrayLike, y: ArrayLike | None = None, names: Iterable[str] | None = None
) -> "pd.DataFrame":
    """Summarise programs in the columns of Snorkel's ``LFAnalysis.lf_summary``.

    Parameters
    ----------
    L : array-like of shape (n_samples, n_programs)
        Votes, -1 where a program abstains. A DataFrame names the programs.

    y : array-like of shape (n_samples,), default=None
        True class indices, -1 where the class is not known.

    names : iterable of str, default=None
        Names of the programs; the columns of `L`, or numbers, if None.

    Returns
    -------
    summary : pandas.DataFrame
        One row a program: j, Polarity (the classes that it votes), Coverage, Overlaps
        and Conflicts; with `y` also Correct, Incorrect and Emp. Acc. (NaN for a program
        without a vote on a labelled sample).

    Raises
    ------
    ValueError
        If `L` is no matrix of integers from -1 on, or `y` has another length.

    Examples
    --------
    >>> from sklearn_alchemist.votes import lf_summary
    >>> lf_summary([[0, -1], [1, 1], [0, 0]], y=[0, 1, 1], names=["a", "b"])
       j Polarity  Coverage  Overlaps  Conflicts  Correct  Incorrect  Emp. Acc.
    a  0   [0, 1]  1.000000  0.666667        0.0        2          1   0.666667
    b  1   [0, 1]  0.666667  0.666667        0.0        1          1   0.500000
    """
    pd = require("pandas", needed_by="lf_summary")

    if names is None and hasattr(L, "columns"):
        names = [str(column) for column in L.columns]
    votes = np.asarray(L)
    columns: dict[str, Any] = {
        "j": np.arange(votes.shape[1]) if votes.ndim == 2 else [],
        "Polarity": [np.flatnonzero(ever).tolist() for ever in polarity(votes)],
        "Coverage": coverage(votes),
        "Overlaps": overlaps(votes),
        "Conflicts": conflicts(votes),
    }
    if y is not None:
        labels = np.asarray(y)
        if labels.shape != votes.shape[:1]:
            raise ValueError(
                f"y must have one label for each of the {len(votes)} rows of votes, "
                f"got shape {labels.shape}."
            )
        judged = (votes != ABSTAIN) & (labels != ABSTAIN)[:, None]
        right = judged & (votes == labels[:, None])
        n_right, n_judged = right.sum(axis=0), judged.sum(axis=0)
        accuracy = np.full(len(n_right), np.nan)
        np.divide(n_right, n_judged, out=accuracy, where=n_judged > 0)
        columns |= {
            "Correct": n_right,
            "Incorrect": n_judged - n_right,
            "Emp. Acc.": accuracy,
        }
    return pd.DataFrame(columns, index=None if names is None else list(names))


def from_long(answers: Any, classes: Iterable[Any] | None = None) -> "pd.DataFrame":
    """Turn one line per answer, as crowd-kit has it, into a matrix of votes.

    Parameters
    ----------
    answers : DataFrame
        The columns task, worker and label. Of several answers of a worker to a task,
        the last one counts; missing labels are abstentions.

    classes : iterable, default=None
        All classes, where the answers do not hold all of them.

    Returns
    -------
    votes : pandas.DataFrame of shape (n_tasks, n_workers)
        Votes: the index of the label in the sorted classes, -1 where a worker gave no
        answer. Tasks are the index, workers the columns, as strings;
        ``votes.attrs["classes"]`` holds the sorted classes, to be given to
        :class:`~sklearn_alchemist.LabelModelAggregator`.

    Raises
    ------
    ValueError
        If a column is missing, or a label is none of the classes.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_alchemist.votes import from_long
    >>> answers = pd.DataFrame(
    ...     {"task": [1, 1, 2], "worker": ["x", "y", "x"], "label": ["b", "a", "a"]}
    ... )
    >>> votes = from_long(answers)
    >>> votes.to_numpy()
    array([[ 1,  0],
           [ 0, -1]], dtype=int8)
    >>> votes.attrs["classes"]
    ['a', 'b']
    """
    pd = require("pandas", needed_by="from_long")

    frame = answers.to_pandas() if hasattr(answers, "to_pandas") else answers
    missing = [c for c in ("task", "worker", "label") if c not in frame.columns]
    if missing:
        raise ValueError(
            f"answers must have the columns task, worker and label; {missing} are not "
            f"among {list(frame.columns)}."
        )
    tasks, workers = pd.unique(frame["task"]), pd.unique(frame["worker"])
    frame = frame.drop_duplicates(["task", "worker"], keep="last")
    given = frame[frame["label"].notna()]
    seen = given["label"].unique().tolist()
    names = np.unique(np.array(seen if classes is None else list(classes))).tolist()
    unknown = [label for label in seen if label not in names]
    if unknown:
        raise ValueError(f"label holds {unknown[:5]}, which is none of {names}.")
    votes = np.full((len(tasks), len(workers)), ABSTAIN, vote_dtype(max(len(names), 1)))
    place = {label: k for k, label in enumerate(names)}
    rows = pd.Index(tasks).get_indexer(given["task"])
    columns = pd.Index(workers).get_indexer(given["worker"])
    votes[rows, columns] = given["label"].map(place).to_numpy()
    table = pd.DataFrame(
        votes,
        index=pd.Index(tasks, name="task"),
        columns=pd.Index([str(worker) for worker in workers], name="worker"),
    )
    table.attrs["classes"] = names
    return table


def to_long(L: ArrayLike, classes: Iterable[Any] | None = None) -> "pd.DataFrame":
    """Turn a matrix of votes into one line per vote, as crowd-kit reads it.

    Parameters
    ----------
    L : array-like of shape (n_samples, n_programs)
        Votes, -1 where a program abstains. Of a DataFrame, the index names the tasks
        and the columns name the workers.

    classes : iterable, default=None
        Labels to write for the votes 0, 1, ..., once they are sorted. If None, those
        that `from_long` left in ``L.attrs``, or else the votes themselves.

    Returns
    -------
    answers : pandas.DataFrame of shape (n_votes, 3)
        The columns task, worker and label.

    Raises
    ------
    ValueError
        If `L` is no matrix of integers from -1 on.

    Examples
    --------
    >>> from sklearn_alchemist.votes import to_long
    >>> to_long([[0, -1], [1, 1]], classes=["ham", "spam"])
       task  worker label
    0     0       0   ham
    1     1       0  spam
    2     1       1  spam
    """
    pd = require("pandas", needed_by="to_long")

    frame = L if isinstance(L, pd.DataFrame) else pd.DataFrame(np.asarray(L))
    votes = frame.to_numpy()
    polarity(votes)  # raises if these are no votes
    if classes is None:
        classes = frame.attrs.get("classes")
    rows, columns = np.nonzero(votes != ABSTAIN)
    labels = votes[rows, columns]
    if classes is not None:
        names = np.unique(np.array(list(classes)))
        if labels.max(initial=0) >= len(names):
            raise ValueError(
                f"L holds the vote {labels.max()}, but there are {len(names)} classes."
            )
        labels = names[labels]
    return pd.DataFrame(
        {"task": frame.index[rows], "worker": frame.columns[columns], "label": labels}
    )
