"""The benchmark of tuned programs finds a word that is wrong, on made-up data."""

import gzip
import json
import pathlib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
SOURCE = """
WORDS = ["prize", "song", "free"]
def label(text):
    return 1 if any(word in text for word in WORDS) else 0
"""


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def test_tuning_mends_made_up_programs_and_is_told(tmp_path, capsys):
    from tune_programs import main

    rng = np.random.default_rng(0)
    words = {"prize": "spam", "free": "spam", "song": "ham", "you": "ham"}
    drawn = rng.choice(list(words), 240)
    parts = ["train"] * 140 + ["test"] * 100
    rows = [
        f"{part},{word} {place},{words[word]}"
        for place, (part, word) in enumerate(zip(parts, drawn, strict=True))
    ]
    with gzip.open(tmp_path / "mail.csv.gz", "wt") as file:
        file.write("\n".join(["split,text,label", *rows]) + "\n")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "p.py").write_text(SOURCE)
    (tmp_path / "classes.json").write_text(json.dumps({"mail": ["ham", "spam"]}))
    folders = [str(tmp_path), str(tmp_path)]
    options = ["--draws", "1", "--labels", "60"]
    main([*folders, "--names", "mail", "gone", *options])
    told = capsys.readouterr().out
    assert "programs changed 1.0 of 1" in told
    assert "gain +0." in told
    assert "gain +0.0000" not in told
    assert "gone        left out" in told
