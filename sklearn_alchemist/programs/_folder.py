"""Write labeling programs to a folder of Python files, and read them back."""

import hashlib
import json
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from os import PathLike
from os.path import lexists
from pathlib import Path
from typing import Any

from .._files import as_path, check_file, read_text, write_text
from ..exceptions import ProgramRejected
from ._program import LabelingProgram, Provenance

INDEX = "programs.json"
_FORMAT = 1
# Far more than programs and indices hold; a file without end is none of them.
_MAX_BYTES = 10_000_000
_SCALARS = str | int | float | bool
# What an entry may leave out.
_OPTIONAL: dict[str, type] = {
    "sha256": str,
    "class_order": list,
    "class_mapping": list,
    "provenance": dict,
}


def write_programs(
    programs: Sequence[LabelingProgram], folder: str | PathLike[str]
) -> None:
    """Write each program to a file of its own, and what else is known to an index.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        Written to ``NAME.py``; characters of names that do not suit files become
        underscores.
    folder : str or path-like
        Made if missing. Programs written there before are replaced, unless their
        files were edited since. Files outside of it are never written, not even where
        a link in it leads to one.

    Raises
    ------
    FileExistsError
        The folder holds other files, or edits that would be lost.
    OSError, ValueError
        The folder cannot be made or written.

    See Also
    --------
    read_programs : Read the folder again, with what was edited.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_alchemist.programs import (
    ...     LabelingProgram, read_programs, write_programs)
    >>> program = LabelingProgram("prize", "def label(text): return None")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_programs([program], folder)
    ...     read_programs(folder)
    [LabelingProgram('prize', label(text))]
    """
    folder = as_path(folder)
    files = dict(zip(_file_names(programs), programs, strict=True))
    before: set[str] = set()
    gone: list[dict[str, Any]] = []
    if lexists(folder):
        check_folder(folder)
        before = _replaceable(folder, files)
        kept = {program.name for program in programs}
        gone = [one for one in _deleted(folder) if one["name"] not in kept]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(
            f"the folder {str(folder)[:200]!r} cannot be made: {error.strerror}"
        ) from None
    for file, program in files.items():
        write_text(folder / file, program.source)
    entries = [_entry(file, program) for file, program in files.items()]
    index = {"format": _FORMAT, "programs": entries}
    if gone:
        index["deleted"] = gone
    write_text(folder / INDEX, json.dumps(index, indent=2) + "\n")
    for file in before - files.keys():
        (folder / file).unlink(missing_ok=True)


def read_programs(folder: str | PathLike[str]) -> list[LabelingProgram]:
    """Read programs from a folder.

    Parameters
    ----------
    folder : str or path-like
        Written by `write_programs`, or any folder of ``.py`` files. Programs come in
        the order of the index; files that it does not list follow, by name, as
        programs written by hand; programs whose file is gone are left out. Files whose
        names start with ``_`` or ``.`` are not programs.

    Returns
    -------
    programs : list of LabelingProgram
        An edited program keeps its name and is taken as written by hand.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or no program in it.
    ProgramRejected
        A file holds no labeling program.
    ValueError
        The index is broken.

    See Also
    --------
    write_programs : Write such a folder.
    """
    folder = check_folder(as_path(folder))
    files = {path.name: path for path in sorted(_python_files(folder))}
    programs = [
        _program(files.pop(entry["file"]), entry)
        for entry in _read_index(folder)["programs"]
        if entry["file"] in files
    ]
    programs += [LabelingProgram(path.stem, _read(path)) for path in files.values()]
    if not programs:
        raise FileNotFoundError(f"folder {folder} holds no .py file")
    return programs


def deleted_programs(folder: str | PathLike[str]) -> dict[str, str]:
    """List programs that somebody deleted from a folder since they were written.

    Parameters
    ----------
    folder : str or path-like
        As `read_programs` takes it.

    Returns
    -------
    deleted : dict of str to str
        Name of each program -> SHA-256 of its source.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_programs` does.
    """
    folder = check_folder(as_path(folder))
    return {entry["name"]: entry["sha256"] for entry in _deleted(folder)}


def check_folder(folder: Path) -> Path:
    """Raise where a path leads to no folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    folder : Path
        The same.

    Raises
    ------
    FileNotFoundError
        There is nothing.
    ValueError
        There is something else, or it cannot be looked at.
    """
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no folder {str(folder)!r} to read programs from"
        ) from None
    except OSError as error:
        raise ValueError(
            f"the folder {str(folder)!r} cannot be opened: {error.strerror}"
        ) from None
    if not stat.S_ISDIR(mode):
        raise ValueError(
            f"{str(folder)!r} is no folder: programs are kept in a folder of .py files"
        )
    return folder


