"""Interrupt a run at random moments and look for what it leaves behind.

ALCHEMIST_INTERRUPTIONS in the environment sets how often (default 3).
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="looks for processes in /proc"
)

N_INTERRUPTIONS = int(os.environ.get("ALCHEMIST_INTERRUPTIONS", "3"))

SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from sklearn_alchemist.programs import LabelingProgram, run_programs
programs = [
    LabelingProgram("slow", "def label(text): return sum(range(9_000)) and None"),
    LabelingProgram("hangs", "def label(text): return sum(range(10 ** 12))"),
]
texts = [f"text {k}" for k in range(20_000)]
print("ready", flush=True)
run_programs(programs, {"text": texts}, [0, 1], n_jobs=2, timeout=0.3)
"""


def is_running(pid):
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except FileNotFoundError:
        return False


def descendants(pid):
    """Processes that a process started, and those that they started."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


@pytest.mark.slow
def test_no_worker_outlives_an_interrupted_run():
    rng = random.Random(0)
    seen = 0
    for number in range(N_INTERRUPTIONS):
        how = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout.readline() == b"ready\n"
            # At any moment; the first time not before there is a worker.
            while number == 0 and len(descendants(process.pid)) < 2:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 1.0))
            started = descendants(process.pid)
            seen += len(started)
            process.send_signal(how)
            process.wait(10)
        end = time.monotonic() + 5
        while any(map(is_running, started)) and time.monotonic() < end:
            time.sleep(0.01)
        assert not any(map(is_running, started)), how
    assert seen, "no worker was ever interrupted"
