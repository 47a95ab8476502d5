"""Measure what labelling costs on a Dask cluster of this machine, and without one.

    python benchmarks/dask_cluster.py [--rows 200000] [--repeats 5]
        [--recordings RECORDINGS --data DATA]

A cluster of two workers with one thread each, and one of a single worker, label the
same texts, in turns: CPU seconds of all processes a row against a plain `transform`,
wall seconds of two workers against those of one, and whether votes, and the posteriors
of a label model that is fitted where the votes lie, are those of memory. Then the
processes that are left are counted. Wall seconds mean little on a busy machine, and a
cluster that waits is busy, too (a twentieth of a core for each worker, and more for
the scheduler): each one is there only while it labels. It labels twice, and the
second time counts.
"""

import argparse
import logging
import os
import statistics
import time
import warnings

import dask
import dask.dataframe as dd
import distributed
import numpy as np
import pandas as pd
import psutil
from files import one_line_labeler, recorded, short_texts

from sklearn_alchemist import LabelModelAggregator


def cpu_of(processes):
    """CPU seconds of processes and of those of their children that ended."""
    total = 0.0
    for process in processes:
        with process.oneshot():
            times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def family(process):
    return [process, *process.children(recursive=True)]


class Cluster:
    """Workers with one thread each, and what they have used."""

    def __init__(self, n_workers):
        self._cluster = distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
        self.client = distributed.Client(self._cluster, set_as_default=False)
        pids = self.client.run(os.getpid).values()
        self.workers = [psutil.Process(pid) for pid in pids]

    def label(self, labeler, texts, n_partitions):
        """Label once, the texts being where they are labelled; return seconds."""
        series = dd.from_pandas(texts, npartitions=n_partitions, sort=False)
        there = self.client.persist(series)
        self._wait(there)
        used = self._used()
        began = time.perf_counter()
        votes = self.client.persist(labeler.transform(there))
        self._wait(votes)
        wall = time.perf_counter() - began
        return wall, self._used() - used, votes

    def _used(self):
        """CPU seconds of its workers, and of this process, which schedules them."""
        workers = [one for worker in self.workers for one in family(worker)]
        return cpu_of([psutil.Process(), *workers])

    def _wait(self, collection):
        with self.client.as_current():
            distributed.wait(collection)

    def close(self):
        """End it, and count the processes that it leaves."""
        processes = [one for worker in self.workers for one in family(worker)]
        self.client.close()
        self._cluster.close()
        _, alive = psutil.wait_procs(processes, timeout=30)
        return len(processes), len(alive)


def in_memory(labeler, texts):
    """Label without a cluster; return seconds, of CPU, too, and votes."""
    processes = family(psutil.Process())
    before, began = cpu_of(processes), time.perf_counter()
    votes = labeler.transform(texts)
    return time.perf_counter() - began, cpu_of(processes) - before, votes


def on_cluster(n_workers, labeler, texts, n_partitions, votes):
    """Label on workers; return seconds and what is not as in memory, or left over."""
    cluster = Cluster(n_workers)
    cluster.label(labeler, texts, n_partitions)  # starts what is started once
    wall, cpu, found = cluster.label(labeler, texts, n_partitions)
    same = np.array_equal(cluster.client.compute(found).result().to_numpy(), votes)
    with cluster.client.as_current(), dask.config.set(scheduler=cluster.client):
        there = LabelModelAggregator(classes=labeler.classes_).fit(found)
    here = LabelModelAggregator(classes=labeler.classes_).fit(votes)
    apart = np.abs(there.predict_proba(votes) - here.predict_proba(votes)).max()
    return wall, cpu, same, apart, cluster.close()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--recordings")
    parser.add_argument("--data")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    if options.recordings:
        labeler, _, make = recorded(options)
    else:
        labeler, make = one_line_labeler(), short_texts
    labeler.set_params(n_jobs=1)
    texts = pd.Series(make(0, options.rows), name="text")
    labeler.transform(texts[:1])  # starts the processes that run programs
    found = {"memory": [], "one": [], "two": []}
    for _ in range(options.repeats):
        *took, votes = in_memory(labeler, texts)
        found["memory"].append(took)
        for n_workers, way in ((1, "one"), (2, "two")):
            measured = on_cluster(n_workers, labeler, texts, options.partitions, votes)
            found[way].append(measured)
    runs_there = [*found["one"], *found["two"]]
    cpu, wall = (
        {
            way: statistics.median(took[place] for took in runs)
            for way, runs in found.items()
        }
        for place in (1, 0)
    )
    for way in found:
        print(
            f"{way}: {cpu[way] / options.rows * 1e6:.1f} us of CPU a row, "
            f"{wall[way]:.1f} s"
        )
    print(f"CPU a row, two workers / memory: {cpu['two'] / cpu['memory']:.2f}")
    print(f"wall, one worker / two: {wall['one'] / wall['two']:.2f}")
    same = all(run[2] for run in runs_there)
    apart = max(run[3] for run in runs_there)
    print(f"equal votes: {same}; posteriors differ by at most {apart:.1e}")
    n_started, n_left = np.sum([run[4] for run in runs_there], axis=0)
    print(f"processes left: {n_left} of {n_started}")


if __name__ == "__main__":
    main()
