"""``python -m sklearn_alchemist label``."""

import os
import re
import runpy
import sys

import joblib
import pandas as pd
import pytest
from offline_llm import offline_judge

from sklearn_alchemist import (
    CascadeAnnotator,
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.__main__ import main

TEXTS = [f"{word} number {k}" for k in range(20) for word in ("http", "song")]
SOURCES = {
    "link": "def label(text): return 'spam' if 'http' in text else None",
    "song": "def label(text): return 'ham' if 'song' in text else None",
}


@pytest.fixture(scope="module")
def labeler():
    programs = [LabelingProgram(name, source) for name, source in SOURCES.items()]
    labeler = ProgramSynthesisLabeler(
        task="Is it spam?", classes=["ham", "spam"], programs=programs
    )
    return labeler.fit(TEXTS)


@pytest.fixture(scope="module")
def annotator(labeler):
    return DistilledAnnotator(labeler).fit(TEXTS)


def write(path, n_rows=5):
    frame = pd.DataFrame({"id": range(n_rows), "text": TEXTS[:n_rows]})
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path)
    return frame


@pytest.fixture
def words(tmp_path, annotator):
    """What labels a file of five rows."""
    write(tmp_path / "texts.parquet")
    joblib.dump(annotator, tmp_path / "annotator.joblib")
    words = ["label", str(tmp_path / "texts.parquet"), str(tmp_path / "out")]
    return [*words, "--annotator", str(tmp_path / "annotator.joblib")]


def test_the_module_ends_with_the_status(words, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sklearn_alchemist", *words])
    monkeypatch.delitem(sys.modules, "sklearn_alchemist.__main__")
    for said in ("5 rows labelled in 1 parts, 0", "0 rows labelled in 0 parts, 1"):
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("sklearn_alchemist", run_name="__main__")
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(said)


def test_the_parts_of_a_file_and_the_columns_are_chosen(words, tmp_path, capsys):
    more = ["--columns", "text", "--keep", "id", "--batch-size", "2", "--n-jobs", "1"]
    assert main([*words, *more]) == 0
    assert capsys.readouterr().out.startswith("5 rows labelled in 3 parts")
    labels = pd.read_parquet(tmp_path / "out")
    assert labels["id"].tolist() == [0, 1, 2, 3, 4]
    assert labels["label"].tolist() == ["spam", "ham", "spam", "ham", "spam"]


def test_a_dry_run_tells_rows_and_seconds_and_writes_nothing(words, tmp_path, capsys):
    assert main([*words, "--dry-run"]) == 0
    said = r"rows: 5; bytes: [\d,]+; seconds: 0; 0\.00 US dollars\n"
    assert re.fullmatch(said, capsys.readouterr().out)
    assert not (tmp_path / "out").exists()


def test_a_dry_run_says_what_it_cannot_know(tmp_path, labeler, capsys):
    # The lines of a CSV file are not counted, and nobody knows how long a model takes.
    write(tmp_path / "texts.csv")
    cascade = CascadeAnnotator(
        DistilledAnnotator(labeler), offline_judge(), max_rows=1
    ).fit(TEXTS)
    joblib.dump(cascade, tmp_path / "cascade.joblib", protocol=5)
    words = ["label", str(tmp_path / "texts.csv"), str(tmp_path / "out"), "--dry-run"]
    words += ["--columns", "text", "--annotator", str(tmp_path / "cascade.joblib")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert re.fullmatch(r"rows: unknown; bytes: \d+; seconds: unknown; unknown\n", said)


def test_a_terminal_shows_how_far_it_is(words, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main([*words, "--batch-size", "2"]) == 0
    said = capsys.readouterr().err
    assert re.search(r"\r5 rows, 3 parts, [\d,]+ rows a second\n$", said)


def test_a_log_holds_no_progress(words, capsys):
    assert main(words) == 0
    assert capsys.readouterr().err == ""


def test_warnings_are_lines_that_name_no_file_of_ours(words, tmp_path, capsys):
    failing = LabelingProgram("odd", "def label(text): return 1 // 0")
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[failing])
    with pytest.warns(match="odd"):
        joblib.dump(labeler.fit(TEXTS), words[-1])
    assert main(words) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(line.startswith("warning: ") for line in lines)
    assert "odd on 5 (error)" in lines[0]


def test_what_a_pickle_needs_and_is_not_installed_is_named(words, capsys):
    # Protocol 0 is text: a function of a module that nobody has.
    with open(words[-1], "wb") as file:  # noqa: PTH123
        file.write(b"cmodule_of_nobody\nfunction\n.")
    assert main(words) == 1
    said = capsys.readouterr().err
    assert said == "error: No module named 'module_of_nobody'\n"


def test_what_labels_nothing_is_refused(words, capsys):
    joblib.dump({"a": 1}, words[-1])
    assert main(words) == 1
    assert re.fullmatch(r"error: .+\n", capsys.readouterr().err)


def test_the_command_line_says_errors_in_one_line(tmp_path, labeler, capsys):
    joblib.dump(labeler, tmp_path / "labeler.joblib")
    words = ["label", str(tmp_path / "none.csv"), str(tmp_path / "out")]
    assert main([*words, "--annotator", str(tmp_path / "labeler.joblib")]) == 1
    assert re.fullmatch(r"error: .*holds no files.*\n", capsys.readouterr().err)
    assert main([*words, "--annotator", str(tmp_path / "gone")]) == 1
    assert "joblib.dump" in capsys.readouterr().err
    (tmp_path / "odd").write_bytes(b"no pickle")
    assert main([*words, "--annotator", str(tmp_path / "odd")]) == 1
    assert "cannot be loaded" in capsys.readouterr().err


def test_a_kept_column_that_is_called_like_a_result_keeps_its_name(
    tmp_path, words, annotator, capsys
):
    frame = pd.read_parquet(tmp_path / "texts.parquet")
    words = [*words, "--keep", "label"]
    assert main(words) == 1
    message = r"no column 'label' to keep.* ours are written anyway.*\n"
    assert re.search(message, capsys.readouterr().err)
    frame.assign(label="old").to_parquet(tmp_path / "texts.parquet")
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "label is that of the source, ours is 'label (label)'" in said
    assert re.search(r"Parquet files in the folder .*out", said)
    labels = pd.read_parquet(tmp_path / "out")
    assert set(labels["label"]) == {"old"}
    assert labels["label (label)"].tolist() == list(annotator.predict(frame.text))


def test_ctrl_c_ends_the_command_line_in_one_line(words, capsys, monkeypatch):
    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", pressed)
    assert main(words) == 130
    assert "goes on from here" in capsys.readouterr().err
    monkeypatch.undo()
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("5 rows labelled in 1 parts")
