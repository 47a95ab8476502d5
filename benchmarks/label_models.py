"""Compare label models with each other, with peers, and with the best possible answer.

Run it with ``make benchmark-label-models``. Peers (snorkel, crowd-kit) take part if
they are installed. Real vote sets are ``.npz`` files with the arrays L (votes) and y
(class indices), in a folder that ``--votes`` names.

``--data FOLDER --recordings FOLDER`` compares family by family instead, in parts with
``--families``, and with ``--labels 50`` measures how calibrated the model is.
"""

import argparse
import contextlib
import io
import json
import os
import pathlib
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from _regimes import REGIMES, regime
from _vote_families import FAMILIES, VoteSet, all_families
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from sklearn_alchemist import LabelModelAggregator
from sklearn_alchemist.exceptions import AlchemistWarning

Model = Callable[[np.ndarray, int], np.ndarray]

# More is not needed to see who is how fast, and would take some peers hours.
SPEED_SHAPES = ((10, 2), (25, 3), (50, 5))
ONE_THREAD = {f"{lib}_NUM_THREADS": "1" for lib in ("OMP", "OPENBLAS", "MKL")}


def ours(**parameters: object) -> Model:
    """Return the aggregator of this package as a function of votes."""

    def fit_predict(votes: np.ndarray, n_classes: int) -> np.ndarray:
        aggregator = LabelModelAggregator(classes=range(n_classes), **parameters)
        return aggregator.fit(votes).predict_proba(votes)

    return fit_predict


def snorkel(votes: np.ndarray, n_classes: int) -> np.ndarray:
    """Run the label model of Snorkel with its defaults."""
    from snorkel.labeling.model import LabelModel

    model = LabelModel(cardinality=n_classes, verbose=False)
    model.fit(votes.astype(int), seed=0, progress_bar=False)
    return model.predict_proba(votes.astype(int))


def crowd_kit(votes: np.ndarray, n_classes: int) -> np.ndarray:
    """Run Dawid-Skene of crowd-kit with its defaults."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    task, worker = np.nonzero(votes >= 0)
    answers = pd.DataFrame(
        {"task": task, "worker": worker, "label": votes[task, worker]}
    )
    found = DawidSkene().fit_predict_proba(answers)
    proba = np.full((len(votes), n_classes), 1 / n_classes)
    found = found.reindex(columns=range(n_classes), fill_value=0.0)
    proba[found.index.to_numpy()] = found.to_numpy()
    return proba


def models() -> dict[str, Model]:
    """List what can be compared here."""
    found = {
        "majority vote": ours(method="majority_vote"),
        "weighted vote": ours(method="weighted_vote"),
        "one coin": ours(method="one_coin"),
        "ours": ours(),
    }
    for name, module, model in (
        ("snorkel", "snorkel.labeling.model", snorkel),
        ("crowd-kit", "crowdkit.aggregation", crowd_kit),
    ):
        with contextlib.suppress(ImportError):
            __import__(module)
            found[name] = model
    return found


def scores(proba: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return accuracy, Brier score (sum over classes) and ECE (ten bins)."""
    right = proba.argmax(axis=1) == y
    brier = ((proba - np.eye(proba.shape[1])[y]) ** 2).sum(axis=1).mean()
    confidence = proba.max(axis=1)
    place = np.minimum((confidence * 10).astype(int), 9)
    gaps = np.abs(np.bincount(place, confidence - right, 10))
    return right.mean(), brier, gaps.sum() / len(y)


