"""Read what comes in: classes and labels, records and their columns."""

from ._class_mapping import ClassMapping
from ._classes import Classes, check_question, minus_one_is_open
from ._column_profiles import ColumnProfile, profile_columns
from ._columns import Column
from ._containers import as_indexable, frame_like, is_dask, refuse_repeated
from ._labels import UNLABELED, is_missing, label_array, read_labels
from ._parameter_names import parameter_names
from ._proba_classifier import ProbaClassifierMixin
from ._records import Records, check_records, read_columns
from ._sampling import draw_by_hash, draw_rows
from ._values import kind_of_values, plain_values

__all__ = [
    "UNLABELED",
    "ClassMapping",
    "Classes",
    "Column",
    "ColumnProfile",
    "ProbaClassifierMixin",
    "Records",
    "as_indexable",
    "check_question",
    "check_records",
    "draw_by_hash",
    "draw_rows",
    "frame_like",
    "is_dask",
    "is_missing",
    "kind_of_values",
    "label_array",
    "minus_one_is_open",
    "parameter_names",
    "plain_values",
    "profile_columns",
    "read_columns",
    "read_labels",
    "refuse_repeated",
]
