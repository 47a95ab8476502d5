"""What every stage needs and none owns: files, warnings, types, embedding once."""

from typing import TYPE_CHECKING

from ._files import as_path, check_file, read_text, write_text
from ._modules import lazy_exports, read_prompts, warn
from ._optional import require

if TYPE_CHECKING:
    from ._embedding import (
        EmbeddingMemory,
        clone_sharing,
        current_memory,
        made_once,
        remembering,
    )
    from ._estimators import DocLinks, LabelsLike, Method, _fit_context, reporting
    from ._sqlite import Database, has_table

__all__ = [
    "Database",
    "DocLinks",
    "EmbeddingMemory",
    "LabelsLike",
    "Method",
    "_fit_context",
    "as_path",
    "check_file",
    "clone_sharing",
    "current_memory",
    "has_table",
    "lazy_exports",
    "made_once",
    "read_prompts",
    "read_text",
    "remembering",
    "reporting",
    "require",
    "warn",
    "write_text",
]

# These load scikit-learn or SQLite, which processes that run programs do without.
__getattr__ = lazy_exports(
    __name__,
    {
        **dict.fromkeys(["DocLinks", "LabelsLike", "Method"], "_estimators"),
        **dict.fromkeys(["_fit_context", "reporting"], "_estimators"),
        **dict.fromkeys(["Database", "has_table"], "_sqlite"),
        **dict.fromkeys(["EmbeddingMemory", "clone_sharing"], "_embedding"),
        **dict.fromkeys(["current_memory", "made_once", "remembering"], "_embedding"),
    },
)
