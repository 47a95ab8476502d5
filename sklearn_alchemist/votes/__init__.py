"""Encode votes, collapse them into patterns, and count how programs vote."""

from ._encoding import ABSTAIN, encode_answers, vote_dtype
from ._patterns import collapse
from ._statistics import agreement, conflicts, coverage, overlaps, polarity

__all__ = [
    "ABSTAIN",
    "agreement",
    "collapse",
    "conflicts",
    "coverage",
    "encode_answers",
    "overlaps",
    "polarity",
    "vote_dtype",
]
