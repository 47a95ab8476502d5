"""Turn a task into labeling programs: plan, prompts, parsing, gate and repair."""

from typing import TYPE_CHECKING

from .._utils import lazy_exports

if TYPE_CHECKING:
    from ._brief import Brief, write_brief
    from ._choose import N_TRIED, choose
    from ._columns import list_columns, never_crossed
    from ._coverage import classes_never_answered
    from ._estimate import CostEstimate, estimate_cost, estimate_questions
    from ._knowledge import read_documents
    from ._labeler import ProgramSynthesisLabeler
    from ._losses import (
        say_dropped,
        say_failed,
        say_nothing_usable,
        say_rejected,
        say_silent,
        say_slow,
        say_unheard,
    )
    from ._outcome import Exchange, Synthesis, add_usage
    from ._parsing import extract_source
    from ._plan import plan
    from ._prompts import write_messages
    from ._recipe import (
        Recipe,
        knowledge_questions,
        plan_slots,
        settle_kinds,
        write_question,
        write_recipe,
    )
    from ._rows import describe_values
    from ._schema_change import N_FINDERS
    from ._select import count_votes, find_idle, leave_out, unheard_classes
    from ._slot import Slot
    from ._synthesize import open_ledger, synthesize
    from ._trial import Rejection, longest_text, try_programs
    from ._tuning import tune_programs
    from ._wording import PROMPT_VERSION, Prompts

__all__ = [
    "N_FINDERS",
    "N_TRIED",
    "PROMPT_VERSION",
    "Brief",
    "CostEstimate",
    "Exchange",
    "ProgramSynthesisLabeler",
    "Prompts",
    "Recipe",
    "Rejection",
    "Slot",
    "Synthesis",
    "add_usage",
    "choose",
    "classes_never_answered",
    "count_votes",
    "describe_values",
    "estimate_cost",
    "estimate_questions",
    "extract_source",
    "find_idle",
    "knowledge_questions",
    "leave_out",
    "list_columns",
    "longest_text",
    "never_crossed",
    "open_ledger",
    "plan",
    "plan_slots",
    "read_documents",
    "say_dropped",
    "say_failed",
    "say_nothing_usable",
    "say_rejected",
    "say_silent",
    "say_slow",
    "say_unheard",
    "settle_kinds",
    "synthesize",
    "try_programs",
    "tune_programs",
    "unheard_classes",
    "write_brief",
    "write_messages",
    "write_question",
    "write_recipe",
]

# Needed to fit, and not to use what was fitted.
__getattr__ = lazy_exports(
    __name__,
    {
        "Brief": "_brief",
        "CostEstimate": "_estimate",
        "Exchange": "_outcome",
        "PROMPT_VERSION": "_wording",
        "ProgramSynthesisLabeler": "_labeler",
        "Prompts": "_wording",
        "Recipe": "_recipe",
        "Rejection": "_trial",
        "Slot": "_slot",
        "Synthesis": "_outcome",
        "N_FINDERS": "_schema_change",
        "N_TRIED": "_choose",
        "add_usage": "_outcome",
        "choose": "_choose",
        "classes_never_answered": "_coverage",
        "count_votes": "_select",
        "describe_values": "_rows",
        "estimate_cost": "_estimate",
        "estimate_questions": "_estimate",
        "extract_source": "_parsing",
        "find_idle": "_select",
        "knowledge_questions": "_recipe",
        "leave_out": "_select",
        "list_columns": "_columns",
        "longest_text": "_trial",
        "never_crossed": "_columns",
        "open_ledger": "_synthesize",
        "plan": "_plan",
        "plan_slots": "_recipe",
        "read_documents": "_knowledge",
        "say_dropped": "_losses",
        "say_failed": "_losses",
        "say_slow": "_losses",
        "say_nothing_usable": "_losses",
        "say_rejected": "_losses",
        "say_silent": "_losses",
        "say_unheard": "_losses",
        "settle_kinds": "_recipe",
        "synthesize": "_synthesize",
        "try_programs": "_trial",
        "tune_programs": "_tuning",
        "unheard_classes": "_select",
        "write_brief": "_brief",
        "write_messages": "_prompts",
        "write_question": "_recipe",
        "write_recipe": "_recipe",
    },
)
