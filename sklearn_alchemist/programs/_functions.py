"""Make programs of functions as people write them, Snorkel's among them."""

import ast
import inspect
import keyword
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any

from ..exceptions import ProgramRejected
from ._entry_point import no_column
from ._function_source import find_function_source
from ._program import LabelingProgram
from ._standalone_source import StandaloneSource

# What strings and numbers have; whoever asks for more asks a row for a column.
_OF_VALUES = {*dir(str), *dir(float), *dir(int)} - {"title"}
_ROW = '''
class Row:
    """One record, whose columns are read as row.column, row["column"] or by get."""

    def __init__(self, values):
        self.values_by_name = values
{assignments}
    def __getitem__(self, name):
        return self.values_by_name[name]

    def get(self, name, default=None):
        return self.values_by_name.get(name, default)
'''


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CallableProgram(LabelingProgram):
    """A function that is called as it is, in the process that made it.

    Parameters
    ----------
    function : callable
        Takes the columns that the parameters name.
    """

    function: Callable[..., Any] = field(hash=False)
    __setstate__ = LabelingProgram.__setstate__


def make_program(
    function: Any,
    *,
    name: str | None = None,
    columns: Mapping[str, str] | None = None,
    in_process: bool = False,
    **options: Any,
) -> LabelingProgram:
    """Make a program of a function, or of one of Snorkel's labeling functions.

    Parameters
    ----------
    function : callable
        What a user wrote.
    name : str, optional
        Name of the program.
    columns : mapping of str to str, optional
        Name of each parameter that there can be -> name of its column.
    in_process : bool, default=False
        Whether what cannot be written as source is called as it is.
    **options : dict
        More parameters of `LabelingProgram`.

    Returns
    -------
    program : LabelingProgram

    Raises
    ------
    ProgramRejected
        It is no function, or cannot be written as source that stands alone.
    """
    name = name or _name_of(function)
    if not callable(function) or isinstance(function, type):
        hint = ""
        if isinstance(function, str | os.PathLike):
            hint = (
                ": a folder is given as programs='folder', without a list around it, "
                "and source as LabelingProgram(name, source)"
            )
        raise ProgramRejected(f"{function!r} is no function that labels a record{hint}")
    try:
        source, entry_point = _write(function, name, columns)
        return LabelingProgram(name, source, entry_point=entry_point, **options)
    except (ProgramRejected, RecursionError, SyntaxError) as error:
        if in_process:
            return _as_it_is(function, name, columns, options)
        if isinstance(error, ProgramRejected):
            raise
        if isinstance(error, SyntaxError):
            raise ProgramRejected(
                f"program {name!r} refers to lambdas within other objects: write them "
                "as functions with names, or set sandbox=None to run it in this process"
            ) from None
        raise ProgramRejected(
            f"program {name!r} refers to something that is nested too deeply"
        ) from None


def _name_of(function: Any) -> str:
    if _is_snorkel(function):
        return str(function.name)
    if isinstance(function, partial):
        return _name_of(function.func)
    name = getattr(function, "__name__", None) or type(function).__name__
    if name != "<lambda>":
        return str(name)
    for known, value in getattr(function, "__globals__", {}).items():
        if value is function and not known.startswith("_"):
            return known
    return "lambda"


def _is_snorkel(function: Any) -> bool:
    return all(hasattr(function, name) for name in ("name", "_f", "_resources", "_pre"))


def _identifier(name: str) -> str:
    found = re.sub(r"\W", "_", name)
    ok = found.isidentifier() and not keyword.iskeyword(found)
    return found if ok and not found.startswith("__") else f"label_{found.strip('_')}"


def _write(
    function: Any, name: str, columns: Mapping[str, str] | None
) -> tuple[str, str]:
    """Write source that stands alone; name the function in it to call."""
    standalone = StandaloneSource(name)
    source, entry_point = _write_with(standalone, function, name, columns)
    standalone.check_length(source)
    return source, entry_point


def _write_with(
    standalone: StandaloneSource,
    function: Any,
    name: str,
    columns: Mapping[str, str] | None,
) -> tuple[str, str]:
    if _is_snorkel(function):
        return _write_snorkel(standalone, function, name, columns)
    called = standalone.call(function, _identifier(name))
    positional, by_name = _parameters(function, columns)
    over_row = (
        len(positional) == 1
        and not by_name
        and _takes_row(standalone, function, positional[0], columns)
    )
    if over_row:
        return _wrap_row(standalone, [called], f"{called}(row)", name, columns)
    node = _last_function(standalone.source, called)
    if isinstance(function, FunctionType) and node is not None and _is_simple(node):
        return standalone.source, called
    handed = ", ".join([*positional, *(f"{p}={p}" for p in by_name)])
    entry = _free(standalone, f"{_identifier(name)}_record")
    parameters = ", ".join([*positional, *by_name])
    body = f"def {entry}({parameters}):\n    return {called}({handed})\n"
    return standalone.source + body, entry


