"""The benchmarks run, on a few rows of made-up data."""

import gzip
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


def load(name, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    rows = ["split,text,label"]
    for i in range(120):
        spam = bool(rng.integers(2))
        words = rng.choice(["free", "cash", "http"] if spam else ["song", "love"], 3)
        split = ("train", "test", "valid")[i % 3 if i > 60 else 0]
        rows.append(f"{split},{' '.join(words)} {i},{'SPAM' if spam else 'HAM'}")
    with gzip.open(tmp_path / "youtube.csv.gz", "wt") as file:
        file.write("\n".join(rows))
    programs = tmp_path / "recordings" / "youtube"
    programs.mkdir(parents=True)
    for i, word in enumerate(("http", "free", "song")):
        source = (
            f"def label_function(x):\n    return {int(i < 2)} if {word!r} in x else -1"
        )
        (programs / f"plain_{i}.py").write_text(source)
    classes = {"youtube": ["HAM", "SPAM"]}
    (tmp_path / "recordings" / "classes.json").write_text(json.dumps(classes))
    return str(tmp_path), str(tmp_path / "recordings")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_table_of_the_paper_has_our_numbers_and_theirs(
    folders, monkeypatch, capsys
):
    data, recordings = folders
    paper_table = load("paper_table", monkeypatch)
    table = paper_table.main([data, "--recordings", recordings])
    assert table.index.tolist() == ["youtube"]
    row = table.loc["youtube"]
    assert row["annotator"] > 0.9
    assert 0 < row["programs, $"] < row["one call a row, $ counted"]
    assert row["published: Alchemist"] == 0.891
    assert "sms is left out, as there is no" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")
def test_the_annotator_is_measured_with_its_intervals(folders, monkeypatch, capsys):
    annotator = load("annotator", monkeypatch)
    pooled = annotator.main([*folders, "--labels", "20", "--draws", "1"])
    assert set(pooled) == {"votes", "student", "both", "student on gold"}
    assert "ECE with 20 labels" in capsys.readouterr().out


@pytest.mark.slow
def test_wide_tables_are_measured_in_processes_of_their_own(monkeypatch, capsys):
    columns = load("columns", monkeypatch)
    table = columns.main(["--rows", "500", "--columns", "20", "--rounds", "1"])
    assert set(table) == {("frame", "this version"), ("array", "this version")}
    assert all(found["cpu"] > 0 for found in table.values())
    assert "peak" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_nothing_finished_is_done_again_after_a_kill(monkeypatch, capsys):
    pytest.importorskip("pyarrow")
    killed = load("killed_files", monkeypatch)
    killed.main(["--rows", "4000", "--rows-a-part", "500", "--kills", "1"])
    told = capsys.readouterr().out
    assert "1 kills: 0 finished parts written again, rows equal" in told
