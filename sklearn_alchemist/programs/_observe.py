"""Watch one program at work, in its worker: lines that run, words that it matches.

The program is the very one that votes, without the shortcuts that leave steps out. What
it asks of texts, sets and patterns is answered as ever and noted afterwards, so that a
watched program gives the votes of one that nobody watches.
"""

import ast
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from types import (
    BuiltinMethodType,
    CodeType,
    FrameType,
    MethodType,
    MethodWrapperType,
)
from typing import Any

from . import _fast_re
from ._builtins import make_builtins
from ._facades import PROGRAM, direct_name, direct_names, words
from ._fast_pattern import FastPattern
from ._guard import Refusal, guard
from ._locate import Record
from ._protocol import ABSTAIN, DONE, MEMORY, REFUSED, Reply
from ._rows import FILE, describe, run_rows
from ._stand_ins import start_row

# Words and values noted of one row; more than anybody reads.
_MAX_NOTED = 200
_MAX_MESSAGE = 300
_MAX_NUMBERS = 10_000

# What the watched source calls; a program itself cannot spell these names.
_IN, _NOT_IN, _EQ, _NE, _AND, _ITEM, _METHOD, _VALUE, _MADE = (
    direct_name("watch", name)
    for name in ("in", "not_in", "eq", "ne", "and", "item", "method", "value", "made")
)
_ASKED: dict[type, str] = {ast.In: _IN, ast.NotIn: _NOT_IN, ast.Eq: _EQ, ast.NotEq: _NE}
_METHODS = words("""
    startswith endswith find rfind index rindex count __contains__ get intersection
    isdisjoint issubset issuperset
    """)
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_OPERATORS = list(_ARITHMETIC.values())
_WATCHED = ("search", "match", "fullmatch", "findall", "finditer")
_BOUND = (BuiltinMethodType, MethodType, MethodWrapperType)
_HOLDERS = (list, tuple, set, frozenset, dict)
_KEPT = (int, float, bool, str, *_HOLDERS)


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
            return _call(_AND, node, node.left, node.right)
        function = _ARITHMETIC.get(type(node.op))
        if function is None or (_is_constant(node.left) and _is_constant(node.right)):
            return node
        computed = ast.Tuple(
            [
                ast.Constant(_OPERATORS.index(function)),
                ast.Constant(not _is_constant(node.left)),
                ast.Constant(not _is_constant(node.right)),
            ],
            ast.Load(),
        )
        return _call(_MADE, node, computed, node.left, node.right)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        slices = (n for n in ast.walk(node.slice) if isinstance(n, ast.Slice))
        if not isinstance(node.ctx, ast.Load) or next(slices, None) is not None:
            return node
        return _call(_ITEM, node, node.value, node.slice)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            node.args.insert(0, node.func)
            node.func = ast.copy_location(ast.Name(_METHOD, ast.Load()), node)
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
    return _call(_VALUE, node, node)


class Observer:
    """A worker's watched program.

    Parameters
    ----------
    facades : mapping of str to object
        What `build_facades` made.
    """

    def __init__(self, facades: Mapping[str, Any]) -> None:
        self.notes = _Notes()
        _watch_patterns(self.notes)
        watched = {name: self.notes.watch(getattr(_fast_re, name)) for name in _WATCHED}
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
            case "watch", codes, with_lines:
                return self.watch(codes, with_lines, columns, progress)
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
        namespace: dict[str, Any] = {"__name__": PROGRAM}
        namespace["__builtins__"] = {
            **make_builtins(namespace, self.facades, direct_names(self.facades)),
            **self.notes.functions(),
        }
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
        with_lines: bool,
        columns: Sequence[Sequence[Any]],
        progress: "memoryview[int]",
    ) -> Reply:
        """Run the program on rows; keep what was seen until it is asked for."""
        answers: dict[Any, int] = {None: ABSTAIN, **dict(codes)}
        self.told = []
        for row, values in enumerate(zip(*columns, strict=True)):
            progress[0] = row
            self.told += self._watch_row(answers, values, with_lines)
        return Reply(DONE)

    def tell(self, start: int, page: "memoryview[int]") -> Reply:
        """Write the next part of what was seen, behind the length of all of it."""
        part = self.told[start : start + len(page) - 1]
        page[0] = len(self.told)
        for place, number in enumerate(part, 1):
            page[place] = number
        return Reply(DONE)

    def _watch_row(
        self, answers: Mapping[Any, int], values: tuple[Any, ...], with_lines: bool
    ) -> list[int]:
        assert self.label is not None
        label, votes, raised = self.label, [0], []
        lines: set[int] = set()

        def watched(*given: Any) -> Any:
            try:
                return label(*given)
            except BaseException as error:
                raised.append(error)
                raise

        if self.draws:
            start_row(values)
        self.notes.begin(values, answers)
        if with_lines:
            sys.settrace(_tracer(lines))
        try:
            _, starved, failed = run_rows(watched, answers, [values], 0, [0], votes)
        finally:
            sys.settrace(None)
        noted = self.notes.end()
        said = failed[1] if failed else ""
        if raised and not starved:
            said = _with_message(said, raised[-1])
        ran = sorted(lines)
        return [
            *(MEMORY if starved else votes[0], len(ran), *ran),
            *(len(noted), *(number for note in noted for number in note)),
            *(len(said), *map(ord, said)),
        ]


