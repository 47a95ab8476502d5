"""Undo what chats, formatters and copying do to code."""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from ._code_blocks import Block

_DIFF = re.compile(r"^(?:@@|\+[^+\n]|diff --git|<{5,} ?SEARCH)", re.MULTILINE)
_HEADER = re.compile(
    r"diff --git|index [0-9a-f]|--- |\+\+\+ |new file mode|\\ No newline"
)
_SEARCH = re.compile(r"<{5,9} ?SEARCH")
_INSTEAD = re.compile(r"={5,9}")
_REPLACE = re.compile(r">{5,9} ?REPLACE")
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.)(?: |$)")
_OUTPUT_OF_PROMPT = re.compile(r"^[ \t]*>>>")
_NUMBERED = re.compile(r"^[ \t]*(\d{1,5})(?:[ \t]*[|:.)]|[ \t\u00a0])[ ]?(.*)$")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,5}|#x[0-9a-fA-F]{1,5});")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"))
_LOOKALIKES = {
    **_INVISIBLE,
    **dict.fromkeys(
        [0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "
    ),
    **dict.fromkeys([0x2028, 0x2029, 0x85], "\n"),
    **dict.fromkeys([0x2212, 0x2013, 0x2010, 0x2011], "-"),
    # Full-width forms, as of Chinese keyboards.
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    0x2264: "<=",
    0x2265: ">=",
    0x2260: "!=",
    0xD7: "*",
    0x2026: "...",
    0x3001: ",",
    0x3002: ".",
    0x3010: "[",
    0x3011: "]",
}
# What tells where brackets end; a statement begins a line and cannot stand within any.
_CODE = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<quote>\"{3}|'{3}|[\"'])"
    r"|(?P<statement>^(?:(?:def|class|import|from)\b|@|[A-Za-z_]\w*[ ]*=(?!=)))|\S",
    re.MULTILINE,
)
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_MAX_BRACKETS = 50
# Characters of a text between curly marks at most.
_MAX_STRING = 500
# Opening quotation marks -> what closes them, and the quotation mark of Python.
_QUOTES = {
    "\u201c": ("\u201d\u201c", '"'),
    "\u201d": ("\u201d", '"'),
    "\u201e": ("\u201c\u201d", '"'),
    "\u2018": ("\u2019\u2018", "'"),
    "\u2019": ("\u2019", "'"),
    "\u201a": ("\u2018\u2019", "'"),
    "\u00ab": ("\u00bb", '"'),
    "\u300c": ("\u300d", '"'),
    "\uff02": ("\uff02", '"'),
    "\uff07": ("\uff07", "'"),
    "`": ("`\u00b4", "'"),
}


def repairs_of(body: str) -> Iterator[str]:
    """Yield what code may have been, the likeliest first.

    Parameters
    ----------
    body : str
        What a block holds.

    Yields
    ------
    source : str
        The block without the blank lines around and the indentation of the whole; then
        with one more change after the other undone, each a form that is no Python.
    """
    source = _tidy(body.strip("\ufeff\u200b"))
    if re.match(r"(?:python|py)\d?\n", source, re.IGNORECASE):
        source = source.split("\n", 1)[1]
    yield source
    seen = {source}
    for repair in (
        _without_quotation,
        _without_prompts,
        _without_numbers,
        _without_plus,
        _without_magic,
        _from_entities,
        _from_escapes,
        plain_characters,
        _without_tabs,
        _with_brackets_closed,
    ):
        changed = _tidy(repair(source))
        if changed not in seen:
            seen.add(changed)
            source = changed
            yield source


