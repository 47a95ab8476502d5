"""The benchmark runs, on a few rows."""

import csv
import gzip
import importlib.util
import json
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "programs.py"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark_programs", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_benchmark_compares_votes_and_times(benchmark, tmp_path, capsys):
    (tmp_path / "classes.json").write_text(json.dumps({"mail": ["spam", "ham"]}))
    (tmp_path / "mail").mkdir()
    source = r"""
import re
def label_function(x):
    return 0 if re.search(r"\bprize\b", x) else 1 if "lunch" in x else -1
"""
    (tmp_path / "mail" / "plain_0.py").write_text(source)
    with gzip.open(tmp_path / "mail.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([["a prize", 1], ["lunch", 0], ["prizes", 0]] * 5)
    benchmark.main([str(tmp_path), str(tmp_path), "--rounds", "1"])
    said = capsys.readouterr().out
    assert "mail: 15 rows x 1 programs, votes identical" in said
    assert "times one" in said


def test_the_benchmark_of_memory_runs(benchmark, capsys):
    benchmark.main(["--million", "--million-rows", "500"])
    assert "500 short texts x 10 programs" in capsys.readouterr().out
