"""Measure the CPU time that the default annotator takes to distil recorded votes.

    python benchmarks/annotator_cpu.py DATA RECORDINGS

DATA and RECORDINGS are as for annotator.py. Programs run once before, so that only the
label model and the student are measured. Run it on two versions of the package, one
after the other, and compare the ratio: seconds depend on what else the machine does.
"""

import argparse
import time
import warnings

import numpy as np
from _text_sets import Remembered, read_programs, read_text_set, recorded_labeler

from sklearn_alchemist import DistilledAnnotator

NAMES = ["youtube", "yelp", "medabs", "bbcnews"]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("recordings")
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--rows", type=int, help="use only so many training rows")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    medians = {}
    for name in options.names:
        data = read_text_set(options.data, name)
        programs = read_programs(options.recordings, name)
        if data is None or programs is None:
            print(f"{name}: no data or no recordings, left out")
            continue
        train = data.part("train")[0][: options.rows]
        labeler = Remembered.of(recorded_labeler(programs, data.classes), train)
        seconds = []
        for _ in range(options.repeats):
            start = time.process_time()
            DistilledAnnotator(labeler).fit(train)
            seconds.append(time.process_time() - start)
        medians[name] = float(np.median(seconds))
        print(f"{name}: {medians[name]:.2f} s of CPU for {len(train)} rows")
    return medians


if __name__ == "__main__":
    main()
