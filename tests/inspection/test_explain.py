import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.exceptions import SandboxWarning
from sklearn_alchemist.inspection import explain
from sklearn_alchemist.inspection._escaping import in_one_line, mark
from sklearn_alchemist.inspection._explain import vote_weights

SOURCES = {
    "link": "def label(text):\n    return 'spam' if 'http' in text else None",
    "money": "import re\ndef label(text):\n"
    "    return 'spam' if re.search(r'\\b(free|cash)\\b', text, re.I) else None",
    "song": "def label(text):\n    return 'ham' if 'song' in text.lower() else None",
    "broken": "def label(text):\n    return {'other': 'ham'}[text]",
}
TEXTS = [
    "http free cash",
    "nice song",
    "free http",
    "song song",
    "cash",
    "my song",
    "other",
] * 4


def labeler(**sources):
    programs = [LabelingProgram(name, text) for name, text in sources.items()]
    return ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs)


@pytest.fixture(scope="module")
def annotator():
    with pytest.warns(match="Programs failed"):
        return DistilledAnnotator(labeler(**SOURCES)).fit(TEXTS)


TEXT = "Free song at http://a.example"


@pytest.fixture(scope="module")
def why(annotator):
    return explain(annotator, TEXT)


def test_votes_words_and_lines_are_told_for_each_program(why):
    told = {part.program: part for part in why.programs}
    assert {name: part.vote for name, part in told.items()} == {
        "link": "spam",
        "money": "spam",
        "song": "ham",
        "broken": None,
    }
    (match,) = told["money"].matches
    assert (match.text, TEXT[match.start : match.stop]) == ("Free", "Free")
    assert match.line == 3
    assert told["link"].lines == ((2, "    return 'spam' if 'http' in text else None"),)


def test_what_a_program_raised_is_told_with_its_message(why):
    broken = why.programs[-1]
    assert (broken.failure, broken.weight) == ("error", None)
    assert broken.message == f"KeyError in line 2: {TEXT!r}"


def test_label_and_who_decided_are_those_of_annotate(annotator, why):
    with pytest.warns(match="Programs failed"):
        said = annotator.annotate([TEXT])
    assert (why.label, why.decided_by) == (said.label[0], said.source[0])
    assert why.confidence == said.confidence[0]
    assert dict(why.votes_proba) == dict(
        zip(annotator.classes_, said.votes_proba[0], strict=True)
    )


def test_weights_add_up_to_what_the_votes_say(annotator):
    aggregator = annotator.aggregator_
    votes = np.array([1, 1, 0, -1])
    weights = vote_weights(aggregator, votes, 1)
    assert weights[3] is None
    proba = aggregator.predict_proba([votes, [-1] * 4])
    gained = np.diff(np.log(proba[:, 1] / proba[:, 0])[::-1])
    assert sum(weights[:3]) == pytest.approx(gained[0])
    assert weights[2] < 0 < weights[0]


def test_programs_that_repeat_each_other_share_their_weight():
    votes = np.random.RandomState(0).randint(0, 2, (200, 3))
    votes = votes[:, [0, 0, 1, 2]]
    aggregator = LabelModelAggregator(classes=[0, 1], program_groups=[[0, 1]])
    weights = vote_weights(aggregator.fit(votes), np.array([1, 1, 1, 1]), 1)
    assert weights[0] == pytest.approx(weights[1], abs=0.05)


def test_the_students_words_are_those_of_the_record(why):
    weights = {word.word: word.weight for word in why.words}
    for_spam = 1 if why.label == "spam" else -1
    assert for_spam * weights["free"] > 0 > for_spam * weights["song"]
    assert list(map(abs, weights.values())) == sorted(
        map(abs, weights.values()), reverse=True
    )


def test_of_a_student_that_is_no_linear_one_no_words_are_told():
    student = make_pipeline(CountVectorizer(), MultinomialNB())
    good = {name: SOURCES[name] for name in ("link", "song")}
    annotator = DistilledAnnotator(labeler(**good), estimator=student).fit(TEXTS)
    assert explain(annotator, TEXT).words is None


def test_all_of_it_is_plain_data(why):
    told = json.loads(json.dumps(why.to_dict()))
    assert told["record"] == {"text": TEXT}
    assert told["programs"][0]["matches"][0] == {
        "column": "text",
        "start": 13,
        "stop": 17,
        "text": "http",
        "line": 1 + 1,
    }


def test_it_prints_as_a_table(why):
    assert "money    spam" in str(why)
    assert "'Free' (line 3)" in str(why)
    assert "broken failed: KeyError in line 2" in repr(why)


