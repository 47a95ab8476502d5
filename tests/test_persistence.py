"""What was written to a file is read again: by this version, and from earlier ones."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
from data_files.write import NEW, PROGRAMS, TEXTS, answers, estimators
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from sklearn_alchemist import ProgramSynthesisLabeler

FILES = Path(__file__).parent / "data_files"
VERSIONS = sorted(path.name for path in FILES.iterdir() if path.name[0].isdigit())
FITTED = ["labeler", "aggregator", "annotator", "cascade"]


@pytest.fixture(scope="module")
def fitted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so few texts leave much in doubt
        return estimators()


def read(path):
    """Load a file of an earlier version, beside whatever scikit-learn is here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        if path.suffix == ".skops":
            return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
        return joblib.load(path)


def test_the_files_of_the_first_release_are_there():
    assert "0.1.0" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_fits_of_earlier_versions_say_what_they_said(version):
    expected = json.loads((FILES / version / "expected.json").read_text())
    loaded = {name: read(FILES / version / f"{name}.joblib") for name in FITTED}
    now = answers(loaded)
    assert now["votes"] == expected["votes"]
    for name in FITTED[1:]:
        np.testing.assert_allclose(now[name], expected[name], atol=1e-6)
    by_skops = read(FILES / version / "annotator.skops")
    np.testing.assert_allclose(by_skops.predict_proba(NEW), now["annotator"])


@pytest.mark.parametrize("version", VERSIONS)
def test_fits_of_earlier_versions_go_on_learning(version):
    annotator = read(FILES / version / "annotator.joblib")
    y = [None] * len(TEXTS)
    y[:6] = ["spam"] * 3 + ["ham"] * 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        annotator.update(y)
    assert annotator.predict(NEW[:2]).tolist() == ["spam", "ham"]
    assert len(annotator.annotate(NEW).label) == len(NEW)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["zero_shot", "concepts", "images", *FITTED])
def test_parameters_of_earlier_versions_are_kept(version, name):
    estimator = read(FILES / version / f"{name}.joblib")
    assert isinstance(estimator, BaseEstimator)
    assert estimator.get_params(deep=False)
    if name in ("zero_shot", "concepts"):
        model = estimator.get_params()["llm"]
        assert (model.model, model.max_cost) == ("openai/gpt-4o-mini", 1.0)


@pytest.mark.parametrize("version", VERSIONS)
def test_folders_of_earlier_versions_are_read(version):
    folder = FILES / version / "programs"
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=folder)
    expected = json.loads((FILES / version / "expected.json").read_text())
    assert labeler.fit(TEXTS).transform(NEW).tolist() == expected["votes"]
    assert [program.name for program in labeler.programs_] == list(PROGRAMS)


@pytest.mark.parametrize("name", FITTED)
def test_skops_keeps_each_estimator_and_needs_our_types_only(fitted, name):
    data = skops.io.dumps(fitted[name])
    types = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("sklearn_alchemist.") for name in types)
    again = {**fitted, name: skops.io.loads(data, trusted=types)}
    assert answers(again) == answers(fitted)


@pytest.mark.slow
def test_joblib_files_are_read_by_another_process(fitted, tmp_path):
    path = tmp_path / "annotator.joblib"
    joblib.dump(fitted["annotator"], path, compress=3)
    code = f"import joblib; print(joblib.load({str(path)!r}).predict({NEW!r}).tolist())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(fitted["annotator"].predict(NEW).tolist())
