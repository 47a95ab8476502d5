import copy
import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chat_server import Reply
from image_parts import BLUE, GREEN, RED, MeanColour, plain
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from sklearn_alchemist import (
    LLM,
    ConceptScorer,
    DistilledAnnotator,
    ImageEmbedder,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.exceptions import (
    BudgetError,
    ColumnNamesWarning,
    ImageWarning,
    SynthesisError,
)
from sklearn_alchemist.images import Concept
from sklearn_alchemist.images._concept_prompts import read_concepts
from sklearn_alchemist.inspection import explain

Image = pytest.importorskip("PIL.Image")

IMAGES = [plain(RED), plain(GREEN), plain(BLUE), plain(RED)]
CLASSES = ["fire", "water"]


def entry(name, of, *texts, spurious=False):
    return {
        "name": name, "class": of, "descriptions": [*texts] or [name],
        "spurious": spurious,
    }  # fmt: skip


ANSWER = json.dumps(
    {
        "concepts": [
            entry("dark ground", "water", "green field", spurious=True),
            entry("hot red", "fire", "a red flame", "red embers"),
            entry("cool blue", "water", "blue waves"),
        ]
    }
)


def scorer(llm=None, **params):
    params = {"embedder": MeanColour(), "input": "image", **params}
    if llm is not None:
        params = {"task": "Fire or water?", "classes": CLASSES, **params}
    return ConceptScorer(llm, **params)


def llm_of(server, **params):
    return LLM("openai/test", api_base=server.api_base, **params)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")


@pytest.fixture
def paths(tmp_path):
    names = [str(tmp_path / f"{i}.png") for i in range(len(IMAGES))]
    for name, pixels in zip(names, IMAGES, strict=True):
        Image.fromarray(pixels).save(name)
    return names


# Concepts of the user


def test_scores_are_a_table_with_a_column_a_concept():
    table = scorer(concepts=["red", "deep blue"]).set_output(transform="pandas")
    scores = table.fit_transform(IMAGES)
    assert list(scores.columns) == ["red", "deep_blue"]
    np.testing.assert_allclose(scores["red"], [1, 0, 0, 1], atol=0.1)
    np.testing.assert_allclose(scores["deep_blue"], [0, 0, 1, 0], atol=0.1)


def test_scores_lie_between_0_and_1_on_new_images_as_well():
    fitted = scorer(concepts=["red", "blue"]).fit(IMAGES[:2])
    scores = fitted.transform([plain(BLUE), plain((255, 0, 0)), plain((9, 9, 9))])
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_cosine_and_softmax_are_what_they_are_called():
    cosine = scorer(concepts=["red", "blue"], score="cosine").fit_transform(IMAGES)
    image = MeanColour().encode(IMAGES[:1])[0]
    text = MeanColour().encode(["red"])[0]
    expected = image @ text / np.linalg.norm(image) / np.linalg.norm(text)
    assert cosine[0, 0] == pytest.approx(expected, abs=1e-6)
    shares = scorer(concepts=["red", "blue"], score="softmax").fit_transform(IMAGES)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_array_equal(shares.argmax(axis=1), cosine.argmax(axis=1))


def test_paths_images_and_embeddings_give_the_same_scores(paths):
    concepts = {"red": ["red"], "blue": "a blue thing"}
    as_images = scorer(concepts=concepts).fit_transform(IMAGES)
    embedded = MeanColour().encode([np.float32(image) for image in IMAGES])
    for given, form in [
        (paths, "path"),
        (np.array(paths), "path"),
        (pd.Series(paths), "path"),
        (pd.DataFrame({"file": paths}), "path"),
        ([Image.open(path) for path in paths], "image"),
        (np.stack(IMAGES), "image"),
        (embedded, "embedding"),
    ]:
        scores = scorer(concepts=concepts, input=form).fit_transform(given)
        np.testing.assert_allclose(scores, as_images, atol=1e-6)


def test_templates_and_descriptions_are_averaged():
    one = scorer(concepts={"c": ["red"]}, templates=["{}"]).fit(IMAGES)
    two = scorer(concepts={"c": ["red", "blue"]}, templates=["{}", "a {}"]).fit(IMAGES)
    assert one.concept_embeddings_[0, 0] > 0.9
    assert two.concept_embeddings_[0, 0] == pytest.approx(two.concept_embeddings_[0, 2])
    assert np.linalg.norm(two.concept_embeddings_) == pytest.approx(1)


def test_batches_do_not_change_scores():
    whole = scorer(concepts=["red"]).fit_transform(IMAGES)
    single = scorer(concepts=["red"], batch_size=1).fit_transform(IMAGES)
    np.testing.assert_array_equal(whole, single)


def test_images_are_embedded_once_in_fit_transform_and_never_with_a_cache(tmp_path):
    embedder = MeanColour()
    cache = tmp_path / "cache.sqlite"

    def same():
        return copy.deepcopy(embedder)  # a state of its own is a model of its own

    first = scorer(concepts=["red"], embedder=same, cache=cache)
    scores = first.fit_transform(IMAGES)
    again = scorer(concepts=["red"], embedder=same, cache=cache)
    np.testing.assert_array_equal(again.fit(IMAGES).transform(IMAGES), scores)
    counting = scorer(concepts=["red"], embedder=embedder).fit(IMAGES)
    assert counting.embedder.n_images == len(IMAGES)


def test_a_fitted_scorer_pickles_and_clones():
    fitted = scorer(concepts=["red"]).fit(IMAGES)
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copied.transform(IMAGES), fitted.transform(IMAGES))
    assert not hasattr(clone(fitted), "concepts_")


