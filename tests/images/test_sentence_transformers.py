"""The loading code of sentence-transformers' CLIP, on a tiny model made here."""

import json

import numpy as np
import pytest
from image_parts import BLUE, GREEN, RED, plain
from sklearn.base import clone

from sklearn_alchemist import ConceptScorer, ImageEmbedder

pytestmark = pytest.mark.filterwarnings("ignore:::(?!sklearn_alchemist)")

Image = pytest.importorskip("PIL.Image")
sentence_transformers = pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory):
    """Folder of a CLIP with random weights that reads single letters."""
    import torch
    from sentence_transformers.sentence_transformer.modules import CLIPModel as Module
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
        CLIPTokenizer,
    )

    folder = tmp_path_factory.mktemp("clip")
    letters = "abcdefghijklmnopqrstuvwxyz."
    tokens = [*letters, *(f"{x}</w>" for x in letters)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    merges.write_text("#version: 0.2\n")
    sizes = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    n = len(tokens)
    text = {**sizes, "vocab_size": n, "bos_token_id": n - 2, "eos_token_id": n - 1}
    vision = {**sizes, "image_size": 32, "patch_size": 8}
    torch.manual_seed(0)
    model = CLIPModel(
        CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)
    )
    raw = str(folder / "raw")
    model.save_pretrained(raw)
    images = CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    tokenizer = CLIPTokenizer(str(vocabulary), str(merges))
    CLIPProcessor(images, tokenizer).save_pretrained(raw)
    saved = str(folder / "saved")
    sentence_transformers.SentenceTransformer(modules=[Module(raw)]).save(saved)
    return saved


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    paths = []
    for i, colour in enumerate([RED, GREEN, BLUE, RED]):
        paths.append(str(folder / f"{i}.png"))
        Image.fromarray(plain(colour, (40, 50))).save(paths[-1])
    return paths


def test_scores_are_those_of_calling_the_model_by_hand(tiny_clip, paths):
    scorer = ConceptScorer(
        concepts=["webbed feet", "hooked bill"], embedder=tiny_clip, score="cosine"
    )
    scores = scorer.fit_transform(paths)

    model = sentence_transformers.SentenceTransformer(tiny_clip)
    images = model.encode([Image.open(path) for path in paths])
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    concepts = []
    for concept in ("webbed feet", "hooked bill"):
        texts = model.encode([f"a photo of {concept}.", f"a close-up of {concept}."])
        mean = (texts / np.linalg.norm(texts, axis=1, keepdims=True)).mean(axis=0)
        concepts.append(mean / np.linalg.norm(mean))
    np.testing.assert_allclose(scores, images @ np.array(concepts).T, atol=1e-6)
    assert np.ptp(scores[:, 0]) > 1e-3


def test_a_fitted_scorer_clones_and_pickles_without_the_weights(tiny_clip, paths):
    import pickle

    scorer = ConceptScorer(concepts=["bill"], embedder=tiny_clip).fit(paths)
    pickled = pickle.dumps(scorer)
    assert len(pickled) < 10_000
    np.testing.assert_array_equal(
        pickle.loads(pickled).transform(paths), scorer.transform(paths)
    )
    clone(scorer).fit(paths)


def test_a_model_object_and_a_factory_give_the_same(tiny_clip, paths):
    model = sentence_transformers.SentenceTransformer(tiny_clip)
    named = ImageEmbedder(tiny_clip).fit_transform(paths)
    np.testing.assert_array_equal(ImageEmbedder(model).fit_transform(paths), named)
    made = ImageEmbedder(lambda: model, batch_size=3).fit_transform(paths)
    np.testing.assert_allclose(made, named, rtol=1e-5)


def test_a_model_that_cannot_be_loaded_says_so(tmp_path, paths):
    scorer = ConceptScorer(concepts=["bill"], embedder=str(tmp_path))
    with pytest.raises(ValueError, match="cannot be loaded"):
        scorer.fit(paths)


def test_a_model_without_an_image_side_says_so(tmp_path, paths, tiny_clip):
    from sentence_transformers.sentence_transformer.modules import BoW

    words = sentence_transformers.SentenceTransformer(modules=[BoW(["photo", "bill"])])
    with pytest.raises(ValueError, match="cannot embed images"):
        ConceptScorer(concepts=["bill"], embedder=words).fit(paths)
