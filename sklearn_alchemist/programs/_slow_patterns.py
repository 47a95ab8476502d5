"""Find the regular expressions of a program that can take forever."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ._ambiguity import LOOP, find_ambiguity
from ._facades import words
from ._guard import parse
from ._program import LabelingProgram

_FUNCTIONS = words("compile findall finditer fullmatch match search split sub subn")
_FLAGS = {name: int(getattr(re, name)) for name in words("A I M S X")}
_FLAGS |= {
    "ASCII": _FLAGS["A"],
    "DOTALL": _FLAGS["S"],
    "IGNORECASE": _FLAGS["I"],
    "MULTILINE": _FLAGS["M"],
    "VERBOSE": _FLAGS["X"],
}
# Stands in an f-string for what is not known yet.
_UNKNOWN = "\ue000"
_MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class SlowPattern:
    """A regular expression that can take forever on a long text.

    Parameters
    ----------
    line : int
        Line of the source, counted from 1.
    pattern : str
        The regular expression.
    reason : str
        Why, and what to do instead.
    """

    line: int
    pattern: str
    reason: str

    def __str__(self) -> str:
        shown = self.pattern
        if len(shown) > _MAX_SHOWN:
            shown = shown[: _MAX_SHOWN - 3] + "..."
        return f"line {self.line}: pattern {shown!r} can take forever, {self.reason}"


_ADVICE = {
    True: "end what is repeated with something that it holds nowhere else, or repeat "
    "it only once",
    False: "keep one of them",
}


def find_slow_patterns(program: LabelingProgram) -> list[SlowPattern]:
    r"""Find the regular expressions of a program that can take forever.

    Backtracking takes exponential time where a repeated part can match the same text
    in many ways and what follows fails, and cubic time where two repeats side by side
    match the same characters. Only patterns that the source spells out are looked at,
    wherever they stand in a program that imports `re`; nothing is executed.

    Parameters
    ----------
    program : LabelingProgram
        The program to look at.

    Returns
    -------
    found : list of SlowPattern
        In the order of the source.

    See Also
    --------
    check_program : Whether a program keeps to what labeling programs may do.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram, find_slow_patterns
    >>> program = LabelingProgram("p", r'''
    ... import re
    ... def label(text):
    ...     return "shout" if re.search(r"(\w+\s?)+!", text) else None
    ... ''')
    >>> print(*find_slow_patterns(program))
    line 4: pattern '(\\w+\\s?)+!' can take forever, as a repeated part can match ...
    """
    tree = parse(program.source)
    if not any(_imports_re(node) for node in ast.walk(tree)):
        return []
    is_whole = "fullmatch" in program.source
    found = {}
    for node, pattern, flags in _patterns(tree):
        cause = find_ambiguity(pattern, flags, is_whole=is_whole)
        if cause is not None:
            reason = f"as {cause}: {_ADVICE[cause == LOOP]}"
            key = node.lineno, node.col_offset
            found[key] = SlowPattern(node.lineno, pattern, reason)
    return [found[key] for key in sorted(found)]


def _imports_re(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(item.name == "re" for item in node.names)
    return isinstance(node, ast.ImportFrom) and node.module == "re"


def _patterns(tree: ast.Module) -> Iterator[tuple[ast.expr, str, int]]:
    """Strings that may be patterns, and flags where they are known."""
    seen: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            seen.add(node.value)  # a docstring
        elif isinstance(node, ast.Call) and node.args and _function(node) in _FUNCTIONS:
            text = _text(node.args[0])
            if text is not None:
                seen.update(ast.walk(node.args[0]))
                yield node.args[0], text, _flags(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and node not in seen:
            text = _text(node)
            if text is not None:
                seen.update(ast.walk(node))
                yield node, text, 0


def _function(call: ast.Call) -> str | None:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return None


def _text(node: ast.expr) -> str | None:
    """Text of a constant, of an f-string or of their sum."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value) or _UNKNOWN for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, other = _text(left), _text(right)
            if one is None and other is None:
                return None
            return f"{_UNKNOWN if one is None else one}{other or _UNKNOWN}"
    return None


def _flags(call: ast.Call) -> int:
    """Read the flags that stand in a call, under their names in `re`."""
    given = [*call.args[1:], *(k.value for k in call.keywords if k.arg == "flags")]
    flags = 0
    for node in given:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute):
                flags |= _FLAGS.get(part.attr, 0)
    return flags
