"""Train a student on soft labels, and combine what it says with votes."""

from ._annotate import Opinions, annotate_records, error_bound_by_labels
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
    SoftTargets,
    choose_rows,
    distil,
    probabilities,
    sample_rows,
)
from ._error_bound import (
    LEAST_LABELS,
    ErrorBound,
    find_error_bound,
    plain_sample,
    upper_bound,
)
from ._held_out_weights import Weighing, ask_votes_unseen, weigh_parts
from ._logistic_regression import fit_logistic, takes_probabilities
from ._review_queue import (
    BELOW_PROMISE,
    GOLD,
    NO_VOTES,
    UNSURE,
    doubt_reasons,
    draw_queue,
    inclusion_probabilities,
    label_sources,
    to_frame,
)
from ._scaling import (
    Scaling,
    combine,
    fit_scaling,
    log_proba,
    softmax,
    stratified_folds,
)
from ._sentence_encoder import SentenceEncoder, encoder_student
from ._shared_features import SharedFeatures, share_features
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
from ._training_state import TrainingState, voted_weight

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
    "ErrorBound",
    "Opinions",
    "Scaling",
    "SentenceEncoder",
    "SharedFeatures",
    "SoftTargets",
    "TrainingState",
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
    "default_student",
    "distil",
    "doubt_reasons",
    "draw_queue",
    "encoder_student",
    "error_bound_by_labels",
    "expand",
    "fidelity",
    "find_error_bound",
    "fit_blend",
    "fit_logistic",
    "fit_on_soft_labels",
    "fit_parameter",
    "fit_scaling",
    "inclusion_probabilities",
    "knows_little",
    "label_sources",
    "log_proba",
    "plain_sample",
    "probabilities",
    "sample_rows",
    "share_features",
    "softmax",
    "stratified_folds",
    "table_student",
    "takes",
    "takes_probabilities",
    "text_student",
    "to_frame",
    "unspaced_share",
    "upper_bound",
    "usual_temperature",
    "usual_vote_weight",
    "voted_weight",
    "weigh_parts",
    "weight_parameter",
]
