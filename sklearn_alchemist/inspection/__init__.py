"""Look at what programs do, and at what they cost."""

from ._costs import CostComparison, compare_costs
from ._summary import ProgramSummary, program_summary

__all__ = ["CostComparison", "ProgramSummary", "compare_costs", "program_summary"]
