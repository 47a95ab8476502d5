"""Split an answer into fenced code, fields of JSON, and what stands between."""

import ast
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# What may stand before a fence: marks of a quotation or a list, characters that are
# not seen.
_PREFIX = (
    r"(?:[ \t\u00a0\u200b\u200c\u200d\u2060\ufeff]|>|[-*+][ \t]|\d{1,3}[.)][ \t])*"
)
# Behind it, marks of what ends as well.
_CLOSING = re.compile(
    rf"^({_PREFIX})(`{{3,}}|~{{3,}})[ \t\u00a0]*"
    r"(?:(?:<[^<>\n]{1,80}>|\[/\w{1,30}\]|\u25c1/?\w{1,30}\u25b7)[ \t]*){0,5}$"
)
_OPENING = re.compile(rf"^({_PREFIX}|[^`~]*?)(`{{3,}}|~{{3,}})([^`]*)$")
_INLINE = re.compile(
    r"(?<!`)(`{1,3})(?!`)(?:py(?:thon)?3?[ \t]+)?((?:async[ \t]+)?def[ \t]+\w+[ \t]*\("
    r"[^`\n]*[^`\s])[ \t]*\1(?!`)"
)
_LANGUAGE = re.compile(r"[\w+#-]+")
# Marks that stand at the beginning or the end of a line of code.
_TOKEN = re.compile(r"<[|\uff5c][^<>\n]{1,40}[|\uff5c]>")
_TAG = re.compile(
    r"^[ \t]*(?:<!\[CDATA\[|</?[A-Za-z][^<>\n]{0,80}>|\[/?[A-Z_]{3,30}\])+"
    r"|(?:\]\]>|</[A-Za-z][^<>\n]{0,80}>|\[/[A-Z_]{3,30}\])+[ \t]*$",
    re.MULTILINE,
)
_STRICT = json.JSONDecoder(parse_int=float)
_LOOSE = json.JSONDecoder(parse_int=float, strict=False)
_MAX_DEPTH = 3
_MAX_OBJECTS = 50


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an answer that may hold code.

    Parameters
    ----------
    body : str
        What it holds.

    start, end : int
        Where it stands in the answer.

    fenced : bool
        Whether it is marked as code, by a fence or as a field of JSON.

    closed : bool
        Whether its end is marked too.

    language : str
        What the fence says that it is, in lower case.

    before : str
        What is said right before it.
    """

    body: str
    start: int
    end: int
    fenced: bool
    closed: bool
    language: str = ""
    before: str = ""


def may_hold_function(text: str) -> bool:
    """Tell whether a text may hold a function, a lambda that has a name included.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    may : bool
    """
    return "def " in text or "def\t" in text or "lambda" in text


def blocks_of(text: str) -> Iterator[Block]:
    """Split an answer into blocks.

    Parameters
    ----------
    text : str
        The answer, with line feeds at the ends of lines.

    Yields
    ------
    block : Block
        In order; what holds JSON or further fences is split again.
    """
    for block in fences_of(text):
        yield from _split_again(block, 0)


def fences_of(text: str) -> Iterator[Block]:
    """Split off fenced blocks; a fence without an end reaches to that of the text.

    Parameters
    ----------
    text : str
        The answer, with line feeds at the ends of lines.

    Yields
    ------
    block : Block
        In order, what stands between the fences as well.
    """
    if "```" not in text and "~~~" not in text:
        yield Block(text, 0, len(text), fenced=False, closed=False)
        return
    marks, language, depth = "", "", 0
    begin = place = 0
    said = ""
    for line in text.split("\n"):
        after = place + len(line) + 1
        if "```" in line or "~~~" in line:
            if not marks:
                if opened := _OPENING.match(line):
                    body = text[begin:place] + opened[1]
                    yield Block(body, begin, place, False, True, "", said)
                    said = body.strip()[-400:] or said
                    marks, depth = opened[2], _width(opened[1])
                    info = opened[3].strip()
                    found = _LANGUAGE.search(info)
                    language = found[0].lower() if found else ""
                    begin = after
                    if "def " in info:  # code on the line of the fence
                        begin = after - 1 - len(line) + line.index("def ")
            elif closed := _CLOSING.match(line):
                fits = closed[2][0] == marks[0] and len(closed[2]) >= len(marks)
                if fits and _width(closed[1]) <= depth + 3:
                    body = text[begin:place]
                    yield Block(body, begin, after, True, True, language, said)
                    marks, begin, said = "", after, ""
        place = after
    if marks:
        # Where the end of a fence stands behind the last line of code.
        body = text[begin:]
        ended = re.search(re.escape(marks) + r"[ \t]*(?:\n|\Z)", body)
        if ended and ended.start():
            inner = body[: ended.start()]
            yield Block(inner, begin, begin + ended.end(), True, True, language, said)
            rest = begin + ended.end()
            yield Block(text[rest:], rest, len(text), False, False)
        else:
            yield Block(body, begin, len(text), True, False, language, said)
    elif begin < len(text):
        yield Block(text[begin:], begin, len(text), False, False, "", said)


def _width(prefix: str) -> int:
    """Count the columns before a fence; prose before it is none."""
    return len(prefix.expandtabs(4)) if not prefix.strip(" \t\u00a0>") else 0


def _split_again(block: Block, depth: int) -> Iterator[Block]:
    """Split a block that holds JSON, further fences, or code between backticks."""
    if depth == _MAX_DEPTH or not may_hold_function(block.body):
        yield block
        return
    inner = list(fences_of(block.body)) if _holds_fences(block) else []
    if len(inner) > 1:
        for part in inner:
            yield from _split_again(_within(block, part), depth + 1)
        return
    fields = list(_json_fields(block.body))
    if fields:
        for key, source in fields:
            part = Block(
                source, block.start, block.end, True, True, "", f"{block.before} {key}"
            )
            yield from _split_again(part, depth + 1)
        return
    if not block.fenced:
        for found in _INLINE.finditer(block.body):
            yield Block(
                found[2],
                block.start + found.start(),
                block.start + found.end(),
                True,
                True,
                "",
                block.body[max(0, found.start() - 400) : found.start()],
            )
        # Line feeds instead, so that places stay what they are.
        body = _TAG.sub(_blank, _TOKEN.sub(_blank, block.body))
        block = Block(
            body, block.start, block.end, False, block.closed, "", block.before
        )
    yield block


def _blank(mark: re.Match[str]) -> str:
    return "\n" * len(mark[0])


def _holds_fences(block: Block) -> bool:
    """Tell whether fences in a block are its own, and not part of a program."""
    if not block.fenced:
        return False
    if block.language in {"markdown", "md", "text", "txt", "html", "xml"}:
        return True
    first = re.search(r"^[ \t>]*(?:`{3,}|~{3,})", block.body, re.MULTILINE)
    return first is not None and "def " not in block.body[: first.start()]


def _within(outer: Block, part: Block) -> Block:
    """Place a part of a block where the block stands."""
    return Block(
        part.body,
        outer.start + part.start,
        min(outer.start + part.end, outer.end),
        part.fenced,
        part.closed or outer.closed,
        part.language,
        part.before or outer.before,
    )


def _json_fields(text: str) -> Iterator[tuple[str, str]]:
    """Find texts with a function in the JSON of an answer, and what they are called."""
    for value in _json_values(text):
        pending: list[tuple[str, Any]] = [("", value)]
        found = []
        while pending:
            key, item = pending.pop()
            if isinstance(item, str) and may_hold_function(item):
                nested = _parsed(item)
                if isinstance(nested, dict | list):
                    pending.append((key, nested))
                else:
                    found.append((key, item))
            elif isinstance(item, dict):
                pending += [(str(name), part) for name, part in item.items()]
            elif isinstance(item, list):
                if item and all(isinstance(part, str) for part in item):
                    ended = any(part.endswith("\n") for part in item[:-1])
                    pending.append((key, ("" if ended else "\n").join(item)))
                else:
                    pending += [(key, part) for part in item]
        yield from reversed(found)


def _json_values(text: str) -> Iterator[Any]:
    """Yield what of a text is JSON, or the literal of a Python dict."""
    stripped = text.strip("\ufeff\u200b \t\n")
    whole = _parsed(stripped)
    if whole is not None:
        yield whole
        return
    if '"' not in text:
        return
    place = text.find("{")
    for _ in range(_MAX_OBJECTS):
        if place == -1:
            return
        try:
            value, end = _LOOSE.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            # `{"def x"}` of a program is no JSON, `{}` says nothing.
            if value:
                yield value
        place = text.find("{", end)


def _parsed(text: str) -> Any:
    """Read a text that is JSON, or a Python literal, as a whole; None if it is not."""
    if not text or text[0] not in "{[\"'":
        return None
    for decoder in (_STRICT, _LOOSE):
        try:
            value, end = decoder.raw_decode(text)
        except (ValueError, RecursionError):
            continue
        if not text[end:].strip():
            return value
    if text[0] in "{[" and text[-1] in "}]" and len(text) < 50_000:
        try:
            return ast.literal_eval(textwrap.dedent(text))
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return None
    return None