def plain_characters(source: str) -> str:
    """Replace what looks like a character of Python outside of strings.

    Parameters
    ----------
    source : str
        Code in which a formatter has put curly quotation marks, spaces that do not
        break, full-width forms and characters that are not seen.

    Returns
    -------
    source : str
        The same with plain characters; strings keep what they hold.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._code_repairs import plain_characters
    >>> plain_characters("x\u00a0=\u00a0\u2018don\u2019t\u2019")
    "x = 'don\u2019t'"
    """
    if source.isascii() and "`" not in source:
        return source
    out: list[str] = []
    place, n = 0, len(source)
    while place < n:
        char = source[place]
        if char in "\"'":
            marks = source[place : place + 3]
            marks = marks if marks in ('"""', "'''") else char
            end = _end_of_string(source, place + len(marks), marks)
            out.append(source[place:end])
            place = end
        elif char == "#":
            end = source.find("\n", place)
            end = n if end == -1 else end
            out.append(source[place:end])
            place = end
        elif char in _QUOTES:
            closing, mark = _QUOTES[char]
            end = _end_of_curly(source, place + 1, closing)
            if end == -1:
                out.append(mark)
                place += 1
                continue
            held = source[place + 1 : end]
            if mark in held:
                mark = "'" if mark == '"' else '"'
            if mark in held:
                held = held.replace(mark, "\\" + mark)
            out.append(mark + held + mark)
            place = end + 1
        else:
            replaced = _LOOKALIKES.get(ord(char), char)
            out.append(replaced or "")
            place += 1
    return "".join(out)


def _end_of_string(source: str, place: int, marks: str) -> int:
    """Find where a string ends: behind its marks, or with the line."""
    stop = re.compile(
        rf"\\.|{re.escape(marks)}" + ("" if len(marks) == 3 else r"|\n"), re.S
    )
    for found in stop.finditer(source, place):
        if found[0] == marks:
            return found.end()
        if found[0] == "\n":
            return found.start()
    return len(source)


def _end_of_curly(source: str, place: int, closing: str) -> int:
    """Find the mark that closes a curly one: on its line, and no apostrophe."""
    line_end = source.find("\n", place, place + _MAX_STRING)
    line_end = min(len(source), place + _MAX_STRING) if line_end == -1 else line_end
    found = _closing_marks(closing).search(source, place, line_end + 1)
    return found.start() if found and found.start() < line_end else -1


@lru_cache
def _closing_marks(closing: str) -> re.Pattern[str]:
    """Find one of the marks, unless it is an apostrophe: before a letter or digit."""
    marks = (
        re.escape(mark) + (r"(?![^\W_])" if mark in "\u2019\u2018" else "")
        for mark in closing
    )
    return re.compile("|".join(marks))


def _without_quotation(source: str) -> str:
    lines = source.split("\n")
    if not all(line.lstrip().startswith(">") for line in lines if line.strip()):
        return source
    if any(_OUTPUT_OF_PROMPT.match(line) for line in lines):
        return source
    return "\n".join(re.sub(r"^[ \t]*>[ ]?", "", line) for line in lines)


def _without_prompts(source: str) -> str:
    lines = source.split("\n")
    if not any(_OUTPUT_OF_PROMPT.match(line) for line in lines):
        return source
    return "\n".join(_PROMPT.sub("", line) for line in lines if _PROMPT.match(line))


def _without_numbers(source: str) -> str:
    lines = [line for line in source.split("\n") if line.strip()]
    found = [_NUMBERED.match(line) for line in lines]
    if not all(found):
        return source
    numbers = [int(match[1]) for match in found if match]
    if any(b <= a for a, b in pairwise(numbers)):
        return source
    return "\n".join(match[2] for match in found if match)


def _without_plus(source: str) -> str:
    lines = source.split("\n")
    if not all(line[0] == "+" for line in lines if line.strip()):
        return source
    return "\n".join(line[1:] for line in lines)


def _without_magic(source: str) -> str:
    """Drop commands of notebooks, and lines that name a file."""
    return re.sub(r"^[%!][^\n]*\n", "", source, flags=re.MULTILINE)


def _from_entities(source: str) -> str:
    return html.unescape(source) if _ENTITY.search(source) else source


def _from_escapes(source: str) -> str:
    r"""Write line feeds where a text holds \n instead."""
    if source.strip().count("\n") > 1 or "\\n" not in source:
        return source
    plain = source.strip().strip('"')
    return (
        plain.replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace('\\"', '"')
        .replace("\\\\", "\\")
    )


def _without_tabs(source: str) -> str:
    return source.expandtabs(4) if "\t" in source else source


