"""Look at what programs do, and at what they cost."""

from ._costs import CostComparison, compare_costs
from ._explain import explain
from ._explanation import Explanation, Match, ProgramExplanation
from ._student_words import StudentWord
from ._summary import ProgramSummary, program_summary

__all__ = [
    "CostComparison",
    "Explanation",
    "Match",
    "ProgramExplanation",
    "ProgramSummary",
    "StudentWord",
    "compare_costs",
    "explain",
    "program_summary",
]
