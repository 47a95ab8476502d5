"""Read from a program's source whether it answers with classes or with numbers."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..exceptions import ProgramRejected
from ._guard import syntax_tree
from ._program import LabelingProgram, Scalar

_ABSTAINS = re.compile("abstain|none|unknown|no_?label|skip", re.IGNORECASE)
# What people put around the name of a class to name its number.
_AFFIX = re.compile(
    r"^(?:label|class|cls|category|idx|index|id|lbl)_|_(?:label|class|cls|category|idx"
    r"|index|id|lbl)$|_?\d+$",
    re.IGNORECASE,
)
_SAY_YES_OR_NO = frozenset({"any", "all", "bool", "isinstance", "callable"})
_YES_OR_NO_METHODS = frozenset(
    {"startswith", "endswith", "isupper", "islower", "isdigit", "isalpha", "isalnum"}
    | {"isnumeric", "isspace", "istitle", "isdecimal", "issubset", "issuperset"}
)
_MAX_RANGE = 1_000


@dataclass(frozen=True, slots=True)
class Answers:
    """What the source of a program says about its answers.

    Parameters
    ----------
    has_classes : bool
        Whether it returns classes as they are.
    places : frozenset of int
        Integers that it returns, other than -1.
    has_bools : bool
        Whether it may return True or False.
    is_complete : bool
        Whether all that it returns is seen in its source.
    order : tuple of str or None
        What 0, 1, ... mean by its own constants; None where they do not say.
    fault : str or None
        Why its own constants cannot be followed.
    otherwise : str or None
        The constant that numbers a class otherwise than the list of classes does.
    """

    has_classes: bool
    places: frozenset[int]
    has_bools: bool
    is_complete: bool
    order: tuple[str, ...] | None
    fault: str | None
    otherwise: str | None


def read_answers(program: LabelingProgram, classes: Sequence[Scalar]) -> Answers:
    r"""Read what a program answers with, as far as its source tells.

    Parameters
    ----------
    program : LabelingProgram
        The program.
    classes : sequence of str
        The classes.

    Returns
    -------
    answers : Answers
        Classes, numbers and what these mean.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram
    >>> from sklearn_alchemist.programs._answers import read_answers
    >>> source = "SPAM, HAM = 0, 1\ndef label(text): return SPAM"
    >>> read_answers(LabelingProgram("p", source), ["ham", "spam"]).order
    ('spam', 'ham')
    """
    tree = syntax_tree(program.source)
    walk = _Walk(tree, program.entry_point)
    constants = {leaf.value for leaf in walk.leaves if _is_plain(leaf)}
    places = {value for value in constants if type(value) is int and value != -1}
    places |= walk.places
    order, fault, otherwise = _own_order(walk, [str(label) for label in classes])
    if order is not None and not places and walk.numbered:
        places = set(range(len(order)))
    return Answers(
        has_classes=bool(
            {value for value in constants if isinstance(value, str)} & set(classes)
        ),
        places=frozenset(places),
        has_bools=walk.has_bools,
        is_complete=not walk.has_unknown,
        order=order,
        fault=fault,
        otherwise=otherwise,
    )


def take_numbers(
    program: LabelingProgram, classes: Sequence[Scalar], *, in_order: bool = True
) -> LabelingProgram:
    r"""Take what a program returns for numbers of the classes.

    Parameters
    ----------
    program : LabelingProgram
        A program that returns integers.
    classes : sequence of str
        The classes, in the order in which they are listed.
    in_order : bool, default=True
        Whether 0, 1, ... must be the classes as listed. Otherwise the program's own
        constants decide, where they say.

    Returns
    -------
    numbered : LabelingProgram
        The same with ``returns="index"`` and its ``class_order``.

    Raises
    ------
    ProgramRejected
        It returns True or False too, or its constants number the classes otherwise.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram
    >>> from sklearn_alchemist.programs._answers import take_numbers
    >>> program = LabelingProgram("p", "SPAM = 0\ndef label(text): return SPAM")
    >>> take_numbers(program, ["ham", "spam"], in_order=False).class_order
    ('spam', 'ham')
    """
    found = read_answers(program, classes)
    listed = ", ".join(map(repr, classes))
    if found.has_bools:
        raise ProgramRejected(
            f"program {program.name!r} returns True or False, which is no class: "
            f"return one of {listed}, or None to abstain"
        )
    wrong = sorted(p for p in found.places if not 0 <= p < len(classes))
    if wrong and found.fault is None:
        raise ProgramRejected(
            f"program {program.name!r} returns {wrong[0]}, which is neither a class "
            f"nor the place of one; classes are {listed}"
        )
    if found.fault is not None:
        raise ProgramRejected(f"program {program.name!r} {found.fault} ({listed})")
    order: tuple[Scalar, ...] = found.order or tuple(classes)
    if in_order and order != tuple(classes):
        raise ProgramRejected(
            f"in program {program.name!r}, {found.otherwise}: list the classes in the "
            "order of the numbers, or make a LabelingProgram with "
            "returns='index' and class_order=[...]"
        )
    return replace(program, returns="index", class_order=order)


def hides_its_answers(program: LabelingProgram, classes: Sequence[Scalar]) -> bool:
    """Whether only running a program tells if it returns classes or their places.

    Parameters
    ----------
    program : LabelingProgram
        What is read.
    classes : sequence of scalars
        The classes.

    Returns
    -------
    hidden : bool
        That classes are strings, and its source returns none of them as it is.
    """
    if program.returns == "index" or not all(isinstance(c, str) for c in classes):
        return False
    return not read_answers(program, classes).has_classes


def _is_plain(leaf: ast.Constant) -> bool:
    return isinstance(leaf.value, str | int | float | None)


@dataclass
class _Walk:
    """Follows what an entry point returns, through names and helpers."""

    tree: ast.Module
    entry_point: str | None
    leaves: list[ast.Constant] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    # What is said by lists and dicts that answers are looked up in.
    numbered: list[dict[str, int]] = field(default_factory=list)
    places: set[int] = field(default_factory=set)
    has_bools: bool = False
    has_unknown: bool = False

    def __post_init__(self) -> None:
        self.bound: dict[str, list[ast.expr]] = {}
        # Name -> what it returns.
        self.functions: dict[str, list[ast.expr]] = {}
        loops: list[tuple[ast.expr, ast.expr]] = []
        counts: Counter[str] = Counter()
        for node in ast.walk(self.tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._bind(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._bind(target, value)
                case ast.NamedExpr(target=target, value=value):
                    self._bind(target, value)
                case ast.For(target=target, iter=over):
                    loops.append((target, over))
                case ast.comprehension(target=target, iter=over):
                    loops.append((target, over))
                case ast.FunctionDef(name=name):
                    self.functions[name] = [r.value for r in _returns(node) if r.value]
                case ast.Name(id=name, ctx=ast.Store()):
                    counts[name] += 1
        for name, values in self.bound.items():
            bodies = [value.body for value in values if isinstance(value, ast.Lambda)]
            if bodies:
                self.functions.setdefault(name, []).extend(bodies)
        for target, over in loops:
            for element in self._elements(over):
                self._bind(target, element)
        # Names of one meaning; what counts up from 0 is no number of a class.
        self.constants = {
            name: value
            for name, (first, *more) in self.bound.items()
            if not more and counts[name] == 1 and type(value := _number(first)) is int
        }
        self._follow()

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.bound.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            parts = _parts(value)
            if parts is not None and len(parts) == len(target.elts):
                for one, part in zip(target.elts, parts, strict=True):
                    self._bind(one, part)

    def _resolved(self, node: ast.expr) -> list[ast.expr]:
        return self.bound.get(node.id, []) if isinstance(node, ast.Name) else [node]

    def _elements(self, over: ast.expr) -> Iterator[ast.expr]:
        """Yield what a loop walks through, as far as it stands there."""
        match over:
            case ast.Call(func=ast.Name(id="enumerate"), args=[table, *_]):
                place = ast.Call(ast.Attribute(table, "index", ast.Load()), [], [])
                for element in self._elements(table):
                    yield ast.Tuple([place, element], ast.Load())
                return
            case ast.Call(func=ast.Attribute(value=table, attr="items")):
                for value in self._resolved(table):
                    if isinstance(value, ast.Dict):
                        for key, held in zip(value.keys, value.values, strict=True):
                            if key is not None:
                                yield ast.Tuple([key, held], ast.Load())
                return
        for value in self._resolved(over):
            if isinstance(value, ast.Dict):
                yield from (key for key in value.keys if key is not None)
            else:
                yield from _parts(value) or ()

    def _entry(self) -> str:
        """Name the function that is called, which may have another name."""
        name = self.entry_point or "label"
        while name not in self.functions:
            names = [v.id for v in self.bound.pop(name, []) if isinstance(v, ast.Name)]
            if not names:
                break
            name = names[-1]
        return name

    def _follow(self) -> None:
        # An expression, whether only what counts as true in it can be returned, and
        # whether it is looked up in; a dict that is returned itself holds scores.
        pending: list[tuple[ast.expr, bool, bool]] = [
            (value, False, False) for value in self.functions.get(self._entry(), [])
        ]
        seen: set[tuple[int, bool, bool]] = set()
        kept = []  # so that no two nodes have the same id
        while pending:
            node, true_only, is_table = pending.pop()
            if (id(node), true_only, is_table) in seen:
                continue
            seen.add((id(node), true_only, is_table))
            kept.append(node)
            if _is_bool(node):
                self.has_bools = True
                continue
            following: list[ast.expr] = []
            match node:
                case ast.IfExp(body=one, orelse=other):
                    following = [one, other]
                case ast.BoolOp(op=ast.Or(), values=[*parts, last]):
                    pending += [(part, True, is_table) for part in parts]
                    following = [last]
                case ast.BoolOp(values=[*parts, last]):
                    self.has_bools |= not true_only and any(map(_is_bool, parts))
                    following = [last]
                case ast.NamedExpr(value=value):
                    following = [value]
                case ast.Name(id=name):
                    self.names.add(name)
                    following = self.bound.get(name, [])
                case ast.Attribute(value=value, attr="value" | "name"):
                    following = [value]
                case ast.Attribute(attr=name):  # a member of an enumeration
                    self.names.add(name)
                    following = self.bound.get(name, [])
                case ast.Subscript(value=table):
                    pending.append((table, True, True))
                case ast.Dict(keys=labels) if not is_table:
                    pending += [(label, False, False) for label in labels if label]
                case ast.DictComp(key=label) if not is_table:
                    pending.append((label, False, False))
                case ast.Dict(values=parts):
                    self._note_dict(node)
                    pending += [(part, true_only, False) for part in parts]
                case ast.DictComp(value=value):
                    pending.append((value, true_only, False))
                case ast.List(elts=parts) | ast.Tuple(elts=parts):
                    pending += [(part, true_only, False) for part in parts]
                case ast.Call():
                    pending += self._called(node, true_only, is_table)
                case ast.Constant() | ast.UnaryOp():
                    if (number := _number(node)) is not None:
                        self.leaves.append(ast.Constant(number))
                    elif isinstance(node, ast.Constant):
                        self.leaves.append(node)
                case _:
                    self.has_unknown = True
            pending += [(value, true_only, is_table) for value in following]

    def _called(
        self, node: ast.Call, true_only: bool, is_table: bool
    ) -> Iterator[tuple[ast.expr, bool, bool]]:
        """Yield what a call may come to."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self.functions:
                for value in self.functions[name]:
                    yield value, true_only, is_table
            case ast.Call(func=ast.Name(id="int"), args=[value]):
                if _is_bool(value):
                    self.places |= {0, 1}
                else:
                    yield value, true_only, is_table
            case ast.Call(func=ast.Name(id="max" | "min"), args=[table, *_]):
                for element in self._elements(table):
                    yield element, true_only, False
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=words):
                keys: list[ast.expr | None] = [ast.Constant(w.arg) for w in words]
                yield ast.Dict(keys, [w.value for w in words]), true_only, is_table
            case ast.Call(
                func=ast.Name(id="dict"),
                args=[ast.Call(func=ast.Name(id="zip"), args=[keys_of, values_of])],
            ):
                named = [*self._elements(keys_of)]
                numbers = [*self._elements(values_of)]
                if len(named) == len(numbers):
                    yield ast.Dict([*named], numbers), true_only, is_table
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *rest]):
                yield table, true_only, True
                for value in rest:
                    yield value, true_only, is_table
            case ast.Call(func=ast.Attribute(value=table, attr="index")):
                names = [
                    _text(e.elts[0] if isinstance(e, ast.Tuple) and e.elts else e)
                    for e in self._elements(table)
                ]
                self._note({name: i for i, name in enumerate(names) if name})
            case _:
                self.has_unknown = True

    def _note_dict(self, node: ast.Dict) -> None:
        said = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name, number = _text(key), _number(value)
            if isinstance(value, ast.Name):
                number = self.constants.get(value.id)
            if name is not None and type(number) is int:
                said[name] = number
        self._note(said)

    def _note(self, said: dict[str, int]) -> None:
        if said:
            self.numbered.append(said)


