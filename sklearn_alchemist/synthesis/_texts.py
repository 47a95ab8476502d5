"""Read what is said to a language model from the files beside this one."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_texts(name: str) -> dict[str, Any]:
    """Read a file of texts.

    Parameters
    ----------
    name : str
        Name of the file, without its ending.

    Returns
    -------
    texts : dict of str to str, or to dict
        What it holds.
    """
    path = files(__package__) / "texts" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
