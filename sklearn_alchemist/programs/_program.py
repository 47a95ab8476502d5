"""Hold the source of a labeling program together with how to read its answers."""

import hashlib
import html
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Literal

from ..exceptions import ProgramRejected
from ._entry_point import signature
from ._guard import Refusal, check_size, guard, parse

_LOGGER = logging.getLogger(__name__)

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a program came from; ``Provenance()`` means "written by hand".

    Parameters
    ----------
    model : str, optional
        Name of the language model.
    slot : str, optional
        Place in the plan that the program was written for.
    prompt_version : str, optional
        Version of the prompt's wording.
    prompt_digest : str, optional
        Digest of the messages sent.
    completion_digest : str, optional
        Digest of the answer received.
    prompt_tokens, completion_tokens : int, optional
        Tokens sent and received.
    dollars : float, optional
        Cost in US dollars, None where the price is unknown.
    repairs : int, default=0
        How often the model was asked to mend the program.
    tuned_from : str, optional
        Digest of the program that `synthesis.tune_programs` changed into this one.
    changes : str, optional
        What it changed, by lines of the program before.

    Examples
    --------
    >>> from sklearn_alchemist.programs import Provenance
    >>> Provenance().model is None
    True
    """

    model: str | None = None
    slot: str | None = None
    prompt_version: str | None = None
    prompt_digest: str | None = None
    completion_digest: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    dollars: float | None = None
    repairs: int = 0
    tuned_from: str | None = None
    changes: str | None = None

    def __setstate__(self, state: list[Any]) -> None:
        # Earlier versions had fewer fields, the same ones first.
        for place, one in enumerate(fields(self)):
            value = state[place] if place < len(state) else one.default
            object.__setattr__(self, one.name, value)


@dataclass(frozen=True, slots=True, repr=False)
class LabelingProgram:
    """Source of one Python function whose parameters name the columns that it reads.

    The function returns a class, None to abstain, or a dict of class to number, its
    scores: the best class is voted for where it leads. The source is parsed, never
    executed, when the object is made. Programs are equal if their source, entry point,
    `returns`, `class_order` and thresholds are.

    Parameters
    ----------
    name : str
        Name shown in messages and tables.
    source : str
        Python source text. Its function returns a class, None to abstain, or a dict of
        class to score.
    entry_point : str, optional
        The function to call. By default the one called ``label``, else the only
        public function at the top level, else the one that no other function calls.
    returns : {"class", "index"}, default="class"
        Whether answers are classes as written or integers that stand for classes.
    class_order : sequence of scalars, optional
        With ``returns="index"``, what 0, 1, ... mean. By default the classes in the
        order in which they are listed: in ``classes`` of a labeler, or of
        `run_programs`.
    provenance : Provenance, optional
        Where the program came from. By default it was written by hand.
    class_mapping : dict of scalar to (scalar, list of scalars or None), optional
        For a program that was written for other classes than those of now: what each
        class that it may answer is now, several where it is divided, None where there
        is no such class any more. What is not listed is no answer. By default answers
        are classes of now.
    thresholds : dict of scalar to float, optional
        For a program that gives scores, by how much those of a class must lead those of
        the next one for a vote; 0 for classes that are not listed. By default not yet
        learned: `ProgramSynthesisLabeler` learns them when it is fitted.

    Attributes
    ----------
    parameters : tuple of str
        Names of the columns that the entry point reads.

    Raises
    ------
    ProgramRejected
        The source is no Python, or has no usable entry point.

    See Also
    --------
    check_program : Whether a program keeps to what labeling programs may do.
    run_programs : Run programs over columns.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram
    >>> program = LabelingProgram("prize", '''
    ... def label(subject, body):
    ...     return "spam" if "prize" in body else None
    ... ''')
    >>> program
    LabelingProgram('prize', label(subject, body))
    >>> program.parameters
    ('subject', 'body')
    """

    name: str = field(compare=False)
    source: str
    entry_point: str | None = field(default=None, kw_only=True)
    returns: Literal["class", "index"] = field(default="class", kw_only=True)
    class_order: tuple[Scalar, ...] | None = field(default=None, kw_only=True)
    provenance: Provenance = field(
        default=Provenance(),
        kw_only=True,
        compare=False,
    )
    parameters: tuple[str, ...] = field(init=False, compare=False)
    class_mapping: tuple[tuple[Scalar, tuple[Scalar, ...]], ...] | None = field(
        default=None, kw_only=True
    )
    thresholds: tuple[tuple[Scalar, float], ...] | None = field(
        default=None, kw_only=True
    )

    def __post_init__(self) -> None:
        if self.returns not in ("class", "index"):
            raise ValueError(
                f"returns must be 'class' or 'index', got {self.returns!r}"
            )
        order = self.class_order
        if order is not None:
            if isinstance(order, str) or self.returns == "class":
                raise ValueError(
                    "class_order lists what integers mean: it needs a list of classes "
                    "and returns='index'"
                )
            object.__setattr__(self, "class_order", tuple(order))
        if self.class_mapping is not None:
            object.__setattr__(self, "class_mapping", _as_pairs(self.class_mapping))
        if self.thresholds is not None:
            object.__setattr__(self, "thresholds", _as_leads(self.thresholds))
        try:
            entry_point, parameters, _ = signature(self.source, self.entry_point)
        except Refusal as refusal:
            raise _rejected(self.name, refusal) from None
        object.__setattr__(self, "entry_point", entry_point)
        object.__setattr__(self, "parameters", parameters)

    def __setstate__(self, state: list[Any]) -> None:
        # Earlier versions had neither class_mapping nor thresholds.
        missing = [None] * (len(fields(self)) - len(state))
        for one, value in zip(fields(self), [*state, *missing], strict=True):
            object.__setattr__(self, one.name, value)

    def __repr__(self) -> str:
        columns = ", ".join(self.parameters)
        return f"LabelingProgram({self.name!r}, {self.entry_point}({columns}))"

    def __str__(self) -> str:
        return self.source

    def _repr_html_(self) -> str:
        name, source = (
            html.escape(_visible(text)) for text in (self.name, self.source)
        )
        return f"<strong>{name}</strong><pre dir='ltr'>{source}</pre>"

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal characters that equal programs share.

        Returns
        -------
        digest : str
        """
        compared: list[Any] = [
            self.source,
            self.entry_point,
            self.returns,
            self.class_order,
        ]
        if self.class_mapping is not None:
            compared.append(self.class_mapping)
        if self.thresholds is not None:
            compared.append({"thresholds": self.thresholds})
        text = json.dumps(compared, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def from_function(
        cls,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        returns: Literal["class", "index"] = "class",
        class_order: Sequence[Scalar] | None = None,
    ) -> "LabelingProgram":
        """Take the source of a Python function, with all that it refers to.

        Parameters
        ----------
        function : callable
            A function, lambda, partial, object with ``__call__`` or labeling function
            of Snorkel. Constants, compiled patterns, other functions and classes that
            it uses from outside are written into the source.
        name : str, optional
            By default the name of the function.
        returns : {"class", "index"}, default="class"
            See `LabelingProgram`.
        class_order : sequence of scalars, optional
            See `LabelingProgram`.

        Returns
        -------
        program : LabelingProgram

        Raises
        ------
        ProgramRejected
            The source cannot be had, or does not stand alone.

        Examples
        --------
        >>> from sklearn_alchemist.programs import LabelingProgram
        >>> LabelingProgram.from_function(int)
        Traceback (most recent call last):
        ...
        sklearn_alchemist.exceptions.ProgramRejected: <class 'int'> is no function ...
        """
        from ._functions import make_program

        order = None if class_order is None else tuple(class_order)
        return make_program(function, name=name, returns=returns, class_order=order)


def _as_pairs(mapping: Any) -> tuple[tuple[Scalar, tuple[Scalar, ...]], ...]:
    """Write down in one way what answers stand for."""
    pairs: Iterable[tuple[Any, Any]] = (
        mapping.items() if isinstance(mapping, Mapping) else mapping
    )
    return tuple(
        (answer, tuple(now) if isinstance(now, list | tuple) else (now,))
        if now is not None
        else (answer, ())
        for answer, now in pairs
    )


def _as_leads(given: Any) -> tuple[tuple[Scalar, float], ...]:
    """Check thresholds and write them down in one way."""
    pairs: Iterable[Any] = given.items() if isinstance(given, Mapping) else given
    leads = tuple((label, float(lead)) for label, lead in pairs)
    for label, lead in leads:
        if not 0 <= lead < float("inf"):
            raise ValueError(f"thresholds[{label!r}] must be 0 or more, got {lead}")
    return leads


def check_program(program: LabelingProgram) -> None:
    """Check that a program keeps to what labeling programs may do.

    Nothing is executed. A program that passes can still fail on its rows.

    Parameters
    ----------
    program : LabelingProgram
        The program to check.

    Raises
    ------
    ProgramRejected
        Names the program, the line and the reason.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram, check_program
    >>> check_program(LabelingProgram("p", "def label(text): return open(text)"))
    Traceback (most recent call last):
    ...
    sklearn_alchemist.exceptions.ProgramRejected: program 'p', line 1: open() is ...
    """
    found = _check(program.source)
    if isinstance(found, Refusal):
        raise _rejected(program.name, found)
    for note in found:
        _LOGGER.info("program %r, %s", program.name, note)


@lru_cache(maxsize=256)
def _check(source: str) -> tuple[str, ...] | Refusal:
    """Guard a program once: notes on what is left out, or why it is refused."""
    try:
        notes: list[str] = []
        check_size(parse(source, shared=True))
        guard(source, notes)
        return tuple(notes)
    except Refusal as refusal:
        return refusal.with_traceback(None)


def check_length(program: LabelingProgram) -> None:
    """Refuse a program that is too long or nested too deeply to be read further.

    Parameters
    ----------
    program : LabelingProgram
        Any program.

    Raises
    ------
    ProgramRejected
        It is.
    """
    try:
        check_size(parse(program.source, shared=True))
    except Refusal as refusal:
        raise _rejected(program.name, refusal) from None


def _visible(text: str) -> str:
    """Spell out what would show as nothing, or turn the direction of the rest."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode()
        for c in text
    )


def _rejected(name: str, refusal: Refusal) -> ProgramRejected:
    return ProgramRejected(f"program {name!r}, {refusal}")
