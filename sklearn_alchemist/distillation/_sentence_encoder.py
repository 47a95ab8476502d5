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

from .._utils import DocLinks, clone_sharing, current_memory, made_once


class SentenceEncoder(TransformerMixin, DocLinks, BaseEstimator):
    """Encode texts with an object that has ``encode``, as sentence embedders have.

    Parameters
    ----------
    encoder : object or callable
        Has ``encode(list of str)``, which returns an array with one row a text, or is
        a function without arguments that makes such an object. Copies that ``clone``
        makes share the object. A function is called once in each process, when it is
        first needed, and what it made is not pickled: for models that are large or
        hold what cannot be pickled.

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
        """Encode texts, each different one once, also in all copies of one fit.

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
        texts = [str(text) for text in X]
        encoder = self._make()
        memory = current_memory()
        key = "" if memory is None else memory.key(encoder)
        known = {} if memory is None else memory.find(key, texts)
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        if fresh:
            encoded = np.asarray(encoder.encode(fresh), dtype=float)
            if encoded.ndim != 2 or len(encoded) != len(fresh):
                raise ValueError(
                    f"encode must return one row for each of {len(fresh)} texts; it "
                    f"returned an array of shape {encoded.shape}."
                )
            made = dict(zip(fresh, encoded, strict=True))
            if memory is not None:
                memory.save(key, made)
            known |= made
        return np.stack([known[text] for text in texts])

    def _make(self) -> Any:
        if hasattr(self.encoder, "encode") and not isinstance(self.encoder, type):
            return self.encoder
        return made_once(self.encoder)

    def __sklearn_clone__(self) -> Any:
        return clone_sharing(self, "encoder")

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
        StandardScaler().set_output(transform="default"),
        LogisticRegression(C=0.1, max_iter=1000),
    )
