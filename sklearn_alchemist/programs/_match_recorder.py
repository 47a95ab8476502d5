"""Note which words and values of a record a program meets, after it was answered.

Each method does exactly what the operation does that it stands for, and only then looks
at what came of it, so that a watched program votes as one that nobody watches.
"""

import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from types import BuiltinMethodType, FrameType, MethodType, MethodWrapperType
from typing import Any

from . import _fast_re
from ._match_places import Record
from ._run_rows import FILE
from ._safe_modules import direct_name

# Words and values noted of one row; more than anybody reads.
_MAX_NOTED = 200
_MAX_NUMBERS = 10_000
_MOST_MARKS = 4

# What the watched source calls; a program itself cannot spell these names.
IN, NOT_IN, EQ, NE, AND, ITEM, METHOD, VALUE, MADE = (
    direct_name("watch", name)
    for name in ("in", "not_in", "eq", "ne", "and", "item", "method", "value", "made")
)
OPERATORS: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
]
# Forms of words that programs look for.
_FORMS = ("isupper", "isdigit")
_BOUND = (BuiltinMethodType, MethodType, MethodWrapperType)
_HOLDERS = (list, tuple, set, frozenset, dict)
_KEPT = (int, float, bool, str, *_HOLDERS)


class MatchRecorder:
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
            IN: self.holds,
            NOT_IN: self.lacks,
            EQ: self.equal,
            NE: self.unequal,
            AND: self.shared,
            ITEM: self.item,
            METHOD: self.method,
            VALUE: self.value,
            MADE: self.made,
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
        if type(holder) is str and method.__name__ in _FORMS:
            if result is True:
                self._note(self._word, holder)
        elif args and type(holder) is str and result is not False:
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
        result = OPERATORS[operation](left, right)
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
                elif type(pattern) is _fast_re.FastPattern or type(pattern) is str:
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
        of_pattern = type(pattern) is _fast_re.FastPattern
        made = pattern if of_pattern else _fast_re.compile(pattern, *args, **options)
        limits = args if of_pattern else ()
        spans = [m.span() for m in made._compiled().finditer(text, *limits)]
        if not _takes_apart(made, text, spans):
            self._met(text, spans[:_MAX_NOTED])

    def _held(self, left: Any, right: Any) -> None:
        if type(right) is str and type(left) is str:
            if self.record.holds(right):
                self._met(right, _occurrences(left, right))
            # A mark among all marks there are is how programs clean a text.
            elif len(left) > 1 or len(right) <= _MOST_MARKS:
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
        self._words([w for w in others if type(w) is str and w in words])

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
    pattern: _fast_re.FastPattern, text: str, spans: Sequence[tuple[int, int]]
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


def _line_at_work() -> int:
    """Line of the program that is being run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != FILE:
        frame = frame.f_back
    return 0 if frame is None else frame.f_lineno
