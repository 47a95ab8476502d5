"""As many questions are asked at once as a server answers."""

import threading
import time

import pytest
from chat_server import Reply

from sklearn_alchemist import LLM, llm
from sklearn_alchemist.exceptions import LLMError
from sklearn_alchemist.llm import Question, _pacing, ask
from sklearn_alchemist.llm._pacing import START, Flow

NEVER = threading.Event()


class Clock:
    now = 1.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def questions(n):
    message = {"role": "user", "content": "hello?"}
    return [Question((message,), sample=i) for i in range(n)]


def answer_round(flow, clock, seconds=1.0):
    """Fill the flow, and answer all that is under way."""
    sent = [flow.enter(NEVER) for _ in range(int(flow.limit))]
    clock.now += seconds
    for moment in sent:
        flow.answered(moment)
        flow.leave()


def test_slow_start_doubles_up_to_the_bound(clock):
    flow = Flow(64, 120.0, clock=clock)
    limits = [flow.limit]
    for _ in range(4):
        answer_round(flow, clock)
        limits.append(flow.limit)
    assert limits == [10, 20, 40, 64, 64]


def test_the_bound_holds_from_the_beginning(clock):
    assert Flow(3, 120.0, clock=clock).limit == 3


def test_a_limit_cuts_once_for_all_that_was_under_way(clock):
    flow = Flow(64, 120.0, clock=clock)
    sent = [flow.enter(NEVER) for _ in range(10)]
    clock.now += 1
    assert [flow.throttled(moment, 5.0) for moment in sent] == [7] + [None] * 9


def test_after_a_cut_it_grows_by_one_a_round(clock):
    flow = Flow(64, 120.0, clock=clock)
    sent = flow.enter(NEVER)
    clock.now += 1
    flow.throttled(sent, 0.0)
    flow.leave()
    answer_round(flow, clock)
    assert 7.5 < flow.limit < 8.1


def test_a_limit_that_does_not_pass_is_probed_by_one_and_then_forgotten(clock):
    flow = Flow(64, 120.0, clock=clock)
    for _ in range(20):
        sent = flow.enter(NEVER)
        clock.now += 1
        flow.throttled(sent, 0.0)
        flow.leave()
    assert flow.limit == 1
    for _ in range(3):
        answer_round(flow, clock)
    assert int(flow.limit) == 7  # twice a round, up to what the first cut left


def test_questions_that_wait_in_a_queue_of_the_server_are_not_joined_by_more(clock):
    flow = Flow(64, timeout=120.0, clock=clock)
    answer_round(flow, clock, seconds=4.0)
    assert flow.limit == 20
    answer_round(flow, clock, seconds=40.0)
    assert flow.limit == 20
    slow_from_the_start = Flow(64, timeout=120.0, clock=clock)
    answer_round(slow_from_the_start, clock, seconds=40.0)
    assert slow_from_the_start.limit == 20


def test_what_is_not_made_use_of_does_not_grow(clock):
    flow = Flow(64, 120.0, clock=clock)
    for _ in range(50):
        sent = flow.enter(NEVER)
        clock.now += 1
        flow.answered(sent)
        flow.leave()
    assert flow.limit == START


def serve_window(server, n_calls, window, headers):
    """Let a server answer so many calls in each window of time."""
    began, counts = [], {}

    def answer(request):
        now = time.monotonic()
        began.append(now)
        place = (now - began[0]) // window
        counts[place] = counts.get(place, 0) + 1
        if counts[place] <= n_calls:
            return Reply(seconds=0.02)
        left = began[0] + (place + 1) * window - now
        return Reply("too many requests", 429, headers=headers(left))

    server.answer = answer


@pytest.mark.parametrize(
    "headers",
    [lambda left: {"retry-after-ms": str(int(left * 1000) + 1)}, lambda left: {}],
    ids=["with a hint", "without"],
)
def test_fixed_windows_are_made_full_use_of(server, headers):
    model = LLM("openai/m", api_base=server.api_base, store=False)
    ask(model, questions(1))
    events = []
    llm.set_on_event_hooks([events.append])
    serve_window(server, 30, 1.0, headers)
    started = time.monotonic()
    try:
        answers = ask(model, questions(60))
    finally:
        llm.set_on_event_hooks([])
    assert all(answers.completions)
    assert answers.usage.paid.calls == 60
    # Two windows, and what a busy machine and a wait without a hint take besides.
    assert time.monotonic() - started < 8.0
    assert {"throttled", "adjusted"} <= {event.kind for event in events}
    # While the window was closed, hardly anybody asked.
    assert len(server.requests) < 1 + 60 + 64


def test_nobody_new_is_sent_while_the_server_asks_to_wait(server):
    model = LLM("openai/m", api_base=server.api_base, store=False, n_concurrent=2)
    moments = []

    def answer(request):
        moments.append(time.monotonic())
        if len(moments) == 1:
            return Reply("slow", 429, headers={"retry-after-ms": "400"})
        # Still under way when it is known, however busy the machine is.
        return Reply(seconds=0.8 if len(moments) == 2 else 0.05)

    server.answer = answer
    ask(model, questions(6))
    # The second was under way already; the others came when the first could.
    assert sorted(moments)[2] - moments[0] >= 0.4


def test_a_server_that_is_always_too_busy_ends_with_one_message(server, monkeypatch):
    monkeypatch.setattr(_pacing, "wait", lambda *_: None)
    monkeypatch.setattr(_pacing, "PATIENCE", 0.2)
    model = LLM("openai/m", api_base=server.api_base, store=False)
    headers = {"retry-after-ms": "100"}
    server.answer = lambda request: Reply("slow", 429, headers=headers)
    started = time.monotonic()
    with pytest.raises(LLMError, match="has not passed"):
        ask(model, questions(100))
    assert time.monotonic() - started < 5


def test_cached_tokens_are_counted_at_their_price(server):
    usage = {
        "prompt_tokens": 1_000_000,
        "completion_tokens": 1_000_000,
        "prompt_tokens_details": {"cached_tokens": 800_000},
    }
    server.answer = lambda request: Reply(usage=usage)
    prices = {"input": 1.0, "output": 2.0, "cached": 0.1}
    base = server.api_base
    model = LLM("openai/m", api_base=base, store=False, prices=prices)
    assert ask(model, questions(1)).usage.dollars == pytest.approx(0.2 + 0.08 + 2)
    model = LLM("openai/gpt-4o-mini", api_base=base, store=False)
    full = 0.15 + 0.60
    assert ask(model, questions(1)).usage.dollars == pytest.approx(full - 0.8 * 0.075)
