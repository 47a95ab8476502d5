"""The benchmark of cascades finds what made-up answers are worth."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler

SOURCES = {
    "free": "def label(text): return 'SPAM' if 'free' in text else None",
    "http": "def label(text): return 'SPAM' if 'http' in text else None",
    "song": "def label(text): return 'HAM' if 'song' in text else None",
    "love": "def label(text): return 'HAM' if 'love' in text else None",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import cascade
    import record_answers
    from _answers import Answers, digest, write_answers
    from _text_sets import read_text_set

    rng = np.random.default_rng(0)
    rows = ["split,text,label"]
    for i in range(240):
        spam, hard = bool(rng.integers(2)), rng.random() < 0.3
        words = [["song", "love"], ["free", "http"]][spam != (hard and i % 2)]
        said = [*rng.choice(words, 2), *(["song", "free"] if hard else [])]
        label = "SPAM" if spam else "HAM"
        rows.append(f"{('train', 'test')[i % 2]},{' '.join(said)} {i},{label}")
    with gzip.open(tmp_path / "youtube.csv.gz", "wt") as file:
        file.write("\n".join(rows))
    programs = [LabelingProgram(name, source) for name, source in SOURCES.items()]
    labeler = ProgramSynthesisLabeler(
        task="Spam?", classes=["HAM", "SPAM"], programs=programs
    )
    for module in (cascade, record_answers):
        monkeypatch.setattr(module, "labeler_of", lambda *_: labeler)
    data = read_text_set(tmp_path, "youtube")
    drawn, n_rows = record_answers.draw(data, record_answers.split(data), labeler)
    names = {i: digest(data.texts[i]) for rows in drawn.values() for i in rows}
    label = {name: data.labels[i] for i, name in names.items()}
    part = {names[i]: part for part, rows in drawn.items() for i in rows}
    (tmp_path / "answers").mkdir()
    write_answers(
        tmp_path / "answers" / "youtube.jsonl", Answers(label, part, n_rows, "gold")
    )
    return tmp_path


@pytest.mark.slow
def test_a_model_that_is_always_right_gains_what_its_share_allows(folder, capsys):
    from cascade import main

    main([str(folder), "--recordings", str(folder), "--replicates", "20"])
    told = capsys.readouterr().out
    assert "model alone         1.000 (1.000 to 1.000)" in told
    assert "10% read" in told
    assert "times that of random records" in told
