"""The benchmark of Waterbirds, on a few made-up embeddings and a scripted model."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
def label(a_photo_of_a_landbird, a_photo_of_a_waterbird):
    lead = a_photo_of_a_waterbird - a_photo_of_a_landbird
    return "waterbird" if lead > {} else "landbird"
"""


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import waterbirds

    yield waterbirds
    sys.modules.pop("waterbirds", None)


@pytest.mark.slow
def test_zero_shot_and_programs_stand_side_by_side(
    benchmark, server, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    rng = np.random.default_rng(0)
    y, place = np.arange(80) % 2, np.arange(80) // 2 % 2
    # One direction a class, and one that all images share; water adds to the second.
    images = 0.1 * rng.normal(size=(80, 3)) + [0, 0, 1]
    images[np.arange(80), y] += 1
    images[:, 1] += 0.2 * place
    path = tmp_path / "embeddings.npz"
    np.savez(
        path,
        image_emb=images.astype(np.float16),
        text_emb=np.eye(2, 3, dtype=np.float32),
        text_prompts=["a photo of a landbird.", "a photo of a waterbird."],
        y=y,
        place=place,
    )
    asked = iter(np.linspace(-0.1, 0.1, 30))
    server.answer = lambda request: PROGRAM.format(next(asked))
    benchmark.main(
        [str(path), "--model", "openai/test", "--api-base", server.api_base,
         "--store", str(tmp_path / "s.sqlite"), "--record", str(tmp_path / "r.jsonl")]
    )  # fmt: skip
    printed = capsys.readouterr().out
    shares = re.findall(
        r"^(zero-shot|scaled|programs, \w+) +(\d\.\d+) +(\d\.\d+)", printed, re.M
    )
    assert [name for name, *_ in shares] == [
        "zero-shot", "scaled", "programs, majority_vote", "programs, dawid_skene"
    ]  # fmt: skip
    assert all(0.9 < float(average) <= 1 for _, average, _ in shares)
    assert "(n = 20)" in printed
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 10
