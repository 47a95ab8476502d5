"""Ask language models: one client around litellm, a store of completions, a ledger."""

from ._client import Answers, ask
from ._ledger import Prices, Tally, Usage
from ._model import LLM
from ._question import Completion, Question
from ._store import CompletionStore, default_store_path, write_recordings

__all__ = [
    "LLM",
    "Answers",
    "Completion",
    "CompletionStore",
    "Prices",
    "Question",
    "Tally",
    "Usage",
    "ask",
    "count_tokens",
    "default_store_path",
    "prices_of",
    "write_recordings",
]


def __getattr__(name: str) -> object:
    # The provider is the one module that leads to litellm; load it when it is used.
    if name in {"count_tokens", "prices_of"}:
        from . import _provider

        return getattr(_provider, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
