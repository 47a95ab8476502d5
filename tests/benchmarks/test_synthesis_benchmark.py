"""The benchmark of synthesis, on a few rows and a scripted model."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield
    for name in ("synthesis", "small_model", "_bootstrap", "_plain", "_tasks"):
        sys.modules.pop(name, None)


PLAIN = "```python\ndef label_function(c):\n    return 1 if '{}' in c else 0\n```"
OURS = "def label(text):\n    return 'SPAM' if '{}' in text else 'HAM'\n"


def write_rows(folder):
    texts = [f"see http://x.example {i}" for i in range(40)]
    texts += [f"a nice song {i}" for i in range(40)]
    labels = ["SPAM"] * 40 + ["HAM"] * 40
    rows = pd.DataFrame({"split": ["train", "test"] * 40, "text": texts})
    rows.assign(label=labels).to_csv(folder / "youtube.csv.gz", index=False)


@pytest.mark.slow
def test_it_records_scores_and_compares_both_ways(server, tmp_path, capsys):
    import synthesis

    def answer(request):
        question = request["messages"][-1]["content"]
        # The same answer in any order of the questions.
        word = ["http", "x"][len(question) % 2]
        return (PLAIN if "bug-free" in question else OURS).format(word)

    server.answer = answer
    write_rows(tmp_path)
    options = [str(tmp_path), "--names", "youtube", "--recordings", str(tmp_path)]
    options += ["--stores", str(tmp_path)]
    model = ["--record", "--model", "openai/test", "--api-base", server.api_base]
    synthesis.main([*options, *model, "--repeats", "1", "--answered-by", "a script"])
    first = capsys.readouterr().out
    assert len(server.requests) == 10 + 10
    assert "a script" in (tmp_path / "youtube-ours-1.jsonl").read_text()
    table = first[first.index("majority vote  youtube") :]
    assert "aggregator     mean" in table
    synthesis.main(options)
    assert capsys.readouterr().out.endswith(table)
    assert len(server.requests) == 10 + 10


SCORES = "def label(text):\n    return {{'SPAM': text.count('{}'), 'HAM': 0.5}}\n"


@pytest.mark.slow
def test_levers_are_recorded_once_and_compared_at_ten_calls(server, tmp_path, capsys):
    import synthesis

    def answer(request):
        question = request["messages"][-1]["content"]
        word = ["http", "x"][len(question) % 2]
        return (SCORES if "Return scores" in question else OURS).format(word)

    server.answer = answer
    write_rows(tmp_path)
    options = [str(tmp_path), "--names", "youtube", "--recordings", str(tmp_path)]
    options += ["--stores", str(tmp_path), "--levers", "--places", "2"]
    model = ["--record", "--only-record", "--model", "openai/test"]
    model += ["--api-base", server.api_base, "--answered-by", "a script"]
    synthesis.main([*options, *model])
    assert len(server.requests) == 10 + synthesis.N_SCORING_RECORDED
    # All at once, whoever answers: nothing waits for an answer.
    assert (tmp_path / "youtube-levers-2.jsonl").exists()
    (tmp_path / "youtube-ours-1.jsonl").write_bytes(
        (synthesis.Path(synthesis.__file__).parent / "recordings")
        .joinpath("youtube-ours-1.jsonl")
        .read_bytes()
    )
    synthesis.main([*options, "--rows", "30"])
    table = capsys.readouterr().out
    for way in ("plan", "scores", "gate"):
        assert f"{way} beside plan of version 3:" in table
    assert len(server.requests) == 10 + synthesis.N_SCORING_RECORDED


@pytest.mark.slow
def test_a_bootstrap_covers_rows_and_recordings():
    from _bootstrap import differences, interval

    rng = np.random.default_rng(0)
    same = {"a": rng.random((2, 500)) < 0.8}
    assert interval(differences(same, same)["a"])[0] < 0
    better = {"a": np.ones((2, 500), dtype=bool)}
    low, high = interval(differences(better, same)["mean"])
    assert 0.1 < low < high < 0.3


@pytest.mark.slow
def test_both_styles_of_a_small_model_are_compared(server, tmp_path, capsys):
    import small_model

    def answer(request):
        if "response_format" in request:
            asked = request["messages"][-1]["content"]
            target = "http" if "the class 'SPAM'" in asked else "song"
            return f'{{"phrases": [{{"text": "{target}", "weight": 2}}]}}'
        return "def label(text): return 'SPAM'"

    server.answer = answer
    write_rows(tmp_path)
    small_model.main(
        [str(tmp_path), "--n-programs", "4", "--api-base", server.api_base]
    )
    free, structured = re.findall(r"majority vote (\d\.\d+)", capsys.readouterr().out)
    assert (free, structured) == ("0.500", "1.000")
