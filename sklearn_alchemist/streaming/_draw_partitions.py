"""Draw records of Dask partitions, and count their votes, where they lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..data import check_records, draw_by_hash
from ..votes import ABSTAIN
from ._dask import count_votes, merge_counts
from ._estimator_digest import without_jobs


@dataclass(frozen=True, eq=False)
class Drawn:
    """Records that were drawn, and how often each row of votes occurs in all.

    Parameters
    ----------
    n_rows : int
        Number of records that there are.

    records : DataFrame, Series or list
        Those that were drawn.

    hashes : ndarray of uint64 of shape (n_drawn,)
        Their hashes.

    votes : ndarray of shape (n_drawn, n_programs) or None
        What is voted on them; None where nobody voted.

    counted : tuple of (ndarray, ndarray) or None
        The different rows of votes of all records, and how many have each.
    """

    n_rows: int
    records: Any
    hashes: np.ndarray
    votes: np.ndarray | None
    counted: tuple[np.ndarray, np.ndarray] | None


def draw_from_partitions(
    X: Any, n_drawn: int, *, seed: int = 0, labeler: Any = None
) -> Drawn:
    """Draw different records at random, the same ones however they are partitioned.

    Parameters
    ----------
    X : dask DataFrame, Series or Bag
        The records.

    n_drawn : int
        Most records to draw; of those on which a program votes, and of those on which
        none does, if there is a labeler.

    seed : int, default=0
        Decides which.

    labeler : transformer, default=None
        Fitted; votes on all records.

    Returns
    -------
    drawn : Drawn
        No process holds more than two partitions' share of it at a time.

    Raises
    ------
    TypeError
        If the collection is of another kind.
    """
    import dask

    if (kind := type(X).__name__) not in {"DataFrame", "Series", "Bag"}:
        raise TypeError(f"X is a Dask {kind}: pass a Dask DataFrame, Series or Bag.")
    shipped = None
    if labeler is not None:
        shipped = dask.delayed(without_jobs(labeler), pure=False)
    draw, merge = dask.delayed(_draw), dask.delayed(_merge)
    parts = [draw(part, n_drawn, seed, shipped) for part in X.to_delayed()]
    while len(parts) > 1:
        pairs = [parts[k : k + 2] for k in range(0, len(parts), 2)]
        parts = [merge(pair, n_drawn) for pair in pairs]
    (drawn,) = dask.compute(*parts)
    return drawn


def _draw(part: Any, n_drawn: int, seed: int, labeler: Any) -> Drawn:
    """Draw records of one partition."""
    records = part if hasattr(part, "iloc") else list(part)
    n_rows = len(records)
    hashes = np.empty(0, dtype=np.uint64)
    if n_rows:
        hashes = check_records(BaseEstimator(), records, reset=True).hashes(seed)
    votes = None if labeler is None else np.asarray(labeler.transform(records))
    counted = None if votes is None else count_votes(votes)
    return _lowest(Drawn(n_rows, records, hashes, votes, counted), n_drawn)


def _merge(parts: Sequence[Drawn], n_drawn: int) -> Drawn:
    """Draw from what was drawn from some partitions."""
    if len(parts) == 1:
        return parts[0]
    votes = [part.votes for part in parts if part.votes is not None]
    counted = [part.counted for part in parts if part.counted is not None]
    return _lowest(
        Drawn(
            sum(part.n_rows for part in parts),
            _join([part.records for part in parts]),
            np.concatenate([part.hashes for part in parts]),
            np.concatenate(votes) if votes else None,
            merge_counts(counted) if counted else None,
        ),
        n_drawn,
    )


def _lowest(drawn: Drawn, n_drawn: int) -> Drawn:
    """Keep the records with the lowest hashes."""
    votes, records = drawn.votes, drawn.records
    kinds = None if votes is None else (votes != ABSTAIN).any(axis=1)
    rows = draw_by_hash(drawn.hashes, n_drawn, kinds)
    if hasattr(records, "iloc"):
        records = records.iloc[rows]
    else:
        records = [records[row] for row in rows.tolist()]
    votes = None if votes is None else votes[rows]
    return Drawn(drawn.n_rows, records, drawn.hashes[rows], votes, drawn.counted)


def _join(parts: list[Any]) -> Any:
    """Put records of partitions one behind the other; types are those of the first."""
    if not hasattr(parts[0], "iloc"):
        return [record for part in parts for record in part]
    import pandas as pd

    filled = [part for part in parts if len(part)]
    return pd.concat(filled) if filled else parts[0]