def test_progress_is_reported_by_callbacks():
    pytest.importorskip("rich")
    scorer(concepts=["red"], batch_size=1).set_callbacks(ProgressBar()).fit(IMAGES)


@pytest.mark.parametrize(
    ("concepts", "error", "message"),
    [
        ([], ValueError, "concepts is empty"),
        ({}, ValueError, "concepts is empty"),
        (["red", "red"], ValueError, "the same column, 'red'"),
        (["deep red", "deep-red"], ValueError, "the same column, 'deep_red'"),
        ([" "], ValueError, "blank"),
        ([3], TypeError, "must be str"),
        ({"red": [""]}, ValueError, "blank"),
        ({"red": [3]}, TypeError, "must be str"),
    ],
)
def test_concepts_that_cannot_be_used_say_why(concepts, error, message):
    with pytest.raises(error, match=message):
        scorer(concepts=concepts).fit(IMAGES)


@pytest.mark.parametrize("templates", [[], ["no place"], [3]])
def test_templates_need_a_place_for_the_description(templates):
    with pytest.raises(ValueError, match="template"):
        scorer(concepts=["red"], templates=templates).fit(IMAGES)


def test_spurious_concepts_are_called_so():
    concepts = [Concept("red"), Concept("green field", spurious=True)]
    fitted = scorer(concepts=concepts).fit(IMAGES)
    assert fitted.get_feature_names_out().tolist() == ["red", "spurious_green_field"]
    assert "spurious_" in fitted.describe_scores()
    assert "spurious_" not in scorer(concepts=["red"]).describe_scores()


# Images that cannot be used


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, "0 sample"),
        ("one.png", ValueError, "single str"),
        (["missing.png"], FileNotFoundError, "cannot be opened"),
        ([3.5], TypeError, "not str or Path"),
        (np.zeros((2, 2)), TypeError, "not str or Path"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), ValueError, "2 columns"),
    ],
)
def test_paths_that_cannot_be_used_say_why(X, error, message):
    with pytest.raises(error, match=message):
        scorer(concepts=["red"], input="path").fit(X)


def test_what_is_no_image_says_why():
    with pytest.raises(TypeError, match="neither a PIL image nor an array"):
        scorer(concepts=["red"]).fit(["a.png"])


def test_a_broken_image_is_an_error_with_its_place(paths):
    Path(paths[2]).write_text("broken")
    with pytest.raises(ValueError, match=r"position 2, .*on_broken='nan'"):
        scorer(concepts=["red"], input="path").fit(paths)


def test_an_image_that_breaks_when_it_is_decoded_is_an_error_with_its_place(paths):
    path = Path(paths[1])
    Image.fromarray(plain(RED, (64, 64))).save(path, "bmp")
    path.write_bytes(path.read_bytes()[:500])
    images = [Image.open(path) for path in paths]
    with pytest.raises(ValueError, match="position 1: it cannot be decoded"):
        scorer(concepts=["red"]).fit(images)