HOSTILE = [
    "</script><script>alert(1)</script> http",
    "http \x00\x1b[2J\x07 \ud800",
    "\u202e http \u0645\u0631\u062d\u0628\u0627",
    "<b>&amp;" * 12_500 + " http",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_record_or_program_acts(text):
    name = "<img src=x onerror=alert(1)>\x1b[31m"
    source = f'"""</pre><script>\\x1b"""\n{SOURCES["link"]}  # </pre><script>'
    told = explain(labeler(**{name: source}).fit([text]), text)
    html = told._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert "<mark>http</mark>" in html
    assert len(html) < 30_000
    html.encode()
    assert all(c.isprintable() or c == "\n" for c in str(told))
    assert len(str(told)) < 3_000


def test_marks_that_overlap_are_one():
    assert mark("a<b>c", [(0, 2), (1, 3)]) == (
        '<bdi class="text"><mark>a&lt;b</mark>&gt;c</bdi>'
    )


def test_a_long_text_is_shown_around_its_marks():
    text = "x" * 5000 + "FOUND" + "y" * 95_000
    shown = mark(text, [(5000, 5005)])
    assert "<mark>FOUND</mark>" in shown
    assert len(shown) < 3_000


def test_what_cannot_be_printed_is_replaced():
    assert in_one_line("a\x1b\nb\u202ec", 4) == "a\ufffd …"


TABLE = pd.DataFrame(
    {"age": [20, 65, 30, 70], "job name": ["none", "clerk", "clerk", "none"]}
)
OLD = """
def label(age, job_name):
    if age * 2 > 100:
        return True
    return False if job_name == "clerk" else None
"""


@pytest.fixture(scope="module")
def table_annotator():
    programs = [LabelingProgram("old", OLD)]
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=programs)
    return DistilledAnnotator(labeler).fit(pd.concat([TABLE] * 10))


@pytest.mark.parametrize(
    "row",
    [
        {"age": 65, "job name": "clerk", "other": 1},
        TABLE.iloc[1],
        TABLE.iloc[[1]],
        (65, "clerk"),
        [[65, "clerk"]],
        np.array([65, "clerk"], dtype=object),
    ],
    ids=["dict", "series", "frame", "tuple", "list", "array"],
)
def test_a_row_of_a_table_comes_in_any_form(row, table_annotator):
    told = explain(table_annotator, row)
    (part,) = told.programs
    assert (part.vote, told.label) == (True, True)
    assert [(m.column, m.text) for m in part.matches] == [("age", "65")]
    assert told.record == {"age": 65, "job_name": "clerk"}
    assert told.words[0].word in ("age=65", "job name=clerk")
    json.dumps(told.to_dict())


def test_a_row_of_similarities_is_explained_by_its_numbers():
    source = "def label(land, water): return 'bird' if land - water > 0.1 else 'fish'"
    labeler = ProgramSynthesisLabeler(
        classes=["bird", "fish"], programs=[LabelingProgram("land", source)]
    )
    X = pd.DataFrame(np.random.RandomState(0).rand(60, 2), columns=["land", "water"])
    told = explain(DistilledAnnotator(labeler).fit(X), X.iloc[0])
    assert [m.column for m in told.programs[0].matches] == ["land", "water"]
    assert {word.word.split("=")[0] for word in told.words} == {"land", "water"}
    assert told.record == X.iloc[0].to_dict()


def test_more_than_one_record_is_refused(table_annotator, annotator):
    with pytest.raises(ValueError, match=r"x has 4 rows: give one record"):
        explain(table_annotator, TABLE)
    with pytest.raises(ValueError, match=r"x lacks the column 'age'"):
        explain(table_annotator, {"job name": "clerk"})
    with pytest.raises(ValueError, match=r"x has 3 values, and the columns are age"):
        explain(table_annotator, (1, "a", 2))
    with pytest.raises(ValueError, match=r"x has 2 texts"):
        explain(annotator, ["a", "b"])


def test_steps_before_and_after_the_programs_take_part():
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, labeler(link=SOURCES["link"]))
    pipeline = make_pipeline(*[s for _, s in pipeline.steps], LabelModelAggregator())
    told = explain(pipeline.fit(["HTTP a", "b"] * 5), "HTTP here")
    assert told.record == {"text": "http here"}
    assert (told.label, told.decided_by, told.programs[0].vote) == (1, "votes", "spam")


@pytest.mark.parametrize(
    "classes",
    [[3, 7], [False, True], [0.5, 1.5], [f"class {k}" for k in range(200)]],
    ids=["int", "bool", "float", "200"],
)
def test_classes_may_be_anything(classes):
    source = f"def label(text):\n    return {classes[1]!r} if 'b' in text else None"
    program = LabelingProgram("b", source)
    labeler = ProgramSynthesisLabeler(classes=classes, programs=[program])
    told = explain(labeler.fit(["a b", "b c"]), "a b")
    assert told.programs[0].vote == classes[1]
    assert json.loads(json.dumps(told.to_dict()))["programs"][0]["vote"] == classes[1]


def test_a_program_that_remembers_rows_is_told_of():
    source = "seen = []\ndef label(text):\n    seen.append(text)\n"
    source += "    return 'spam' if len(seen) % 2 else 'ham'"
    fitted = labeler(counts=source).fit(["a", "b"])
    assert explain(fitted, "a").programs[0].note == ""
    # In its second run the watched program remembers the first one.
    assert "keeps something" in explain(fitted, "a").programs[0].note


def test_functions_in_this_process_vote_and_are_not_watched():
    def rule(text):
        return "spam" if np.char.startswith(text, "http") else None

    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[rule], sandbox=None
    )
    with warnings.catch_warnings():
        # Told once a process.
        warnings.simplefilter("ignore", SandboxWarning)
        told = explain(labeler.fit(["http", "b"]), "http a")
    assert told.programs[0].vote == "spam"
    assert "nobody watches" in told.programs[0].note


def test_what_has_no_programs_is_refused():
    aggregator = LabelModelAggregator().fit([[0], [1]])
    with pytest.raises(TypeError, match="no programs to look at"):
        explain(aggregator, "a")
