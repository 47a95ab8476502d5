"""Check labeling programs and run them in processes of their own."""

from typing import TYPE_CHECKING

from .._utils import lazy_exports
from ._program import LabelingProgram, Provenance, check_program

if TYPE_CHECKING:
    from ._answer_codes import spelled_names
    from ._answer_kinds import hides_its_answers, read_answers, take_numbers
    from ._folder import (
        broken_programs,
        deleted_programs,
        folder_changes,
        read_programs,
        write_programs,
    )
    from ._folder_contents import FolderChange
    from ._load_programs import load_programs
    from ._manifest import source_digest
    from ._pool import close_workers
    from ._run_programs import RunResult, prove_sandbox, run_programs
    from ._trace import Span, Trace, trace_programs

__all__ = [
    "FolderChange",
    "LabelingProgram",
    "Provenance",
    "RunResult",
    "Span",
    "Trace",
    "broken_programs",
    "check_program",
    "close_workers",
    "deleted_programs",
    "folder_changes",
    "hides_its_answers",
    "load_programs",
    "prove_sandbox",
    "read_answers",
    "read_programs",
    "run_programs",
    "source_digest",
    "spelled_names",
    "take_numbers",
    "trace_programs",
    "write_programs",
]

# Needed to run programs, and not to hold them.
__getattr__ = lazy_exports(
    __name__,
    {
        "RunResult": "_run_programs",
        "Span": "_trace",
        "Trace": "_trace",
        "close_workers": "_pool",
        "FolderChange": "_folder_contents",
        "broken_programs": "_folder",
        "deleted_programs": "_folder",
        "folder_changes": "_folder",
        "hides_its_answers": "_answer_kinds",
        "load_programs": "_load_programs",
        "prove_sandbox": "_run_programs",
        "read_answers": "_answer_kinds",
        "read_programs": "_folder",
        "run_programs": "_run_programs",
        "source_digest": "_manifest",
        "spelled_names": "_answer_codes",
        "take_numbers": "_answer_kinds",
        "trace_programs": "_trace",
        "write_programs": "_folder",
    },
)
