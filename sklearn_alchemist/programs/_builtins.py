"""Give a program built-ins that cannot reach beyond its own objects."""

import _string  # type: ignore[import-not-found]
import builtins
import string
import sys
from collections.abc import Callable, Mapping, Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any

from ._guard import FACADE, FORMAT, OWN, TYPE, attribute_fault, is_private
from ._loop_filter import passing_elements, relevant_elements
from ._loop_rewrite import PASSING, RELEVANT
from ._safe_modules import PROGRAM, words

_PLAIN = words("""
    abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict
    divmod enumerate filter float format frozenset hash hex int isinstance issubclass
    iter len list map max min next object oct ord pow property range repr reversed round
    set slice sorted staticmethod str sum super tuple zip NotImplemented Ellipsis
    __build_class__
""")

_UNCHANGED = {
    name: value
    for name, value in vars(builtins).items()
    if name in _PLAIN or (isinstance(value, type) and issubclass(value, BaseException))
}

# C code imports these by name the first time that it needs them.
_FOR_C_CODE = frozenset({"_strptime", "re", "time", "unicodedata"})


def make_builtins(
    facades: Mapping[str, Any], direct: Mapping[str, Any]
) -> dict[str, Any]:
    """Make the built-in names of one program, which it can read and never change."""
    names: dict[str, Any] = {}

    def own(value: Any) -> Any:
        cls = value if isinstance(value, type) else type(value)
        is_ours = cls.__module__ == PROGRAM
        if is_ours or (cls is FunctionType and value.__builtins__ is names):
            return value
        raise AttributeError("only objects of a program's own classes can be changed")

    names |= {
        **direct,
        **_UNCHANGED,
        "getattr": safe_getattr,
        "hasattr": _safe_hasattr,
        "print": _silent,
        "type": safe_type,
        "__import__": _import_for_c_code,
        FACADE: facades.__getitem__,
        FORMAT: safe_format,
        RELEVANT: relevant_elements,
        PASSING: passing_elements,
        OWN: own,
        TYPE: safe_type,
    }
    return names


def safe_getattr(value: Any, name: str, *default: Any) -> Any:
    """Do what `getattr` does, for attributes that the guard allows."""
    # A subclass of str could be one name when checked and another when used.
    if type(name) is not str:
        raise TypeError("attribute name must be a string")
    fault = attribute_fault(name) or (f"{name} is private" if is_private(name) else "")
    if fault:
        if default:
            return default[0]
        raise AttributeError(fault)
    if name in {"format", "format_map"}:
        return safe_format(value, name, *default)
    return getattr(value, name, *default)


def safe_type(value: Any) -> type:
    """Do what `type` does with one argument that is no class."""
    if isinstance(value, type):
        raise TypeError("type() of a class is not available")
    return type(value)


def safe_format(value: Any, name: str, *default: Any) -> Callable[..., Any]:
    """Look up ``value.format`` or ``value.format_map`` without its attribute access."""
    method = getattr(value, name, *default)
    if method is str.format or method is str.format_map:
        return _format if name == "format" else _format_map
    if isinstance(method, BuiltinFunctionType) and isinstance(method.__self__, str):
        template = method.__self__
        if name == "format":
            return lambda *args, **kwargs: _format(template, *args, **kwargs)
        return lambda mapping: _format_map(template, mapping)
    return method


class _Formatter(string.Formatter):
    """Format strings whose fields reach only what `safe_getattr` gives."""

    def get_field(
        self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        first, rest = _string.formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, key in rest:
            value = safe_getattr(value, key) if is_attribute else value[key]
        return value, first


def _format(template: str, /, *args: Any, **kwargs: Any) -> str:
    return _Formatter().vformat(str.__str__(template), args, kwargs)


def _format_map(template: str, mapping: Mapping[str, Any], /) -> str:
    return _Formatter().vformat(str.__str__(template), (), mapping)


def _safe_hasattr(value: Any, name: str) -> bool:
    try:
        safe_getattr(value, name)
    except AttributeError:
        return False
    return True


def _silent(*values: object, **options: object) -> None:
    """Print nothing."""


def _import_for_c_code(name: str, *args: Any) -> Any:
    if name in _FOR_C_CODE and name in sys.modules:
        return sys.modules[name]
    raise ImportError(name)
