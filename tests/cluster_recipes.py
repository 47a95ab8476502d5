"""Label with Spark and with Ray as the documentation says: see test_clusters.py.

python tests/cluster_recipes.py spark|ray
"""

import json
import os
import sys
import warnings

import numpy as np
import pandas as pd
import psutil

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.votes import collapse


def label_with_spark(spark_frame, annotator):
    def label(frames):
        for frame in frames:
            said = annotator.annotate(frame.text, as_frame=True)
            yield frame[["id"]].join(said[["label", "confidence", "flag"]])

    return spark_frame.mapInPandas(
        label, "id long, label string, confidence double, flag boolean"
    )


def count_votes_with_spark(spark_frame, labeler):
    names = [f"vote_{k}" for k in range(len(labeler.programs_))]

    def count(frames):
        for frame in frames:
            patterns, _, counts = collapse(labeler.transform(frame.text))
            yield pd.DataFrame(patterns, columns=names).assign(n_rows=counts)

    columns = ", ".join(f"{name} long" for name in names)
    counted = spark_frame.mapInPandas(count, f"{columns}, n_rows double")
    return counted.groupBy(names).sum("n_rows").toPandas().to_numpy()


def label_with_ray(dataset, annotator):
    def label(batch):
        said = annotator.annotate(batch.text, as_frame=True)
        return batch[["id"]].join(said[["label", "confidence", "flag"]])

    return dataset.map_batches(label, batch_size=10_000, batch_format="pandas")


TEXTS = [f"{('http', 'song', 'word')[k % 3]} number {k}" for k in range(600)]


def fitted():
    link = LabelingProgram("link", "def label(t): return 'spam' if 'http' in t else -1")
    song = LabelingProgram("song", "def label(t): return 'ham' if 'song' in t else -1")
    odd = LabelingProgram("odd", "def label(t): return 'ham' if t[-1] in '13' else -1")
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[link, song, odd]
    )
    return DistilledAnnotator(labeler).fit(TEXTS[:120])


def check(labelled, annotator):
    expected = annotator.annotate(TEXTS, as_frame=True)
    got = labelled.sort_values("id").reset_index(drop=True)
    assert got.id.tolist() == list(range(len(TEXTS)))
    assert got.label.tolist() == expected.label.tolist()
    assert got.flag.tolist() == expected.flag.tolist()
    assert np.abs(got.confidence - expected.confidence).max() < 1e-9


def descendants():
    """All processes below this one, those of the cluster and of its programs."""
    found = psutil.Process().children(recursive=True)
    print(json.dumps([[process.pid, process.create_time()] for process in found]))


def with_spark(annotator):
    from pyspark.sql import SparkSession

    labeler = annotator.labeler_
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 100)
        .getOrCreate()
    )
    try:
        rows = pd.DataFrame({"id": range(len(TEXTS)), "text": TEXTS})
        # More partitions than some have rows for: they are empty.
        frame = spark.createDataFrame(rows).repartition(5).cache()
        check(label_with_spark(frame, annotator).toPandas(), annotator)
        nothing = frame.filter("id < 0")
        assert label_with_spark(nothing, annotator).count() == 0
        counted = count_votes_with_spark(frame, labeler)
        descendants()
    finally:
        spark.stop()
    votes = labeler.transform(TEXTS)
    there = LabelModelAggregator(classes=labeler.classes_).fit(
        counted[:, :-1].astype(int), sample_weight=counted[:, -1]
    )
    here = LabelModelAggregator(classes=labeler.classes_).fit(votes)
    assert np.abs(there.predict_proba(votes) - here.predict_proba(votes)).max() < 1e-9


def with_ray(annotator):
    import ray

    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False)
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        rows = pd.DataFrame({"id": range(len(TEXTS)), "text": TEXTS})
        dataset = ray.data.from_pandas(rows).repartition(5)
        check(label_with_ray(dataset, annotator).to_pandas(), annotator)
        descendants()
    finally:
        ray.shutdown()


if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        {"spark": with_spark, "ray": with_ray}[sys.argv[1]](fitted())
