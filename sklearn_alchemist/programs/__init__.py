"""Check labeling programs and run them in processes of their own."""

from typing import TYPE_CHECKING

from .._utils import lazy_exports
from ._program import LabelingProgram, Provenance, check_program

if TYPE_CHECKING:
    from ._answers import hides_its_answers, read_answers, take_numbers
    from ._folder import (
        broken_programs,
        deleted_programs,
        folder_changes,
        read_programs,
        write_programs,
    )
    from ._folder_contents import FolderChange
    from ._given import load_programs
    from ._manifest import source_digest
    from ._pool import close_workers
    from ._runner import RunResult, prove_sandbox, run_programs
    from ._schema import spelled_names
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
        "RunResult": "_runner",
        "Span": "_trace",
        "Trace": "_trace",
        "close_workers": "_pool",
        "FolderChange": "_folder_contents",
        "broken_programs": "_folder",
        "deleted_programs": "_folder",
        "folder_changes": "_folder",
        "hides_its_answers": "_answers",
        "load_programs": "_given",
        "prove_sandbox": "_runner",
        "read_answers": "_answers",
        "read_programs": "_folder",
        "run_programs": "_runner",
        "source_digest": "_manifest",
        "spelled_names": "_schema",
        "take_numbers": "_answers",
        "trace_programs": "_trace",
        "write_programs": "_folder",
    },
)