def _is_simple(node: ast.FunctionDef) -> bool:
    args = node.args
    return not (args.vararg or args.kwarg or args.kwonlyargs or args.defaults)


def _last_function(source: str, name: str) -> ast.FunctionDef | None:
    found = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return found[-1] if found else None


def _parameters(
    function: Any, columns: Mapping[str, str] | None
) -> tuple[list[str], list[str]]:
    """Parameters that are columns: those without default, or called as a column."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ["text"], []
    positional, by_name = [], []
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is not parameter.empty and parameter.name not in (
            columns or ()
        ):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY or (
            parameter.default is not parameter.empty
        ):
            by_name.append(parameter.name)
        else:
            positional.append(parameter.name)
    return positional, by_name


def _takes_row(
    standalone: StandaloneSource,
    function: Any,
    parameter: str,
    columns: Mapping[str, str] | None,
) -> bool:
    """Whether the only parameter stands for a record and not for a column."""
    if columns is not None and parameter in columns:
        return False
    if columns is not None and len(columns) > 1:
        return True
    return any(
        bool(_fields_read(tree, parameter) - _OF_VALUES) for tree in standalone.trees
    )


def _fields_read(tree: ast.AST, parameter: str | None) -> set[str]:
    """Names that are read of a parameter, as attributes or items."""

    def is_row(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and parameter in (None, node.id)

    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_row(node.value):
            if isinstance(node.ctx, ast.Load) and node.attr != "get":
                found.add(node.attr)
        elif isinstance(node, ast.Subscript) and is_row(node.value):
            if isinstance(node.slice, ast.Constant) and isinstance(
                node.slice.value, str
            ):
                found.add(node.slice.value)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and is_row(node.func.value)
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            found.add(node.args[0].value)
    return found


def _written(tree: ast.AST) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


def _write_snorkel(
    standalone: StandaloneSource,
    function: Any,
    name: str,
    columns: Mapping[str, str] | None,
) -> tuple[str, str]:
    called = standalone.call(function._f, _identifier(name))
    before = [
        standalone.call(f, "prepare") for f in _preprocessors(function._pre, name)
    ]
    handed = ""
    if function._resources:
        resources = _free(standalone, "resources")
        standalone.bind(resources, dict(function._resources))
        handed = f", **{resources}"
    steps = [*before, called]
    result = f"{called}(row{handed})"
    tolerant = bool(getattr(function, "fault_tolerant", False))
    if not _reads_records(standalone, columns):
        result = f"{called}(text{handed})"
        return _wrap_text(standalone, steps, result, name, tolerant=tolerant)
    return _wrap_row(standalone, steps, result, name, columns, tolerant=tolerant)


def _reads_records(
    standalone: StandaloneSource, columns: Mapping[str, str] | None
) -> bool:
    """Whether functions read columns of what they get, rather than a text itself."""
    if columns is not None and len(columns) > 1:
        return True
    known = {*(columns or ()), *(columns or {}).values()}
    return any(
        (_fields_read(tree, None) & known)
        or (
            isinstance(tree, ast.FunctionDef)
            and tree.args.args
            and _fields_read(tree, tree.args.args[0].arg) - _OF_VALUES
        )
        for tree in standalone.trees
    )


def _wrap_text(
    standalone: StandaloneSource,
    steps: Sequence[str],
    result: str,
    name: str,
    *,
    tolerant: bool,
) -> tuple[str, str]:
    """Hand a text over as it is."""
    entry = _free(standalone, f"{_identifier(name)}_record")
    lines = [f"text = {step}(text)" for step in steps[:-1]]
    text = _body([*lines, f"return {result}"], tolerant=tolerant)
    return f"{standalone.source}def {entry}(text):\n{text}", entry


def _body(lines: Sequence[str], *, tolerant: bool) -> str:
    if not tolerant:
        return "".join(f"    {line}\n" for line in lines)
    inner = "".join(f"        {line}\n" for line in lines)
    return f"    try:\n{inner}    except Exception:\n        return -1\n"


def _preprocessors(preprocessors: Any, name: str) -> list[Any]:
    found: list[Any] = []
    for one in preprocessors or ():
        if not hasattr(one, "_f"):
            if isinstance(one, FunctionType):
                found.append(one)
                continue
            raise ProgramRejected(
                f"program {name!r} needs the preprocessor {type(one).__name__}, which "
                "cannot be carried into the process where programs run: set "
                "sandbox=None to run it in this process."
            )
        found += [*_preprocessors(getattr(one, "_pre", ()), name), one._f]
    return found


def _wrap_row(
    standalone: StandaloneSource,
    steps: Sequence[str],
    result: str,
    name: str,
    columns: Mapping[str, str] | None,
    *,
    tolerant: bool = False,
) -> tuple[str, str]:
    """Hand a record over as an object that has its columns as attributes."""
    fields = _columns_read(standalone, columns, name)
    row, entry = (
        _free(standalone, "Row"),
        _free(standalone, f"{_identifier(name)}_record"),
    )
    items = [f"{one!r}: {one}" for one in fields]
    items += [
        f"{columns[one]!r}: {one}"
        for one in fields
        if columns is not None and columns.get(one, one) != one
    ]
    assignments = "".join(f"        self.{one} = values[{one!r}]\n" for one in fields)
    made = _ROW.format(assignments=assignments).replace("class Row", f"class {row}")
    lines = [f"row = {row}({{{', '.join(items)}}})"]
    lines += [f"row = {step}(row)" for step in steps[:-1]]
    lines.append(f"return {result}")
    text = _body(lines, tolerant=tolerant)
    source = f"{standalone.source}{made}\n\ndef {entry}({', '.join(fields)}):\n{text}"
    return source, entry


def _columns_read(
    standalone: StandaloneSource, columns: Mapping[str, str] | None, name: str
) -> list[str]:
    """Columns that functions over records read."""
    trees = standalone.trees
    read = set().union(*(_fields_read(tree, None) for tree in trees))
    if columns is not None:
        known = [p for p, column in columns.items() if {p, column} & read]
        if known:
            return known
    firsts = [
        (tree, tree.args.args[0].arg)
        for tree in trees
        if isinstance(tree, ast.FunctionDef) and tree.args.args
    ]
    own = set().union(*(_fields_read(tree, first) for tree, first in firsts))
    own -= set().union(*map(_written, trees)) | {"values_by_name"}
    fields = sorted(one for one in own if one.isidentifier())
    if not fields or (columns is not None and (len(fields) > 1 or len(columns) > 1)):
        parameters = [
            arg.arg
            for tree in trees
            if isinstance(tree, ast.FunctionDef | ast.Lambda)
            for arg in tree.args.args
        ]
        odd = ", ".join(fields or parameters) or "nothing"
        raise no_column(name, odd, [*(columns or ())])
    return fields


def _free(standalone: StandaloneSource, wish: str) -> str:
    name, number = wish, 1
    while name in standalone.meanings:
        number += 1
        name = f"{wish}_{number}"
    return name


# ------------------------------------------------------- without a process of its own


class _Row(SimpleNamespace):
    """One record, whose columns are read as attributes or as items."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def _as_it_is(
    function: Any,
    name: str,
    columns: Mapping[str, str] | None,
    options: Mapping[str, Any],
) -> LabelingProgram:
    """Make a program that calls a function in this process."""
    positional, by_name = _parameters(function, columns)
    called: Callable[..., Any]
    if _is_snorkel(function) or (
        len(positional) == 1
        and not by_name
        and _reads_rows(function, positional, columns)
    ):
        parameters = [*(columns or {"text": "text"})]
        called = partial(_call_on_row, function, tuple(parameters))
    else:
        parameters = [*positional, *by_name]
        called = partial(_call, function, len(positional), tuple(by_name))
    source = (
        f"# Calls the Python object {_name_of(function)} of the process that made it.\n"
        f"def label({', '.join(parameters)}):\n"
        "    raise RuntimeError('runs with sandbox=None only, where it was made')\n"
    )
    return CallableProgram(name, source, function=called, **options)


