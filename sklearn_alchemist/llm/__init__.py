"""Ask language models: one client around litellm, a store, a budget and a ledger."""

from typing import TYPE_CHECKING

from .._lazy import lazy_exports
from ._ledger import Prices, Tally, Usage
from ._model import LLM
from ._question import Completion, Question

if TYPE_CHECKING:
    from ._budget import Ledger
    from ._client import Answers, ask, check_affordable
    from ._events import Event, get_on_event_hooks, set_on_event_hooks
    from ._lookup import find_stored
    from ._provider import count_tokens, prices_of
    from ._recordings import seed_store, write_recordings
    from ._store import CompletionStore, default_store_path
    from ._thoughts import without_thoughts

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
        "Ledger": "_budget",
        "ask": "_client",
        "check_affordable": "_client",
        "count_tokens": "_provider",
        "default_store_path": "_store",
        "find_stored": "_lookup",
        "get_on_event_hooks": "_events",
        "prices_of": "_provider",
        "seed_store": "_recordings",
        "set_on_event_hooks": "_events",
        "without_thoughts": "_thoughts",
        "write_recordings": "_recordings",
    },
)
