"""Measure what 200 labels by a model, of random training records, do to an annotator.

    python benchmarks/llm_labels.py DATA

DATA is that of benchmarks/synthesis.py; the answers are those of record_answers.py,
given to twenty records a call. Annotators of the programs of the plan are fitted to
1,000 records with and without them, and scored on records that neither saw.
"""

import argparse
import warnings
from unittest import mock

import numpy as np
from _answers import read_answers
from _tasks import TASKS
from _text_sets import Remembered, expected_calibration_error, read_text_set
from record_answers import HERE, RANDOM, labeler_of, split

import sklearn_alchemist.distillation._annotator as annotator_module
from sklearn_alchemist import DistilledAnnotator
from sklearn_alchemist.llm import Usage


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--names", nargs="+", default=list(TASKS), choices=list(TASKS))
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    found = {name: measure(options.data, name) for name in options.names}
    for name, (without, having) in found.items():
        print(
            f"{name:20} accuracy {without[0]:.4f} -> {having[0]:.4f}, "
            f"ECE {without[1]:.3f} -> {having[1]:.3f}"
        )
    without, having = np.mean(list(found.values()), axis=0)
    print(
        f"{'mean':20} accuracy {having[0] - without[0]:+.4f}, "
        f"ECE {without[1]:.3f} -> {having[1]:.3f}"
    )
    return found


def measure(folder, name):
    """Accuracy and calibration error without and with the model's labels."""
    data = read_text_set(folder, name)
    parts = split(data)
    answers = read_answers(HERE / "recordings" / "answers" / f"{name}.jsonl")
    learned, scored = (data.texts[r].tolist() for r in (parts.training, parts.pool))
    labeler = labeler_of(name).fit(learned)
    codes = np.searchsorted(labeler.classes_, data.labels[parts.pool])
    votes = Remembered.of(labeler, list(dict.fromkeys(learned + scored)))
    figures = []
    for n_labels in (0, len(answers.rows(learned, RANDOM))):
        annotator = DistilledAnnotator(votes, n_llm_labels=n_labels)
        # The answers were given to these records, in calls of their own.
        with (
            mock.patch.object(
                annotator_module, "ask_about_sample", recorded(answers, learned)
            ),
            mock.patch.object(annotator_module, "model_of"),
        ):
            annotator.fit(learned)
        proba = annotator.predict_proba(scored)
        right = proba.argmax(axis=1) == codes
        figures.append((right.mean(), expected_calibration_error(proba, codes)))
    return figures


def recorded(answers, texts):
    """Stand in for asking the model about a random sample."""

    def ask(labeler, records, gold, n_rows, names, random_state):
        rows = answers.rows(texts, RANDOM)
        codes = np.full(len(gold), -1)
        said = answers.of([texts[i] for i in rows])
        for row, label in zip(rows, said, strict=True):
            if label is not None:
                codes[row] = np.searchsorted(names, label)
        return codes, len(rows) / len(gold), Usage()

    return ask


if __name__ == "__main__":
    main()
