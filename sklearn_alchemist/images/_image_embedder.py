"""Embed images, as features of a student."""

import os
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._utils import DocLinks, LabelsLike, _fit_context, clone_sharing
from ._embedders import resolve_embedder
from ._image_input import check_images, embed_images


class ImageEmbedder(TransformerMixin, DocLinks, BaseEstimator):
    """Embed images, as features of a student.

    In a `DistilledAnnotator` the programs read concept scores while the student learns
    from the embeddings: make the student a pipeline that starts with this. With the
    `cache` of the `ConceptScorer` every image is embedded once.

    Parameters
    ----------
    embedder : str, object with ``encode``, or callable, default="clip-ViT-B-32"
        The model, as `ConceptScorer` takes it.

    input : {"path", "image"}, default="path"
        What `X` holds: paths of image files, or PIL images or arrays of pixels.

    on_broken : {"raise", "nan"}, default="raise"
        Whether an image that cannot be read is an error, or gets NaN and a warning.

    batch_size : int, default=32
        Number of images in memory at a time.

    cache : str or path, default=None
        SQLite file that keeps embeddings, by content and model.

    Attributes
    ----------
    n_dimensions_ : int
        Number of columns.

    See Also
    --------
    ConceptScorer : Compares embeddings with concepts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist import ImageEmbedder
    >>> class Brightness:
    ...     def encode(self, inputs):
    ...         return [[np.asarray(image).mean() / 255] for image in inputs]
    >>> images = [np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)]
    >>> ImageEmbedder(Brightness(), input="image").fit_transform(images)
    array([[0.],
           [1.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "embedder": [str, HasMethods("encode"), callable],
        "input": [StrOptions({"path", "image"})],
        "on_broken": [StrOptions({"raise", "nan"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "cache": [str, os.PathLike, None],
    }

    def __init__(
        self,
        embedder: Any = "clip-ViT-B-32",
        *,
        input: str = "path",  # noqa: A002 -- as scikit-learn calls it
        on_broken: str = "raise",
        batch_size: int = 32,
        cache: "str | os.PathLike[str] | None" = None,
    ) -> None:
        self.embedder = embedder
        self.input = input
        self.on_broken = on_broken
        self.batch_size = batch_size
        self.cache = cache

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: LabelsLike | None = None) -> Self:
        """Find out the number of dimensions; nothing else is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Paths or images.

        y : None
            Ignored.

        Returns
        -------
        self : ImageEmbedder
            The fitted embedder.
        """
        self.fit_transform(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: LabelsLike | None = None) -> np.ndarray:
        """Embed images, once.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Paths or images.

        y : None
            Ignored.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_dimensions)
            One row an image, NaN where one cannot be read.
        """
        self.__dict__.pop("n_dimensions_", None)
        embeddings = self._embed(X)
        self.n_dimensions_ = embeddings.shape[1]
        return embeddings

    def transform(self, X: Any) -> np.ndarray:
        """Embed images.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Paths or images.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_dimensions)
            One row an image, NaN where one cannot be read.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If an image cannot be used.

        Warns
        -----
        ImageWarning
            If images cannot be read, with ``on_broken="nan"``.
        """
        check_is_fitted(self)
        return self._embed(X)

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Name the dimensions by their number.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored.

        Returns
        -------
        feature_names_out : ndarray of shape (n_dimensions,) of str objects
            ``"embedding_0"`` and so on.
        """
        check_is_fitted(self)
        return np.array(
            [f"embedding_{i}" for i in range(self.n_dimensions_)], dtype=object
        )

    def _embed(self, X: Any) -> np.ndarray:
        images = check_images(X, self.input, on_broken=self.on_broken)
        batches = embed_images(
            resolve_embedder(self.embedder),
            self.embedder,
            images,
            batch_size=self.batch_size,
            cache=self.cache,
            on_broken=self.on_broken,
            in_fit=not hasattr(self, "n_dimensions_"),
        )
        # Unknown until a first image is embedded.
        table = np.full((len(images), getattr(self, "n_dimensions_", 0)), np.nan)
        for positions, embeddings in batches:
            if table.shape[1] != embeddings.shape[1]:
                table = np.full((len(images), embeddings.shape[1]), np.nan)
            table[positions] = embeddings
        return table

    def __sklearn_clone__(self) -> Any:
        return clone_sharing(self, "embedder")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = self.input == "path"
        tags.transformer_tags.preserves_dtype = []
        return tags
