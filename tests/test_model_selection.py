import functools
import pickle
import re
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from offline_llm import write_program
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.distillation import text_student
from sklearn_alchemist.exceptions import LabelsWarning

CLASSES = ["ham", "spam"]
TEXTS = [f"{word} number {i}" for i in range(30) for word in ("see http", "a song")]
GOLD = ["spam", "ham"] * 30


@pytest.fixture
def pipeline(server, own_store):
    server.answer = lambda request: write_program(request["messages"][1]["content"])
    # By name: worker processes may be older than the environment of this test.
    llm = LLM("openai/test", api_base=server.api_base, store=own_store)
    labeler = ProgramSynthesisLabeler(llm, task="Spam?", classes=CLASSES, n_programs=10)
    aggregator = LabelModelAggregator(classes=CLASSES)
    return Pipeline([("label", labeler), ("aggregate", aggregator)])


@pytest.mark.slow
def test_a_cold_search_in_two_processes_asks_each_question_once(server, pipeline):
    grid = {"aggregate__method": ["dawid_skene", "majority_vote"]}
    grid["aggregate__class_prior"] = ["uniform"]
    three = [grid, {"aggregate__class_prior": ["estimate"]}]
    search = GridSearchCV(pipeline, three, cv=3, n_jobs=2, error_score="raise")
    search.fit(TEXTS, GOLD)
    assert len(search.cv_results_["params"]) == 3
    assert len(server.requests) == 10


@pytest.mark.slow
def test_a_cold_search_pays_repairs_and_knowledge_once(server, pipeline):
    def answer(request):
        *before, last = request["messages"]
        if "Reply in plain text" in last["content"]:
            return "Links give spam away."
        if len(before) == 1 and "vocabulary" in last["content"]:
            return "def label(text): return 1 / 0"
        return write_program(request["messages"][1]["content"])

    server.answer = answer
    pipeline.set_params(label__prior_knowledge="rules")
    grid = {"aggregate__class_prior": ["estimate", "uniform", [0.4, 0.6]]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise")
    search.fit(TEXTS, GOLD)
    labeler = search.best_estimator_["label"]
    n_repairs = labeler.usage_.repaired.calls
    assert 1 <= n_repairs <= labeler.max_repairs
    assert len(server.requests) == labeler.n_programs + n_repairs + 1


@pytest.mark.slow
def test_a_second_search_asks_nothing(server, pipeline):
    pipeline.fit(TEXTS, GOLD)
    cross_val_score(pipeline, TEXTS, GOLD, cv=3, error_score="raise")
    assert len(server.requests) == 10


@pytest.mark.slow
def test_a_search_over_all_parts_of_an_annotator_asks_nothing_after_the_first_fit(
    server, pipeline
):
    labeler = pipeline["label"].fit(TEXTS, GOLD)
    asked = len(server.requests)
    grid = {
        "aggregator__method": ["dawid_skene", "majority_vote"],
        "estimator__logisticregression__C": [1.0, 10.0],
        "predict_with": ["both", "student"],
        "n_rounds": [0, 1],
    }
    annotator = DistilledAnnotator(
        labeler, LabelModelAggregator(classes=CLASSES), text_student(TEXTS)
    )
    search = GridSearchCV(annotator, grid, cv=2, error_score="raise")
    search.fit(TEXTS, GOLD)
    assert len(search.cv_results_["params"]) == 16
    assert search.best_estimator_.predict(TEXTS).shape == (len(TEXTS),)
    assert len(server.requests) == asked


@pytest.mark.slow
def test_a_fold_without_a_class_does_not_shift_the_votes(pipeline):
    y = np.array(GOLD)
    ham, spam = np.flatnonzero(y == "ham"), np.flatnonzero(y == "spam")
    whole = pipeline.fit(TEXTS, y).predict(TEXTS)
    part = pipeline.fit([TEXTS[i] for i in ham], y[ham])
    assert part.classes_.tolist() == CLASSES
    votes = part["label"].transform([TEXTS[i] for i in spam])
    again = pipeline.fit(TEXTS, y)["label"].transform([TEXTS[i] for i in spam])
    np.testing.assert_array_equal(votes, again)
    assert set(whole) <= set(CLASSES)


@pytest.mark.slow
def test_a_fitted_labeler_works_in_a_process_without_litellm(
    pipeline, tmp_path, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-the-environment")
    labeler = pipeline.fit(TEXTS, GOLD)["label"]
    path = tmp_path / "labeler.pickle"
    path.write_bytes(pickle.dumps(labeler))
    code = """
        import pickle, sys
        sys.modules["litellm"] = None  # any import of it fails from here on
        labeler = pickle.load(open(sys.argv[1], "rb"))
        print(repr(labeler.transform(["see http", "a song"]).tolist()))
        repr(labeler)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = labeler.transform(["see http", "a song"]).tolist()
    assert run.stdout.strip() == repr(expected)


@pytest.mark.slow
def test_no_key_is_found_in_what_is_kept(server, pipeline, monkeypatch, own_store):
    key = "the-key-of-the-environment"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    labeler = pipeline.fit(TEXTS, GOLD)["label"]
    assert server.authorizations[0] == f"Bearer {key}"
    assert key.encode() not in pickle.dumps(labeler)
    assert key not in repr(labeler)
    assert key not in str(labeler.get_params())
    assert key not in labeler._repr_html_()
    assert key.encode() not in own_store.read_bytes()


def warnings_of(action, call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        call()
    return [w for w in caught if issubclass(w.category, LabelsWarning)]


def test_a_search_says_once_what_each_fold_would_say():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 61)
    votes = np.where(rng.random((61, 4)) < 0.8, y[:, np.newaxis], -1)
    model = LabelModelAggregator(classes=["a", "b"], semi_supervised=True)
    labels = np.array(["a", "b"])[y]

    def search():  # folds of 40 and 41 labels
        GridSearchCV(model, {"temperature": [1.0, 2.0]}, cv=3).fit(votes, labels)

    once = warnings_of("default", search)
    assert len(once) == 1
    assert once[0].filename == __file__
    assert len(warnings_of("always", search)) == 7
    validate = functools.partial(cross_val_score, model, votes, labels)
    assert len(warnings_of("default", validate)) == 1
    # Who fits again is told again, as far as Python's own registry goes.
    for _ in range(2):
        assert len(warnings_of("default", lambda: model.fit(votes, labels))) == 1


def test_a_parameter_of_a_part_that_is_none_says_what_to_pass():
    model = DistilledAnnotator(ProgramSynthesisLabeler(classes=CLASSES))
    search = GridSearchCV(model, {"aggregator__method": ["one_coin"]}, cv=2)
    message = "aggregator is None, the default: pass aggregator=LabelModelAggregator()"
    with pytest.raises(ValueError, match=re.escape(message)):
        search.fit(TEXTS, GOLD)
    model.set_params(aggregator=LabelModelAggregator(), aggregator__method="one_coin")
    assert model.aggregator.method == "one_coin"
    with pytest.raises(ValueError, match="Invalid parameter 'aggregate'"):
        model.set_params(aggregate__method="one_coin")
