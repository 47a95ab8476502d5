"""Make a model once in a process, however often it is asked for."""

import dis
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path
from types import CellType, CodeType, FunctionType
from typing import Any

# Models fill memory: one for texts and one for images, and one that is being replaced.
_MAX_KEPT = 3
_kept: "OrderedDict[Hashable, tuple[Any, Any]]" = OrderedDict()
_lock = threading.RLock()


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
    with _lock:  # two threads would load the model twice
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
