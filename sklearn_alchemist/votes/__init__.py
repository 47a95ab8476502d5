"""Encode votes, collapse them into patterns, and count how programs vote."""

from ._collapse import collapse, rank_rows
from ._encoding import ABSTAIN, encode_answers, vote_dtype
from ._exchange import from_snorkel, read_votes, to_snorkel, write_votes
from ._label_studio import from_label_studio, label_studio_config, to_label_studio
from ._statistics import (
    agreement,
    conflicts,
    contradicted,
    coverage,
    overlaps,
    polarity,
)
from ._tables import from_long, lf_summary, to_long

__all__ = [
    "ABSTAIN",
    "agreement",
    "collapse",
    "conflicts",
    "contradicted",
    "coverage",
    "encode_answers",
    "from_label_studio",
    "from_long",
    "from_snorkel",
    "label_studio_config",
    "lf_summary",
    "overlaps",
    "polarity",
    "rank_rows",
    "read_votes",
    "to_label_studio",
    "to_long",
    "to_snorkel",
    "vote_dtype",
    "write_votes",
]
