import importlib
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


def test_the_oracle_is_the_rule_of_bayes():
    """Its probabilities are right as often as they say."""
    from _regimes import REGIMES, regime

    for name in REGIMES:
        problem = regime(name, seed=0, n_samples=4000, n_programs=6, n_classes=3)
        proba = problem.oracle(problem.votes)
        assert_allclose(proba.sum(axis=1), 1)
        right = proba.argmax(axis=1) == problem.y
        error = np.sqrt((proba.max(axis=1) * (1 - proba.max(axis=1))).mean() / 4000)
        assert abs(right.mean() - proba.max(axis=1).mean()) < 5 * error, name


def test_only_the_families_that_are_asked_for_are_made(tmp_path):
    from _vote_families import all_families

    votes = np.random.default_rng(0).integers(-1, 2, (50, 4))
    np.savez(tmp_path / "set_author.npz", L=votes, y=np.resize([0, 1], 50))
    asked = list(all_families(tmp_path, None, ["matrices", "made"]))
    assert [(held.family, held.name) for held in asked] == [("matrices", "set_author")]
    assert {held.family for held in all_families(tmp_path, None)} == {
        "matrices",
        "regimes",
    }


def test_constants_to_be_judged_are_there():
    from label_constants import CONSTANTS, WITH_LABELS

    for module, names in (CONSTANTS | WITH_LABELS).items():
        held = vars(importlib.import_module(f"sklearn_alchemist.label_model.{module}"))
        assert [name for name in names if name not in held] == []


@pytest.mark.slow
def test_recorded_programs_are_those_of_ten_calls():
    from _text_sets import TextSet
    from _vote_families import programs_of

    labels = np.array(["ham", "spam"])
    texts = TextSet("youtube", np.array(["nice song", "my channel"]), labels, labels)
    found = dict(programs_of(texts, None))
    assert sorted(found) == ["ours-1", "ours-2", "plain-1", "plain-2"]
    assert all(5 <= len(programs) <= 10 for programs in found.values())


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path):
    np.savez(
        tmp_path / "set.npz",
        L=np.random.default_rng(0).integers(-1, 2, (50, 4)),
        y=np.resize([0, 1], 50),
    )
    command = [sys.executable, BENCHMARKS / "label_models.py", "--seeds", "1"]
    command += ["--sizes", "200,6,2", "--votes", tmp_path, "--only", "ours"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "mean regret" in done.stdout
    assert "copies 60 %" in done.stdout
    assert "\nset " in done.stdout
