"""Import what only some need, and say how to get it."""

from importlib import import_module
from typing import Any


def require(module: str, *, needed_by: str, extra: str | None = None) -> Any:
    """Import a package that comes with an extra.

    Parameters
    ----------
    module : str
        What to import.
    needed_by : str
        What the user called.
    extra : str or None, default=None
        The extra of ours that holds it, if one does.

    Returns
    -------
    module : module

    Raises
    ------
    ImportError
        If it is not installed. Says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        ours = f"pip install 'sklearn_alchemist[{extra}]', or " if extra else ""
        raise ImportError(
            f"{needed_by} needs {package}: {ours}pip install {package}."
        ) from error
