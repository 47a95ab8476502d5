"""Measure what labelling costs on a Dask cluster of this machine, and without one.

    python benchmarks/dask_cluster.py [--rows 200000] [--repeats 5]
        [--recordings RECORDINGS --data DATA]

A cluster of two workers with one thread each, and one of a single worker, label the
same texts, in turns: CPU seconds of all processes a row against a plain `transform`,
wall seconds of two workers against those of one, and whether votes, and the posteriors
of a label model that is fitted where the votes lie, are those of memory. Then the
processes that are left are counted. Wall seconds mean little on a busy machine.
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


def others(clusters):
    """List the processes of this one that belong to no cluster."""
    workers = [worker for cluster in clusters for worker in cluster.workers]
    theirs = {one for worker in workers for one in family(worker)}
    return [one for one in family(psutil.Process()) if one not in theirs]


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


def in_memory(labeler, texts, clusters):
    """Label without a cluster."""
    processes = others(clusters)
    before, began = cpu_of(processes), time.perf_counter()
    votes = labeler.transform(texts)
    return time.perf_counter() - began, cpu_of(processes) - before, votes


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
    one, two = Cluster(1), Cluster(2)
    labeler.transform(texts[:1])  # starts the processes that run programs
    found = {"memory": [], "one": [], "two": []}
    for _ in range(options.repeats + 1):  # the first starts what is started once
        found["memory"].append(in_memory(labeler, texts, (one, two)))
        found["one"].append(one.label(labeler, texts, options.partitions)[:2])
        *took, votes = two.label(labeler, texts, options.partitions)
        found["two"].append(took)
    expected = found["memory"][-1][2]
    same = np.array_equal(two.client.compute(votes).result().to_numpy(), expected)
    with two.client.as_current(), dask.config.set(scheduler=two.client):
        there = LabelModelAggregator(classes=labeler.classes_).fit(votes)
    here = LabelModelAggregator(classes=labeler.classes_).fit(expected)
    apart = np.abs(there.predict_proba(expected) - here.predict_proba(expected)).max()
    cpu, wall = (
        {
            way: statistics.median(took[place] for took in runs[1:])
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
    print(f"equal votes: {same}; posteriors differ by at most {apart:.1e}")
    (n_two, left_two), (n_one, left_one) = two.close(), one.close()
    print(f"processes left: {left_two + left_one} of {n_two + n_one}")


if __name__ == "__main__":
    main()
