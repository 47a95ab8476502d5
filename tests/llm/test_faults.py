"""What goes wrong between a client and a provider, over real HTTP."""

import json
import sqlite3
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from chat_server import Reply

from sklearn_alchemist import LLM
from sklearn_alchemist.exceptions import AlchemistWarning, BudgetError, LLMError
from sklearn_alchemist.llm import (
    CompletionStore,
    Question,
    _database,
    _pacing,
    _store,
    ask,
)
from sklearn_alchemist.llm._pacing import seconds_to_wait
from sklearn_alchemist.llm._provider import dropped_params
from sklearn_alchemist.llm._store import Heartbeat

MAX_COST = 0.02
HALF = b'{"choices": [{"message": {"content": "def la'
NO_CHOICE = b'{"id": "x", "object": "chat.completion", "model": "m", "choices": []}'


@pytest.fixture
def llm(server, own_store):
    """A model with a cap that allows about ten calls at their worst."""
    return LLM(
        "openai/test",
        api_base=server.api_base,
        prices={"input": 1.0, "output": 2.0},
        params={"max_tokens": 1000},
        max_cost=MAX_COST,
        n_concurrent=2,
        timeout=5.0,
    )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(_pacing, "wait", lambda seconds, given_up: None)


def questions(n=4):
    return [Question(({"role": "user", "content": f"question {i}"},)) for i in range(n)]


def answered(server, fault):
    """A server that answers two questions and then does what is scripted."""
    n_answered = 0

    def answer(request):
        nonlocal n_answered
        n_answered += 1
        return Reply("fine") if n_answered <= 2 else fault

    server.answer = answer


FAULTS = {
    "rate limit": Reply("slow down", 429, headers={"Retry-After": "1"}),
    "server errors": Reply("down", 500),
    "connection reset": Reply(reset=True),
    "half an answer": Reply(headers={"Content-Length": "99999"}),
    "cut JSON": Reply(body=HALF),
    "no JSON": Reply(body=b"<html>"),
    "no choice": Reply(body=NO_CHOICE),
    "revoked key": Reply("key revoked", 401),
    "no message": Reply(body=b'{"choices": [{"index": 0}]}'),
    "no list": Reply(body=b'{"choices": null}'),
    "no UTF-8": Reply(body=b"{\xff}"),
    "no gzip": Reply(body=b"x", headers={"Content-Encoding": "gzip"}),
    "too late": Reply(seconds=1.0),
}
UNREADABLE = ("cut JSON", "no JSON", "no choice", "no message", "no list")


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_loses_nothing_paid_and_asks_nothing_twice(server, llm, fault):
    answered(server, FAULTS[fault])
    llm = replace(llm, timeout=0.5 if fault == "too late" else 5.0, n_concurrent=1)
    with pytest.raises(LLMError, match="2 of 4 answers were received and are kept"):
        ask(llm, questions())
    asked = [request["messages"][0]["content"] for request in server.requests]
    assert asked.count("question 0") == asked.count("question 1") == 1
    server.answer = lambda request: "fine"
    usage = ask(llm, questions()).usage
    assert (usage.cached.calls, usage.paid.calls) == (2, 2)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_never_spends_more_than_the_cap(server, llm, own_store, fault):
    server.answer = lambda request: FAULTS[fault]
    llm = replace(llm, timeout=0.2 if fault == "too late" else 5.0, max_cost=0.005)
    with pytest.raises(LLMError):
        ask(llm, questions())
    # Each request that the server saw may have been charged at its worst case.
    assert len(server.requests) * 0.002 <= 0.005 or fault in (
        *("rate limit", "revoked key"),  # which cost nothing
    )
    assert CompletionStore(own_store).spent() <= 0.005


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_broken_answer_is_asked_for_once_more_only(server, llm, fault):
    server.answer = lambda request: FAULTS[fault]
    with pytest.raises(LLMError, match="2 times"):
        ask(llm, questions(1))
    assert len(server.requests) == 2


