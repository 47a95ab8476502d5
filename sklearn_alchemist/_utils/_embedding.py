"""Make a model that embeds once, and embed a text or an image once in a fit."""

import copy
import dis
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

# Models fill memory: one for texts and one for images, and one that is being replaced.
_MAX_KEPT = 3
_kept: "OrderedDict[Hashable, tuple[Any, Any]]" = OrderedDict()
_making = threading.RLock()


def made_once(factory: Callable[[], Any]) -> Any:
    """Call a function that makes a model, unless it was called before.

    Copies of a function that would do the same, as `clone` and worker processes make
    them, count as one.

    Parameters
    ----------
    factory : callable
        Takes no arguments.

    Returns
    -------
    made : object
        What it made, in this process, the first time.
    """
    key = _identity(factory)
    with _making:  # two threads would load the model twice
        if key not in _kept:
            # With the factory, so that no other one gets its id.
            _kept[key] = factory, factory()
        _kept.move_to_end(key)
        while len(_kept) > _MAX_KEPT:
            _kept.popitem(last=False)
        return _kept[key][1]


def _identity(factory: Any) -> Hashable:
    """Tell factories apart that would make something else."""
    if isinstance(factory, partial):
        parts = (*factory.args, *sorted(factory.keywords.items()))
        return "partial", _identity(factory.func), tuple(map(_value, parts))
    if not isinstance(factory, FunctionType):
        return _value(factory)
    cells = [c.cell_contents for c in factory.__closure__ or () if c != CellType()]
    defaults = (*(factory.__defaults__ or ()), *(factory.__kwdefaults__ or {}).items())
    return (
        factory.__module__,
        factory.__code__,
        tuple(map(_value, cells)),
        tuple(map(_value, defaults)),
        # Such as the name of a model, which a notebook may set anew.
        tuple(
            (name, factory.__globals__[name])
            for name in sorted(_names(factory.__code__))
            if isinstance(factory.__globals__.get(name), str | Path)
        ),
    )


def _value(value: Any) -> Hashable:
    """Stand for a value: itself where it cannot change, else this very object."""
    if isinstance(value, FunctionType | partial):
        return _identity(value)
    if isinstance(value, str | bytes | int | float | Path | type | None):
        return type(value), value
    if isinstance(value, tuple):
        return tuple(map(_value, value))
    return "id", id(value)


def _names(code: CodeType) -> set[str]:
    """Global names that a function reads, with the functions inside it."""
    names = {
        str(step.argval)
        for step in dis.get_instructions(code)
        if step.opname == "LOAD_GLOBAL"
    }
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


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
