"""Estimate from votes alone how programs answer and which classes samples have."""

from ._answers import (
    answers_of_votes,
    check_class_indices,
    check_confusion_size,
    class_of_answers,
    classes_of_votes,
    warn_if_ambiguous,
)
from ._em import Parameters, e_step, em_steps, log_evidence, log_prior, m_step
from ._priors import Priors, make_priors
from ._table import PatternTable
from ._voting import majority_posterior, vote_share_prior

__all__ = [
    "Parameters",
    "PatternTable",
    "Priors",
    "answers_of_votes",
    "check_class_indices",
    "check_confusion_size",
    "class_of_answers",
    "classes_of_votes",
    "e_step",
    "em_steps",
    "log_evidence",
    "log_prior",
    "m_step",
    "majority_posterior",
    "make_priors",
    "vote_share_prior",
    "warn_if_ambiguous",
]