def test_an_answer_after_the_timeout_is_not_asked_for_again(server, llm):
    server.answer = lambda request: Reply(seconds=0.6)
    with pytest.raises(LLMError, match="raise the timeout"):
        ask(replace(llm, timeout=0.2), questions(1))
    assert len(server.requests) == 1


@pytest.mark.slow
def test_an_answer_that_drips_is_not_waited_for_longer_than_the_timeout(server, llm):
    server.answer = lambda request: Reply(pause=0.1)
    started = time.monotonic()
    with pytest.raises(LLMError, match="raise the timeout"):
        ask(replace(llm, timeout=0.5), questions(1))
    assert time.monotonic() - started < 10  # all of it would take half a minute


def test_a_server_that_breaks_off_is_not_called_unreachable(server, llm):
    server.answer = lambda request: Reply(reset=True)
    with pytest.raises(LLMError, match="broke the connection off"):
        ask(llm, questions(1))


def test_a_server_that_is_not_there_costs_nothing(llm, own_store):
    with pytest.raises(LLMError, match="cannot be reached"):
        ask(replace(llm, api_base="http://127.0.0.1:9/v1"), questions(1))
    assert CompletionStore(own_store).spent() == 0


@pytest.mark.parametrize("header", ["nan", "soon", "", "-5", "0", "Wed, 99 Foo"])
def test_a_retry_after_that_makes_no_sense_is_not_obeyed(server, llm, header):
    server.script = [Reply("slow down", 429, headers={"Retry-After": header})]
    assert ask(llm, questions(1)).usage.paid.calls == 1


def test_a_date_to_retry_after_is_read_by_the_clock_of_the_server():
    headers = {
        "date": "Wed, 25 Nov 2015 10:00:00 GMT",
        "retry-after": "Wed, 25 Nov 2015 10:00:07 GMT",
    }
    assert seconds_to_wait(headers) == 7
    assert seconds_to_wait({"retry-after": headers["date"]}) is None


def counts(prompt, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    "usage", [None, counts(0, 0), counts(-(10**6), -5), counts(10**30, 10**30)]
)
def test_what_nobody_counted_is_charged_at_its_worst_case(
    server, llm, own_store, usage
):
    server.answer = lambda request: Reply("fine", usage=usage)
    answers = ask(llm, questions(40), partial=True)
    received = [c for c in answers.completions if c is not None]
    assert answers.usage.paid.tokens is None
    assert answers.usage.dollars is None
    # The worst case of a call is at least that of its 1,000 tokens.
    assert 1 <= len(received) <= MAX_COST / 0.002
    assert 0.002 <= CompletionStore(own_store).spent() <= MAX_COST


def test_a_model_that_costs_nothing_need_not_count(server, llm):
    server.answer = lambda request: Reply("fine", usage=None)
    free = replace(llm, prices={"input": 0, "output": 0}, max_cost=0)
    assert ask(free, questions()).usage.dollars == 0


def test_a_count_above_the_worst_case_ends_the_fit(server, llm):
    server.answer = lambda request: Reply("fine", usage=counts(10**6, 10**6))
    with pytest.raises(BudgetError):
        ask(replace(llm, n_concurrent=1), questions())
    assert len(server.requests) == 1


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_was_stopped_is_kept_with_the_reason(server, llm, reason):
    server.answer = lambda request: Reply("def la", finish_reason=reason)
    for _ in range(2):
        (completion,) = ask(llm, questions(1)).completions
        assert completion.finish_reason == reason
    assert len(server.requests) == 1


@pytest.mark.slow
def test_an_answer_of_ten_megabytes_is_kept(server, llm):
    server.answer = lambda request: "x" * 10_000_000
    (completion,) = ask(llm, questions(1)).completions
    assert len(completion.text) == 10_000_000
    assert ask(llm, questions(1)).usage.cached.calls == 1


