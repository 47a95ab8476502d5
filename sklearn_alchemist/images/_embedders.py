"""Embed images and texts with whatever has an ``encode``, and check what it gives."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import joblib
import numpy as np

from .._utils import EmbeddingMemory, current_memory, made_once
from ._embedding_cache import EmbeddingCache
from ._loading import content_key, load_image


@runtime_checkable
class Embedder(Protocol):  # numpydoc ignore=PR01
    """What embeds images and texts into one space, as sentence-transformers' CLIP does.

    Any object with such a method will do.
    """

    def encode(self, inputs: list[Any]) -> Any:
        """Embed texts or images.

        Parameters
        ----------
        inputs : list of str, or list of PIL images or ndarrays
            Texts or images, never both.

        Returns
        -------
        embeddings : array-like of shape (n_inputs, n_dimensions)
            One row an input.
        """


def resolve_embedder(embedder: "str | Embedder | Callable[[], Embedder]") -> Any:
    """Get the object that embeds.

    Parameters
    ----------
    embedder : str, object with ``encode``, or callable
        The name (or folder) of a sentence-transformers model, an embedder, or a
        function without parameters that makes one, which is called once in a process.

    Returns
    -------
    embedder : object with ``encode``
        The embedder.

    Raises
    ------
    ImportError
        If a name is given and sentence-transformers is not installed.

    ValueError, TypeError
        If the model cannot be loaded, or a function makes no embedder.
    """
    if isinstance(embedder, str):
        return _load_sentence_transformer(embedder, model_key(None, embedder))
    if hasattr(embedder, "encode") and not isinstance(embedder, type):
        return embedder
    made = made_once(embedder)
    if not hasattr(made, "encode"):
        raise TypeError(
            "the embedder factory must return an object with an encode method; got "
            f"{type(made).__name__}."
        )
    return made


@lru_cache(maxsize=1)  # by the key as well: a folder may hold another model by now
def _load_sentence_transformer(name: str, key: str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise ImportError(
            f"embedder={name!r} needs sentence-transformers: "
            "pip install 'sklearn-alchemist[images]'."
        ) from None
    try:
        return SentenceTransformer(os.path.expanduser(name))  # noqa: PTH111
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"the sentence-transformers model {name!r} cannot be loaded ({reason}): "
            "give a model such as 'clip-ViT-B-32' that can be downloaded, or the "
            "folder of one that is saved here."
        ) from error


def model_key(embedder: Any, source: Any) -> str:
    """Identify a model, so that embeddings of another are not taken for its own.

    Parameters
    ----------
    embedder : object with ``encode``
        The model.

    source : str, object or callable
        How it was given to `resolve_embedder`.

    Returns
    -------
    key : str
        The name of a named model, with sizes and times of its files if it is a folder;
        else a hash of the object.
    """
    if isinstance(source, str):
        folder = Path(os.path.expanduser(source))  # noqa: PTH111
        if not folder.is_dir():
            return source
        digest = hashlib.sha256()
        for file in sorted(folder.rglob("*")):
            stat = file.stat()
            line = f"{file.relative_to(folder)} {stat.st_size} {stat.st_mtime_ns}\n"
            digest.update(line.encode())
        return f"{folder.resolve()} {digest.hexdigest()}"
    kind = type(embedder)
    return f"{kind.__module__}.{kind.__qualname__} {joblib.hash(embedder)}"


def embed(embedder: Any, inputs: list[Any], what: str = "images") -> np.ndarray:
    """Embed texts or images, and check what comes out.

    Parameters
    ----------
    embedder : object with ``encode``
        The model.

    inputs : list of str, PIL images or ndarrays
        What to embed.

    what : str, default="images"
        What the inputs are, for messages.

    Returns
    -------
    embeddings : ndarray of shape (n_inputs, n_dimensions), dtype float64
        One row an input.

    Raises
    ------
    ValueError
        If the model cannot embed them, or gives another number of rows, no numbers,
        NaN or infinity.
    """
    name = type(embedder).__name__
    try:
        output = embedder.encode(inputs)
        if hasattr(output, "detach"):  # a torch tensor, wherever it lives
            output = output.detach().cpu().float().numpy()
        embeddings = np.asarray(output, dtype=np.float64)
    except Exception as error:
        raise ValueError(
            f"the embedder {name} cannot embed {what} "
            f"({type(error).__name__}: {error}): a model is needed that embeds both "
            "images and texts, such as 'clip-ViT-B-32'."
        ) from error
    if embeddings.ndim != 2 or len(embeddings) != len(inputs) or not embeddings.size:
        raise ValueError(
            f"the embedder {name} must give {len(inputs)} {what} one row each; got "
            f"shape {embeddings.shape}."
        )
    if not np.isfinite(embeddings).all():
        raise ValueError(f"the embedder {name} gives NaN or infinity for {what}.")
    return embeddings


def embed_in_batches(
    embedder: Any,
    sources: Sequence[Any],
    *,
    batch_size: int,
    model: str = "",
    cache: EmbeddingCache | EmbeddingMemory | None = None,
    skip_broken: bool = False,
) -> Iterator[tuple[list[int], np.ndarray, list[str]]]:
    """Embed images, a batch in memory at a time.

    Parameters
    ----------
    embedder : object with ``encode``
        The model.

    sources : sequence of str, path, PIL image or ndarray
        The images.

    batch_size : int
        Number of images in memory at a time.

    model : str, default=""
        Identifies the model in the cache.

    cache : EmbeddingCache or EmbeddingMemory, default=None
        Where embeddings are kept; None keeps them for the fit that is under way.

    skip_broken : bool, default=False
        Whether an image that cannot be read is left out, rather than an error.

    Yields
    ------
    positions : list of int
        Which images the rows belong to.

    embeddings : ndarray of shape (n_positions, n_dimensions)
        Their embeddings.

    broken : list of str
        What is wrong with the images of the batch that are left out.

    Raises
    ------
    ValueError
        If an image cannot be read, or the model cannot embed it. What was embedded
        before is in the cache.
    """
    if cache is None and (memory := current_memory()) is not None:
        cache, model = memory, memory.key(embedder)
    for start in range(0, len(sources), batch_size):
        batch = {i: sources[i] for i in range(start, len(sources))[:batch_size]}
        keys = {} if cache is None else _content_keys(batch)
        kept = {} if cache is None else cache.find(model, keys.values())
        rows = {i: kept[key] for i, key in keys.items() if key in kept}
        images: dict[int, Any] = {}
        broken: list[str] = []
        same: dict[int, int] = {}
        first: dict[str, int] = {}
        for i in sorted(batch.keys() - rows.keys()):
            if i in keys and keys[i] in first:
                same[i] = first[keys[i]]
                continue
            try:
                images[i] = load_image(batch[i])
                first |= {keys[i]: i} if i in keys else {}
            except ValueError as error:
                problem = f"{_name(i, batch[i])}: {error}"
                if not skip_broken:
                    raise ValueError(
                        f"{problem}. Leave it out, or set on_broken='nan'."
                    ) from None
                broken.append(problem)
        if images:
            fresh = embed(embedder, list(images.values()))
            # As the cache keeps them, so that a second run gives the same to the bit.
            fresh = fresh.astype(np.float32)
            rows |= zip(images, fresh, strict=True)
            if cache is not None:
                cache.save(model, {keys[i]: rows[i] for i in images if i in keys})
            rows |= {i: rows[one] for i, one in same.items()}
        positions = sorted(rows)
        table = np.stack([rows[i] for i in positions]) if rows else np.empty((0, 0))
        yield positions, table.astype(np.float64), broken


def _content_keys(sources: Mapping[int, Any]) -> dict[int, str]:
    """Hash the images that can be read at all."""
    keys = {}
    for i, source in sources.items():
        with suppress(OSError, ValueError):
            keys[i] = content_key(source)
    return keys


def _name(position: int, source: Any) -> str:
    if isinstance(source, str | os.PathLike):
        return f"the image at position {position}, {os.fspath(source)!r}"
    return f"the image at position {position}"