def test_a_broken_image_is_nan_where_that_is_wanted(paths, tmp_path):
    Path(paths[2]).write_text("broken")
    paths += ["missing.png", str(tmp_path)]
    tolerant = scorer(
        concepts=["red"], input="path", on_broken="nan", cache=tmp_path / "c.sqlite"
    )
    with pytest.warns(ImageWarning, match=r"3 of 6 images cannot be read.*position 2"):
        scores = tolerant.fit_transform(paths)
    assert np.isnan(scores[:, 0]).tolist() == [False, False, True, False, True, True]


@pytest.mark.parametrize("broken", ["missing.png", None, float("nan"), "/dev/zero"])
def test_a_broken_image_alone_is_nan_too(paths, broken):
    fitted = scorer(concepts=["red"], input="path", on_broken="nan").fit(paths)
    embedder = ImageEmbedder(MeanColour(), on_broken="nan").fit(paths)
    with pytest.warns(ImageWarning, match="1 of 1 images cannot be read"):
        assert np.isnan(fitted.transform([broken])).tolist() == [[True]]
    with pytest.warns(ImageWarning, match="1 of 1 images cannot be read"):
        assert np.isnan(embedder.transform([broken])).tolist() == [[True] * 3]


def test_if_no_image_can_be_read_it_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="none of 1 images can be read"):
        scorer(concepts=["red"], input="path", on_broken="nan").fit([str(tmp_path)])


# Embedders that cannot be used


class Broken:
    def __init__(self, texts, images):
        self.texts, self.images = texts, images

    def encode(self, inputs):
        row = self.texts if isinstance(inputs[0], str) else self.images
        if row is None:
            raise TypeError("cannot read that")
        return [row] * len(inputs)


@pytest.mark.parametrize(
    ("texts", "images", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0], "3 dimensions and texts of 2"),
        (None, [1.0], "cannot embed texts"),
        ([1.0], None, "cannot embed images"),
        ([1.0, 0.0], [np.nan, 0.0], "NaN or infinity for images"),
        ([0.0, 0.0], [1.0, 0.0], "vector of zeros"),
    ],
)
def test_embedders_that_cannot_be_used_say_why(texts, images, message):
    with pytest.raises(ValueError, match=message):
        scorer(concepts=["red"], embedder=Broken(texts, images)).fit(IMAGES)


def test_embeddings_must_have_the_dimensions_of_the_texts():
    with pytest.raises(ValueError, match="5 dimensions and texts of 3"):
        scorer(concepts=["red"], input="embedding").fit(np.ones((4, 5)))
    fitted = scorer(concepts=["red"], input="embedding").fit(np.ones((4, 3)))
    with pytest.raises(ValueError, match="5 features"):
        fitted.transform(np.ones((4, 5)))


def test_without_sentence_transformers_a_name_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match=r"sklearn-alchemist\[images\]"):
        scorer(concepts=["red"], embedder="clip-never-loaded").fit(IMAGES)


# Concepts of a language model


def test_a_model_names_concepts_once(server):
    server.script = [ANSWER]
    fitted = scorer(llm_of(server), n_spurious=1).fit(IMAGES)
    names = ["hot_red", "cool_blue", "spurious_dark_ground"]
    assert fitted.get_feature_names_out().tolist() == names
    assert fitted.concepts_[0].speaks_for == "fire"
    assert fitted.concepts_[0].phrases == ("a red flame", "red embers")
    assert fitted.usage_.paid.calls == 1
    clone(fitted).fit(IMAGES[::-1])
    assert len(server.requests) == 1


def test_no_image_is_told_to_the_model(server):
    server.script = [ANSWER]
    scorer(llm_of(server)).fit(IMAGES)
    (request,) = server.requests
    text = json.dumps(request["messages"])
    assert "Fire or water?" in text
    assert "Name besides" not in text


@pytest.mark.parametrize(
    "bad",
    [
        "Sorry, I cannot see the images.",
        '{"concepts": []}',
        '{"concepts": [{"name": "x"',
        json.dumps({"concepts": [entry("hot red", "fire", "red")]}),
        json.dumps({"concepts": [entry("ice", "snow", "red")]}),
        json.dumps({"concepts": [{"name": "red", "class": "fire"}]}),
        json.dumps({"concepts": ["red"]}),
    ],
)
def test_an_answer_that_cannot_be_used_is_mended(server, bad):
    server.script = [bad, ANSWER]
    fitted = scorer(llm_of(server)).fit(IMAGES)
    assert len(fitted.concepts_) == 3
    assert fitted.usage_.paid.calls == len(fitted.conversation_) == 2
    assert server.requests[1]["messages"][-1]["content"].startswith("That cannot")


