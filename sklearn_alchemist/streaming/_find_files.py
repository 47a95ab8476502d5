"""Find the files that a path, a folder or a pattern means."""

import glob
import hashlib
import os
from typing import Any

from ._read_batches import PACKED, READ_FOR_DIGEST, Source, SourceFile

FORMATS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv"}


def find_source(source: "str | os.PathLike[str]", *, passed_by: str = "") -> Source:
    r"""Find the files that a path, a folder or a pattern means.

    Parameters
    ----------
    source : str or path-like
        A file, a folder whose files are meant, with those of its folders, or a pattern
        such as ``data/*.parquet``; or an address that pyarrow knows, such as
        ``s3://bucket/folder``.

    passed_by : str, default=""
        A folder whose files are not meant, if there are others.

    Returns
    -------
    source : Source
        The files.

    Raises
    ------
    ImportError
        If pyarrow is not installed.

    ValueError
        If there are no files, or files of several formats or of one that is not known.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sklearn_alchemist.streaming._find_files import find_source
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "texts.csv").write_text("text\nhello\n")
    >>> found = find_source(folder)
    >>> found.format, len(found.files)
    ('csv', 1)
    """
    filesystem, path = open_filesystem(source)
    from pyarrow import fs

    is_there = filesystem.type_name == "local" and os.path.exists(path)  # noqa: PTH110
    if filesystem.type_name == "local" and glob.has_magic(path) and not is_there:
        paths = sorted(p for p in glob.glob(path, recursive=True) if os.path.isfile(p))  # noqa: PTH113, PTH207
    else:
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.Directory:
            selector = fs.FileSelector(path, recursive=True)
            listed = filesystem.get_file_info(selector)
            # As datasets do, what is hidden or no record is passed by.
            paths = sorted(
                found.path
                for found in listed
                if found.type == fs.FileType.File
                and not found.base_name.startswith((".", "_"))
                and _format_of(found.path) is not None
            )
        else:
            paths = [path] if info.type == fs.FileType.File else []
    if passed_by:
        inside = f"{passed_by.rstrip('/')}/"
        paths = [p for p in paths if not p.startswith(inside)] or paths
    if not paths:
        raise ValueError(
            f"source {os.fspath(source)!r} holds no files: give a Parquet or CSV file, "
            "a folder of such files or a pattern."
        )
    formats = {_format_of(path) for path in paths}
    if None in formats or len(formats) > 1:
        odd = next((p for p in paths if _format_of(p) is None), paths[-1])
        raise ValueError(
            f"source holds {odd!r}; files are to be all Parquet (.parquet, .pq) or all "
            "CSV (.csv, .tsv, packed or not)."
        )
    files = tuple(_look_at(filesystem, path) for path in paths)
    return Source(filesystem, files, str(formats.pop()))


def open_filesystem(path: "str | os.PathLike[str]") -> tuple[Any, str]:
    """Find the file system of a path or an address.

    Parameters
    ----------
    path : str or path-like
        A path on this machine, or an address that pyarrow knows.

    Returns
    -------
    filesystem : pyarrow.fs.FileSystem
        The file system.

    path : str
        The path in it.

    Raises
    ------
    ImportError
        If pyarrow is not installed.

    ValueError
        If pyarrow knows no such file system.

    TypeError
        If it is no path.
    """
    try:
        import pyarrow as pa
        from pyarrow import fs
    except ImportError:
        raise ImportError(
            "files are read with pyarrow: pip install 'sklearn-alchemist[files]'."
        ) from None
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            "give a path, or an address that pyarrow knows, as a str or a Path; got "
            f"{type(path).__name__}. A folder or a pattern stands for many files."
        )
    text = str(os.fspath(path))
    if "://" not in text:
        return fs.LocalFileSystem(), os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111
    try:
        return fs.FileSystem.from_uri(text)
    except (pa.ArrowException, OSError, ValueError) as error:
        scheme = text.partition("://")[0]
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"pyarrow cannot open {scheme}:// addresses of this kind: {reason}"
        ) from None


def _format_of(path: str) -> str | None:
    stem, suffix = os.path.splitext(path.lower())  # noqa: PTH122
    if suffix in PACKED:
        suffix = os.path.splitext(stem)[1]  # noqa: PTH122
        return "csv" if FORMATS.get(suffix) == "csv" else None
    return FORMATS.get(suffix)


def _look_at(filesystem: Any, path: str) -> SourceFile:
    info = filesystem.get_file_info(path)
    size = int(info.size or 0)
    digest = hashlib.sha256()
    with filesystem.open_input_file(path) as file:
        digest.update(file.read(READ_FOR_DIGEST))
        if size > READ_FOR_DIGEST:
            file.seek(max(READ_FOR_DIGEST, size - READ_FOR_DIGEST))
            digest.update(file.read())
    changed = info.mtime_ns / 1e9 if info.mtime_ns else 0.0
    return SourceFile(path, size, changed, digest.hexdigest()[:32])
