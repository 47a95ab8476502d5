"""Remember during one fit what a model made of a text or an image."""

import copy
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone


class EmbeddingMemory:
    """Embeddings by model and content, as long as somebody needs them."""

    def __init__(self) -> None:
        # Held, so that none takes the place, and with it the key, of another.
        self.models: dict[str, Any] = {}
        self.rows: dict[tuple[str, str], np.ndarray] = {}

    def key(self, model: Any) -> str:
        """Name a model for as long as the memory lives.

        Parameters
        ----------
        model : object
            What embeds.

        Returns
        -------
        key : str
            Its name.
        """
        name = str(id(model))
        self.models[name] = model
        return name

    def find(self, model: str, contents: Iterable[str]) -> dict[str, np.ndarray]:
        """Look embeddings up.

        Parameters
        ----------
        model : str
            What `key` gave.

        contents : iterable of str
            Texts, or what identifies an image.

        Returns
        -------
        found : dict of str to ndarray of shape (n_dimensions,)
            Those that are known.
        """
        return {
            content: self.rows[model, content]
            for content in contents
            if (model, content) in self.rows
        }

    def save(self, model: str, embeddings: Mapping[str, np.ndarray]) -> None:
        """Keep embeddings.

        Parameters
        ----------
        model : str
            What `key` gave.

        embeddings : dict of str to ndarray of shape (n_dimensions,)
            What to keep.
        """
        for content, embedding in embeddings.items():
            self.rows[model, content] = embedding


_lock = threading.Lock()
_memory: EmbeddingMemory | None = None
_n_users = 0


@contextmanager
def remembering() -> Iterator[None]:
    """Keep what models embed until the outermost of these ends.

    A student is trained many times over in one fit, and none of its copies needs to
    encode a text that another has encoded.

    Yields
    ------
    None
        Nothing.
    """
    global _memory, _n_users  # threads of one fit share it
    with _lock:
        _memory = _memory or EmbeddingMemory()
        _n_users += 1
    try:
        yield
    finally:
        with _lock:
            _n_users -= 1
            if not _n_users:
                _memory = None


def current_memory() -> EmbeddingMemory | None:
    """Give the memory of the fit that is under way.

    Returns
    -------
    memory : EmbeddingMemory or None
        None outside of all fits.
    """
    return _memory


def clone_sharing(estimator: BaseEstimator, name: str) -> Any:
    """Do what `clone` does, and let the copy share the object that embeds.

    Parameters
    ----------
    estimator : estimator
        What to copy.

    name : str
        The parameter that holds the object.

    Returns
    -------
    copied : estimator
        Not fitted.
    """
    copied = type(estimator)(
        **{
            key: value if key == name else clone(value, safe=False)
            for key, value in estimator.get_params(deep=False).items()
        }
    )
    for setting in ("_metadata_request", "_sklearn_output_config"):
        if hasattr(estimator, setting):
            setattr(copied, setting, copy.deepcopy(getattr(estimator, setting)))
    return copied