def test_what_a_full_disk_does_not_take_is_kept_by_the_process(
    server, llm, own_store, monkeypatch
):
    server.answer = lambda request: "fine"
    ask(llm, questions(1))

    insert = _store._insert

    def full(rows, *what):
        if not isinstance(own_store, str):
            raise sqlite3.OperationalError("database or disk is full")
        if isinstance(rows, _database._ServerRows):
            raise pytest.importorskip("psycopg").errors.DiskFull("disk is full")
        insert(rows, *what)  # on the disk of this machine

    with monkeypatch.context() as patch:
        patch.setattr("sklearn_alchemist.llm._store._insert", full)
        with pytest.warns(AlchemistWarning, match="disk is full"):
            ask(llm, questions(2))
    assert ask(llm, questions(2)).usage.cached.calls == 2
    assert len(server.requests) == 2
    assert len(CompletionStore(own_store).records()) == 2


@pytest.mark.slow
def test_a_budget_that_ends_midway_keeps_what_it_allowed(server, llm):
    answers = ask(replace(llm, max_cost=0.005), questions(40), partial=True)
    received = [c for c in answers.completions if c is not None]
    assert 2 <= len(received) < 40
    assert answers.usage.dollars <= 0.005
    assert isinstance(answers.shortfall, BudgetError)


def test_half_a_surrogate_pair_is_replaced_and_not_tried_five_times(server, llm):
    server.answer = lambda request: request["messages"][0]["content"]
    question = Question(({"role": "user", "content": "a\ud800b"},))
    (completion,) = ask(llm, [question]).completions
    assert completion.text == "a?b"
    assert ask(llm, [question]).usage.cached.calls == 1


@pytest.mark.parametrize("parameter", ["temperature", "seed", "top_p"])
def test_a_parameter_that_a_server_refuses_is_left_out(server, llm, parameter):
    def answer(request):
        if parameter in request:
            return Reply(f"Unsupported parameter: '{parameter}'", 400)
        return "fine"

    server.answer = answer
    params = {"temperature": 0.2, "seed": 1, "top_p": 0.5, "max_tokens": 100}
    llm = replace(llm, params=params, n_concurrent=1)
    with pytest.warns(AlchemistWarning, match=f"takes no '{parameter}'") as caught:
        ask(llm, questions())
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert len(server.requests) == 5  # the refusal is remembered


def test_a_parameter_that_litellm_leaves_out_is_said_to_be_missing():
    claude = LLM("anthropic/claude-sonnet-4-5", params={"seed": 1, "top_k": 5})
    assert dropped_params(claude) == ["seed"]
    assert dropped_params(LLM("openai/gpt-4o-mini", params={"seed": 1})) == []


@pytest.mark.parametrize(
    ("model", "left_out"),
    [("openai/my-gpt-5-clone", True), ("openai/o3-mini", True), ("openai/m", False)],
)
def test_a_parameter_that_the_name_of_a_model_forbids_is_said_to_be_missing(
    model, left_out
):
    llm = LLM(model, params={"temperature": 0.2, "max_tokens": 10})
    assert dropped_params(llm) == ["temperature"] * left_out


def test_a_limit_on_tokens_is_sent_under_the_name_that_a_server_takes(server, llm):
    def answer(request):
        if "max_tokens" in request:
            text = "'max_tokens' is not supported, use 'max_completion_tokens' instead"
            return Reply(text, 400)
        return str(request["max_completion_tokens"])

    server.answer = answer
    with pytest.warns(AlchemistWarning, match="max_tokens"):
        (completion,) = ask(llm, questions(1)).completions
    assert completion.text == "1000"


def test_a_limit_that_is_too_large_is_an_error_and_not_left_out(server, llm):
    text = "max_tokens is too large: this model supports at most 512 tokens"
    server.answer = lambda request: Reply(text, 400)
    with pytest.raises(LLMError, match="at most 512"):
        ask(llm, questions(1))
    assert len(server.requests) == 1


