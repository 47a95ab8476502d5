"""However a server says that it is asked too often, it is waited for."""

import json
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta

import pytest
from chat_server import Reply

from sklearn_alchemist import LLM
from sklearn_alchemist.exceptions import LLMError
from sklearn_alchemist.llm import Question, _pacing, ask
from sklearn_alchemist.llm._pacing import seconds_to_wait

QUESTION = Question(({"role": "user", "content": "hello?"},))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DATE = {"date": "Fri, 02 Jan 2026 03:04:05 GMT"}
LATER = NOW + timedelta(seconds=34)


@pytest.fixture
def llm(server):
    return LLM("openai/m", api_base=server.api_base, store=False, timeout=10.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "34"}, 34),
        ({"retry-after": "34s"}, 34),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:39 GMT"}, 34),
        ({"retry-after-ms": "34000", "retry-after": "35"}, 34),
        ({"x-ms-retry-after-ms": "34000"}, 34),
        ({"x-ratelimit-reset-requests": "34s"}, 34),
        ({"x-ratelimit-reset-tokens": "1m2.5s"}, 62.5),
        ({"x-rate-limit-reset-tokens": "34"}, 34),
        ({"x-ratelimit-reset": str(int(LATER.timestamp()))}, 34),
        ({"x-ratelimit-reset": str(int(LATER.timestamp() * 1000))}, 34),
        ({"x-ratelimit-reset": LATER.isoformat()}, 34),
        ({"x-ratelimit-reset-after": "34"}, 34),
        ({"ratelimit-reset": "34"}, 34),
        ({"anthropic-ratelimit-tokens-reset": "2026-01-02T03:04:39Z"}, 34),
        ({"anthropic-ratelimit-input-tokens-reset": "2026-01-02T03:04:39Z"}, 34),
        (
            {
                "x-ratelimit-remaining-requests": "9999",
                "x-ratelimit-reset-requests": "86ms",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            0.086,  # a part of the tokens is back before all of them
        ),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "23h",
            },
            23 * 3600,
        ),
        ({"x-ratelimit-reset-requests": "6m0s"}, None),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "9000",
                "anthropic-ratelimit-tokens-reset": "2026-01-02T03:24:05Z",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-01-02T03:04:09Z",
            },
            4,
        ),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "9000",
                "anthropic-ratelimit-tokens-reset": "2026-01-02T03:24:05Z",
            },
            None,
        ),
        ({"x-ratelimit-reset-requests": "23h", "x-ratelimit-reset-tokens": "9s"}, 9),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "0"}, None),
        ({"x-ratelimit-reset-tokens": "soon"}, None),
        ({"content-length": "34"}, None),
    ],
)
def test_headers_tell_how_long(headers, seconds):
    assert seconds_to_wait({**DATE, **headers}) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached: Limit 3, Used 3. Please try again in 20s.", 20),
        ("Please try again in 350ms.", 0.35),
        ("Please try again in 1m2.5s. Visit https://a.example/rate-limits", 62.5),
        ("Please retry after 12 seconds.", 12),
        ("You exceeded your quota. Please retry in 34.074824224s.", 34.074824224),
        ('"details": [{"@type": "RetryInfo", "retryDelay": "34s"}]', 34),
        ('{"retry_after": 12}', 12),
        ('{"retry_after_ms": 1200}', 1.2),
        ("Too many requests, wait 1 minute and 5 seconds", 65),
        ("Limit of 60 requests per minute reached", None),
        ("Please retry your request in a minute", 60),
    ],
)
def test_words_tell_how_long(text, seconds):
    assert seconds_to_wait({}, text) == pytest.approx(seconds)


def google(seconds):
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo"}
    details = [{**info, "retryDelay": f"{seconds}s"}]
    error = {"code": 429, "message": "quota", "details": details}
    return Reply(body=json.dumps({"error": error}).encode(), status=429)


