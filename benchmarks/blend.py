"""Choose how much votes count beside a student, by leaving one data set out.

    python benchmarks/blend.py DATA RECORDINGS

DATA and RECORDINGS are those of benchmarks/annotator.py. Annotators are fitted to draws
of the rows for training and validation, few and many, and asked about the others; the
rows for testing are not looked at. For each choice of the constants in
sklearn_alchemist/distillation/_blend.py, the accuracy of both together is compared with
the better one of votes and student.
"""

import argparse
import itertools
import warnings

import numpy as np
from _text_sets import (
    Remembered,
    expected_calibration_error,
    read_programs,
    read_text_set,
    recorded_labeler,
)

from sklearn_alchemist import DistilledAnnotator
from sklearn_alchemist.distillation import combine, fidelity, log_proba, softmax

NAMES = ["youtube", "yelp", "medabs", "bbcnews"]
# Weight beside a good student, how many times it is beside a bad one, the temperature
# beside votes of weight 0.
GRID = list(itertools.product([0.125, 0.2, 0.3, 0.4], [1, 10, 40], [0.5, 0.7]))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("recordings")
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--good", type=float, default=0.9)
    parser.add_argument("--range", type=float, default=0.36)
    parser.add_argument("--power", type=float, default=1.0)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    figures = {name: measure(name, options) for name in options.names}
    print("weight, times, temperature: gain over the better part and ECE of each set")
    for k, choice in enumerate(GRID):
        each = "  ".join(
            f"{n} {gain[k]:+.4f} {ece[k]:.3f}" for n, (gain, ece) in figures.items()
        )
        print(f"{choice}: {each}")
    for left_out in options.names:
        others = [figures[name] for name in options.names if name != left_out]
        best = int(np.argmax(sum(gain - ece / 10 for gain, ece in others)))
        gain, ece = figures[left_out]
        print(
            f"without {left_out}: {GRID[best]}, {gain[best]:+.4f}, ECE {ece[best]:.3f}"
        )
    return figures


def measure(name, options):
    """Mean gain and calibration error of each choice over draws."""
    data = read_text_set(options.data, name)
    texts, gold = data.part("train", "valid")
    programs = read_programs(options.recordings, name)
    labeler = Remembered.of(recorded_labeler(programs, data.classes), texts)
    found = []
    for n_rows, seed in itertools.product(options.rows, range(options.draws)):
        order = np.random.default_rng(seed).permutation(len(texts))
        asked = order[n_rows:]
        annotator = DistilledAnnotator(labeler).fit([texts[i] for i in order[:n_rows]])
        if annotator._training_state.said is not None:
            found.append(
                try_all(annotator, [texts[i] for i in asked], gold[asked], options)
            )
    return np.mean(found, axis=0)


def try_all(annotator, texts, gold, options):
    """Try all choices on what a fitted annotator's parts say."""
    state = annotator._training_state
    codes = np.searchsorted(annotator.classes_, gold)
    parts = annotator.annotate(texts)
    student, votes = parts.student_proba, parts.votes_proba
    better = max(np.mean(p.argmax(axis=1) == codes) for p in (student, votes))
    heard = (state.votes != -1).any(axis=1).astype(float)
    good = fidelity(
        annotator.scaling_(state.said),
        annotator.aggregator_.predict_proba(state.votes),
        heard,
    )
    lacking = np.clip((options.good - good) / options.range, 0, 1) ** options.power
    gains, errors = [], []
    for least, times, temperature in GRID:
        weight = least * times**lacking
        both = combine(student, votes, annotator.class_prior_, weight)
        both = softmax(log_proba(both) / (temperature + weight.mean()))
        gains.append(np.mean(both.argmax(axis=1) == codes) - better)
        errors.append(expected_calibration_error(both, codes))
    return gains, errors


if __name__ == "__main__":
    main()