def test_a_model_that_takes_no_limit_cannot_be_held_to_a_cap(server, llm):
    def answer(request):
        limit = [n for n in request if n.startswith("max_")]
        return Reply(f"unknown parameter {limit[0]}", 400) if limit else "fine"

    server.answer = answer
    with (
        pytest.warns(AlchemistWarning, match="max_tokens"),
        pytest.raises(LLMError, match="cannot be held to a cap"),
    ):
        ask(llm, questions(1))
    assert all(
        "max_completion_tokens" in r or "max_tokens" in r for r in server.requests
    )
    with pytest.warns(AlchemistWarning, match="takes no 'max_"):
        assert ask(replace(llm, max_cost=None), questions(1)).usage.paid.calls == 1


@pytest.mark.parametrize(
    "complaint",
    [
        "System role not supported",
        "Only user and assistant roles are supported!",
        "Conversation roles must alternate user/assistant/user/assistant/...",
    ],
)
def test_a_system_message_that_a_server_refuses_is_said_by_the_user(
    server, llm, complaint
):
    def answer(request):
        if request["messages"][0]["role"] == "system":
            return Reply(complaint, 400)
        return request["messages"][0]["content"]

    server.answer = answer
    system = {"role": "system", "content": "Be brief."}
    question = Question((system, {"role": "user", "content": "hi"}))
    with pytest.warns(AlchemistWarning, match="takes no system message"):
        (completion,) = ask(llm, [question]).completions
    assert completion.text == "Be brief.\n\nhi"


@pytest.mark.slow
def test_a_call_that_outlasts_the_lease_keeps_its_claim(own_store):
    store = CompletionStore(own_store)
    claim = store.claim("key", seconds=0.3)
    with Heartbeat(store, seconds=0.3) as heartbeat:
        heartbeat.hold(claim)
        time.sleep(0.8)
        assert store.claim("key", seconds=1) is None
        heartbeat.let_go(claim)
        time.sleep(0.5)
        assert store.claim("key", seconds=1) is not None


def test_a_clock_that_is_set_back_holds_no_claim_for_longer_than_a_lease(
    own_store, monkeypatch
):
    store = CompletionStore(own_store)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda now=time.time: now() + 3600)
        assert store.claim("key", seconds=0.2) is not None
    assert store.claim("key", seconds=0.2) is None
    time.sleep(0.3)
    assert store.claim("key", seconds=0.2) is not None


def test_a_clock_that_is_set_back_refreshes_an_answer_once(server, llm):
    fresh = replace(llm, refresh=True)
    object.__setattr__(fresh, "made", fresh.made + timedelta(hours=1))
    assert ask(fresh, questions(1)).usage.paid.calls == 1
    assert ask(fresh, questions(1)).usage.cached.calls == 1


def test_two_refreshes_at_once_and_their_copies_pay_once(server, llm, own_store):
    ask(llm, questions(2))
    fresh = replace(llm, refresh=True)
    assert ask(fresh, questions(2)).usage.paid.calls == 2
    assert ask(fresh, questions(2)).usage.cached.calls == 2
    assert ask(replace(llm, refresh=True), questions(2)).usage.paid.calls == 2


def test_the_address_of_the_environment_is_part_of_the_question(
    server, llm, monkeypatch
):
    ask(llm, questions(1))
    monkeypatch.setenv("OPENAI_API_BASE", server.api_base + "/")
    elsewhere = replace(llm, api_base=None)
    assert ask(elsewhere, questions(1)).usage.cached.calls == 1
    monkeypatch.setenv("OPENAI_API_BASE", server.api_base.replace("/v1", "/v2"))
    assert ask(elsewhere, questions(1)).usage.paid.calls == 1


# -------------------------------------------------------- the cap of the store ----


@pytest.mark.slow
def test_the_cap_of_a_store_binds_all_fits(server, llm, own_store):
    CompletionStore(own_store).set_cap(0.005)
    ask(llm, questions(4))
    with pytest.raises(BudgetError, match="cap of"):
        ask(llm, questions(60))
    assert CompletionStore(own_store).spent() <= 0.005


