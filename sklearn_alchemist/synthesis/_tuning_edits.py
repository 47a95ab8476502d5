"""Find small changes of a program's source that add no word.

What may change are thresholds, entries of lists of words, and whole rules. A change is
a piece of the source that is replaced, so that comments and layout stay as they are.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_MIN_ENTRIES = 3
"""Fewer than this many strings are no list of words."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a source.

    Parameters
    ----------
    start, stop : int
        The bytes of the source in UTF-8 that are replaced.
    text : str
        What replaces them.
    line : int
        Line of the source, from 1.
    kind : {"entry", "threshold", "rule"}
        What is changed.
    what : str
        The change in words.
    word : str, default=""
        Letters that a text must hold, in lower case, for an entry to find anything in
        it; empty where that cannot be told.
    """

    start: int
    stop: int
    text: str
    line: int
    kind: str
    what: str
    word: str = ""

    def overlaps(self, other: "Edit") -> bool:
        """Tell whether two changes cannot be made together."""
        return self.start < other.stop and other.start < self.stop


def apply_edits(source: str, edits: Sequence[Edit]) -> str:
    """Make changes that do not overlap.

    Parameters
    ----------
    source : str
        Python source text.
    edits : sequence of Edit
        As `find_edits` finds them in this source.

    Returns
    -------
    source : str
    """
    data = source.encode()
    for edit in sorted(edits, key=lambda edit: -edit.start):
        data = data[: edit.start] + edit.text.encode() + data[edit.stop :]
    return data.decode()


def find_edits(source: str, classes: Sequence[Any]) -> list[Edit]:
    """List the changes that a program allows, each of which leaves it valid Python.

    Parameters
    ----------
    source : str
        Python source text.
    classes : sequence
        The classes, which are no entries of lists of words.

    Returns
    -------
    edits : list of Edit
        In the order of the source.
    """
    try:
        data, tree = source.encode(), ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    finder = _Finder(data, {str(c) for c in classes})
    before = ast.dump(tree)
    edits = []
    for edit in dict.fromkeys(finder.find(tree)):
        try:
            changed = ast.dump(ast.parse(apply_edits(source, [edit])))
        except (SyntaxError, ValueError):
            continue
        if changed != before:
            edits.append(edit)
    return sorted(edits, key=lambda edit: (edit.start, edit.stop, edit.text))


class _Finder:
    """Walk over a tree; positions are those of bytes."""

    def __init__(self, data: bytes, classes: set[str]) -> None:
        self.data = data
        self.classes = classes
        self.lines = [0]
        for line in data.split(b"\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)

    def span(self, node: Any) -> tuple[int, int]:
        return (
            self.lines[node.lineno - 1] + node.col_offset,
            self.lines[node.end_lineno - 1] + node.end_col_offset,
        )

    def find(self, tree: ast.Module) -> Iterator[Edit]:
        inside = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            for part in ast.walk(node)
        }
        compared = _compared_names(tree)
        for node in ast.walk(tree):
            if id(node) in inside:
                continue
            match node:
                case ast.List() | ast.Tuple() | ast.Set():
                    yield from self._entries(node.elts, node.elts)
                case ast.Dict(keys=keys, values=values):
                    yield from self._entries(keys, values)
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Constant(str()) as words, attr="split"
                    ),
                    args=[],
                ):
                    yield from self._parts(words, re.compile(r"\S+"))
                case ast.Constant(str()):
                    yield from self._parts(node, None)
                case ast.Compare(left=left, comparators=others):
                    for one in (left, *others):
                        yield from self._number(one)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    if name in compared:
                        yield from self._number(value, f"{name} = ")
                case ast.If(body=[ast.Return() | ast.AugAssign() | ast.Continue()]):
                    if not node.orelse:
                        yield from self._statement(node)
                case ast.AugAssign(value=ast.Constant()):
                    yield from self._statement(node)
                case ast.Return(value=ast.Constant(value) as answer) if value not in (
                    None,
                    -1,
                ):
                    start, stop = self.span(answer)
                    yield Edit(
                        start,
                        stop,
                        "None",
                        node.lineno,
                        "rule",
                        f"line {node.lineno}: return {value!r} -> return None",
                    )

    def _entries(self, firsts: Sequence[Any], lasts: Sequence[Any]) -> Iterator[Edit]:
        """Leave out one of the strings in a list, set, tuple or dict."""
        words = [isinstance(n, ast.Constant) and type(n.value) is str for n in firsts]
        if sum(words) < _MIN_ENTRIES:
            return
        for first, last, is_word in zip(firsts, lasts, words, strict=True):
            if is_word and first.value not in self.classes:
                start, stop = self.span(first)[0], self.span(last)[1]
                comma = re.compile(rb"\s*,[ \t]*").match(self.data, stop)
                if comma is not None:
                    stop = comma.end()
                yield self._drop_entry(start, stop, first.lineno, first.value)

    def _drop_entry(self, start: int, stop: int, line: int, entry: str) -> Edit:
        """Leave out an entry, and its line if nothing else stands there."""
        above = self.data.rfind(b"\n", 0, start) + 1
        below = self.data.find(b"\n", stop)
        if below >= 0 and not (self.data[above:start] + self.data[stop:below]).strip():
            start, stop = above, below + 1
        what = f"line {line}: without {entry!r}"
        return Edit(start, stop, "", line, "entry", what, _needed_word(entry))

    def _parts(self, node: Any, pattern: "re.Pattern[str] | None") -> Iterator[Edit]:
        """Leave out one of the words or alternatives that a string holds."""
        value = node.value
        if pattern is not None:
            spans = [match.span() for match in pattern.finditer(value)]
            groups = [[(a, b, "split") for a, b in spans]]
        elif "|" in value or re.search(r"\S(\s{2,}|\n)\S", value):
            groups = _alternatives(value) if "|" in value else []
            lined = [m.span() for m in re.finditer(r"\S+(?:[ \t]\S+)*", value)]
            groups.append([(a, b, "split") for a, b in lined])
        else:
            return
        places = self._places(node)
        if places is None:
            return
        for group in groups:
            if len(group) < _MIN_ENTRIES:
                continue
            for a, b, kind in group:
                entry = value[a:b]
                for low, high in _cuts(value, a, b, kind):
                    start, stop = (
                        places[low],
                        places[high - 1] + len(value[high - 1].encode()),
                    )
                    if stop - start == len(value[low:high].encode()):
                        line = 1 + self.data.count(b"\n", 0, start)
                        word = _needed_word(entry)
                        what = f"line {line}: without {entry!r}"
                        yield Edit(start, stop, "", line, "entry", what, word)
                        break

    def _places(self, node: Any) -> list[int] | None:
        """Find the byte of each character of a string; None where one is escaped."""
        start, stop = self.span(node)
        text = "(" + self.data[start:stop].decode() + ")"
        starts = [0]
        for line in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        places: list[int] = []
        value = ""
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (tokenize.TokenError, SyntaxError):
            return None
        for token in tokens:
            if token.type != tokenize.STRING:
                continue
            opened = re.match(r"([a-zA-Z]*)(\"{3}|'{3}|\"|')", token.string)
            if opened is None:
                return None
            body = token.string[opened.end() : -len(opened[2])]
            if "\\" in body and "r" not in opened[1].lower():
                return None
            at = starts[token.start[0] - 1] + token.start[1] + opened.end()
            for offset, character in enumerate(body):
                before = text[1 : at + offset]
                places.append(0 if not before else len(before.encode()))
                value += character
        if value != node.value:
            return None
        return [start + place for place in places]

    def _number(self, node: Any, name: str = "") -> Iterator[Edit]:
        """Move a threshold up and down."""
        sign, number = 1, node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            sign, number = -1, node.operand
        value = number.value if isinstance(number, ast.Constant) else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return
        start, stop = self.span(node)
        before = sign * value
        for after in _nearby(before):
            what = f"line {node.lineno}: {name}{before!r} -> {after!r}"
            yield Edit(start, stop, repr(after), node.lineno, "threshold", what)

    def _statement(self, node: Any) -> Iterator[Edit]:
        """Leave out a statement that has its lines for itself."""
        start, stop = self.span(node)
        above = self.data.rfind(b"\n", 0, start) + 1
        below = self.data.find(b"\n", stop)
        below = len(self.data) if below < 0 else below + 1
        rest = self.data[stop:below].strip()
        if self.data[above:start].strip() or (rest and not rest.startswith(b"#")):
            return
        first = self.data[start:stop].decode().split("\n")[0]
        what = f"line {node.lineno}: without the rule {first.strip()!r}"
        yield Edit(above, below, "", node.lineno, "rule", what)


def _compared_names(tree: ast.Module) -> set[str]:
    """Names that stand for a number in some comparison, and are given one value."""
    names: set[str] = set()
    given: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            names |= {
                one.id
                for one in (node.left, *node.comparators)
                if isinstance(one, ast.Name)
            }
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.append(node.id)
    return {name for name in names if given.count(name) == 1}


def _nearby(number: float) -> list[float]:
    """Values of a threshold that are worth a try."""
    if isinstance(number, int):
        step = max(1, abs(number) // 4)
        tried = [number - step, number + step, number - 2 * step, number + 2 * step]
        return [n for n in tried if (n < 0) == (number < 0) or n == 0 or number == 0]
    if number == 0:
        return [-0.5, 0.5]
    return [float(f"{number * factor:.4g}") for factor in (0.75, 1.33, 0.5, 2.0)]


def _alternatives(value: str) -> list[list[tuple[int, int, str]]]:
    """Places of the alternatives of a regular expression, group by group."""
    done: list[list[tuple[int, int, str]]] = []
    opened: list[tuple[int, list[tuple[int, int, str]]]] = [(0, [])]
    place, in_set = 0, False
    while place < len(value):
        character = value[place]
        if character == "\\":
            place += 2
            continue
        if in_set:
            in_set = character != "]"
        elif character == "[":
            in_set = True
            if value[place + 1 : place + 2] in ("]", "^"):
                place += 1
        elif character == "(":
            start = re.compile(r"\((\?(P<\w+>|<?[=!]|[a-zA-Z-]*:))?").match(
                value, place
            )
            end = start.end() if start else place + 1
            opened.append((end, []))
            place = end
            continue
        elif character in "|)":
            start_of, entries = opened[-1]
            entries.append((start_of, place, "|"))
            opened[-1] = (place + 1, entries)
            if character == ")":
                if len(opened) == 1:
                    return []
                done.append(opened.pop()[1])
        place += 1
    if len(opened) != 1:
        return []
    start_of, entries = opened[0]
    return [*done, [*entries, (start_of, len(value), "|")]]


def _cuts(value: str, a: int, b: int, kind: str) -> Iterator[tuple[int, int]]:
    """Where to cut an entry out, the best first."""
    if a == b:
        return
    if kind == "split":
        space = re.compile(r"[ \t]*").match(value, b)
        yield a, space.end() if space else b
    else:
        if value[b : b + 1] == "|":
            yield a, b + 1
        if a and value[a - 1] == "|":
            yield a - 1, b


def _needed_word(entry: str) -> str:
    """Name letters without which an entry, be it a pattern, finds nothing."""
    if "|" in entry or "(?i" in entry:
        return ""
    plain = re.sub(r"\\.|\[[^\]]*\]|\(\?..?|\([^)]*\)[?*{]", " ", entry)
    plain = re.sub(r".[?*{]", " ", plain)
    words = re.findall(r"[^\W\d_]{2,}", plain)
    return max(words, key=len).lower() if words else ""
