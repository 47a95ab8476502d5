"""Measure how fast recorded programs run, beside a loop over plain functions.

    python benchmarks/programs.py RECORDINGS DATA [--rows N] [--rounds N]
    python benchmarks/programs.py --million
    python benchmarks/programs.py --row

RECORDINGS holds classes.json and a folder of programs for each data set, DATA the texts
(NAME.csv.gz or NAME_*.csv.gz with a column `text`). Each round times, one after the
other, the plain loop, one worker that waits since `fit` has tried the programs on 50
rows, one worker whose start is timed with the rest, and two such workers; medians and
spreads are printed.
"""

import argparse
import csv
import gzip
import json
import resource
import statistics
import threading
import time
import warnings
from pathlib import Path

import numpy as np

from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import ProgramWarning
from sklearn_alchemist.programs import _pool, close_workers
from sklearn_alchemist.programs._pool import POOL


def read_texts(folder, name, n_rows):
    path = min(Path(folder).glob(f"{name}*.csv.gz"), key=lambda p: len(p.name))
    csv.field_size_limit(1 << 30)
    with gzip.open(path, "rt", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return texts if n_rows is None else texts[:: max(1, len(texts) // n_rows)][:n_rows]


def read_programs(folder, name, classes):
    return [
        LabelingProgram(
            path.stem, path.read_text(), returns="index", class_order=classes
        )
        for path in sorted(Path(folder, name).glob("*.py"))
    ]


def run_plainly(programs, texts, classes):
    """Do what everybody does today: execute the source, call it row by row."""
    position = {label: k for k, label in enumerate(sorted(classes))}
    codes = [position[label] for label in classes]
    votes = np.full((len(texts), len(programs)), -1, dtype=np.int8)
    for column, program in enumerate(programs):
        namespace = {}
        exec(program.source, namespace)
        label = namespace[program.entry_point]
        for row, text in enumerate(texts):
            try:
                answer = label(text)
            except Exception:
                continue
            if answer != -1:
                votes[row, column] = codes[answer]
    return votes


def timed(function, *args):
    wall, cpu = time.perf_counter(), time.process_time()
    result = function(*args)
    return result, time.perf_counter() - wall, time.process_time() - cpu


def worker_seconds():
    """Processor time of the workers that wait, and of what forked them."""
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in worker_pids())


def worker_pids():
    """List the processes that this one keeps; some versions have no fork server."""
    pids = [worker.pid for worker in POOL._idle]
    server = getattr(_pool, "FORK_SERVER", None)
    if server is not None and server._process is not None:
        pids.append(server._process.pid)
    return pids


def measure(name, recordings, data, n_rows, n_rounds):
    classes = json.loads(Path(recordings, "classes.json").read_text())[name]
    texts = read_texts(data, name, n_rows)
    programs = read_programs(recordings, name, classes)
    one = ProgramSynthesisLabeler(programs=programs, classes=classes, n_jobs=1)
    two = ProgramSynthesisLabeler(programs=programs, classes=classes, n_jobs=2)
    one.fit(texts[:50])
    two.fit(texts[:50])
    walls, cpus = {}, {}

    def note(kind, wall, cpu):
        walls.setdefault(kind, []).append(wall)
        cpus.setdefault(kind, []).append(cpu)

    for _ in range(n_rounds):
        plain, wall, cpu = timed(run_plainly, programs, texts, classes)
        note("plain", wall, cpu)
        for kind, labeler in (("waiting", one), ("one", one), ("two", two)):
            close_workers()
            if kind == "waiting":
                labeler.fit(texts[:50])
            before = worker_seconds()
            votes, wall, cpu = timed(labeler.transform, texts)
            note(kind, wall, cpu + worker_seconds() - before)
            assert (votes == plain).all(), f"{name}: votes differ"
    print(f"{name}: {len(texts)} rows x {len(programs)} programs, votes identical")
    for kind in walls:
        spread = max(walls[kind]) / min(walls[kind]) - 1
        per_row = statistics.median(cpus[kind]) / len(texts) * 1e6
        print(
            f"  {kind:>7}: {statistics.median(walls[kind]):7.2f} s "
            f"(spread {spread:.0%}), {per_row:7.1f} CPU µs a row"
        )
    print(
        f"  faster than the plain loop: {ratio(walls, 'plain', 'waiting'):.2f} times "
        f"(by CPU time {ratio(cpus, 'plain', 'waiting'):.2f}), with the worker's start "
        f"{ratio(walls, 'plain', 'one'):.2f} times; "
        f"two cores: {ratio(walls, 'one', 'two'):.2f} times one"
    )


def ratio(seconds, slow, fast):
    """Median over the rounds."""
    pairs = zip(seconds[slow], seconds[fast], strict=True)
    return statistics.median(a / b for a, b in pairs)


def resident(pid="self"):
    with open(f"/proc/{pid}/status") as file:  # noqa: PTH123
        fields = dict(line.split(":", 1) for line in file)
    return int(fields["VmRSS"].split()[0]) / 2**20 if "VmRSS" in fields else 0.0


def measure_million(n_rows):
    """Run ten programs over short texts and watch the memory of all processes."""
    texts = [f"comment {k}: check my channel at example.org/{k}" for k in range(n_rows)]
    words = [
        "check",
        "channel",
        "comment",
        "example",
        "7",
        "99",
        "song",
        "love",
        "http://",
    ]
    programs = [
        LabelingProgram(f"has_{k}", f"def label(text): return {word!r} in text or None")
        for k, word in enumerate([*words, "org"])
    ]
    labeler = ProgramSynthesisLabeler(programs=programs, classes=[False, True])
    with warnings.catch_warnings():
        # Few of the words are in the first texts.
        warnings.simplefilter("ignore", ProgramWarning)
        labeler.set_params(n_jobs=2).fit(texts[:50])
    peak, done = 0.0, threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.05):
            total = resident()
            for worker in list(POOL._all):
                try:
                    total += resident(worker.pid)
                except (OSError, KeyError):
                    continue
            peak = max(peak, total)

    before = resident()
    watcher = threading.Thread(target=watch)
    watcher.start()
    used = worker_seconds()
    _, wall, cpu = timed(labeler.transform, texts)
    cpu += worker_seconds() - used
    done.set()
    watcher.join()
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n_rows} short texts x {len(programs)} programs: {wall:.1f} s, "
        f"{cpu:.1f} CPU s; parent and workers together at most {peak:.2f} GiB "
        f"({before:.2f} GiB of it before; parent's peak {highest:.2f} GiB)"
    )


