"""Find the function to call in a labeling program, and the columns that it reads."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from ..exceptions import ProgramRejected
from ._guard import Refusal, parse


def _entry_point(
    tree: ast.Module, wanted: str | None
) -> tuple[str, ast.FunctionDef | ast.Lambda]:
    """Find the function to call, the last one of its name as Python has it."""
    functions = top_functions(tree)
    public = [name for name in functions if not name.startswith("_")]
    found = ", ".join(functions) or "no function"
    if wanted is None:
        wanted = _plainly_meant(tree, public)
        if wanted is None:
            raise Refusal(
                1,
                f"found {found} at the top level, call the function to run `label` or "
                "name it as entry_point",
            )
    if wanted not in functions:
        raise Refusal(1, f"found {found} at the top level, but no {wanted}")
    function = functions[wanted]
    if isinstance(function, ast.Lambda):
        return wanted, function
    if isinstance(function, ast.AsyncFunctionDef):
        raise Refusal(function.lineno, f"{wanted} is async, use a plain def")
    if any(
        isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function)
    ):
        raise Refusal(function.lineno, f"{wanted} is a generator, use return")
    return wanted, function


def top_functions(
    tree: ast.Module,
) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    """List the functions of a module: definitions, lambdas, and other names of them.

    Parameters
    ----------
    tree : ast.Module
        The module.

    Returns
    -------
    functions : dict of str to ast.AST
        Name -> the last function of that name.
    """
    functions: dict[str, Any] = {}
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                functions[name] = node
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ):
                if isinstance(value, ast.Name) and value.id in functions:
                    functions[name] = functions[value.id]
                elif isinstance(value, ast.Lambda):
                    functions[name] = value
    return functions


def _plainly_meant(tree: ast.Module, public: list[str]) -> str | None:
    """Tell the function to run from its helpers, where its name or its place does."""
    if "label" in public or len(public) == 1:
        return "label" if "label" in public else public[0]
    loaded = {
        node.id
        for statement in tree.body
        if not isinstance(statement, ast.If)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    # A helper is called by another function.
    outer = [name for name in public if name not in loaded]
    for pattern in _ENTRY_NAMES:
        for candidates in (outer, public):
            named = [name for name in candidates if pattern.search(name)]
            if len(named) == 1:
                return named[0]
    return outer[0] if len(outer) == 1 else None


# What functions that label are called, the plainest first.
_ENTRY_NAMES = (
    re.compile("^(label|classify|annotate|predict)|(label|classifier)$"),
    re.compile("^(detect|categori[sz]e|tag|flag|assign|identify|infer|decide|lf_)"),
    re.compile("^(is_|has_|check|main|run|program)"),
)


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Nodes of a function's body without those of functions inside it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))


def _parameters(name: str, function: ast.FunctionDef | ast.Lambda) -> tuple[str, ...]:
    """Names of the columns that a function reads."""
    args, line = function.args, function.lineno
    needed = [
        arg.arg
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
        if default is None
    ]
    if needed:
        raise Refusal(
            line, f"{name} has the keyword-only parameter {needed[0]}, remove the star"
        )
    names = tuple(arg.arg for arg in args.posonlyargs + args.args)
    if not names:
        raise Refusal(line, f"{name} has no parameters, name the columns that it reads")
    # A parameter with a default may be a column, too, see `optional_parameters`.
    return names[: len(names) - len(args.defaults)] or names


@lru_cache(maxsize=256)
def signature(
    source: str, wanted: str | None
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Name the function to call, its parameters, and those that have defaults."""
    name, function = _entry_point(parse(source, shared=True), wanted)
    names = [arg.arg for arg in function.args.posonlyargs + function.args.args]
    n_needed = len(names) - len(function.args.defaults)
    optional = tuple(names[n_needed:]) if n_needed else ()
    return name, _parameters(name, function), optional


def optional_parameters(source: str, entry_point: str | None) -> tuple[str, ...]:
    """Name the parameters with defaults, which read columns of their name if any.

    Parameters
    ----------
    source : str
        Of a `LabelingProgram`.
    entry_point : str
        Its entry point.

    Returns
    -------
    names : tuple of str
    """
    return signature(source, entry_point)[2]


def similar_name(name: str, known: Iterable[str]) -> str | None:
    """Find the column that a parameter may have been meant to be.

    Parameters
    ----------
    name : str
        A parameter that is no column.
    known : iterable of str
        Names of columns.

    Returns
    -------
    meant : str or None
        The most similar one, if one is similar.
    """
    import difflib  # for the one message that needs it

    folded = {str(column).lower(): column for column in known}
    found = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.75)
    return folded[found[0]] if found else None


def no_column(name: str, parameter: str, known: Sequence[str]) -> ProgramRejected:
    """Word the error that a program reads what is no column.

    Parameters
    ----------
    name : str
        Name of the program.
    parameter : str
        What it reads.
    known : sequence of str
        Names of the columns, none if they are not known.

    Returns
    -------
    error : ProgramRejected
        To be raised.
    """
    meant = similar_name(parameter, known)
    advice = "its parameters are to be called as the columns that it reads"
    return ProgramRejected(
        f"program {name!r} reads {parameter!r}, which is no column; columns are "
        f"{', '.join(known) or 'unknown'}: "
        + (f"do you mean {meant!r}?" if meant else advice)
    )
