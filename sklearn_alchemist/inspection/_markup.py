"""Write texts of records and programs so that nothing in them does anything."""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._printed import printable

# A long text is shown around what is marked in it.
_SHOWN = 2_000
_AROUND = 60

_STYLE = (
    "<style>.alchemist{font-family:inherit;max-width:60em}"
    ".alchemist table{border-collapse:collapse;margin:.5em 0}"
    ".alchemist th,.alchemist td{text-align:left;vertical-align:top;padding:.2em .6em;"
    "border-bottom:1px solid #8886}"
    ".alchemist mark{background:#fd6;color:#000;padding:0 .1em;border-radius:.2em}"
    ".alchemist pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0}"
    ".alchemist .text{white-space:pre-wrap;overflow-wrap:anywhere}</style>"
)


def in_one_line(text: str, most: int | None = None) -> str:
    """Show a text in one line of a terminal.

    Parameters
    ----------
    text : str
        Anybody's.
    most : int, optional
        Most characters; more are cut.

    Returns
    -------
    shown : str
        Without control characters and those that turn the direction of what follows.
    """
    if most is not None and len(text) > most:
        text = text[: most - 1] + "…"
    return "".join(c if c.isprintable() else _stand_in(c) for c in text)


def escape(text: str) -> str:
    """Show a text in HTML, character by character.

    Parameters
    ----------
    text : str
        Anybody's.

    Returns
    -------
    shown : str
        Escaped; what would not show, or turn round what is beside it, is spelled out.
    """
    return html.escape(printable(text))


def mark(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Mark parts of a text in HTML; of a long one, show what lies around them.

    Parameters
    ----------
    text : str
        Anybody's.
    spans : iterable of (start, stop)
        What to mark; they may overlap.

    Returns
    -------
    shown : str
        Escaped, and kept from turning the direction of what is around it.
    """
    marks = _joined(spans)
    parts: list[str] = []
    place = 0
    for begin, end in _windows(len(text), marks):
        if begin > place:
            parts.append("…")
        place = begin
        for start, stop in marks:
            if begin <= start < end:
                stop = min(stop, end)
                parts.append(escape(text[place:start]))
                parts.append(f"<mark>{escape(text[start:stop])}</mark>")
                place = stop
        parts.append(escape(text[place:end]))
        place = end
    if place < len(text):
        parts.append("…")
    return f'<bdi class="text">{"".join(parts)}</bdi>'


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Put cells into an HTML table.

    Parameters
    ----------
    header : sequence of str
        Names of the columns, escaped here.
    rows : iterable of sequence of str
        Cells, which are HTML.

    Returns
    -------
    table : str
    """
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def section(*parts: str) -> str:
    """Put parts into one block with our style.

    Parameters
    ----------
    *parts : str
        HTML.

    Returns
    -------
    block : str
    """
    return f'<div class="alchemist">{_STYLE}{"".join(parts)}</div>'


def align(cells: Sequence[Sequence[str]], right: Sequence[int] | None = None) -> str:
    """Write cells as lines of a table for a terminal.

    Parameters
    ----------
    cells : sequence of sequence of str
        Rows, the header first.
    right : sequence of int, optional
        Columns that are aligned to the right; by default all but the first.

    Returns
    -------
    lines : str
    """
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = range(1, len(widths)) if right is None else right
    return "\n".join(
        "  ".join(
            cell.rjust(width) if j in right else cell.ljust(width)
            for j, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def plain(value: Any) -> Any:
    """Give Python's own scalar for NumPy's.

    Parameters
    ----------
    value : scalar

    Returns
    -------
    plain : scalar
    """
    return value.item() if hasattr(value, "item") else value


def plain_data(value: Any) -> Any:
    """Turn dataclasses' values into what JSON has.

    Parameters
    ----------
    value : object
        Dicts, tuples, lists and scalars.

    Returns
    -------
    data : object
        Dicts with keys of str, lists and Python's own scalars.
    """
    if isinstance(value, dict):
        return {str(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_data(item) for item in value]
    return plain(value)


def write_record(columns: Mapping[str, Sequence[Any]], row: int) -> str:
    """Write a record in one piece.

    Parameters
    ----------
    columns : mapping of str to sequence
        Values by column.
    row : int
        Its place.

    Returns
    -------
    written : str
        The text, or values with the names of their columns.
    """
    if len(columns) == 1:
        return str(next(iter(columns.values()))[row])
    return ", ".join(f"{name}={values[row]}" for name, values in columns.items())


def _stand_in(character: str) -> str:
    return " " if character.isspace() else "\ufffd"


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that overlap."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return joined


def _windows(size: int, marks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Parts of a text that are shown: all of a short one."""
    if size <= _SHOWN:
        return [(0, size)]
    windows = [(0, _SHOWN // 4)]
    shown = windows[0][1]
    for start, stop in marks:
        # A mark of a whole text would show it all.
        begin, end = max(start - _AROUND, 0), min(stop, start + _SHOWN // 4) + _AROUND
        begin, end = max(begin, windows[-1][1]), min(end, size)
        if begin >= end:
            continue
        shown += end - begin
        if shown > _SHOWN:
            break
        if begin == windows[-1][1]:
            windows[-1] = windows[-1][0], end
        else:
            windows.append((begin, end))
    return windows
