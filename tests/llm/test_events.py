"""What happens while a model is asked is told, and never what was said."""

import json
import logging
import pickle
import threading
from collections import Counter
from dataclasses import FrozenInstanceError

import pytest
from chat_server import Reply

from sklearn_alchemist import LLM, llm
from sklearn_alchemist.exceptions import LLMError
from sklearn_alchemist.llm import Event, Question, _pacing, ask

KEY = "the-key-of-the-environment"
ROW = "a record that nobody else may read"


def questions(n, text=ROW):
    return [Question(({"role": "user", "content": text},), sample=i) for i in range(n)]


@pytest.fixture
def model(server, own_store):
    prices = {"input": 1, "output": 2}
    base = server.api_base
    return LLM("openai/m", api_base=base, store=own_store, prices=prices)


@pytest.fixture
def events(monkeypatch):
    seen = []
    monkeypatch.setattr(_pacing, "wait", lambda *_: None)
    llm.set_on_event_hooks([seen.append])
    yield seen
    llm.set_on_event_hooks([])


def kinds(events):
    return Counter(event.kind for event in events)


def test_there_is_no_handler_by_default(server, model, monkeypatch, capfd):
    assert logging.getLogger("sklearn_alchemist").handlers == []
    monkeypatch.setattr(logging.getLogger("sklearn_alchemist"), "propagate", False)
    server.answer = lambda request: Reply("no", 400)
    with pytest.raises(LLMError):
        ask(model, questions(1))
    assert capfd.readouterr() == ("", "")


def test_an_answer_is_claimed_reserved_paid_and_then_found(server, model, events):
    ask(model, questions(3))
    assert kinds(events) == {"claimed": 3, "reserved": 3, "answered": 3}
    answered = [event for event in events if event.kind == "answered"]
    assert {event.tokens for event in answered} == {150}
    assert {event.dollars for event in answered} == {0.0002}
    assert len({event.question for event in answered}) == 3
    events.clear()
    ask(model, questions(3))
    assert [(event.kind, event.n) for event in events] == [("found", 3)]


def test_pauses_and_charges_are_told(server, model, events):
    busy = Reply("slow", 429, headers={"Retry-After": "7"})
    server.script = [busy, Reply("down", 500)]
    ask(model, questions(1))
    throttled, charged, retried = (
        event for event in events if event.kind in {"throttled", "charged", "retried"}
    )
    assert (throttled.reason, throttled.n) == ("status 429", 1)
    assert 7 <= throttled.seconds < 8
    assert charged.dollars > 0
    assert (retried.reason, retried.n) == ("status 500", 2)


def test_what_stays_without_an_answer_is_told(server, model, events):
    server.answer = lambda request: Reply("no", 400)
    with pytest.raises(LLMError):
        ask(model, questions(1))
    assert (events[-1].kind, events[-1].reason) == ("failed", "status 400")


def test_who_waits_for_the_answer_of_another_says_so(server, model, events):
    server.answer = lambda request: Reply(seconds=0.3)
    threads = [threading.Thread(target=ask, args=(model, questions(1)))] * 1
    threads += [threading.Thread(target=ask, args=(model, questions(1)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 1
    assert kinds(events)["awaited"] == 1
    assert kinds(events)["found"] == 1


def test_a_hook_that_raises_loses_no_answer(server, model, events, caplog):
    def broken(event):
        raise ValueError(ROW)

    llm.set_on_event_hooks([broken, events.append])
    assert len(ask(model, questions(4)).completions) == 4
    assert kinds(events)["answered"] == 4
    assert "a hook for events raised ValueError" in caplog.text
    assert ROW not in caplog.text
    llm.set_on_event_hooks([])
    assert len(ask(model, questions(4)).completions) == 4
    assert len(server.requests) == 4


def test_a_handler_that_raises_loses_no_answer(model, caplog, monkeypatch):
    def broken(record):
        raise ValueError("full")

    caplog.set_level(logging.DEBUG, "sklearn_alchemist")
    monkeypatch.setattr(caplog.handler, "emit", broken)
    assert len(ask(model, questions(2)).completions) == 2


def test_hooks_are_those_that_were_set_last_and_callable(events):
    assert len(llm.get_on_event_hooks()) == 1
    with pytest.raises(TypeError, match=r"as \[hook\]; got <built-in function print>"):
        llm.set_on_event_hooks(print)
    with pytest.raises(TypeError, match="callable"):
        llm.set_on_event_hooks(["no hook"])
    assert len(llm.get_on_event_hooks()) == 1


def test_events_do_not_change_and_pickle():
    event = Event(kind="answered", model="m", dollars=0.5)
    with pytest.raises(FrozenInstanceError):
        event.dollars = 0
    assert pickle.loads(pickle.dumps(event)) == event


def says_all(request):
    """Repeat, as some servers do, everything that was sent."""
    return json.dumps(request) + f" key {KEY}, https://u:{KEY}@h.example/?api_key={KEY}"


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_nothing_that_was_said_and_no_key_is_told(
    server, own_store, events, caplog, monkeypatch, status
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_BASE", server.api_base)
    caplog.set_level(logging.DEBUG, "sklearn_alchemist")
    headers = {"Retry-After": "1", "x-api-key": KEY, "location": f"/?token={KEY}"}
    model = LLM("openai/m", store=own_store)
    n_failed = 0

    def answer(request):
        nonlocal n_failed
        n_failed += 1
        if n_failed > 2:
            return Reply(f"SECRET ANSWER {KEY}")
        return Reply(says_all(request), status, headers=headers)

    server.answer = answer
    try:
        ask(model, questions(1))
    except LLMError:
        assert status in {400, 401}
    assert server.authorizations[0] == f"Bearer {KEY}"
    told = caplog.text + repr(events) + repr([vars(r) for r in caplog.records])
    assert len(caplog.records) == len(events) > 2
    for secret in (KEY, ROW, "SECRET", "h.example", server.api_base):
        assert secret not in told


def test_a_key_in_the_name_of_a_model_is_not_logged(own_store, caplog, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", KEY)
    caplog.set_level(logging.DEBUG, "sklearn_alchemist")
    ask(LLM.from_callable(lambda p: "hi", name=f"m?key={KEY}", store=own_store),
        questions(1))  # fmt: skip
    assert caplog.records
    assert KEY not in caplog.text + repr([vars(r) for r in caplog.records])
    assert {record.name for record in caplog.records} == {"sklearn_alchemist.llm"}


def test_records_hold_the_event_for_structured_logs(model, caplog):
    caplog.set_level(logging.DEBUG, "sklearn_alchemist")
    ask(model, questions(1))
    assert [record.event.kind for record in caplog.records][-1] == "answered"
    assert "answered seconds=" in caplog.text
