"""Train a student on soft labels, and combine what it says with votes."""

from ._annotation import Opinions, annotate_records, promise_by_labels
from ._annotator import DistilledAnnotator
from ._annotator_fit import AnnotatorFitMixin
from ._annotator_predict import AnnotatorPredictMixin
from ._blend import (
    LABEL_FOLDS,
    VOTE_WEIGHT,
    Blend,
    agree_beyond_chance,
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
from ._memory import TrainingMemory, weight_of_heard
from ._promise import (
    LEAST_LABELS,
    Promise,
    find_promise,
    plain_sample,
    upper_bound,
)
from ._regression import fit_logistic, takes_probabilities
from ._review import (
    BELOW_PROMISE,
    GOLD,
    NO_VOTES,
    UNSURE,
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
from ._weighing import Weighing, ask_votes_unseen, weigh_parts

__all__ = [
    "BELOW_PROMISE",
    "GOLD",
    "LABEL_FOLDS",
    "LEAST_LABELS",
    "NO_VOTES",
    "UNSURE",
    "VOTE_WEIGHT",
    "AnnotatorFitMixin",
    "AnnotatorPredictMixin",
    "Blend",
    "Distilled",
    "DistilledAnnotator",
    "Lesson",
    "Opinions",
    "Promise",
    "Scaling",
    "SentenceEncoder",
    "Shared",
    "TrainingMemory",
    "Weighing",
    "agree_beyond_chance",
    "annotate_records",
    "ask_votes_unseen",
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
    "promise_by_labels",
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
    "weigh_parts",
    "weight_of_heard",
    "weight_parameter",
]
