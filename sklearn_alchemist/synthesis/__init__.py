"""Turn a task into labeling programs: plan, prompts, parsing and the gate."""

from ._gate import Rejection, try_programs
from ._losses import say_nothing_usable, say_rejected, say_silent
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
    "say_nothing_usable",
    "say_rejected",
    "say_silent",
    "try_programs",
    "write_messages",
]
