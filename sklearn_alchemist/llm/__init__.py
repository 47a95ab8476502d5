"""Ask language models: one client around litellm, a store, a budget and a ledger."""

from typing import TYPE_CHECKING

from .._utils import lazy_exports
from ._completion import Completion, Question, Tally, Usage
from ._model import LLM, as_authors, as_llm
from ._prices import Prices, prices_of

if TYPE_CHECKING:
    from ._answer_text import without_thoughts
    from ._client import Answers, ask, check_affordable
    from ._events import Event, get_on_event_hooks, set_on_event_hooks
    from ._provider import count_tokens
    from ._recordings import find_stored, seed_store, write_recordings
    from ._spending_caps import Ledger
    from ._store import CompletionStore, default_store_path

__all__ = [
    "LLM",
    "Answers",
    "Completion",
    "CompletionStore",
    "Event",
    "Ledger",
    "Prices",
    "Question",
    "Tally",
    "Usage",
    "as_authors",
    "as_llm",
    "ask",
    "check_affordable",
    "count_tokens",
    "default_store_path",
    "find_stored",
    "get_on_event_hooks",
    "prices_of",
    "seed_store",
    "set_on_event_hooks",
    "without_thoughts",
    "write_recordings",
]

# Needed to ask, and not to describe a model or to use what it wrote.
__getattr__ = lazy_exports(
    __name__,
    {
        "Answers": "_client",
        "CompletionStore": "_store",
        "Event": "_events",
        "Ledger": "_spending_caps",
        "ask": "_client",
        "check_affordable": "_client",
        "count_tokens": "_provider",
        "default_store_path": "_store",
        "find_stored": "_recordings",
        "get_on_event_hooks": "_events",
        "seed_store": "_recordings",
        "set_on_event_hooks": "_events",
        "without_thoughts": "_answer_text",
        "write_recordings": "_recordings",
    },
)
