"""Look at what programs do."""

from ._summary import ProgramSummary, program_summary

__all__ = ["ProgramSummary", "program_summary"]
