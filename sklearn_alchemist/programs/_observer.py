"""Watch one program at work, in its worker: lines that run, words that it matches.

The program is the very one that votes, without the shortcuts that leave steps out. What
it asks of texts, sets and patterns is answered as ever and noted afterwards, so that a
watched program gives the votes of one that nobody watches.
"""

import ast
import sys
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

from . import _fast_re
from ._builtins import make_builtins
from ._guard import Refusal, guard
from ._match_recorder import (
    AND,
    EQ,
    IN,
    ITEM,
    MADE,
    METHOD,
    NE,
    NOT_IN,
    VALUE,
    MatchRecorder,
)
from ._protocol import ABSTAIN, DONE, MEMORY, REFUSED, SCORED, Reply
from ._run_rows import FILE, ScoreSheet, describe, run_rows
from ._safe_modules import PROGRAM, direct_names, words
from ._safe_stdlib import start_row

_MAX_MESSAGE = 300

_ASKED: dict[type, str] = {ast.In: IN, ast.NotIn: NOT_IN, ast.Eq: EQ, ast.NotEq: NE}
# In the order of the functions that compute, see `MatchRecorder.made`.
_ARITHMETIC: list[type] = [
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Mod,
    ast.Pow,
]
_METHODS = words("""
    startswith endswith find rfind index rindex count __contains__ get intersection
    isdisjoint issubset issuperset isupper isdigit
    """)
_PATTERN_METHODS = ("search", "match", "fullmatch", "findall", "finditer")


class _Watched(ast.NodeTransformer):
    """Put our functions where a program compares, looks up and computes."""

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        asked = _ASKED.get(type(node.ops[0]))
        node.left = _noted(node.left)
        node.comparators = [_noted(operand) for operand in node.comparators]
        if len(node.ops) == 1 and asked is not None:
            return _call(asked, node, node.left, node.comparators[0])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.BitAnd):
            return _call(AND, node, node.left, node.right)
        are_constant = _is_constant(node.left) and _is_constant(node.right)
        if type(node.op) not in _ARITHMETIC or are_constant:
            return node
        computed = ast.Tuple(
            [
                ast.Constant(_ARITHMETIC.index(type(node.op))),
                ast.Constant(not _is_constant(node.left)),
                ast.Constant(not _is_constant(node.right)),
            ],
            ast.Load(),
        )
        return _call(MADE, node, computed, node.left, node.right)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        slices = (n for n in ast.walk(node.slice) if isinstance(n, ast.Slice))
        if not isinstance(node.ctx, ast.Load) or next(slices, None) is not None:
            return node
        return _call(ITEM, node, node.value, node.slice)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            node.args.insert(0, node.func)
            node.func = ast.copy_location(ast.Name(METHOD, ast.Load()), node)
        return node


def _call(name: str, at: ast.expr, *args: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), list(args), []), at)


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _noted(node: ast.expr) -> ast.expr:
    """Note a compared value, unless it is surely none of the record."""
    match node:
        case ast.Constant() | ast.Call(func=ast.Name(id="len" | "sum")):
            return node
    return _call(VALUE, node, node)