def _reads_rows(
    function: Any, positional: list[str], columns: Mapping[str, str] | None
) -> bool:
    if columns is not None and positional[0] in columns:
        return False
    if columns is not None and len(columns) > 1:
        return True
    try:
        node = find_function_source(function).node
    except (ProgramRejected, AttributeError):
        return False
    return bool(_fields_read(node, positional[0]) - _OF_VALUES)


class _TextRow(str):
    """A record of one text: the text itself, and its column as an attribute or item."""

    def __getitem__(self, name: Any) -> Any:
        return (
            getattr(self, name) if isinstance(name, str) else super().__getitem__(name)
        )


def _call_on_row(function: Any, names: tuple[str, ...], *values: Any) -> Any:
    row: Any
    if len(values) == 1 and isinstance(values[0], str):
        row = _TextRow(values[0])
        setattr(row, names[0], values[0])
    else:
        row = _Row(**dict(zip(names, values, strict=True)))
    return _plain(function(row))


def _call(
    function: Any, n_positional: int, names: tuple[str, ...], *values: Any
) -> Any:
    by_name = dict(zip(names, values[n_positional:], strict=True))
    return _plain(function(*values[:n_positional], **by_name))


def _plain(answer: Any) -> Any:
    """Take the value of an enumeration's member, and Python's number for NumPy's."""
    answer = getattr(answer, "value", answer)
    return answer.item() if type(answer).__module__ == "numpy" else answer
