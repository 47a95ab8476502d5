import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from sklearn_alchemist.votes import from_long, lf_summary, to_long

ANSWERS = pd.DataFrame(
    {
        "task": ["t2", "t1", "t1", "t2"],
        "worker": [7, 7, 8, 7],
        "label": ["dog", "cat", "dog", "cat"],
    }
)


def test_the_summary_has_the_columns_of_snorkel():
    votes = pd.DataFrame({"short": [0, -1, 0], "link": [-1, 1, 1]})
    plain, judged = lf_summary(votes), lf_summary(votes, [0, 1, -1])
    columns = ["j", "Polarity", "Coverage", "Overlaps", "Conflicts"]
    assert plain.columns.tolist() == columns
    assert judged.columns.tolist() == [*columns, "Correct", "Incorrect", "Emp. Acc."]
    assert judged.index.tolist() == ["short", "link"]
    assert judged.loc["link", "Polarity"] == [1]
    assert judged["Correct"].tolist() == [1, 1]
    assert judged["Incorrect"].tolist() == [0, 0]


def test_a_program_without_judged_votes_has_no_accuracy():
    assert np.isnan(lf_summary([[0, -1]], [0])["Emp. Acc."][1])
    with pytest.raises(ValueError, match="one label for each of the 1 rows"):
        lf_summary([[0, -1]], [0, 1])


@pytest.mark.parametrize("frame", [lambda f: f, pl.from_pandas])
def test_the_last_answer_of_a_worker_counts(frame):
    votes = from_long(frame(ANSWERS))
    assert votes.index.tolist() == ["t2", "t1"]
    assert votes.columns.tolist() == ["7", "8"]
    assert votes.attrs["classes"] == ["cat", "dog"]
    assert_array_equal(votes, [[0, -1], [0, 1]])


def test_classes_that_nobody_answered_shift_the_votes():
    votes = from_long(ANSWERS, classes=["ant", "cat", "dog"])
    assert_array_equal(votes, [[1, -1], [1, 2]])
    with pytest.raises(ValueError, match=r"\['dog'\], which is none of"):
        from_long(ANSWERS.iloc[[0]], classes=["ant", "cat"])


def test_missing_columns_are_named():
    with pytest.raises(ValueError, match=r"\['worker'\] are not among"):
        from_long(ANSWERS.drop(columns="worker"))


@pytest.mark.slow
@settings(deadline=None)
@given(
    hnp.arrays(
        np.int8,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6),
        elements=st.integers(-1, 3),
    )
)
def test_votes_come_back_from_lines(votes):
    classes = ["a", "b", "c", "d"]
    lines = to_long(votes, classes)
    assert len(lines) == np.count_nonzero(votes >= 0)
    back = from_long(lines, classes)
    voted = (votes >= 0).any(axis=1)
    workers = [str(j) for j in np.flatnonzero((votes >= 0).any(axis=0))]
    whole = back.reindex(columns=workers)
    expected = votes[np.ix_(voted, (votes >= 0).any(axis=0))]
    assert_array_equal(whole.sort_index().to_numpy(), expected)
