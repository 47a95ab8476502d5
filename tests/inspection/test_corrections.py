"""What an expert answers comes back as what `fit` takes, or a message says why not."""

import json
import pickle
import threading

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import AnnotationReport, read_corrections

TEXTS = ["http one", "song two", "http song", "other", "http free", "my song"]


def make_report(classes=("ham", "spam"), texts=TEXTS, sources=None, **params):
    sources = sources or [f"def label(text): return {name!r}" for name in classes]
    programs = [LabelingProgram(f"p{j}", source) for j, source in enumerate(sources)]
    labeler = ProgramSynthesisLabeler(classes=classes, programs=programs, **params)
    return AnnotationReport(labeler.fit(texts), texts, max_marked=0)


@pytest.fixture(scope="module")
def report():
    return make_report()


@pytest.fixture
def path(report, tmp_path):
    path = tmp_path / "corrections.json"
    report.write_corrections(
        path,
        labels={4: "spam", 1: "ham"},
        switched_off=["p0"],
        remarks={"p1": "too broad"},
    )
    return path


def edit(path, change):
    answer = json.loads(path.read_text())
    change(answer)
    path.write_text(json.dumps(answer))


def test_they_are_what_fit_takes(path):
    corrections = read_corrections(path)
    positions, y, programs = corrections
    assert positions.tolist() == [1, 4]
    assert y.tolist() == [None, "ham", None, None, "spam", None]
    assert [program.name for program in programs] == ["p1"]
    assert corrections.switched_off == ("p0",)
    assert corrections.remarks == {"p1": "too broad"}


def test_they_round_trip_into_fit(tmp_path):
    sources = [
        "def label(text): return 'spam' if 'http' in text else 'ham'",
        "def label(text): return 'ham' if 'song' in text else 'spam'",
        "def label(text): return 'spam' if 'song' in text else None",
    ]
    report = make_report(sources=sources)
    report.write_corrections(
        tmp_path / "c.json", labels={0: "spam", 3: "ham"}, switched_off=["p2"]
    )
    _, y, programs = read_corrections(tmp_path / "c.json", report=report)
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs)
    annotator = DistilledAnnotator(labeler, learn_from_labels=True)
    fitted = clone(annotator).fit(TEXTS, y, label_proba=np.nan)
    assert fitted.label_use_["student"] == 2
    assert [p.name for p in fitted.labeler_.programs_] == ["p0", "p1"]


def test_programs_keep_how_their_answers_are_read(tmp_path):
    texts = ["a", "b"]
    program = LabelingProgram(
        "indexed",
        "def f(text): return 1\ndef helper(): return 0",
        entry_point="f",
        returns="index",
        class_order=("spam", "ham"),
    )
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[program])
    report = AnnotationReport(labeler.fit(texts), texts)
    report.write_corrections(tmp_path / "c.json")
    assert read_corrections(tmp_path / "c.json").programs == labeler.programs_


@pytest.mark.parametrize(
    "classes",
    [
        [False, True],
        [3, 2**60 + 1],
        [0.5, 1.0],
        [-1, 1],
        ["-1", "nan"],
        ["<b>", "\u2028 \ud83d"],
        list(range(200)),
    ],
    ids=["bool", "large", "float", "minus one", "missing", "hostile", "many"],
)
def test_classes_of_any_kind_come_back_as_they_are(classes, tmp_path):
    sources = [f"def label(text): return {classes[0]!r}"]
    report = make_report(classes, sources=sources)
    report.write_corrections(tmp_path / "c.json", labels=dict(enumerate(classes[:2])))
    y = read_corrections(tmp_path / "c.json").y
    assert y[:2].tolist() == classes[:2]
    assert list(map(type, y[:2])) == list(map(type, classes[:2]))
    # What JavaScript makes of the file: numbers as it writes them.
    assert not any(
        isinstance(name, float | bool)
        for name in json.loads((tmp_path / "c.json").read_text())["report"]["classes"]
    )


