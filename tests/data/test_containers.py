"""Texts and tables in every container that a user may bring, and what is no table."""

import datetime as dt
import pathlib
from collections import deque
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.data import check_records

TEXTS = ["see http", "nice song", "http ü", ""]
LINK = LabelingProgram("link", "def label(text): return 1 if 'http' in text else 0")

OF_TEXTS = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "array of str": np.array,
    "array of objects": lambda x: np.array(x, dtype=object),
    "StringDType": lambda x: np.array(x, dtype=np.dtypes.StringDType()),
    "list of np.str_": lambda x: list(np.array(x)),
    "pandas": pd.Series,
    "pandas objects": lambda x: pd.Series(x, dtype=object),
    "pandas string": lambda x: pd.Series(x, dtype="string"),
    "pandas pyarrow": lambda x: pd.Series(x, dtype="string[pyarrow]"),
    "pandas ArrowDtype": lambda x: pd.Series(x, dtype=pd.ArrowDtype(pa.string())),
    "pandas category": lambda x: pd.Series(x, dtype="category"),
    "pandas Index": pd.Index,
    "polars": pl.Series,
    "polars Categorical": lambda x: pl.Series(x, dtype=pl.Categorical),
    "pyarrow": pa.array,
    "pyarrow chunked": lambda x: pa.chunked_array([x[:1], x[1:]]),
    "pyarrow string_view": lambda x: pa.array(x, pa.string_view()),
    "pyarrow dictionary": lambda x: pa.array(x).dictionary_encode(),
    "array of a column": lambda x: np.array(x)[:, None],
    "list of rows": lambda x: [[text] for text in x],
    "pandas frame": lambda x: pd.DataFrame({"text": x}),
    "polars frame": lambda x: pl.DataFrame({"text": x}),
    "pyarrow table": lambda x: pa.table({"text": x}),
    "table of string_view": lambda x: pa.table({"text": pa.array(x, pa.string_view())}),
    "record batch": lambda x: pa.record_batch({"text": pa.array(x)}),
    "structured": lambda x: np.array([(t,) for t in x], dtype=[("text", "U9")]),
}


@pytest.mark.parametrize("form", OF_TEXTS)
def test_texts_are_labelled_alike_in_every_container(form):
    X = OF_TEXTS[form](TEXTS)
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[LINK]).fit(X)
    assert_array_equal(labeler.transform(X), [[1], [0], [1], [0]])
    annotator = DistilledAnnotator(labeler).fit(X)
    assert_array_equal(annotator.predict(X), [1, 0, 1, 0])
    annotator.set_params(estimator=None, predict_with="student")
    assert_array_equal(annotator.fit(X).predict(X), [1, 0, 1, 0])


# A number, a number that may be missing, a str that may be missing, a bool.
ROWS = [(1, 0.5, "a", True), (7, None, None, False), (3, 2.5, "b", True)]
FIELDS = ["n", "x", "s", "b"]
COLUMNS = {
    name: list(values)
    for name, values in zip(FIELDS, zip(*ROWS, strict=True), strict=True)
}
FRAME = pd.DataFrame(COLUMNS)

OF_TABLES = {
    "pandas": lambda: FRAME,
    "pandas objects": lambda: FRAME.astype(object),
    "pandas nullable": lambda: FRAME.convert_dtypes(),
    "pandas pyarrow": lambda: FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "pandas category": lambda: FRAME.astype({"s": "category"}),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "polars Categorical": lambda: pl.DataFrame(COLUMNS).cast({"s": pl.Categorical}),
    "polars Enum": lambda: pl.DataFrame(COLUMNS).cast({"s": pl.Enum(["a", "b"])}),
    "pyarrow": lambda: pa.table(COLUMNS),
    "pyarrow of polars": lambda: pa.table(pl.DataFrame(COLUMNS)),
    "pyarrow dictionary": lambda: pa.table(
        {**COLUMNS, "s": pa.array(COLUMNS["s"]).dictionary_encode()}
    ),
    "record batch": lambda: pa.RecordBatch.from_pydict(COLUMNS),
    "structured": lambda: np.array(
        [tuple(np.nan if v is None and i == 1 else v for i, v in enumerate(row))
         for row in ROWS],
        dtype=[("n", "i8"), ("x", "f8"), ("s", "O"), ("b", "?")],
    ),
}  # fmt: skip
NAMELESS = {
    "list of lists": lambda: [list(row) for row in ROWS],
    "list of tuples": lambda: ROWS,
    "tuple of tuples": lambda: tuple(ROWS),
    "array of objects": lambda: np.array(ROWS, dtype=object),
    "masked": lambda: np.ma.array(
        np.array([[1, 0.5, "a", True], [7, 9.9, "z", False], [3, 2.5, "b", True]], "O"),
        mask=[[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]],
    ),
    "frame with numbers for names": lambda: pd.DataFrame(ROWS),
}
BODY = (
    "({0}, {1}, {2}, {3}):\n"
    "    assert type({0}) is int and type({3}) is bool\n"
    "    assert {1} is None or type({1}) is float\n"
    "    assert {2} is None or type({2}) is str\n"
    "    return 1 if {1} is None and {2} is None and not {3} and {0} > 5 else 0"
)


