"""Find source that stands alone for a function somebody wrote in Python."""

import ast
import builtins
import inspect
import textwrap
from types import ModuleType
from typing import Any

from ..exceptions import ProgramRejected


def source_of(function: Any) -> str:
    """Give the source of a function, with the imports that it uses.

    Parameters
    ----------
    function : callable
        Defined with ``def`` in a file or a notebook.

    Returns
    -------
    source : str

    Raises
    ------
    ProgramRejected
        It is no plain function, its source cannot be had, or it uses more from
        outside than modules.
    """
    if not inspect.isfunction(function):
        raise ProgramRejected(f"{function!r} is no function defined with def")
    name = function.__name__
    if name == "<lambda>":
        raise ProgramRejected("a lambda has no source of its own, use def")
    if function.__code__.co_freevars:
        names = ", ".join(function.__code__.co_freevars)
        raise ProgramRejected(
            f"function {name} uses {names} of the function around it, pull that inside"
        )
    try:
        source = textwrap.dedent(inspect.getsource(function))
        # Some versions of Python give other lines where a function has none.
        found = _defines(source, name)
    except (OSError, TypeError, SyntaxError):
        found = False
    if not found:
        raise ProgramRejected(
            f"the source of function {name} cannot be found, make a LabelingProgram "
            "from its text"
        )
    return _imports(function, source) + source


def _defines(source: str, name: str) -> bool:
    return any(
        isinstance(node, ast.FunctionDef) and node.name == name
        for node in ast.parse(source).body
    )


def _imports(function: Any, source: str) -> str:
    """Import statements for the modules that a function takes from its globals."""
    lines = []
    for used in sorted(_free_names(source) & function.__globals__.keys()):
        value = function.__globals__[used]
        if isinstance(value, ModuleType):
            lines.append(f"import {value.__name__} as {used}\n")
        elif used != function.__name__:
            raise ProgramRejected(
                f"function {function.__name__} uses {used} from outside, pull that "
                "inside"
            )
    return "".join(lines)


def _free_names(source: str) -> set[str]:
    """Names that a function reads and nowhere defines."""
    read: set[str] = set()
    hints: set[ast.AST] = set()
    bound: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        # The guard drops hints, so what they name is not needed.
        for hint in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if hint is not None:
                hints.update(ast.walk(hint))
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
            elif node not in hints:
                read.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler):
            bound.add(node.name or "")
    return read - bound - vars(builtins).keys()
