import json
import os
import pickle
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from chat_server import Reply
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from sklearn_alchemist import LLM, ZeroShotAnnotator
from sklearn_alchemist.exceptions import (
    AlchemistWarning,
    AnswerWarning,
    BudgetError,
    LLMError,
    OfflineError,
)
from sklearn_alchemist.llm import _pacing

CLASSES = {"ham": "wanted", "spam": "advertising"}
TEXTS = [f"{word} {i}" for i in range(10) for word in ("http", "song")]
GOLD = ["spam", "ham"] * 10


def judge(request):
    """Answer as a model would that reads links as spam."""
    asked = request["messages"][-1]["content"]
    numbered = re.findall(r'^(\d+)\. "(.*)"$', asked, re.MULTILINE)
    if numbered:
        labels = [
            {"record": int(i), "label": "spam" if "http" in text else "ham"}
            for i, text in numbered
        ]
        return json.dumps({"labels": labels})
    return json.dumps({"label": "spam" if "http" in asked else "ham"})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(_pacing, "wait", lambda seconds, given_up: None)


@pytest.fixture
def llm(server, own_store):
    server.answer = judge
    return LLM("openai/test", api_base=server.api_base, store=own_store)


@pytest.fixture
def annotator(llm):
    return ZeroShotAnnotator(llm, task="Is it spam?", classes=CLASSES).fit(TEXTS)


@pytest.mark.slow
def test_fit_asks_nothing_and_predict_one_call_a_record(server, annotator):
    assert server.requests == []
    assert annotator.predict(TEXTS).tolist() == GOLD
    assert len(server.requests) == len(TEXTS)
    assert annotator.score(TEXTS, GOLD) == 1


@pytest.mark.slow
def test_what_was_answered_is_not_asked_again(server, annotator):
    annotator.predict(TEXTS)
    annotator.predict_proba(TEXTS)
    clone(annotator).fit(TEXTS).annotate(TEXTS[::-1])
    assert len(server.requests) == len(TEXTS)


def test_equal_records_are_asked_about_once(server, annotator):
    assert annotator.predict(["song", "http", "song"]).tolist() == [
        "ham",
        "spam",
        "ham",
    ]
    assert len(server.requests) == 2


@pytest.mark.slow
def test_folds_share_their_answers(server, annotator):
    scores = cross_val_score(annotator, TEXTS, GOLD, cv=4, error_score="raise")
    assert scores.tolist() == [1.0] * 4
    assert len(server.requests) == len(TEXTS)


@pytest.mark.slow
def test_some_records_can_share_a_call(server, annotator):
    annotator.set_params(rows_per_call=6)
    assert annotator.predict(TEXTS).tolist() == GOLD
    assert len(server.requests) == 4
    annotator.set_params(rows_per_call=19)  # the last record is asked about alone
    assert annotator.predict(TEXTS).tolist() == GOLD


def test_the_answer_is_asked_for_by_a_schema_at_temperature_zero(server, annotator):
    annotator.predict(TEXTS[:1])
    (request,) = server.requests
    assert request["temperature"] == 0
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["label"]["enum"] == ["ham", "spam"]


@pytest.mark.slow
def test_the_users_own_parameters_win(server, llm):
    model = replace(llm, params={"temperature": 0.5})
    ZeroShotAnnotator(model, task="Spam?", classes=CLASSES).fit(TEXTS).predict(TEXTS)
    assert {request["temperature"] for request in server.requests} == {0.5}


@pytest.mark.slow
def test_a_server_that_knows_no_schemas_is_asked_without(server, annotator):
    def answer(request):
        if "response_format" in request:
            return Reply("response_format is not supported", 400)
        return "I would call this one " + json.loads(judge(request))["label"]

    server.answer = answer
    with pytest.warns(AlchemistWarning, match="it is asked without"):
        predicted = annotator.predict(TEXTS)
    assert predicted.tolist() == GOLD


@pytest.mark.slow
def test_an_answer_that_is_no_class_is_uniform_and_flagged(server, annotator):
    server.answer = lambda r: "eggs" if "song 3" in str(r["messages"]) else judge(r)
    with pytest.warns(AnswerWarning, match="1 of 20 answers are none of the classes"):
        proba = annotator.predict_proba(TEXTS)
    odd = TEXTS.index("song 3")
    assert proba[odd].tolist() == [0.5, 0.5]
    annotation = annotator.annotate(TEXTS)
    assert np.flatnonzero(annotation.flag).tolist() == [odd]
    assert annotation.confidence[odd] == 0.5
    assert annotation.answer[odd] == "eggs"
    assert annotation.usage.cached.calls == 20


def test_annotate_gives_a_frame_with_the_index_of_the_records(annotator):
    series = pd.Series(TEXTS[:3], index=[5, 6, 7])
    frame = annotator.annotate(series, as_frame=True)
    assert frame.index.tolist() == [5, 6, 7]
    assert frame.columns.tolist() == ["label", "confidence", "flag", "answer"]


