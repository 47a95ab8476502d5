"""What the benchmarks of explanations and of drift count, on texts that are made up."""

import pathlib

import numpy as np
import pytest

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)

ROOT = pathlib.Path(__file__).parents[2]
WORDS = ["song", "free", "http", "love", "cash", "nice", "video", "you"]
SOURCES = {
    "link": "'spam' if 'http' in text else None",
    "money": "'spam' if any(w in text.split() for w in ('free', 'cash')) else None",
    "song": "'ham' if 'song' in text.upper().lower() else None",
}
PROGRAMS = [
    LabelingProgram(name, f"def label(text): return {answer}")
    for name, answer in SOURCES.items()
]
CLASSES = ["ham", "spam"]


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def texts(n, seed, words=WORDS):
    rng = np.random.RandomState(seed)
    return [" ".join(rng.choice(words, 5)) for _ in range(n)]


def test_watched_runs_and_explanations_are_true():
    import explain

    counts = explain.check_traces(PROGRAMS, CLASSES, texts(60, 0))
    assert counts["votes"] > 60
    wrong = ("other votes", "misplaced marks", "votes without marks")
    assert [counts[key] for key in wrong] == [0, 0, 0]
    assert explain.check_explanations(PROGRAMS, CLASSES, texts(60, 0), 3) == 0


def test_alarms_are_counted_of_same_and_other_texts():
    import drift

    labeler = ProgramSynthesisLabeler(classes=CLASSES, programs=PROGRAMS)
    annotator = DistilledAnnotator(labeler).fit(texts(400, 0))
    others = texts(200, 2, words=["zebra", "stripes", "lion", "grass"])
    batches = {"n_batches": 3, "n_rows": 200}
    same = texts(400, 1)
    assert drift.count_alarms(annotator, same, others, **batches) == 0
    assert drift.count_alarms(annotator, same, others, share=0.2, **batches) == 3
