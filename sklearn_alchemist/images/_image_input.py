"""Validate images, and embed them for the estimators that take them."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .._utils import warn
from ..exceptions import ImageWarning
from ._embedders import embed_in_batches, model_key
from ._embedding_cache import EmbeddingCache
from ._loading import check_path_type, check_paths


def none_readable(n_images: int) -> str:
    """Word the error that `fit` has nothing to learn from.

    Parameters
    ----------
    n_images : int
        Number of images, all of them broken.

    Returns
    -------
    message : str
        The error.
    """
    return (
        f"none of {n_images} images can be read, so there is nothing to learn from: "
        "check the paths. Once fitted, images that cannot be read get NaN."
    )


def check_images(X: Any, input: str, *, on_broken: str = "raise") -> list[Any]:  # noqa: A002
    """Validate a sequence of images, without decoding them.

    Parameters
    ----------
    X : array-like of shape (n_samples,) or (n_samples, 1)
        Paths, or images: PIL images or arrays of pixels.

    input : {"path", "image"}
        Which of both.

    on_broken : {"raise", "nan"}, default="raise"
        Whether a path that leads nowhere is an error.

    Returns
    -------
    sources : list
        The paths or images.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        If there is none, or something is no path or image.
    """
    if isinstance(X, str | os.PathLike) or not hasattr(X, "__len__"):
        raise ValueError(f"X is a single {type(X).__name__}: pass a list.")
    if hasattr(X, "columns"):
        if X.shape[1] != 1:
            raise ValueError(
                f"X has {X.shape[1]} columns: pass the one that holds the {input}s."
            )
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] == 1:
        X = X[:, 0]
    sources = X.to_pylist() if hasattr(X, "to_pylist") else list(X)
    if not sources:
        raise ValueError("X is empty: found 0 sample(s), at least 1 is required.")
    if input == "path":
        if on_broken == "nan":
            for i, path in enumerate(sources):
                if not _is_missing(path):
                    check_path_type(i, path)
            return sources
        return check_paths(sources)
    for i, image in enumerate(sources):
        # Of the type: a PIL image would be decoded to answer.
        if not hasattr(type(image), "__array_interface__"):
            raise TypeError(
                f"the image at position {i} is {type(image).__name__}, neither a PIL "
                "image nor an array: set input='path' for paths of files."
            )
    return sources


def _is_missing(path: Any) -> bool:
    """Whether a table holds no path in a row: None, or what is not even itself."""
    return path is None or type(path).__name__ in ("NAType", "NaTType") or path != path


def embed_images(
    embedder: Any,
    source: Any,
    images: Sequence[Any],
    *,
    batch_size: int,
    cache: "str | os.PathLike[str] | None",
    on_broken: str,
    on_batch: Callable[[], None] = lambda: None,
    in_fit: bool = False,
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Embed images batch by batch, and warn once of those that cannot be read.

    Parameters
    ----------
    embedder : object with ``encode``
        The model.

    source : str, object or callable
        How it was given, which identifies it in the cache.

    images : sequence
        Paths or images.

    batch_size : int
        Number of images in memory at a time.

    cache : str, path or None
        File that keeps embeddings.

    on_broken : {"raise", "nan"}
        Whether an image that cannot be read is an error, or left out.

    on_batch : callable
        Called after every batch.

    in_fit : bool, default=False
        Whether something is to be learned, so that one image at least must be read.

    Yields
    ------
    positions : list of int
        Which images the rows belong to.

    embeddings : ndarray of shape (n_positions, n_dimensions)
        Their embeddings.

    Raises
    ------
    ValueError
        If an image cannot be read that has to be.
    """
    batches = embed_in_batches(
        embedder,
        images,
        batch_size=batch_size,
        model="" if cache is None else model_key(embedder, source),
        cache=None if cache is None else EmbeddingCache(cache),
        skip_broken=on_broken == "nan",
    )
    broken: list[str] = []
    for positions, embeddings, problems in batches:
        broken += problems
        if positions:
            yield positions, embeddings
        on_batch()
    if in_fit and len(broken) == len(images):
        raise ValueError(none_readable(len(images)))
    if broken:
        more = "" if len(broken) <= 3 else f"; and {len(broken) - 3} more"
        warn(
            f"{len(broken)} of {len(images)} images cannot be read and get NaN: "
            f"{'; '.join(broken[:3])}{more}.",
            ImageWarning,
        )
