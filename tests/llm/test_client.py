import os
import subprocess
import sys
import textwrap
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from chat_server import Reply

from sklearn_alchemist import LLM
from sklearn_alchemist.exceptions import (
    AlchemistWarning,
    BudgetError,
    LLMError,
    OfflineError,
    StoreError,
)
from sklearn_alchemist.llm import (
    CompletionStore,
    Prices,
    Question,
    _pacing,
    _provider,
    ask,
    prices_of,
    write_recordings,
)


@pytest.fixture
def llm(server, own_store):
    return LLM("openai/test", api_base=server.api_base)


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Collect the pauses between attempts instead of waiting."""
    pauses = []
    monkeypatch.setattr(_pacing, "wait", lambda seconds, _: pauses.append(seconds))
    return pauses


def question(text="hi", sample=0):
    return Question(({"role": "user", "content": text},), sample)


def texts(answers):
    return [completion.text for completion in answers.completions]


def test_answers_come_in_the_order_of_the_questions(server, llm):
    server.answer = lambda r: Reply(
        r["messages"][0]["content"].upper(),
        seconds=0.2 if r["messages"][0]["content"] == "a" else 0,
    )
    assert texts(ask(llm, [question(c) for c in "abcd"])) == list("ABCD")


def test_what_was_answered_is_not_asked_again(server, llm):
    ask(llm, [question()])
    again = ask(llm, [question()])
    assert len(server.requests) == 1
    assert (again.usage.paid.calls, again.usage.cached.calls) == (0, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "openai/other"},
        {"params": {"temperature": 0}},
        {"refresh": True},
    ],
)
def test_another_model_other_parameters_or_a_refresh_ask_anew(server, llm, change):
    ask(llm, [question()])
    ask(replace(llm, **change), [question()])
    assert len(server.requests) == 2


def test_a_refreshed_answer_replaces_the_old_one(server, llm):
    server.script = [Reply("old"), Reply("new")]
    ask(llm, [question()])
    ask(replace(llm, refresh=True), [question()])
    assert texts(ask(llm, [question()])) == ["new"]


def test_samples_of_one_prompt_are_questions_of_their_own(server, llm):
    server.script = [Reply("one"), Reply("two")]
    answers = ask(replace(llm, n_concurrent=1), [question(), question(sample=1)])
    assert texts(answers) == ["one", "two"]


def test_the_parameters_and_the_messages_are_sent_as_they_are(server, llm):
    ask(replace(llm, params={"temperature": 0.1, "seed": 5}), [question("ça va?")])
    (request,) = server.requests
    assert request["model"] == "test"
    assert request["messages"] == [{"role": "user", "content": "ça va?"}]
    assert (request["temperature"], request["seed"]) == (0.1, 5)
    assert request["max_tokens"] == 4096


def test_the_key_comes_from_the_environment(server, llm, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-environment")
    ask(llm, [question()])
    assert server.authorizations == ["Bearer key-of-the-environment"]


def test_threads_that_ask_the_same_pay_once(server, llm):
    server.answer = lambda request: Reply(seconds=0.2)
    with ThreadPoolExecutor(4) as executor:
        usages = list(executor.map(lambda _: ask(llm, [question()]).usage, range(4)))
    assert len(server.requests) == 1
    assert sum(usage.paid.calls for usage in usages) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
def test_a_failure_that_may_pass_is_tried_again(server, llm, pauses, status):
    server.script = [Reply("busy", status), Reply("busy", status), Reply("fine")]
    assert texts(ask(llm, [question()])) == ["fine"]
    assert len(pauses) == 2
    assert pauses[0] < 0.51 < pauses[1] * 1.1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_failure_that_will_not_pass_is_not_tried_again(server, llm, status):
    server.answer = lambda request: Reply("no such thing", status)
    with pytest.raises(LLMError, match="no such thing"):
        ask(llm, [question()])
    assert len(server.requests) == 1


def test_an_exhausted_quota_is_not_tried_again(server, llm):
    server.answer = lambda request: Reply("insufficient_quota: pay first", 429)
    with pytest.raises(LLMError, match="insufficient_quota"):
        ask(llm, [question()])
    assert len(server.requests) == 1


def test_retry_after_is_obeyed(server, llm, pauses):
    server.script = [Reply("busy", 429, headers={"Retry-After": "7"}), Reply("fine")]
    ask(llm, [question()])
    assert len(pauses) == 1
    assert 7 <= pauses[0] < 8


def test_a_server_that_asks_for_too_long_a_wait_is_not_waited_for(server, llm, pauses):
    server.script = [Reply("busy", 429, headers={"Retry-After": "3600"})]
    with pytest.raises(LLMError, match="3600 s"):
        ask(llm, [question()])
    assert pauses == []


def test_attempts_come_to_an_end(server, llm, pauses):
    server.answer = lambda request: Reply("down", 503)
    with pytest.raises(LLMError, match="attempt 5 of 5"):
        ask(llm, [question()])
    assert len(server.requests) == 5


def test_an_answer_that_takes_too_long_is_an_error_that_names_the_timeout(server, llm):
    server.answer = lambda request: Reply(seconds=1.0)
    with pytest.raises(LLMError, match=r"timeout=0\.2"):
        ask(replace(llm, timeout=0.2), [question()])


def test_an_unreachable_host_is_an_error_that_names_it():
    llm = LLM("openai/test", api_base="http://127.0.0.1:9/v1")
    with pytest.raises(LLMError, match=r"127\.0\.0\.1:9/v1 cannot be reached"):
        ask(llm, [question()])


def test_an_unknown_model_is_an_error_before_anything_is_sent():
    with pytest.raises(
        LLMError, match="litellm does not know the model 'gpt-nonsense'"
    ):
        ask(LLM("gpt-nonsense"), [question()])


def test_a_missing_key_is_an_error_that_names_the_variable():
    with pytest.raises(LLMError, match="OPENAI_API_KEY"):
        ask(LLM("openai/gpt-4o-mini"), [question()])


@pytest.fixture
def no_keys(monkeypatch):
    for name in os.environ:
        if name.endswith(("_API_KEY", "_API_BASE")):
            monkeypatch.delenv(name)


MODELS = [f"{provider}/a-model" for provider in _provider._USUAL_KEYS]


@pytest.mark.parametrize("model", [*MODELS, "gpt-4o-mini", "claude-sonnet-4-5"])
def test_a_missing_key_is_told_without_importing_litellm(no_keys, monkeypatch, model):
    def refuse():
        raise AssertionError("litellm is imported")

    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "litellm", raising=False)
        patch.setattr(_provider, "load_litellm", refuse)
        with pytest.raises(LLMError, match="no key for") as early:
            _provider.check_access(LLM(model))
    with pytest.raises(LLMError, match="no key for") as late:
        _provider.check_access(LLM(model))
    assert str(early.value) == str(late.value)


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("openai/gpt-4o-mini", "OPENAI_API_KEY"),
        ("openai/gpt-4o-mini", "OPENAI_BASE_URL"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_AUTH_TOKEN"),
        ("gemini/gemini-2.0-flash", "GEMINI_API_KEY"),
        ("together_ai/a-model", "TOGETHER_API_KEY"),
        ("perplexity/sonar", "PERPLEXITY_API_KEY"),
        ("ollama/llama3", "UNUSED"),
    ],
)
def test_no_model_is_refused_that_litellm_would_ask(
    no_keys, monkeypatch, model, variable
):
    monkeypatch.setenv(variable, "http://localhost:9")
    _provider._check_usual_key(LLM(model))
    _provider.check_access(LLM(model))


@pytest.mark.parametrize("variable", ["USE_LITELLM_PROXY", "MISTRAL_AZURE_API_KEY"])
def test_what_may_stand_for_a_key_is_left_to_litellm(no_keys, monkeypatch, variable):
    monkeypatch.setenv(variable, "True")
    _provider._check_usual_key(LLM("mistral/a-model"))


@pytest.mark.filterwarnings("error")
def test_classes_of_litellm_are_no_matter_of_the_users(no_keys, monkeypatch):
    monkeypatch.setenv("MISTRAL_API_KEY", "a-key")
    llm = LLM("mistral/a-model", params={"temperature": 0.5})
    _provider.check_access(llm)
    assert _provider.dropped_params(llm) == []


def test_a_key_that_is_set_in_litellm_is_a_key(no_keys, monkeypatch):
    monkeypatch.setattr(_provider.load_litellm(), "groq_key", "a-key")
    _provider.check_access(LLM("groq/llama3"))


def test_answers_received_before_a_failure_are_kept(server, llm):
    server.answer = lambda r: (
        Reply("bad", 400) if r["messages"][0]["content"] == "c" else Reply("good")
    )
    llm = replace(llm, n_concurrent=1)
    with pytest.raises(LLMError):
        ask(llm, [question(c) for c in "abc"])
    server.answer = lambda r: Reply("good")
    usage = ask(llm, [question(c) for c in "abc"]).usage
    assert (usage.cached.calls, usage.paid.calls) == (2, 1)


def test_after_a_failure_no_further_call_is_started(server, llm):
    server.answer = lambda r: Reply("bad", 400)
    with pytest.raises(LLMError):
        ask(replace(llm, n_concurrent=1), [question(str(i)) for i in range(20)])
    assert len(server.requests) < 5


def test_a_failed_question_can_be_asked_again_at_once(server, llm):
    server.script = [Reply("bad", 400)]
    with pytest.raises(LLMError):
        ask(llm, [question()])
    assert texts(ask(llm, [question()])) == ["hello"]


def test_an_unusable_store_is_an_error_before_anything_is_sent(server, llm, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match=r"LLM\(\.\.\., store=PATH\)"):
        ask(replace(llm, store=tmp_path / "file" / "store.sqlite"), [question()])
    assert server.requests == []


def test_an_answer_that_cannot_be_kept_is_used_all_the_same(server, llm, monkeypatch):
    def full(*_):
        raise StoreError("disk full")

    monkeypatch.setattr(CompletionStore, "save", full)
    with pytest.warns(AlchemistWarning, match="disk full"):
        assert texts(ask(llm, [question()])) == ["hello"]


def test_offline_names_the_question_that_has_no_answer(server, llm):
    with pytest.raises(OfflineError, match="'what is it'"):
        ask(replace(llm, offline=True), [question("what is it")])
    assert server.requests == []


def test_max_calls_is_checked_before_the_first_call(server, llm):
    with pytest.raises(BudgetError, match="max_calls=2"):
        ask(replace(llm, max_calls=2), [question(c) for c in "abc"])
    assert server.requests == []


def test_repeated_attempts_count_as_calls(server, llm):
    server.answer = lambda request: Reply("down", 503)
    with pytest.raises(BudgetError, match="max_calls=2"):
        ask(replace(llm, max_calls=2), [question()])
    assert len(server.requests) == 2


def test_a_cost_that_cannot_be_known_is_an_error_before_the_first_call(server, llm):
    with pytest.raises(BudgetError, match="prices="):
        ask(replace(llm, max_cost=1.0), [question()])
    assert server.requests == []


def test_max_cost_is_never_exceeded(server, llm):
    # One answer costs .0002 dollars; the worst case of one call is about .0041.
    capped = replace(
        llm,
        prices={"input": 1.0, "output": 2.0},
        params={"max_tokens": 2000},
        max_cost=0.0045,
        n_concurrent=1,
    )
    with pytest.raises(BudgetError, match="max_cost"):
        ask(capped, [question(str(i)) for i in range(30)])
    assert 2 <= len(server.requests) <= 0.0045 / 0.0002


def test_an_attempt_of_unknown_outcome_stays_charged(server, llm):
    server.answer = lambda request: Reply("down", 500)
    capped = replace(
        llm,
        prices={"input": 1.0, "output": 2.0},
        params={"max_tokens": 1000},
        max_cost=0.0045,
    )
    with pytest.raises(BudgetError, match="max_cost"):
        ask(capped, [question()])
    assert len(server.requests) == 2


def test_a_function_answers_like_a_model():
    llm = LLM.from_callable(str.upper, name="upper")
    assert texts(ask(llm, [question("hi")])) == ["HI"]
    assert ask(llm, [question("hi")]).usage.cached.calls == 1


def test_an_unnamed_function_is_asked_each_time():
    asked = []
    llm = LLM.from_callable(lambda prompt: asked.append(prompt) or "x")
    ask(llm, [question()])
    ask(llm, [question()])
    assert asked == ["hi", "hi"]


def test_a_function_that_raises_is_an_error_that_says_so():
    def broken(prompt):
        raise RuntimeError("no idea")

    with pytest.raises(LLMError, match="RuntimeError: no idea"):
        ask(LLM.from_callable(broken), [question()])


def test_a_function_that_returns_no_text_is_an_error():
    with pytest.raises(LLMError, match="must return a str"):
        ask(LLM.from_callable(lambda prompt: None), [question()])


@pytest.mark.slow
def test_an_interruption_keeps_what_is_under_way_and_ends_pauses(
    server, llm, own_store
):
    code = """
        import sys, _thread, threading
        from sklearn_alchemist import LLM
        from sklearn_alchemist.llm import CompletionStore, Question, ask, prices_of
        prices_of("x")  # imports litellm before the clock runs
        CompletionStore(sys.argv[2]).set_cap(None)  # makes its tables, too
        llm = LLM("openai/test", api_base=sys.argv[1], store=sys.argv[2])
        asked = [Question(({"role": "user", "content": text},)) for text in "ab"]
        threading.Timer(1.0, _thread.interrupt_main).start()
        try:
            ask(llm, asked)
        except KeyboardInterrupt:
            print("interrupted")
    """

    def answer(request):
        if request["messages"][0]["content"] == "a":
            return Reply("paid", seconds=2.5)
        return Reply("busy", 429, headers={"Retry-After": "50"})

    server.answer = answer
    run = [sys.executable, "-c", textwrap.dedent(code), server.api_base, str(own_store)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=200, check=True)
    assert done.stdout.split() == ["interrupted"]
    (record,) = CompletionStore(own_store).records()
    assert record[1].text == "paid"


def test_progress_is_reported_in_the_thread_of_the_caller(server, llm):
    seen = []
    ask(
        llm,
        [question(c) for c in "abc"],
        on_answer=lambda i: seen.append((i, threading.get_ident())),
    )
    assert sorted(seen) == [(i, threading.get_ident()) for i in range(3)]


def test_tokens_and_dollars_are_counted_with_the_given_prices(server, llm):
    priced = replace(llm, prices={"input": 1.0, "output": 2.0})
    usage = ask(priced, [question()]).usage
    assert usage.paid.tokens == 150
    assert usage.dollars == pytest.approx(0.0002)


def test_an_unknown_price_is_unknown_and_not_zero(llm):
    assert ask(llm, [question()]).usage.dollars is None


def test_recordings_are_replayed_without_the_server(server, llm, own_store, tmp_path):
    server.answer = lambda request: "recorded"
    ask(llm, [question()])
    path = tmp_path / "recorded.jsonl"
    assert write_recordings(CompletionStore(own_store), path, answered_by="me") == 1
    answers = ask(LLM("recorded", store=path), [question()])
    assert texts(answers) == ["recorded"]
    assert answers.completions[0].model == "me"
    with pytest.raises(OfflineError):
        ask(LLM("recorded", store=path), [question("something else")])


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '"text"',
        '{"request": {"messages": [], "params": {}, "sample": 0},'
        ' "completion": {"text": null, "model": "m"}}',
    ],
)
def test_a_broken_recording_is_an_error_that_names_the_line(tmp_path, line):
    path = tmp_path / "broken.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(StoreError, match="line 2"):
        ask(LLM("openai/test", store=path), [question()])


def test_prices_are_those_of_litellms_table():
    assert prices_of("gpt-4o-mini") == Prices(input=0.15, output=0.60)


def test_a_key_that_a_server_repeats_is_not_shown(server, llm, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-the-environment")
    server.answer = lambda r: Reply("bad key: the-key-of-the-environment", 401)
    with pytest.raises(LLMError, match=r"bad key: \*\*\*") as raised:
        ask(llm, [question()])
    assert "the-key" not in "".join(traceback.format_exception(raised.value))


def test_unusual_characters_survive_the_store_and_recordings(
    server, llm, own_store, tmp_path
):
    server.answer = lambda r: "a\u2028b\x85c\ud800d"
    (text,) = texts(ask(llm, [question()]))
    assert text == "a\u2028b\x85c?d"
    path = tmp_path / "recorded.jsonl"
    write_recordings(CompletionStore(own_store), path)
    assert texts(ask(LLM("recorded", store=path), [question()])) == [text]


@pytest.mark.slow
def test_after_a_failure_other_questions_are_not_retried(server, llm, pauses):
    server.answer = lambda r: (
        Reply("bad", 400, seconds=0.3)
        if r["messages"][0]["content"] == "a"
        else Reply("busy", 429, seconds=0.2)
    )
    with pytest.raises(LLMError, match="bad"):
        ask(llm, [question(c) for c in "abcd"])
    assert len(server.requests) <= 7