class Observer:
    """A worker's watched program.

    Parameters
    ----------
    facades : mapping of str to object
        What `build_safe_modules` made.
    """

    def __init__(self, facades: Mapping[str, Any]) -> None:
        self.recorder = MatchRecorder()
        _watch_patterns(self.recorder)
        watched = {
            name: self.recorder.watch(getattr(_fast_re, name))
            for name in _PATTERN_METHODS
        }
        self.facades = {**facades, "re": _facade_with(facades["re"], watched)}
        self.label: Callable[..., Any] | None = None
        self.draws = False
        self.told: list[int] = []

    def answer(
        self,
        request: Sequence[Any],
        columns: Sequence[Sequence[Any]],
        progress: "memoryview[int]",
        page: "memoryview[int]",
    ) -> Reply:
        """Load a program, watch it on rows, or tell what was seen."""
        match request:
            case "load", source, entry_point:
                return self.load(source, entry_point)
            case "watch", codes, width, with_lines:
                return self.watch(codes, width, with_lines, columns, progress)
            case _:
                return self.tell(request[1], page)

    def load(self, source: str, entry_point: str) -> Reply:
        """Compile a program with our functions in it, and execute its top level."""
        try:
            tree = _Watched().visit(guard(source, shortcuts=False))
            code = compile(
                ast.fix_missing_locations(tree), FILE, "exec", dont_inherit=True
            )
        except Refusal as refusal:
            return Reply(REFUSED, text=str(refusal))
        except Exception as error:
            return Reply(REFUSED, text=describe(error))
        names = make_builtins(self.facades, direct_names(self.facades))
        names |= self.recorder.functions()
        namespace: dict[str, Any] = {"__name__": PROGRAM, "__builtins__": names}
        self.draws = "random" in source
        if self.draws:
            start_row(())
        try:
            exec(code, namespace)
        except BaseException as error:
            return Reply(REFUSED, text=describe(error))
        self.label = namespace.get(entry_point)
        return Reply(DONE) if callable(self.label) else Reply(REFUSED)

    def watch(
        self,
        codes: tuple[tuple[Any, int], ...],
        width: int,
        with_lines: bool,
        columns: Sequence[Sequence[Any]],
        progress: "memoryview[int]",
    ) -> Reply:
        """Run the program on rows; keep what was seen until it is asked for."""
        answers: dict[Any, int] = {None: ABSTAIN, **dict(codes)}
        scores = memoryview(bytearray(4 * width))
        sheet = ScoreSheet(answers, width, scores.cast("f"))
        self.told = []
        for row, values in enumerate(zip(*columns, strict=True)):
            progress[0] = row
            vote, *told = self._watch_row(answers, values, with_lines, sheet)
            bits = scores.cast("i").tolist() if vote == SCORED else []
            self.told += [vote, *bits, *told]
        return Reply(DONE)

    def tell(self, start: int, page: "memoryview[int]") -> Reply:
        """Write the next part of what was seen, behind the length of all of it."""
        part = self.told[start : start + len(page) - 1]
        page[0] = len(self.told)
        for place, number in enumerate(part, 1):
            page[place] = number
        return Reply(DONE)

    def _watch_row(
        self,
        answers: Mapping[Any, int],
        values: tuple[Any, ...],
        with_lines: bool,
        sheet: ScoreSheet,
    ) -> list[int]:
        assert self.label is not None
        label, votes, raised = self.label, [0], []
        lines: set[int] = set()

        def watched(row: tuple[Any, ...]) -> Any:
            try:
                return label(*row)
            except BaseException as error:
                raised.append(error)
                raise

        if self.draws:
            start_row(values)
        self.recorder.begin(values, answers)
        if with_lines:
            sys.settrace(_tracer(lines))
        try:
            _, starved, failed = run_rows(
                watched, answers, [values], 0, [0], votes, sheet
            )
        finally:
            sys.settrace(None)
        noted = self.recorder.end()
        said = failed[1] if failed else ""
        if raised and not starved:
            said = _with_message(said, raised[-1])
        ran = sorted(lines)
        return [
            *(MEMORY if starved else votes[0], len(ran), *ran),
            *(len(noted), *(number for note in noted for number in note)),
            *(len(said), *map(ord, said)),
        ]


def _facade_with(facade: Any, functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Copy a facade, with some functions of ours."""
    kept = {
        name: value
        for name, value in vars(type(facade)).items()
        if not name.startswith("__")
    }
    replaced = {name: staticmethod(function) for name, function in functions.items()}
    return type("re", (), {"__slots__": (), **kept, **replaced})()


def _watch_patterns(recorder: MatchRecorder) -> None:
    """Make compiled patterns note what they find; this process has one program."""
    for name in _PATTERN_METHODS:
        setattr(
            _fast_re.FastPattern,
            name,
            recorder.watch(getattr(_fast_re.FastPattern, name)),
        )


def _tracer(lines: set[int]) -> Callable[[FrameType, str, Any], Any]:
    """Make a trace function that collects lines of the program."""
    ours: dict[CodeType, bool] = {}

    def on_line(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            lines.add(frame.f_lineno)
        return on_line

    def on_call(frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        if code not in ours:
            ours[code] = code.co_filename == FILE
        return on_line if ours[code] else None

    return on_call


def _with_message(said: str, error: BaseException) -> str:
    """Add the message of an error, which its own class may make."""
    try:
        message = str(error)
    except BaseException:
        return said
    message = message if type(message) is str else ""
    return f"{said}: {message[:_MAX_MESSAGE]}" if message else said
