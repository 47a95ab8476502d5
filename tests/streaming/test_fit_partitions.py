"""An annotator that is fitted to partitions is that of memory."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.data import draw_by_hash
from sklearn_alchemist.inspection import drift

dask = pytest.importorskip("dask")
pytest.importorskip("dask.dataframe")
import dask.array as da  # noqa: E402
import dask.bag as db  # noqa: E402
import dask.dataframe as dd  # noqa: E402

from sklearn_alchemist.streaming import _draw_partitions  # noqa: E402

WORDS = {
    "http": "spam", "cash": "spam", "free": "spam", "win": "spam",
    "song": "ham", "video": "ham", "love": "ham", "album": "ham",
}  # fmt: skip
LABELER = ProgramSynthesisLabeler(
    classes=["ham", "spam"],
    programs=[
        LabelingProgram(word, f"def label(t): return {name!r} if {word!r} in t else -1")
        for word, name in WORDS.items()
    ],
)


def write_texts(n_texts, n_silent, seed=0):
    """Write texts whose words tell of one class more often than of the other."""
    rng = np.random.default_rng(seed)
    by_class = [[w for w, c in WORDS.items() if c == name] for name in ("ham", "spam")]
    texts = []
    for k in range(n_texts):
        sides = (rng.random(3) < 0.85) == bool(k % 2)
        words = [rng.choice(by_class[int(side)]) for side in sides]
        texts.append(f"{' '.join(words)} number {k}")
    return texts + [f"nothing here {k}" for k in range(n_silent)]


TEXTS = write_texts(900, 300)


@pytest.fixture(autouse=True)
def _in_this_process():
    with dask.config.set(scheduler="synchronous"):
        yield


def annotator(**params):
    params = {"max_training_rows": 240, "random_state": 0, "cv": 2, **params}
    return DistilledAnnotator(LABELER, **params)


def taught(fitted, texts):
    return [texts[row] for row in fitted._training_state.rows]


@pytest.fixture(scope="module")
def in_memory():
    return annotator().fit(TEXTS)


def of_series(texts, n_partitions):
    whole = pd.Series(texts, name="text")
    return dd.from_pandas(whole, npartitions=n_partitions, sort=False)


def with_empty_partitions(texts):
    X = of_series(texts, 9)
    return dd.concat([X[X == "none"], X, X[X == "none"]], interleave_partitions=True)


@pytest.mark.parametrize(
    "partition",
    [
        lambda texts: of_series(texts, 1),
        lambda texts: of_series(texts[::-1], 40),
        with_empty_partitions,
        lambda texts: db.from_sequence(texts, npartitions=7),
    ],
    ids=["one", "reversed", "empty ones", "bag"],
)
def test_a_fit_from_partitions_equals_that_in_memory(in_memory, partition):
    fitted = annotator().fit(partition(TEXTS))
    assert fitted.aggregator_.method_ == in_memory.aggregator_.method_
    for name in ("class_prior_", "vote_weight_", "shift_"):
        np.testing.assert_allclose(
            getattr(fitted, name), getattr(in_memory, name), atol=1e-9
        )
    for who in ("both", "votes", "student"):
        np.testing.assert_allclose(
            fitted.set_params(predict_with=who).predict_proba(TEXTS),
            in_memory.set_params(predict_with=who).predict_proba(TEXTS),
            atol=1e-9,
        )
    in_memory.set_params(predict_with="both")


def test_a_table_is_fitted_from_partitions_as_in_memory():
    rng = np.random.default_rng(0)
    size = rng.normal(size=900)
    frame = pd.DataFrame(
        {
            "size": size,
            "kind": np.where(rng.random(900) < 0.3, None, "long"),
            "count": (size * 10).astype(int),
        }
    )
    rules = [
        LabelingProgram("large", "def label(size): return size > 0.2"),
        LabelingProgram("many", "def label(count): return count > 4 or None"),
        LabelingProgram("few", "def label(count): return False if count < -4 else -1"),
    ]
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=rules)
    plain = DistilledAnnotator(labeler, max_training_rows=200, cv=2, random_state=0)
    lazy = DistilledAnnotator(labeler, max_training_rows=200, cv=2, random_state=0)
    plain.fit(frame)
    lazy.fit(dd.from_pandas(frame, npartitions=6))
    np.testing.assert_allclose(
        lazy.predict_proba(frame), plain.predict_proba(frame), atol=1e-9
    )


def test_the_order_of_records_does_not_decide_whom_the_student_learns_from(in_memory):
    turned = annotator().fit(TEXTS[::-1])
    assert taught(turned, TEXTS[::-1]) == taught(in_memory, TEXTS)
    other = annotator(random_state=1).fit(TEXTS)
    assert taught(other, TEXTS) != taught(in_memory, TEXTS)


def test_equal_records_in_several_partitions_count_once():
    texts = TEXTS + TEXTS[:400] * 3
    X = of_series(texts, 8)
    fitted = annotator().fit(X)
    chosen = taught(annotator().fit(texts), texts)
    assert len(set(chosen)) == len(chosen) == len(fitted._training_state.rows) == 240
    assert fitted._training_state.weight.sum() == len(texts)
    few = TEXTS[:100] * 5
    assert len(annotator().fit(of_series(few, 8))._training_state.rows) == 100


def test_fewer_records_than_the_student_may_learn_from_are_fitted_in_memory():
    texts = TEXTS[:200] + TEXTS[:20]
    fitted = annotator().fit(of_series(texts, 3))
    plain = annotator().fit(texts)
    assert len(fitted._training_state.rows) == len(texts)
    np.testing.assert_array_equal(
        fitted.predict_proba(TEXTS), plain.predict_proba(TEXTS)
    )


def test_no_process_holds_more_than_some_of_the_records(monkeypatch):
    sizes = []
    joined = _draw_partitions._join

    def spy(parts):
        sizes.append(sum(len(part) for part in parts))
        return joined(parts)

    monkeypatch.setattr(_draw_partitions, "_join", spy)
    monkeypatch.setattr(
        "sklearn_alchemist.distillation._annotator_partitions._N_SAMPLED", 100
    )
    annotator(max_training_rows=50).fit(of_series(TEXTS, 30))
    # Of two partitions: those with votes and those without, twice what is learned.
    assert max(sizes) <= 2 * 2 * (2 * 50)


def test_later_records_are_compared_with_all_that_were_counted(in_memory):
    fitted = annotator().fit(of_series(TEXTS, 5))
    later = write_texts(900, 300, seed=1)
    seen, known = drift(fitted, later), drift(in_memory, later)
    assert seen.n_before == known.n_before == len(TEXTS)
    assert not seen.alarm
    of_votes = {"coverage", "conflict", "classes", "votes"}
    for lazy, plain in zip(seen.checks, known.checks, strict=True):
        if lazy.what in of_votes:
            assert lazy.p_value == pytest.approx(plain.p_value)
    assert drift(fitted, ["who shares a recipe for bread?"] * 100).alarm


def test_labels_by_place_are_refused_where_records_have_none():
    fitted = annotator().fit(of_series(TEXTS, 3))
    with pytest.raises(ValueError, match="records have no places"):
        fitted.update(["ham"] * len(TEXTS), label_proba=1.0)
    with pytest.raises(TypeError, match="cannot be given with a Dask"):
        annotator().fit(of_series(TEXTS, 3), ["ham"] * len(TEXTS))


class Unweighted(LabelModelAggregator):
    def fit(self, X, y=None):
        return super().fit(X, y)


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"max_training_rows": None}, ValueError, "give a number"),
        ({"n_llm_labels": 20}, ValueError, "set it to 0"),
        ({"aggregator": Unweighted()}, TypeError, "takes no sample_weight"),
    ],
)
def test_what_partitions_cannot_give_is_told_before_anything_runs(params, error, match):
    with pytest.raises(error, match=match):
        annotator(**params).fit(of_series(TEXTS, 3))


def test_other_collections_are_refused():
    with pytest.raises(TypeError, match="pass a Dask DataFrame, Series or Bag"):
        annotator().fit(da.from_array(np.zeros((10, 2))))


def test_an_empty_collection_is_an_error():
    X = of_series(TEXTS, 2)
    with pytest.raises(ValueError, match="X is empty"):
        annotator().fit(X[X == "none"])


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 30), max_size=60),
    st.integers(1, 20),
    st.integers(1, 59),
)
def test_a_draw_of_parts_is_that_of_the_whole(values, n_drawn, cut):
    hashes = np.array(values, dtype=np.uint64)
    kinds = hashes % 2 == 0
    whole = hashes[draw_by_hash(hashes, n_drawn, kinds)]
    parts = [
        part[draw_by_hash(part, n_drawn, part % 2 == 0)]
        for part in (hashes[:cut], hashes[cut:])
    ]
    joined = np.concatenate(parts)
    again = joined[draw_by_hash(joined, n_drawn, joined % 2 == 0)]
    assert again.tolist() == whole.tolist()
    assert len(set(whole.tolist())) == len(whole)
