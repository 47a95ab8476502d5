"""Check labeling programs and run them in processes of their own."""

from ._folder import read_programs, write_programs
from ._pool import close_workers
from ._program import LabelingProgram, Provenance, check_program
from ._runner import RunResult, run_programs

__all__ = [
    "LabelingProgram",
    "Provenance",
    "RunResult",
    "check_program",
    "close_workers",
    "read_programs",
    "run_programs",
    "write_programs",
]
