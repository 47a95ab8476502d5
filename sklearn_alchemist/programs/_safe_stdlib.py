"""Do what some tools of the standard library do, without what reaches further.

`dataclass` and `namedtuple` of Python write source text and execute it with real
built-ins; logging and warnings write, and chance differs from call to call.
"""

import collections
import random
import typing
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from ._safe_modules import PROGRAM

_MISSING: Any = type("MISSING", (), {"__repr__": lambda self: "MISSING"})()
_FIELDS = "__program_fields__"
_Method = Callable[..., Any]


class Field:
    """What `dataclasses.field` gives: a default and what a field takes part in."""

    def __init__(
        self,
        *,
        default: Any = _MISSING,
        default_factory: Any = _MISSING,
        init: bool = True,
        repr: bool = True,  # noqa: A002
        hash: Any = None,  # noqa: A002
        compare: bool = True,
        metadata: Any = None,
        kw_only: bool = False,
    ) -> None:
        if default is not _MISSING and default_factory is not _MISSING:
            raise ValueError("cannot specify both default and default_factory")
        self.name = ""
        self.default = default
        self.default_factory = default_factory
        self.init, self.repr, self.compare = init, repr, compare
        self.hash = compare if hash is None else hash
        self.metadata = metadata or {}
        self.kw_only = kw_only


def _own(cls: Any) -> Any:
    if not isinstance(cls, type) or cls.__module__ != PROGRAM:
        raise TypeError("dataclass is for a program's own classes")
    return cls


def dataclass(
    cls: Any = None,
    /,
    *,
    init: bool = True,
    repr: bool = True,  # noqa: A002
    eq: bool = True,
    order: bool = False,
    unsafe_hash: bool = False,
    frozen: bool = False,
    match_args: bool = True,
    kw_only: bool = False,
    slots: bool = False,
    weakref_slot: bool = False,
) -> Any:
    """Do what `dataclasses.dataclass` does, by closures instead of source text."""
    if cls is None:
        options = {k: v for k, v in locals().items() if k != "cls"}
        return lambda cls: dataclass(cls, **options)
    fields = _collect_fields(_own(cls), kw_only)
    setattr(cls, _FIELDS, fields)
    members = vars(cls)
    made: dict[str, _Method] = {}
    if init:
        made["__init__"] = _init(cls, fields)
    if repr and "__repr__" not in members:
        made["__repr__"] = _repr(fields)
    if eq and "__eq__" not in members:
        compared = [f.name for f in fields.values() if f.compare]
        made["__eq__"] = _comparison(cls, compared, lambda a, b: a == b)
        if order:
            made["__lt__"] = _comparison(cls, compared, lambda a, b: a < b)
            made["__le__"] = _comparison(cls, compared, lambda a, b: a <= b)
            made["__gt__"] = _comparison(cls, compared, lambda a, b: a > b)
            made["__ge__"] = _comparison(cls, compared, lambda a, b: a >= b)
    if frozen or unsafe_hash:
        hashed = [f.name for f in fields.values() if f.hash]
        made["__hash__"] = lambda self: hash(tuple(getattr(self, n) for n in hashed))
    elif eq and "__hash__" not in members:
        made["__hash__"] = None  # type: ignore[assignment]
    if frozen:
        made["__setattr__"] = made["__delattr__"] = _refuse_change
    for name, method in made.items():
        setattr(cls, name, method)
    return cls


def _collect_fields(cls: type, kw_only: bool) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for base in cls.__mro__[-1:0:-1]:
        fields.update(vars(base).get(_FIELDS, {}))
    for name in cls.__annotations__:
        default = vars(cls).get(name, _MISSING)
        if type(default) is not Field:
            if type(default) in (list, dict, set):
                raise ValueError(
                    f"mutable default {type(default)} for field {name} is not allowed: "
                    "use default_factory"
                )
            default = Field(default=default)
        elif default.default is not _MISSING:
            setattr(cls, name, default.default)
        else:
            delattr(cls, name)
        default.name = name
        default.kw_only = default.kw_only or kw_only
        fields[name] = default
    return fields


def _init(cls: type, fields: dict[str, Field]) -> _Method:
    taken = [f for f in fields.values() if f.init]
    names = [f.name for f in taken if not f.kw_only]
    wanted = {f.name for f in taken}
    assign = object.__setattr__

    def __init__(self: Any, /, *args: Any, **given: Any) -> None:  # noqa: N807
        # Called with an object of another class, it would change what is not its own.
        if not issubclass(type(self), cls):
            raise TypeError(f"expected an object of class {cls.__name__}")
        if len(args) > len(names):
            raise TypeError(f"__init__() takes {len(names)} arguments")
        for name, value in zip(names, args, strict=False):
            if name in given:
                raise TypeError(f"__init__() got multiple values for argument {name!r}")
            given[name] = value
        if not given.keys() <= wanted:
            unknown = next(name for name in given if name not in wanted)
            raise TypeError(f"__init__() got an unexpected argument {unknown!r}")
        for name, field in fields.items():
            if name in given:
                assign(self, name, given[name])
            elif field.default_factory is not _MISSING:
                assign(self, name, field.default_factory())
            elif field.default is not _MISSING:
                assign(self, name, field.default)
            elif field.init:
                raise TypeError(f"__init__() missing required argument {name!r}")
        if hasattr(self, "__post_init__"):
            self.__post_init__()

    return __init__


