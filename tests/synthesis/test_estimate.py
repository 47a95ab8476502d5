"""What a fit is said to cost before it costs anything."""

import pytest
from chat_server import Reply

from sklearn_alchemist import LLM, ProgramSynthesisLabeler
from sklearn_alchemist.synthesis import CostEstimate

LINK = "def label(text):\n    return 'spam' if 'http' in text else 'ham'\n"
RECORDS = [f"see http://x.example {i}" for i in range(30)]
RECORDS += [f"a nice song {i}" for i in range(30)]


@pytest.fixture
def llm(server, own_store):
    return LLM(
        "openai/test",
        api_base=server.api_base,
        prices={"input": 1.0, "output": 2.0},
        params={"max_tokens": 1000},
    )


def labeler(llm, **options):
    options = {"task": "Spam?", "classes": ["ham", "spam"], "n_programs": 10, **options}
    return ProgramSynthesisLabeler(llm, **options)


@pytest.mark.slow
def test_an_estimate_sends_nothing_and_bounds_the_fit(server, llm):
    server.answer = lambda r: Reply(LINK)
    estimate = labeler(llm).estimate_cost(RECORDS)
    assert not server.requests
    assert (estimate.calls, estimate.stored, estimate.repairs) == (10, 0, 3)
    assert 0 < estimate.dollars < estimate.max_dollars
    usage = labeler(llm).fit(RECORDS).usage_
    assert usage.paid.calls == estimate.calls
    assert usage.dollars <= estimate.max_dollars


def test_texts_need_not_be_there_yet(llm):
    assert labeler(llm).estimate_cost() == labeler(llm).estimate_cost(RECORDS)


@pytest.mark.slow
def test_what_is_stored_costs_nothing(server, llm):
    server.answer = lambda r: Reply(LINK)
    labeler(llm, n_programs=4, prior_knowledge="rules").fit(RECORDS)
    again = labeler(llm, n_programs=4, prior_knowledge="rules").estimate_cost(RECORDS)
    assert again == CostEstimate(stored=5)
    more = labeler(llm, n_programs=6, prior_knowledge="rules").estimate_cost(RECORDS)
    assert (more.calls, more.stored) == (2, 5)


def test_prior_knowledge_counts_and_is_priced_by_its_own_model(server, llm):
    dear = llm.having(prices={"input": 100.0, "output": 100.0})
    own = labeler(llm, prior_knowledge=["rules", "keywords"]).estimate_cost(RECORDS)
    other = labeler(
        llm, prior_knowledge=["rules", "keywords"], prior_llm=dear
    ).estimate_cost(RECORDS)
    assert own.calls == other.calls == 12
    assert other.dollars > own.dollars


def test_unknown_prices_stay_unknown(llm):
    estimate = labeler(llm.having(prices=None)).estimate_cost(RECORDS)
    assert estimate.dollars is None
    assert estimate.max_dollars is None
    assert "cost unknown" in str(estimate)


def test_without_a_limit_on_tokens_the_worst_case_is_unknown(llm):
    estimate = labeler(llm.having(params={"max_tokens": None})).estimate_cost(RECORDS)
    assert estimate.dollars > 0
    assert estimate.max_dollars is None


def test_given_programs_cost_nothing():
    given = labeler(None, programs=[lambda_free], n_programs=1)
    assert given.estimate_cost(RECORDS) == CostEstimate()


def lambda_free(text):
    return "spam" if "http" in text else None


def test_an_estimate_leaves_the_labeler_unfitted(llm):
    unfitted = labeler(llm)
    unfitted.estimate_cost(RECORDS)
    assert not hasattr(unfitted, "classes_")
    assert not hasattr(unfitted, "n_features_in_")


def test_what_fit_refuses_is_refused(llm):
    with pytest.raises(ValueError, match="task is empty"):
        labeler(llm, task=" ").estimate_cost(RECORDS)
