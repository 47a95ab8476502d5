"""Votes and labels go to other tools and come back as they were."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklearn_alchemist.votes import (
    from_label_studio,
    from_long,
    from_snorkel,
    label_studio_config,
    read_votes,
    to_label_studio,
    to_snorkel,
    write_votes,
)

CLASSES = ['a, "b"', "NA", "spam", "é\n"]
VOTES = arrays(np.int8, (5, 3), elements=st.integers(-1, 3))


# ------------------------------------------------------------------------- csv ----


@settings(max_examples=30)
@given(VOTES)
def test_votes_survive_a_file(tmp_path_factory, votes):
    path = tmp_path_factory.mktemp("votes") / "L.csv"
    write_votes(path, votes, CLASSES, names=["one", "two,", "three"])
    table = read_votes(path, CLASSES)
    np.testing.assert_array_equal(table, votes)
    assert table.columns.tolist() == ["one", "two,", "three"]
    assert table.attrs["classes"] == sorted(CLASSES)


@pytest.mark.parametrize("classes", [[-1, 0, 7], [False, True], ["01", "1"]])
def test_numbers_are_numbers_again(tmp_path, classes):
    write_votes(tmp_path / "L.csv", [[0, 1], [-1, 0]], classes)
    table = read_votes(tmp_path / "L.csv", classes)
    assert table.to_numpy().tolist() == [[0, 1], [-1, 0]]
    assert table.attrs["classes"] == classes


def test_a_file_of_others_is_read_by_its_words(tmp_path):
    (tmp_path / "L.csv").write_text("\ufefftask,ann,bob\r\nt1,spam,\r\nt2,ham,spam\r\n")
    table = read_votes(tmp_path / "L.csv")
    assert table.loc["t1"].tolist() == [1, -1]
    assert table.attrs["classes"] == ["ham", "spam"]


def test_a_file_that_holds_no_votes_is_named(tmp_path):
    (tmp_path / "L.csv").write_text("a,b\nspam,ham\nspam\n")
    with pytest.raises(ValueError, match=r"L\.csv', line 3: 1 cells, where 2"):
        read_votes(tmp_path / "L.csv")
    (tmp_path / "L.csv").write_text("a,b\nspam,hma\n")
    with pytest.raises(ValueError, match="'hma'"):
        read_votes(tmp_path / "L.csv", ["ham", "spam"])


# --------------------------------------------------------------------- snorkel ----


@given(VOTES, st.permutations([0, 1, 2, 3]))
def test_the_numbers_of_snorkel_are_another_order(votes, order):
    there = to_snorkel(votes, order)
    assert there.dtype == np.int64
    np.testing.assert_array_equal(from_snorkel(there, order), votes)
    voting = votes != -1
    np.testing.assert_array_equal(np.array(order)[there[voting]], votes[voting])


@pytest.mark.parametrize(
    ("L", "message"), [([[0.5]], "integer"), ([[2]], "no class"), ([[-2]], "-2|below")]
)
def test_what_is_no_vote_is_refused(L, message):
    with pytest.raises(ValueError, match=message):
        from_snorkel(L, ["spam", "ham"])


# ---------------------------------------------------------------- label studio ----

TEXTS = ["free!", "hi </script>", "song"]


def annotated(task, label, *, by=1, **more):
    """Answer a task as Label Studio exports it."""
    result = {**task["predictions"][0]["result"][0], "id": "r", "origin": "manual"}
    result["value"] = {"choices": [label]}
    annotation = {"id": 7, "completed_by": by, "result": [result], **more}
    return {"id": 100, **task, "annotations": [annotation]}


def test_labels_and_votes_are_predictions_and_come_back():
    votes = pd.DataFrame([[0, -1], [1, 1], [-1, -1]], columns=["link", "song"])
    tasks = json.loads(
        json.dumps(
            to_label_studio(
                TEXTS,
                np.array(["spam", "ham", "ham"]),
                confidence=np.array([0.9, 0.5, np.nan]),
                votes=votes,
                classes=["spam", "ham"],
            )
        )
    )
    assert [p["model_version"] for p in tasks[0]["predictions"]] == [
        "sklearn_alchemist", "link",
    ]  # fmt: skip
    assert [t["predictions"][0].get("score") for t in tasks] == [0.9, 0.5, None]
    answers = from_label_studio(tasks, predictions=True)
    table = from_long(answers[answers.worker != "sklearn_alchemist"])
    assert table.loc[[0, 1]].to_numpy().tolist() == [[0, -1], [1, 1]]
    assert from_label_studio(tasks).empty


def test_answers_of_people_are_read_and_what_was_skipped_is_not(tmp_path):
    tasks = to_label_studio(TEXTS, ["spam"] * 3, rows=[10, 20, 30])
    export = [
        annotated(tasks[0], "ham", by={"id": 3, "email": "ann@example.org"}),
        annotated(tasks[1], "ham", was_cancelled=True),
        annotated(tasks[2], "spam", by=3),
    ]
    (tmp_path / "export.json").write_text(json.dumps(export))
    answers = from_label_studio(tmp_path / "export.json")
    assert answers.to_numpy().tolist() == [
        [10, "ann@example.org", "ham"], [30, "3", "spam"],
    ]  # fmt: skip


def test_gold_goes_along_and_classes_are_numbers_again():
    tasks = to_label_studio(TEXTS, gold=[1, None, 2])
    answers = from_label_studio(tasks, classes=[1, 2])
    assert answers.label.tolist() == [1, 2]
    with pytest.raises(ValueError, match="task 2 holds '2', which is none of"):
        from_label_studio(tasks, classes=[0, 1])


def test_the_minimal_json_and_csv_are_read(tmp_path):
    lines = [
        {"text": "a", "row": 4, "id": 1, "answer": "spam", "annotator": 1,
         "annotation_id": 9},
        # Nobody answered: what is there was in the data.
        {"text": "b", "row": 5, "id": 2, "answer": "gold"},
    ]  # fmt: skip
    (tmp_path / "min.json").write_text(json.dumps(lines))
    pd.DataFrame(lines).to_csv(tmp_path / "export.csv", index=False)
    pd.DataFrame(lines).to_csv(tmp_path / "export.tsv", index=False, sep="\t")
    for name in ("min.json", "export.csv", "export.tsv"):
        answers = from_label_studio(tmp_path / name, control="answer")
        assert answers.task.tolist() == [4]
        assert answers.label.tolist() == ["spam"]
    with pytest.raises(ValueError, match="name it as control"):
        from_label_studio(tmp_path / "min.json")


def test_a_table_becomes_fields_of_the_data():
    table = pd.DataFrame({"size": [1.5, np.nan], "when": pd.to_datetime(["2024"] * 2)})
    tasks = json.loads(json.dumps(to_label_studio(table, ["a", None]), allow_nan=False))
    assert tasks[1]["data"]["size"] is None
    assert "predictions" not in tasks[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"control": "text"}, "overwrite"),
        ({"control": "row"}, "overwrite"),
        ({"labels": ["a"]}, "labels has 1 values for 3"),
        ({"votes": [[0]] * 3}, "pass these"),
        ({"votes": [[5]] * 3, "classes": ["a", "b"]}, "positions in"),
    ],
)
def test_what_does_not_fit_is_said(options, message):
    with pytest.raises(ValueError, match=message):
        to_label_studio(TEXTS, **options)


def test_several_choices_or_questions_are_told():
    (task,) = to_label_studio(["x"], gold=["a"])
    (annotation,) = task["annotations"]
    annotation["result"][0]["value"]["choices"] = ["a", "b"]
    with pytest.raises(ValueError, match="for task 0, 2 classes are chosen"):
        from_label_studio([task])
    annotation["result"].append({**annotation["result"][0], "from_name": "other"})
    with pytest.raises(ValueError, match="several questions"):
        from_label_studio([task])


def test_the_interface_shows_classes_as_they_are():
    config = ET.fromstring(label_studio_config(['<b> "x" & y', "spam"]))
    assert [c.get("value") for c in config.iter("Choice")] == ['<b> "x" & y', "spam"]
