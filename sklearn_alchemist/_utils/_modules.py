"""Load modules and texts of the package on demand; warn in its caller's name."""

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
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

    Parameters
    ----------
    message : str or Warning
        What to say, or a warning that says it and carries more.

    category : type of Warning, default=AlchemistWarning
        What kind of warning it is.
    """
    warnings.warn(message, category, stacklevel=_level_outside())


def _level_outside() -> int:
    """Count the frames up to the first that belongs to no part of a fit."""
    frame, level = sys._getframe(1), 1
    skipped = (_PACKAGE, os.sep + "sklearn" + os.sep, os.sep + "joblib" + os.sep)
    while frame.f_back is not None and any(
        part in frame.f_code.co_filename for part in skipped
    ):
        frame, level = frame.f_back, level + 1
    return level