LIMITS = {
    "Retry-After": Reply("slow", 429, headers={"Retry-After": "1"}),
    "milliseconds": Reply("slow", 429, headers={"retry-after-ms": "900"}),
    "reset of tokens": Reply("slow", 429, headers={"x-ratelimit-reset-tokens": "1s"}),
    "reset of requests": Reply(
        "slow", 429, headers={"x-ratelimit-reset-requests": "900ms"}
    ),
    "draft of the IETF": Reply("slow", 429, headers={"RateLimit-Reset": "1"}),
    "Google": google(1),
    "Azure": Reply("Please retry after 1 second.", 429),
    "OpenAI": Reply("Limit 3, Used 3. Please try again in 900ms.", 429),
    "plain text": Reply(body=b"slow down, retry in 1s", status=429),
    "overloaded": Reply("busy", 503, headers={"Retry-After": "1"}),
    "Anthropic": Reply("Overloaded, wait 1 second", 529),
    "throttled": Reply("ThrottlingException: try again in 1s", 400),
    "Groq": Reply("Flex tier capacity exceeded, try again in 1s", 498),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_waited_out_as_long_as_the_server_says(
    server, llm, limit, monkeypatch
):
    pauses = []
    monkeypatch.setattr(_pacing, "wait", lambda seconds, _: pauses.append(seconds))
    server.script = [LIMITS[limit]] * 2
    assert ask(llm, [QUESTION]).completions[0].text == "hello"
    assert len(pauses) == 2
    assert all(0.9 <= pause <= 1.1 for pause in pauses)


def test_a_limit_is_really_waited_for(server, llm):
    server.script = [Reply("Please try again in 400ms.", 429)]
    started = time.monotonic()
    ask(llm, [QUESTION])
    assert time.monotonic() - started >= 0.4


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_per_minute_without_a_hint_is_waited_out(
    server, llm, status, monkeypatch
):
    waited = 0.0

    def wait(seconds, given_up):
        nonlocal waited
        waited += seconds

    monkeypatch.setattr(_pacing, "wait", wait)
    server.answer = lambda request: (
        "hello" if waited > 118 else Reply("too many requests", status)
    )
    assert ask(llm, [QUESTION]).completions[0].text == "hello"
    assert len(server.requests) < 30


def test_a_reset_that_is_far_away_is_no_reason_not_to_try(server, llm, monkeypatch):
    monkeypatch.setattr(_pacing, "wait", lambda *_: None)
    headers = {"x-ratelimit-reset-requests": "6m0s"}
    server.script = [Reply("too many requests", 429, headers=headers)] * 2
    assert ask(llm, [QUESTION]).completions[0].text == "hello"


@pytest.mark.parametrize("status", [498, 507, 520, 525, 530, 598, 599])
def test_errors_of_a_server_are_waited_for(server, llm, status, monkeypatch):
    monkeypatch.setattr(_pacing, "wait", lambda *_: None)
    server.script = [Reply("down", status)] * 2
    assert ask(llm, [QUESTION]).completions[0].text == "hello"


@pytest.mark.parametrize("status", [501, 505])
def test_what_a_server_does_not_know_is_asked_once(server, llm, status):
    server.answer = lambda request: Reply("not implemented", status)
    with pytest.raises(LLMError, match="not implemented"):
        ask(llm, [QUESTION])
    assert len(server.requests) == 1


@pytest.mark.slow
def test_a_limit_that_does_not_pass_ends_with_one_message(server, llm, monkeypatch):
    monkeypatch.setattr(_pacing, "wait", lambda *_: None)
    server.answer = lambda request: Reply("too many requests", 429)
    with pytest.raises(LLMError, match="has not passed in 1"):
        ask(llm, [QUESTION])


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (
            "Limit of requests per day. Please try again in 7h12m.",
            "asks to wait 25920 s",
        ),
        ("You exceeded your current quota, check your plan and billing", "billing"),
    ],
)
def test_what_passes_no_sooner_than_tomorrow_is_not_waited_for(
    server, llm, text, match
):
    server.answer = lambda request: Reply(text, 429)
    with pytest.raises(LLMError, match=match):
        ask(llm, [QUESTION])
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_nothing_of_a_server_reaches_a_traceback_raw(
    server, llm, status, monkeypatch, capfd
):
    monkeypatch.setattr(_pacing, "wait", lambda *_: None)
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-environment")
    said = "\x1b[2Jkey sk-abcdef1234567890 or a-key-of-the-environment \u202e"
    said += " at https://a.example/?token=abcdef123456, per day"
    server.answer = lambda request: Reply(said, status)
    with pytest.raises(LLMError) as caught:
        ask(llm, [QUESTION])
    shown = "".join(traceback.format_exception(caught.value))
    shown += "".join(capfd.readouterr())
    for raw in ("\x1b", "sk-abc", "a-key-of", "a.example", "\u202e"):
        assert raw not in shown


def message(content, **fields):
    text = {"role": "assistant", "content": content, **fields}
    choice = {"index": 0, "message": text, "finish_reason": "stop"}
    return Reply(body=json.dumps({"model": "m", "choices": [choice]}).encode())


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (message([{"type": "text", "text": "hi"}]), "hi"),
        (
            message(
                [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "hi"},
                ]
            ),
            "hi",
        ),
        (message(None, reasoning_content="hm"), "<think>\nhm\n</think>"),
        (message("", reasoning="hm"), "<think>\nhm\n</think>"),
        (message(None, tool_calls=[CALL]), "{}"),
        (Reply(body=b'{"choices": [{"text": "hi"}]}'), "hi"),
    ],
)
def test_a_paid_answer_is_read_wherever_it_is(server, llm, reply, text):
    server.script = [reply]
    assert ask(llm, [QUESTION]).completions[0].text == text
    assert len(server.requests) == 1


@pytest.mark.parametrize("reason", [None, "", "max_output", "who knows"])
@pytest.mark.parametrize(
    ("text", "is_cut_off"),
    [("```python\ndef f(", True), ('{"label": "sp', True), ("spam", False)],
)
def test_what_breaks_off_for_no_known_reason_was_cut_off(
    server, llm, reason, text, is_cut_off
):
    server.script = [Reply(text, finish_reason=reason)]
    (completion,) = ask(llm, [QUESTION]).completions
    cut = is_cut_off or reason == "max_output"
    assert (completion.finish_reason == "length") == cut


def test_a_limit_under_which_others_are_answered_is_waited_out(monkeypatch):
    pauses = []
    monkeypatch.setattr(_pacing, "wait", lambda s, given_up: pauses.append(s))
    n_answered = 0

    def starve():
        nonlocal n_answered
        n_answered += len(pauses) % 2  # somebody else comes first
        if sum(pauses) < 600:
            raise _pacing.CallFailed("busy", True, retry_after=60, throttled=True)
        return "fine"

    given_up = threading.Event()
    assert _pacing.with_backoff(starve, given_up, lambda: n_answered) == "fine"
    pauses.clear()
    with pytest.raises(LLMError, match=r"has not passed in 18\d s"):
        _pacing.with_backoff(starve, given_up)
