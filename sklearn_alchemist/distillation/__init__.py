"""Train a student on soft labels, and combine what it says with votes."""

from ._blend import (
    VOTE_WEIGHT,
    Blend,
    blend_held_out,
    fidelity,
    fit_blend,
    knows_little,
    usual_temperature,
    usual_vote_weight,
)
from ._distil import (
    Distilled,
    Lesson,
    choose_rows,
    distil,
    probabilities,
    sample_rows,
)
from ._encoder import SentenceEncoder, encoder_student
from ._evidence import Scaling, combine, deal_folds, fit_scaling, log_proba, softmax
from ._promise import Promise, find_promise, plain_sample, upper_bound
from ._regression import fit_logistic, takes_probabilities
from ._review import (
    BELOW_PROMISE,
    GOLD,
    draw_queue,
    inclusion_probabilities,
    say_doubts,
    tell_source,
    to_frame,
)
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
    takes,
    text_student,
    unspaced_share,
)

__all__ = [
    "BELOW_PROMISE",
    "GOLD",
    "VOTE_WEIGHT",
    "Blend",
    "Distilled",
    "Lesson",
    "Promise",
    "Scaling",
    "SentenceEncoder",
    "Shared",
    "balance",
    "blend_held_out",
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
    "fidelity",
    "find_promise",
    "fit_blend",
    "fit_logistic",
    "fit_on_soft_labels",
    "fit_parameter",
    "fit_scaling",
    "inclusion_probabilities",
    "knows_little",
    "log_proba",
    "plain_sample",
    "probabilities",
    "sample_rows",
    "say_doubts",
    "share_features",
    "softmax",
    "table_student",
    "takes",
    "takes_probabilities",
    "tell_source",
    "text_student",
    "to_frame",
    "unspaced_share",
    "upper_bound",
    "usual_temperature",
    "usual_vote_weight",
    "weight_parameter",
]
