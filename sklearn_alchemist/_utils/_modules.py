"""Load modules and texts of the package on demand; warn in its caller's name."""

import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import FrameType
from typing import Any

from ..exceptions import AlchemistWarning

# A prefix of the files of the whole package, no path.
_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120


def lazy_exports(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package that loads its parts on demand.

    Parameters
    ----------
    package : str
        Name of the package.

    modules : dict of str to str
        Public name -> submodule that defines it; a submodule's own name -> the same.

    Returns
    -------
    getattr : callable
        To be called ``__getattr__`` in the package.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 -- its name in the package
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f".{modules[name]}", package)
        return module if modules[name] == name else getattr(module, name)

    return __getattr__


@cache
def read_prompts(package: str, name: str) -> dict[str, Any]:
    """Read what is said to a language model, from a file in the folder of a stage.

    Parameters
    ----------
    package : str
        The stage, ``__package__`` of who asks.

    name : str
        Name of the file in its folder ``texts``, without its ending.

    Returns
    -------
    texts : dict of str to str, or to dict
        What it holds.
    """
    import tomllib  # with the next, two milliseconds that only asking needs
    from importlib.resources import files

    path = files(package) / "prompts" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def warn(message: str | Warning, category: type[Warning] = AlchemistWarning) -> None:
    """Issue a warning in the name of whoever called the package.

    Of a search or a cross-validation of scikit-learn's, in which each fold may say the
    same, it is shown once, if the user's filters let warnings be shown once a place.

    Parameters
    ----------
    message : str or Warning
        What to say, or a warning that says it and carries more.

    category : type of Warning, default=AlchemistWarning
        What kind of warning it is.
    """
    level, caller, search = _level_outside()
    kind = type(message) if isinstance(message, Warning) else category
    if search is not None and _is_shown_once(message, kind, caller):
        # Between folds Python forgets what it has shown, and numbers may differ.
        text = re.sub(r"\d[\d.,]*", "#", str(message))
        place = id(search), caller.f_code.co_filename, caller.f_lineno
        if _SAID.get("place") != place:
            _SAID.update(place=place, texts=set())
        if (kind, text) in _SAID["texts"]:
            return
        _SAID["texts"].add((kind, text))
    warnings.warn(message, category, stacklevel=level)


# What the latest search or cross-validation has said, by where it was called.
_SAID: dict[str, Any] = {}
_SKLEARN = os.sep + "sklearn" + os.sep
_WITH_FOLDS = (_SKLEARN + "model_selection" + os.sep, _SKLEARN + "calibration")


def _level_outside() -> tuple[int, FrameType, FrameType | None]:
    """Find the first frame that belongs to no part of a fit.

    Returns
    -------
    level : int
        How far it is.

    caller : frame
        The frame.

    search : frame or None
        That of the search or cross-validation which it has called, if it has.
    """
    frame, level, search = sys._getframe(1), 1, None
    skipped = (_PACKAGE, _SKLEARN, os.sep + "joblib" + os.sep)
    while frame.f_back is not None and any(
        part in frame.f_code.co_filename for part in skipped
    ):
        if any(part in frame.f_code.co_filename for part in _WITH_FOLDS):
            search = frame
        frame, level = frame.f_back, level + 1
    return level, frame, search


def _is_shown_once(
    message: str | Warning, category: type[Warning], caller: FrameType
) -> bool:
    """Tell whether the user's filters want a warning once a place."""
    module = caller.f_globals.get("__name__", "")
    for action, text, kind, where, line in warnings.filters:
        if (
            issubclass(category, kind)
            and (text is None or text.match(str(message)))
            and (where is None or where.match(module))
            and line in (0, caller.f_lineno)
        ):
            return action in {"default", "module", "once"}
    return True
