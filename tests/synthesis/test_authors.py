"""Several models that take turns in writing the programs of one fit."""

import pickle

import pytest
from chat_server import Reply
from sklearn.base import clone

from sklearn_alchemist import LLM, DistilledAnnotator, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import BudgetError, LLMError, ProgramWarning

SOURCE = "def label(text): return 'spam' if {!r} in text else 'ham'  # {}"
RECORDS = [f"see http://x.example {i}" for i in range(30)]
RECORDS += [f"a nice song {i}" for i in range(30)]


@pytest.fixture
def authors(server, own_store):
    """Two models on one server, which names who was asked in the program."""
    n_asked = []

    def answer(request):
        n_asked.append(request["model"])
        word = ["http", "see", "x."][len(n_asked) % 3]
        return SOURCE.format(word, f"{request['model']} {len(n_asked)}")

    server.answer = answer
    options = {"api_base": server.api_base, "store": own_store, "n_concurrent": 1}
    prices = {"input": 1.0, "output": 2.0}
    return [
        LLM(f"openai/{name}", prices=prices, params={"max_tokens": 100}, **options)
        for name in ("one", "two")
    ]


def labeler(llm, **options):
    options = {"task": "Spam?", "classes": ["ham", "spam"], "n_programs": 5, **options}
    return ProgramSynthesisLabeler(llm, **options)


def models(server):
    return [request["model"] for request in server.requests]


@pytest.mark.filterwarnings("ignore:.*dropped")
def test_models_share_the_slots_of_the_plan_in_turn(server, authors):
    fitted = labeler(authors).fit(RECORDS)
    assert sorted(models(server)) == ["one"] * 3 + ["two"] * 2
    for program in fitted.programs_:
        place = int(program.name.rpartition("_")[2])
        author = ["one", "two"][place % 2]
        assert f"# {author} " in program.source
        assert program.provenance.model == author


@pytest.mark.filterwarnings("ignore:.*dropped")
def test_usage_is_told_of_each_and_of_both(authors):
    fitted = labeler(authors).fit(RECORDS)
    one, two = (fitted.usage_by_llm_[f"openai/{name}"] for name in ("one", "two"))
    assert (one.paid.calls, two.paid.calls) == (3, 2)
    assert one.paid.dollars + two.paid.dollars == pytest.approx(fitted.usage_.dollars)
    assert one.wasted.calls + two.wasted.calls == fitted.usage_.wasted.calls


@pytest.mark.parametrize("failing", [0, 1])
def test_what_each_was_paid_is_told_of_a_fit_that_failed(server, authors, failing):
    answer, name = server.answer, ["one", "two"][failing]
    server.answer = lambda request: (
        Reply(status=401) if request["model"] == name else answer(request)
    )
    failed = labeler(authors)
    with pytest.raises(LLMError, match=f"openai/{name}"):
        failed.fit(RECORDS)
    usage = {name: u.paid for name, u in failed.usage_by_llm_.items()}
    # The first one is asked first.
    assert usage.pop(f"openai/{name}").calls == 0
    assert list(usage.values()) == ([] if failing == 0 else [failed.usage_.paid])
    assert failed.usage_.paid.calls == 3 * failing


@pytest.mark.filterwarnings("ignore:.*dropped")
def test_an_estimate_adds_up_what_is_asked_of_each(server, authors):
    both = labeler(authors).estimate_cost()
    assert both.calls == 5
    alone = [labeler(a).estimate_cost().dollars for a in authors]
    assert both.dollars == pytest.approx(sum(alone) / 2, rel=0.2)
    assert not server.requests
    fitted = labeler(authors).fit(RECORDS)
    assert fitted.estimate_cost().stored == 5


@pytest.mark.filterwarnings("ignore:.*dropped")
def test_clones_and_pickles_ask_nothing_anew(server, authors):
    fitted = labeler(authors).fit(RECORDS)
    again = clone(pickle.loads(pickle.dumps(fitted)))
    assert again.get_params()["llm"] == authors
    assert again.fit(RECORDS).programs_ == fitted.programs_
    assert len(server.requests) == 5


@pytest.mark.parametrize("place", [0, 1])
def test_a_cap_that_is_too_small_for_the_plan_ends_it_before_anybody_is_paid(
    server, authors, place
):
    authors[place] = authors[place].having(max_calls=1)
    with pytest.raises(BudgetError, match="max_calls=1"):
        labeler(authors).fit(RECORDS)
    assert not server.requests


def test_each_keeps_to_a_cap_in_dollars_of_its_own(server, authors):
    # A call is charged 100 tokens of a prompt and 50 of an answer.
    authors[0] = authors[0].having(max_cost=0.0025)
    with pytest.warns(ProgramWarning, match="programs are there"):
        labeler(authors).fit(RECORDS)
    assert models(server).count("two") == 2
    assert models(server).count("one") < 3


def test_a_program_is_mended_by_whoever_wrote_it(server, authors):
    def answer(request):
        if "cannot be used" in request["messages"][-1]["content"]:
            return SOURCE.format("http", request["model"])
        broken = request["model"] == "two"
        return "def label(text): return 1 / 0" if broken else SOURCE.format("x", 1)

    server.answer = answer
    fitted = labeler(authors, n_programs=2).fit(RECORDS)
    assert models(server) == ["one", "two", "two"]
    assert "# two" in fitted.programs_[1].source
    assert fitted.usage_by_llm_["openai/two"].repaired.calls == 1


def test_the_first_one_writes_prior_knowledge(server, authors):
    server.answer = lambda request: SOURCE.format("http", 1)
    labeler(authors, n_programs=1, prior_knowledge="rules").fit(RECORDS)
    assert models(server) == ["one", "one"]


def test_an_annotator_takes_a_labeler_of_several(authors):
    made = DistilledAnnotator(labeler(authors, n_programs=3)).fit(RECORDS)
    assert made.predict(["see http://y", "a song"]).tolist() == ["spam", "ham"]


@pytest.mark.parametrize(
    ("llm", "error", "message"),
    [
        ([], ValueError, "llm is an empty list"),
        ([3], TypeError, "llm must hold names of models or LLMs; got int"),
        (["openai/a", None], TypeError, "got NoneType"),
    ],
)
def test_what_is_no_model_is_said_before_anything_else(llm, error, message):
    with pytest.raises(error, match=message):
        labeler(llm).fit(RECORDS)
