"""Find the program in what a language model answers."""

import ast
import bisect
import builtins
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain

from ..llm._answer_text import find_marks, split_thoughts
from ..programs._guard import is_too_long, syntax_tree
from ._code_blocks import Block, blocks_of, fences_of, may_hold_function
from ._code_candidates import FUNCTION, Candidate, choose_candidate, last_words
from ._code_repairs import apply_changes, is_diff, plain_characters, repairs_of

_IMPROVES = re.compile(
    r"improv|better|fix|revis|correct|refin|rewrit|actually|wait|instead|but ",
    re.IGNORECASE,
)
# Far more than a readable program has.
MAX_CHARACTERS = 200_000
# A byte-order mark and characters of no width, as copied texts begin with.
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"


def extract_source(
    answer: str, *, cut_off: bool = False, earlier: str | None = None
) -> str:
    """Extract the source of a labeling program from an answer.

    Parameters
    ----------
    answer : str
        What the model answered.

    cut_off : bool, default=False
        Whether the answer stops before its end. A program that it stops within, or
        that was to be followed by a better one, is then none.

    earlier : str or None, default=None
        The program that the answer may change by a diff.

    Returns
    -------
    source : str
        The last complete program that is meant: a function called ``label``, else any
        function; in a fence, in a field of JSON or in plain text. Drafts, signatures
        and what is shown as a bad example are passed over, thoughts are searched only
        where there is nothing else, and blocks that define names which the program
        uses come with it.

    Raises
    ------
    ValueError
        If the answer is empty, holds no Python function or breaks off within it; the
        message says which.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import extract_source
    >>> print(extract_source("Sure! ```python is fun"))
    Traceback (most recent call last):
        ...
    ValueError: the answer holds no Python function
    """
    if len(answer) > MAX_CHARACTERS:
        raise ValueError(
            f"the answer has {len(answer):,} characters, more than {MAX_CHARACTERS:,}"
        )
    answer = answer.strip(_UNSEEN).replace("\r\n", "\n").replace("\r", "\n")
    reader = Reader(earlier=earlier)
    said, unfinished = _split_thoughts(answer, reader)
    for part in dict.fromkeys([said, answer]):
        candidates = reader.candidates(part)
        chosen = choose_candidate(part, candidates)
        if chosen is None:
            continue
        rest = part[chosen.end :]
        if cut_off and (
            not chosen.closed
            or (part is answer and unfinished)
            or _IMPROVES.search(last_words(rest))
        ):
            raise ValueError("the answer breaks off within its program")
        if part is answer and unfinished and re.search(r"\w", rest):
            raise ValueError("the answer breaks off within its thoughts")
        if chosen.is_stub:
            raise ValueError("the answer holds a signature and no program")
        return reader.with_what_it_uses(chosen, candidates)
    if not said.strip(_UNSEEN).strip():
        raise ValueError(
            "the answer breaks off within its thoughts"
            if unfinished
            else "the answer is empty"
        )
    raise ValueError("the answer holds no Python function")


def _split_thoughts(answer: str, reader: "Reader") -> tuple[str, bool]:
    """Split off thoughts, whose marks are none where a program holds them."""
    kept: list[str] = []
    parts: list[str] = []
    done = 0
    for start, end in _marks_of_programs(answer, reader):
        parts += [answer[done:start], f"\ue000{len(kept)}\ue001"]
        kept.append(answer[start:end])
        done = end
    said, unfinished = split_thoughts("".join([*parts, answer[done:]]))
    shown = re.sub(r"\ue000(\d+)\ue001", lambda found: kept[int(found[1])], said)
    return shown, unfinished


# A text between quotation marks, on one line.
_QUOTED = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"")
_MAX_LINE = 2_000


def _marks_of_programs(answer: str, reader: "Reader") -> Iterator[tuple[int, int]]:
    """Find marks of thoughts in programs: what they look for, or say in a comment.

    A mark is one where it stands between quotation marks or within a text of a line of
    Python, and where the fence around it, or the whole answer, is Python.
    """
    marks = [mark for mark in find_marks(answer) if mark.of_thoughts]
    if not marks:
        return
    blocks = [block for block in fences_of(answer) if may_hold_function(block.body)]
    ends = [block.start + len(block.body) for block in blocks]
    read: dict[int, bool] = {}
    for mark in marks:
        start, end = mark.start, mark.end
        around = answer[max(0, start - 1) : start] + answer[end : end + 1]
        at = bisect.bisect_right(ends, start)
        inside = at < len(blocks) and blocks[at].start <= start
        if inside and at not in read:
            body = textwrap.dedent(blocks[at].body)
            read[at] = body.strip() != "" and reader.parse(body) is not None
        if (
            around in ("''", '""')
            or (inside and read[at])
            or _is_in_text_of_line(answer, start, end, reader)
        ):
            yield start, end