@pytest.mark.parametrize("form", [*OF_TABLES, *NAMELESS])
def test_programs_get_the_same_values_from_every_table(form):
    named = form in OF_TABLES
    X = OF_TABLES[form]() if named else NAMELESS[form]()
    names = FIELDS if named else ["x0", "x1", "x2", "x3"]
    records = check_records(BaseEstimator(), X, reset=True)
    assert records.columns == dict(zip(names, COLUMNS.values(), strict=True))
    assert list(records.kinds.values()) == ["int", "float", "str", "bool"]
    assert records.is_named is named
    program = LabelingProgram("p", f"def label{BODY.format(*names)}")
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[program]).fit(X)
    assert_array_equal(labeler.transform(X), [[0], [1], [0]])
    annotator = DistilledAnnotator(labeler, predict_with="votes").fit(X)
    assert_array_equal(annotator.predict(X), [0, 1, 0])


def test_zero_shot_sees_the_same_records_in_every_table():
    prompts = set()

    def answer(prompt):
        prompts.add(prompt)
        return '{"label": "0"}'

    for make in OF_TABLES.values():
        annotator = ZeroShotAnnotator(
            LLM.from_callable(answer), task="Which?", classes=[0, 1]
        )
        annotator.fit(make()).predict(make())
    assert len(prompts) == len(ROWS)


MONEY = [Decimal("1.50"), Decimal("20"), None]
SPANS = [dt.timedelta(days=1), dt.timedelta(seconds=5), None]
DAYS = [dt.date(2026, 1, 2), dt.date(2025, 1, 2), None]
TIMES = [dt.datetime(2026, 1, 2, 3), dt.datetime(2025, 1, 2), None]
CLOCK = [dt.time(1, 2), dt.time(3), None]
ODD = {
    "float": (MONEY, [1.5, 20.0, None]),
    "float (seconds)": (SPANS, [86400.0, 5.0, None]),
    "str (ISO date)": (DAYS, ["2026-01-02", "2025-01-02", None]),
    "str (ISO date and time)": (
        TIMES,
        ["2026-01-02T03:00:00", "2025-01-02T00:00:00", None],
    ),
    "str (ISO time)": (CLOCK, ["01:02:00", "03:00:00", None]),
    "str (JSON)": ([["a", "ü"], [], None], ['["a", "ü"]', "[]", None]),
}
HOLDERS = {
    "pandas objects": lambda v: pd.DataFrame({"c": pd.Series(v, dtype=object)}),
    "pandas": lambda v: pd.DataFrame({"c": v}),
    "pandas pyarrow": lambda v: pd.DataFrame(
        {"c": pd.Series(v, dtype=pd.ArrowDtype(pa.array(v).type))}
    ),
    "polars": lambda v: pl.DataFrame({"c": v}),
    "pyarrow": lambda v: pa.table({"c": v}),
    "rows": lambda v: [[value] for value in v],
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("kind", ODD)
def test_what_the_model_is_told_is_what_programs_get(kind, holder):
    if holder == "rows" and kind == "str (JSON)":
        pytest.skip("rows of rows have three dimensions")
    values, plain = ODD[kind]
    records = check_records(BaseEstimator(), HOLDERS[holder](values), reset=True)
    (column,) = records.columns.values()
    assert column.kind == kind
    assert column == plain
    assert not records.is_text


def test_a_mixed_column_says_what_it_mixes():
    X = pd.DataFrame({"c": ["a", 1, None], "d": [1, 2.5, None]}, dtype=object)
    assert check_records(BaseEstimator(), X, reset=True).kinds == {
        "c": "str or int",
        "d": "float",
    }


LAZY = "not computed yet: "
REFUSED = {
    "str": ("a text", "single str: pass a list"),
    "bytes": (b"a text", "single bytes"),
    "path": (pathlib.Path("a"), "path: read it"),
    "dict": ({"text": TEXTS}, "mapping: pass a DataFrame"),
    "list of dicts": ([{"text": "a"}], "list of mappings: pass a DataFrame"),
    "set": ({"a", "b"}, "set, which has no order"),
    "generator": ((text for text in TEXTS), r"read once only: pass list\(X\)"),
    "map": (map(str, TEXTS), r"read once only: pass list\(X\)"),
    "batches": (
        pa.table({"text": TEXTS}).to_reader(),
        r"read once only: pass X.read_all\(\)",
    ),
    "nothing but None": ([None, None], "text at position 0 is missing"),
    "sparse": (scipy.sparse.csr_matrix(np.eye(2)), "sparse.*toarray"),
    "sparse mapping": (scipy.sparse.dok_matrix(np.eye(2)), "sparse.*toarray"),
    "LazyFrame": (pl.LazyFrame({"a": [1]}), LAZY + r"pass X.collect\(\)"),
    "None": (None, "X is None: pass a list"),
    "number": (3, "int: pass a list"),
    "one dimension": ([1, 2], "Reshape your data"),
    "three dimensions": (np.ones((2, 2, 2)), "dim 3"),
    "ragged": ([[1], [1, 2]], "rows of different lengths"),
    "same names": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "several columns.*'a'"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_no_table_gets_a_message_that_names_the_way(form):
    X, message = REFUSED[form]
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[LINK])
    with pytest.raises((TypeError, ValueError), match=message) as error:
        labeler.fit(X)
    assert "a text" not in str(error.value)  # no data


def test_a_dask_frame_is_not_computed_behind_the_users_back():
    dataframe = pytest.importorskip("dask.dataframe")
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[LINK])
    with pytest.raises(TypeError, match=LAZY + "fit to a sample of it"):
        labeler.fit(dataframe.from_pandas(FRAME, npartitions=1))


