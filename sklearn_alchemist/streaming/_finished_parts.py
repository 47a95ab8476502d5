"""Keep labels of finished batches, so that a run goes on where it was ended."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ..exceptions import TargetError
from ._find_files import open_filesystem

# Datasets pass by what begins with an underscore.
MANIFEST = "_manifest.json"
SCHEMA_VERSION = 1
_LOCK = ".lock"
# What a folder is hardly meant to be called; ".parquet" some give to folders.
_FILE_NAME = re.compile(
    r"\.(csv|tsv|txt|jsonl?|xlsx?|ods|feather|arrow)(\.\w+)?$", re.I
)
_PART = re.compile(r"part-(\d{5})-(\d{7})\.parquet")


@dataclass(frozen=True)
class Parts:
    """The folder of the parts of one run.

    Parameters
    ----------
    filesystem : pyarrow.fs.FileSystem
        Where it lies.

    folder : str
        Its path there.
    """

    filesystem: Any
    folder: str

    @classmethod
    def at(cls, target: "str | os.PathLike[str]") -> "Parts":
        """Take a folder, which need not exist.

        Parameters
        ----------
        target : str or path-like
            A path on this machine, or an address that pyarrow knows.

        Raises
        ------
        TargetError
            If it is a file, or is called like one.
        """
        from pyarrow.fs import FileType

        filesystem, path = open_filesystem(target)
        kind = filesystem.get_file_info(path).type
        if kind != FileType.Directory and (
            kind == FileType.File or _FILE_NAME.search(path)
        ):
            what = "a file" if kind == FileType.File else "called like a file"
            raise TargetError(
                f"target {os.fspath(target)!r} is {what}, and labels are written into "
                "a folder, as Parquet files: name one, such as 'labels'. "
                "pandas.read_parquet('labels').to_csv(...) makes one CSV file of it."
            )
        return cls(filesystem, path)

    def path(self, name: str) -> str:
        """Give the path of a file of the folder."""
        return f"{self.folder.rstrip('/')}/{name}"

    def finished(self) -> set[tuple[int, int]]:
        """Find the parts that are there, by numbers of file and batch."""
        found = set()
        for info in self._listed():
            match = _PART.fullmatch(info.base_name)
            if match and self._is_whole(info):
                found.add((int(match[1]), int(match[2])))
        return found

    def _is_whole(self, info: Any) -> bool:
        """Tell whether a part ends as Parquet does; what was cut off does not."""
        if self.filesystem.type_name != "local":
            return True
        with self.filesystem.open_input_file(info.path) as file:
            file.seek(max(file.size() - 4, 0))
            return file.read() == b"PAR1"

    def agree(self, plan: Mapping[str, Any]) -> None:
        """Write down what the run does, or check that it did the same before.

        Parameters
        ----------
        plan : dict
            What all parts have in common.

        Raises
        ------
        TargetError
            If the folder holds something else. Says what differs.
        """
        before = self._read_manifest()
        if before is None:
            if any(not i.base_name.startswith(".") for i in self._listed()):
                raise TargetError(
                    f"target {self.folder!r} holds files, and no {MANIFEST} that says "
                    "what they are: give a new folder."
                )
            self._create()
            self.write(MANIFEST, json.dumps(plan, indent=1).encode())
            return
        begun = {file for file, _ in self.finished()}
        for key, value in plan.items():
            old = before.get(key)
            if old == value or (key == "source" and _may_go_on(old, value, begun)):
                continue
            differs = _difference_message(key, old, value)
            raise TargetError(
                f"target {self.folder!r} holds labels that were made {differs}: give "
                "a new folder, or delete this one."
            )
        if before != plan:  # a file of which there is no part yet was mended
            self.write(MANIFEST, json.dumps(plan, indent=1).encode())

    def write(self, name: str, data: Any) -> None:
        """Write a file as a whole or not at all, to stay after a loss of power.

        Parameters
        ----------
        name : str
            Name in the folder.

        data : bytes-like
            What it is to hold.

        Raises
        ------
        TargetError
            If it cannot be written.
        """
        beside = self.path(f".{name}.{os.getpid()}")
        try:
            if self.filesystem.type_name == "local":
                with open(beside, "wb") as file:  # noqa: PTH123
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            else:
                with self.filesystem.open_output_stream(beside) as stream:
                    stream.write(data)
            self.filesystem.move(beside, self.path(name))
            self._sync_folder()
        except OSError as error:
            with suppress(OSError):
                self.filesystem.delete_file(beside)
            reason = error.strerror or str(error).splitlines()[0]
            raise TargetError(
                f"{self.path(name)} cannot be written: {reason}. What is finished is "
                "kept: make room or mend the path, and the same call goes on."
            ) from error

    def discard_unfinished(self) -> None:
        """Delete what a run that was ended left half written."""
        for info in self._listed():
            if info.base_name.startswith((".part-", f".{MANIFEST}")):
                with suppress(OSError):
                    self.filesystem.delete_file(info.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder, as far as its file system can.

        Raises
        ------
        TargetError
            If another run writes there now.
        """
        if self.filesystem.type_name != "local":
            yield
            return
        from filelock import FileLock, Timeout

        self._create()
        lock = FileLock(self.path(_LOCK), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise TargetError(
                f"another run writes into {self.folder!r} now: wait for it, or give "
                "another target."
            ) from None
        except OSError as error:
            raise TargetError(
                f"target {self.folder!r} cannot be written: {error.strerror or error}"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _create(self) -> None:
        try:
            self.filesystem.create_dir(self.folder, recursive=True)
        except OSError as error:
            reason = str(error).splitlines()[0]
            raise TargetError(
                f"target {self.folder!r} cannot be made: {reason}. Give a folder that "
                "can be written."
            ) from None

    def _listed(self) -> list[Any]:
        from pyarrow import fs

        selector = fs.FileSelector(self.folder, allow_not_found=True)
        return self.filesystem.get_file_info(selector)

    def _read_manifest(self) -> dict[str, Any] | None:
        try:
            with self.filesystem.open_input_stream(self.path(MANIFEST)) as stream:
                data = stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            manifest = json.loads(data)
            if not isinstance(manifest, dict):
                raise ValueError
            return manifest
        except ValueError:
            raise TargetError(
                f"{self.path(MANIFEST)} is no manifest: give a new folder."
            ) from None

    def _sync_folder(self) -> None:
        """Let the new name outlive a loss of power, where folders can be synced."""
        if self.filesystem.type_name == "local" and hasattr(os, "O_DIRECTORY"):
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def part_name(file: int, batch: int) -> str:
    """Name a part so that parts sort in the order of their rows.

    Parameters
    ----------
    file : int
        Number of the file of the source.

    batch : int
        Number of the batch in that file.

    Returns
    -------
    name : str
        Name of the file.

    Examples
    --------
    >>> from sklearn_alchemist.streaming._finished_parts import part_name
    >>> part_name(0, 12)
    'part-00000-0000012.parquet'
    """
    return f"part-{file:05d}-{batch:07d}.parquet"


def _may_go_on(before: Any, now: list[dict[str, Any]], begun: set[int]) -> bool:
    """Tell whether only files changed of which there is no part yet."""
    if [file["path"] for file in before or ()] != [file["path"] for file in now]:
        return False
    pairs = enumerate(zip(before, now, strict=True))
    return all(place not in begun for place, (old, new) in pairs if old != new)


def _difference_message(key: str, before: Any, now: Any) -> str:
    """Say how labels there are were made otherwise."""
    if key == "source":
        old = {file["path"]: file for file in before or ()}
        new = {file["path"]: file for file in now}
        changed = [path for path in new if path in old and old[path] != new[path]]
        if changed:
            place = list(old).index(changed[0])
            return (
                f"from {changed[0]!r} as it was before it was changed (delete its "
                f"parts, part-{place:05d}-*, to label that file again)"
            )
        odd = min(old.keys() ^ new.keys())
        what = "new" if odd in new else "not among them now"
        return f"from other files: {odd!r} is {what}"
    return {
        "annotator": "by another annotator",
        "batch_size": f"in batches of {before} rows, not {now}",
        "columns": f"from the columns {before}, not {now}",
        "keep": f"with the columns {before} kept, not {now}",
        "schema": f"by a version that writes schema {before}, not {now}",
    }[key]
