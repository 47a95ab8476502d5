"""Train a student on soft labels."""

from ._soft_labels import expand, fit_on_soft_labels
from ._students import table_student, text_student

__all__ = ["expand", "fit_on_soft_labels", "table_student", "text_student"]
