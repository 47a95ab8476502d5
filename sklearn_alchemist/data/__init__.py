"""Read what comes in: classes and labels, records and their columns."""

from ._classes import Classes, minus_one_is_open
from ._labels import UNLABELED, is_missing, label_array, read_labels

__all__ = [
    "UNLABELED",
    "Classes",
    "is_missing",
    "label_array",
    "minus_one_is_open",
    "read_labels",
]
