"""Estimate from votes alone how far programs are to be believed, and classes."""

from . import _old_pickles as _old_pickles  # what earlier pickles look for
from ._aggregator import LabelModelAggregator
from ._aggregator_fit import ITERATED, MAX_PATTERNS, AggregatorFitMixin, can_keep
from ._calibration import fit_temperature
from ._dependencies import (
    PairStatistics,
    check_groups,
    find_all_groups,
    find_groups,
    fit_rank_one,
    pair_statistics,
)
from ._difficulty import (
    N_LEVELS,
    SharedErrors,
    find_levels,
    find_shared_errors,
    first_levels,
    level_cuts,
    read_difficulty,
)
from ._em import Fit, Settings, Stepwise, fit_votes
from ._fallback import fallback_reason, sparse_confusion_reason
from ._intervals import VoteBounds
from ._label_proba import check_label_proba, label_weights
from ._model import VoteModel, by_chunk, normalise, votes_level
from ._patterns import Patterns, chunks, sparse_votes, take_rows, vote_matrix
from ._program_accuracy import accuracies_of, program_confusion
from ._ties import find_ties, leave_ties_open
from ._training_rows import Rows, read_in_chunks, read_rows
from ._vote_classes import (
    answers_of_votes,
    check_class_indices,
    check_class_prior,
    check_confusion_size,
    class_of_answers,
    classes_of_votes,
    warn_if_ambiguous,
)
from ._voting import (
    MajorityVote,
    count_levels,
    count_votes,
    fit_voting_rule,
    peer_accuracies,
    silent_prior,
    vote_share_prior,
)

__all__ = [
    "ITERATED",
    "MAX_PATTERNS",
    "N_LEVELS",
    "AggregatorFitMixin",
    "Fit",
    "LabelModelAggregator",
    "MajorityVote",
    "PairStatistics",
    "Patterns",
    "Rows",
    "Settings",
    "SharedErrors",
    "Stepwise",
    "VoteBounds",
    "VoteModel",
    "accuracies_of",
    "answers_of_votes",
    "by_chunk",
    "can_keep",
    "check_class_indices",
    "check_class_prior",
    "check_confusion_size",
    "check_groups",
    "check_label_proba",
    "chunks",
    "class_of_answers",
    "classes_of_votes",
    "count_levels",
    "count_votes",
    "fallback_reason",
    "find_all_groups",
    "find_groups",
    "find_levels",
    "find_shared_errors",
    "find_ties",
    "first_levels",
    "fit_rank_one",
    "fit_temperature",
    "fit_votes",
    "fit_voting_rule",
    "label_weights",
    "leave_ties_open",
    "level_cuts",
    "normalise",
    "pair_statistics",
    "peer_accuracies",
    "program_confusion",
    "read_difficulty",
    "read_in_chunks",
    "read_rows",
    "silent_prior",
    "sparse_confusion_reason",
    "sparse_votes",
    "take_rows",
    "vote_matrix",
    "vote_share_prior",
    "votes_level",
    "warn_if_ambiguous",
]
