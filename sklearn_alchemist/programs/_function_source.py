"""Find the source of one function that somebody wrote in Python."""

import __future__

import ast
import builtins
import dis
import inspect
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from ..exceptions import ProgramRejected


@dataclass(frozen=True)
class FunctionSource:
    """One function as it stands in its file.

    Parameters
    ----------
    node : ast.FunctionDef
        Its definition, without decorators, as they have done their work; a lambda is
        written as a function.
    text : str or None
        The same as its author wrote it; None where that has no text of its own.
    """

    node: ast.FunctionDef
    text: str | None


def find_function_source(function: FunctionType) -> FunctionSource:
    """Find the definition of a function in the file or notebook that it came from.

    Parameters
    ----------
    function : function
        Made by ``def`` or ``lambda``.

    Returns
    -------
    origin : FunctionSource

    Raises
    ------
    ProgramRejected
        The source cannot be had.
    """
    code = function.__code__
    name = function.__name__
    try:
        lines, _ = inspect.findsource(code)
        tree = ast.parse("".join(lines))
    except (OSError, TypeError, IndexError, SyntaxError, ValueError, RecursionError):
        tree = ast.Module([], [])
    found = _innermost(list(_candidates(tree, code)))
    if len(found) != 1:
        several = "stands beside others in one line" if found else "cannot be found"
        raise ProgramRejected(
            f"the source of function {name} {several}, make a LabelingProgram from its "
            "text"
        )
    node = found[0]
    if not _is_made_from("".join(lines), code):
        raise ProgramRejected(
            f"the source of function {name} changed since it was imported: reload its "
            "module, or start Python anew"
        )
    if isinstance(node, ast.Lambda):
        body: list[ast.stmt] = [ast.Return(node.body)]
        made = ast.FunctionDef("label", node.args, body, [])
        return FunctionSource(ast.fix_missing_locations(made), None)
    part = lines[node.lineno - 1 : node.end_lineno]
    node.decorator_list = []
    return FunctionSource(node, _text(part, node))


def _candidates(
    tree: ast.Module, code: CodeType
) -> Iterator[ast.FunctionDef | ast.Lambda]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == code.co_firstlineno:
                yield node
        elif (
            isinstance(node, ast.Lambda)
            and code.co_name == "<lambda>"
            and node.lineno == code.co_firstlineno
            and _arguments(node) == code.co_varnames[: len(_arguments(node))]
            and _holds(node, code)
        ):
            yield node


def _innermost(
    found: list[ast.FunctionDef | ast.Lambda],
) -> list[ast.FunctionDef | ast.Lambda]:
    """Leave out lambdas around another: what holds all instructions is the inner."""
    around = {
        id(node)
        for node in found
        for part in ast.walk(node)
        if part is not node and any(part is other for other in found)
    }
    return [node for node in found if id(node) not in around]


def _is_made_from(source: str, code: CodeType) -> bool:
    """Whether compiling a file gives the code of a function again."""
    if not all(name.isidentifier() for name in code.co_names):
        return True  # a tool rewrote it, as pytest does
    flags = code.co_flags & _FEATURES
    try:
        whole = _compiled(source, code.co_filename, flags)
    except (SyntaxError, ValueError, RecursionError):
        return True  # cells of notebooks may hold more than Python
    pending, same_place = [whole], []
    while pending:
        one = pending.pop()
        pending += [part for part in one.co_consts if isinstance(part, CodeType)]
        if (one.co_name, one.co_firstlineno) == (code.co_name, code.co_firstlineno):
            same_place.append(one)
    return not same_place or any(_said(one) == _said(code) for one in same_place)


_FEATURES = 0
for _feature in __future__.all_feature_names:
    _FEATURES |= getattr(__future__, _feature).compiler_flag


@lru_cache(maxsize=2)
def _compiled(source: str, file: str, flags: int) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(source, file, "exec", flags, dont_inherit=True)


def _said(code: CodeType) -> tuple[Any, ...]:
    """Say what a piece of code does and asks for, wherever it stands."""
    constants = tuple(
        _said(c) if isinstance(c, CodeType) else (type(c), c) for c in code.co_consts
    )
    return code.co_code, code.co_names, code.co_varnames, constants


def _arguments(node: ast.Lambda) -> tuple[str, ...]:
    args = node.args
    rest = [args.vararg, args.kwarg]
    return tuple(
        arg.arg
        for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs, *rest]
        if arg is not None
    )


def _holds(node: ast.Lambda, code: CodeType) -> bool:
    """Whether the body of a lambda is where the instructions of the code come from."""
    body = node.body
    start = (body.lineno, body.col_offset)
    end = (body.end_lineno or 0, body.end_col_offset or 0)
    places = [p for p in code.co_positions() if p[3]]
    return all(
        start <= (line or 0, column or 0) and (last or 0, stop or 0) <= end
        for line, last, column, stop in places
    )


def _text(lines: list[str], node: ast.FunctionDef) -> str | None:
    """Text of a definition at the margin, if it is the same there."""
    text = textwrap.dedent("".join(lines)).rstrip() + "\n"
    try:
        (again,) = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    return text if ast.dump(again) == ast.dump(node) else None


def free_names(function: FunctionType, node: ast.AST) -> set[str]:
    """Names that a function takes from around it.

    Parameters
    ----------
    function : function
    node : ast.AST
        Its definition.

    Returns
    -------
    names : set of str
        Without built-in ones, and without those that only hints name.
    """
    code = function.__code__
    used = _global_names(code) | set(code.co_freevars)
    return (used & read_names(node)) - vars(builtins).keys() | (
        # What is called like a built-in function and is none.
        used & read_names(node) & vars(builtins).keys() & function.__globals__.keys()
    )


def _global_names(code: CodeType) -> set[str]:
    names = {
        str(step.argval)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _global_names(constant)
    return names


def read_names(tree: ast.AST) -> set[str]:
    """Names that source reads, other than in hints, which are never evaluated.

    Parameters
    ----------
    tree : ast.AST

    Returns
    -------
    names : set of str
    """
    hints: set[ast.AST] = set()
    read: set[tuple[str, ast.AST]] = set()
    for node in ast.walk(tree):
        for hint in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if hint is not None:
                hints.update(ast.walk(hint))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            read.add((node.id, node))
    return {name for name, node in read if node not in hints}


def value_of(function: FunctionType, name: str) -> Any:
    """Look up what a name means to a function.

    Parameters
    ----------
    function : function
    name : str

    Returns
    -------
    value : object

    Raises
    ------
    KeyError, ValueError
        It means nothing (yet).
    """
    free = function.__code__.co_freevars
    if name in free:
        return (function.__closure__ or ())[free.index(name)].cell_contents
    return function.__globals__[name]
