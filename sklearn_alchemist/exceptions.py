"""Name the errors and warnings that a user of the package can meet."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "AlchemistWarning",
    "AnswerWarning",
    "BudgetError",
    "ClassesWarning",
    "ColumnNamesWarning",
    "FallbackWarning",
    "ImageWarning",
    "LLMError",
    "LabelsWarning",
    "OfflineError",
    "ProgramRejected",
    "ProgramWarning",
    "SandboxError",
    "SandboxWarning",
    "StoreError",
    "SynthesisError",
    "TargetError",
]


class LLMError(RuntimeError):
    """A language model could not be asked, or gave no answer."""


class OfflineError(LLMError):
    """A question has no stored answer and must not be asked."""


class BudgetError(LLMError):
    """A call could cost more than what is left of the budget."""


class StoreError(LLMError):
    """The store of completions cannot be read or written."""


class ProgramRejected(ValueError):  # noqa: N818 -- reads as what happened
    """A labeling program does what labeling programs may not, or has no entry point."""


class SandboxError(RuntimeError):
    """The system cannot lock worker processes down as far as was asked for."""


class SynthesisError(RuntimeError):
    """No answer of the language model holds a usable labeling program."""


class TargetError(RuntimeError):
    """Labels cannot be written into files, or those there are of another run."""


class AlchemistWarning(UserWarning):
    """Base class of the warnings that this package issues."""


class ProgramWarning(AlchemistWarning):
    """A labeling program was left out, failed on some rows, or never voted.

    Attributes
    ----------
    failures : dict of str to dict
        Program -> kind of failure -> number of rows, where programs failed on rows.
    """

    failures: Mapping[str, Mapping[str, int]] = MappingProxyType({})


class SandboxWarning(AlchemistWarning):
    """Programs run with less protection than there could be; issued once."""


class AnswerWarning(AlchemistWarning):
    """A language model answered what is none of the classes."""


class ClassesWarning(AlchemistWarning):
    """Votes and labels leave open which class a vote stands for."""


class ColumnNamesWarning(AlchemistWarning):
    """Columns without names are described to a language model."""


class FallbackWarning(AlchemistWarning):
    """A label model is no better than voting, so the votes are used instead."""


class LabelsWarning(AlchemistWarning):
    """Nothing tells how labels were chosen, so they are not taken for a sample."""


class ImageWarning(AlchemistWarning):
    """Images could not be read and got missing values."""
