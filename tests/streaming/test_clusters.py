"""Recipes of the documentation in a real Spark and Ray: see `make test-clusters`."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "package"), [("spark", "pyspark"), ("ray", "ray")])
def test_a_cluster_gives_the_labels_of_memory_and_leaves_no_process(engine, package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"no {package}")
    psutil = pytest.importorskip("psutil")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, str(ROOT / "cluster_recipes.py"), engine],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=600,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    started = [tuple(p) for p in json.loads(run.stdout.splitlines()[-1])]
    assert len(started) > 2
    left = [
        process
        for process in psutil.process_iter(["pid", "create_time"])
        if (process.info["pid"], process.info["create_time"]) in started
    ]
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not [p.cmdline() for p in alive if p.status() != psutil.STATUS_ZOMBIE]
