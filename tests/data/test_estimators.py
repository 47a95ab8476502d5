"""What estimators owe to how they read their input, beyond the values themselves."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.exceptions import FallbackWarning
from sklearn_alchemist.inspection import program_summary
from sklearn_alchemist.metrics import group_accuracy
from sklearn_alchemist.programs import run_programs

LINK = "def label(text): return {1!r} if 'http' in text else {0!r}"
TEXTS = ["http a", "song b", "see c", "nice a http"] * 30
NAMES = ["spam", "ham", "ham", "spam"] * 30


def annotator(classes, **params):
    programs = [
        LabelingProgram("a", LINK.format(*classes)),
        LabelingProgram("b", LINK.format(*classes) + "  # again"),
    ]
    labeler = ProgramSynthesisLabeler(classes=list(classes), programs=programs)
    return DistilledAnnotator(labeler, **params)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrap",
    [
        lambda a: VotingClassifier([("a", a)], voting="soft"),
        lambda a: StackingClassifier([("a", a)], cv=2),
        lambda a: CalibratedClassifierCV(a, method="temperature", cv=2),
    ],
)
def test_meta_estimators_that_encode_labels_say_what_works(wrap):
    with pytest.raises(ValueError, match=r"integer classes 0, 1, .*FrozenEstimator"):
        wrap(annotator(("ham", "spam"))).fit(TEXTS, NAMES)
    codes = [int(name == "spam") for name in NAMES]
    assert wrap(annotator((0, 1))).fit(TEXTS, codes).score(TEXTS, codes) == 1
    frozen = FrozenEstimator(annotator(("ham", "spam")).fit(TEXTS))
    assert wrap(frozen).fit(TEXTS, NAMES).score(TEXTS, NAMES) == 1


@pytest.mark.slow
def test_labels_of_the_class_minus_one_count_in_a_pipeline_as_they_do_alone():
    y = np.array([None] * 120, dtype=object)
    y[:40] = [1, -1, -1, 1] * 10
    alone = annotator((-1, 1), learn_from_labels=True)
    labeler = make_pipeline(FunctionTransformer(), alone.labeler)
    piped = DistilledAnnotator(labeler, learn_from_labels=True)
    for learner in (alone, piped):
        learner.fit(TEXTS, y, label_proba=1.0)
    assert piped.temperatures_ == alone.temperatures_
    assert (piped.predict(TEXTS) == alone.predict(TEXTS)).all()


@pytest.mark.slow
def test_an_aggregator_learns_from_labels_only_if_the_annotator_says_so():
    contrary = ["ham", "spam", "spam", "ham"] * 30
    unaware = annotator(
        ("ham", "spam"), aggregator=LabelModelAggregator(semi_supervised=True)
    ).fit(TEXTS, contrary)
    assert not unaware.aggregator_.semi_supervised
    assert unaware.score(TEXTS, NAMES) == 1


def test_later_labels_do_not_change_what_votes_meant():
    votes = np.array([[0, 0], [1, 1]] * 30)
    aggregator = LabelModelAggregator(semi_supervised=True).partial_fit(votes)
    with pytest.raises(ValueError, match=r"pass classes=\[...\] in the first call"):
        aggregator.partial_fit(votes[1:2], y=["spam"])
    aggregator = LabelModelAggregator().partial_fit(votes, classes=["a", "b"])
    with pytest.raises(ValueError, match="not the same as before"):
        aggregator.partial_fit(votes, classes=["c", "d"])
    with pytest.raises(ValueError, match="first call"):
        LabelModelAggregator().partial_fit(votes).partial_fit(votes, classes=[3, 4])


@pytest.mark.slow
def test_groups_of_programs_are_named_in_an_annotator():
    grouped = LabelModelAggregator(program_groups=[["a", "b"]])
    found = annotator(("ham", "spam"), aggregator=grouped).fit(TEXTS).aggregator_
    assert [group.tolist() for group in found.groups_] == [[0, 1]]
    grouped.set_params(program_groups=[["a", "c"]])
    with pytest.raises(ValueError, match="'c', which is no program; programs are a, b"):
        annotator(("ham", "spam"), aggregator=grouped).fit(TEXTS)


@pytest.mark.slow
def test_within_an_annotator_advice_names_the_parameters_of_the_annotator(monkeypatch):
    module = "sklearn_alchemist.label_model._aggregator_fit"
    monkeypatch.setattr(f"{module}.fallback_reason", lambda *_: "Odd votes.")
    with pytest.warns(FallbackWarning, match="set learn_from_labels=True"):
        annotator(("ham", "spam")).fit(TEXTS)
    with pytest.warns(FallbackWarning, match="set semi_supervised"):
        LabelModelAggregator().fit([[0, 0], [1, 1]] * 30)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_the_output_that_is_set_for_all_transformers_changes_nothing_within(output):
    table = pd.DataFrame({"text": TEXTS, "n": np.arange(120.0), "s": ["a", "b"] * 60})
    for X in (TEXTS, table):
        expected = annotator(("ham", "spam")).fit(X).predict_proba(X)
        with config_context(transform_output=output):
            found = annotator(("ham", "spam")).fit(X).predict_proba(X)
        np.testing.assert_allclose(found, expected)


@pytest.mark.slow
def test_a_student_that_imputes_gets_tables_with_missing_values():
    table = pd.DataFrame({"age": [30.0, np.nan, 50, 60] * 30, "city": ["A", None] * 60})
    program = LabelingProgram(
        "p", "def label(age): return None if age is None else age < 45"
    )
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
    encode = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["age"]),
            ("categories", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ]
    )
    student = make_pipeline(encode, LogisticRegression())
    assert len(DistilledAnnotator(labeler, estimator=student).fit(table).classes_) == 2
    with pytest.raises(ValueError, match="NaN or a missing value in column 'age'"):
        DistilledAnnotator(labeler, estimator=LogisticRegression()).fit(table[["age"]])


@pytest.mark.slow
def test_the_default_student_reads_texts_in_a_table_as_texts():
    rng = np.random.default_rng(0)
    spam = np.arange(200) % 2 == 0
    words = {True: ["free", "cash", "now"], False: ["agenda", "report", "monday"]}
    bodies = [
        " ".join([*rng.choice(words[bool(s)], 4), str(i)]) for i, s in enumerate(spam)
    ]
    table = pd.DataFrame({"body": bodies, "n": rng.normal(size=200)})
    program = LabelingProgram(
        "p", "def label(body): return 'free' in body or ('cash' in body and None)"
    )
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
    student = DistilledAnnotator(labeler, predict_with="student").fit(table)
    new = pd.DataFrame({"body": ["now cash", "monday agenda"], "n": [0.0, 0.0]})
    assert student.predict(new).tolist() == [True, False]


def test_rules_read_all_texts_of_a_table():
    table = pd.DataFrame({"subject": TEXTS, "body": TEXTS[::-1], "n": range(120)})

    def answer(_):
        return '{"phrases": [{"text": "nice", "weight": 2}], "threshold": 1}'

    labeler = ProgramSynthesisLabeler(
        LLM.from_callable(answer), task="Is it spam?", classes=["ham", "spam"],
        n_programs=2, program_style="rules",
    )  # fmt: skip
    (program, *_) = labeler.fit(table).programs_
    assert program.parameters == ("subject", "body")
    found = labeler.transform(table)[:, 0] >= 0
    assert found.tolist() == [
        "nice" in a + b for a, b in zip(TEXTS, TEXTS[::-1], strict=True)
    ]
    with pytest.raises(ValueError, match="no column of the table is str"):
        labeler.fit(table[["n"]])


def test_a_table_with_texts_gets_approaches_for_words_and_for_numbers():
    table = pd.DataFrame({"subject": TEXTS, "n": range(120)})
    prompts = []

    def answer(prompt):
        prompts.append(prompt)
        return "def label(n): return 'spam' if n and n > 1 else 'ham'"

    ProgramSynthesisLabeler(
        LLM.from_callable(answer), task="Is it spam?", classes=["ham", "spam"],
        n_programs=6,
    ).fit(table)  # fmt: skip
    asked = "\n".join(prompts)
    for approach in ("thresholds that domain", "by vocabulary", "regular expressions"):
        assert approach in asked


def test_names_of_programs_are_escaped_in_html():
    program = LabelingProgram("<script>x</script>", LINK.format("ham", "spam"))
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[program])
    html = program_summary(labeler.fit(TEXTS), TEXTS)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_indices_mean_the_classes_in_the_order_in_which_they_are_listed():
    program = LabelingProgram("p", "def label(text): return 0", returns="index")
    for order in (["spam", "ham"], ["ham", "spam"]):
        labeler = ProgramSynthesisLabeler(classes=order, programs=[program]).fit(TEXTS)
        (vote,) = labeler.transform(["a"])[0]
        assert labeler.classes_[vote] == order[0]
        (vote,) = run_programs([program], {"text": ["a"]}, order).votes[0]
        assert order[vote] == order[0]


def test_masked_votes_are_abstentions():
    votes = np.array([[0, 0], [1, 1], [0, 1]] * 4)
    masked = np.ma.array(votes, mask=votes == 1)
    aggregator = LabelModelAggregator(classes=[0, 1], method="majority_vote")
    expected = np.where(votes == 1, -1, votes)
    np.testing.assert_array_equal(
        aggregator.fit(masked).predict_proba(masked),
        aggregator.fit(expected).predict_proba(expected),
    )


def test_no_record_is_no_answer():
    asked = []

    def answer(prompt):
        asked.append(prompt)
        return '{"label": "ham"}'

    zero_shot = ZeroShotAnnotator(
        LLM.from_callable(answer), task="Is it spam?", classes=["ham", "spam"]
    ).fit(TEXTS)
    assert zero_shot.predict([]).shape == (0,)
    assert zero_shot.predict_proba([]).shape == (0, 2)
    assert not asked
    aggregator = LabelModelAggregator(classes=["ham", "spam"]).fit([[0], [1]] * 9)
    assert aggregator.predict(np.empty((0, 1))).shape == (0,)


@pytest.mark.parametrize(
    "groups",
    [
        ["u", "v", "u", "v"],
        np.array(["u", "v", "u", "v"], dtype=np.dtypes.StringDType()),
        pd.Series(["u", "v", "u", "v"], dtype="category"),
        pl.Series(["u", "v", "u", "v"]),
        pa.array(["u", "v", "u", "v"]),
        pd.DataFrame({"g": ["u", "v", "u", "v"]}),
    ],
)
def test_groups_are_named_in_every_form(groups):
    found = group_accuracy([0, 1, 1, 0], [0, 1, 1, 1], groups)
    assert found.per_group == {"u": 1.0, "v": 0.5}
