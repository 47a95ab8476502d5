"""Label Dask collections partition by partition, where they lie."""

from collections.abc import Iterable
from functools import wraps
from typing import Any, cast

import numpy as np

from .._utils import Method
from ..data import is_dask
from ..votes import collapse
from ._estimator_digest import without_jobs

MAX_MERGED = 1 << 20
"""Up to so many different rows of votes, merged counts of partitions are exact."""


def lazy_for_dask(method: Method) -> Method:
    """Let a method that labels records stay lazy for Dask collections.

    Parameters
    ----------
    method : callable
        A method ``(self, X, ...)`` of an estimator: ``transform``, ``predict``,
        ``predict_proba`` or ``annotate``.

    Returns
    -------
    method : callable
        The same for all else.
    """

    @wraps(method)
    def labelled(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        if is_dask(X):
            if args or kwargs.get("y") is not None:
                raise TypeError(
                    "labels cannot be given with a Dask collection: pass X.compute(), "
                    "or put them beside the result."
                )
            return map_partitions(self, method.__name__, X, **kwargs)
        return method(self, X, *args, **kwargs)

    return cast(Method, labelled)


def map_partitions(estimator: Any, method: str, X: Any, **parameters: Any) -> Any:
    """Call a method of a fitted estimator on each partition, when it is asked for.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    method : {"transform", "predict", "predict_proba", "annotate"}
        What is called.

    X : dask DataFrame, Series, Bag or Array
        The records; an array only where votes are the records.

    **parameters : dict
        Handed on to the method.

    Returns
    -------
    labels : dask DataFrame, Series, Bag or Array
        Votes, probabilities and annotations as a DataFrame with the index of `X`,
        labels as a Series; of a Bag a Bag of what belongs to each record, annotations
        as dicts.

    Raises
    ------
    TypeError
        If the collection is of another kind, or ``set_output`` asks for another
        container.
    """
    import dask

    if hasattr(estimator, "_sklearn_output_config") and any(
        how != "default" for how in estimator._sklearn_output_config.values()
    ):
        raise TypeError(
            "set_output does not apply to Dask collections, which come back as frames: "
            "use set_output(transform='default')."
        )
    shipped = dask.delayed(without_jobs(estimator), pure=False)
    kind = type(X).__name__
    if kind == "Bag":
        return X.map_partitions(_label_bag, shipped, method, parameters)
    if kind == "Array":
        return _map_array(estimator, shipped, method, X)
    if kind not in {"DataFrame", "Series"}:
        raise TypeError(f"X is a Dask {kind}: pass a Dask DataFrame, Series or Bag.")
    # No record is made up: of none, all methods know what the result looks like.
    meta = _label_frame(X._meta, estimator, method, parameters)
    return X.map_partitions(_label_frame, shipped, method, parameters, meta, meta=meta)


def collapse_partitions(X: Any) -> tuple[Any, np.ndarray]:
    """Count the different rows of votes of all partitions, where they lie.

    Parameters
    ----------
    X : dask Array or DataFrame of shape (n_samples, n_programs)
        Votes.

    Returns
    -------
    patterns : ndarray or DataFrame of shape (n_patterns, n_programs)
        The different rows, in lexicographic order, with the names of `X` if it has
        some.

    counts : ndarray of shape (n_patterns,)
        Number of rows of each.

    Notes
    -----
    Exact up to ``MAX_MERGED`` different rows. Beyond, so many are drawn at each merge,
    frequent ones surely and rare ones in proportion to their number, which they then
    stand for together: memory stays bounded, and so does what is sent.
    """
    import dask

    if type(X).__name__ == "Array":
        X = X.rechunk({1: -1})
    count, merge = dask.delayed(count_votes), dask.delayed(merge_counts)
    parts = [count(part) for part in np.ravel(X.to_delayed())]
    while len(parts) > 1:  # two at a time, so that no process holds them all
        parts = [merge(parts[k : k + 2]) for k in range(0, len(parts), 2)]
    patterns, counts = dask.compute(*parts)[0]
    if hasattr(X, "columns"):
        import pandas as pd

        return pd.DataFrame(patterns, columns=X.columns), counts
    return patterns, counts


def count_votes(votes: Any) -> tuple[np.ndarray, np.ndarray]:
    """Find the different rows of votes of one partition, and how often each occurs."""
    patterns, _, counts = collapse(np.asarray(votes))
    return patterns, counts


def merge_counts(
    counted: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    """Add up what was counted in some partitions."""
    votes = np.concatenate([patterns for patterns, _ in counted])
    weights = np.concatenate([counts for _, counts in counted]).astype(np.float64)
    patterns, _, counts = collapse(votes, weights)
    return _thin(patterns, counts)


def _thin(
    patterns: np.ndarray, counts: np.ndarray, n_most: int = MAX_MERGED
) -> tuple[np.ndarray, np.ndarray]:
    """Draw so many different rows that stand for all, if there are more."""
    if len(counts) <= n_most:
        return patterns, counts
    # What is as frequent as a step stays; of the others each step of their summed
    # numbers takes one, so that the number of rows stays what it is.
    frequent, step = np.zeros(len(counts), dtype=bool), 0.0
    while True:
        n_drawn = n_most - int(frequent.sum())
        step = counts[~frequent].sum() / n_drawn
        if not (more := ~frequent & (counts >= step)).any():
            break
        frequent |= more
    summed = np.cumsum(counts[~frequent])
    start = np.random.default_rng(n_most).uniform(0, step)
    places = np.searchsorted(summed, start + step * np.arange(n_drawn))
    drawn = np.flatnonzero(~frequent)[np.minimum(places, len(summed) - 1)]
    weights = np.where(frequent, counts, 0.0)
    weights[drawn] = step
    chosen = weights > 0
    return patterns[chosen], weights[chosen]


def _map_array(estimator: Any, shipped: Any, method: str, X: Any) -> Any:
    """Map blocks of votes to probabilities or labels."""
    if X.ndim != 2 or not hasattr(estimator, "classes_") or method == "transform":
        raise TypeError("X is a Dask Array: pass a Dask DataFrame, Series or Bag.")
    X = X.rechunk({1: -1})
    if method == "predict":
        return X.map_blocks(
            _label_block, shipped, method, dtype=estimator.classes_.dtype, drop_axis=1
        )
    n_classes = len(estimator.classes_)
    return X.map_blocks(
        _label_block, shipped, method, dtype=float, chunks=(X.chunks[0], (n_classes,))
    )


def _label_block(votes: np.ndarray, estimator: Any, method: str) -> np.ndarray:
    if not len(votes):
        n_classes = len(estimator.classes_)
        shape = (0,) if method == "predict" else (0, n_classes)
        return np.empty(shape, estimator.classes_.dtype if len(shape) == 1 else float)
    return getattr(estimator, method)(votes)


def _label_bag(
    part: Iterable[Any], estimator: Any, method: str, parameters: dict[str, Any]
) -> list[Any]:
    """Give what belongs to each record of a partition of a Bag."""
    records = list(part)
    if not records:
        return []
    if method == "annotate":
        frame = estimator.annotate(records, **{**parameters, "as_frame": True})
        return frame.to_dict("records")
    return list(getattr(estimator, method)(records, **parameters))


def _label_frame(
    part: Any,
    estimator: Any,
    method: str,
    parameters: dict[str, Any],
    meta: Any = None,
) -> Any:
    """Label a partition that is a pandas DataFrame or Series, and keep its index."""
    import pandas as pd

    if method == "annotate":
        frame = estimator.annotate(part, **{**parameters, "as_frame": True})
    else:
        values = np.asarray(getattr(estimator, method)(part, **parameters))
        if method == "predict":
            frame = pd.Series(values, name="label")
        else:
            names = (
                estimator.get_feature_names_out()
                if method == "transform"
                else estimator.classes_
            )
            frame = pd.DataFrame(values, columns=[str(name) for name in names])
    frame.index = part.index
    if meta is not None:  # a column of no texts has no type of its own
        return frame.astype(meta.dtypes.to_dict() if frame.ndim == 2 else meta.dtype)
    if frame.ndim == 1:
        return frame.astype(pd.Series(estimator.classes_.tolist()).dtype)
    texts = [name for name in ("doubt", "source") if name in frame]
    types: dict[str, Any] = dict.fromkeys(texts, pd.Series(["text"]).dtype)
    if "label" in frame:
        types["label"] = pd.Series(estimator.classes_.tolist()).dtype
    return frame.astype(types)
