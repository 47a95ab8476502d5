"""Keep what a language model said of single records, without the records.

A file of answers holds, for each record, the first digits of the SHA-256 of its text,
the part of the data it was drawn from, and the class that was answered (null where none
was).
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Answers:
    """What a model answered about records of one data set.

    ``label`` gives the answer for a digest, ``part`` where the record was drawn from,
    and ``n_rows`` how many records each part had to draw from.
    """

    label: dict[str, str | None]
    part: dict[str, str]
    n_rows: dict[str, int]
    answered_by: str

    def rows(self, texts, *parts):
        """Positions of the texts that were asked about in these parts."""
        return np.flatnonzero([self.part.get(digest(text)) in parts for text in texts])

    def of(self, texts):
        """Look up the answers to texts."""
        return [self.label[digest(text)] for text in texts]


def digest(text):
    """Name a text without saying it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_answers(path, answers, **about):
    """Write answers; `about` says who answered, when, and how they were asked."""
    rows = [
        {"text": name, "part": answers.part[name], "label": label}
        for name, label in answers.label.items()
    ]
    written = [json.dumps(row) for row in rows]
    head = {"answered_by": answers.answered_by, "n_rows": answers.n_rows, **about}
    Path(path).write_text("\n".join([json.dumps(head), *written]) + "\n")


def read_answers(path):
    """Read a file of answers."""
    head, *rows = (json.loads(line) for line in Path(path).read_text().splitlines())
    return Answers(
        {row["text"]: row["label"] for row in rows},
        {row["text"]: row["part"] for row in rows},
        head["n_rows"],
        head["answered_by"],
    )