def measure_row(n_rounds=200):
    """Transform one row again and again, and weigh the processes of ten programs."""
    programs = [
        LabelingProgram(
            f"p{k}",
            f"import re\ndef label(t):\n return bool(re.search(r'\\bw{k}\\b', t))",
        )
        for k in range(10)
    ]
    labeler = ProgramSynthesisLabeler(programs=programs, classes=[False, True])
    labeler.fit(["a w1", "b w2"])
    labeler.transform(["warm"])
    walls = []
    for k in range(n_rounds):
        _, wall, _ = timed(labeler.transform, [f"a text of its own, {k}"])
        walls.append(wall)
    print(f"one row, ten programs, warm: {statistics.median(walls) * 1e3:.2f} ms")
    weights = sorted(proportional(pid) for pid in worker_pids())
    print(
        f"{len(weights)} processes: {sum(weights):.0f} MB (proportional set size), "
        f"{sum(weights) - weights[-1]:.0f} MB beyond the largest"
    )


def proportional(pid):
    """Proportional set size of a process in MB."""
    with open(f"/proc/{pid}/smaps_rollup") as file:  # noqa: PTH123
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return int(fields["Pss"].split()[0]) / 1024


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recordings", nargs="?")
    parser.add_argument("data", nargs="?")
    parser.add_argument("--names", nargs="+")
    parser.add_argument("--rows", type=int, help="a sample of the rows")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--million-rows", type=int, default=1_000_000)
    parser.add_argument("--row", action="store_true", help="one row, and memory")
    options = parser.parse_args(arguments)
    if options.row:
        measure_row()
        return
    if options.million:
        measure_million(options.million_rows)
        return
    if options.data is None:
        parser.error("give the folders of recordings and texts")
    classes = json.loads(Path(options.recordings, "classes.json").read_text())
    for name in options.names or classes:
        measure(name, options.recordings, options.data, options.rows, options.rounds)


if __name__ == "__main__":
    main()
