"""Look at what programs do, and at what they cost."""

from ._corrections import Corrections, read_corrections
from ._costs import CostComparison, compare_costs
from ._displays import ConfidenceCalibrationDisplay, CostDisplay
from ._explain import explain
from ._explanation import Explanation, Match, ProgramExplanation
from ._report import AnnotationReport
from ._student_words import StudentWord
from ._summary import ProgramSummary, program_summary
from ._vote_displays import (
    ProgramAgreementDisplay,
    ProgramConfusionDisplay,
    VotesByClassDisplay,
)

__all__ = [
    "AnnotationReport",
    "ConfidenceCalibrationDisplay",
    "Corrections",
    "CostComparison",
    "CostDisplay",
    "Explanation",
    "Match",
    "ProgramAgreementDisplay",
    "ProgramConfusionDisplay",
    "ProgramExplanation",
    "ProgramSummary",
    "StudentWord",
    "VotesByClassDisplay",
    "compare_costs",
    "explain",
    "program_summary",
    "read_corrections",
]