def _is_in_text_of_line(answer: str, start: int, end: int, reader: "Reader") -> bool:
    """Whether a place is within a text that a line of Python holds."""
    first = answer.rfind("\n", max(0, start - _MAX_LINE), start) + 1
    last = answer.find("\n", end, end + _MAX_LINE)
    line = answer[first : len(answer) if last == -1 else last]
    if len(line) > _MAX_LINE or not any(
        found.start() < start - first and end - first < found.end()
        for found in _QUOTED.finditer(line)
    ):
        return False
    code = line.strip().removeprefix("el")
    if code.endswith(":"):
        code += " pass"
    if code.startswith("return"):
        code = f"def f(): {code}"
    return reader.parse(code) is not None


# How Python says that a program is no longer one only because it ends.
_UNFINISHED = re.compile(
    r"never closed|EOF|expected an indented block|unterminated|expected ':'"
    r"|expected 'except'"
)
_BUILTINS = frozenset(dir(builtins))
_PYTHON = {"", "py", "python", "python3"}
# Characters that may be parsed in all to find one program, failures included.
_MAX_PARSED = 300_000
# What trying a short piece is counted as.
_LEAST_COST = 100
_MAX_PROGRAMS = 100


def _lacks(pieces: list[ast.Module], body: str) -> bool:
    """Tell whether pieces of a block use names that only the rest of it gives."""
    used: set[str] = set()
    bound: set[str] = set()
    for node in chain.from_iterable(map(ast.walk, pieces)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound.update(a.asname or a.name.split(".")[0] for a in node.names)
    return not (used - bound).isdisjoint(_GIVEN.findall(body))


# A name that a line of Python at the beginning of a line gives.
_GIVEN = re.compile(
    r"^(?:def[ \t]+|class[ \t]+)?([A-Za-z_]\w*)[ \t]*(?:=(?!=)|\(|:)", re.MULTILINE
)


@dataclass
class Reader:
    """Reads the pieces of one answer, and parses so much of it only."""

    earlier: str | None = None
    left: int = _MAX_PARSED
    trees: dict[str, ast.Module | None] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)

    def parse(self, source: str) -> ast.Module | None:
        """Parse Python; None where it is none, or too much was tried."""
        if source in self.trees:
            return self.trees[source]
        tree = None
        if len(source) <= self.left and not is_too_long(source):
            cost = len(source)
            try:
                tree = syntax_tree(source)
            except SyntaxError as error:
                # Parsers stop at the error.
                place = _start_of_line(source, error.end_lineno or error.lineno or 0)
                cost = min(cost, place + 500)
                if (
                    _UNFINISHED.search(error.msg)
                    or place + 1 >= len(source.rstrip())
                    or not source[place:].rstrip().count("\n")
                ):
                    self.unfinished.add(source)
            except (ValueError, RecursionError, MemoryError):
                pass
            self.left -= max(cost, _LEAST_COST)
        self.trees[source] = tree
        return tree

    def candidates(self, text: str) -> list[Candidate]:
        """Find all pieces that may be a program or define what it uses."""
        found: list[Candidate] = []
        for block in blocks_of(text):
            if is_diff(block):
                base = next(
                    (c.source for c in reversed(found) if c.tree and c.has_function),
                    self.earlier,
                )
                changed = apply_changes(block.body, base)
                if changed is None:
                    continue
                block = replace(block, body=changed, fenced=True)
            elif not may_hold_function(block.body) and not (
                block.fenced and block.language in _PYTHON
            ):
                continue
            found += self._read(block)
            if len(found) > _MAX_PROGRAMS:
                del found[: len(found) - _MAX_PROGRAMS]
        return found

    def _read(self, block: Block) -> Iterator[Candidate]:
        if not block.fenced:
            yield from self._read_plain(block)
            return
        for source in repairs_of(block.body):
            if (tree := self.parse(source)) is not None:
                yield _candidate(block, source, tree)
                return
        if not FUNCTION.search(block.body):
            return
        plain = list(self._read_plain(block))
        if _lacks([c.tree for c in plain if c.tree], block.body):
            plain = []
        if any(c.tree is not None for c in plain):
            yield from plain
        else:
            source = next(repairs_of(block.body))
            unfinished = not block.closed and source in self.unfinished
            yield _candidate(block, source, None, closed=not unfinished)

    def _read_plain(self, block: Block) -> Iterator[Candidate]:
        """Find programs in text that has no fence, prose around and between them."""
        lines = block.body.split("\n")
        places = list(accumulate((len(line) + 1 for line in lines), initial=0))
        last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
        done = 0
        for first, line in enumerate(lines):
            if first < done or not FUNCTION.match(line):
                continue
            begin, end = self._region(lines, done, first)
            done = end
            source, tree = self._parse_region(lines, begin, first, end)
            closed = block.closed or last >= end
            if tree is None:
                # An answer that breaks off within a program ends there.
                closed = closed or source not in self.unfinished
            place = places[begin]
            yield replace(
                _candidate(block, source, tree, closed=closed),
                start=block.start + place,
                end=min(block.start + places[end], block.end),
                before=(block.before + "\n" if place < 400 else "")
                + block.body[max(0, place - 400) : place],
            )
            if self.left <= 0:
                return

    def _region(self, lines: list[str], least: int, first: int) -> tuple[int, int]:
        """Find the lines around the first of a function that are code like it."""
        indent = _indent(lines[first])
        end = first + 1
        while end < len(lines) and (
            not lines[end].strip()
            or _indent(lines[end]) > indent
            or self._is_code(lines[end].strip())
        ):
            end += 1
        begin = first
        for i in range(first - 1, least - 1, -1):
            line = lines[i].strip()
            if line and _indent(lines[i]) <= indent:
                if not self._is_code(line):
                    break
                begin = i
        return begin, end

    def _parse_region(
        self, lines: list[str], begin: int, first: int, end: int
    ) -> tuple[str, ast.Module | None]:
        """Parse a region; where it is no Python, what begins later in it."""
        starts = [i for i in range(begin, first) if lines[i][:1].strip()]
        for start in dict.fromkeys([begin, *starts[1:4], first]):
            for source in repairs_of("\n".join(lines[start:end])):
                if (tree := self.parse(source)) is not None:
                    return source, tree
        return next(repairs_of("\n".join(lines[first:end]))), None

    def _is_code(self, line: str) -> bool:
        """Tell whether a line is one of a program rather than prose."""
        if line[0] in "#@)]}":
            return True
        if line.startswith(("else:", "elif ", "except", "finally:")):
            return line.rstrip().endswith(":") or line.endswith(("(", ","))
        self.left -= _LEAST_COST // 2
        if self.left < 0 or len(line) > 2000:
            return False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                (statement,) = ast.parse(plain_characters(line)).body
        except SyntaxError as error:
            return _UNFINISHED.search(error.msg) is not None
        except (ValueError, RecursionError, MemoryError):
            return False
        if isinstance(statement, ast.AnnAssign) and statement.value is None:
            return False  # "Note: this"
        # Words are no code, calls and docstrings are.
        return not isinstance(statement, ast.Expr) or isinstance(
            statement.value, ast.Call | ast.Constant
        )

    def with_what_it_uses(self, chosen: Candidate, candidates: list[Candidate]) -> str:
        """Put before a program the pieces that define what it uses and lacks."""
        source = chosen.source
        if chosen.tree is None:
            return source
        read, defined = _names(chosen.tree)
        missing = read - defined - _BUILTINS
        at = next(i for i, c in enumerate(candidates) if c is chosen)
        for other in [*reversed(candidates[:at]), *candidates[at + 1 :]]:
            if not missing:
                break
            if other.tree is None or other.is_stub:
                continue
            read, defined = _names(other.tree)
            if missing & defined:
                source = other.source + "\n\n" + source
                missing = (missing | (read - _BUILTINS)) - defined
        return source


def _candidate(
    block: Block, source: str, tree: ast.Module | None, *, closed: bool | None = None
) -> Candidate:
    closed = block.closed if closed is None else closed
    return Candidate(source, tree, block.start, block.end, closed, block.before)


def _names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Find the names that a program reads, and those that it defines."""
    read, defined = set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                defined.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                defined.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                defined |= {(a.asname or a.name).split(".")[0] for a in aliases}
            case ast.ExceptHandler(name=str() as name):
                defined.add(name)
    return read, defined


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _start_of_line(source: str, number: int) -> int:
    """Count the characters before a line, the first of which is 1."""
    place = 0
    for _ in range(number - 1):
        following = source.find("\n", place) + 1
        if not following:
            return len(source)
        place = following
    return place
