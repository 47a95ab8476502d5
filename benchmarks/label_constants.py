"""Halve and double each constant of the label model, and see what that does.

Run it with ``make benchmark-label-constants DATA=folder RECORDINGS=folder``.
Test splits take no part. A line says, family by family, how much accuracy on rows with
votes and how much Brier score a value gains over the one in use: a constant with lines
near 0 could be any other, one that loses on both sides was chosen well. The last line
leaves each text set out: on how many of them the value in use is at most .0005 worse
(accuracy less Brier score) than that which is best on all others.
"""

import argparse
import importlib
import pathlib
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from _vote_families import FAMILIES, VoteSet, all_families
from label_models import scores, split_accuracy

from sklearn_alchemist import LabelModelAggregator
from sklearn_alchemist.exceptions import AlchemistWarning

CONSTANTS = {
    "_difficulty": ("_UNSEEN_ERRORS", "_BY_COIN", "_LEVEL_STRENGTH"),
    "_em": ("ACCURACY", "STRENGTH", "CLASS_STRENGTH", "_MISSED", "_TIE"),
    "_voting": ("_SILENT_STRENGTH", "_PEER_ACCURACY", "_PEER_STRENGTH"),
    "_fallback": ("_MIN_SAMPLES", "_MAX_WORSE", "_VOTES_PER_CELL"),
    "_dependencies": (
        "_MIN_SHARED",
        "_RESIDUAL",
        "_Z",
        "_MIN_SCORE",
        "_TWIN_VOTES",
        "_TWIN_COVERAGE",
        "_MANY_VOTERS",
        "_MIN_COVERAGE",
        "_ONE_BY_ONE",
    ),
}
"""Those that votes alone judge, by the module that holds them."""

WITH_LABELS = {
    "_patterns": ("LABEL_WEIGHT",),
    "_aggregator_fit": ("_TEMPERATURE_STRENGTH",),
}
"""Those that take labels to judge."""

METHODS = {"_PEER_ACCURACY": "weighted_vote", "_PEER_STRENGTH": "weighted_vote"}
N_DRAWS = 3
Found = tuple[str, str, float, float]


def others(name: str, value: float) -> tuple[float, float]:
    """Return half and double of a value; of an accuracy, its error."""
    if name.endswith("ACCURACY"):
        return 1 - 2 * (1 - value), 1 - (1 - value) / 2
    kind = type(value)
    return kind(value / 2), kind(value * 2)


def measure(sets: Sequence[VoteSet], method: str, n_labels: int = 0) -> Iterator[Found]:
    """Yield family, text set, accuracy and Brier score of each set of votes."""
    for held in sets:
        part = ~held.test if held.family in ("recorded", "matrices") else held.test
        votes, y = held.votes[part], held.y[part]
        if len(y) <= n_labels:
            continue
        has = (votes >= 0).any(axis=1)
        model = LabelModelAggregator(classes=range(held.n_classes), method=method)
        if n_labels:
            model.set_params(semi_supervised=True, temperature="estimate")
        found = []
        for draw in range(N_DRAWS if n_labels else 1):
            labels, rest = None, has
            if n_labels:
                chosen = np.random.default_rng(draw).choice(len(y), n_labels, False)
                labels = np.full(len(y), None)
                labels[chosen] = y[chosen]
                rest = has & ~np.isin(np.arange(len(y)), chosen)
            share = n_labels / len(y) if n_labels else None
            proba = model.fit(votes, labels, label_proba=share).predict_proba(votes)
            found.append(
                (split_accuracy(proba[rest], y[rest]), scores(proba[rest], y[rest])[1])
            )
        yield held.family, held.text_set, *np.mean(found, axis=0)


def judge(sets: Sequence[VoteSet], module: str, name: str, n_labels: int) -> None:
    """Print what half and double of a constant gain over the value in use."""
    where = importlib.import_module(f"sklearn_alchemist.label_model.{module}")
    usual = getattr(where, name)
    method = METHODS.get(name, "dawid_skene")
    table = {}
    try:
        for value in (usual, *others(name, usual)):
            setattr(where, name, value)
            table[value] = list(measure(sets, method, n_labels))
    finally:
        setattr(where, name, usual)
    gains = {
        value: [
            (family, text_set, 100 * (accuracy - base[2]), 100 * (base[3] - brier))
            for (family, text_set, accuracy, brier), base in zip(
                found, table[usual], strict=True
            )
        ]
        for value, found in table.items()
    }
    families = list(dict.fromkeys(family for family, *_ in gains[usual]))
    for value in others(name, usual):
        line = ""
        for family in families:
            rows = [row[2:] for row in gains[value] if row[0] == family]
            line += "  {:+6.2f} {:+6.2f}".format(*np.mean(rows, axis=0))
        print(f"{name:22s}{usual:8g} ->{value:8g}{line}", flush=True)
    kept, n_left_out = stays(gains)
    print(f"{name:22s}{usual:8g} is kept on {kept} of {n_left_out} text sets left out")


def stays(gains: dict[float, list[Found]]) -> tuple[int, int]:
    """Count the text sets on which the best value of all others is no better."""
    usual = next(iter(gains))
    by_set: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for value, rows in gains.items():
        for _, text_set, gain, brier in rows:
            by_set[text_set][value].append(gain + brier)
    means = {
        s: {v: np.mean(x) for v, x in found.items()} for s, found in by_set.items()
    }
    kept = 0
    for left_out, own in means.items():
        rest = [found for name, found in means.items() if name != left_out]
        best = max(gains, key=lambda value: np.mean([found[value] for found in rest]))
        kept += own[best] <= own[usual] + 0.05
    return kept, len(means)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and judge the constants it names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--recordings", type=pathlib.Path)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--only", nargs="+", help="names of constants")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", AlchemistWarning)
    sets = list(all_families(options.data, options.recordings, options.families))
    families = list(dict.fromkeys(held.family for held in sets))
    print("accuracy and Brier score in hundredths, gained: " + ", ".join(families))
    for group, n_labels in ((CONSTANTS, 0), (WITH_LABELS, 50)):
        for module, names in group.items():
            for name in names:
                if not options.only or name in options.only:
                    judge(sets, module, name, n_labels)


if __name__ == "__main__":
    main()
