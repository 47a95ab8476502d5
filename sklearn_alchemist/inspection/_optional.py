"""Import what only some need, and say how to get it."""

from importlib import import_module
from typing import Any


def require(module: str, *, extra: str, needed_by: str) -> Any:
    """Import a package that comes with an extra.

    Parameters
    ----------
    module : str
        What to import.
    extra : str
        The extra of ours that holds it.
    needed_by : str
        What the user called.

    Returns
    -------
    module : module

    Raises
    ------
    ImportError
        If it is not installed. Names the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f"{needed_by} needs {package}: pip install 'sklearn_alchemist[{extra}]', "
            f"or pip install {package}."
        ) from error