def _python_files(folder: Path) -> Iterable[Path]:
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise ValueError(
            f"the folder {str(folder)!r} cannot be read: {error.strerror}"
        ) from None
    return (p for p in paths if p.suffix == ".py" and p.name[0] not in "_.")


def _file_names(programs: Sequence[LabelingProgram]) -> list[str]:
    """File names that every system takes and tells apart."""
    taken: set[str] = set()
    names = []
    for program in programs:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", program.name)[:80].strip("_")
        # Windows keeps names such as con and aux1 for devices.
        if not stem or re.fullmatch(r"(?i)con|prn|aux|nul|com\d|lpt\d", stem):
            stem = f"program_{stem}".rstrip("_")
        name, number = stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.lower())
        names.append(f"{name}.py")
    return names


def _replaceable(folder: Path, files: dict[str, LabelingProgram]) -> set[str]:
    """Files of an earlier export, all of which may go."""
    listed = {entry["file"]: entry for entry in _read_index(folder)["programs"]}
    present = {path.name for path in folder.iterdir()} - {INDEX, "__pycache__"}
    foreign = sorted(n for n in present - listed.keys() if not n.startswith("."))
    if foreign:
        raise FileExistsError(
            f"folder {folder} holds {foreign[0]}, which is none of the programs "
            "written there; choose an empty folder"
        )
    for name in sorted(present & listed.keys()):
        check_file(folder / name)
        source = _read(folder / name)
        is_kept = name in files and files[name].source == source
        if not is_kept and source_digest(source) != listed[name].get("sha256"):
            raise FileExistsError(
                f"{folder / name} was edited since it was written; "
                "choose another folder"
            )
    return present & listed.keys()


def _entry(file: str, program: LabelingProgram) -> dict[str, Any]:
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
    return entry


def _deleted(folder: Path) -> list[dict[str, Any]]:
    """Name and digest of programs that were written, and whose file is gone."""
    index = _read_index(folder)
    gone = index["deleted"] + [
        {"name": entry["name"], "sha256": entry.get("sha256") or ""}
        for entry in index["programs"]
        if not (folder / entry["file"]).exists()
    ]
    return list({entry["name"]: entry for entry in gone}.values())


def _read_index(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Entries of the index, none if there is no index."""
    path = folder / INDEX
    if not path.is_symlink() and not path.exists():
        return {"programs": [], "deleted": []}
    text = _read(path)
    try:
        index = json.loads(text)
        programs, deleted = index["programs"], index.get("deleted", [])
        for entry in programs:
            _check_entry(entry)
        for entry in deleted:
            _check_types(entry, {"name": str, "sha256": str})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(
            f"{path} is no index of programs; mend it, or delete it to read the .py "
            "files alone"
        ) from None
    return {"programs": programs, "deleted": deleted}


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
        if not all(isinstance(c, _SCALARS) for c in [answer, *now]):
            raise TypeError(answer)
        if isinstance(now, str):
            raise TypeError(now)
    known = {field.name for field in fields(Provenance)}
    for name, value in (entry.get("provenance") or {}).items():
        if name not in known or not isinstance(value, _SCALARS | None):
            raise TypeError(name)


def _check_types(entry: dict[str, Any], types: dict[str, Any]) -> None:
    for name, kind in types.items():
        if not isinstance(entry[name], kind):
            raise TypeError(name)


def _program(path: Path, entry: dict[str, Any]) -> LabelingProgram:
    source = _read(path)
    options: dict[str, Any] = {
        "returns": entry["returns"],
        "class_order": entry.get("class_order"),
        "class_mapping": entry.get("class_mapping"),
    }
    if source_digest(source) == entry.get("sha256"):
        options["provenance"] = Provenance(**(entry.get("provenance") or {}))
        return LabelingProgram(
            entry["name"], source, entry_point=entry["entry_point"], **options
        )
    try:
        return LabelingProgram(
            entry["name"], source, entry_point=entry["entry_point"], **options
        )
    except ProgramRejected:
        # The edit may have renamed the function.
        return LabelingProgram(entry["name"], source, **options)


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


def _read(path: Path) -> str:
    # Line ends are part of the source, so they are not translated.
    return read_text(path, max_bytes=_MAX_BYTES)
