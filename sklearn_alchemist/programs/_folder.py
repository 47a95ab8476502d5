"""Write labeling programs to a folder of Python files, and read them back."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

from ..exceptions import ProgramRejected
from ._program import LabelingProgram, Provenance

INDEX = "programs.json"
_FORMAT = 1


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
        files were edited since.

    Raises
    ------
    FileExistsError
        The folder holds other files, or edits that would be lost.

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
    folder = Path(folder)
    files = dict(zip(_file_names(programs), programs, strict=True))
    before = _replaceable(folder, files) if folder.exists() else set()
    folder.mkdir(parents=True, exist_ok=True)
    for file, program in files.items():
        _write(folder / file, program.source)
    entries = [_entry(file, program) for file, program in files.items()]
    index = {"format": _FORMAT, "programs": entries}
    _write(folder / INDEX, json.dumps(index, indent=2) + "\n")
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
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(folder)!r} to read programs from"
        )
    files = {path.name: path for path in sorted(_python_files(folder))}
    programs = [
        _program(files.pop(entry["file"]), entry)
        for entry in _read_index(folder)
        if entry["file"] in files
    ]
    programs += [LabelingProgram(path.stem, _read(path)) for path in files.values()]
    if not programs:
        raise FileNotFoundError(f"folder {folder} holds no .py file")
    return programs


def _python_files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.glob("*.py") if path.name[0] not in "_.")


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
    listed = {entry["file"]: entry for entry in _read_index(folder)}
    present = {path.name for path in folder.iterdir()} - {INDEX, "__pycache__"}
    foreign = sorted(n for n in present - listed.keys() if not n.startswith("."))
    if foreign:
        raise FileExistsError(
            f"folder {folder} holds {foreign[0]}, which is none of the programs "
            "written there; choose an empty folder"
        )
    for name in sorted(present & listed.keys()):
        source = _read(folder / name)
        is_kept = name in files and files[name].source == source
        if not is_kept and _digest(source) != listed[name].get("sha256"):
            raise FileExistsError(
                f"{folder / name} was edited since it was written; "
                "choose another folder"
            )
    return present & listed.keys()


def _entry(file: str, program: LabelingProgram) -> dict[str, Any]:
    return {
        "name": program.name,
        "file": file,
        "sha256": _digest(program.source),
        "entry_point": program.entry_point,
        "returns": program.returns,
        "class_order": program.class_order,
        "provenance": asdict(program.provenance),
    }


def _read_index(folder: Path) -> list[dict[str, Any]]:
    """Entries of the index, none if there is no index."""
    path = folder / INDEX
    if not path.exists():
        return []
    try:
        entries = json.loads(_read(path))["programs"]
        for entry in entries:
            if not {"name", "file", "entry_point", "returns"} <= entry.keys():
                raise KeyError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(
            f"{path} is no index of programs; mend it, or delete it to read the .py "
            "files alone"
        ) from None
    return entries


def _program(path: Path, entry: dict[str, Any]) -> LabelingProgram:
    source = _read(path)
    options: dict[str, Any] = {
        "returns": entry["returns"],
        "class_order": entry.get("class_order"),
    }
    if _digest(source) == entry.get("sha256"):
        options["provenance"] = Provenance(**entry.get("provenance", {}))
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


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


def _read(path: Path) -> str:
    # Line ends are part of the source, so they are not translated.
    return path.read_bytes().decode("utf-8-sig")


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
