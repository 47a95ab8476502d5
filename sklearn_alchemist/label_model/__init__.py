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
from ._diagnostics import accuracies_of, drift, misfit, program_confusion
from ._em import em_steps, extrapolate
from ._expectation import expect, expect_from_votes, posterior
from ._fallback import doubts
from ._fitting import Fit, Settings, fit_patterns, unexplained
from ._hidden_votes import group_evidence, split_group
from ._label_proba import check_label_proba, label_weights
from ._maximisation import log_prior, maximise
from ._ordering import canonical_order, hash_patterns
from ._parameters import (
    Expected,
    Parameters,
    coverage_and_shares,
    log_evidence,
    log_or_zero,
)
from ._patterns import Patterns
from ._priors import Priors, check_class_prior, make_priors, one_coin_shares
from ._rows import Rows, read_rows
from ._sampling import draw_patterns
from ._stepwise import Stepwise, start_stepping
from ._table import PatternTable, count_rows, join_answers
from ._voting import count_votes, majority_posterior, vote_share_prior
from ._voting_rule import VotingRule, describe_programs, fit_voting_rule
from ._weighted_vote import peer_accuracies, weighted_posterior

__all__ = [
    "Expected",
    "Fit",
    "PairStatistics",
    "Parameters",
    "PatternTable",
    "Patterns",
    "Priors",
    "Rows",
    "Settings",
    "Stepwise",
    "VotingRule",
    "accuracies_of",
    "answers_of_votes",
    "canonical_order",
    "check_class_indices",
    "check_class_prior",
    "check_confusion_size",
    "check_groups",
    "check_label_proba",
    "class_of_answers",
    "classes_of_votes",
    "count_rows",
    "count_votes",
    "coverage_and_shares",
    "describe_programs",
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
    "fit_voting_rule",
    "group_evidence",
    "hash_patterns",
    "join_answers",
    "label_weights",
    "log_evidence",
    "log_or_zero",
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
    "read_rows",
    "split_group",
    "start_stepping",
    "unexplained",
    "vote_share_prior",
    "warn_if_ambiguous",
    "weighted_posterior",
]