def test_another_report_is_told_apart(path, report):
    read_corrections(path, report=report)
    for other in (
        make_report(texts=TEXTS[::-1]),
        make_report(classes=("ham", "spam", "eggs"), sources=None),
        make_report(sources=["def label(text): return 'ham'"] * 1),
    ):
        with pytest.raises(ValueError, match=r"corrections\.json' belongs to another"):
            read_corrections(path, report=other)


def test_all_that_is_wrong_is_said_at_once(path):
    def change(answer):
        answer["labels"] = [
            {"position": 0, "label": "eggs"},
            {"position": 6, "label": "ham"},
            {"position": 2, "label": "ham"},
            {"position": 2, "label": "spam"},
        ]
        answer["programs"] = [{"name": "p9", "use": False}]

    edit(path, change)
    with pytest.raises(ValueError, match="cannot be used") as caught:
        read_corrections(path)
    for part in (
        "'eggs' of record 0 is none of the classes ham, spam",
        "position 6 is outside of the 6 records",
        "record 2 has two labels, 'ham' and 'spam'",
        "'p9' is none of the programs p0, p1",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize("position", ["1", 1.5, None, True, -1, [1]])
def test_positions_are_integers(path, position):
    edit(path, lambda a: a.update(labels=[{"position": position, "label": "ham"}]))
    with pytest.raises(ValueError, match="position"):
        read_corrections(path)


@pytest.mark.parametrize("name", [None, ["p0"], 3])
def test_programs_have_names(path, name):
    edit(path, lambda a: a.update(programs=[{"name": name}]))
    with pytest.raises(ValueError, match="none of the programs"):
        read_corrections(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a["report"].update(classes=["spam", "ham"]),
        lambda a: a["report"].update(n_samples=7),
        lambda a: a["report"]["programs"][0].update(source="def label(text): return 1"),
    ],
)
def test_what_the_report_said_cannot_be_changed(path, change):
    edit(path, change)
    with pytest.raises(ValueError, match="was altered"):
        read_corrections(path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", "[" * 100_000, '{"format": "other"}', "\x00"],
    ids=range(8),
)
def test_other_files_are_no_corrections(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other\.json' holds no corrections"):
        read_corrections(path)


@pytest.mark.parametrize("missing", ["report", "labels", "programs"])
def test_parts_that_are_missing_are_no_corrections(path, missing):
    edit(path, lambda answer: answer.pop(missing))
    with pytest.raises(ValueError, match="holds no corrections"):
        read_corrections(path)


def test_there_must_be_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        read_corrections(tmp_path / "none.json")


@pytest.mark.filterwarnings("ignore:sandbox=None")
def test_functions_of_this_process_come_from_the_report(tmp_path):
    lock = threading.Lock()  # no file can hold it

    def locked(text):
        with lock:
            return "spam" if "http" in text else "ham"

    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[locked], sandbox=None
    )
    report = AnnotationReport(labeler.fit(TEXTS), TEXTS)
    path = tmp_path / "corrections.json"
    report.write_corrections(path, labels={0: "ham"})
    assert read_corrections(path, report=report).programs == report.programs
    with pytest.raises(ValueError, match=r"'locked', .* pass the report"):
        read_corrections(path)


def test_only_programs_and_classes_can_be_written(report, tmp_path):
    with pytest.raises(ValueError, match="none of the classes"):
        report.write_corrections(tmp_path / "c.json", labels={0: "eggs"})
    with pytest.raises(ValueError, match="none of the programs"):
        report.write_corrections(tmp_path / "c.json", switched_off=["p7"])


def test_corrections_are_pickled_whole(path):
    corrections = read_corrections(path)
    again = pickle.loads(pickle.dumps(corrections))
    assert again.remarks == corrections.remarks
    assert repr(again) == (
        "<Corrections: 2 of 6 records labelled, 1 programs kept, 1 switched off, "
        "1 remarked on>"
    )