class _Notes:
    """What one row lets a program find."""

    def __init__(self) -> None:
        self.begin((), {})

    def begin(self, values: Sequence[Any], answers: Mapping[Any, int]) -> None:
        """Forget the row before."""
        self.record = Record(values)
        self.answers = answers
        # Numbers of the record and what was computed from them.
        self.numbers: dict[Any, frozenset[int]] = {}
        for column, value in enumerate(values):
            if type(value) in (int, float):
                key = type(value), value
                known = self.numbers.get(key, frozenset())
                self.numbers[key] = known | {column}
        # A dict keeps the order in which things were noted, each once.
        self.noted: dict[tuple[int, int, int, int], None] = {}
        self.is_busy = False

    def end(self) -> list[tuple[int, int, int, int]]:
        """Line, column, start and stop of what was noted."""
        noted, self.is_busy = list(self.noted)[:_MAX_NOTED], True
        return noted

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Our functions under the names that the watched source calls."""
        return {
            _IN: self.holds,
            _NOT_IN: self.lacks,
            _EQ: self.equal,
            _NE: self.unequal,
            _AND: self.shared,
            _ITEM: self.item,
            _METHOD: self.method,
            _VALUE: self.value,
            _MADE: self.made,
        }

    def holds(self, left: Any, right: Any) -> Any:
        """Do what ``left in right`` does."""
        result = left in right
        if result is True:
            self._note(self._held, left, right)
        return result

    def lacks(self, left: Any, right: Any) -> Any:
        """Do what ``left not in right`` does."""
        result = left not in right
        if result is False:
            self._note(self._held, left, right)
        return result

    def equal(self, left: Any, right: Any) -> Any:
        """Do what ``left == right`` does."""
        result = left == right
        self._note(self._compared, left, right, result is True)
        return result

    def unequal(self, left: Any, right: Any) -> Any:
        """Do what ``left != right`` does."""
        result = left != right
        self._note(self._compared, left, right, result is False)
        return result

    def shared(self, left: Any, right: Any) -> Any:
        """Do what ``left & right`` does."""
        result = left & right
        if type(result) in (set, frozenset):
            self._note(self._words, result)
        return result

    def item(self, holder: Any, key: Any) -> Any:
        """Do what ``holder[key]`` does."""
        result = holder[key]
        if type(key) in (str, tuple) and isinstance(holder, dict):
            self._note(self._looked_up, key, result)
        return result

    def method(self, method: Any, /, *args: Any, **options: Any) -> Any:
        """Do what ``holder.name(...)`` does."""
        result = method(*args, **options)
        # Of other kinds, code of the program would say what they belong to.
        holder = method.__self__ if type(method) in _BOUND else None
        if args and type(holder) is str and result is not False:
            self._note(self._asked, method.__name__, holder, args, result)
        elif args and isinstance(holder, dict) and method.__name__ == "get":
            self._note(self._looked_up, args[0], result)
        elif args and type(holder) in (set, frozenset):
            if type(result) in (set, frozenset):
                self._note(self._words, result)
            elif type(args[0]) in _HOLDERS:
                self._note(self._words_of_both, holder, args[0])
        return result

    def value(self, value: Any) -> Any:
        """Note a compared value, and give it back."""
        if type(value) in (int, float):
            self._note(self._number, value)
        return value

    def made(self, computed: tuple[int, bool, bool], left: Any, right: Any) -> Any:
        """Compute; remember what was made of numbers of the record."""
        operation, *may_be_ours = computed
        result = _OPERATORS[operation](left, right)
        if type(result) in (int, float) and 0 < len(self.numbers) < _MAX_NUMBERS:
            columns = frozenset[int]().union(
                *(
                    self._columns_of(operand)
                    for operand, is_ours in zip((left, right), may_be_ours, strict=True)
                    if is_ours
                )
            )
            if columns:
                self.numbers[type(result), result] = columns
        return result

    def watch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function of patterns note what it finds."""
        finds_all = function.__name__ in ("findall", "finditer")

        def watched(pattern: Any, string: Any, *args: Any, **options: Any) -> Any:
            result = function(pattern, string, *args, **options)
            if type(string) is str and result is not None:
                if not finds_all:
                    self._note(self._met, string, [result.span()])
                elif type(pattern) is FastPattern or type(pattern) is str:
                    self._note(self._all_met, function, pattern, string, args, options)
            return result

        return watched

    def _note(self, note: Callable[..., None], *args: Any) -> None:
        """Take a note, which must neither fail nor note itself."""
        if self.is_busy or len(self.noted) >= _MAX_NOTED:
            return
        self.is_busy = True
        try:
            note(*args)
        except Exception:
            # What cannot be noted changes no vote.
            return
        finally:
            self.is_busy = False

    def _add(self, column: int, start: int, stop: int) -> None:
        self.noted[_line_at_work(), column, start, stop] = None

    def _met(self, text: str, spans: Sequence[tuple[int, int]]) -> None:
        for start, stop in spans:
            for place in self.record.find(text, start, stop):
                self._add(*place)

    def _all_met(
        self,
        function: Callable[..., Any],
        pattern: Any,
        text: str,
        args: tuple[Any, ...],
        options: Mapping[str, Any],
    ) -> None:
        of_pattern = type(pattern) is FastPattern
        made = pattern if of_pattern else _fast_re.compile(pattern, *args, **options)
        limits = args if of_pattern else ()
        spans = [m.span() for m in made._compiled().finditer(text, *limits)]
        if not _takes_apart(made, text, spans):
            self._met(text, spans[:_MAX_NOTED])

    def _held(self, left: Any, right: Any) -> None:
        if type(right) is str and type(left) is str:
            if self.record.holds(right):
                self._met(right, _occurrences(left, right))
            elif len(left) > 1:
                self._word(left)
        else:
            self._words([left])

    def _compared(self, left: Any, right: Any, are_equal: bool) -> None:
        is_text = type(left) is str and type(right) is str
        if is_text and are_equal and left not in self.answers:
            self._word(left)

    def _looked_up(self, key: Any, result: Any) -> None:
        is_answer = type(key) is str and key in self.answers
        if type(result) in _KEPT and result and not is_answer:
            self._words([key])

    def _asked(self, name: str, text: str, args: tuple[Any, ...], result: Any) -> None:
        wanted = args[0]
        if type(wanted) is tuple:
            test = text.startswith if name == "startswith" else text.endswith
            wanted = next(w for w in wanted if test(w, *args[1:]))
        if type(wanted) is not str or not wanted:
            return
        if name == "startswith" and len(args) == 1:
            spans = [(0, len(wanted))]
        elif name == "endswith" and len(args) == 1:
            spans = [(len(text) - len(wanted), len(text))]
        elif name in ("find", "rfind", "index", "rindex"):
            spans = [(result, result + len(wanted))] if result >= 0 else []
        else:
            spans = _occurrences(wanted, text) if result else []
        self._met(text, spans)

    def _words(self, words: Any) -> None:
        for word in words:
            if type(word) is tuple:
                self._words(word)
            elif type(word) is str:
                self._word(word)
            elif type(word) in (int, float):
                self._number(word)

    def _words_of_both(self, words: Any, others: Any) -> None:
        self._words([word for word in others if word in words])

    def _word(self, word: str) -> None:
        # Single letters are how programs read, not what they look for.
        if len(word) > 1 or not word.isalnum():
            self._met(word, [(0, len(word))])

    def _number(self, value: Any) -> None:
        for column in sorted(self._columns_of(value)):
            self._add(column, 0, 0)

    def _columns_of(self, value: Any) -> frozenset[int]:
        if type(value) not in (int, float):
            return frozenset()
        return self.numbers.get((type(value), value), frozenset())


