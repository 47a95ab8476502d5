"""Label more than memory holds: batches, and files of any size."""

from .._lazy import lazy_exports

__all__ = [
    "LabeledFiles",
    "LabelingEstimate",
    "label_files",
]

# Reading files needs pyarrow, which is loaded when files are read.
__getattr__ = lazy_exports(
    __name__,
    {
        "LabeledFiles": "_label_files",
        "LabelingEstimate": "_label_files",
        "label_files": "_label_files",
    },
)
