"""A model labels a random sample of the training records, at a constant cost."""

import json
import pickle
import re

import numpy as np
import pytest
from chat_server import Reply
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.exceptions import BudgetError, LabelsWarning

CLASSES = ["ham", "spam"]
LINK = LabelingProgram(
    "link", "def label(text): return 'spam' if 'http' in text else None"
)
SONG = LabelingProgram(
    "song", "def label(text): return 'ham' if 'song' in text else None"
)
TEXTS = [f"{('http', 'song')[k % 2]} number {k}" for k in range(300)]
PRICES = {"input": 1.0, "output": 2.0}
DOLLARS = 0.0002  # a call: 100 tokens of prompt and 50 of answer


def records_of(request):
    return re.findall(r'^\d+\. "(.*)"$', request["messages"][-1]["content"], re.M)


def judge(request, say=lambda text: "spam" if "http" in text else "ham"):
    labels = [
        {"record": place, "label": say(text)}
        for place, text in enumerate(records_of(request), 1)
    ]
    return json.dumps({"labels": labels})


@pytest.fixture
def llm(server, own_store):
    server.answer = judge
    return LLM("openai/test", api_base=server.api_base, store=own_store)


def annotator_of(llm, **parameters):
    labeler = ProgramSynthesisLabeler(
        llm, task="Is it spam?", classes=CLASSES, programs=[LINK, SONG], n_programs=2
    )
    return DistilledAnnotator(labeler, n_llm_labels=200, **parameters)


def test_nothing_is_shown_unless_asked_for(server, llm):
    annotator_of(llm).set_params(n_llm_labels=0).fit(TEXTS)
    assert not server.requests


def test_two_hundred_records_take_ten_calls_whatever_the_size(server, llm):
    texts = [f"{text}, {k}" for k in range(4) for text in TEXTS]
    annotator = annotator_of(llm).fit(texts)
    assert len(server.requests) == 10
    shown = {text for request in server.requests for text in records_of(request)}
    assert len(shown) == 200
    assert shown <= set(texts)
    assert annotator.label_use_["model"] == 200
    assert annotator.label_use_["accuracies"] == 200
    assert annotator.label_use_["given"] == annotator.label_use_["student"] == 0
    assert annotator.llm_usage_.paid.calls == 10


def test_answers_are_paid_once_and_searches_share_them(server, llm):
    annotator = annotator_of(llm).fit(TEXTS)
    clone(annotator).fit(TEXTS)
    assert len(server.requests) == 10
    search = GridSearchCV(annotator, {"n_rounds": [0, 1]}, cv=2, refit=False)
    search.fit(TEXTS, ["spam", "ham"] * 150)
    n_asked = len(server.requests)
    assert n_asked <= 10 + 2 * 8
    search.fit(TEXTS, ["spam", "ham"] * 150)
    assert len(server.requests) == n_asked


def test_labels_of_people_win_and_are_not_asked_for(server, llm):
    y = np.full(300, None)
    y[:150] = np.where(np.arange(150) % 2, "ham", "spam")
    annotator = annotator_of(llm, learn_from_labels=True).fit(TEXTS, y, label_proba=1.0)
    shown = {text for request in server.requests for text in records_of(request)}
    assert shown == set(TEXTS[150:])
    assert annotator.label_use_["given"] == 150
    assert annotator.label_use_["model"] == 150
    annotator.update(np.where(np.arange(300) % 2, "ham", "spam"), label_proba=1.0)
    assert annotator.label_use_["model"] == 0
    assert annotator.label_use_["given"] == 300


def test_a_cap_is_that_of_the_whole_fit(server, llm):
    capped = llm.having(
        prices=PRICES, max_cost=4.5 * DOLLARS, params={"max_tokens": 50}
    )
    with pytest.raises(BudgetError):
        annotator_of(capped.having(max_cost=DOLLARS / 10)).fit(TEXTS)
    assert not server.requests
    annotator = annotator_of(llm.having(max_calls=4)).fit(TEXTS)
    assert len(server.requests) == 4
    assert annotator.label_use_["model"] == 80


def test_what_is_refused_or_no_class_is_no_label(server, llm):
    answers = iter([Reply(text="I can't", finish_reason="stop")])
    server.answer = lambda request: next(answers, None) or judge(request)
    annotator = annotator_of(llm).fit(TEXTS)
    assert annotator.label_use_["model"] == 180


