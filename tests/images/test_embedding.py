import contextlib
import copy
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from image_parts import BLUE, RED, MeanColour, plain

from sklearn_alchemist.images import (
    EmbeddingCache,
    cosine_similarities,
    embed,
    embed_in_batches,
    mean_direction,
    model_key,
    resolve_embedder,
    scale,
    softmax,
)

pytest.importorskip("PIL")


class Gives:
    """An embedder that gives what it is told to."""

    def __init__(self, output):
        self.output = output

    def encode(self, inputs):
        if isinstance(self.output, Exception):
            raise self.output
        return self.output


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.zeros((3, 4)), r"must give 2 texts one row each; got shape \(3, 4\)"),
        (np.zeros(2), "one row each"),
        (np.zeros((2, 0)), "one row each"),
        ([[np.nan, 1.0], [0.0, 1.0]], "NaN or infinity"),
        ([["a"], ["b"]], "cannot embed texts"),
        (TypeError("images only"), "both images and texts"),
    ],
)
def test_what_an_embedder_gives_is_checked(output, message):
    with pytest.raises(ValueError, match=message):
        embed(Gives(output), ["one", "two"], "texts")


def test_a_factory_makes_the_embedder():
    assert isinstance(resolve_embedder(MeanColour), MeanColour)
    with pytest.raises(TypeError, match="must return an object with an encode"):
        resolve_embedder(dict)


def test_only_a_batch_is_in_memory_at_a_time():
    embedder = MeanColour()
    images = [plain(RED)] * 10
    batches = list(embed_in_batches(embedder, images, batch_size=4))
    assert [positions for positions, _, _ in batches] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9]
    ]  # fmt: skip
    assert embedder.largest_batch == 4


def test_what_is_kept_is_not_embedded_again(tmp_path):
    embedder, cache = MeanColour(), EmbeddingCache(tmp_path / "e.sqlite")
    options = {"batch_size": 2, "model": "mean", "cache": cache}
    images = [plain(RED), plain(BLUE), plain(RED)]
    first = np.vstack([e for _, e, _ in embed_in_batches(embedder, images, **options)])
    assert embedder.n_images == 2
    again = np.vstack([e for _, e, _ in embed_in_batches(embedder, images, **options)])
    assert embedder.n_images == 2
    np.testing.assert_array_equal(first, again)


def test_another_model_has_embeddings_of_its_own(tmp_path):
    cache = EmbeddingCache(tmp_path / "e.sqlite")
    cache.save("one", {"image": np.ones(3)})
    assert cache.find("other", ["image"]) == {}


def test_what_was_embedded_before_an_error_is_kept(tmp_path):
    embedder, cache = MeanColour(), EmbeddingCache(tmp_path / "e.sqlite")
    images = [plain(RED), plain(BLUE), np.zeros(3)]
    options = {"batch_size": 1, "model": "mean", "cache": cache}
    with pytest.raises(ValueError, match="position 2"):
        list(embed_in_batches(embedder, images, **options))
    list(embed_in_batches(embedder, images[:2], **options))
    assert embedder.n_images == 2


@pytest.mark.slow
def test_the_cache_is_private_and_shared_by_threads(tmp_path):
    cache = EmbeddingCache(tmp_path / "folder" / "e.sqlite")

    def save(start):
        cache.save("model", {str(start + i): np.full(4, start + i) for i in range(50)})

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(save, range(0, 1200, 50)))
    assert len(cache.find("model", map(str, range(1200)))) == 1200
    assert stat.S_IMODE(cache.path.stat().st_mode) == 0o600
    assert (
        pickle.loads(pickle.dumps(cache)).find("model", ["7"])["7"].tolist()
        == [7.0] * 4
    )


def test_a_cache_that_may_only_be_read_is_read_and_left_alone(tmp_path, monkeypatch):
    cache = EmbeddingCache(tmp_path / "e.sqlite")
    cache.save("model", {"x": np.ones(2)})
    # Root may write everywhere, so that the answer is given here.
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    before = cache.path.read_bytes()
    cache.save("model", {"y": np.ones(2)})
    assert list(cache.find("model", ["x", "y"])) == ["x"]
    assert cache.path.read_bytes() == before


def test_a_look_up_leaves_the_locks_of_other_threads_alone(tmp_path):
    cache = EmbeddingCache(tmp_path / "e.sqlite")
    cache.save("model", {"x": np.ones(2)})
    code = """
        import sqlite3, sys
        other = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            print(error)
    """
    with contextlib.closing(sqlite3.connect(cache.path, isolation_level=None)) as one:
        one.execute("BEGIN IMMEDIATE")
        cache.find("model", ["x"])
        run = [sys.executable, "-c", textwrap.dedent(code), str(cache.path)]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "database is locked"


def test_an_embedding_that_is_cut_off_is_computed_again(tmp_path):
    cache = EmbeddingCache(tmp_path / "e.sqlite")
    cache.save("model", {"x": np.ones(2), "y": np.ones(2)})
    with sqlite3.connect(cache.path) as connection:
        connection.execute("UPDATE embeddings SET embedding = x'00' WHERE content='x'")
    assert list(cache.find("model", ["x", "y"])) == ["y"]


def test_a_cache_that_is_none_says_so(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("this is no database, and must not become one" * 50)
    with pytest.raises(ValueError, match="no file of embeddings"):
        EmbeddingCache(path).find("model", ["x"])
    assert path.read_text().startswith("this is no database")


def test_models_are_told_apart_by_name_state_and_files(tmp_path):
    assert model_key(object(), "clip-ViT-B-32") == "clip-ViT-B-32"
    one = MeanColour()
    other = copy.deepcopy(one)
    assert model_key(one, one) == model_key(other, other)
    other.n_images = 5
    assert model_key(one, one) != model_key(other, other)
    before = model_key(one, str(tmp_path))
    (tmp_path / "weights").write_text("new")
    assert model_key(one, str(tmp_path)) != before


def test_directions_are_averaged_not_lengths():
    direction = mean_direction(np.array([[9.0, 0.0], [0.0, 0.1]]))
    np.testing.assert_allclose(direction, [0.5**0.5, 0.5**0.5])


def test_cosines_survive_extreme_lengths_and_zeros():
    images = np.array([[1e-200, 0.0], [1e200, 1e200], [0.0, 0.0]])
    cosines = cosine_similarities(images, np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(cosines[:, 0], [1.0, 0.5**0.5, 0.0])


def test_scores_stay_between_0_and_1():
    cosines = np.array([[0.1, 0.3], [0.5, 0.3], [np.nan, np.nan]])
    scores = scale(cosines, np.array([0.2, 0.3]), np.array([0.4, 0.3]))
    np.testing.assert_array_equal(scores, [[0, 0.5], [1, 0.5], [np.nan, np.nan]])


def test_softmax_adds_up_to_1_for_any_cosines():
    shares = softmax(np.array([[-1.0, 1.0], [0.2, 0.2]]))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares[1], 0.5)
