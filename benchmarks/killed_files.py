"""Kill what labels files at random moments, and see what is done again.

    python benchmarks/killed_files.py [--rows 400000] [--kills 5] [--seed 0]
    python benchmarks/killed_files.py --recordings RECORDINGS --data DATA

The command line labels short texts with ten programs of one line, or YouTube comments
with an annotator of recorded programs: once undisturbed, and once with all its
processes killed (SIGKILL) at moments that are drawn at random, and begun again by the
same command. Told are the parts that were finished at each kill, whether any of them
was written again, and whether all rows are equal.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import pyarrow.parquet as pq
from files import one_line_labeler, recorded, short_texts, write_texts

from sklearn_alchemist import DistilledAnnotator

_POLL_SECONDS = 0.02


def start(source, target, estimator, rows_a_part):
    """Label in a process group of its own, which can be killed whole."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "sklearn_alchemist", "label", source, target),
            *("--annotator", estimator, "--columns", "text"),
            *("--batch-size", str(rows_a_part)),
        ],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(folder):
    """Parts that are finished, and when and as which file each was written."""
    parts = sorted(Path(folder).glob("*.parquet"))
    stats = [part.stat() for part in parts]
    return {
        part.name: (stat.st_ino, stat.st_mtime_ns)
        for part, stat in zip(parts, stats, strict=True)
    }


def kill_at_random(run, folder, n_parts, n_kills, seconds_a_part, rng):
    """Kill runs at random moments of their work; return what was finished at each."""
    at_kills = []
    for k in range(n_kills):
        done = len(finished(folder))
        # As many parts are left for each of the kills to come, and for the last run.
        share = (n_parts - done) // (n_kills - k + 1)
        until = done + rng.randint(0, share)
        process = run()
        while len(finished(folder)) < until and process.poll() is None:
            time.sleep(_POLL_SECONDS)
        time.sleep(rng.uniform(0, seconds_a_part))
        was_running = process.poll() is None
        if was_running:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        at_kills.append(finished(folder))
        when = "" if was_running else ", and nothing left to kill"
        print(f"kill {k + 1}: {len(at_kills[-1])} of {n_parts} parts{when}", flush=True)
    return at_kills


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--rows-a-part", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recordings")
    parser.add_argument("--data")
    options = parser.parse_args(arguments)
    if options.recordings:
        labeler, texts, make = recorded(options)
        estimator = DistilledAnnotator(labeler, random_state=0).fit(texts)
    else:
        estimator, make = one_line_labeler(), short_texts
    n_parts = -(-options.rows // options.rows_a_part)
    with tempfile.TemporaryDirectory() as folder:
        source, kept = Path(folder) / "texts.parquet", Path(folder) / "fitted.joblib"
        write_texts(source, options.rows, make)
        joblib.dump(estimator, kept)
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"

        def run(target=killed):
            return start(str(source), str(target), str(kept), options.rows_a_part)

        began = time.monotonic()
        process = run(whole)
        _, said = process.communicate()
        if process.returncode:
            raise SystemExit(said)
        rng = random.Random(options.seed)
        a_part = (time.monotonic() - began) / n_parts
        at_kills = kill_at_random(run, killed, n_parts, options.kills, a_part, rng)
        process = run()
        _, said = process.communicate()
        if process.returncode:
            raise SystemExit(said)
        now = finished(killed)
        again = {
            name for done in at_kills for name in done if now.get(name) != done[name]
        }
        equal = pq.read_table(killed).equals(pq.read_table(whole))
        print(
            f"{options.rows:,} rows in {len(now)} parts, {options.kills} kills: "
            f"{len(again)} finished parts written again, rows "
            f"{'equal' if equal else 'NOT equal'}"
        )


if __name__ == "__main__":
    main()
