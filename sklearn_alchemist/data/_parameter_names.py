"""Make names of columns usable as names of parameters of a program."""

import keyword
import re
import unicodedata
from collections.abc import Sequence
from typing import Any


def parameter_names(names: Sequence[str]) -> list[str]:
    """Make names of columns usable as names of parameters.

    Parameters
    ----------
    names : sequence of str
        Names of columns.

    Returns
    -------
    parameters : list of str
        Unique identifiers; names that are identifiers stay as they are.

    Examples
    --------
    >>> from sklearn_alchemist.data import parameter_names
    >>> parameter_names(["age", "mean radius (cm)", "class", "2nd"])
    ['age', 'mean_radius_cm', 'class_', 'x_2nd']
    """
    used = {name for name in names if _is_parameter(name)}
    parameters = []
    for name in names:
        if not _is_parameter(name):
            name = _unused(_slug(str(name)), used)
            used.add(name)
        parameters.append(name)
    return parameters


def _is_parameter(name: Any) -> bool:
    # Python reads identifiers in their normal form; others would not be found again.
    return (
        isinstance(name, str)
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("__")
        and unicodedata.is_normalized("NFKC", name)
    )


def _slug(name: str) -> str:
    """Make an identifier of a name, as close to it as can be."""
    letters = (
        letter if f"x{letter}".isidentifier() else "_"
        for letter in unicodedata.normalize("NFKC", name)
    )
    slug = re.sub("_+", "_", "".join(letters)).strip("_") or "x"
    slug = slug if slug.isidentifier() else f"x_{slug}"
    return f"{slug}_" if keyword.iskeyword(slug) else slug


def _unused(slug: str, used: set[str]) -> str:
    """Add a number to a slug that is taken."""
    candidate, number = slug, 1
    while candidate in used:
        number += 1
        candidate = f"{slug}_{number}"
    return candidate