def _repr(fields: dict[str, Field]) -> _Method:
    shown = [f.name for f in fields.values() if f.repr]

    def __repr__(self: Any) -> str:  # noqa: N807
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({values})"

    return __repr__


def _comparison(cls: type, names: list[str], compare: _Method) -> _Method:
    def method(self: Any, other: Any) -> Any:
        if type(other) is not type(self) or not issubclass(type(self), cls):
            return NotImplemented
        return compare(
            tuple(getattr(self, name) for name in names),
            tuple(getattr(other, name) for name in names),
        )

    return method


def _refuse_change(self: Any, name: str, *value: Any) -> None:
    raise AttributeError(f"cannot assign to field {name!r}")


def fields(instance: Any) -> tuple[Field, ...]:
    """Do what `dataclasses.fields` does."""
    found = getattr(instance, _FIELDS, None)
    if found is None:
        raise TypeError("must be called with a dataclass type or instance")
    return tuple(found.values())


def asdict(instance: Any) -> dict[str, Any]:
    """Do what `dataclasses.asdict` does."""
    return {f.name: _plain(getattr(instance, f.name), asdict) for f in fields(instance)}


def astuple(instance: Any) -> tuple[Any, ...]:
    """Do what `dataclasses.astuple` does."""
    return tuple(_plain(getattr(instance, f.name), astuple) for f in fields(instance))


def _plain(value: Any, convert: _Method) -> Any:
    if hasattr(type(value), _FIELDS):
        return convert(value)
    if type(value) in (list, tuple, set):
        return type(value)(_plain(item, convert) for item in value)
    if type(value) is dict:
        return {key: _plain(item, convert) for key, item in value.items()}
    return value


def replace(instance: Any, /, **changes: Any) -> Any:
    """Do what `dataclasses.replace` does."""
    kept = {f.name: getattr(instance, f.name) for f in fields(instance) if f.init}
    return type(instance)(**{**kept, **changes})


def is_dataclass(value: Any) -> bool:
    """Do what `dataclasses.is_dataclass` does."""
    return hasattr(value, _FIELDS)


def _text(name: Any) -> str:
    """Give a name as nothing but text: a class of strings could claim to be one."""
    return str.__str__(name)


def namedtuple(
    typename: Any, field_names: Any, *, rename: bool = False, defaults: Any = None
) -> Any:
    """Do what `collections.namedtuple` does, with names that are nothing but text."""
    names = (
        _text(field_names).replace(",", " ").split()
        if isinstance(field_names, str)
        else [_text(name) for name in field_names]
    )
    return collections.namedtuple(
        _text(typename), names, rename=rename, defaults=defaults, module=PROGRAM
    )


class NamedTuple:
    """Stand for `typing.NamedTuple`, as a base class and as a function."""

    def __mro_entries__(self, bases: Any) -> Any:
        base: Any = typing.NamedTuple
        return base.__mro_entries__((base,))

    def __call__(self, typename: Any, fields: Any = (), /, **more: Any) -> Any:
        return namedtuple(typename, [*(name for name, _ in fields), *more])


class Silence:
    """Take whatever is logged or warned, and do nothing."""

    def __call__(self, *args: Any, **options: Any) -> "Silence":
        return self

    def __enter__(self) -> list[Any]:
        return []

    def __exit__(self, *error: object) -> None:
        return None

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> "Silence":
        if name.startswith("_"):
            raise AttributeError(name)
        return self


CHANCE = random.Random(0)


class Random(random.Random):
    """Numbers that are the same each time unless a seed is given."""

    def __init__(self, x: Any = 0) -> None:
        super().__init__(x)

    def seed(self, a: Any = 0, version: int = 2) -> None:
        """Do what `random.Random.seed` does, with a seed of its own for None."""
        super().seed(0 if a is None else a, version)


def start_row(row: Iterable[Any]) -> None:
    """Let what a program draws at random depend on the row and on nothing else."""
    CHANCE.seed(zlib.crc32(repr(row).encode("utf-8", "backslashreplace")))


def literal_eval(text: Any) -> Any:
    """Do what `ast.literal_eval` does with text."""
    import ast

    return ast.literal_eval(_text(text))
