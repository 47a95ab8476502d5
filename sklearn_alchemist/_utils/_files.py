"""Read and write files that users name, whatever lies at a path."""

import os
import stat
from contextlib import suppress
from pathlib import Path

_KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


def as_path(path: "str | os.PathLike[str]") -> Path:
    """Take a path as users write it, with ``~`` for their home.

    Parameters
    ----------
    path : str or path-like
        What the user gave.

    Returns
    -------
    path : Path
        The same, expanded.

    Raises
    ------
    ValueError
        If no file can have such a path.
    """
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"the path {text!r} is {type(text).__name__}, not a str.")
    if not text or "\0" in text:
        raise ValueError(f"{text!r} is no path: it is empty or holds a null character.")
    # Of a user that does not exist, it stays as it is.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def check_file(path: Path) -> None:
    """Raise where a path leads to anything but a file, without opening it.

    To open a pipe waits for whoever writes into it, and a device may have no end.

    Parameters
    ----------
    path : Path
        Where the file should be.

    Raises
    ------
    FileNotFoundError
        If there is nothing.

    ValueError
        If there is something else, or it cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        broken = path.is_symlink()
        reason = "is a link that leads nowhere" if broken else "does not exist"
        raise FileNotFoundError(f"{str(path)!r} {reason}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{str(path)!r} cannot be opened: {_reason(error)}") from None
    for is_kind, kind in _KINDS.items():
        if is_kind(mode):
            raise ValueError(f"{str(path)!r} is {kind}, not a file")


def read_text(path: Path, *, max_bytes: int | None = None) -> str:
    """Read a text, without changing its ends of lines.

    Parameters
    ----------
    path : Path
        A file in UTF-8.

    max_bytes : int or None, default=None
        Most that is read.

    Returns
    -------
    text : str
        What the file holds, without a byte-order mark.

    Raises
    ------
    FileNotFoundError
        If there is none.

    ValueError
        If it is no file, cannot be read, is longer or not UTF-8. Names the path.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            content = file.read(-1 if max_bytes is None else max_bytes + 1)
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be read: {_reason(error)}") from None
    if max_bytes is not None and len(content) > max_bytes:
        raise ValueError(f"{str(path)!r} is longer than {max_bytes:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r} is not UTF-8: {error.reason} at byte {error.start}"
        ) from None


def write_text(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write a file as a whole or not at all, and into no other.

    What a link at the path leads to is left alone: the link itself is replaced.

    Parameters
    ----------
    path : Path
        The file to write.

    text : str
        What it is to hold.

    mode : int, default=0o666
        Its permissions, less those that the process takes from all its files.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    beside = path.with_name(f".{path.name[:80]}.{os.getpid()}.{os.urandom(4).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(beside, flags, mode), "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
