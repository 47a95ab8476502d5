"""Tables of every kind that a user may bring, from the prompt to the votes."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_alchemist import LLM, LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import ColumnNamesWarning, ProgramWarning
from sklearn_alchemist.synthesis import list_columns, never_crossed

TASK = {"task": "Is the patient ill?", "classes": ["healthy", "ill"], "n_programs": 1}


def asked(X, source, **params):
    """Fit a labeler whose model answers with a program; return it and the prompt."""
    prompts = []

    def answer(prompt):
        prompts.append(prompt)
        return source

    labeler = ProgramSynthesisLabeler(LLM.from_callable(answer), **{**TASK, **params})
    return labeler.fit(X), prompts[0]


def constant(columns):
    return f"def label({columns}): return 'ill'"


def test_columns_with_the_same_slug_are_told_apart():
    X = pd.DataFrame({"dose (mg)": [1, 9], "dose [mg]": [9, 1], "dose_mg": [5, 5]})
    source = "def label(dose_mg_2): return 'ill' if dose_mg_2 > 5 else 'healthy'"
    labeler, prompt = asked(X, source)
    for line in ("- dose_mg: int", "- dose_mg_2: int", "- dose_mg_3: int"):
        assert line in prompt
    assert labeler.transform(X)[:, 0].tolist() == [0, 1]


def test_columns_without_names_are_warned_of():
    with pytest.warns(ColumnNamesWarning, match="pass a DataFrame"):
        asked(np.eye(3), constant("x0"))


def test_a_column_that_is_all_missing_reaches_programs_as_none():
    X = pd.DataFrame({"age": [np.nan, np.nan], "sex": ["m", None]})
    source = (
        "def label(age, sex): return 'ill' if age is None and sex is None else None"
    )
    labeler, prompt = asked(X, source, show_data=True)
    assert "age: float, 2 of 2 missing" in prompt
    assert labeler.transform(X)[:, 0].tolist() == [-1, 1]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_dates_and_categories_are_described_and_read_as_text(frame):
    X = frame({"seen": np.array(["2024-05-01", "1999-01-01"], "datetime64[us]"),
               "ward": ["b", "a"]})  # fmt: skip
    X = (
        X.astype({"ward": "category"})
        if frame is pd.DataFrame
        else X.with_columns(pl.col("ward").cast(pl.Categorical))
    )
    source = (
        "def label(seen, ward):\n"
        "    if seen is None: return None\n"
        "    return 'ill' if seen[:4] > '2000' and ward == 'b' else 'healthy'"
    )
    labeler, prompt = asked(X, source)
    assert "- seen: str (ISO date and time)" in prompt
    assert "- ward: str" in prompt
    assert labeler.transform(X)[:, 0].tolist() == [1, 0]


@pytest.mark.slow
@pytest.mark.parametrize("show_data", [False, True])
def test_of_ten_thousand_columns_the_prompt_says_what_it_leaves_out(show_data):
    names = [f"gene_{i}" for i in range(10_000)]
    X = pd.DataFrame(np.ones((3, 10_000)), columns=names)
    labeler, prompt = asked(X, constant("gene_7"), show_data=show_data)
    assert "- gene_7: float" in prompt
    assert "more columns, from gene_" in prompt
    assert "to gene_9999; they are left out" in prompt
    assert len(prompt) < 4 * labeler.llm.request_params["max_tokens"]
    assert labeler.transform(X)[:, 0].tolist() == [1, 1, 1]


def test_columns_that_fit_are_listed_without_a_word_more():
    assert list_columns({"a": "int", "b": "str"}) == "- a: int\n- b: str"


def test_a_threshold_that_no_record_crosses_is_named():
    X = pd.DataFrame({"temperature": np.linspace(36.0, 41.0, 30)})  # Celsius
    source = "def label(temperature): return 'ill' if temperature > 100.4 else None"
    with pytest.warns(ProgramWarning, match=r"> 100.4 \(temperature is 36 to 41\)"):
        asked(X, source)


@pytest.mark.parametrize(
    ("condition", "crossed"),
    [
        ("age > 40", True),
        ("40 <= age", True),
        ("age > 150", False),
        ("-1 >= age", False),
        ("age < -5.5", False),
        ("weight > 3", True),
        ("age == 7", True),
    ],
)
def test_thresholds_are_found_either_way_round(condition, crossed):
    program = LabelingProgram("p", f"def label(age, weight): return {condition}")
    assert bool(never_crossed(program, {"age": [31, None, 64]})) != crossed


def test_ranges_are_shown_where_data_may_be():
    X = pd.DataFrame({"score": [0.0, 0.25, 1.0]})
    _, hidden = asked(X, constant("score"))
    _, shown = asked(X, constant("score"), show_data=True)
    assert "0.25" not in hidden
    assert "score: float, from 0 to 1, median 0.25" in shown
