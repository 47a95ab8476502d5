"""Measure what it takes to vote on a wide table of which programs read two columns.

    python benchmarks/columns.py [--rows N] [--columns N] [--rounds N] [--base CHECKOUT]

Each measurement is a process of its own (on Linux), which fits a labeler to a few rows,
then votes on all of them. Printed are the CPU seconds of it and its workers, and the
peak of memory beyond the table; medians over the rounds. With CHECKOUT, the root of
another version of the package, both are measured in turn, and their ratios are
printed too.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

_CHILD = """
import json, resource, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.programs import close_workers

n_rows, n_columns, holder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
values = np.random.default_rng(0).normal(size=(n_rows, n_columns)).round(3)
names = [f"column_{j}" for j in range(n_columns)]
X = pd.DataFrame(values, columns=names) if holder == "frame" else values
if holder == "frame":
    source = "def label(column_3, column_7): return 'b' if column_3 > column_7 else 'a'"
else:
    source = "def label(x3, x7): return 'b' if x3 > x7 else 'a'"
program = LabelingProgram("p", source)
labeler = ProgramSynthesisLabeler(classes=["a", "b"], programs=[program]).fit(X[:50])


def kilobytes(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))


def workers():
    close_workers()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


before = workers()
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # forgets the peak so far
memory, start = kilobytes("VmRSS"), time.process_time()
votes = labeler.transform(X)
host = time.process_time() - start
peak = (kilobytes("VmHWM") - memory) / 1024
expected = values[:, 3] > values[:, 7]
assert (votes[:, 0] == expected).all()
print(json.dumps({"cpu": host + workers() - before, "host": host, "peak": peak}))
"""


def measure(root, n_rows, n_columns, holder):
    """Vote once, in a process that imports the package from `root`."""
    command = [sys.executable, "-c", _CHILD, str(n_rows), str(n_columns), holder]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=root,  # which comes first in the path
    )
    return json.loads(done.stdout)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--columns", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--base", type=Path)
    options = parser.parse_args(arguments)
    roots = {"this version": ROOT}
    if options.base is not None:
        roots["base"] = options.base
    table = {}
    for holder in ("frame", "array"):
        rounds = [
            {
                name: measure(root, options.rows, options.columns, holder)
                for name, root in roots.items()
            }
            for _ in range(options.rounds)
        ]
        for name in roots:
            table[holder, name] = found = {
                key: statistics.median(round_[name][key] for round_ in rounds)
                for key in ("cpu", "host", "peak")
            }
            print(
                f"{holder}, {name}: {found['cpu']:.2f} s of CPU, of which "
                f"{found['host']:.2f} s here; peak {found['peak']:.0f} MB"
            )
        if "base" in roots:
            new, old = table[holder, "this version"], table[holder, "base"]
            print(
                f"{holder}: base takes {old['cpu'] / new['cpu']:.1f} times the CPU and "
                f"{old['peak'] / max(new['peak'], 1):.1f} times the peak"
            )
    return table


if __name__ == "__main__":
    main()
