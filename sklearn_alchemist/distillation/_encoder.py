"""Turn texts into numbers by whatever encodes sentences."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods


class SentenceEncoder(TransformerMixin, BaseEstimator):
    """Encode texts with an object that has ``encode``, as sentence embedders have.

    Parameters
    ----------
    encoder : object or callable
        Has ``encode(list of str)``, which returns an array with one row a text, and
        deep-copies and pickles, as ``clone`` needs; or a function without arguments
        that makes such an object. A function is called once in each process, when it
        is first needed, and what it made is neither copied nor pickled: for models
        that are large or hold what cannot be pickled.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import SentenceEncoder
    >>> class Lengths:
    ...     def encode(self, texts):
    ...         return np.array([[len(text)] for text in texts])
    >>> SentenceEncoder(Lengths()).fit_transform(["one", "three"])
    array([[3.],
           [5.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "encoder": [HasMethods("encode"), callable]
    }

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Sequence[str], y: Any = None) -> Self:
        """Do nothing but check the parameter.

        Parameters
        ----------
        X : sequence of str
            Not looked at.

        y : None
            Not looked at.

        Returns
        -------
        self : SentenceEncoder
            The encoder.
        """
        return self

    def transform(self, X: Sequence[str]) -> np.ndarray:
        """Encode texts, each different one once.

        Parameters
        ----------
        X : sequence of str
            Texts.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_dimensions)
            What the encoder makes of them.

        Raises
        ------
        ValueError
            If the encoder does not return one row a text.
        """
        places: dict[str, int] = {}
        which = [places.setdefault(str(text), len(places)) for text in X]
        encoded = np.asarray(self._make().encode(list(places)), dtype=float)
        if encoded.ndim != 2 or len(encoded) != len(places):
            raise ValueError(
                f"encode must return one row for each of {len(places)} texts; it "
                f"returned an array of shape {encoded.shape}."
            )
        return encoded[which]

    def _make(self) -> Any:
        if hasattr(self.encoder, "encode"):
            return self.encoder
        if not hasattr(self, "_made"):
            self._made = self.encoder()
        return self._made

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_made"}

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags


def encoder_student(encoder: Any) -> Pipeline:
    """Make a student for texts: logistic regression on sentence embeddings.

    Parameters
    ----------
    encoder : object or callable
        Has ``encode``, or makes an object that has it; see `SentenceEncoder`.

    Returns
    -------
    student : Pipeline
        Takes a list of str.

    Examples
    --------
    >>> from sklearn_alchemist.distillation import encoder_student
    >>> def load():
    ...     from sentence_transformers import SentenceTransformer
    ...     return SentenceTransformer("all-MiniLM-L6-v2")
    >>> [name for name, _ in encoder_student(load).steps]
    ['sentenceencoder', 'standardscaler', 'logisticregression']
    """
    return make_pipeline(
        SentenceEncoder(encoder),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=1000),
    )
