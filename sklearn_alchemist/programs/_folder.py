"""Write labeling programs to a folder of Python files, and read them back."""

import datetime
import logging
import re
from collections.abc import Mapping, Sequence
from os import PathLike
from os.path import lexists
from pathlib import Path
from typing import Any

from .._utils import as_path, check_file, warn
from ..exceptions import ProgramWarning
from ._folder_contents import (
    FolderChange,
    check_folder,
    is_plain,
    look_into,
    sources_of,
)
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
from ._program import LabelingProgram
from ._program_comments import with_comments

_LOGGER = logging.getLogger(__name__)


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
        held = look_into(folder, is_read=False)
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
            text = with_comments(program, facts, was=first_author(entry))
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
    held = look_into(check_folder(as_path(folder)))
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
    return look_into(check_folder(as_path(folder))).changes


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
    held = look_into(check_folder(as_path(folder)), is_read=False)
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
    return look_into(check_folder(as_path(folder))).broken


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
    digests = {entry["sha256"] for entry in gone if is_plain(entry)}
    renamed = set()
    for name in sorted(present - listed.keys()):
        if name.startswith("."):
            continue
        path = folder / name
        # What somebody renamed is written again, under the new name.
        if name in files and path.is_file() and path.suffix == ".py":
            held = {source_digest(source) for source in sources_of(read_source(path))}
            if held & digests:
                renamed.add(name)
                continue
        raise FileExistsError(
            f"folder {folder} holds {name}, which is none of the programs "
            "written there; choose an empty folder"
        )
    for name in sorted(present & listed.keys()):
        check_file(folder / name)
        sources = sources_of(read_source(folder / name))
        is_kept = name in files and files[name].source in sources
        written = {source_digest(source) for source in sources}
        if not is_kept and listed[name].get("sha256") not in written:
            raise FileExistsError(
                f"{folder / name} was edited since it was written; "
                "choose another folder"
            )
    return (present & listed.keys()) | renamed


def _holds(path: Path, source: str) -> bool:
    """Whether a file holds a program already, whatever is said of it below."""
    if path.is_symlink() or not path.is_file():
        return False
    return source in sources_of(read_source(path))
