"""Look at what programs do, and at what they cost."""

from ._corrections import Corrections, read_corrections
from ._costs import CostComparison, compare_costs
from ._explain import explain
from ._explanation import Explanation, Match, ProgramExplanation
from ._report import AnnotationReport
from ._student_words import StudentWord
from ._summary import ProgramSummary, program_summary

__all__ = [
    "AnnotationReport",
    "Corrections",
    "CostComparison",
    "Explanation",
    "Match",
    "ProgramExplanation",
    "ProgramSummary",
    "StudentWord",
    "compare_costs",
    "explain",
    "program_summary",
    "read_corrections",
]
