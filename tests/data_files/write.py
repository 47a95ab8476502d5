"""Fit each estimator on sentences made up here, and keep it as a version writes it."""

import json
import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree

import joblib
import numpy as np
import skops.io

from sklearn_alchemist import (
    LLM,
    CascadeAnnotator,
    ConceptScorer,
    DistilledAnnotator,
    ImageEmbedder,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
    __version__,
)

ADVERTS = ["http://win.com", "subscribe to my channel", "free phones at http://a.b"]
COMMENTS = ["what a song", "this voice is beautiful", "the song of my summer"]
TEXTS = [f"{text} {i % 5}" for i in range(10) for text in (*ADVERTS, *COMMENTS)]
NEW = ["http://free.org", "a beautiful song", "subscribe", "nothing of that"]
PROGRAMS = {
    "link": "def label(text):\n    return 'spam' if 'http' in text else None\n",
    "praise": "def label(text):\n    return 'ham' if 'beautiful' in text else None\n",
    "topic": "def label(text):\n    return 'ham' if 'song' in text else 'spam'\n",
}


def estimators():
    """Make one of each, fitted without asking a model."""
    programs = [LabelingProgram(name, source) for name, source in PROGRAMS.items()]
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs)
    labeler.fit(TEXTS)
    aggregator = LabelModelAggregator(classes=["ham", "spam"])
    aggregator.fit(labeler.transform(TEXTS))
    annotator = DistilledAnnotator(labeler, random_state=0).fit(TEXTS)
    cascade = CascadeAnnotator(annotator).fit(TEXTS)
    llm = LLM("openai/gpt-4o-mini", max_cost=1.0)
    task, classes = "Is this spam?", ["ham", "spam"]
    return {
        "labeler": labeler,
        "aggregator": aggregator,
        "annotator": annotator,
        "cascade": cascade,
        # Nothing of these is learned without a model or an embedder.
        "zero_shot": ZeroShotAnnotator(llm, task=task, classes=classes),
        "concepts": ConceptScorer(llm, task=task, classes=classes),
        "images": ImageEmbedder("clip-ViT-B-32", on_broken="nan"),
    }


def answers(fitted):
    """Tell what fitted estimators say of new texts."""
    votes = fitted["labeler"].transform(NEW)
    return {
        "votes": votes.tolist(),
        "aggregator": fitted["aggregator"].predict_proba(votes).tolist(),
        "annotator": fitted["annotator"].predict_proba(NEW).tolist(),
        "cascade": fitted["cascade"].predict_proba(NEW).tolist(),
    }


def main():
    """Write the folder of this version."""
    folder = Path(__file__).parent / __version__
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    fitted = estimators()
    fitted["labeler"].export_programs(folder / "programs")
    for name, estimator in fitted.items():
        joblib.dump(estimator, folder / f"{name}.joblib", compress=9)
    skops.io.dump(fitted["annotator"], folder / "annotator.skops", compression=8)
    expected = {
        "written_with": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            **{name: version(name) for name in ("scikit-learn", "joblib", "skops")},
        },
        **answers(fitted),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so few texts leave much in doubt
        main()
