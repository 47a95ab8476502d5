"""A second reader decides what programs cannot, within a budget."""

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
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GridSearchCV, cross_validate

from sklearn_alchemist import (
    LLM,
    CascadeAnnotator,
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.exceptions import (
    BudgetError,
    LabelsWarning,
    LLMError,
    StoreError,
)
from sklearn_alchemist.inspection import AnnotationReport
from sklearn_alchemist.llm import _pacing

CLASSES = ["ham", "spam"]
PRICES = {"input": 1.0, "output": 2.0}
# Of a reply of the server: 100 tokens of prompt, 50 of answer.
DOLLARS = 0.0002


class Sure(ClassifierMixin, BaseEstimator):
    """Says how sure it is of spam by a number in the text; takes tables, too."""

    n_fitted = 0

    def fit(self, X, y=None):
        type(self).n_fitted += 1
        self.classes_ = np.array(CLASSES)
        return self

    def predict_proba(self, X):
        if isinstance(X, pd.DataFrame):
            spam = X["sure"].to_numpy(dtype=float)
        else:
            spam = np.array([float(text.split()[0]) for text in X])
        return np.column_stack([1 - spam, spam])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


# Unsure of the first ten; the word says what they are.
TEXTS = [f"0.{50 + i} {('http', 'song')[i % 2]} {i}" for i in range(10)]
TEXTS += [f"0.99 http {i}" for i in range(15)] + [f"0.01 song {i}" for i in range(15)]
GOLD = np.array(["spam" if "http" in text else "ham" for text in TEXTS])


def judge(request):
    asked = request["messages"][-1]["content"]
    return json.dumps({"label": "spam" if "http" in asked else "ham"})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(_pacing, "wait", lambda seconds, given_up: None)


@pytest.fixture
def llm(server, own_store):
    server.answer = judge
    return LLM("openai/test", api_base=server.api_base, store=own_store)


@pytest.fixture
def judges(llm):
    return ZeroShotAnnotator(llm, task="Is it spam?", classes=CLASSES, rows_per_call=5)


def cascade_of(judges, **params):
    return CascadeAnnotator(Sure(), judges, **{"max_rows": 10, **params})


def asked_about(server):
    """The records that the server was asked about."""
    found = [
        re.search(r'^"(.*)"$', r["messages"][-1]["content"], re.MULTILINE)
        for r in server.requests
    ]
    return [match[1] for match in found if match]


def test_what_programs_cannot_decide_is_asked_each_record_alone(server, judges):
    cascade = cascade_of(judges).fit(TEXTS)
    annotation = cascade.annotate(TEXTS)
    assert set(TEXTS[:10]) <= set(asked_about(server))
    assert len(asked_about(server)) == len(server.requests) <= 20
    assert annotation.label.tolist() == GOLD.tolist()
    assert (annotation.source[:10] == "model").all()
    assert annotation.answer[0] == "spam"
    assert cascade.predict(TEXTS).tolist() == GOLD.tolist()
    assert Sure().fit(TEXTS).predict(TEXTS).tolist() != GOLD.tolist()


def test_predicting_asks_nothing_and_depends_on_no_other_record(server, judges):
    cascade = cascade_of(judges, max_rows=5).fit(TEXTS)
    before = len(server.requests)
    together = cascade.predict_proba(TEXTS)
    alone = [cascade.predict_proba([text])[0] for text in TEXTS]
    assert together == pytest.approx(np.array(alone))
    assert cascade.score(TEXTS, GOLD) < 1
    assert len(server.requests) == before == 5


def test_the_same_call_asks_for_nothing_twice(server, judges):
    cascade = cascade_of(judges, max_rows=6).fit(TEXTS)
    first = cascade.annotate(TEXTS)
    before = len(server.requests)
    again = clone(cascade).fit(TEXTS).annotate(TEXTS)
    assert again.label.tolist() == first.label.tolist()
    assert len(server.requests) == before
    assert again.usage.paid.calls == 0


def test_caps_hold_for_all_batches_together(server, judges):
    cascade = cascade_of(judges, max_rows=6).fit(TEXTS)
    before = len(server.requests)
    batches = ([f"{text} {more}" for text in TEXTS] for more in ("one", "two"))
    first, second = cascade.annotate_batches(batches)
    assert (first.n_read, second.n_read) == (6, 0)
    assert len(server.requests) - before == 6
    assert (second.doubt == "not asked: budget").sum() == 6
    assert cascade.max_rows == 6
    (frame,) = cascade.annotate_batches(
        [pd.Series(TEXTS, index=range(7, 47))], as_frame=True
    )
    assert frame.index[0] == 7
    assert frame["label"].tolist() == cascade.annotate(TEXTS).label.tolist()


def test_at_most_so_many_records_are_read_and_the_others_are_marked(server, judges):
    cascade = cascade_of(judges, max_rows=4).fit(TEXTS[:10])
    before = len(server.requests)
    many = [f"0.5 http {i}" for i in range(9)]
    annotation = cascade.annotate(many)
    assert len(server.requests) == before + 4
    assert annotation.asked.sum() == 4
    assert (annotation.doubt == "not asked: budget").sum() == 5
    assert annotation.flag[~annotation.asked].all()
    assert len(annotation.open) == 5


@pytest.mark.slow
def test_dollars_are_never_exceeded_whichever_cap_is_smaller(server, judges, llm):
    # A call may cost more than a hundred times of what it does.
    dear = replace(llm, prices=PRICES, max_cost=0.03, params={"max_tokens": 2000})
    for cost in (0.02, 1.0):
        cascade = cascade_of(clone(judges).set_params(llm=dear), max_cost=cost)
        cascade.set_params(max_rows=None).fit(TEXTS)
        assert cascade.usage_.dollars <= min(cost, 0.03)
    assert len(server.requests) > 0
    estimate = cascade.estimate_cost([f"0.5 song and so on {i}" for i in range(2000)])
    assert 0 < estimate.calls < 2000
    assert estimate.dollars <= estimate.max_dollars == 0.03
    before = len(server.requests)
    annotation = cascade.annotate([f"0.5 song and so on {i}" for i in range(200)])
    paid = (len(server.requests) - before) * DOLLARS
    assert 0 < annotation.usage.dollars == pytest.approx(paid)
    assert paid <= 0.03
    assert (annotation.doubt == "not asked: budget").any()


def test_the_cost_is_told_before_and_nothing_is_sent(server, judges, llm):
    cascade = cascade_of(judges.set_params(llm=replace(llm, prices=PRICES)))
    cascade.fit(TEXTS)
    before = len(server.requests)
    texts = [f"0.5 http {i}" for i in range(30)]
    estimate = cascade.estimate_cost(texts)
    assert (estimate.calls, estimate.stored) == (10, 0)
    assert len(server.requests) == before
    annotation = cascade.annotate(texts)
    assert estimate.dollars == pytest.approx(annotation.usage.dollars, rel=0.1)
    assert (cascade.estimate_cost(texts).calls, estimate.stored) == (0, 0)


@pytest.mark.parametrize(
    ("change", "params", "error", "message"),
    [
        ({}, {"max_rows": None}, ValueError, "nothing limits what the model"),
        ({}, {"max_cost": 1.0}, BudgetError, "max_cost needs a price"),
        ({"params": {"max_tokens": None}, "prices": PRICES}, {"max_cost": 1.0},
         BudgetError, "needs params"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_before_programs_are_paid(
    server, judges, llm, change, params, error, message
):
    Sure.n_fitted = 0
    cascade = cascade_of(judges.set_params(llm=replace(llm, **change)), **params)
    with pytest.raises(error, match=message):
        cascade.fit(TEXTS)
    assert Sure.n_fitted == 0
    assert server.requests == []


def test_a_cap_below_one_call_is_an_error_and_costs_nothing(server, judges, llm):
    judges.set_params(llm=replace(llm, prices=PRICES))
    with pytest.raises(BudgetError, match="the next call may cost"):
        cascade_of(judges, max_cost=1e-6).fit(TEXTS)
    assert server.requests == []


def test_a_model_without_a_task_is_told_how_to_get_one(llm):
    with pytest.raises(ValueError, match="give llm_annotator=ZeroShotAnnotator"):
        CascadeAnnotator(Sure(), llm, max_rows=2).fit(TEXTS)


def test_a_store_that_cannot_be_used_is_said_before_anything_is_asked(
    server, judges, llm, tmp_path
):
    judges.set_params(llm=replace(llm, store=tmp_path))
    with pytest.raises(StoreError, match="is a folder"):
        cascade_of(judges).fit(TEXTS)
    assert server.requests == []


def test_other_classes_than_the_annotators_are_told(judges):
    program = LabelingProgram("link", "def label(text): return 'ad'")
    labeler = ProgramSynthesisLabeler(classes=["ad", "talk"], programs=[program])
    cascade = CascadeAnnotator(DistilledAnnotator(labeler), judges, max_rows=1)
    with pytest.raises(ValueError, match="give both the same"):
        cascade.fit(TEXTS)


def test_what_the_model_refuses_or_answers_wrongly_stays_with_the_annotator(
    server, judges
):
    def answer(request):
        asked = request["messages"][-1]["content"]
        if "http 0" in asked:
            # As OpenAI says it.
            error = {"code": "context_length_exceeded", "type": "invalid_request_error"}
            error["message"] = "This model's maximum context length is 8 tokens."
            return Reply(status=400, body=json.dumps({"error": error}).encode())
        return "eggs" if "song 1" in asked else judge(request)

    server.answer = answer
    annotation = cascade_of(judges).fit(TEXTS).annotate(TEXTS[:10])
    assert annotation.doubt[0] == "the model refused the record"
    assert annotation.doubt[1] == "the model's answer is no class"
    assert annotation.source[:2].tolist() == ["annotator"] * 2
    assert annotation.flag[:2].all()
    assert (annotation.doubt[2:] == "").all()


def test_a_failure_loses_nothing_and_the_same_call_goes_on(server, judges):
    cascade = cascade_of(judges, max_rows=10).fit(TEXTS[:10])
    texts = [f"0.5 song {i}" for i in range(10)]
    n_before = len(server.requests)
    server.answer = lambda r: (
        Reply("who are you?", 401) if len(server.requests) > n_before + 4 else judge(r)
    )
    with pytest.raises(LLMError, match="refuses the key"):
        cascade.annotate(texts)
    server.answer = judge
    annotation = cascade.annotate(texts)
    assert annotation.asked.all()
    assert annotation.usage.paid.calls == 6


def test_equal_records_are_one_question_and_have_one_answer(server, judges):
    cascade = cascade_of(judges).fit(TEXTS)
    before = len(server.requests)
    annotation = cascade.annotate(["0.5 song x"] * 3)
    assert len(server.requests) == before + 1
    assert annotation.asked.all()
    assert len(set(annotation.confidence)) == 1


def test_answers_of_fit_stand_against_another_answer_in_the_store(
    server, judges, own_store
):
    cascade = cascade_of(judges).fit(TEXTS[:10])
    own_store.unlink()
    server.answer = lambda request: json.dumps({"label": "spam"})
    judges.fit(TEXTS[:10]).set_params(rows_per_call=1).predict(TEXTS[:10])
    assert cascade.predict(TEXTS[:10]).tolist() == GOLD[:10].tolist()
    assert cascade.annotate(TEXTS[:10]).label.tolist() == GOLD[:10].tolist()


def test_what_others_asked_before_is_used(server, judges, llm):
    texts = [f"0.5 song {i}" for i in range(5)]
    cascade = cascade_of(judges).fit(TEXTS)
    judges.fit(texts).set_params(rows_per_call=1).predict(texts)
    before = len(server.requests)
    assert cascade.predict(texts).tolist() == ["ham"] * 5
    assert len(server.requests) == before


def test_with_stored_answers_only_nothing_is_asked(server, judges, llm):
    cascade_of(judges).fit(TEXTS)
    before = len(server.requests)
    judges.set_params(llm=replace(llm, offline=True))
    cascade = cascade_of(judges, max_rows=None).fit(TEXTS)
    annotation = cascade.annotate(["0.5 song that is new"])
    assert annotation.doubt[0] == "not asked: only stored answers may be used"
    assert len(server.requests) == before


def test_nobody_is_asked_where_all_is_sure(server, judges):
    sure = ["1.0 http", "0.0 song", "1.0 http too"]
    cascade = cascade_of(judges, max_rows=2).fit(sure)
    before = len(server.requests)
    annotation = cascade.annotate(["1.0 http more", "0.0 song more"])
    assert not annotation.asked.any()
    assert len(server.requests) == before
    assert len(set(cascade.frontier(sure).expected_accuracy)) == 1


def test_where_all_is_doubtful_the_budget_decides(server, judges):
    texts = [f"0.5 http {i}" for i in range(20)]
    annotation = cascade_of(judges, max_rows=5).fit(texts).annotate(texts)
    assert (annotation.doubt == "not asked: budget").any()
    assert len(server.requests) <= 10


def test_no_records_are_annotated_too(judges):
    cascade = cascade_of(judges, max_rows=2).fit(TEXTS)
    assert cascade.predict_proba([]).shape == (0, 2)
    assert len(cascade.annotate([]).label) == 0
    assert cascade.estimate_cost([]).calls == 0


def test_tables_are_read_row_by_row(server, judges):
    table = pd.DataFrame({"sure": [0.5, 0.99, 0.01], "what": ["http", "http", "song"]})
    cascade = cascade_of(judges).fit(table)
    frame = cascade.annotate(table.set_index(pd.Index([5, 6, 7])), as_frame=True)
    assert frame["label"].tolist() == ["spam", "spam", "ham"]
    assert frame.index.tolist() == [5, 6, 7]
    asked = [r["messages"][-1]["content"] for r in server.requests]
    assert any('{"sure": 0.5, "what": "http"}' in text for text in asked)


def test_it_pickles_and_needs_no_store_for_what_it_was_fitted_with(judges, own_store):
    cascade = cascade_of(judges).fit(TEXTS)
    expected = cascade.predict_proba(TEXTS[:10])
    again = pickle.loads(pickle.dumps(cascade))
    own_store.unlink()
    known = [text in again_asked(cascade) for text in TEXTS[:10]]
    assert again.predict_proba(TEXTS[:10])[known] == pytest.approx(expected[known])
    assert TEXTS[0].encode() not in pickle.dumps(cascade)


def again_asked(cascade):
    """The training records that a cascade keeps answers of."""
    from sklearn_alchemist.cascade import record_key

    return [text for text in TEXTS if record_key(text) in cascade.answers_]


def test_a_search_spends_nothing_beyond_its_fits(server, judges):
    cascade = cascade_of(judges, max_rows=6)
    search = GridSearchCV(cascade, {"max_rows": [3, 6]}, cv=2)
    search.fit(TEXTS, GOLD)
    fits = len(server.requests)
    # The larger budget of each fold and of all; folds share what they can.
    assert fits <= 6 * 3
    search.score(TEXTS, GOLD)
    GridSearchCV(cascade, {"max_rows": [3, 6]}, cv=2, scoring="neg_log_loss").fit(
        TEXTS, GOLD
    )
    assert len(server.requests) == fits


def test_how_labels_were_drawn_goes_through_a_search(judges):
    with config_context(enable_metadata_routing=True):
        cascade = cascade_of(judges).set_fit_request(label_proba=True)
        result = cross_validate(
            cascade,
            TEXTS,
            GOLD,
            cv=2,
            params={"label_proba": np.ones(len(TEXTS))},
            return_estimator=True,
        )
    known = result["estimator"][0].confusion_
    assert np.diag(known).min() > 0.85


def test_the_frontier_tells_what_was_expected_and_what_it_was(server, judges, llm):
    judges.set_params(llm=replace(llm, prices=PRICES))
    cascade = cascade_of(judges).fit(TEXTS)
    cascade.annotate(TEXTS)
    before = len(server.requests)
    frontier = cascade.frontier(TEXTS, GOLD)
    assert len(server.requests) == before
    assert frontier.rows[-1] == len(TEXTS)
    assert frontier.accuracy[0] == (Sure().fit(TEXTS).predict(TEXTS) == GOLD).mean()
    quarter = frontier.rows.tolist().index(12)
    assert frontier.accuracy[quarter] == 1
    assert frontier.dollars[quarter] > 0
    assert (np.diff(frontier.expected_accuracy) >= 0).all()


def test_a_target_without_labels_is_estimated_and_says_so(judges):
    with pytest.warns(LabelsWarning, match="estimated, not bounded"):
        cascade = cascade_of(judges, target_error=0.08).fit(TEXTS)
    assert not cascade.target_.is_bound
    annotation = cascade.annotate(TEXTS)
    assert 0 < annotation.asked.sum() < len(TEXTS)
    assert annotation.target is cascade.target_


@pytest.mark.slow
def test_a_budget_that_reads_too_few_of_the_labels_is_told(server, judges):
    texts = [f"0.{50 + i % 40} http {i}" for i in range(150)]
    cascade = cascade_of(judges, max_rows=30, target_error=0.05)
    with pytest.warns(LabelsWarning, match="read 30 of the 150 random labels, and 100"):
        cascade.fit(texts, ["spam"] * 150, label_proba=1.0)


def test_a_target_with_a_hundred_random_labels_is_bounded(server, judges):
    texts = [f"0.5 {w} {i}" for i in range(30) for w in ("http", "song")]
    texts += [f"{s} {w} {i}" for i in range(120) for s, w in
              (("0.99", "http"), ("0.01", "song"))]  # fmt: skip
    gold = np.array(["spam" if "http" in text else "ham" for text in texts])
    y = np.full(len(texts), None)
    drawn = np.random.default_rng(0).permutation(len(texts))[:150]
    y[drawn] = gold[drawn]
    cascade = cascade_of(judges, max_rows=200, target_error=0.05)
    cascade.fit(texts, y, label_proba=1.0)
    assert cascade.target_.is_bound
    assert cascade.target_.n_labels == 150
    annotation = cascade.annotate(texts)
    assert annotation.asked[60:].sum() <= 150
    assert (annotation.label != gold).mean() <= 0.05


def test_people_get_what_is_open_and_their_answers_are_final(server):
    cascade = CascadeAnnotator(Sure()).fit(TEXTS)
    annotation = cascade.annotate(TEXTS)
    assert set(annotation.open[:10]) == set(range(10))
    assert annotation.open[0] == 0
    assert (annotation.doubt[:10] == "waits for a person").all()
    answers = {int(i): GOLD[i] for i in annotation.open[:10]}
    answers[20] = "ham"
    after = cascade.annotate(TEXTS, answers)
    assert after.label[:10].tolist() == GOLD[:10].tolist()
    assert after.label[20] == "ham"
    assert (after.source[:10] == "person").all()
    assert not after.flag[:10].any()
    assert not set(after.open) & set(answers)
    few = CascadeAnnotator(Sure(), max_rows=3).fit(TEXTS).annotate(TEXTS)
    assert len(few.open) == 3
    assert server.requests == []


def test_people_get_at_most_so_many_records_however_many_are_as_doubtful():
    reader = CascadeAnnotator(Sure(), max_rows=3).fit(TEXTS)
    more = [f"{text} {k}" for k in range(4) for text in TEXTS]
    annotation = reader.annotate(more)
    assert len(annotation.open) == 3
    assert (annotation.doubt == "waits for a person").sum() == 3
    assert (annotation.doubt == "not asked: budget").any()
    after = reader.annotate(more, {int(i): "ham" for i in annotation.open})
    assert len(after.open) == 3
    assert not {*after.open} & {*annotation.open}


def test_answers_that_cannot_be_read_are_told_by_their_name():
    reader = CascadeAnnotator(Sure()).fit(TEXTS)
    with pytest.raises(ValueError, match=r"^answers holds \['eggs'\]"):
        reader.annotate(TEXTS, {0: "eggs"})
    with pytest.raises(ValueError, match="calls one 'ham' and the other 'spam'"):
        reader.annotate([TEXTS[0]] * 2, {0: "ham", 1: "spam"})


@pytest.mark.filterwarnings("error::sklearn.exceptions.UndefinedMetricWarning")
def test_answers_of_one_class_teach_nothing_and_warn_of_nothing(server, llm):
    song = LabelingProgram(
        "song", "def label(text): return 'ham' if 'song' in text else None"
    )
    labeler = ProgramSynthesisLabeler(
        task="Is it spam?", classes=CLASSES, programs=[song]
    )
    cascade = CascadeAnnotator(DistilledAnnotator(labeler), llm, max_rows=5)
    assert cascade.fit(["a song"] * 20).predict(["a song"]).tolist() == ["ham"]
    assert len(server.requests) == 1


def test_people_answer_in_a_report(tmp_path):
    programs = [
        LabelingProgram("link", "def label(text): return 'http' in text or None"),
        LabelingProgram("song", "def label(text): return 'song' not in text"),
    ]
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=programs)
    texts = ["http://a free", "what a song", "song of mine", "http song"]
    cascade = CascadeAnnotator(DistilledAnnotator(labeler)).fit(texts)
    report = AnnotationReport(cascade.annotator_, texts)
    report.write_corrections(tmp_path / "corrections.json", labels={3: False})
    annotation = cascade.annotate(texts, tmp_path / "corrections.json")
    assert annotation.source[3] == "person"
    assert not annotation.label[3]
    with pytest.raises(ValueError, match="the corrections are of 4 records"):
        cascade.annotate(texts[:2], tmp_path / "corrections.json")


def test_programs_and_a_model_label_together(server, llm):
    programs = [
        LabelingProgram("link", "def label(text): return 'spam' if 'http' in text "
                        "else None"),
        LabelingProgram("song", "def label(text): return 'ham' if 'song' in text "
                        "else None"),
    ]  # fmt: skip
    labeler = ProgramSynthesisLabeler(
        task="Is it spam?", classes=CLASSES, programs=programs
    )
    texts = [f"{w} {i}" for i in range(10) for w in ("http", "song", "http song", "x")]
    cascade = CascadeAnnotator(DistilledAnnotator(labeler), llm, max_rows=8)
    annotation = cascade.fit(texts).annotate(texts)
    assert {"model", "both"} & set(annotation.source)
    asked = server.requests[0]["messages"][-1]["content"]
    assert asked.startswith("Is it spam?")
    assert 0 < cascade.annotator_.label_use_["given"] <= 8


def test_the_annotator_learns_nothing_of_a_model_that_gives_one_answer_only():
    programs = [
        LabelingProgram("link", "def label(text): return 'http' in text or None"),
        LabelingProgram("song", "def label(text): return 'song' not in text"),
    ]
    labeler = ProgramSynthesisLabeler(
        task="Is it spam?", classes=[False, True], programs=programs
    )
    texts = [f"{w} {i}" for i in range(15) for w in ("http", "song")]
    one_answer = LLM.from_callable(lambda prompt: "True")
    cascade = CascadeAnnotator(DistilledAnnotator(labeler), one_answer, max_rows=20)
    cascade.fit(texts)
    assert cascade.annotator_.label_use_["given"] == 0
    assert cascade.predict(texts).tolist() == [True, False] * 15


FAULTY = """
    import sys, warnings
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn_alchemist import LLM, CascadeAnnotator, ZeroShotAnnotator

    class Half(ClassifierMixin, BaseEstimator):
        def fit(self, X, y=None):
            self.classes_ = np.array(["ham", "spam"])
            return self
        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    def cascade(api_base, store, n_rows):
        llm = LLM(
            "openai/test", api_base=api_base, store=store, n_concurrent=8,
            prices={"input": 1.0, "output": 2.0}, params={"max_tokens": 100},
        )
        judges = ZeroShotAnnotator(llm, task="Spam?", classes=["ham", "spam"])
        return CascadeAnnotator(Half(), judges, max_rows=n_rows, max_cost=1.0)

    if __name__ == "__main__":
        api_base, store, n_rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
        texts = [f"{w} {i}" for i in range(n_rows // 2) for w in ("http", "song")]
        cascade(api_base, store, n_rows).fit(texts)
"""


@pytest.mark.slow
def test_faults_and_a_kill_lose_no_answer_and_pay_none_twice(
    server, own_store, tmp_path
):
    """Calls fail or are cut off, and the process is killed half-way."""
    n_rows, answered = 80, []
    lock, half = threading.Lock(), threading.Event()

    def answer(request):
        with lock:
            n = len(server.requests)
            if n % 10 == 0:
                status = (429, 500, 503)[n // 10 % 3]
                return Reply("busy", status, {"retry-after": "0.1"})
            answered.append(request["messages"][-1]["content"])
            if len(answered) == n_rows // 2:
                half.set()
        if "song 7" in request["messages"][-1]["content"]:
            return Reply('{"lab', finish_reason="length", seconds=0.05)
        return Reply(judge(request), seconds=0.05)

    server.answer = answer
    script = tmp_path / "faulty.py"
    script.write_text(textwrap.dedent(FAULTY))
    run = subprocess.Popen(
        [sys.executable, script, server.api_base, str(own_store), str(n_rows)],
        start_new_session=True,
    )
    while not half.wait(0.1):
        assert run.poll() is None, "it ended before it was killed"
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    with closing(sqlite3.connect(own_store)) as store:
        store.execute("UPDATE claims SET expires = 0")  # the time after which they do
        store.commit()
        ((kept,),) = store.execute("SELECT COUNT(*) FROM completions").fetchall()
    before = len(answered)
    names = {"__name__": "faulty"}
    exec(textwrap.dedent(FAULTY), names)
    texts = [f"{w} {i}" for i in range(n_rows // 2) for w in ("http", "song")]
    cascade = names["cascade"](server.api_base, own_store, n_rows).fit(texts)
    assert cascade.usage_.cached.calls == kept
    assert cascade.usage_.paid.calls == n_rows - kept
    assert 0 <= before - kept <= 8
    assert len(answered) == n_rows + before - kept
    assert cascade.usage_.dollars <= 1.0
    gold = ["spam", "ham"] * (n_rows // 2)
    wrong = np.flatnonzero(cascade.predict(texts) != gold)
    cut_off = [i for i, text in enumerate(texts) if "song 7" in text]
    assert set(wrong) <= set(cut_off)
