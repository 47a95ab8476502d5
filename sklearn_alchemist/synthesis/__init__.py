"""Turn a task into labeling programs: plan, prompts, parsing, gate and repair."""

from typing import TYPE_CHECKING

from .._utils import lazy_exports

if TYPE_CHECKING:
    from ._code_from_answer import extract_source
    from ._cost_estimate import CostEstimate, estimate_cost, estimate_questions
    from ._earlier_programs import classes_never_answered
    from ._knowledge import knowledge_questions, read_documents
    from ._labeler import ProgramSynthesisLabeler
    from ._plan import PlannedProgram, plan, plan_programs
    from ._prompts import (
        PROMPT_VERSION,
        Prompts,
        list_columns,
        write_messages,
        write_question,
    )
    from ._schema_change import N_PER_NEW_CLASS
    from ._selection import (
        N_TRIED,
        classes_without_votes,
        describe_votes,
        drop_deleted,
        find_idle,
        select_programs,
    )
    from ._shown_records import describe_values
    from ._synthesis_config import SynthesisConfig, knowledge_kinds, make_config
    from ._synthesis_result import Exchange, Synthesis, add_usage
    from ._synthesize import open_ledger, synthesize
    from ._task_spec import TaskSpec, describe_task
    from ._trial import Rejection, longest_text, try_programs
    from ._tuning import tune_programs
    from ._warning_texts import (
        dropped_message,
        failed_message,
        missing_classes_message,
        never_crossed,
        nothing_usable_message,
        rejected_message,
        silent_message,
        slow_message,
        unread_message,
    )

__all__ = [
    "N_PER_NEW_CLASS",
    "N_TRIED",
    "PROMPT_VERSION",
    "CostEstimate",
    "Exchange",
    "PlannedProgram",
    "ProgramSynthesisLabeler",
    "Prompts",
    "Rejection",
    "Synthesis",
    "SynthesisConfig",
    "TaskSpec",
    "add_usage",
    "classes_never_answered",
    "classes_without_votes",
    "describe_task",
    "describe_values",
    "describe_votes",
    "drop_deleted",
    "dropped_message",
    "estimate_cost",
    "estimate_questions",
    "extract_source",
    "failed_message",
    "find_idle",
    "knowledge_kinds",
    "knowledge_questions",
    "list_columns",
    "longest_text",
    "make_config",
    "missing_classes_message",
    "never_crossed",
    "nothing_usable_message",
    "open_ledger",
    "plan",
    "plan_programs",
    "read_documents",
    "rejected_message",
    "select_programs",
    "silent_message",
    "slow_message",
    "synthesize",
    "try_programs",
    "tune_programs",
    "unread_message",
    "write_messages",
    "write_question",
]

# Needed to fit, and not to use what was fitted.
__getattr__ = lazy_exports(
    __name__,
    {
        "TaskSpec": "_task_spec",
        "CostEstimate": "_cost_estimate",
        "Exchange": "_synthesis_result",
        "PROMPT_VERSION": "_prompts",
        "ProgramSynthesisLabeler": "_labeler",
        "Prompts": "_prompts",
        "SynthesisConfig": "_synthesis_config",
        "Rejection": "_trial",
        "PlannedProgram": "_plan",
        "Synthesis": "_synthesis_result",
        "N_PER_NEW_CLASS": "_schema_change",
        "N_TRIED": "_selection",
        "add_usage": "_synthesis_result",
        "select_programs": "_selection",
        "classes_never_answered": "_earlier_programs",
        "describe_votes": "_selection",
        "describe_values": "_shown_records",
        "estimate_cost": "_cost_estimate",
        "estimate_questions": "_cost_estimate",
        "extract_source": "_code_from_answer",
        "find_idle": "_selection",
        "knowledge_questions": "_knowledge",
        "drop_deleted": "_selection",
        "list_columns": "_prompts",
        "longest_text": "_trial",
        "never_crossed": "_warning_texts",
        "open_ledger": "_synthesize",
        "plan": "_plan",
        "plan_programs": "_plan",
        "read_documents": "_knowledge",
        "dropped_message": "_warning_texts",
        "failed_message": "_warning_texts",
        "slow_message": "_warning_texts",
        "unread_message": "_warning_texts",
        "nothing_usable_message": "_warning_texts",
        "rejected_message": "_warning_texts",
        "silent_message": "_warning_texts",
        "missing_classes_message": "_warning_texts",
        "knowledge_kinds": "_synthesis_config",
        "synthesize": "_synthesize",
        "try_programs": "_trial",
        "tune_programs": "_tuning",
        "classes_without_votes": "_selection",
        "describe_task": "_task_spec",
        "write_messages": "_prompts",
        "write_question": "_prompts",
        "make_config": "_synthesis_config",
    },
)
