"""Write texts of records and programs so that nothing in them acts, or is hidden."""

import html
import io
import keyword
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# What shows as nothing, or turns round how what follows it is shown.
HIDDEN = [
    *range(0x7F, 0xA0),
    0xAD,
    0x061C,
    0x180E,
    *(0x200B, 0x200E, 0x200F),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xD800, 0xE000),
]
_SHOWN: dict[int, str] = {code: f"\\u{code:04x}" for code in HIDDEN}
# Unicode has pictures of these.
_SHOWN |= {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"}

_KINDS = {
    tokenize.COMMENT: "comment",
    tokenize.NUMBER: "number",
    tokenize.STRING: "string",
}
# Python 3.12 and later take f-strings apart.
_KINDS |= {
    getattr(tokenize, name): "string"
    for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END")
    if hasattr(tokenize, name)
}


def printable(text: Any) -> str:
    r"""Write out characters that do not show, or that turn round what is beside them.

    Parameters
    ----------
    text : object
        What is to be shown; of what is no str, its str.

    Returns
    -------
    text : str
        Can be encoded in UTF-8 and has no control characters but tabs and line ends.

    Examples
    --------
    >>> from sklearn_alchemist.inspection._escaping import printable
    >>> printable("a\x00b\u202ec")
    'a␀b\\u202ec'
    """
    return str(text).translate(_SHOWN)


def write_table(cells: Sequence[Sequence[str]]) -> str:
    """Write a table for notebooks.

    Parameters
    ----------
    cells : sequence of sequence of str
        Lines of cells, the first one with the names of the columns. Names come from
        models and from files of others.

    Returns
    -------
    html : str
        A table, in which the first cell of each line names it.
    """
    head, *body = [[html.escape(printable(cell)) for cell in line] for line in cells]
    first = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = ""
    for name, *others in body:
        values = "".join(f"<td>{cell}</td>" for cell in others)
        lines += f'<tr><th scope="row">{name}</th>{values}</tr>'
    return f"<table><thead><tr>{first}</tr></thead><tbody>{lines}</tbody></table>"


def colour_source(source: str) -> list[list[tuple[str, str]]]:
    """Split Python source into lines of pieces, each with what it is.

    Parameters
    ----------
    source : str
        Python source text; of what is none, one piece a line is returned.

    Returns
    -------
    lines : list of list of (kind, text)
        The kind is "keyword", "string", "number", "comment", "name" of what is defined,
        or "" for all else. The texts together are what `printable` makes of the source.

    Examples
    --------
    >>> from sklearn_alchemist.inspection._escaping import colour_source
    >>> colour_source("return 1  # why")
    [[('keyword', 'return'), ('', ' '), ('number', '1'), ('', '  '),
      ('comment', '# why')]]
    """
    starts = [0]
    for line in io.StringIO(source):
        starts.append(starts[-1] + len(line))
    pieces: list[tuple[str, str]] = []
    end = 0
    for kind, first, last in _tokens(source):
        start, stop = (starts[row - 1] + column for row, column in (first, last))
        if start >= end and stop > start:
            pieces += [("", source[end:start]), (kind, source[start:stop])]
            end = stop
    pieces.append(("", source[end:]))
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, text in pieces:
        first_line, *others = text.split("\n")
        lines[-1].append((kind, printable(first_line)))
        lines += [[(kind, printable(line))] for line in others]
    return [[(kind, text) for kind, text in line if text] for line in lines]


def _tokens(source: str) -> list[tuple[str, tuple[int, int], tuple[int, int]]]:
    """Find what is to be coloured, as far as the source is Python."""
    found = []
    before = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = _KINDS.get(token.type, "")
            if token.type == tokenize.NAME:
                if keyword.iskeyword(token.string):
                    kind = "keyword"
                elif before in ("def", "class"):
                    kind = "name"
            before = token.string
            if kind:
                found.append((kind, token.start, token.end))
    except (tokenize.TokenError, SyntaxError):
        pass  # what was found so far is right
    return found


# A long text is shown around what is marked in it.
_LONGEST = 2_000
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
    if size <= _LONGEST:
        return [(0, size)]
    windows = [(0, _LONGEST // 4)]
    shown = windows[0][1]
    for start, stop in marks:
        # A mark of a whole text would show it all.
        begin, end = max(start - _AROUND, 0), min(stop, start + _LONGEST // 4) + _AROUND
        begin, end = max(begin, windows[-1][1]), min(end, size)
        if begin >= end:
            continue
        shown += end - begin
        if shown > _LONGEST:
            break
        if begin == windows[-1][1]:
            windows[-1] = windows[-1][0], end
        else:
            windows.append((begin, end))
    return windows
