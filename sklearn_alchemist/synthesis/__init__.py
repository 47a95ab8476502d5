"""Turn a task into labeling programs: plan, prompts, parsing and the gate."""

from typing import TYPE_CHECKING

from .._lazy import lazy_exports

if TYPE_CHECKING:
    from ._gate import Rejection, try_programs
    from ._losses import say_failed, say_nothing_usable, say_rejected, say_silent
    from ._parsing import extract_source
    from ._plan import Slot, plan
    from ._prompts import PROMPT_VERSION, Brief, write_messages
    from ._synthesize import Synthesis, questions_for, read_answers

__all__ = [
    "PROMPT_VERSION",
    "Brief",
    "Rejection",
    "Slot",
    "Synthesis",
    "extract_source",
    "plan",
    "questions_for",
    "read_answers",
    "say_failed",
    "say_nothing_usable",
    "say_rejected",
    "say_silent",
    "try_programs",
    "write_messages",
]

# Needed to fit, and not to use what was fitted.
__getattr__ = lazy_exports(
    __name__,
    {
        "PROMPT_VERSION": "_prompts",
        "Brief": "_prompts",
        "Rejection": "_gate",
        "Slot": "_plan",
        "Synthesis": "_synthesize",
        "extract_source": "_parsing",
        "plan": "_plan",
        "questions_for": "_synthesize",
        "read_answers": "_synthesize",
        "say_failed": "_losses",
        "say_nothing_usable": "_losses",
        "say_rejected": "_losses",
        "say_silent": "_losses",
        "try_programs": "_gate",
        "write_messages": "_prompts",
    },
)
