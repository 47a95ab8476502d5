"""Decide which records a second reader is asked about, and what its answers count."""

from ._annotate import COLUMNS, NOT_ASKED, NOT_STORED, Chosen, annotate_read
from ._annotator import CascadeAnnotator
from ._cost_frontier import SHARES, frontier_of, trace_frontier
from ._duplicates import first_occurrences, record_key, spread_answers
from ._error_target import Target, bound_target, estimate_target, find_target
from ._llm_reader import ANSWER_TOKENS, LLMReader, read_nothing
from ._reader_accuracy import NO_ANSWER, USUAL_ACCURACY, Reader, fit_reader
from ._records_to_ask import SMALLEST, Limits, View, affordable, threshold_within
from ._training_sample import (
    draw_records,
    draw_training,
    drawn_answers,
    permanent_numbers,
)

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
    "LLMReader",
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
    "first_occurrences",
    "fit_reader",
    "frontier_of",
    "permanent_numbers",
    "read_nothing",
    "record_key",
    "spread_answers",
    "threshold_within",
    "trace_frontier",
]
