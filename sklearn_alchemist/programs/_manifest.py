"""Read and write what a folder of programs knows besides their source."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from .._utils import read_text, write_text
from ._program import LabelingProgram, Provenance

INDEX = "programs.json"
# Far more than programs and indices hold; a file without end is none of them.
MAX_BYTES = 10_000_000
_FORMAT = 1
_SCALARS = str | int | float | bool
# What an entry may leave out.
_OPTIONAL: dict[str, type] = {
    "sha256": str,
    "class_order": list,
    "class_mapping": list,
    "thresholds": list,
    "provenance": dict,
    "exported": str,
    "history": list,
}
_PAST = {"sha256": str, "exported": str | None, "provenance": dict | None}


def make_entry(
    file: str, program: LabelingProgram, before: dict[str, Any] | None, today: str
) -> dict[str, Any]:
    """Describe a program, and keep what was known of it before.

    Parameters
    ----------
    file : str
        Name of its file.
    program : LabelingProgram
    before : dict or None
        Its entry so far.
    today : str
        The date, for what is new.

    Returns
    -------
    entry : dict
    """
    entry: dict[str, Any] = {
        "name": program.name,
        "file": file,
        "sha256": source_digest(program.source),
        "entry_point": program.entry_point,
        "returns": program.returns,
        "class_order": program.class_order,
        "provenance": asdict(program.provenance),
    }
    if program.class_mapping is not None:
        entry["class_mapping"] = program.class_mapping
    if program.thresholds is not None:
        entry["thresholds"] = program.thresholds
    entry["exported"] = today
    if before is None:
        return entry
    history = list(before.get("history") or [])
    if before.get("sha256") == entry["sha256"]:
        entry["exported"] = before.get("exported") or today
    elif before.get("sha256"):
        history.append({name: before.get(name) for name in _PAST})
    if history:
        entry["history"] = history
    return entry


def first_author(entry: dict[str, Any]) -> Provenance | None:
    """Say who wrote a program before it was edited.

    Parameters
    ----------
    entry : dict
        Of the index.

    Returns
    -------
    provenance : Provenance or None
        None if it was not edited.
    """
    for past in reversed(entry.get("history") or ()):
        was = Provenance(**(past.get("provenance") or {}))
        if was.model is not None and entry["provenance"].get("model") is None:
            return was
    return None


def write_index(
    folder: Path, entries: Sequence[dict[str, Any]], gone: Sequence[dict[str, Any]]
) -> None:
    """Write the index of a folder, unless it says the same already.

    Parameters
    ----------
    folder : Path
    entries : sequence of dict
        What is known of each program.
    gone : sequence of dict
        Programs that somebody deleted.
    """
    index: dict[str, Any] = {"format": _FORMAT, "programs": list(entries)}
    if gone:
        index["deleted"] = list(gone)
    write_if_changed(folder / INDEX, json.dumps(index, indent=2) + "\n")


def write_if_changed(path: Path, text: str) -> None:
    """Write a file, unless it holds the same already.

    Parameters
    ----------
    path : Path
    text : str
    """
    if not path.is_symlink() and path.is_file() and read_source(path) == text:
        return
    write_text(path, text)


def read_index(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Read the entries of the index, none if there is no index.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    index : dict
        "programs" and "deleted", each a list of entries.

    Raises
    ------
    ValueError
        The index is broken.
    """
    path = folder / INDEX
    if not path.is_symlink() and not path.exists():
        return {"programs": [], "deleted": []}
    text = read_source(path)
    try:
        index = json.loads(text)
        programs, deleted = index["programs"], index.get("deleted", [])
        for entry in programs:
            _check_entry(entry)
        for entry in deleted:
            _check_types(entry, {"name": str, "sha256": str})
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is no index of programs: {error.msg} in line {error.lineno}; mend "
            "it, or delete it to read the .py files alone"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(
            f"{path} is no index of programs; mend it, or delete it to read the .py "
            "files alone"
        ) from None
    return {"programs": programs, "deleted": deleted}


def read_source(path: Path) -> str:
    """Read a file, without changing its ends of lines.

    Parameters
    ----------
    path : Path

    Returns
    -------
    text : str
    """
    return read_text(path, max_bytes=MAX_BYTES)


def source_digest(source: str) -> str:
    """Identify the source of a program.

    Parameters
    ----------
    source : str
        Python source text.

    Returns
    -------
    digest : str
        A SHA-256 in hexadecimal.
    """
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def _check_entry(entry: dict[str, Any]) -> None:
    """Raise what is no description of a program."""
    _check_types(entry, {"name": str, "file": str, "entry_point": str, "returns": str})
    _check_types(
        {**dict.fromkeys(_OPTIONAL), **entry},
        {name: kind | None for name, kind in _OPTIONAL.items()},
    )
    if entry["returns"] not in ("class", "index"):
        raise ValueError(entry["returns"])
    if not all(isinstance(c, _SCALARS) for c in entry.get("class_order") or ()):
        raise TypeError(entry["class_order"])
    for answer, now in entry.get("class_mapping") or ():
        if isinstance(now, str) or not all(
            isinstance(c, _SCALARS) for c in (answer, *now)
        ):
            raise TypeError(now)
    for label, lead in entry.get("thresholds") or ():
        if not isinstance(label, _SCALARS) or not isinstance(lead, int | float):
            raise TypeError(lead)
    _check_provenance(entry.get("provenance"))
    for past in entry.get("history") or ():
        _check_types({**dict.fromkeys(_PAST), **past}, _PAST)
        _check_provenance(past.get("provenance"))


def _check_provenance(provenance: dict[str, Any] | None) -> None:
    known = {field.name for field in fields(Provenance)}
    for name, value in (provenance or {}).items():
        if name not in known or not isinstance(value, _SCALARS | None):
            raise TypeError(name)


def _check_types(entry: dict[str, Any], types: dict[str, Any]) -> None:
    for name, kind in types.items():
        if not isinstance(entry[name], kind):
            raise TypeError(name)
