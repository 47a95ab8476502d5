"""Find out what a folder of programs holds, and what happened to it."""

import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..exceptions import ProgramRejected
from ._manifest import read_index, read_source, source_digest
from ._program import LabelingProgram, Provenance
from ._program_comments import without_comments

_LINE = re.compile(r"\bline (\d+)\b")


class FolderChange(NamedTuple):
    """What happened to one file of a folder since programs were written there.

    Parameters
    ----------
    kind : {"edited", "added", "deleted", "renamed", "broken"}
        What happened.
    path : str
        The file.
    line : int or None
        Where it is broken.
    message : str
        What it means, and what to do where something is wrong.
    """

    kind: str
    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{place} {self.message}"


@dataclass
class FolderContents:
    """What a folder holds, and what happened to it since it was written."""

    path: Path
    programs: list[LabelingProgram] = field(default_factory=list)
    changes: list[FolderChange] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    deleted: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def note(self, kind: str, file: str, message: str, line: int | None = None) -> None:
        self.changes.append(FolderChange(kind, str(self.path / file), line, message))


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


def look_into(folder: Path, *, is_read: bool = True) -> FolderContents:
    """Read programs, if they are to be read, and what happened to their files."""
    held = FolderContents(folder)
    index = read_index(folder)
    files = {path.name: path for path in sorted(_python_files(folder))}
    listed = {entry["file"]: entry for entry in index["programs"]}
    missing = [entry for file, entry in listed.items() if file not in files]
    moved = _find_moved(missing, [p for n, p in files.items() if n not in listed])
    renamed = {path.name: listed[file] for file, path in moved.items()}
    for file, entry in listed.items():
        if file in moved:
            continue
        path = files.pop(file, None)
        if path is None:
            held.note("deleted", file, f"was deleted: {entry['name']!r} is left out")
            digest = entry.get("sha256") or ""
            held.deleted.append({"name": entry["name"], "sha256": digest})
            continue
        if is_read:
            _add(held, path, entry)
    for file, path in files.items() if is_read else ():
        was = renamed.get(file)
        if was is not None:
            _add(held, path, {**was, "name": path.stem})
            held.note("renamed", file, f"was {was['file']}; the program follows it")
        elif _add(held, path, None):
            held.note("added", file, "was added, and is taken as written by hand")
    gone = [*index["deleted"], *held.deleted]
    held.deleted = list({entry["name"]: entry for entry in gone}.values())
    return held


def _find_moved(
    missing: Sequence[dict[str, Any]], added: Sequence[Path]
) -> dict[str, Path]:
    """Find files that were renamed, by what they hold."""
    moved: dict[str, Path] = {}
    if not missing or not added:
        return moved
    left = {entry["sha256"]: entry for entry in missing if is_plain(entry)}
    for path in added:
        try:
            text = read_source(path)
        except (OSError, ValueError):  # told where it is read
            continue
        for source in sources_of(text):
            entry = left.pop(source_digest(source), None)
            if entry is not None:
                moved[entry["file"]] = path
                break
    return moved


def is_plain(entry: dict[str, Any]) -> bool:
    """Whether an entry names a file of its folder, and says what that held."""
    return bool(entry.get("sha256")) and Path(entry["file"]).name == entry["file"]


def _add(held: FolderContents, path: Path, entry: dict[str, Any] | None) -> bool:
    """Read one file, or say what is wrong with it."""
    name = path.stem if entry is None else entry["name"]
    try:
        text = read_source(path)
        if entry is None:
            held.programs.append(LabelingProgram(name, sources_of(text)[0]))
            return True
        program, is_edited = _program(text, entry)
    except (ProgramRejected, OSError, ValueError) as error:
        held.errors.append(error)
        held.broken.append(name)
        said = str(error).replace(repr(str(path)), "the file")
        line = _LINE.search(said)
        held.note(
            "broken",
            path.name,
            f"is no labeling program ({said}): mend it, or delete the file",
            int(line[1]) if line else None,
        )
        return False
    held.programs.append(program)
    if is_edited:
        message = "was edited, and is taken as written by hand"
        held.note("edited", path.name, message)
    return True


def sources_of(text: str) -> list[str]:
    """Say what the source in a file may be, without what is said of it below."""
    source, about = without_comments(text)
    # The end of the last line may have been put there.
    return [source, source.removesuffix("\n")] if about else [text]


def _program(text: str, entry: dict[str, Any]) -> tuple[LabelingProgram, bool]:
    """Make a program of a file, and tell whether it was edited."""
    options: dict[str, Any] = {
        "returns": entry["returns"],
        "class_order": entry.get("class_order"),
        "class_mapping": entry.get("class_mapping"),
    }
    name, entry_point = entry["name"], entry["entry_point"]
    for source in sources_of(text):
        if source_digest(source) == entry.get("sha256"):
            options["provenance"] = Provenance(**(entry.get("provenance") or {}))
            # Those of an edited program are to be learned again.
            options["thresholds"] = entry.get("thresholds")
            made = LabelingProgram(name, source, entry_point=entry_point, **options)
            return made, False
    source = sources_of(text)[0]
    try:
        return LabelingProgram(name, source, entry_point=entry_point, **options), True
    except ProgramRejected:
        # The edit may have renamed the function.
        return LabelingProgram(name, source, **options), True