EMPTY = {
    "list": [],
    "tuple": (),
    "array": np.array([], dtype=object),
    "array of floats": np.array([]),
    "column": np.empty((0, 1), dtype=object),
    "pandas": pd.Series([], dtype="str"),
    "polars": pl.Series([], dtype=pl.String),
    "pyarrow": pa.array([], pa.string()),
    "pandas frame": pd.DataFrame({"text": pd.Series([], dtype="str")}),
    "polars frame": pl.DataFrame({"text": []}, schema={"text": pl.String}),
    "pyarrow table": pa.table({"text": pa.array([], pa.string())}),
}


@pytest.mark.parametrize("form", EMPTY)
def test_no_record_gets_no_vote(form):
    X = EMPTY[form]
    like = pd.DataFrame({"text": TEXTS}) if hasattr(X, "columns") else TEXTS
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[LINK]).fit(like)
    assert labeler.transform(X).shape == (0, 1)
    annotator = DistilledAnnotator(labeler).fit(like)
    assert annotator.predict(X).shape == (0,)
    assert annotator.predict_proba(X).shape == (0, 2)
    assert len(annotator.annotate(X).label) == 0
    with pytest.raises(ValueError, match="X is empty"):
        labeler.fit(X)


def test_text_or_table_is_decided_in_fit():
    table = pd.DataFrame({"c": [1, "see http", "song"] * 10})
    program = LabelingProgram("p", "def label(c): return 1 if c == 'see http' else 0")
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[program])
    annotator = DistilledAnnotator(labeler).fit(table)
    annotation = annotator.annotate(pd.DataFrame({"c": TEXTS[:2]}))
    assert_array_equal(annotation.votes, [[1], [0]])
    with pytest.raises(ValueError, match="was fitted to a table"):
        annotator.predict(TEXTS)
    annotator = DistilledAnnotator(labeler).fit(pd.DataFrame({"c": TEXTS}))
    with pytest.raises(TypeError, match="position 1 is int, not str"):
        annotator.predict(pd.DataFrame({"c": ["a", 1]}))


def test_a_column_that_no_program_reads_is_not_converted():
    class Unreadable:
        def __str__(self):
            raise AssertionError("converted")

    X = pd.DataFrame({"n": [1, 2], "odd": [Unreadable()] * 2, "logo": [b"PNG"] * 2})
    program = LabelingProgram("p", "def label(n): return n > 1")
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
    assert_array_equal(labeler.fit_transform(X)[:, 0], [0, 1])


def test_the_fields_of_an_array_keep_their_order():
    X = OF_TABLES["structured"]()
    program = LabelingProgram("p", "def label(n): return 1 if n > 5 else 0")
    labeler = ProgramSynthesisLabeler(classes=[0, 1], programs=[program]).fit(X)
    with pytest.raises(ValueError, match="feature names should match"):
        labeler.transform(X[["x", "n", "s", "b"]])
    nameless = ProgramSynthesisLabeler(classes=[0, 1], programs=[LINK]).fit(TEXTS)
    with pytest.raises(ValueError, match=r"4 features, but .* expecting 1"):
        nameless.transform(X)
