"""Label more than memory holds: batches, and files of any size."""

from .._utils import lazy_exports
from ._dask import collapse_partitions, lazy_for_dask
from ._draw_partitions import Drawn, draw_from_partitions

__all__ = [
    "Drawn",
    "LabeledFiles",
    "LabelingEstimate",
    "collapse_partitions",
    "draw_from_partitions",
    "label_files",
    "lazy_for_dask",
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
