"""Encode votes, collapse them into patterns, and count how programs vote."""

from ._encoding import ABSTAIN, encode_answers, vote_dtype
from ._patterns import collapse
from ._statistics import agreement, conflicts, coverage, overlaps, polarity
from ._tables import from_long, lf_summary, to_long

__all__ = [
    "ABSTAIN",
    "agreement",
    "collapse",
    "conflicts",
    "coverage",
    "encode_answers",
    "from_long",
    "lf_summary",
    "overlaps",
    "polarity",
    "to_long",
    "vote_dtype",
]
