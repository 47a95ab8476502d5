"""Measure what few gold labels do to the default annotator, as its guide has it.

    python benchmarks/labels.py DATA RECORDINGS

DATA and RECORDINGS are those of benchmarks/annotator.py. An annotator is fitted to the
training rows without a label; then as many gold labels as `--labels` says are asked
for, from `review_queue` or at random, and it is fitted again with them. Accuracy is
measured on the test rows, as the difference to the fit without labels. "unknown" is the
queue without its probabilities: what becomes of labels that somebody has picked.
"""

import argparse
import sys
import warnings

import numpy as np
from _text_sets import (
    Remembered,
    expected_calibration_error,
    read_programs,
    read_text_set,
    recorded_labeler,
    some_rows,
)
from sklearn.base import clone

from sklearn_alchemist import DistilledAnnotator

NAMES = ["youtube", "yelp", "medabs"]
SOURCES = ["random", "queue", "unknown"]
# On the mean of draws, and in a single one, labels may cost so much accuracy.
LEAST_MEAN, LEAST_DRAW = -0.005, -0.02


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("recordings")
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--rows", type=int, help="draw so many training rows")
    parser.add_argument("--labels", type=int, nargs="+", default=[20, 50, 200])
    parser.add_argument("--sources", nargs="+", default=SOURCES, choices=SOURCES)
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    failed = []
    for name in options.names:
        data = read_text_set(options.data, name)
        programs = read_programs(options.recordings, name)
        if data is None or programs is None:
            print(f"{name}: no data or no recordings, left out")
            continue
        train, gold = data.part("train")
        train, gold = some_rows(train, gold, options.rows)
        test, truth = data.part("test")
        labeler = recorded_labeler(programs, data.classes)
        labeler = Remembered.of(labeler, [*train, *test])
        plain = DistilledAnnotator(labeler).fit(train)
        accuracy, error = measure(plain, test, truth)
        print(f"\n{name}: {len(train)} training rows, {len(test)} test rows")
        print(f"  without labels      accuracy {accuracy:.3f}  ECE {error:.3f}")
        for source in options.sources:
            for n_labels in options.labels:
                figures = [
                    measure(learn(plain, train, gold, source, n_labels, k), test, truth)
                    for k in range(options.draws)
                ]
                gains = np.array(figures)[:, 0] - accuracy
                kept = gains.mean() >= LEAST_MEAN and gains.min() >= LEAST_DRAW
                print(
                    f"  {source:8s} {n_labels:4d}  accuracy {gains.mean():+.3f}  "
                    f"worst {gains.min():+.3f}  ECE {np.mean(figures, axis=0)[1]:.3f}"
                    f"{'' if kept else '  below what is allowed'}",
                    flush=True,
                )
                if not kept:
                    failed.append((name, source, n_labels))
    return failed


def learn(annotator, texts, gold, source, n_labels, seed):
    """Ask for labels and fit again, as docs/annotator.rst does."""
    if source == "random":
        rng = np.random.default_rng(seed)
        positions, proba = rng.choice(len(texts), n_labels, replace=False), 1.0
    else:
        positions, proba = annotator.review_queue(
            texts, n_labels, return_proba=True, random_state=seed
        )
    y = np.full(len(texts), None)
    label_proba = np.full(len(texts), np.nan)
    y[positions], label_proba[positions] = gold[positions], proba
    learning = clone(annotator).set_params(learn_from_labels=True)
    return learning.fit(
        texts, y, label_proba=None if source == "unknown" else label_proba
    )


def measure(annotator, texts, truth):
    """Accuracy and calibration error on rows with gold labels."""
    proba = annotator.predict_proba(texts)
    codes = np.searchsorted(annotator.classes_, truth)
    accuracy = np.mean(proba.argmax(axis=1) == codes)
    return accuracy, expected_calibration_error(proba, codes)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
