"""Load the parts of a package when they are first used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package that loads its parts on demand.

    Parameters
    ----------
    package : str
        Name of the package.

    modules : dict of str to str
        Public name -> submodule that defines it.

    Returns
    -------
    getattr : callable
        To be called ``__getattr__`` in the package.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 -- its name in the package
        if name in modules:
            return getattr(import_module(f".{modules[name]}", package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__
