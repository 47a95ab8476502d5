import json

import numpy as np
import pytest
from chat_server import Reply
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.inspection import compare_costs

CLASSES = ["ham", "spam"]
TEXTS = [f"{word} {i}" for i in range(10) for word in ("http", "song")]
GOLD = ["spam", "ham"] * 10
PROGRAM = "def label(text): return 'spam' if 'http' in text else 'ham'"
PRICES = {"input": 10.0, "output": 20.0}


@pytest.fixture
def llm(server, own_store):
    def answer(request):
        asked = request["messages"][-1]["content"]
        if "Reply with nothing but a JSON object" in asked:
            return json.dumps({"label": "spam" if "http" in asked else "ham"})
        return Reply(f"```python\n{PROGRAM}\n```")

    server.answer = answer
    return LLM("openai/test", api_base=server.api_base, prices=PRICES)


@pytest.fixture
def annotator(llm):
    labeler = ProgramSynthesisLabeler(llm, task="Spam?", classes=CLASSES, n_programs=4)
    return DistilledAnnotator(labeler).fit(TEXTS)


@pytest.mark.slow
def test_programs_cost_the_same_however_many_rows(server, annotator):
    asked = len(server.requests)
    costs = compare_costs(annotator, TEXTS, GOLD)
    assert len(server.requests) == asked
    paid = asked * (100 * 10 + 50 * 20) / 1e6  # as the server counts its tokens
    assert costs["calls"].tolist() == [asked] * 3 + [20]
    np.testing.assert_allclose(costs["paid"][:3], paid)
    np.testing.assert_allclose(costs["$ for 1,000,000 rows"][:3], paid)
    per_row = costs["$ for 20 rows"][3] / 20
    assert per_row > 0
    np.testing.assert_allclose(costs["$ for 1,000,000 rows"][3], per_row * 1e6)
    assert costs["accuracy"][:3].tolist() == [1, 1, 1]
    assert np.isnan(costs["accuracy"][3])


@pytest.mark.slow
def test_a_baseline_that_was_asked_is_measured(server, llm, annotator):
    baseline = ZeroShotAnnotator(llm, task="Spam?", classes=CLASSES).fit(TEXTS)
    costs = compare_costs(annotator, TEXTS, GOLD, zero_shot=baseline, n_rows=[10])
    assert costs["accuracy"][3] == 1
    np.testing.assert_allclose(costs["paid"][3], 20 * (100 * 10 + 50 * 20) / 1e6)
    np.testing.assert_allclose(costs["$ for 10 rows"][3], costs["paid"][3] / 2)


@pytest.mark.slow
def test_calls_are_counted_and_not_rows(server, llm, annotator):
    server.answer = lambda request: json.dumps({"labels": []})
    baseline = ZeroShotAnnotator(llm, task="?", classes=CLASSES, rows_per_call=4)
    asked = len(server.requests)
    costs = compare_costs(annotator, TEXTS * 2, zero_shot=baseline.fit(TEXTS))
    assert costs["calls"][3] == len(server.requests) - asked == 5


def test_it_prints_and_makes_a_frame(annotator):
    costs = compare_costs(annotator, TEXTS)
    assert "one call a row" in str(costs)
    frame = costs.to_frame()
    assert frame.index.tolist()[-1] == "one call a row"
    assert frame.columns.tolist()[:3] == ["calls", "tokens", "paid"]


def test_it_draws_both_ways(annotator):
    ax = pytest.importorskip("matplotlib.figure").Figure().subplots()
    assert compare_costs(annotator, TEXTS).plot(ax) is ax
    programs, calls = ax.lines
    assert [programs.get_label(), calls.get_label()] == ["annotator", "one call a row"]
    assert calls.get_ydata()[0] < calls.get_ydata()[1]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


@pytest.mark.slow
def test_given_programs_cost_nothing_and_an_unknown_price_is_unknown():
    labeler = ProgramSynthesisLabeler(
        classes=CLASSES, programs=[LabelingProgram("link", PROGRAM)]
    )
    costs = compare_costs(DistilledAnnotator(labeler).fit(TEXTS), TEXTS)
    assert costs["paid"][:3].tolist() == [0, 0, 0]
    assert np.isnan(costs["$ for 1,000,000 rows"][3])


def test_prices_of_another_form_are_refused(annotator):
    with pytest.raises(ValueError, match="dollars per million tokens"):
        compare_costs(annotator, TEXTS, prices={"in": 1})


def test_what_a_pipeline_before_the_student_asked_is_counted(llm):
    labeler = ProgramSynthesisLabeler(llm, task="Spam?", classes=CLASSES, n_programs=4)
    alone = DistilledAnnotator(labeler).fit(TEXTS)
    behind = make_pipeline(FunctionTransformer(list), labeler)
    costs = compare_costs(DistilledAnnotator(behind).fit(TEXTS), TEXTS)
    assert costs["calls"][0] == alone.labeler_.usage_.calls > 0
    assert costs["tokens"][0] == alone.labeler_.usage_.tokens