def test_answers_that_cannot_be_mended_are_an_error_and_are_kept(server):
    server.answer = lambda request: Reply("no JSON")
    asking = scorer(llm_of(server), max_repairs=1)
    with pytest.raises(SynthesisError, match=r"none of 2 answers.*holds no JSON"):
        asking.fit(IMAGES)
    assert asking.usage_.paid.calls == 2
    with pytest.raises(SynthesisError):
        clone(asking).fit(IMAGES)
    assert len(server.requests) == 2


def test_a_cap_holds_for_repairs_as_well(server):
    server.answer = lambda request: Reply("no JSON")
    with pytest.raises(BudgetError, match="max_calls"):
        scorer(llm_of(server, max_calls=1), max_repairs=5).fit(IMAGES)
    assert len(server.requests) == 1


def test_what_can_fail_for_free_fails_before_the_model_is_asked(server, paths):
    llm = llm_of(server)
    for broken, X in [
        (scorer(llm, embedder=Broken([1.0], [1.0, 2.0])), IMAGES),
        (scorer(llm, input="path"), [*paths, "missing.png"]),
        (scorer(llm, task=" "), IMAGES),
        (scorer(llm, classes=["one"]), IMAGES),
        (scorer(llm, templates=["none"]), IMAGES),
    ]:
        with pytest.raises((ValueError, FileNotFoundError)):
            broken.fit(X)
    assert not server.requests


def test_without_a_model_and_concepts_there_is_nothing_to_score():
    with pytest.raises(ValueError, match="nothing to score"):
        scorer().fit(IMAGES)


def test_y_names_the_classes_where_the_user_does_not(server):
    server.script = [ANSWER]
    fitted = scorer(llm_of(server), classes=None)
    with pytest.raises(ValueError, match="requires y"):
        fitted.fit(IMAGES)
    fitted.fit(IMAGES, ["fire", "water", "water", "fire"])
    assert "'fire'" in server.requests[0]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "wrapped",
    [
        ANSWER,
        f"```json\n{ANSWER}\n```",
        f"<think>[{{not this}}]</think>Here they are:\n{ANSWER}\nGood luck!",
        json.dumps(json.loads(ANSWER)["concepts"]),
    ],
)
def test_the_json_is_found_in_an_answer(wrapped):
    assert len(read_concepts(wrapped, CLASSES)) == 3


def test_concepts_with_the_same_column_are_taken_once(server):
    entries = json.loads(ANSWER)["concepts"]
    server.script = [json.dumps([*entries, entry("Hot-red", "fire", "ash")])]
    fitted = scorer(llm_of(server)).fit(IMAGES)
    assert len(fitted.concepts_) == 4
    server.script = [json.dumps([*entries, entry("hot-red", "fire", "ash")])]
    fitted = scorer(llm_of(server), task="Another?").fit(IMAGES)
    assert len(fitted.concepts_) == 3


def test_a_spurious_concept_needs_no_class():
    shade = entry("shade", None, "dark corners", spurious=True)
    answer = json.dumps([*json.loads(ANSWER)["concepts"], shade])
    assert read_concepts(answer, CLASSES)[-1].speaks_for is None


def test_classes_are_found_however_they_are_spelled():
    answer = json.dumps(
        [
            entry("light", "TRUE", "a"),
            entry("dark", "False", "b"),
        ]
    )
    concepts = read_concepts(answer, [False, True])
    assert [(c.name, c.speaks_for) for c in concepts] == [
        ("light", True), ("dark", False)
    ]  # fmt: skip


# With the rest of the package

PROGRAMS = [
    "def label(hot_red, cool_blue): return 'fire' if hot_red > cool_blue else 'water'",
    "def label(hot_red): return 'fire' if hot_red > 0.5 else None",
    "def label(cool_blue): return 'water' if cool_blue > 0.5 else None",
]


