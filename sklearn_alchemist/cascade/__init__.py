"""Decide which records a second reader is asked about, and what its answers count."""

from ._draw import draw_records, permanent_numbers
from ._equal import first_of, key_of, spread_answers
from ._frontier import SHARES, trace_frontier
from ._model import ANSWER_TOKENS, JudgeModel, read_nothing
from ._reader import NO_ANSWER, USUAL_ACCURACY, Reader, fit_reader
from ._target import Target, bound_target, estimate_target
from ._worth import SMALLEST, affordable, threshold_within

__all__ = [
    "ANSWER_TOKENS",
    "NO_ANSWER",
    "SHARES",
    "SMALLEST",
    "USUAL_ACCURACY",
    "JudgeModel",
    "Reader",
    "Target",
    "affordable",
    "bound_target",
    "draw_records",
    "estimate_target",
    "first_of",
    "fit_reader",
    "key_of",
    "permanent_numbers",
    "read_nothing",
    "spread_answers",
    "threshold_within",
    "trace_frontier",
]