def _takes_apart(
    pattern: FastPattern, text: str, spans: Sequence[tuple[int, int]]
) -> bool:
    r"""Whether a pattern reads a text, as ``\w+`` does, and looks for nothing in it."""
    if pattern._needs.literals is not None or len(spans) < 4:
        return False
    taken = sum(len(text[start:stop].strip()) for start, stop in spans)
    return 2 * taken > len("".join(text.split()))


def _occurrences(word: str, text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    place = text.find(word) if word else -1
    while place >= 0 and len(found) < _MAX_NOTED:
        found.append((place, place + len(word)))
        place = text.find(word, place + len(word))
    return found


def _facade_with(facade: Any, functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Copy a facade, with some functions of ours."""
    kept = {
        name: value
        for name, value in vars(type(facade)).items()
        if not name.startswith("__")
    }
    replaced = {name: staticmethod(function) for name, function in functions.items()}
    return type("re", (), {"__slots__": (), **kept, **replaced})()


def _watch_patterns(notes: _Notes) -> None:
    """Make compiled patterns note what they find; this process has one program."""
    for name in _WATCHED:
        setattr(FastPattern, name, notes.watch(getattr(FastPattern, name)))


def _line_at_work() -> int:
    """Line of the program that is being run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != FILE:
        frame = frame.f_back
    return 0 if frame is None else frame.f_lineno


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
