"""Hold the wording of what is asked of a language model, and check another one."""

import hashlib
import string
from dataclasses import asdict, dataclass, fields

from .._utils import read_texts

# Recorded with every program; a change of prompts.toml, or of a strategy that was there
# before, makes a new version.
PROMPT_VERSION = "4"
# Those whose words are kept, since stores hold answers to them.
_EARLIER = ("3",)
_TEXTS = read_texts(__package__, "prompts")


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """The wording of all that is asked, to be replaced in part or as a whole.

    Names in braces are filled in. A text may leave out any of those that the default
    uses, but not those marked as needed. What differs between the questions of a fit
    stands at their ends, so that a provider that remembers how prompts begin charges
    less for them.

    Parameters
    ----------
    system : str
        System message of the questions for programs.

    program : str
        Asks for a program of a given approach: ``{task}``, ``{classes}``,
        ``{signature}``, ``{columns}`` and ``{approach}`` are needed; ``{evidence}`` is
        `text_evidence` or `table_evidence`, ``{context}`` is prior knowledge, earlier
        cues and records.

    free : str
        Asks for a program whose approach is left to the model: ``{task}``,
        ``{classes}``, ``{signature}`` and ``{columns}`` are needed; ``{context}`` is
        there.

    text_evidence, table_evidence : str
        Say which cues to use; ``{n_cues}`` is how many for each class.

    repair : str
        Asks to mend a program: ``{problem}`` is needed.

    knowledge : str
        Asks for prior knowledge: ``{task}``, ``{classes}`` and ``{request}`` are
        needed; ``{columns}`` and ``{documents}`` are there.

    rules : str
        Asks for the content of a structured program: ``{task}``, ``{classes}``,
        ``{target}`` and ``{approach}`` are needed; ``{columns}`` and ``{context}`` are
        there.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import Prompts
    >>> Prompts().version
    '4'
    >>> Prompts(repair="Mend it: {problem}").version.startswith("4+")
    True
    """

    system: str = _TEXTS["system"]
    program: str = _TEXTS["program"]
    free: str = _TEXTS["free"]
    text_evidence: str = _TEXTS["text_evidence"]
    table_evidence: str = _TEXTS["table_evidence"]
    repair: str = _TEXTS["repair"]
    knowledge: str = _TEXTS["knowledge"]
    rules: str = _TEXTS["rules"]

    def __post_init__(self) -> None:
        for field in fields(self):
            text = getattr(self, field.name)
            if not isinstance(text, str):
                raise TypeError(
                    f"the prompt {field.name!r} must be a str; got "
                    f"{type(text).__name__}."
                )
            _check_fields(field.name, text)

    @classmethod
    def of_version(cls, version: str) -> "Prompts":
        """Take the wording of an earlier version, to which a store holds answers.

        Parameters
        ----------
        version : str
            Such as ``provenance.prompt_version`` of a program says.

        Returns
        -------
        prompts : Prompts
            What was asked then.

        Raises
        ------
        ValueError
            If there is no such version any more.

        Examples
        --------
        >>> from sklearn_alchemist.synthesis import Prompts
        >>> Prompts.of_version("3").version
        '3'
        """
        if version == PROMPT_VERSION:
            return cls()
        if version not in _EARLIER:
            known = ", ".join(map(repr, (*_EARLIER, PROMPT_VERSION)))
            raise ValueError(f"version must be one of {known}; got {version!r}.")
        return cls(**read_texts(__package__, f"prompts_{version}"))

    @property
    def version(self) -> str:
        """Version of the wording, with a digest where it is not the package's own."""
        for version in (PROMPT_VERSION, *_EARLIER):
            if self == Prompts.of_version(version):
                return version
        words = "\0".join(asdict(self).values())
        return f"{PROMPT_VERSION}+{hashlib.sha256(words.encode()).hexdigest()[:6]}"


# Fields that each text needs, and those that it may use.
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "system": (set(), set()),
    "program": (
        {"task", "classes", "signature", "columns", "approach"},
        {"evidence", "context"},
    ),
    "free": ({"task", "classes", "signature", "columns"}, {"context"}),
    "text_evidence": (set(), {"n_cues"}),
    "table_evidence": (set(), {"n_cues"}),
    "repair": ({"problem"}, set()),
    "knowledge": ({"task", "classes", "request"}, {"columns", "documents"}),
    "rules": ({"task", "classes", "target", "approach"}, {"columns", "context"}),
}


def _check_fields(name: str, text: str) -> None:
    """Raise where a text has unknown fields or lacks needed ones."""
    needed, optional = _FIELDS[name]
    try:
        found = {f for _, f, _, _ in string.Formatter().parse(text) if f is not None}
    except ValueError as error:
        raise ValueError(
            f"the prompt {name!r} is no template: {error}. Write {{{{ and }}}} for "
            "braces."
        ) from None
    if unknown := found - needed - optional:
        raise ValueError(
            f"the prompt {name!r} has {sorted(unknown)} in braces; it may have "
            f"{sorted(needed | optional)}. Write {{{{ and }}}} for braces."
        )
    if missing := needed - found:
        raise ValueError(
            f"the prompt {name!r} lacks "
            + ", ".join(f"{{{field}}}" for field in sorted(missing))
            + "."
        )