def _with_brackets_closed(source: str) -> str:
    """Close brackets that a statement leaves open, before the next one begins."""
    pieces: list[str] = []
    opened: list[str] = []
    begin = end = 0  # of what is not yet in pieces, and of code in front of the place
    found = _CODE.search(source)
    while found and len(opened) < _MAX_BRACKETS:
        after, outer = found.end(), len(opened)
        if found["statement"]:
            outer = 0
        elif found[0] in opened:
            outer = len(opened) - opened[::-1].index(found[0])
        if outer < len(opened):
            pieces += [source[begin:end], *reversed(opened[outer:])]
            begin = end
            del opened[outer:]
        if found["quote"]:
            after = _end_of_string(source, after, found["quote"])
        elif found[0] in _CLOSES:
            opened.append(_CLOSES[found[0]])
        elif opened and found[0] == opened[-1]:
            opened.pop()
        if not found["comment"]:
            end = after
        found = _CODE.search(source, after)
    return "".join(pieces) + source[begin:]


def _tidy(source: str) -> str:
    """Remove blank lines around and the indentation of a whole block."""
    lines = source.strip("\n").rstrip().split("\n")
    indent = min(
        (len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0
    )
    return "\n".join(line[indent:] for line in lines) + "\n"


def is_diff(block: Block) -> bool:
    """Tell whether a block changes a program rather than to hold one.

    Parameters
    ----------
    block : Block
        A part of an answer.

    Returns
    -------
    diff : bool
        Whether it is a diff, or says what to search for and what to put there.
    """
    if "<<<<< SEARCH" in block.body and _replacements(block.body):
        return True
    if block.language in {"diff", "patch"}:
        return _DIFF.search(block.body) is not None
    begins = re.match(r"\s*(?:--- |@@ |diff --git)", block.body)
    return block.fenced and begins is not None


def apply_changes(changes: str, base: str | None) -> str | None:
    """Apply a diff to a program.

    Parameters
    ----------
    changes : str
        The diff.

    base : str or None
        The program.

    Returns
    -------
    source : str or None
        The program, changed; what the diff makes anew where there is no program that
        it fits; None where that is nothing.
    """
    pairs = _replacements(changes) or _hunks(changes)
    if base is not None:
        lines: list[str] | None = base.rstrip("\n").split("\n")
        for old, new in pairs:
            lines = _replaced(lines, old, new) if lines is not None else None
        if lines is not None:
            return "\n".join(lines) + "\n"
    made = "\n".join(line for _, new in pairs for line in new) + "\n"
    return made if "def " in made else None


def _replacements(changes: str) -> list[tuple[list[str], list[str]]]:
    """Read what to search for, and what to put there."""
    pairs: list[tuple[list[str], list[str]]] = []
    side: list[str] | None = None
    old: list[str] = []
    new: list[str] = []
    for line in changes.split("\n"):
        if _SEARCH.fullmatch(line.strip()):
            old, new = [], []
            side = old
        elif side is old and side is not None and _INSTEAD.fullmatch(line.strip()):
            side = new
        elif side is new and _REPLACE.fullmatch(line.strip()):
            pairs.append((old, new))
            side = None
        elif side is not None:
            side.append(line)
    return pairs


def _hunks(changes: str) -> list[tuple[list[str], list[str]]]:
    """Read the hunks of a diff: the lines before and after each."""
    hunks: list[tuple[list[str], list[str]]] = [([], [])]
    for line in changes.strip("\n").split("\n"):
        if line.startswith("@@"):
            hunks.append(([], []))
        elif _HEADER.match(line):
            continue
        elif line.startswith("+"):
            hunks[-1][1].append(line[1:])
        elif line.startswith("-"):
            hunks[-1][0].append(line[1:])
        else:
            for side in hunks[-1]:
                side.append(line[1:])
    return [hunk for hunk in hunks if hunk[0] or hunk[1]]


def _replaced(lines: list[str], old: list[str], new: list[str]) -> list[str] | None:
    """Replace the one place that holds some lines; None where there is none."""
    while old and new and not old[-1].strip() and not new[-1].strip():
        old, new = old[:-1], new[:-1]
    if not old:
        return None
    wanted = "\n".join(line.rstrip() for line in old)
    text = "\n".join(line.rstrip() for line in lines)
    place = ("\n" + text + "\n").find("\n" + wanted + "\n")
    if place == -1:
        return None
    first = text[:place].count("\n")
    return [*lines[:first], *new, *lines[first + len(old) :]]
