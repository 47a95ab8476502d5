"""Labels in every form that a user may bring, in every place that takes them."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import DataConversionWarning

from sklearn_alchemist import (
    LLM,
    ConceptScorer,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.data import Classes, label_array, read_labels
from sklearn_alchemist.inspection import program_summary
from sklearn_alchemist.metrics import group_accuracy

NAMES = ["ham", "spam", "spam", "ham", "spam", "ham"] * 2
NUMBERS = [0, 1, 1, 0, 1, 0] * 2
TEXTS = ["http" if number else "song" for number in NUMBERS]

COMPLETE = {
    "list": lambda: NAMES,
    "tuple": lambda: tuple(NAMES),
    "array of str": lambda: np.array(NAMES),
    "array of objects": lambda: np.array(NAMES, dtype=object),
    "StringDType": lambda: np.array(NAMES, dtype=np.dtypes.StringDType()),
    "list of np.str_": lambda: list(np.array(NAMES)),
    "pandas": lambda: pd.Series(NAMES),
    "pandas objects": lambda: pd.Series(NAMES, dtype=object),
    "pandas string": lambda: pd.Series(NAMES, dtype="string"),
    "pandas pyarrow": lambda: pd.Series(NAMES, dtype="string[pyarrow]"),
    "pandas category": lambda: pd.Series(NAMES, dtype="category"),
    "pandas Index": lambda: pd.Index(NAMES),
    "polars": lambda: pl.Series(NAMES),
    "polars Categorical": lambda: pl.Series(NAMES, dtype=pl.Categorical),
    "pyarrow": lambda: pa.array(NAMES),
    "pyarrow chunked": lambda: pa.chunked_array([NAMES[:5], NAMES[5:]]),
    "pyarrow dictionary": lambda: pa.array(NAMES).dictionary_encode(),
    "list of int": lambda: NUMBERS,
    "int8": lambda: np.array(NUMBERS, dtype=np.int8),
    "floats that are integers": lambda: np.array(NUMBERS, dtype=float),
    "list of bool": lambda: [bool(number) for number in NUMBERS],
    "array of bool": lambda: np.array(NUMBERS, dtype=bool),
    "pandas Int64": lambda: pd.Series(NUMBERS, dtype="Int64"),
    "pandas boolean": lambda: pd.Series(NUMBERS, dtype="boolean"),
    "polars int": lambda: pl.Series(NUMBERS),
}
PROGRAMS = {
    str: "def label(text): return 'spam' if 'http' in text else 'ham'",
    int: "def label(text): return 1 if 'http' in text else 0",
}
VOTES = np.array([NUMBERS, NUMBERS]).T


@pytest.fixture(params=COMPLETE)
def y(request):
    return COMPLETE[request.param]()


def names_of(y):
    return sorted({*read_labels(y)} - {None, -1})


def labeler(y, **params):
    kind = str if names_of(y)[0] == "ham" else int
    return ProgramSynthesisLabeler(
        programs=[LabelingProgram("p", PROGRAMS[kind])], **params
    )


def test_a_labeler_votes_for_the_classes_that_labels_name(y):
    fitted = labeler(y).fit(TEXTS, y)
    assert_array_equal(fitted.classes_, names_of(y))
    assert_array_equal(fitted.transform(TEXTS)[:, 0], NUMBERS)


def test_an_aggregator_predicts_what_labels_name(y):
    aggregator = LabelModelAggregator(temperature="estimate").fit(VOTES, y)
    assert_array_equal(aggregator.predict(VOTES), np.array(names_of(y))[NUMBERS])
    assert aggregator.score(VOTES, y) == 1


def test_an_annotator_learns_the_labels_that_are_given(y):
    annotator = DistilledAnnotator(
        labeler(y, classes=names_of(y)), learn_from_labels=True
    ).fit(TEXTS, y, label_proba=1.0)
    assert_array_equal(annotator.predict(TEXTS), np.array(names_of(y))[NUMBERS])
    assert annotator.score(TEXTS, y) == 1


def test_a_zero_shot_annotator_offers_the_classes_that_labels_name(y):
    names = list(Classes.named_by(y).described)

    def answer(prompt):
        return json.dumps({"label": str(names["http" in prompt.split("record:")[1]])})

    annotator = ZeroShotAnnotator(LLM.from_callable(answer), task="Which?")
    assert annotator.fit(TEXTS, y).score(TEXTS, y) == 1


def test_concepts_are_asked_for_the_classes_that_labels_name(y):
    prompts = []

    def answer(prompt):
        prompts.append(prompt)
        concepts = [
            {"name": f"mark_{name}", "class": name, "descriptions": ["a mark"]}
            for name in Classes.named_by(y).described
        ]
        return json.dumps({"concepts": concepts})

    scorer = ConceptScorer(
        LLM.from_callable(answer), task="Which?", embedder=Axes(), input="embedding",
        max_repairs=0,
    )  # fmt: skip
    scorer.fit(np.eye(12, 2) + 0.1, y)
    for name in Classes.named_by(y).described:
        assert f"- {name!r}" in prompts[0]


class Axes:
    def encode(self, inputs):
        return np.ones((len(inputs), 2))


def test_what_measures_takes_labels_of_any_form(y):
    fitted = labeler(y, classes=names_of(y)).fit(TEXTS)
    assert program_summary(fitted, TEXTS, y)["accuracy"] == [1]
    assert group_accuracy(y, np.array(names_of(y))[NUMBERS], TEXTS).average == 1


MISSING = {
    "None": lambda: ["ham", None, "spam"],
    "NaN in a list": lambda: ["ham", float("nan"), "spam"],
    "NaN among objects": lambda: np.array(["ham", np.nan, "spam"], dtype=object),
    "-1 in a list": lambda: ["ham", -1, "spam"],
    "NA": lambda: pd.Series(["ham", pd.NA, "spam"], dtype="string"),
    "NaT": lambda: ["ham", pd.NaT, "spam"],
    "category": lambda: pd.Series(["ham", None, "spam"], dtype="category"),
    "polars": lambda: pl.Series(["ham", None, "spam"]),
    "pyarrow": lambda: pa.array(["ham", None, "spam"]),
    "StringDType": lambda: np.array(
        ["ham", None, "spam"], dtype=np.dtypes.StringDType(na_object=None)
    ),
    "masked": lambda: np.ma.array(["ham", "spam", "spam"], mask=[0, 1, 0]),
    "Int64": lambda: pd.Series([0, None, 1], dtype="Int64"),
    "float NaN": lambda: np.array([0.0, np.nan, 1.0]),
    "-1 among integers": lambda: np.array([0, -1, 1]),
    "-1.0 among floats": lambda: [0.0, -1.0, 1.0],
}


@pytest.mark.parametrize("form", MISSING)
def test_a_missing_label_is_missing_in_every_form(form):
    y = MISSING[form]()
    classes = Classes.listed(names_of(y))
    assert_array_equal(classes.encode(y), [0, -1, 1])
    votes = np.array([[0], [0], [1]])
    for learns in (False, True):
        aggregator = LabelModelAggregator(
            classes=names_of(y), temperature="estimate" if learns else 1.0
        )
        assert_array_equal(aggregator.fit(votes, y).classes_, names_of(y))


def test_minus_one_is_a_label_where_it_is_a_class():
    assert_array_equal(Classes.listed([-1, 1]).encode([-1, 1, None]), [0, 1, -1])


def test_all_labels_may_be_missing():
    for y in ([None] * 12, np.full(12, np.nan), np.full(12, -1)):
        annotator = DistilledAnnotator(
            labeler(NAMES, classes=["ham", "spam"]), learn_from_labels=True
        ).fit(TEXTS, y)
        assert_array_equal(annotator.predict(TEXTS), NAMES)


def test_a_column_of_labels_is_taken_with_scikit_learns_warning():
    columns = [[name] for name in NAMES]
    frames = pd.DataFrame(columns), pl.DataFrame({"y": NAMES})
    for y in (columns, np.array(columns), *frames):
        with pytest.warns(DataConversionWarning):
            assert read_labels(y) == NAMES
    with pytest.raises(ValueError, match="1d array"):
        read_labels(np.eye(3))


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ((label for label in NAMES), TypeError, "generator: pass a list"),
        ({"a": 1}, TypeError, "dict: pass a list"),
        ({"ham", "spam"}, TypeError, "set: pass a list"),
        ("ham", TypeError, "str: pass a list"),
        ([b"ham", b"spam"], TypeError, "bytes.*decode"),
        (np.array(["2026-01-01"], "datetime64[ns]"), TypeError, "write it as a str"),
    ],
)
def test_what_holds_no_labels_is_refused_in_one_line(y, error, message):
    with pytest.raises(error, match=message):
        read_labels(y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", float("nan")], "list them in `classes`"),
        (np.array(["a", "b", np.nan]), "'nan', which is what becomes of a missing"),
        (np.array(["a", "b", -1]), "'-1', which is what becomes of a missing"),
        (["a", 1], "all strings or all numbers"),
        ([0.5, 1.5], "continuous"),
        ([0.0, np.inf], "infinity"),
    ],
)
def test_labels_that_name_no_certain_classes_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        Classes.named_by(y)


@pytest.mark.parametrize("y", [[-1, 1] * 6, [-1, 0, 1] * 4])
def test_a_minus_one_that_may_be_either_asks_for_the_classes(y):
    program = labeler([0, 1])
    for learner in (
        DistilledAnnotator(program, learn_from_labels=True),
        program.set_params(learn_from_labels=True),
    ):
        with pytest.raises(ValueError, match="-1 may be a class or mark a missing"):
            learner.fit(TEXTS, y)


def test_strings_of_numbers_may_be_classes():
    assert_array_equal(Classes.named_by(["-1", "1"]).names, ["-1", "1"])


def test_labels_of_another_length_are_an_error():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        labeler(NAMES).fit(TEXTS, NAMES[:3])


def test_a_label_that_is_no_class_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"y holds \['c'\], which is none of the"):
        Classes.listed(["a", "b"]).encode(["a", "c"])


def test_encoded_labels_are_told_from_wrong_ones():
    with pytest.raises(ValueError, match="If a meta-estimator encoded y"):
        Classes.listed(["a", "b"]).encode([0, 1])


def test_labels_that_are_measured_may_not_be_missing():
    with pytest.raises(ValueError, match="missing label at position 1"):
        label_array(["a", None])


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["a", "b", "a"], "duplicates: .'a'."),
        ([1, 1.0, 2], "duplicates: .1"),
        ([0, False, 1], "duplicates"),
        (["a"], "at least 2"),
        ([], "at least 2"),
        (["a", None], "None or NaN"),
        ([0.0, float("nan")], "None or NaN"),
        (["a", ""], "empty str"),
        (["a", 1], "all strings or all numbers"),
        ("ab", "the string 'ab'"),
    ],
)
def test_unusable_classes_are_refused(classes, message):
    with pytest.raises(ValueError, match=message):
        Classes.listed(classes)


def test_classes_are_sorted_and_described_in_the_order_of_the_user():
    classes = Classes.listed({"spam": "unwanted", "ham": None})
    assert_array_equal(classes.names, ["ham", "spam"])
    assert list(classes.described.items()) == [("spam", "unwanted"), ("ham", None)]
    assert list(classes.sorted_descriptions) == ["ham", "spam"]


def test_classes_that_are_whole_floats_are_written_as_people_write_them():
    assert list(Classes.listed([1.0, 0.0]).described) == [1, 0]
    assert [str(name) for name in Classes.listed([1.0, 0.0]).described] == ["1", "0"]


@pytest.mark.parametrize("form", ["StringDType", "polars", "pandas", "pyarrow"])
def test_classes_are_listed_in_any_form(form):
    listed = {
        "StringDType": np.array(["b", "a"], dtype=np.dtypes.StringDType()),
        "polars": pl.Series(["b", "a"]),
        "pandas": pd.Series(["b", "a"], dtype="category"),
        "pyarrow": pa.array(["b", "a"]),
    }[form]
    names = Classes.listed(listed).names
    assert_array_equal(names, ["a", "b"])
    assert names.dtype.kind == "U"


@pytest.mark.parametrize(
    "y",
    [
        ["ham", "spam", None, "ham"],
        ["ham", "spam", -1, "ham"],
        ["ham", "spam", float("nan"), "ham"],
        np.array(["ham", "spam", "nan", "ham"]),
        np.array(["ham", "spam", "-1", "ham"]),
    ],
    ids=["None", "-1", "NaN", "written nan", "written -1"],
)
def test_no_score_counts_a_missing_label_as_an_error(y):
    votes = [[0, 0], [1, 1], [1, 0], [0, 0]]
    aggregator = LabelModelAggregator(classes=["ham", "spam"]).fit(votes)
    with pytest.raises(ValueError, match="missing label at position 2"):
        aggregator.score(votes, y)


def test_minus_one_is_scored_where_it_is_a_class():
    votes = [[0, 0], [1, 1]]
    aggregator = LabelModelAggregator(classes=[-1, 1]).fit(votes)
    assert aggregator.score(votes, [-1, 1]) == 1