def many_images(n=60):
    rng = np.random.default_rng(0)
    y = np.where(np.arange(n) % 2, "water", "fire")
    images = [
        (plain(RED if label == "fire" else BLUE) * rng.uniform(0.6, 1)).astype(np.uint8)
        for label in y
    ]
    return images, y


def test_programs_read_scores_in_a_pipeline_up_to_labels(server):
    images, y = many_images()
    server.script = [ANSWER]
    programs = [LabelingProgram(f"p{i}", s) for i, s in enumerate(PROGRAMS)]
    pipeline = make_pipeline(
        scorer(llm_of(server)).set_output(transform="pandas"),
        ProgramSynthesisLabeler(classes=CLASSES, programs=programs),
        LabelModelAggregator(classes=CLASSES),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert (pipeline.fit(images).predict(images) == y).all()
        told = explain(pipeline, images[0])
    assert (told.label, told.decided_by) == (y[0], "votes")
    assert any(part.matches for part in told.programs)


@pytest.mark.slow
def test_a_student_learns_from_embeddings_while_programs_read_scores(tmp_path, server):
    images, y = many_images()
    paths = [str(tmp_path / f"{i}.png") for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    server.script = [ANSWER]
    cache = tmp_path / "cache.sqlite"
    programs = [LabelingProgram(f"p{i}", s) for i, s in enumerate(PROGRAMS)]
    first = scorer(llm_of(server), input="path", embedder=MeanColour, cache=cache)
    labeler = make_pipeline(
        first.set_output(transform="pandas"),
        ProgramSynthesisLabeler(classes=CLASSES, programs=programs),
    )
    student = make_pipeline(
        ImageEmbedder(MeanColour, cache=cache), LogisticRegression(C=100)
    )
    annotator = DistilledAnnotator(labeler, estimator=student).fit(paths)
    assert (annotator.predict(paths) == y).mean() > 0.95
    assert annotator.estimator_[-1].n_features_in_ == 3
    assert explain(annotator, tmp_path / "0.png").label == annotator.predict(paths)[0]
    votes = annotator.set_params(predict_with="votes").predict(paths)
    assert (votes == y).mean() > 0.95


def test_whoever_has_embeddings_gives_them_to_programs_and_student_alike():
    images, y = many_images()
    X = MeanColour().encode(images)
    programs = [
        LabelingProgram("p0", "def label(red): return 'fire' if red > 0.5 else None"),
        LabelingProgram(
            "p1", "def label(blue): return 'water' if blue > 0.5 else None"
        ),
    ]
    first = scorer(concepts=["red", "blue"], input="embedding")
    labeler = make_pipeline(
        first.set_output(transform="pandas"),
        ProgramSynthesisLabeler(classes=CLASSES, programs=programs),
    )
    annotator = DistilledAnnotator(labeler, estimator=LogisticRegression(C=100)).fit(X)
    assert (annotator.predict(X) == y).mean() > 0.95
    told = explain(annotator, X[0])
    assert told.label == annotator.predict(X[:1])[0]
    matched = [{m.column for m in part.matches} for part in told.programs]
    assert matched == [{"red"}, {"blue"}]


def test_names_of_concepts_reach_the_prompts(server):
    server.script = [ANSWER]
    server.answer = lambda request: Reply("```python\n" + PROGRAMS[0] + "\n```")
    llm = llm_of(server)
    named = scorer(llm).set_output(transform="pandas")
    labeler = ProgramSynthesisLabeler(
        llm,
        task=f"Fire or water? {named.describe_scores()}",
        classes=CLASSES,
        n_programs=1,
    )
    make_pipeline(named, labeler).fit(IMAGES)
    prompt = server.requests[-1]["messages"][-1]["content"]
    assert "- hot_red: float" in prompt
    assert "from 0 (least similar) to 1 (most similar)" in prompt


def test_scores_without_names_are_warned_of(server):
    server.script = [ANSWER]
    server.answer = lambda request: Reply("def label(x0): return 'fire'")
    llm = llm_of(server)
    labeler = ProgramSynthesisLabeler(llm, task="?", classes=CLASSES, n_programs=1)
    with pytest.warns(ColumnNamesWarning, match="pass a DataFrame"):
        make_pipeline(scorer(llm), labeler).fit(IMAGES)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize("estimator", [ConceptScorer(), ImageEmbedder()])
def test_scikit_learns_checks_pass(estimator):
    check_estimator(estimator)
