import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sklearn_alchemist import (
    CascadeAnnotator,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.exceptions import AlchemistWarning

dask = pytest.importorskip("dask")
pytest.importorskip("dask.dataframe")
import dask.array as da  # noqa: E402
import dask.bag as db  # noqa: E402
import dask.dataframe as dd  # noqa: E402

from sklearn_alchemist.streaming import _dask  # noqa: E402

TEXTS = [f"{('http', 'song', 'word')[k % 3]} number {k}" for k in range(60)]


@pytest.fixture(scope="module")
def labeler():
    link = LabelingProgram("link", "def label(t): return 'spam' if 'http' in t else -1")
    song = LabelingProgram("song", "def label(t): return 'ham' if 'song' in t else -1")
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[link, song])
    return labeler.fit(TEXTS)


@pytest.fixture(scope="module")
def annotator(labeler):
    return DistilledAnnotator(labeler).fit(TEXTS)


@pytest.fixture(autouse=True)
def _in_this_process():
    with dask.config.set(scheduler="synchronous"):
        yield


def series(n_partitions=4, texts=TEXTS):
    index = [f"row {k}" for k in range(len(texts))]
    return dd.from_pandas(
        pd.Series(texts, index=index, name="text"), npartitions=n_partitions, sort=False
    )


def with_an_empty_partition():
    parts = series()
    return dd.concat([parts, parts[parts == "none such"]], interleave_partitions=True)


def equal(lazy, frame):
    """Compare what is computed with what is expected, and with what was promised."""
    computed = lazy.compute()
    test = pd.testing.assert_frame_equal
    if computed.ndim == 1:
        test = pd.testing.assert_series_equal
    test(computed, frame.astype(computed.dtypes if frame.ndim == 2 else computed.dtype))
    assert str(lazy._meta.dtypes) == str(computed.dtypes)


def test_votes_stay_lazy_and_keep_the_index(labeler):
    X = series()
    votes = labeler.transform(X)
    assert isinstance(votes, dd.DataFrame)
    expected = pd.DataFrame(
        labeler.transform(TEXTS), columns=["link", "song"], index=X.compute().index
    )
    equal(votes, expected)
    assert votes.dtypes.tolist() == [np.int8, np.int8]


def test_labels_probabilities_and_annotations_stay_lazy(annotator):
    X = series()
    index = X.compute().index
    labels = pd.Series(annotator.predict(TEXTS), index=index, name="label")
    equal(annotator.predict(X), labels)
    proba = annotator.predict_proba(TEXTS)
    equal(
        annotator.predict_proba(X),
        pd.DataFrame(proba, columns=["ham", "spam"], index=index),
    )
    whole = annotator.annotate(pd.Series(TEXTS, index=index), as_frame=True)
    equal(annotator.annotate(X), whole)


def test_a_cascade_predicts_lazily_and_asks_in_memory_only(annotator):
    cascade = CascadeAnnotator(annotator, max_rows=5).fit(TEXTS)
    X = series()
    index = X.compute().index
    labels = pd.Series(cascade.predict(TEXTS), index=index, name="label")
    equal(cascade.predict(X), labels)
    proba = pd.DataFrame(cascade.predict_proba(TEXTS), index, ["ham", "spam"])
    equal(cascade.predict_proba(X), proba)
    with pytest.raises(TypeError, match="caps hold for one call of annotate"):
        cascade.annotate(X)


def test_partitions_may_be_empty(annotator):
    X = with_an_empty_partition()
    assert X.npartitions > 4
    assert annotator.predict(X).compute().tolist() == annotator.predict(TEXTS).tolist()
    assert len(annotator.annotate(X).compute()) == len(TEXTS)


def test_tables_are_read_by_names_in_any_order():
    frame = pd.DataFrame({"title": ["a", "b", "c"], "price": [3.0, 30.0, 1.0]})
    rule = LabelingProgram("dear", "def label(price): return price > 10")
    labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[rule]).fit(frame)
    votes = labeler.transform(dd.from_pandas(frame, npartitions=2)).compute()
    assert votes.dear.tolist() == [0, 1, 0]


def test_no_record_is_made_up_and_nothing_runs_before_it_is_asked(labeler, monkeypatch):
    seen = []
    whole = ProgramSynthesisLabeler._vote

    def vote(self, records, *args, **options):
        (texts,) = records.columns.values()
        seen.append(list(texts))
        return whole(self, records, *args, **options)

    monkeypatch.setattr(ProgramSynthesisLabeler, "_vote", vote)
    votes = labeler.transform(series())
    assert [texts for texts in seen if texts] == []
    votes.compute()
    assert sorted(text for texts in seen for text in texts) == sorted(TEXTS)


def test_bags_give_what_belongs_to_each_record(annotator, labeler):
    X = db.from_sequence(TEXTS, npartitions=3)
    assert annotator.predict(X).compute() == annotator.predict(TEXTS).tolist()
    votes = [list(row) for row in labeler.transform(X).compute()]
    assert votes == labeler.transform(TEXTS).tolist()
    first = annotator.annotate(X).take(1)[0]
    assert first["label"] == annotator.predict(TEXTS[:1])[0]


