"""Measure the default annotator on recorded programs: accuracy, and how calibrated.

    python benchmarks/annotator.py DATA RECORDINGS

DATA is a folder of NAME.csv.gz with the columns split, text and label; RECORDINGS one
of folders NAME with programs and a classes.json with the order of their classes. The
annotator is fitted to the training rows, whose gold labels it does not see but for
those of `--labels`, and scored on the test rows.
"""

import argparse
import warnings

import numpy as np
from _text_sets import (
    Remembered,
    accuracy_interval,
    expected_calibration_error,
    read_programs,
    read_text_set,
    recorded_labeler,
    some_rows,
)
from sklearn.base import clone

from sklearn_alchemist import DistilledAnnotator
from sklearn_alchemist.distillation import text_student

NAMES = ["youtube", "yelp", "medabs", "bbcnews"]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("recordings")
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--rows", type=int, help="draw so many training rows")
    parser.add_argument("--labels", type=int, default=50, help="gold labels to learn")
    parser.add_argument("--draws", type=int, default=5, help="random sets of labels")
    parser.add_argument("--score", default="test", help="part of the split to score")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    pooled = {}
    for name in options.names:
        measured = measure(name, options)
        if measured is None:
            print(f"{name}: no data or no recordings, left out")
            continue
        print(f"\n{name}: {measured.pop('rows')}")
        for what, right in measured.pop("right").items():
            mean, low, high = accuracy_interval(right)
            print(f"  {what:28s} {mean:.3f}  [{low:.3f}, {high:.3f}]")
            pooled.setdefault(what, []).append(np.asarray(right, dtype=float))
        for what, errors in measured.items():
            print(f"  {what:28s} {np.mean(errors):.3f}  (sd {np.std(errors):.3f})")
    print("\npooled over all test rows")
    for what, parts in pooled.items():
        mean, low, high = accuracy_interval(np.concatenate(parts))
        print(f"  {what:28s} {mean:.3f}  [{low:.3f}, {high:.3f}]")
    return pooled


def measure(name, options):
    """Fit and score on one data set; None if it is not at hand."""
    data = read_text_set(options.data, name)
    programs = read_programs(options.recordings, name)
    if data is None or programs is None:
        return None
    train, gold = data.part("train")
    train, gold = some_rows(train, gold, options.rows)
    test, truth = data.part(options.score)
    labeler = Remembered.of(recorded_labeler(programs, data.classes), [*train, *test])
    annotator = DistilledAnnotator(labeler).fit(train)
    codes = np.searchsorted(annotator.classes_, truth)
    proba = {}
    for who in ("votes", "student", "both"):
        proba[who] = annotator.set_params(predict_with=who).predict_proba(test)
    right = {who: said.argmax(axis=1) == codes for who, said in proba.items()}
    taught = text_student(train).fit(train, gold)
    right["student on gold"] = taught.predict(test) == truth
    errors, accuracies = [], []
    for seed in range(options.draws):
        rng = np.random.default_rng(seed)
        some = rng.choice(len(gold), options.labels, replace=False)
        y = np.array([None] * len(gold), dtype=object)
        y[some] = gold[some]
        learning = clone(annotator).set_params(learn_from_labels=True)
        learning.fit(train, y, label_proba=1.0)
        said = learning.predict_proba(test)
        errors.append(expected_calibration_error(said, codes))
        accuracies.append(np.mean(said.argmax(axis=1) == codes))
    return {
        "rows": f"{len(train)} training rows, {len(test)} {options.score} rows",
        "right": right,
        "ECE without labels": [expected_calibration_error(proba["both"], codes)],
        f"ECE with {options.labels} labels": errors,
        f"accuracy with {options.labels}": accuracies,
    }


if __name__ == "__main__":
    main()
