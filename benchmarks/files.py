"""Measure what labelling files costs, by numbers of rows.

    python benchmarks/files.py [--rows 100000 1000000] [--jobs 1]
    python benchmarks/files.py --recordings RECORDINGS --data DATA

Ten programs of one line vote on short texts, Parquet to Parquet, each size in a process
of its own: CPU of all processes a row, and the peak memory of the process that reads.
With recordings (those of benchmarks/programs.py), the programs for YouTube comments
vote on as many comments, numbered so that no two are equal, in files and in memory; and
an annotator of them labels them.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from _text_sets import read_programs, read_text_set

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.programs import close_workers
from sklearn_alchemist.streaming import label_files

WORDS = ("check", "channel", "comment", "example", "7", "99", "song", "love", "://")
_ROWS_A_GROUP = 100_000


def short_texts(start, stop):
    return [
        f"comment {k}: check my channel at example.org/{k}" for k in range(start, stop)
    ]


def write_texts(path, n_rows, make):
    """Write texts without holding them all."""
    schema = pa.schema({"text": pa.string()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, n_rows, _ROWS_A_GROUP):
            texts = make(start, min(start + _ROWS_A_GROUP, n_rows))
            writer.write_table(pa.table({"text": texts}, schema))


def one_line_labeler():
    programs = [
        LabelingProgram(f"has_{k}", f"def label(text): return {word!r} in text or None")
        for k, word in enumerate([*WORDS, "org"])
    ]
    labeler = ProgramSynthesisLabeler(programs=programs, classes=[False, True])
    return labeler.fit(short_texts(0, 50))


def recorded(options):
    """Programs for comments, an annotator of them, and comments of any number."""
    data = read_text_set(options.data, "youtube")
    programs = read_programs(options.recordings, "youtube")
    labeler = ProgramSynthesisLabeler(programs=programs, classes=data.classes)
    texts, _ = data.part("train")

    def make(start, stop):
        return [f"{texts[k % len(texts)]} {k}" for k in range(start, stop)]

    return labeler.fit(texts), texts, make


def used():
    """CPU seconds of this process and of those that ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(w)[:2]) for w in who)


def measure(way, path, folder, options):
    """Do one thing in this process, and say what it took."""
    warnings.simplefilter("ignore")
    if way == "one-line":
        estimator = one_line_labeler()
    else:
        labeler, texts, _ = recorded(options)
        annotate = way == "annotator"
        estimator = DistilledAnnotator(labeler).fit(texts) if annotate else labeler
    close_workers()
    before, began = used(), time.perf_counter()
    if way == "memory":
        texts = pd.read_parquet(path).text.tolist()
        estimator.set_params(n_jobs=options.jobs).transform(texts)
    else:
        label_files(estimator, path, folder, n_jobs=options.jobs)
    close_workers()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {
        "cpu": used() - before,
        "wall": time.perf_counter() - began,
        "peak": peak,
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--recordings")
    parser.add_argument("--data")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--paths", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.way:
        print(json.dumps(measure(options.way, *options.paths, options)))
        return
    ways = ["files", "memory", "annotator"] if options.recordings else ["one-line"]
    passed = [
        *("--jobs", str(options.jobs)),
        *(("--recordings", options.recordings) if options.recordings else ()),
        *(("--data", options.data) if options.data else ()),
    ]
    make = recorded(options)[2] if options.recordings else short_texts
    for n_rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "texts.parquet"
            write_texts(path, n_rows, make)
            for way in ways:
                run = subprocess.run(
                    [
                        *(sys.executable, __file__, "--way", way, *passed),
                        *("--paths", str(path), str(Path(folder) / way)),
                    ],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                took = json.loads(run.stdout.splitlines()[-1])
                print(
                    f"{way}, {n_rows:,} rows: {took['cpu'] / n_rows * 1e6:.1f} us of "
                    f"CPU a row, {took['wall']:.1f} s, peak {took['peak']:.0f} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