@pytest.mark.parametrize("n_partitions", [1, 7, 100])
def test_a_label_model_fitted_to_partitions_is_that_of_memory(n_partitions):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 1000)
    votes = np.where(
        rng.random((1000, 6)) < 0.7, y[:, None], rng.integers(0, 3, (1000, 6))
    )
    votes[rng.random(votes.shape) < 0.3] = -1
    whole = LabelModelAggregator(classes=[0, 1, 2]).fit(votes)
    lazy = da.from_array(votes, chunks=(max(1, 1000 // n_partitions), 2))
    parts = LabelModelAggregator(classes=[0, 1, 2]).fit(lazy)
    np.testing.assert_allclose(
        parts.predict_proba(votes), whole.predict_proba(votes), atol=1e-9
    )
    proba = parts.predict_proba(lazy)
    assert isinstance(proba, da.Array)
    np.testing.assert_allclose(proba.compute(), whole.predict_proba(votes), atol=1e-9)
    assert parts.predict(lazy).compute().tolist() == whole.predict(votes).tolist()


def test_votes_of_a_frame_go_into_a_label_model(labeler):
    votes = labeler.transform(series())
    model = LabelModelAggregator(classes=["ham", "spam"]).fit(votes)
    expected = LabelModelAggregator(classes=["ham", "spam"]).fit(
        labeler.transform(TEXTS)
    )
    np.testing.assert_allclose(
        model.predict_proba(votes).compute().to_numpy(),
        expected.predict_proba(labeler.transform(TEXTS)),
        atol=1e-9,
    )


def test_what_cannot_be_lazy_says_what_to_do(labeler, annotator):
    with pytest.raises(TypeError, match=r"fit to a sample of it"):
        ProgramSynthesisLabeler(classes=["ham", "spam"]).fit(series())
    votes = labeler.transform(series())
    with pytest.raises(TypeError, match=r"partial_fit"):
        LabelModelAggregator(classes=["ham", "spam"]).fit(votes, ["ham"] * 60)
    with pytest.raises(TypeError, match=r"labels cannot be given"):
        annotator.annotate(series(), ["ham"] * 60)
    with pytest.raises(TypeError, match=r"pass a Dask DataFrame, Series or Bag"):
        labeler.transform(da.from_array(np.array(TEXTS), chunks=10))


@pytest.mark.slow
def test_a_cluster_labels_partitions_in_its_workers_and_leaves_no_process(annotator):
    distributed = pytest.importorskip("distributed")
    psutil = pytest.importorskip("psutil")
    with (
        warnings.catch_warnings(),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        dask.config.set(scheduler=None),
    ):
        warnings.simplefilter("ignore")
        pids = client.run(lambda: __import__("os").getpid()).values()
        workers = [psutil.Process(pid) for pid in pids]
        labels = annotator.predict(series()).compute()
        some = clone(annotator).set_params(max_training_rows=40, random_state=0)
        fitted = clone(some).fit(series()).predict_proba(TEXTS)
        with (
            joblib.parallel_config(backend="dask"),
            pytest.warns(AlchemistWarning, match="DaskDistributedBackend does not run"),
        ):
            assert len(annotator.labeler_.transform(TEXTS)) == len(TEXTS)
        children = [child for w in workers for child in w.children(recursive=True)]
    assert labels.tolist() == annotator.predict(TEXTS).tolist()
    np.testing.assert_allclose(fitted, some.fit(TEXTS).predict_proba(TEXTS), atol=1e-9)
    assert children
    _, alive = psutil.wait_procs([*workers, *children], timeout=20)
    assert not alive


def test_counts_of_more_rows_than_are_kept_stand_for_all_of_them():
    rng = np.random.default_rng(0)
    patterns = np.arange(5000)[:, None] + np.zeros((1, 3), int)
    counts = np.where(np.arange(5000) < 20, 1000.0, rng.integers(1, 9, 5000))
    kept, weights = _dask._thin(patterns, counts, n_most=1000)
    assert len(kept) == 1000
    assert weights.sum() == pytest.approx(counts.sum())
    np.testing.assert_array_equal(kept[:20], patterns[:20])  # frequent: as they are
    np.testing.assert_array_equal(weights[:20], counts[:20])
    # Those of one kind of rows keep their share: here the even ones.
    even, even_kept = patterns[:, 0] % 2 == 0, kept[:, 0] % 2 == 0
    share = counts[even].sum() / counts.sum()
    assert weights[even_kept].sum() / weights.sum() == pytest.approx(share, abs=0.02)


def test_counts_of_few_rows_are_exact():
    patterns, counts = np.arange(30).reshape(10, 3), np.arange(1.0, 11.0)
    kept, weights = _dask._thin(patterns, counts, n_most=10)
    assert kept is patterns
    assert weights is counts
