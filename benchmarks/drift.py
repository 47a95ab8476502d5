"""Measure how often `inspection.drift` raises an alarm, and how often it should.

    python benchmarks/drift.py DATA RECORDINGS [--n-batches 100] [--n-rows 500]

For each set of texts with recorded programs, an annotator is fitted to half of the
texts. Batches of the other half are drawn at random: alarms on them are false. Then a
fifth of each batch is replaced by texts of another set: no alarm there is a miss. The
votes of all texts are computed once.
"""

import argparse
from itertools import chain

import numpy as np
from _text_sets import Remembered, read_programs, read_text_set, recorded_labeler

from sklearn_alchemist import DistilledAnnotator
from sklearn_alchemist.inspection import drift

SETS = ("youtube", "yelp", "medabs")


def count_alarms(annotator, same, foreign, *, n_batches, n_rows, share=0.0):
    """Count alarms on batches of one set, some share of which are other texts."""
    rng = np.random.RandomState(0)
    n_foreign = round(share * n_rows)
    alarms = 0
    for _ in range(n_batches):
        batch = [same[i] for i in rng.choice(len(same), n_rows, replace=False)]
        rows = rng.choice(len(foreign), n_foreign, replace=False)
        batch[:n_foreign] = [foreign[i] for i in rows]
        alarms += drift(annotator, batch).alarm
    return int(alarms)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("recordings")
    parser.add_argument("--n-batches", type=int, default=100)
    parser.add_argument("--n-rows", type=int, default=500)
    parser.add_argument("--n-training", type=int, default=2000)
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--sets", nargs="*", default=SETS)
    arguments = parser.parse_args()
    read = {name: read_text_set(arguments.data, name) for name in arguments.sets}
    print("set      with rows of   batches  alarms")
    for name, texts in read.items():
        order = np.random.RandomState(0).permutation(len(texts.texts))
        shuffled = texts.texts[order].tolist()
        half = min(arguments.n_training, len(shuffled) // 2)
        training, same = shuffled[:half], shuffled[half : half + 5000]
        labeler = recorded_labeler(
            read_programs(arguments.recordings, name), texts.classes, n_jobs=1
        )
        labeler.fit(training)
        others = {k: v.texts[:2000].tolist() for k, v in read.items() if k != name}
        known = list(dict.fromkeys(chain(training, same, *others.values())))
        votes = dict(zip(known, labeler.transform(known), strict=True))
        annotator = DistilledAnnotator(Remembered(labeler, votes)).fit(training)
        batches = {
            "n_batches": arguments.n_batches,
            "n_rows": min(arguments.n_rows, len(same)),
        }
        false = count_alarms(annotator, same, same, **batches)
        print(f"{name:8} {'':13} {arguments.n_batches:8} {false:7}", flush=True)
        for other, foreign in others.items():
            found = count_alarms(
                annotator, same, foreign, share=arguments.share, **batches
            )
            print(f"{name:8} {other:13} {arguments.n_batches:8} {found:7}", flush=True)


if __name__ == "__main__":
    main()
