"""Decide which records a second reader is asked about, and what its answers count."""

from ._annotation import COLUMNS, NOT_ASKED, NOT_STORED, Chosen, annotate_read
from ._annotator import CascadeAnnotator
from ._draw import draw_records, draw_training, drawn_answers, permanent_numbers
from ._equal import first_of, key_of, spread_answers
from ._frontier import SHARES, frontier_of, trace_frontier
from ._llm_reader import ANSWER_TOKENS, JudgeModel, read_nothing
from ._reader_accuracy import NO_ANSWER, USUAL_ACCURACY, Reader, fit_reader
from ._target import Target, bound_target, estimate_target, find_target
from ._worth import SMALLEST, Limits, View, affordable, threshold_within

__all__ = [
    "ANSWER_TOKENS",
    "COLUMNS",
    "NOT_ASKED",
    "NOT_STORED",
    "NO_ANSWER",
    "SHARES",
    "SMALLEST",
    "USUAL_ACCURACY",
    "CascadeAnnotator",
    "Chosen",
    "JudgeModel",
    "Limits",
    "Reader",
    "Target",
    "View",
    "affordable",
    "annotate_read",
    "bound_target",
    "draw_records",
    "draw_training",
    "drawn_answers",
    "estimate_target",
    "find_target",
    "first_of",
    "fit_reader",
    "frontier_of",
    "key_of",
    "permanent_numbers",
    "read_nothing",
    "spread_answers",
    "threshold_within",
    "trace_frontier",
]
