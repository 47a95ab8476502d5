"""Models that embed are made once a process, and texts encoded once a fit."""

import pickle
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_alchemist import (
    DistilledAnnotator,
    ImageEmbedder,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist._utils import made_once
from sklearn_alchemist.distillation import SentenceEncoder, encoder_student

PROGRAMS = [
    LabelingProgram("a", "def label(text): return 'spam' if 'http' in text else 'ham'"),
    LabelingProgram("b", "def label(text): return 'ham' if 'song' in text else None"),
]
TEXTS = [f"http a {i}" if i % 2 else f"song b {i}" for i in range(60)] * 2


class Counting:
    def __init__(self, seen=None):
        self.seen = [] if seen is None else seen

    def encode(self, texts):
        self.seen += texts
        return np.array([[len(t), t.count("a"), t.count("http")] for t in texts], float)

    def __deepcopy__(self, memo):
        raise AssertionError("a model is not copied")


def annotator(student):
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=PROGRAMS)
    return DistilledAnnotator(labeler, estimator=student)


@pytest.mark.parametrize(
    "wrap",
    [
        encoder_student,
        lambda e: CalibratedClassifierCV(encoder_student(e)),
        lambda e: make_pipeline(
            make_pipeline(SentenceEncoder(e)), LogisticRegression()
        ),
    ],
    ids=["student", "calibrated", "nested"],
)
# Without weights of rows, a calibrated pipeline learns nothing from soft labels.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*does not appear to accept sample_weight")
@pytest.mark.filterwarnings("ignore:.*the votes answer alone")
@pytest.mark.parametrize("as_factory", [True, False])
def test_each_text_is_encoded_once_in_a_fit(wrap, as_factory):
    model, made = Counting(), []

    def make():
        made.append(1)
        return model

    fitted = annotator(wrap(make if as_factory else model)).fit(TEXTS)
    assert sorted(model.seen) == sorted(set(TEXTS))
    assert len(made) == as_factory
    fitted.predict(["http new"])
    assert model.seen[-1] == "http new"


def test_nothing_is_remembered_after_a_fit():
    model = Counting()
    fitted = annotator(encoder_student(model)).fit(TEXTS)
    fitted.predict(TEXTS[:1])
    assert len(model.seen) == len(set(TEXTS)) + 1


@pytest.mark.slow
def test_images_are_embedded_once_in_a_fit(tmp_path):
    from PIL import Image

    paths = []
    for i in range(40):
        paths.append(str(tmp_path / f"http{i}.png" if i % 2 else tmp_path / f"{i}.png"))
        Image.new("RGB", (2, 2), (i, 0, 200 * (i % 2))).save(paths[-1])
    seen = []

    class Colours:
        def encode(self, images):
            seen.extend(images)
            return [np.asarray(image).mean(axis=(0, 1)) for image in images]

    student = make_pipeline(ImageEmbedder(Colours()), LogisticRegression())
    programs = [
        LabelingProgram("a", "def label(p): return 'b' if 'http' in p else 'a'"),
        LabelingProgram("b", "def label(p): return 'a' if '4' in p else None"),
    ]
    labeler = ProgramSynthesisLabeler(classes=["a", "b"], programs=programs)
    DistilledAnnotator(labeler, estimator=student).fit(paths)
    assert len(seen) == len(paths)


MADE = []
MODEL = "first"


def make_it():
    MADE.append(MODEL)
    return Counting([])


def test_a_model_is_made_once_in_a_process_for_all_copies():
    encoder = SentenceEncoder(make_it)
    for copied in (encoder, clone(encoder), pickle.loads(pickle.dumps(encoder))):
        copied.fit(TEXTS).transform(["a"])
    assert MADE == ["first"]


def test_what_would_make_another_model_is_called_again(monkeypatch):
    def make(name, size=3):
        return [name, size]

    one = made_once(partial(make, "a"))
    assert made_once(partial(make, "a")) is one
    assert made_once(partial(make, "b")) == ["b", 3]
    assert made_once(partial(make, "a", size=4)) == ["a", 4]
    assert [made_once(lambda name=name: [name]) for name in "ab"] == [["a"], ["b"]]

    def closed(name):
        return lambda: [name]

    assert [made_once(closed(name)) for name in "aba"] == [["a"], ["b"], ["a"]]
    first = made_once(make_it)
    monkeypatch.setitem(make_it.__globals__, "MODEL", "second")
    assert made_once(make_it) is not first


def test_a_model_that_gives_no_row_a_text_is_an_error():
    class Broken:
        def encode(self, texts):
            return np.ones(3)

    with pytest.raises(ValueError, match="one row for each of 1 texts"):
        SentenceEncoder(Broken()).transform(["a"])
