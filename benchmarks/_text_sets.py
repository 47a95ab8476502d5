"""Read text data sets and recorded labeling programs from folders."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler


@dataclass(frozen=True)
class TextSet:
    """Texts with gold labels and a split."""

    name: str
    texts: np.ndarray
    labels: np.ndarray
    split: np.ndarray

    @property
    def classes(self):
        return np.unique(self.labels).tolist()

    def part(self, *names):
        """Texts and labels of some parts of the split."""
        chosen = np.isin(self.split, names)
        return self.texts[chosen].tolist(), self.labels[chosen]


def some_rows(texts, labels, n_rows, seed=0):
    """Draw so many rows: files may be sorted, and their first rows are no sample."""
    if n_rows is None or n_rows >= len(texts):
        return texts, labels
    rows = np.sort(np.random.default_rng(seed).permutation(len(texts))[:n_rows])
    return [texts[i] for i in rows], labels[rows]


def read_text_set(folder, name):
    """Read ``NAME.csv.gz`` with the columns split, text and label; None if missing."""
    paths = sorted(Path(folder).glob(f"{name}*.csv.gz"))
    exact = [path for path in paths if path.name == f"{name}.csv.gz"]
    paths = exact or [path for path in paths if path.name.startswith(f"{name}_single")]
    if not paths:
        return None
    table = pd.read_csv(paths[0], keep_default_na=False)
    columns = (table[c].to_numpy(dtype=object) for c in ("text", "label", "split"))
    texts, labels, split = columns
    return TextSet(name, texts.astype(str).astype(object), labels.astype(str), split)


def read_programs(folder, name):
    """Read recorded programs that return the index of a class; None if missing."""
    paths = sorted((Path(folder) / name).glob("*.py"))
    if not paths:
        return None
    order = tuple(json.loads((Path(folder) / "classes.json").read_text())[name])
    return [
        LabelingProgram(path.stem, path.read_text(), returns="index", class_order=order)
        for path in paths
    ]


def recorded_labeler(programs, classes, n_jobs=2):
    """Make a labeler of recorded programs."""
    return ProgramSynthesisLabeler(
        classes=classes, programs=programs, timeout=5.0, n_jobs=n_jobs
    )


class Remembered(TransformerMixin, BaseEstimator):
    """Give the votes that a fitted labeler gave before, without running programs."""

    def __init__(self, labeler=None, votes=None):
        self.labeler = labeler
        self.votes = votes

    def __deepcopy__(self, memo):
        return self

    def __sklearn_clone__(self):
        return self

    @property
    def classes_(self):
        return self.labeler.classes_

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.array([self.votes[text] for text in X])

    @classmethod
    def of(cls, labeler, texts):
        votes = labeler.fit(texts).transform(texts)
        return cls(labeler, dict(zip(texts, votes, strict=True)))


def accuracy_interval(right, n_draws=2000, seed=0):
    """Give the mean and a 95 % bootstrap interval of it."""
    right = np.asarray(right, dtype=float)
    rng = np.random.default_rng(seed)
    draws = right[rng.integers(0, len(right), (n_draws, len(right)))].mean(axis=1)
    return right.mean(), *np.quantile(draws, [0.025, 0.975])


def expected_calibration_error(proba, codes, n_bins=10):
    """Mean gap between confidence and accuracy over bins of confidence."""
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == codes
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * np.mean(bins == b)
        for b in np.unique(bins)
    ]
    return float(sum(gaps))