def _own_order(
    walk: _Walk, classes: Sequence[str]
) -> tuple[tuple[str, ...] | None, str | None, str | None]:
    """Find in which order a program itself numbers the classes, or why none."""
    known = {_spelled(label): label for label in classes}
    said: dict[str, int] = {}
    abstains: dict[str, int] = {}
    shown: dict[str, int] = {}
    for name, value in [
        *(
            (name, walk.constants[name])
            for name in sorted(walk.names & walk.constants.keys())
        ),
        *(item for table in walk.numbered for item in table.items()),
    ]:
        label = _class_named(name, known)
        if label is not None:
            if said.setdefault(label, value) != value:
                fault = f"numbers {label!r} as {said[label]} and as {value}"
                return None, f"{fault}: return the classes themselves", None
            shown[name] = value
        elif _ABSTAINS.search(name) and value not in (-1, None):
            abstains[name] = value
    is_returned = bool(said)
    for name, value in walk.constants.items():
        label = _class_named(name, known)
        if label is not None and label not in said:
            said[label], shown[name] = value, value
    if not said:
        return None, None, None
    if not is_returned and sorted(said.values()) != list(range(len(classes))):
        return None, None, None  # not what it returns
    missing = [label for label in classes if label not in said]
    free = sorted(set(range(len(classes))) - set(said.values()))
    fits = all(classes[i : i + 1] == [label] for label, i in said.items())
    if len(missing) == 1 and len(free) == 1:
        said[missing[0]] = free[0]
    elif fits and not abstains:
        return tuple(classes), None, None
    if abstains or sorted(said.values()) != list(range(len(classes))):
        pairs = ", ".join(f"{n} is {v}" for n, v in {**shown, **abstains}.items())
        return (
            None,
            f"numbers the classes in a way of its own ({pairs}), which is not 0, 1, "
            "... for the classes and -1 or None to abstain: return the classes "
            "themselves",
            None,
        )
    otherwise = next(
        (
            f"{name} is {value}, and classes[{value}] is another"
            for name, value in shown.items()
            if _class_named(name, known) != classes[value]
        ),
        None,
    )
    return tuple(sorted(said, key=said.__getitem__)), None, otherwise


