"""Write labeling programs to a folder of Python files, and read them back."""

import datetime
import logging
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from os.path import lexists
from pathlib import Path
from typing import Any, NamedTuple

from .._files import as_path, check_file
from .._warn import warn
from ..exceptions import ProgramRejected, ProgramWarning
from ._about import without_about, write_about
from ._manifest import (
    INDEX,
    first_author,
    make_entry,
    read_index,
    read_source,
    source_digest,
    write_if_changed,
    write_index,
)
from ._program import LabelingProgram, Provenance

_LOGGER = logging.getLogger(__name__)
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
class _Folder:
    """What a folder holds, and what happened to it since it was written."""

    path: Path
    programs: list[LabelingProgram] = field(default_factory=list)
    changes: list[FolderChange] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    deleted: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def note(self, kind: str, file: str, message: str, line: int | None = None) -> None:
        self.changes.append(FolderChange(kind, str(self.path / file), line, message))


def write_programs(
    programs: Sequence[LabelingProgram],
    folder: str | PathLike[str],
    *,
    about: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write each program to a file of its own, and what else is known to an index.

    Files that would not change are not touched. The index keeps when each source was
    written, and digests and authors of those before it.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        Written to ``NAME.py``; characters of names that do not suit files become
        underscores.
    folder : str or path-like
        Made if missing. Programs written there before are replaced, unless their
        files were edited since. Files outside of it are never written, not even where
        a link in it leads to one.
    about : dict of str to sequence of str, optional
        Name -> what was seen of the program. If given, comments below each program say
        this, what it looks for, and who wrote it. They are no part of the program.

    Raises
    ------
    FileExistsError
        The folder holds other files, or edits that would be lost.
    OSError, ValueError
        The folder cannot be made or written.

    See Also
    --------
    read_programs : Read the folder again, with what was edited.
    folder_changes : What happened to the folder since.

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
    known: dict[str, dict[str, Any]] = {}
    if lexists(folder):
        check_folder(folder)
        before = _replaceable(folder, files)
        kept = {program.name for program in programs}
        held = _read_folder(folder, is_read=False)
        gone = [one for one in held.deleted if one["name"] not in kept]
        known = {entry["file"]: entry for entry in read_index(folder)["programs"]}
        by_digest = {entry.get("sha256"): entry for entry in known.values()}
        for file, program in files.items():  # one that was renamed keeps its history
            moved = by_digest.get(source_digest(program.source))
            if file not in known and moved is not None:
                known[file] = moved
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(
            f"the folder {str(folder)[:200]!r} cannot be made: {error.strerror}"
        ) from None
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    entries = []
    for file, program in files.items():
        entry = make_entry(file, program, known.get(file), today)
        entries.append(entry)
        path = folder / file
        if about is not None:
            facts = about.get(program.name, ())
            text = write_about(program, facts, was=first_author(entry))
            write_if_changed(path, text)
        elif not _holds(path, program.source):
            write_if_changed(path, program.source)
    write_index(folder, entries, gone)
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
        An edited program keeps its name and is taken as written by hand; one whose file
        was renamed takes the new name and stays what it was.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or no program in it.
    ProgramRejected
        No file holds a labeling program.
    ValueError
        The index is broken.

    Warns
    -----
    ProgramWarning
        A file holds no labeling program, or cannot be read. The others are read.

    See Also
    --------
    write_programs : Write such a folder.
    folder_changes : What happened to it since.
    """
    held = _read_folder(check_folder(as_path(folder)))
    if not held.programs and held.errors:
        raise held.errors[0]
    if not held.programs:
        raise FileNotFoundError(f"folder {held.path} holds no .py file")
    broken = [str(change) for change in held.changes if change.kind == "broken"]
    for change in held.changes:
        if change.kind != "broken":
            _LOGGER.info("%s", change)
    if broken:
        are = "1 file is" if len(broken) == 1 else f"{len(broken)} files are"
        warn(
            f"{are} left out, the other programs are read: {'; '.join(broken)}.",
            ProgramWarning,
        )
    return held.programs


def folder_changes(folder: str | PathLike[str]) -> list[FolderChange]:
    """Tell what happened to a folder since programs were written there.

    Parameters
    ----------
    folder : str or path-like
        As `read_programs` takes it. Nothing in it is changed.

    Returns
    -------
    changes : list of FolderChange
        One for each file that was edited, added, deleted, renamed or broken.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such folder, or its index is broken.

    See Also
    --------
    read_programs : Read the programs.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_alchemist.programs import (
    ...     LabelingProgram, folder_changes, write_programs)
    >>> program = LabelingProgram("prize", "def label(text): return None")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_programs([program], folder)
    ...     Path(folder, "prize.py").unlink()
    ...     [change.kind for change in folder_changes(folder)]
    ['deleted']
    """
    return _read_folder(check_folder(as_path(folder))).changes


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
    held = _read_folder(check_folder(as_path(folder)), is_read=False)
    return {entry["name"]: entry["sha256"] for entry in held.deleted}


def broken_programs(folder: str | PathLike[str]) -> list[str]:
    """List programs of a folder that cannot be read, until somebody mends their files.

    Parameters
    ----------
    folder : str or path-like
        As `read_programs` takes it.

    Returns
    -------
    broken : list of str
        Their names.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_programs` does.
    """
    return _read_folder(check_folder(as_path(folder))).broken


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
    listed = {entry["file"]: entry for entry in read_index(folder)["programs"]}
    present = {path.name for path in folder.iterdir()} - {INDEX, "__pycache__"}
    gone = [entry for file, entry in listed.items() if file not in present]
    digests = {entry["sha256"] for entry in gone if _is_plain(entry)}
    renamed = set()
    for name in sorted(present - listed.keys()):
        if name.startswith("."):
            continue
        path = folder / name
        # What somebody renamed is written again, under the new name.
        if name in files and path.is_file() and path.suffix == ".py":
            held = {source_digest(source) for source in _sources(read_source(path))}
            if held & digests:
                renamed.add(name)
                continue
        raise FileExistsError(
            f"folder {folder} holds {name}, which is none of the programs "
            "written there; choose an empty folder"
        )
    for name in sorted(present & listed.keys()):
        check_file(folder / name)
        sources = _sources(read_source(folder / name))
        is_kept = name in files and files[name].source in sources
        written = {source_digest(source) for source in sources}
        if not is_kept and listed[name].get("sha256") not in written:
            raise FileExistsError(
                f"{folder / name} was edited since it was written; "
                "choose another folder"
            )
    return (present & listed.keys()) | renamed


def _read_folder(folder: Path, *, is_read: bool = True) -> _Folder:
    """Read programs, if they are to be read, and what happened to their files."""
    held = _Folder(folder)
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
    left = {entry["sha256"]: entry for entry in missing if _is_plain(entry)}
    for path in added:
        try:
            text = read_source(path)
        except (OSError, ValueError):  # told where it is read
            continue
        for source in _sources(text):
            entry = left.pop(source_digest(source), None)
            if entry is not None:
                moved[entry["file"]] = path
                break
    return moved


def _is_plain(entry: dict[str, Any]) -> bool:
    """Whether an entry names a file of its folder, and says what that held."""
    return bool(entry.get("sha256")) and Path(entry["file"]).name == entry["file"]


def _add(held: _Folder, path: Path, entry: dict[str, Any] | None) -> bool:
    """Read one file, or say what is wrong with it."""
    name = path.stem if entry is None else entry["name"]
    try:
        text = read_source(path)
        if entry is None:
            held.programs.append(LabelingProgram(name, _sources(text)[0]))
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


def _sources(text: str) -> list[str]:
    """Say what the source in a file may be, without what is said of it below."""
    source, about = without_about(text)
    # The end of the last line may have been put there.
    return [source, source.removesuffix("\n")] if about else [text]


def _holds(path: Path, source: str) -> bool:
    """Whether a file holds a program already, whatever is said of it below."""
    if path.is_symlink() or not path.is_file():
        return False
    return source in _sources(read_source(path))


def _program(text: str, entry: dict[str, Any]) -> tuple[LabelingProgram, bool]:
    """Make a program of a file, and tell whether it was edited."""
    options: dict[str, Any] = {
        "returns": entry["returns"],
        "class_order": entry.get("class_order"),
        "class_mapping": entry.get("class_mapping"),
    }
    name, entry_point = entry["name"], entry["entry_point"]
    for source in _sources(text):
        if source_digest(source) == entry.get("sha256"):
            options["provenance"] = Provenance(**(entry.get("provenance") or {}))
            # Those of an edited program are to be learned again.
            options["thresholds"] = entry.get("thresholds")
            made = LabelingProgram(name, source, entry_point=entry_point, **options)
            return made, False
    source = _sources(text)[0]
    try:
        return LabelingProgram(name, source, entry_point=entry_point, **options), True
    except ProgramRejected:
        # The edit may have renamed the function.
        return LabelingProgram(name, source, **options), True