def threshold_votes(seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Let one rule per feature vote for the class whose typical value is nearest.

    Typical values are means over 30 labelled rows; a rule abstains where two of them
    are about equally near.
    """
    for load in (load_breast_cancer, load_wine, load_iris):
        X, y = load(return_X_y=True)
        rng = np.random.default_rng([seed, len(X)])
        n_classes = y.max() + 1
        features = rng.permutation(X.shape[1])[:12]
        known = rng.choice(len(X), 30, replace=False)
        while len(np.unique(y[known])) < n_classes:
            known = rng.choice(len(X), 30, replace=False)
        votes = np.empty((len(X), len(features)), dtype=np.int8)
        for column, feature in zip(votes.T, features, strict=True):
            x = X[:, feature]
            means = np.array([x[known][y[known] == c].mean() for c in range(n_classes)])
            distance = np.abs(x[:, None] - means)
            nearest = np.sort(distance, axis=1)
            margin = (nearest[:, 1] - nearest[:, 0]) / (np.ptp(means) + 1e-12)
            column[:] = distance.argmin(axis=1)
            column[margin < rng.uniform(0, 0.25)] = -1
        yield load.__name__.removeprefix("load_"), votes, y


def run(model: Model, votes: np.ndarray, n_classes: int) -> tuple[np.ndarray, float]:
    """Return the probabilities of a model and its seconds, without its chatter."""
    started = time.perf_counter()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore", AlchemistWarning)
        warnings.filterwarnings("ignore", module="(snorkel|crowdkit|torch).*")
        proba = model(votes, n_classes)
    return proba, time.perf_counter() - started


def compare_regimes(
    seeds: range, sizes: list[tuple[int, int, int]], chosen: dict[str, Model]
) -> dict[str, list[float]]:
    """Print a table of all regimes, and return what each model gains on each draw."""
    gains: dict[str, list[float]] = {name: [] for name in chosen}
    for n_samples, n_programs, n_classes in sizes:
        print(f"\nn = {n_samples}, m = {n_programs}, k = {n_classes}")
        print(f"{'accuracy / Brier / ECE':24s}{'oracle':>20s}", end="")
        print("".join(f"{name:>20s}" for name in chosen))
        for name in REGIMES:
            rows: dict[str, list[tuple[float, float, float]]] = {}
            for seed in seeds:
                problem = regime(name, seed, n_samples, n_programs, n_classes)
                best = scores(problem.oracle(problem.votes), problem.y)
                rows.setdefault("oracle", []).append(best)
                for model_name, model in chosen.items():
                    proba, _ = run(model, problem.votes, n_classes)
                    rows.setdefault(model_name, []).append(scores(proba, problem.y))
            for model_name in chosen:
                gains[model_name] += [
                    own[0] - majority[0]
                    for own, majority in zip(
                        rows[model_name], rows["majority vote"], strict=True
                    )
                ]
            print(f"{name:24s}" + "".join(cell(rows[c]) for c in ("oracle", *chosen)))
    return gains


def compare_sets(
    seeds: range, folder: pathlib.Path | None, chosen: dict[str, Model]
) -> dict[str, list[float]]:
    """Do the same on real votes: rules over features, and files in a folder."""
    gains: dict[str, list[float]] = {name: [] for name in chosen}
    sets = [
        (f"{name} rules", votes, y)
        for seed in seeds
        for name, votes, y in threshold_votes(seed)
    ]
    for path in sorted(folder.glob("*.npz")) if folder else ():
        held = np.load(path, allow_pickle=False)
        sets.append((path.stem, held["L"], held["y"]))
    table: dict[str, dict[str, list[tuple[float, float, float]]]] = {}
    for name, votes, y in sets:
        rows = table.setdefault(name, {})
        for model_name, model in chosen.items():
            proba, _ = run(model, votes, int(y.max()) + 1)
            rows.setdefault(model_name, []).append(scores(proba, y))
            majority = rows["majority vote"][-1][0]
            gains[model_name].append(rows[model_name][-1][0] - majority)
    print(f"\n{'accuracy / Brier / ECE':44s}" + "".join(f"{n:>20s}" for n in chosen))
    for name, rows in table.items():
        print(f"{name:44s}" + "".join(cell(rows[c]) for c in chosen))
    return gains


def split_accuracy(proba: np.ndarray, y: np.ndarray) -> float:
    """Return the accuracy, ties being split evenly."""
    top = np.isclose(proba, proba.max(axis=1, keepdims=True), rtol=1e-9)
    return float((top[np.arange(len(y)), y] / top.sum(axis=1)).mean())


def compare_families(sets: Iterator[VoteSet], chosen: dict[str, Model]) -> None:
    """Print gain, regret and worst over the majority vote, family by family."""
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for held in sets:
        has = (held.votes >= 0).any(axis=1) & held.test
        votes_for = np.stack(
            [(held.votes == c).sum(axis=1) for c in range(held.n_classes)], axis=1
        )
        majority = split_accuracy(votes_for[has], held.y[has])
        for name, model in chosen.items():
            proba, _ = run(model, held.votes, held.n_classes)
            gain = split_accuracy(proba[has], held.y[has]) - majority
            everywhere = split_accuracy(proba[held.test], held.y[held.test])
            error = scores(proba[held.test], held.y[held.test])[2]
            found.setdefault((held.family, name), []).append(
                (majority, gain, max(-gain, 0.0), everywhere, error)
            )
    print(
        f"\n{'family':12s}{'model':16s}  n majority   gain regret  worst    all   ECE"
    )
    for (family, name), rows in found.items():
        majority, gain, regret, everywhere, error = np.mean(rows, axis=0)
        worst = min(row[1] for row in rows)
        print(
            f"{family:12s}{name:16s}{len(rows):3d}{majority:9.3f}{gain:+7.4f}"
            f"{regret:7.4f}{worst:+7.3f}{everywhere:7.3f}{error:6.3f}"
        )


def compare_calibration(sets: Iterator[VoteSet], n_labels: int, draws: range) -> None:
    """Print how sure the model is and how often right, with and without few labels.

    It is fitted to the rows outside of the test split. With labels, the error on the
    other rows it was fitted to, which is what to choose a constant on, stands beside
    that on the test split.
    """
    print(f"{'':36s}{'gain':>7s}{'ECE':>7s}{'gap':>7s}{n_labels:5d} labels, test")
    rows = []
    for held in sets:
        votes, y = held.votes[~held.test], held.y[~held.test]
        if len(y) <= n_labels or not held.test.any():
            continue
        unseen, truth = held.votes[held.test], held.y[held.test]
        classes = range(held.n_classes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AlchemistWarning)
            proba = LabelModelAggregator(classes=classes).fit(votes)
            proba = proba.predict_proba(unseen)
        has = (unseen >= 0).any(axis=1)
        counted = np.stack([(unseen == c).sum(axis=1) for c in classes], axis=1)
        gain = split_accuracy(proba[has], truth[has])
        gain -= split_accuracy(counted[has], truth[has])
        accuracy, _, error = scores(proba, truth)
        row = [gain, error, abs(proba.max(axis=1).mean() - accuracy)]
        labelled = []
        for draw in draws:
            chosen = np.random.default_rng(draw).choice(len(y), n_labels, replace=False)
            labels, share = np.full(len(y), None), np.full(len(y), np.nan)
            labels[chosen], share[chosen] = y[chosen], n_labels / len(y)
            model = LabelModelAggregator(
                classes=classes, semi_supervised=True, temperature="estimate"
            ).fit(votes, labels, label_proba=share)
            rest = np.setdiff1d(np.arange(len(y)), chosen)
            parts = (votes[rest], y[rest]), (unseen, truth)
            labelled.append([scores(model.predict_proba(v), t)[2] for v, t in parts])
        rows.append([*row, *np.mean(labelled, axis=0)])
        print(f"{held.name:36s}" + "".join(f"{value:7.3f}" for value in rows[-1]))
    table = np.array(rows)
    worst = np.r_[table[:, 0].min(), table[:, 1:].max(axis=0)]
    for name, values in (("mean", table.mean(axis=0)), ("worst", worst)):
        print(f"{name:36s}" + "".join(f"{value:7.3f}" for value in values))


def cell(rows: list[tuple[float, float, float]]) -> str:
    """Format the means of accuracy, Brier score and ECE."""
    accuracy, brier, error = np.mean(rows, axis=0)
    return f"{accuracy:8.3f} {brier:5.3f} {error:5.3f}"


def measure_speed(n_samples: int, chosen: dict[str, Model], repeats: int) -> None:
    """Print seconds and peak memory of each model, each in a process of its own."""
    print(f"\nfit and predict_proba, n = {n_samples}, one thread, a process each")
    for n_programs, n_classes in SPEED_SHAPES:
        for name in chosen:
            seconds, memory = [], []
            for _ in range(repeats):
                command = [sys.executable, __file__, "--one", name]
                command += ["--shape", f"{n_samples},{n_programs},{n_classes}"]
                done = subprocess.run(
                    command,
                    env={**os.environ, **ONE_THREAD},
                    capture_output=True,
                    check=True,
                    text=True,
                )
                result = json.loads(done.stdout.splitlines()[-1])
                seconds.append(result["seconds"])
                memory.append(result["gigabytes"])
            print(
                f"m = {n_programs:3d}  k = {n_classes:2d}  {name:14s}"
                f"{np.median(seconds):8.2f} s  ({min(seconds):.2f}-{max(seconds):.2f})"
                f"{max(memory):8.2f} GB more than before"
            )


def measure_one(name: str, shape: tuple[int, int, int]) -> None:
    """Print what one model needs, as JSON."""
    n_samples, n_programs, n_classes = shape
    problem = regime("independent", 1, n_samples, n_programs, n_classes)
    model = models()[name]
    run(model, problem.votes[:100], n_classes)  # imports are not what is measured
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, seconds = run(model, problem.votes, n_classes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    unit = 1e9 if sys.platform == "darwin" else 1e6
    print(json.dumps({"seconds": seconds, "gigabytes": peak / unit}))


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run what it asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--sizes", nargs="+", default=["5000,10,2"], metavar="N,M,K")
    parser.add_argument("--votes", type=pathlib.Path, help="folder of .npz files")
    parser.add_argument("--data", type=pathlib.Path, help="text sets, votes, crowds")
    parser.add_argument("--recordings", type=pathlib.Path, help="recorded programs")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument(
        "--labels", type=int, metavar="N", help="calibration with N labels, of --data"
    )
    parser.add_argument("--only", nargs="+", help="names of models")
    parser.add_argument("--speed", type=int, metavar="N", help="measure on N samples")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--shape", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        measure_one(options.one, tuple(map(int, options.shape.split(","))))
        return
    chosen = models()
    if options.only:
        chosen = {
            n: m for n, m in chosen.items() if n in {*options.only, "majority vote"}
        }
    if options.speed:
        measure_speed(options.speed, chosen, options.repeats)
        return
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    if options.data:
        sets = all_families(options.data, options.recordings, options.families)
        if options.labels:
            compare_calibration(sets, options.labels, seeds)
        else:
            compare_families(sets, chosen)
        return
    sizes = [tuple(map(int, size.split(","))) for size in options.sizes]
    in_regimes = compare_regimes(seeds, sizes, chosen)
    in_sets = compare_sets(seeds, options.votes, chosen)
    print("\nagainst majority vote    mean gain  mean regret  worst")
    for name in chosen:
        gains = np.array(in_regimes[name] + in_sets[name])
        regret = np.maximum(-gains, 0)
        print(f"{name:24s}{gains.mean():9.3f}{regret.mean():13.4f}{regret.max():7.3f}")


if __name__ == "__main__":
    main()