def _class_named(name: str, known: dict[str, str]) -> str | None:
    """Find the class that a constant is named after."""
    while _spelled(name) not in known:
        bare = _AFFIX.sub("", name, count=1)
        if bare == name:
            return None
        name = bare
    return known[_spelled(name)]


def _spelled(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _returns(function: ast.FunctionDef) -> Iterator[ast.Return]:
    """Yield what a function returns itself, without the functions inside it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(node)


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """List the elements of a literal, or of a range."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return parts
        case ast.Call(func=ast.Name(id="range"), args=[*bounds]):
            numbers = [_number(bound) for bound in bounds]
            if 1 <= len(numbers) <= 2 and all(type(n) is int for n in numbers):
                found = range(*numbers)
                if len(found) <= _MAX_RANGE:
                    return [ast.Constant(number) for number in found]
    return None


def _number(node: ast.expr | None) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number) if type(number) is not bool:
            return number
        case ast.UnaryOp(
            op=ast.USub(), operand=ast.Constant(value=int() | float() as number)
        ):
            return -number
    return None


def _text(node: ast.expr | None) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
    return None


def _is_bool(node: ast.expr) -> bool:
    """Whether an expression is True or False, whatever it is about."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _SAY_YES_OR_NO
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _YES_OR_NO_METHODS
    return False
