"""Turn a task into labeling programs: plan, prompts, parsing, gate and repair."""

from typing import TYPE_CHECKING

from .._lazy import lazy_exports

if TYPE_CHECKING:
    from ._gate import Rejection, try_programs
    from ._losses import (
        say_failed,
        say_nothing_usable,
        say_rejected,
        say_silent,
        say_unheard,
    )
    from ._parsing import extract_source
    from ._plan import Slot, plan
    from ._prompts import PROMPT_VERSION, Brief, Prompts, write_messages
    from ._select import select, unheard_classes
    from ._synthesize import (
        Recipe,
        Synthesis,
        knowledge_questions,
        load_documents,
        questions_for,
        synthesize,
    )

__all__ = [
    "PROMPT_VERSION",
    "Brief",
    "Prompts",
    "Recipe",
    "Rejection",
    "Slot",
    "Synthesis",
    "extract_source",
    "knowledge_questions",
    "load_documents",
    "plan",
    "questions_for",
    "say_failed",
    "say_nothing_usable",
    "say_rejected",
    "say_silent",
    "say_unheard",
    "select",
    "synthesize",
    "try_programs",
    "unheard_classes",
    "write_messages",
]

# Needed to fit, and not to use what was fitted.
__getattr__ = lazy_exports(
    __name__,
    {
        "Brief": "_prompts",
        "PROMPT_VERSION": "_prompts",
        "Prompts": "_prompts",
        "Recipe": "_synthesize",
        "Rejection": "_gate",
        "Slot": "_plan",
        "Synthesis": "_synthesize",
        "extract_source": "_parsing",
        "knowledge_questions": "_synthesize",
        "load_documents": "_synthesize",
        "plan": "_plan",
        "questions_for": "_synthesize",
        "say_failed": "_losses",
        "say_nothing_usable": "_losses",
        "say_rejected": "_losses",
        "say_silent": "_losses",
        "say_unheard": "_losses",
        "select": "_select",
        "synthesize": "_synthesize",
        "try_programs": "_gate",
        "unheard_classes": "_select",
        "write_messages": "_prompts",
    },
)
