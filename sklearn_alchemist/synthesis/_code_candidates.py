"""Choose among the pieces of an answer the program that is meant."""

import ast
import re
from dataclasses import dataclass

from ..llm._answer_text import find_marks
from ..programs._entry_point import top_functions

FUNCTION = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|label[ \t]*=[ \t]*lambda\b)",
    re.MULTILINE,
)
_LABEL = re.compile(r"^[ \t]*(?:def[ \t]+label\b|label[ \t]*=)", re.MULTILINE)
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# What is said before a program tells whether it is meant. Praise counts more: "Here is
# the improved version of the first draft".
_PRAISE = re.compile(
    r"improv|final|correct(?:ed|ion)|fixed|revis|updated|better|instead,? use|use this"
    r"|complete|full (?:program|version|function|code)|new version|refined|actual"
    r"|the (?:answer|solution|program) is|good:|\u2705",
    re.IGNORECASE,
)
_BLAME = re.compile(
    r"naive|na\u00efve|wrong|\bbad\b|avoid|do not|don['\u2019]t|never|incorrect|broken"
    r"|buggy|\bold\b|original|previous|earlier|first (?:draft|attempt|version|try|idea)"
    r"|draft|for comparison|compared|for reference|would fail|too simple|alternativ"
    r"|another (?:option|way|version)|simpler|shorter|minimal|could also|optional"
    r"|variant|instead of|rather than|not recommended|anti-?pattern|before:|\u274c"
    r"|sketch|skeleton|stub|baseline|trivial|\btests?\b|\bnotes?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A piece of an answer that may be the program, or a part of it."""

    source: str
    tree: ast.Module | None
    start: int
    end: int
    closed: bool
    before: str

    @property
    def functions(self) -> dict[str, _Function]:
        return {} if self.tree is None else top_functions(self.tree)

    @property
    def has_label(self) -> bool:
        if self.tree is None:
            return _LABEL.search(self.source) is not None
        return "label" in self.functions

    @property
    def has_function(self) -> bool:
        if self.tree is None:
            return FUNCTION.search(self.source) is not None
        return bool(self.functions) or FUNCTION.search(self.source) is not None

    @property
    def _body(self) -> list[ast.stmt]:
        """Statements of the function that is meant; of a lambda what it returns."""
        functions = self.functions
        function = functions.get("label") or next(iter(functions.values()), None)
        if isinstance(function, ast.Lambda):
            return [ast.Return(function.body)]
        return [] if function is None else function.body

    @property
    def is_stub(self) -> bool:
        """Whether its function is a signature only."""
        body = self._body
        return bool(body) and all(map(_says_nothing, body))

    @property
    def only_abstains(self) -> bool:
        """Whether its function returns None and does nothing else."""
        if not (body := self._body):
            return False
        *before, last = body
        nothing = isinstance(last, ast.Return) and (
            last.value is None
            or (isinstance(last.value, ast.Constant) and last.value.value is None)
        )
        return nothing and all(map(_says_nothing, before))

    @property
    def is_elided(self) -> bool:
        """Whether it leaves out a part by an ellipsis."""
        if self.tree is None:
            return False
        return any(
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and node.value.value is ...
            for node in ast.walk(self.tree)
        ) or bool(_ELIDED.search(self.source))

    @property
    def is_blamed(self) -> bool:
        """Whether it is shown as what not to use."""
        words = last_words(self.before)
        return bool(_BLAME.search(words)) and not _PRAISE.search(words)


_ELIDED = re.compile(
    r"#[^\n\w]*(?:\.\.\.|\u2026)[^\n]*\b(?:same|rest|before|unchanged|existing|above)"
    r"|#[^\n]*\b(?:same|rest|unchanged|existing)\b[^\n]*(?:\.\.\.|\u2026)",
    re.IGNORECASE,
)


def _says_nothing(node: ast.stmt) -> bool:
    """Tell whether a statement is a docstring, an ellipsis or the like."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Return):
        return isinstance(node.value, ast.Constant) and node.value.value is ...
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.dump(node)
    return isinstance(node, ast.Pass)


def last_words(text: str) -> str:
    """Find what is said last: the end of a paragraph, or the heading above it."""
    return " ".join(text[-400:].strip().split("\n\n")[-1].split())[-200:]


def choose_candidate(text: str, candidates: list[Candidate]) -> Candidate | None:
    """Choose the last complete program that is meant."""
    pool = [c for c in candidates if c.has_label]
    pool = pool or [c for c in candidates if c.has_function]
    if not pool:
        return None
    ranges = _answer_ranges(text)
    inside = [c for c in pool if any(a <= c.start < b for a, b in ranges)]
    pool = inside or pool
    last = pool[-1]
    # What it breaks off within was meant, and an earlier draft was not.
    if last.tree is None and not last.closed:
        return last
    if last.tree is None and _PRAISE.search(last_words(last.before)):
        return last
    for suits in (
        lambda c: (
            c.tree and not (c.is_stub or c.only_abstains or c.is_elided or c.is_blamed)
        ),
        lambda c: c.tree and not c.is_stub and not c.is_elided and not c.is_blamed,
        lambda c: c.tree and not c.is_stub and not c.is_elided,
        lambda c: c.tree and not c.is_stub,
        lambda c: not c.is_stub,
    ):
        if meant := [c for c in pool if suits(c)]:
            return meant[-1]
    return last


def _answer_ranges(text: str) -> list[tuple[int, int]]:
    """Find the parts of an answer that are marked as the answer proper."""
    ranges, opened = [], None
    for mark in find_marks(text):
        if not re.fullmatch(
            r"(?:final[_ -]?)?(?:answer|solution|output)|final", mark.name
        ):
            continue
        if not mark.closes:
            opened = mark.end
        elif opened is not None:
            ranges.append((opened, mark.start))
            opened = None
    return ranges
