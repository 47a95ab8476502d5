import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from sklearn_alchemist.data import check_records, parameter_names
from sklearn_alchemist.exceptions import AlchemistWarning

TEXTS = ["a", "b ü", ""]


def records(X):
    return check_records(BaseEstimator(), X, reset=True)


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        pl.Series,
        pa.array,
        lambda x: np.array(x, object),
    ],
)
def test_texts_come_in_any_one_dimensional_container(container):
    found = records(container(TEXTS))
    assert found.columns == {"text": TEXTS}
    assert found.is_text
    assert {type(text) for text in found.columns["text"]} == {str}


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_missing_text_is_an_error_that_names_its_position(missing):
    with pytest.raises(ValueError, match="position 1 is missing"):
        records(["a", missing])


@pytest.mark.parametrize(
    "X",
    [
        np.array(["a", np.nan]),
        pd.Series(["a", str(np.nan)]),
        np.array([["a", "b"], ["c", np.nan]]),
    ],
    ids=["array", "series", "table"],
)
def test_a_text_that_was_missing_before_it_was_a_str_is_hinted_at_in_fit(X):
    with pytest.warns(AlchemistWarning, match=r"'nan' \(1 of .* of a missing value"):
        found = records(X)
    assert "nan" in [*found.columns.values()][-1]
    check_records(BaseEstimator(), X, reset=False)


def test_texts_that_only_hold_such_a_word_are_texts():
    assert records(np.array(["nan bread", "my nan", "NAN"])).n_rows == 3


def test_bytes_are_an_error_that_says_to_decode():
    with pytest.raises(TypeError, match="position 0 is bytes, not str: decode"):
        records([b"a", b"b"])


def test_a_number_among_texts_is_an_error():
    with pytest.raises(TypeError, match="position 1 is int"):
        records(["a", 1])


def test_a_single_str_is_an_error():
    with pytest.raises(ValueError, match="pass a list of texts"):
        records("a text")


@pytest.mark.parametrize("X", [[], np.empty((0, 2)), pd.DataFrame({"a": []})])
def test_no_record_is_an_error(X):
    with pytest.raises(ValueError, match=r"0 sample|0 feature"):
        records(X)


@pytest.mark.parametrize("X", [[1, 2], np.array([1.0, 2.0])])
def test_numbers_in_one_dimension_are_an_error_that_says_to_reshape(X):
    with pytest.raises(ValueError, match="Reshape your data"):
        records(X)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_tables_give_python_scalars_by_column(frame):
    X = frame({"n": [1, 2], "x": [0.5, None], "s": ["a", None], "b": [True, False]})
    found = records(X)
    assert found.columns == {
        "n": [1, 2],
        "x": [0.5, None],
        "s": ["a", None],
        "b": [True, False],
    }
    assert found.kinds == {"n": "int", "x": "float", "s": "str", "b": "bool"}
    assert found.is_named
    assert not found.is_text


def test_a_column_of_texts_is_text_and_keeps_its_name():
    found = records(pd.DataFrame({"review": TEXTS}))
    assert found.is_text
    assert found.columns == {"review": TEXTS}


def test_numpy_scalars_dates_and_others_become_python_scalars():
    X = np.empty((1, 3), dtype=object)
    X[0] = [np.float32(0.5), datetime.date(2026, 1, 2), np.int8(3)]
    assert [column[0] for column in records(X).columns.values()] == [
        0.5,
        "2026-01-02",
        3,
    ]


def test_names_that_are_no_identifiers_are_offered_under_a_slug():
    frame = pd.DataFrame([[1, 2]], columns=["mean radius (cm)", "mean_radius_cm"])
    assert list(records(frame).columns) == ["mean_radius_cm_2", "mean_radius_cm"]


def test_nameless_columns_are_numbered():
    found = records(np.ones((2, 2)))
    assert list(found.columns) == ["x0", "x1"]
    assert not found.is_named


@pytest.mark.slow
@given(st.lists(st.text(), unique=True))
def test_parameter_names_are_unique_identifiers(names):
    parameters = parameter_names(names)
    assert len(set(parameters)) == len(names)
    assert all(parameter.isidentifier() for parameter in parameters)


def test_a_sample_is_spread_over_all_records():
    X = [str(i) for i in range(1000)]
    sample = records(X).sample(100)["text"]
    assert len(sample) == 100
    assert int(sample[-1]) > 950


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_the_values_of_a_column_do_not_depend_on_its_neighbours(frame):
    X = frame({"flag": [True, False], "id": [2**60 + 1, 2], "share": [0.5, 0.1]})
    columns = records(X).columns
    assert columns["flag"] == [True, False]
    assert columns["id"] == [2**60 + 1, 2]
    assert type(columns["flag"][0]) is bool


def test_dates_beside_numbers_are_iso_dates():
    when = pd.to_datetime(["2026-01-02", None]).astype("datetime64[ns]")
    columns = records(pd.DataFrame({"when": when, "amount": [1.5, 2.0]})).columns
    assert columns["when"] == ["2026-01-02T00:00:00", None]


def test_bytes_in_a_table_stop_only_who_reads_them():
    found = records(pd.DataFrame({"t": [b"x", b"y"], "n": [1, 2]}))
    assert found.kinds == {"n": "int"}
    assert found.columns["n"] == [1, 2]
    with pytest.raises(TypeError, match=r"column 't' cannot be read.*decode"):
        list(found.columns["t"])


@pytest.mark.parametrize("values", [pd.Categorical([1, 2]), np.array([1, 2], object)])
def test_a_column_of_other_values_is_no_text(values):
    assert not records(pd.DataFrame({"n": values})).is_text