def test_tables_are_asked_about_row_by_row(server, llm):
    frame = pd.DataFrame({"link": ["http", None], "n": [1, 2]})
    annotator = ZeroShotAnnotator(llm, task="Spam?", classes=CLASSES).fit(frame)
    assert annotator.predict(frame).tolist() == ["spam", "ham"]
    asked = [request["messages"][-1]["content"] for request in server.requests]
    assert any('{"link": null, "n": 2}' in text for text in asked)


@pytest.mark.slow
def test_a_record_that_the_provider_refuses_does_not_cost_the_others(server, annotator):
    def answer(request):
        if "song 3" in str(request["messages"]):
            # As OpenAI says it.
            error = {"code": "context_length_exceeded", "type": "invalid_request_error"}
            error["message"] = "This model's maximum context length is 8 tokens."
            return Reply(status=400, body=json.dumps({"error": error}).encode())
        return judge(request)

    server.answer = answer
    annotation = annotator.annotate(TEXTS)
    assert np.flatnonzero(annotation.flag).tolist() == [TEXTS.index("song 3")]
    right = annotation.label == GOLD
    assert right[~annotation.flag].all()
    answered = [r for r in server.requests if "song 3" not in str(r["messages"])]
    assert len(answered) == len(TEXTS) - 1


def test_a_refused_key_is_an_error_and_no_row(server, annotator):
    server.answer = lambda request: Reply("who are you?", 401)
    with pytest.raises(LLMError, match="refuses the key"):
        annotator.predict(TEXTS)


@pytest.mark.slow
def test_the_budget_holds_and_what_was_paid_is_kept(server, llm):
    model = replace(llm, max_calls=5)
    annotator = ZeroShotAnnotator(model, task="Spam?", classes=CLASSES).fit(TEXTS)
    with pytest.raises(BudgetError, match="max_calls=5"):
        annotator.predict(TEXTS)
    annotator.predict(TEXTS[:5])
    assert len(server.requests) == 5
    annotator.predict(TEXTS[:10])
    assert len(server.requests) == 10


def test_offline_answers_come_from_the_store(server, llm, annotator):
    annotator.predict(TEXTS[:4])
    annotator.set_params(llm=replace(llm, offline=True))
    assert annotator.predict(TEXTS[:4]).tolist() == GOLD[:4]
    with pytest.raises(OfflineError):
        annotator.predict(TEXTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": " "}, "task is empty"),
        ({"classes": None}, "requires y to be passed"),
        ({"classes": ["ham"]}, "at least 2 classes"),
        ({"rows_per_call": 0}, "rows_per_call"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(
    server, annotator, change, message
):
    with pytest.raises(ValueError, match=message):
        annotator.set_params(**change).fit(TEXTS)
    assert server.requests == []


@pytest.mark.slow
def test_y_names_the_classes_where_nobody_else_does(server, llm):
    annotator = ZeroShotAnnotator(llm, task="Spam?").fit(TEXTS, GOLD)
    assert annotator.predict(TEXTS).tolist() == GOLD


@pytest.mark.slow
def test_it_pickles(annotator):
    again = pickle.loads(pickle.dumps(annotator))
    assert again.predict(TEXTS).tolist() == GOLD


PREDICT = """
    import sys, warnings
    from sklearn_alchemist import LLM, ZeroShotAnnotator

    api_base, store, n_rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
    llm = LLM("openai/test", api_base=api_base, store=store, n_concurrent=8)
    texts = [f"{w} {i}" for i in range(n_rows // 2) for w in ("http", "song")]
    annotator = ZeroShotAnnotator(llm, task="Spam?", classes=["ham", "spam"])
    annotator.fit(texts).predict(texts)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(server, own_store):
    """A tenth of the calls fail, and the process is killed half-way."""
    n_rows, n_concurrent, answered = 160, 8, []
    lock, half = threading.Lock(), threading.Event()

    def answer(request):
        with lock:
            if len(server.requests) % 10 == 0:
                status = (429, 500, 503)[len(server.requests) // 10 % 3]
                return Reply("busy", status, {"retry-after": "0.2"})
            answered.append(request["messages"][-1]["content"])
            if len(answered) == n_rows // 2:
                half.set()
        return Reply(judge(request), seconds=0.05)

    server.answer = answer
    arguments = [server.api_base, str(own_store), str(n_rows)]
    run = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PREDICT), *arguments],
        start_new_session=True,
    )
    assert half.wait(200)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    before = len(answered)

    with closing(sqlite3.connect(own_store)) as store:
        store.execute("UPDATE claims SET expires = 0")  # the time after which they do
        store.commit()
        ((kept,),) = store.execute("SELECT COUNT(*) FROM completions").fetchall()
    llm = LLM("openai/test", api_base=server.api_base, store=own_store, n_concurrent=8)
    texts = [f"{w} {i}" for i in range(n_rows // 2) for w in ("http", "song")]
    annotator = ZeroShotAnnotator(llm, task="Spam?", classes=["ham", "spam"])
    annotation = annotator.fit(texts).annotate(texts)

    assert annotation.label.tolist() == ["spam", "ham"] * (n_rows // 2)
    assert not annotation.flag.any()
    assert annotation.usage.cached.calls == kept
    assert annotation.usage.paid.calls == n_rows - kept
    in_flight = before - kept
    assert 0 <= in_flight <= n_concurrent
    assert len(answered) == n_rows + in_flight