def test_a_capped_store_needs_prices(server, llm, own_store):
    CompletionStore(own_store).set_cap(1.0)
    with pytest.raises(BudgetError, match="the cap of the store needs a price"):
        ask(replace(llm, prices=None, max_cost=None), questions(1))


@pytest.mark.slow
def test_a_killed_process_stays_charged(own_store):
    code = """
        import os, sys
        from sklearn_alchemist.llm import CompletionStore
        CompletionStore(sys.argv[1]).reserve(0.25)
        os.kill(os.getpid(), 9)
    """
    run = [sys.executable, "-c", textwrap.dedent(code), str(own_store)]
    subprocess.run(run, check=False)
    assert CompletionStore(own_store).spent() == 0.25


@pytest.mark.slow
def test_eight_processes_that_ask_the_same_at_once_pay_once(server, own_store):
    server.answer = lambda request: Reply("fine", seconds=0.3)
    code = """
        import os, sys
        from sklearn_alchemist import LLM
        from sklearn_alchemist.llm import Question, ask, prices_of
        prices_of("x")  # imports litellm once, for all
        llm = LLM("openai/test", api_base=sys.argv[1], store=sys.argv[2])
        asked = [Question(({"role": "user", "content": str(i)},)) for i in range(3)]
        children = []
        for _ in range(8):
            child = os.fork()
            if not child:
                answers = ask(llm, asked)
                assert [c.text for c in answers.completions] == ["fine"] * 3
                os._exit(answers.usage.paid.calls)
            children.append(child)
        paid = [os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children]
        print(sum(paid), min(paid))
    """
    run = [sys.executable, "-c", textwrap.dedent(code), server.api_base, str(own_store)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "0"]
    assert len(server.requests) == 3


def piece(**choice):
    return {"choices": [{"index": 0, "finish_reason": None, **choice}]}


USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
PIECES = [
    piece(delta={"role": "assistant", "content": ""}),
    piece(delta={"content": "Hel"}),
    piece(delta={"content": "lo"}),
    {**piece(delta={}, finish_reason="stop"), "usage": USAGE},
]
EVENTS = "".join(f"data: {json.dumps(p)}\n\n" for p in PIECES) + "data: [DONE]\n\n"
LINES = "".join(f"{json.dumps(p)}\n" for p in PIECES)


@pytest.mark.parametrize("body", [EVENTS, f": ping\n\nevent: a\n{EVENTS}", LINES])
def test_an_answer_that_was_streamed_unasked_is_put_together(server, llm, body):
    server.answer = lambda request: Reply(body=body.encode())
    answer = ask(llm, questions(1))
    (completion,) = answer.completions
    assert (completion.text, completion.finish_reason) == ("Hello", "stop")
    assert answer.usage.paid.completion_tokens == 5
    assert len(server.requests) == 1


def test_an_answer_without_a_message_is_kept_as_it_was_paid(server, llm):
    body = {"choices": [{"index": 0, "message": None}], "usage": USAGE}
    server.answer = lambda request: Reply(body=json.dumps(body).encode())
    answer = ask(llm, questions(1))
    assert answer.completions[0].text == ""
    assert answer.usage.paid.completion_tokens == 5
    assert ask(llm, questions(1)).usage.cached.calls == len(server.requests) == 1


@pytest.mark.parametrize("field", ["created", "total_tokens", "index"])
def test_a_number_of_thousands_of_digits_loses_no_answer(server, llm, field):
    sent = json.loads(Reply("fine").payload("m"))
    place = {
        "created": sent,
        "total_tokens": sent["usage"],
        "index": sent["choices"][0],
    }
    place[field][field] = 10**18
    body = json.dumps(sent).replace(str(10**18), "9" * 5_000)
    server.answer = lambda request: Reply(body=body.encode())
    limit = sys.get_int_max_str_digits()
    assert ask(llm, questions(1)).completions[0].text == "fine"
    assert sys.get_int_max_str_digits() == limit
    assert len(server.requests) == 1
