"""One budget and one ledger: what may be spent, and what was, however it ends."""

import contextlib
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import pytest
from chat_server import Reply

from sklearn_alchemist import (
    LLM,
    ConceptScorer,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.exceptions import AlchemistWarning, BudgetError, LLMError
from sklearn_alchemist.llm import (
    CompletionStore,
    Ledger,
    Question,
    Tally,
    Usage,
    _pacing,
    ask,
)

LINK = "def label(text):\n    return 'spam' if 'http' in text else 'ham'\n"
RECORDS = ["see http://x.example", "a nice song"] * 10
# By these an answer of the server costs $0.0002, and a call at most a little over .002.
PRICES = {"input": 1.0, "output": 2.0}
ANSWER, WORST = 0.0002, 0.0022


@pytest.fixture
def llm(server, own_store):
    return LLM(
        "openai/test",
        api_base=server.api_base,
        prices=PRICES,
        params={"max_tokens": 1000},
        n_concurrent=2,
    )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(_pacing, "wait", lambda seconds, given_up: None)


def questions(n, start=0):
    return [
        Question(({"role": "user", "content": f"question {i}"},))
        for i in range(start, start + n)
    ]


def labeler(llm, **options):
    options = {"task": "Spam?", "classes": ["ham", "spam"], "n_programs": 3, **options}
    return ProgramSynthesisLabeler(llm, **options)


def served(server):
    """Dollars of what the server answered."""
    return ANSWER * len(server.requests)


class Crowd:
    """Answers after a while, and notes how many calls were under way at once.

    The first ones wait for as many as are `awaited`, however busy the machine is.
    """

    def __init__(self, server, seconds=0.1, awaited=1):
        self.now = self.most = 0
        self.lock = threading.Condition()
        reply = server._reply

        def count(request, authorization):
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
                self.lock.notify_all()
                self.lock.wait_for(lambda: self.most >= awaited, timeout=30)
            try:
                time.sleep(seconds)
                return reply(request, authorization)
            finally:
                with self.lock:
                    self.now -= 1

        server._reply = count


# ------------------------------------------------------------- room under a cap ----


@pytest.mark.slow
def test_who_finds_no_room_under_a_cap_waits_for_what_is_under_way(server, llm):
    crowd = Crowd(server, awaited=2)
    capped = llm.having(max_cost=0.02, n_concurrent=40)
    usage = ask(capped, questions(40)).usage
    assert usage.paid.calls == len(server.requests) == 40
    assert usage.dollars == pytest.approx(40 * ANSWER)
    assert 1 < crowd.most <= 0.02 / 0.002


@pytest.mark.slow
def test_the_cap_of_a_store_counts_the_worst_case_of_what_is_under_way(
    server, llm, own_store
):
    CompletionStore(own_store).set_cap(2 * WORST)
    crowd = Crowd(server, 0.5, awaited=2)
    usages = []

    def fit(start):
        usages.append(ask(llm, questions(3, start), partial=True).usage)

    askers = [threading.Thread(target=fit, args=(3 * k,)) for k in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    # Four fits with two threads each, and room for two calls at their worst.
    assert crowd.most == 2
    spent = CompletionStore(own_store).spent()
    assert spent == pytest.approx(served(server))
    assert spent == pytest.approx(sum(usage.dollars for usage in usages))
    assert 2 * WORST - WORST < spent <= 2 * WORST


def test_nobody_waits_for_calls_that_cannot_make_room(own_store):
    store = CompletionStore(own_store)
    store.set_cap(1.0)
    store.settle(store.reserve(0.5), None)
    held = store.reserve(0.4)
    with pytest.raises(BudgetError):
        store.reserve(0.6)
    assert store.reserve(0.3) is None
    store.settle(held, 0.1)
    assert store.reserve(0.3) is not None


def test_nobody_waits_for_calls_of_a_killed_process(own_store):
    store = CompletionStore(own_store)
    store.set_cap(1.0)
    store.reserve(0.8, seconds=0.2)
    assert store.reserve(0.5) is None
    time.sleep(0.3)
    with pytest.raises(BudgetError):
        store.reserve(0.5)
    assert store.spent() == 0.8


@pytest.mark.slow
def test_processes_wait_for_each_other_under_the_cap_of_a_store(server, own_store):
    CompletionStore(own_store).set_cap(0.01)
    server.answer = lambda request: Reply("fine", seconds=0.05)
    code = """
        import os, sys
        from sklearn_alchemist import LLM
        from sklearn_alchemist.llm import Question, ask, prices_of
        prices_of("x")  # imports litellm once, for all
        llm = LLM("openai/test", api_base=sys.argv[1], store=sys.argv[2],
                  prices={"input": 1.0, "output": 2.0}, params={"max_tokens": 1000})
        children = []
        for k in range(4):
            child = os.fork()
            if not child:
                asked = [Question(({"role": "user", "content": f"{k} {i}"},))
                         for i in range(6)]
                os._exit(ask(llm, asked).usage.paid.calls)
            children.append(child)
        print(*[os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children])
    """
    run = [sys.executable, "-c", textwrap.dedent(code), server.api_base, str(own_store)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["6"] * 4
    assert CompletionStore(own_store).spent() == pytest.approx(served(server))


# ---------------------------------------------------- one budget for everything ----


def test_the_last_batch_is_held_to_the_same_budget(server, llm):
    server.answer = lambda request: '{"label": "ham"}'
    judge = ZeroShotAnnotator(
        llm.having(max_calls=2), task="?", classes=["ham", "spam"], rows_per_call=2
    ).fit(["a"])
    with pytest.raises(BudgetError, match="answer: 3"):
        judge.annotate(list("abcde"))
    assert server.requests == []
    judge.set_params(llm=llm.having(max_calls=3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert judge.annotate(list("abcde")).usage.paid.calls == 3


def test_a_refresh_pays_for_each_record_once(server, llm):
    server.answer = lambda request: '{"label": "ham"}'
    judge = ZeroShotAnnotator(
        llm.having(refresh=True), task="?", classes=["ham", "spam"]
    ).fit(["a"])
    for _ in range(3):
        judge.predict(["a", "b"])
    assert len(server.requests) == 2


def test_a_record_that_is_refused_neither_ends_nor_exceeds_a_budget(server, llm):
    def answer(request):
        if "long" in str(request["messages"]):
            return Reply("ContextWindowExceededError: too long", 400)
        return '{"label": "ham"}'

    server.answer = answer
    judge = ZeroShotAnnotator(
        llm.having(max_calls=6, store=False), task="?", classes=["ham", "spam"]
    ).fit(["a"])
    annotation = judge.annotate(["a", "long", "b", "c", "long 2", "d"])
    assert annotation.flag.tolist() == [False, True, False, False, True, False]
    assert len(server.requests) == 6
    assert annotation.usage.paid.calls == annotation.usage.calls == 4


def test_prior_knowledge_counts_under_the_caps_of_the_fit(server, llm):
    server.answer = lambda request: LINK
    other = LLM("openai/other", api_base=server.api_base, prices=PRICES)
    fit = labeler(
        llm.having(max_calls=4),
        n_programs=3,
        prior_knowledge=["rules", "keywords"],
        prior_llm=other,
    )
    with pytest.raises(BudgetError, match="5 calls are planned"):
        fit.fit(RECORDS)
    assert server.requests == []
    fit.set_params(llm=llm.having(max_calls=5)).fit(RECORDS)
    assert fit.usage_.paid.calls == len(server.requests) == 5


@pytest.mark.slow
def test_an_estimate_tells_the_calls_that_a_cap_would_not_allow(server, llm):
    capped = labeler(llm.having(max_calls=1, max_cost=0), prior_knowledge="rules")
    estimate = capped.estimate_cost(RECORDS)
    assert (estimate.calls, estimate.stored) == (4, 0)
    server.answer = lambda request: LINK
    labeler(llm, prior_knowledge="rules").fit(RECORDS)
    estimate = capped.estimate_cost(RECORDS)
    assert (estimate.calls, estimate.stored) == (0, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = capped.fit(RECORDS)
    assert (fitted.usage_.paid.calls, fitted.usage_.cached.calls) == (0, 4)


def test_a_second_model_is_held_to_its_own_caps_as_well(server, llm):
    other = LLM("openai/other", api_base=server.api_base, max_calls=1)
    fit = labeler(llm, prior_knowledge=["rules", "keywords"], prior_llm=other)
    with pytest.raises(BudgetError, match="max_calls=1"):
        fit.fit(RECORDS)
    assert server.requests == []


def test_a_cap_of_the_fit_wants_the_price_of_a_second_model(server, llm):
    other = LLM("openai/other", api_base=server.api_base)
    fit = labeler(llm.having(max_cost=1.0), prior_knowledge="rules", prior_llm=other)
    with pytest.raises(BudgetError, match="price"):
        fit.fit(RECORDS)
    assert server.requests == []


def test_repairs_count_under_the_caps_of_the_fit(server, llm):
    server.answer = lambda request: "def label(text): return 1 / 0"
    with pytest.raises(Exception, match="max_calls=4"):
        labeler(llm.having(max_calls=4, n_concurrent=1), max_repairs=3).fit(RECORDS)
    assert len(server.requests) == 4


def test_a_call_that_a_server_refuses_in_part_counts_as_a_call(server, llm):
    def answer(request):
        if "temperature" in request:
            return Reply("Unsupported parameter: 'temperature'", 400)
        return "fine"

    server.answer = answer
    with (
        pytest.warns(AlchemistWarning, match="temperature"),
        pytest.raises(BudgetError, match="max_calls=1"),
    ):
        ask(llm.having(max_calls=1), questions(1))
    assert len(server.requests) == 1


# ----------------------------------------- what is seen, however a call has ended ----


def test_after_a_fit_that_failed_what_was_asked_and_paid_is_seen(
    server, llm, own_store
):
    server.script = [LINK, LINK]
    server.answer = lambda request: Reply("key revoked", 401)
    failing = labeler(llm.having(n_concurrent=1), n_programs=4)
    with pytest.raises(LLMError, match="2 of 4 answers were received"):
        failing.fit(RECORDS)
    assert failing.usage_.paid.calls == len(failing.conversation_) == 2
    assert failing.usage_.dollars == pytest.approx(2 * ANSWER)
    assert failing.usage_.dollars == pytest.approx(CompletionStore(own_store).spent())


def test_after_an_interruption_what_was_asked_and_paid_is_seen(
    server, llm, own_store, monkeypatch
):
    server.answer = lambda request: Reply(LINK, seconds=0.1)
    interrupted = labeler(llm, n_programs=6)
    from sklearn_alchemist.llm import _client

    def interrupt(on_answer, position):
        raise KeyboardInterrupt

    monkeypatch.setattr(_client, "_notify", interrupt)
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(RECORDS)
    n_answered = len(server.requests)
    assert 1 <= n_answered <= 4
    assert interrupted.usage_.paid.calls == n_answered
    assert len(interrupted.conversation_) == n_answered
    assert CompletionStore(own_store).spent() == pytest.approx(served(server))


def test_a_scorer_whose_answer_cannot_be_used_shows_what_it_paid(server, llm):
    server.script = ["no concepts"]
    server.answer = lambda request: Reply("key revoked", 401)

    class Flat:
        def encode(self, inputs):
            return [[1.0, 0.0] for _ in inputs]

    scorer = ConceptScorer(
        llm, task="?", classes=["cat", "dog"], embedder=Flat(), input="embedding"
    )
    with pytest.raises(LLMError, match="refuses the key"):
        scorer.fit([[1.0, 0.0], [0.0, 1.0]])
    assert scorer.usage_.paid.calls == len(scorer.conversation_) == 1


def test_calls_without_an_answer_are_accounted_for_at_their_worst_case(
    server, llm, own_store
):
    server.script = [Reply("down", 500), Reply("slow down", 429)]
    ledger = Ledger(llm)
    usage = ask(llm.having(n_concurrent=1), questions(2), ledger=ledger).usage
    assert (usage.paid.calls, usage.unanswered.calls) == (2, 1)
    assert 0.002 < usage.unanswered.dollars <= WORST
    assert usage == ledger.usage
    assert usage.dollars == pytest.approx(CompletionStore(own_store).spent())
    assert "without an answer: 1 call" in str(usage)


def test_an_answer_of_a_model_without_a_limit_on_tokens_is_accounted_for(
    server, llm, own_store
):
    unlimited = llm.having(params={"max_tokens": None})
    assert ask(unlimited, questions(1)).usage.dollars == pytest.approx(ANSWER)
    assert CompletionStore(own_store).spent() == pytest.approx(ANSWER)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_usage_the_account_of_the_store_and_the_server_agree_whatever_fails(
    server, llm, own_store, seed
):
    chance = random.Random(seed)
    n_answered = n_unsure = 0

    def answer(request):  # by one thread at a time
        nonlocal n_answered, n_unsure
        fate = chance.random()
        if fate < 0.1:
            return Reply("slow down", 429)
        if fate < 0.3:
            n_unsure += 1
            return chance.choice(
                [Reply("down", 500), Reply(reset=True), Reply(body=b"<html>")]
            )
        if fate < 0.35 and "temperature" in request:
            return Reply("Unsupported parameter: 'temperature'", 400)
        n_answered += 1
        return Reply("fine", seconds=0.01)

    server.answer = answer
    store_cap, max_cost = chance.choice([0.01, 0.03]), chance.choice([0.005, 0.02])
    CompletionStore(own_store).set_cap(store_cap)
    capped = llm.having(max_cost=max_cost, n_concurrent=chance.choice([1, 3, 8]))
    ledgers = [Ledger(capped), Ledger(capped)]

    def fit(k):
        with contextlib.suppress(LLMError):
            for start in (0, 8):
                asked = questions(8, 100 * k + start)
                ask(capped, asked, ledger=ledgers[k], partial=chance.random() < 0.5)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = [threading.Thread(target=fit, args=(k,)) for k in range(2)]
        for one in fits:
            one.start()
        for one in fits:
            one.join()
    usage = ledgers[0].usage + ledgers[1].usage
    assert (usage.paid.calls, usage.unanswered.calls) == (n_answered, n_unsure)
    assert usage.dollars == pytest.approx(CompletionStore(own_store).spent())
    assert usage.dollars <= store_cap
    assert all(ledger.usage.dollars <= max_cost for ledger in ledgers)


CACHED = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 800},
}


@pytest.mark.parametrize(
    ("model", "prices", "dollars"),
    [
        # 200 at $0.15, 800 at $0.075 and 100 at $0.60 a million, by litellm's table.
        ("openai/gpt-4o-mini", None, 0.00015),
        ("openai/test", {"input": 1.0, "output": 2.0, "cached": 0.1}, 0.00048),
        ("openai/test", PRICES, 0.0012),
    ],
)
def test_tokens_that_the_provider_had_in_its_cache_have_their_price(
    server, llm, own_store, model, prices, dollars
):
    server.answer = lambda request: Reply("fine", usage=CACHED)
    priced = LLM(model, api_base=server.api_base, prices=prices, max_cost=1.0)
    assert ask(priced, questions(1)).usage.dollars == pytest.approx(dollars)
    assert CompletionStore(own_store).spent() == pytest.approx(dollars)


@pytest.mark.parametrize("cached", [-5, 10**9, None])
def test_cached_tokens_that_make_no_sense_lower_no_price(server, llm, cached):
    usage = {**CACHED, "prompt_tokens_details": {"cached_tokens": cached}}
    server.answer = lambda request: Reply("fine", usage=usage)
    priced = llm.having(prices={**PRICES, "cached": 0.1})
    assert 0 < ask(priced, questions(1)).usage.dollars <= 0.0012


def test_a_usage_that_was_pickled_before_it_had_all_its_parts_is_read():
    old = Usage.__new__(Usage)
    old.__setstate__([Tally(2), Tally(), Tally(), Tally()])
    assert old == Usage(paid=Tally(2))
    question = Question.__new__(Question)
    question.__setstate__([({"role": "user", "content": "hi"},), 3])
    assert (question.sample, question.params) == (3, None)


# ------------------------------------------------------- the process of the user ----


@pytest.mark.slow
def test_the_process_keeps_its_environment_and_its_warning_filters(server):
    code = """
        import os, sys, warnings
        from sklearn_alchemist import LLM
        from sklearn_alchemist.llm import Question, ask, count_tokens, prices_of
        before, filters = dict(os.environ), list(warnings.filters)
        prices_of("nobody")
        messages = ({"role": "user", "content": "hi"},)
        count_tokens(messages, "gpt-4o-mini")
        warnings.simplefilter("error")
        filters = list(warnings.filters)
        ask(LLM("openai/test", api_base=sys.argv[1], store=False), [Question(messages)])
        print({k: v for k, v in os.environ.items() if before.get(k) != v})
        print(warnings.filters == filters)
    """
    run = [sys.executable, "-c", textwrap.dedent(code), server.api_base]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["{}", "True"]


@pytest.mark.slow
def test_threads_that_ask_at_once_leave_filters_and_environment_as_they_were(
    server, llm
):
    server.answer = lambda request: Reply("fine", seconds=0.1)
    ask(llm, questions(1, 99))
    before, filters = dict(os.environ), list(warnings.filters)
    askers = [
        threading.Thread(target=ask, args=(llm, questions(k + 1, 10 * k)))
        for k in range(3)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert dict(os.environ) == before
    assert warnings.filters == filters
