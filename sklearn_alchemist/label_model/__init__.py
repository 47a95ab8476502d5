"""Estimate from votes alone how programs answer and which classes samples have."""

from ._answers import (
    answers_of_votes,
    check_class_indices,
    check_confusion_size,
    class_of_answers,
    classes_of_votes,
    warn_if_ambiguous,
)
from ._calibration import fit_temperature
from ._dependencies import (
    PairStatistics,
    check_groups,
    find_groups,
    fit_rank_one,
    pair_statistics,
)
from ._em import (
    Expected,
    Parameters,
    em_steps,
    expect,
    expect_from_votes,
    extrapolate,
    log_evidence,
    log_prior,
    maximise,
    posterior,
)
from ._fallback import doubts
from ._fitting import (
    Fit,
    Patterns,
    Settings,
    count_votes,
    fit_patterns,
    unexplained,
)
from ._guard import accuracies_of, drift, misfit, program_confusion
from ._priors import Priors, make_priors, one_coin_shares
from ._sampling import draw_patterns
from ._stepwise import Stepwise, start_stepping
from ._table import PatternTable, count_rows, join_answers
from ._voting import majority_posterior, vote_share_prior
from ._weighted_vote import peer_accuracies, weighted_posterior

__all__ = [
    "Expected",
    "Fit",
    "PairStatistics",
    "Parameters",
    "PatternTable",
    "Patterns",
    "Priors",
    "Settings",
    "Stepwise",
    "accuracies_of",
    "answers_of_votes",
    "check_class_indices",
    "check_confusion_size",
    "check_groups",
    "class_of_answers",
    "classes_of_votes",
    "count_rows",
    "count_votes",
    "doubts",
    "draw_patterns",
    "drift",
    "em_steps",
    "expect",
    "expect_from_votes",
    "extrapolate",
    "find_groups",
    "fit_patterns",
    "fit_rank_one",
    "fit_temperature",
    "join_answers",
    "log_evidence",
    "log_prior",
    "majority_posterior",
    "make_priors",
    "maximise",
    "misfit",
    "one_coin_shares",
    "pair_statistics",
    "peer_accuracies",
    "posterior",
    "program_confusion",
    "start_stepping",
    "unexplained",
    "vote_share_prior",
    "warn_if_ambiguous",
    "weighted_posterior",
]
