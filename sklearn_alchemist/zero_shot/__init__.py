"""Ask for the class of each record: what to ask, and how to read the answers."""

from ._annotator import ZeroShotAnnotator
from ._answers import read_labels
from ._asking import Reading, ask_for_labels, find_labels, share_calls, write_questions
from ._prompts import answer_schema, write_messages

__all__ = [
    "Reading",
    "ZeroShotAnnotator",
    "answer_schema",
    "ask_for_labels",
    "find_labels",
    "read_labels",
    "share_calls",
    "write_messages",
    "write_questions",
]
