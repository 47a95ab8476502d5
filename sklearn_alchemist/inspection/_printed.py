"""Prepare what others wrote for being read: nothing hidden, and Python in colour."""

import html
import io
import keyword
import tokenize
from collections.abc import Sequence
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
    >>> from sklearn_alchemist.inspection._printed import printable
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
    >>> from sklearn_alchemist.inspection._printed import colour_source
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
