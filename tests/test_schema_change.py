"""A schema change is no rerun: programs, votes and label models follow it."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.exceptions import BudgetError, ProgramRejected, ProgramWarning
from sklearn_alchemist.inspection import program_summary
from sklearn_alchemist.programs import run_programs

# A model that answers a test writes the same again.
pytestmark = pytest.mark.filterwarnings("ignore:.* of .* programs were dropped")

TOPICS = ["art", "film", "sport"]
PROGRAMS = [
    LabelingProgram(
        "word",
        "def label(text):\n"
        "    for topic in ('art', 'film', 'sport'):\n"
        "        if topic in text: return topic\n",
    ),
    LabelingProgram(
        "first", "def label(text): return 'film' if text[0] == 'f' else 'sport'"
    ),
    LabelingProgram(
        "number",
        "def label_function(x): return 1 if 'film' in x else 2 if 'sport' in x else -1",
        returns="index",
    ),
]
TEXTS = ["art here", "film there", "sport ball", "sport run", "film ball"] * 12
WORDS = {"ball": "team", "run": "track"}


def labeler(**options):
    given = {"classes": TOPICS, "programs": PROGRAMS}
    return ProgramSynthesisLabeler(**{**given, **options})


def names_of(fitted, texts=TEXTS[:5]):
    """What each program says, as classes."""
    votes = fitted.transform(texts)
    return np.where(votes < 0, None, fitted.classes_.astype(object)[votes]).tolist()


def expected(now):
    """What the programs say, once each class is what `now` says."""
    said = names_of(labeler().fit(TEXTS))
    return [[now.get(name, name) for name in row] for row in said]


@pytest.mark.parametrize(
    "mapping",
    [
        {"sport": "athletics"},
        {"film": "art"},
        {"art": None},
        {"sport": "x", "art": "film"},
    ],
)
def test_programs_of_before_vote_for_classes_of_now(mapping):
    fitted = labeler().fit(TEXTS)
    ways = [fitted.remap(mapping), labeler(class_mapping=mapping).fit(TEXTS)]
    ways += [clone(one).fit(TEXTS) for one in ways]
    ways += [pickle.loads(pickle.dumps(ways[0]))]
    for one in ways:
        assert names_of(one) == expected(mapping)
        assert [p.source for p in one.programs_] == [p.source for p in PROGRAMS]
    assert fitted.classes_.tolist() == TOPICS


def test_two_changes_are_one():
    fitted = labeler().fit(TEXTS)
    twice = fitted.remap({"art": "culture"}).remap({"film": "culture"})
    assert names_of(twice) == names_of(
        fitted.remap({"art": "culture", "film": "culture"})
    )


def test_a_change_back_is_no_change():
    fitted = labeler().fit(TEXTS)
    again = fitted.remap({"art": "culture"}).remap({"culture": "art"})
    assert names_of(again) == names_of(fitted)
    assert again.programs_[0] == fitted.programs_[0]


@pytest.mark.parametrize(
    ("classes", "source", "mapping", "now"),
    [
        ([0, 1, 2], "def label(text): return len(text) % 3", {2: 5}, [0, 1, 5]),
        ([False, True], "def label(text): return len(text) > 3", {True: 1, False: 0},
         [0, 1]),
        ([-1, 0, 1], "def label(text): return len(text) % 3 - 1", {-1: 7}, [0, 1, 7]),
        ([0, 1], "def label(text): return len(text) % 2", {0: "even", 1: "odd"},
         ["even", "odd"]),
    ],
)  # fmt: skip
def test_classes_may_be_numbers_and_bools(classes, source, mapping, now):
    fitted = labeler(classes=classes, programs=[LabelingProgram("p", source)])
    before = fitted.fit(TEXTS)
    after = before.remap(mapping)
    assert after.classes_.tolist() == now
    said = before.classes_[before.transform(TEXTS)[:, 0]].tolist()
    told = after.classes_[after.transform(TEXTS)[:, 0]].tolist()
    assert told == [mapping.get(name, name) for name in said]


def test_programs_of_other_names_are_taken_beside_the_classes_of_now():
    fitted = labeler(classes=["art", "film", "games"], class_mapping={"sport": "games"})
    assert names_of(fitted.fit(TEXTS))[2][0] == "games"


def test_a_key_that_is_neither_class_nor_answer_is_named():
    with pytest.raises(ValueError, match="'sprot', which is neither"):
        labeler(class_mapping={"sprot": "sport"}).fit(TEXTS)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"sport": ["ball", "run"]}, "nothing tells these apart: give an llm"),
        ({None: "news"}, "nothing finds it: give an llm"),
        ({"sport": None, "film": None}, "only the class 'art'"),
    ],
)
def test_what_cannot_be_followed_is_said_before_anything_is_run(mapping, message):
    with pytest.raises(ValueError, match=message):
        labeler(class_mapping=mapping).fit(TEXTS)
    with pytest.raises(ValueError, match=message):
        labeler().fit(TEXTS).remap(mapping)


def test_losing_all_programs_is_an_error():
    only = [LabelingProgram("p", "def label(text): return 'art' if text else None")]
    with pytest.raises(ValueError, match="loses all programs"):
        labeler(programs=only, class_mapping={"art": None}).fit(TEXTS)
    with pytest.raises(ValueError, match="loses all programs"):
        labeler(programs=only).fit(TEXTS).remap({"art": None})


def test_labels_of_before_are_told_from_those_of_now():
    now = labeler(class_mapping={"sport": "games"})
    now.fit(TEXTS, ["games", "art", None] * 20)
    with pytest.raises(
        ValueError, match="'sport', which class_mapping maps to 'games'"
    ):
        now.fit(TEXTS, ["sport", "art", "film"] * 20)


def test_what_is_seen_of_a_labeler_is_in_classes_of_now():
    fitted = labeler().fit(TEXTS).set_output(transform="pandas")
    now = fitted.remap({"film": "art"})
    frame = now.transform(TEXTS)
    assert frame.columns.tolist() == now.get_feature_names_out().tolist()
    assert now.classes_.tolist() == ["art", "sport"]
    summary = program_summary(now, TEXTS, ["art", "art", "sport", "sport", "art"] * 12)
    assert summary["accuracy"][0] == 1.0


def test_a_folder_keeps_how_answers_are_read(tmp_path):
    now = labeler().fit(TEXTS).remap({"film": "art", "sport": "games"})
    now.export_programs(tmp_path / "programs")
    again = clone(now).set_params(programs=tmp_path / "programs").fit(TEXTS)
    assert names_of(again) == names_of(now)
    assert again.programs_ == now.programs_


def test_schemas_can_be_searched():
    name = "programsynthesislabeler__class_mapping"
    pipeline = make_pipeline(labeler(), LabelModelAggregator())
    y = ["art", "art", "sport", "sport", "art"] * 12
    grid = {name: [{"film": "sport"}, {"film": "art"}]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(TEXTS, y)
    assert search.best_params_[name] == {"film": "art"}


def test_a_program_that_names_what_is_no_class_any_more_is_refused():
    program = LabelingProgram(
        "p", "def label(text): return 'a'", class_mapping={"a": "gone"}
    )
    with pytest.raises(ProgramRejected, match="'gone' in its class_mapping"):
        run_programs([program], {"text": ["x"]}, ["a", "b"])


# -------------------------------------------------------- what is fitted on votes ----


@pytest.fixture(scope="module")
def annotator():
    return DistilledAnnotator(labeler(), random_state=0).fit(TEXTS)


MERGE = {"film": "art"}
FREE = [MERGE, {"sport": "athletics"}, {"film": None}, {"art": "z", "film": "sport"}]


def by_name(fitted, proba):
    return dict(zip(fitted.classes_.tolist(), proba.T, strict=True))


@pytest.mark.parametrize("mapping", FREE)
def test_probabilities_of_merged_classes_add_up_and_the_rest_is_shared_out(
    annotator, mapping
):
    before = by_name(annotator, annotator.predict_proba(TEXTS))
    now = annotator.remap(mapping)
    expected = {}
    for name, proba in before.items():
        target = mapping.get(name, name)
        expected[target] = expected.get(target, 0) + proba
    expected.pop(None, None)
    total = sum(expected.values())
    found = by_name(now, now.predict_proba(TEXTS))
    assert found.keys() == expected.keys()
    for name, proba in expected.items():
        np.testing.assert_allclose(found[name], proba / total, atol=1e-6)


@pytest.mark.parametrize("mapping", FREE)
def test_all_that_an_annotator_tells_is_in_classes_of_now(annotator, mapping):
    now = annotator.remap(mapping)
    said = now.annotate(TEXTS)
    assert {*said.label} <= {*now.classes_}
    np.testing.assert_array_equal(said.votes, now.labeler_.transform(TEXTS))
    np.testing.assert_array_equal(said.programs, now.labeler_.get_feature_names_out())
    frame = now.annotate(TEXTS, as_frame=True)
    assert frame["word"].cat.categories.tolist() == now.classes_.tolist()
    positions, chance = now.review_queue(TEXTS, 9, return_proba=True, random_state=0)
    assert len(positions) == len(chance) == 9
    summary = program_summary(now, TEXTS)
    assert summary["agreement"].min() >= 0
    proba = now.aggregator_.predict_proba(said.votes)
    # What was a vote for a class that is gone is no vote any more.
    stays = annotator.annotate(TEXTS).votes_proba[:, 1] < 0.1
    same = proba.argmax(axis=1) == said.votes_proba.argmax(axis=1)
    assert same[stays | (None not in mapping.values())].all()
    assert annotator.classes_.tolist() == TOPICS


def test_changes_of_an_annotator_add_up(annotator):
    steps = annotator.remap({"film": "x"}).remap({"x": "sport", "art": "a"})
    once = annotator.remap({"film": "sport", "art": "a"})
    np.testing.assert_allclose(steps.predict_proba(TEXTS), once.predict_proba(TEXTS))
    again = pickle.loads(pickle.dumps(steps))
    np.testing.assert_allclose(again.predict_proba(TEXTS), steps.predict_proba(TEXTS))


def test_a_clone_of_an_annotator_learns_the_classes_of_now(annotator):
    again = clone(annotator.remap(MERGE)).fit(TEXTS)
    assert again.classes_.tolist() == ["art", "sport"]
    assert again.predict(["film there", "sport run"]).tolist() == ["art", "sport"]


@pytest.mark.parametrize("predict_with", ["votes", "student"])
def test_whoever_answers_is_asked_as_before(annotator, predict_with):
    now = annotator.remap(MERGE).set_params(predict_with=predict_with)
    said = now.annotate(TEXTS)
    proba = {"votes": said.votes_proba, "student": said.student_proba}
    np.testing.assert_allclose(now.predict_proba(TEXTS), proba[predict_with])


def test_labels_of_now_are_learned_after_a_change(annotator):
    now = annotator.remap(MERGE)
    y = ["art", "art", "sport", None, None] * 12
    now.update(y, label_proba=1.0)
    assert now.label_use_["given"] == 36
    assert now.predict(["film there", "sport run"]).tolist() == ["art", "sport"]
    with pytest.raises(ValueError, match="'film'"):
        now.update(["film"] * len(TEXTS))


def test_labels_known_before_a_change_are_kept():
    y = ["art", "film", "sport", "sport", None] * 12
    learned = DistilledAnnotator(labeler(), learn_from_labels=True, random_state=0)
    now = learned.fit(TEXTS, y, label_proba=1.0).remap({"film": None})
    now.update([None] * 59 + ["sport"], label_proba=1.0)
    assert now.label_use_["given"] == 12 * 3 + 1


def test_a_parameter_of_the_labeler_reaches_the_annotator():
    now = DistilledAnnotator(labeler(class_mapping=MERGE), random_state=0)
    y = ["art", "art", "sport", "sport", "art"] * 12
    assert now.fit(TEXTS, y).score(TEXTS, y) > 0.7
    with pytest.raises(ValueError, match="'film', which class_mapping maps to 'art'"):
        now.fit(TEXTS, ["film", "art", "sport"] * 20)


def test_what_was_set_class_by_class_follows():
    given = LabelModelAggregator(class_prior={"art": 0.2, "film": 0.3, "sport": 0.5})
    before = DistilledAnnotator(
        labeler(), given, class_weight={"art": 1.0, "film": 1.0, "sport": 2.0}
    ).fit(TEXTS)
    now = clone(before.remap(MERGE))
    assert now.aggregator.class_prior == pytest.approx({"art": 0.5, "sport": 0.5})
    assert now.class_weight == {"art": 1.0, "sport": 2.0}
    now.fit(TEXTS)


def test_pipelines_and_frozen_labelers_follow():
    voter = make_pipeline(FunctionTransformer(), labeler())
    now = DistilledAnnotator(voter, random_state=0).fit(TEXTS).remap(MERGE)
    assert now.predict(["film there"]).tolist() == ["art"]
    assert clone(now).fit(TEXTS).predict(["film there"]).tolist() == ["art"]
    frozen = DistilledAnnotator(FrozenEstimator(labeler().fit(TEXTS))).fit(TEXTS)
    assert frozen.remap(MERGE).predict(["film there"]).tolist() == ["art"]
    votes = FunctionTransformer(lambda X: labeler().fit(TEXTS).transform(X))
    other = DistilledAnnotator(votes, LabelModelAggregator(classes=TOPICS)).fit(TEXTS)
    assert other.remap(MERGE).predict(["film there"]).tolist() == ["art"]
    with pytest.raises(ValueError, match="nothing in the votes of Function"):
        other.remap({"sport": ["team", "track"]}, TEXTS)


def test_a_label_model_follows_by_itself():
    fitted = labeler().fit(TEXTS)
    aggregator = LabelModelAggregator(classes=TOPICS).fit(fitted.transform(TEXTS))
    now, votes = aggregator.remap(MERGE), fitted.remap(MERGE).transform(TEXTS)
    before = by_name(aggregator, aggregator.predict_proba(fitted.transform(TEXTS)))
    found = by_name(now, now.predict_proba(votes))
    np.testing.assert_allclose(found["art"], before["art"] + before["film"], atol=0.05)
    assert now.class_prior_.sum() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="remap a labeler that has an llm"):
        aggregator.remap({"sport": ["team", "track"]})


def test_no_call_and_no_fit_for_ten_thousand_texts(annotator, monkeypatch):
    now = annotator.remap({"art": "culture", "film": "culture"})
    for part in (LogisticRegression, LabelModelAggregator, ProgramSynthesisLabeler):
        monkeypatch.setattr(part, "fit", lambda *_, **__: pytest.fail("fitted again"))
    texts = [f"{text} {k}" for k, text in enumerate(TEXTS * 167)][:10_000]
    now = now.remap({"culture": "arts"})
    assert now.annotate(texts).label.tolist()[:2] == ["arts", "arts"]


# ------------------------------------------------------- divided and added ----


def answer(prompt):
    """Write a program for what is asked, another one each time."""
    answer.n_asked += 1
    number = f"  # {answer.n_asked}"
    if "which is divided now" in prompt:
        return f"def label(text): return {WORDS}.get(text.split()[-1]){number}"
    if "which is new" in prompt:
        return f"def label(text): return 'news' if 'there' in text else None{number}"
    return PROGRAMS[0].source + number


@pytest.fixture
def llm(server):
    answer.n_asked = 0
    server.answer = lambda request: answer(request["messages"][-1]["content"])
    return LLM("openai/test", api_base=server.api_base)


def asking(llm, **options):
    return ProgramSynthesisLabeler(
        llm, task="What is it about?", classes=TOPICS, n_programs=4, **options
    )


SPLIT = {"sport": {"team": "a ball is played", "track": None}}


def test_a_divided_class_asks_only_for_what_tells_its_parts_apart(llm, server):
    fitted = asking(llm).fit(TEXTS)
    n_before = len(server.requests)
    estimate = fitted.estimate_cost(mapping=SPLIT)
    assert len(server.requests) == n_before
    assert estimate.calls == 3
    assert "3 programs that tell 'team', 'track' apart in 'sport'" in str(estimate)
    now = fitted.remap(SPLIT)
    asked = server.requests[n_before:]
    assert len(asked) == estimate.calls
    listed = "- 'team': a ball is played\n- 'track'\n"
    assert all(listed in request["messages"][-1]["content"] for request in asked)
    assert now.programs_[: len(fitted.programs_)] == [
        p for p in now.programs_ if p.source in {q.source for q in fitted.programs_}
    ]
    assert names_of(now)[2][0] == "team"
    assert names_of(now)[3][0] == "track"
    # Nobody asked whether a film is played with a ball.
    assert names_of(now)[4] == ["film"] * len(fitted.programs_) + [None] * 3
    assert clone(now).fit(TEXTS).usage_.calls == 0
    assert len(server.requests) == n_before + 3


def test_a_part_may_keep_the_name_of_the_whole(llm, server):
    fitted = asking(llm).fit(TEXTS)
    server.answer = lambda request: answer(request["messages"][-1]["content"]).replace(
        "'track'", "'sport'"
    )
    now = fitted.remap({"sport": ["team", "sport"]})
    assert [row[0] for row in names_of(now)[2:4]] == ["team", "sport"]
    now = now.remap({"sport": "track"})
    assert [row[0] for row in names_of(now)[2:4]] == ["team", "track"]


def test_an_added_class_is_looked_for_and_older_programs_give_way(llm, server):
    fitted = asking(llm).fit(TEXTS)
    now = fitted.remap({None: "news"}, TEXTS)
    assert len(server.requests) == 4 + 3
    said = names_of(now)
    assert {*said[1]} == {"news", None}
    assert said[0][0] == "art"


def test_a_parameter_asks_the_old_questions_again_and_the_new_ones_once(llm, server):
    asking(llm).fit(TEXTS)
    change = {**SPLIT, "film": "art"}
    now = asking(llm, class_mapping=change)
    assert now.estimate_cost(TEXTS).calls == 3
    now.fit(TEXTS)
    assert len(server.requests) == 4 + 3
    assert now.usage_.paid.calls == 3
    assert now.classes_.tolist() == ["art", "team", "track"]
    assert clone(now).estimate_cost(TEXTS).calls == 0
    clone(now).fit(TEXTS[:20])
    assert len(server.requests) == 4 + 3


def test_given_programs_that_tell_the_parts_are_enough(llm, server):
    teller = f"def label(text): return {WORDS}.get(text.split()[-1])"
    given = [*PROGRAMS, *(LabelingProgram(f"t{k}", teller) for k in range(3))]
    now = asking(llm, programs=given, class_mapping=SPLIT).set_params(n_programs=3)
    assert names_of(now.fit(TEXTS))[3][0] == "track"
    assert not server.requests


def test_a_budget_holds_for_a_change_too(llm, server):
    fitted = asking(llm).fit(TEXTS)
    poor = clone(fitted).set_params(llm=llm.having(max_calls=2)).fit(TEXTS)
    with pytest.raises(BudgetError):
        poor.remap(SPLIT)
    assert len(server.requests) == 4


def test_rules_are_asked_for_each_part(llm, server):
    reply = '{"phrases": [{"text": "ball", "weight": 3}], "patterns": [], '
    reply += '"against": [], "threshold": 1}'
    given = {"task": "Which?", "program_style": "rules", "n_programs": 3}
    fitted = labeler(llm=llm, **given).fit(TEXTS)
    server.answer = lambda request: reply
    fitted.remap(SPLIT, n_programs=1)
    assert len(server.requests) == 2
    asked = "".join(request["messages"][-1]["content"] for request in server.requests)
    assert all(f"speaks for the class {name!r}" in asked for name in ("team", "track"))


def test_a_table_needs_records_to_look_at(llm):
    import pandas as pd

    source = "def label(size): return 'big' if size > 3 else 'small'"
    table = pd.DataFrame({"size": [1, 5] * 10})
    fitted = ProgramSynthesisLabeler(
        llm, task="How big?", classes=["big", "small"], n_programs=1,
        programs=[LabelingProgram("p", source)],
    ).fit(table)  # fmt: skip
    with pytest.raises(ValueError, match="pass X"):
        fitted.remap({"big": ["large", "huge"]})
    assert fitted.estimate_cost(table, mapping={"big": ["large", "huge"]}).calls == 3


def test_what_is_free_needs_no_records_of_a_table():
    import pandas as pd

    source = "def label(size): return 'big' if size > 3 else 'small'"
    table = pd.DataFrame({"size": [1, 5] * 10, "colour": ["red", "blue"] * 10})
    fitted = labeler(
        classes=["big", "small"], programs=[LabelingProgram("p", source)]
    ).fit(table)
    now = fitted.remap({"big": "large"})
    assert names_of(now, table[:2]) == [["small"], ["large"]]
    assert fitted.estimate_cost(mapping={"big": "large"}).calls == 0
    annotator = DistilledAnnotator(clone(fitted)).fit(table)
    assert annotator.remap({"big": "large"}).classes_.tolist() == ["large", "small"]


def test_an_annotator_learns_divided_classes_from_what_is_missing(llm, server):
    before = DistilledAnnotator(asking(llm), random_state=0).fit(TEXTS)
    n_before = len(server.requests)
    with pytest.raises(ValueError, match="pass X, the records"):
        before.remap(SPLIT)
    now = before.remap(SPLIT, TEXTS)
    assert len(server.requests) == n_before + 3
    assert now.predict(["sport run", "sport ball", "film there"]).tolist() == [
        "track", "team", "film",
    ]  # fmt: skip
    clone(now).fit(TEXTS)
    assert len(server.requests) == n_before + 3


def test_a_broken_file_is_mended_and_not_paid_for(llm, server, tmp_path):
    fitted = asking(llm).fit(TEXTS)
    n_before = len(server.requests)
    fitted.export_programs(tmp_path / "programs")
    again = clone(fitted).set_params(programs=tmp_path / "programs", n_programs=3)
    (tmp_path / "programs" / "keywords_0.py").write_text("def label(text)\n")
    with pytest.warns(ProgramWarning, match=r"keywords_0\.py, line 1 .* mend it"):
        again.fit(TEXTS)
    assert len(again.programs_) == 2
    assert len(server.requests) == n_before
