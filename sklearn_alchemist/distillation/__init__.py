"""Train a student on soft labels, and combine what it says with votes."""

from ._distil import Distilled, Lesson, choose_rows, distil, probabilities
from ._encoder import SentenceEncoder, encoder_student
from ._evidence import Scaling, combine, deal_folds, fit_scaling, log_proba, softmax
from ._regression import fit_logistic, takes_probabilities
from ._review import draw_queue, inclusion_probabilities, say_doubts, to_frame
from ._shared import Shared, share_features
from ._soft_labels import (
    balance,
    check_class_weight,
    expand,
    fit_on_soft_labels,
    fit_parameter,
    weight_parameter,
)
from ._students import (
    check_student,
    default_student,
    table_student,
    text_student,
    unspaced_share,
)

__all__ = [
    "Distilled",
    "Lesson",
    "Scaling",
    "SentenceEncoder",
    "Shared",
    "balance",
    "check_class_weight",
    "check_student",
    "choose_rows",
    "combine",
    "deal_folds",
    "default_student",
    "distil",
    "draw_queue",
    "encoder_student",
    "expand",
    "fit_logistic",
    "fit_on_soft_labels",
    "fit_parameter",
    "fit_scaling",
    "inclusion_probabilities",
    "log_proba",
    "probabilities",
    "say_doubts",
    "share_features",
    "softmax",
    "table_student",
    "takes_probabilities",
    "text_student",
    "to_frame",
    "unspaced_share",
    "weight_parameter",
]
