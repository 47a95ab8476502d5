"""Check that `inspection.explain` tells what `transform` gave, and marks what is there.

    python benchmarks/explain.py DATA RECORDINGS [--n-rows 1000]

For random texts of sets with recorded programs: programs whose watched vote is not the
one that `transform` gives, marks that are no part of the text, votes without any mark
(they rest on what is not there, or on lengths), and the time of it.
"""

import argparse
import time

import numpy as np
from _text_sets import read_programs, read_text_set, recorded_labeler

from sklearn_alchemist import DistilledAnnotator
from sklearn_alchemist.inspection import explain
from sklearn_alchemist.programs import trace_programs

SETS = ("youtube", "yelp", "medabs")


def check_traces(programs, classes, texts):
    """Count what is wrong in watched runs of programs on texts."""
    labeler = recorded_labeler(programs, classes, n_jobs=1).fit(texts)
    votes = labeler.transform(texts)
    began = time.perf_counter()
    traces = trace_programs(programs, {"text": texts}, classes, timeout=5.0)
    seconds = time.perf_counter() - began
    other = misplaced = unmarked = 0
    for j, column in enumerate(traces):
        for text, trace, vote in zip(texts, column, votes[:, j], strict=True):
            other += trace.vote != vote
            unmarked += vote >= 0 and not trace.spans
            misplaced += sum(
                not text[span.start : span.stop].strip() for span in trace.spans
            )
    return {
        "other votes": other,
        "misplaced marks": misplaced,
        "votes": int((votes >= 0).sum()),
        "votes without marks": unmarked,
        "ms a row": 1000 * seconds / len(texts),
    }


def check_explanations(programs, classes, texts, n_explained):
    """Count explanations that differ from `annotate` and `transform`."""
    labeler = recorded_labeler(programs, classes, n_jobs=1)
    annotator = DistilledAnnotator(labeler).fit(texts)
    said = annotator.annotate(texts[:n_explained])
    wrong = 0
    for i, text in enumerate(texts[:n_explained]):
        told = explain(annotator, text)
        votes = [part.vote for part in told.programs]
        expected = [annotator.classes_[v] if v >= 0 else None for v in said.votes[i]]
        marks = all(
            match.text == text[match.start : match.stop]
            for part in told.programs
            for match in part.matches
        )
        same = told.label == said.label[i] and told.decided_by == said.source[i]
        wrong += not (same and votes == expected and marks)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("recordings")
    parser.add_argument("--n-rows", type=int, default=1000)
    parser.add_argument("--n-explained", type=int, default=100)
    parser.add_argument("--sets", nargs="*", default=SETS)
    arguments = parser.parse_args()
    for name in arguments.sets:
        read = read_text_set(arguments.data, name)
        programs = read_programs(arguments.recordings, name)
        order = np.random.RandomState(0).permutation(len(read.texts))
        texts = read.texts[order[: arguments.n_rows]].tolist()
        counts = check_traces(programs, read.classes, texts)
        counts["explanations that are wrong"] = check_explanations(
            programs, read.classes, texts, arguments.n_explained
        )
        print(
            f"{name}: {len(texts)} texts,",
            ", ".join(f"{key} {value:.4g}" for key, value in counts.items()),
            flush=True,
        )


if __name__ == "__main__":
    main()
