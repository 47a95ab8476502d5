"""Measure what tuning programs on a few random labels adds to their label model.

In each draw 50 training records get their label and `tune_programs` changes the
programs. The label model, which sees no label, is fitted anew on their votes. Test
records score and do nothing else::

    python benchmarks/tune_programs.py DATA RECORDINGS

DATA is a folder with ``NAME.csv.gz`` (columns split, text and label), RECORDINGS one
with ``NAME/*.py`` and ``classes.json``; see benchmarks/programs.py.
"""

import argparse
from pathlib import Path

import numpy as np
from _text_sets import read_programs, read_text_set, recorded_labeler, some_rows

from sklearn_alchemist import LabelModelAggregator
from sklearn_alchemist.synthesis import tune_programs

NAMES = ("youtube", "yelp", "medabs", "bbcnews")


def accuracy(labeler, train, test, gold):
    """Accuracy of the label model of a fitted labeler, fitted without labels."""
    model = LabelModelAggregator(classes=labeler.classes_)
    model.fit(labeler.transform(train))
    return float((model.predict(labeler.transform(test)) == gold).mean())


def measure(data, programs, *, n_labels=50, n_draws=10, n_rows=1000, n_jobs=2):
    """Give the accuracy before, what each draw adds, and how many programs changed."""
    train, labels = some_rows(*data.part("train", "valid"), n_rows)
    test, gold = some_rows(*data.part("test"), n_rows)
    before = recorded_labeler(programs, data.classes, n_jobs).fit(train)
    accuracy_before = accuracy(before, train, test, gold)
    gains, n_changed = [], []
    for draw in range(n_draws):
        chosen = np.random.default_rng(draw).permutation(len(train))[:n_labels]
        known = np.full(len(train), None, dtype=object)
        known[chosen] = labels[chosen]
        tuned = tune_programs(
            before, train, known, label_proba=n_labels / len(train), random_state=draw
        )
        pairs = zip(before.programs_, tuned, strict=True)
        n_changed.append(sum(old != new for old, new in pairs))
        gain = 0.0
        if n_changed[-1]:
            after = recorded_labeler(tuned, data.classes, n_jobs).fit(train)
            gain = accuracy(after, train, test, gold) - accuracy_before
        gains.append(gain)
    return accuracy_before, gains, n_changed


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--labels", type=int, default=50)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--rows", type=int, default=1000, help="of each part at most")
    parser.add_argument("--programs", type=int, help="the first so many (default all)")
    options = parser.parse_args(arguments)
    for name in options.names:
        data = read_text_set(options.data, name)
        programs = read_programs(options.recordings, name)
        if data is None or programs is None:
            print(f"{name:10}  left out: no data or no recordings")
            continue
        programs = programs[: options.programs]
        before, gains, n_changed = measure(
            data,
            programs,
            n_labels=options.labels,
            n_draws=options.draws,
            n_rows=options.rows,
        )
        print(
            f"{name:10}  before {before:.4f}  gain {np.mean(gains):+.4f} "
            f"(draws {min(gains):+.4f} to {max(gains):+.4f})  "
            f"programs changed {np.mean(n_changed):.1f} of {len(programs)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