@pytest.mark.parametrize("say", [lambda text: "spam", lambda text: "ham"])
def test_a_model_that_knows_one_class_teaches_nothing_and_it_is_told(server, llm, say):
    server.answer = lambda request: judge(request, say)
    plain = annotator_of(llm).set_params(n_llm_labels=0).fit(TEXTS)
    with pytest.warns(LabelsWarning, match="hardly more than by chance"):
        annotator = annotator_of(llm).fit(TEXTS)
    np.testing.assert_allclose(
        annotator.predict_proba(TEXTS), plain.predict_proba(TEXTS)
    )


def test_a_model_that_is_worse_than_the_programs_does_little_harm(server, llm):
    rng = np.random.default_rng(0)
    wrong = {text for text in TEXTS if rng.random() < 0.3}

    def say(text):
        return "spam" if ("http" in text) ^ (text in wrong) else "ham"

    server.answer = lambda request: judge(request, say)
    gold = np.where(np.arange(300) % 2, "ham", "spam")
    assert annotator_of(llm).fit(TEXTS).score(TEXTS, gold) > 0.95


def test_a_biased_set_of_programs_is_set_right(server, llm):
    never = LabelingProgram("never", "def label(text): return 'ham'")
    annotator = annotator_of(llm).set_params(labeler__programs=[LINK, SONG, never])
    gold = np.where(np.arange(300) % 2, "ham", "spam")
    assert annotator.fit(TEXTS).score(TEXTS, gold) > 0.95


def test_a_labeler_without_a_model_or_task_is_told_before_anything_runs():
    labeler = ProgramSynthesisLabeler(classes=CLASSES, programs=[LINK])
    with pytest.raises(ValueError, match="labeler has none"):
        DistilledAnnotator(labeler, n_llm_labels=20).fit(TEXTS)
    model = LLM.from_callable(lambda prompt: "ham")
    with pytest.raises(ValueError, match="task is empty"):
        DistilledAnnotator(labeler.set_params(llm=model), n_llm_labels=20).fit(TEXTS)


def test_a_fitted_annotator_pickles_and_promises_by_the_models_labels(server, llm):
    annotator = annotator_of(llm).fit(TEXTS)
    again = pickle.loads(pickle.dumps(annotator))
    assert again.predict(TEXTS[:4]).tolist() == ["spam", "ham", "spam", "ham"]
    assert again.annotate(TEXTS, target_error=0.05).promise.n_labels == 200


@pytest.mark.parametrize("n_labels", [0, 30, 200])
def test_what_is_told_before_is_what_is_asked(server, llm, n_labels):
    texts = [f"http {k % 70}" for k in range(80)] + TEXTS  # some are equal
    priced = llm.having(prices=PRICES, params={"max_tokens": 400})
    annotator = annotator_of(priced).set_params(n_llm_labels=n_labels)
    told = annotator.estimate_cost(texts)
    assert not server.requests
    paid = annotator.fit(texts)
    assert told.calls == len(server.requests)
    assert told.stored == 0
    if n_labels:
        assert told.dollars < told.max_dollars
        assert paid.llm_usage_.dollars <= told.max_dollars
    again = annotator.estimate_cost(texts)
    assert (again.calls, again.stored, again.dollars) == (0, told.calls, 0)


def test_what_is_told_knows_programs_to_be_written_and_labels_of_people(server, llm):
    annotator = annotator_of(llm).set_params(labeler__n_programs=5)
    programs = annotator.labeler.estimate_cost(TEXTS)
    assert programs.calls
    assert annotator.estimate_cost(TEXTS).calls == programs.calls + 10
    y = np.where(
        np.arange(300) < 250, np.where(np.arange(300) % 2, "ham", "spam"), None
    )
    learning = annotator.set_params(learn_from_labels=True)
    assert learning.estimate_cost(TEXTS, y).calls == programs.calls + 3
    assert not server.requests


def test_what_cannot_be_asked_is_told_instead_of_a_cost():
    labeler = ProgramSynthesisLabeler(classes=CLASSES, programs=[LINK])
    annotator = DistilledAnnotator(labeler)
    assert annotator.estimate_cost(TEXTS).calls == 0
    with pytest.raises(ValueError, match="labeler has none"):
        annotator.set_params(n_llm_labels=20).estimate_cost(TEXTS)
