"""Measure what reading some records adds to programs, from recorded answers.

    python benchmarks/cascade.py DATA

DATA is that of benchmarks/synthesis.py; the answers are those of record_answers.py. A
`CascadeAnnotator` is fitted to the training records, 200 of which were answered, and
orders the others by what an answer is worth. Of these, some of the least sure fifth and
some of the rest were answered: what reading changes is weighted back to all of them.
Intervals are of a bootstrap over answered records within these parts.

``--constants`` looks at training records only: what becomes of the other half of the
answered ones, where the annotator learns from no answer or from all to the first half.
"""

import argparse
import json
import tempfile
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np
from _answers import digest, read_answers
from _bootstrap import interval
from _tasks import TASKS
from _text_sets import read_text_set
from record_answers import HERE, OTHERS, RANDOM, UNSURE, labeler_of, split

from sklearn_alchemist import (
    LLM,
    CascadeAnnotator,
    DistilledAnnotator,
    ZeroShotAnnotator,
)
from sklearn_alchemist.cascade import bound_target
from sklearn_alchemist.distillation import _blend
from sklearn_alchemist.llm import Completion, CompletionStore
from sklearn_alchemist.llm._completion import digest as question_digest
from sklearn_alchemist.llm._recordings import request_for
from sklearn_alchemist.zero_shot import write_questions

SHARES = (0.02, 0.05, 0.1, 0.2)
# Dollars per million tokens of the one price table in which all is told.
PRICES = {"input": 2.5, "output": 10.0}
TARGET, N_LABELS, N_DRAWS = 0.05, 200, 100
# At a tenth of the records: times the gain of random ones, and share of the way to the
# model alone where that is longer than _WAY.
_LEAST_TIMES, _LEAST_SHARE, _WAY = 1.7, 0.2, 0.05
_MEAN_TIMES, _MEAN_SHARE = 2.5, 0.3


@dataclass(frozen=True)
class Pool:
    """Records that were not learned from, and what is known of those answered.

    `alone` (whether the annotator is right) and `dollars` are of all records, that
    worth most first; `rank` (as a share), `stratum` and the rest of the answered ones.
    """

    alone: np.ndarray
    expected: dict[float, float]
    dollars: np.ndarray
    rank: np.ndarray
    stratum: np.ndarray
    n_rows: np.ndarray
    worth: np.ndarray
    right_alone: np.ndarray
    right_read: np.ndarray
    right_model: np.ndarray

    def weights(self):
        """Say for what share of the pool each answered record stands."""
        sizes = np.bincount(self.stratum, minlength=len(self.n_rows))
        return (self.n_rows / sizes)[self.stratum] / self.n_rows.sum()


def seed_answers(llm, task, answers, texts):
    """Put recorded answers into a store, as if each record had been asked alone."""
    names = sorted(task.classes)
    described = {name: task.classes[name] for name in names}
    asked, questions = write_questions(
        llm, task.task, described, [[text] for text in texts]
    )
    kept = []
    for text, question in zip(texts, questions, strict=True):
        label = answers.label[digest(text)]
        request = request_for(asked, question)
        completion = Completion(
            text=json.dumps({"label": label}),
            model=answers.answered_by,
            created=datetime.now(UTC).isoformat(),
        )
        kept.append((question_digest(request), request, completion))
    CompletionStore(llm.store).add(kept)


def fit_cascade(task, labeler, answers, learned, judged, folder):
    """Fit to training records, with the recorded answers to them in a store."""
    llm = LLM("recorded", store=folder / "answers.sqlite", offline=True, prices=PRICES)
    seed_answers(llm, task, answers, judged)
    judges = ZeroShotAnnotator(llm, task=task.task, classes=task.classes)
    return CascadeAnnotator(DistilledAnnotator(labeler), judges).fit(learned), llm


def look(data, parts, answers, cascade, llm, task):
    """Rank the pool, and see who is right where there is an answer."""
    texts = data.texts[parts.pool].tolist()
    gold = data.labels[parts.pool]
    rows = answers.rows(texts, UNSURE, OTHERS)
    seed_answers(llm, task, answers, [texts[i] for i in rows])
    view = cascade._look(texts)
    order = np.argsort(-view.gain, kind="stable")
    rank = np.empty(len(texts))
    rank[order] = (np.arange(len(texts)) + 0.5) / len(texts)
    said = cascade.classes_[view.proba.argmax(axis=1)]
    read = cascade.predict([texts[i] for i in rows])
    told = np.array(answers.of([texts[i] for i in rows]), dtype=object)
    sure, gain = view.proba.max(axis=1), view.gain[order]
    counts = {share: round(share * len(texts)) for share in SHARES}
    stratum = np.array(
        [int(answers.part[digest(texts[i])] == OTHERS) for i in rows], dtype=int
    )
    return Pool(
        alone=(said == gold)[order],
        expected={s: float(sure.mean() + gain[:n].sum() / len(texts))
                  for s, n in counts.items()},
        dollars=view.dollars[order],
        rank=rank[rows],
        stratum=stratum,
        n_rows=np.array([answers.n_rows[UNSURE], answers.n_rows[OTHERS]]),
        worth=view.gain[rows],
        right_alone=said[rows] == gold[rows],
        right_read=read == gold[rows],
        right_model=told == gold[rows],
    )  # fmt: skip


def figures(pool, chosen=slice(None)):
    """Accuracies of one bootstrap replicate, by name.

    Of records that are not read, all is known; of those that are, what was answered.
    """
    names = ("rank", "stratum", "worth", "right_alone", "right_read", "right_model")
    pool = replace(pool, **{name: getattr(pool, name)[chosen] for name in names})
    weights, alone, n_rows = pool.weights(), pool.alone.mean(), len(pool.alone)
    model, every = weights @ pool.right_model, weights @ pool.right_read
    wrong = weights * ~pool.right_alone
    mends = (wrong @ pool.right_model) / max(wrong.sum(), 1e-12)
    found = {"model": model, "all": every}
    for share in SHARES:
        n_read, asked = round(share * n_rows), weights * (pool.rank <= share)
        right = (asked @ pool.right_read) / max(asked.sum(), 1e-12)
        found[share] = (n_read * right + pool.alone[n_read:].sum()) / n_rows
        found["random", share] = alone + share * (every - alone)
        worst = min(share, 1 - alone)
        found["worst", share] = alone + worst * model
        found["worst, mended", share] = alone + worst * mends
    return found


def bootstrap(pool, n_replicates=2000, seed=0):
    """Draw answered records again within their strata."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(pool.stratum == k) for k in range(len(pool.n_rows))]
    return [
        figures(pool, np.concatenate([rng.choice(m, len(m)) for m in members]))
        for _ in range(n_replicates)
    ]


def keep_target(pool, seed=0):
    """Draw gold labels and see whether the target of the bound is exceeded."""
    rng = np.random.default_rng(seed)
    copies = np.maximum(np.round(pool.weights() * 4000).astype(int), 1)
    rows = np.repeat(np.arange(len(copies)), copies)
    alone, read = ~pool.right_alone[rows], ~pool.right_read[rows]
    # Equal worth is told apart, as that of different records is.
    worth = pool.worth[rows] + rng.uniform(0, 1e-9, len(rows))
    exceeded, promised, shares = 0, 0, []
    for _ in range(N_DRAWS):
        drawn = rng.permutation(len(rows))[:N_LABELS]
        target = bound_target(
            worth, drawn, alone[drawn], read[drawn], target_error=TARGET, confidence=0.9
        )
        if target.threshold is None:
            continue
        asked = worth >= target.threshold
        promised += 1
        exceeded += np.where(asked, read, alone).mean() > TARGET
        shares.append(asked.mean())
    return exceeded, promised, float(np.mean(shares)) if shares else np.nan


def tell(name, pool, replicates):
    """Print the frontier of one data set; return what is told of a tenth."""
    found = figures(pool)

    def told(key):
        low, high = interval([replicate[key] for replicate in replicates])
        return f"{found[key]:.3f} ({low:.3f} to {high:.3f})"

    n_rows, alone = len(pool.dollars), pool.alone.mean()
    print(f"\n{name}: {n_rows} records, {len(pool.rank)} of them answered")
    print(f"  programs alone      {alone:.3f}                    $0.00")
    for share in SHARES:
        dollars = pool.dollars[: round(share * n_rows)].sum()
        print(
            f"  {share:4.0%} read           {told(share)}  ${dollars:.2f}  "
            f"expected {pool.expected[share]:.3f}  random {found['random', share]:.3f}"
            f"  truly worst {found['worst', share]:.3f}, by this model"
            f" {found['worst, mended', share]:.3f}"
        )
    print(f"  all read            {told('all')}  ${pool.dollars.sum():.2f}")
    print(f"  model alone         {told('model')}  ${pool.dollars.sum():.2f}")
    exceeded, promised, share = keep_target(pool)
    print(
        f"  error <= {TARGET:.0%} by {N_LABELS} labels: promised in {promised} of "
        f"{N_DRAWS} draws, exceeded in {exceeded}; {share:.0%} read on average"
    )
    tenth, random = found[0.1] - alone, found["random", 0.1] - alone
    return {
        "gain": tenth,
        "random": random,
        "way": found["model"] - alone,
        "worst": found["worst", 0.1] - alone,
        "mended": found["worst, mended", 0.1] - alone,
    }


def judge(tenths):
    """Print what a tenth of the records gives on each set and on their mean."""
    print("\nA tenth of the records:")
    kept = True
    for name, t in tenths.items():
        times = t["gain"] / t["random"] if t["random"] > 0 else np.nan
        share = t["gain"] / t["way"] if t["way"] > 0 else np.nan
        good = times >= _LEAST_TIMES and (t["way"] <= _WAY or share >= _LEAST_SHARE)
        kept &= bool(good)
        print(
            f"  {name:20s} gain {t['gain']:+.4f}, {times:.1f} times that of random "
            f"records, {share:.0%} of a way of {t['way']:+.3f}, "
            f"{t['gain'] / t['worst']:.0%} of what the truly worst could give, "
            f"{t['gain'] / max(t['mended'], 1e-12):.0%} of what this model mends"
            f"{'' if good else '  below what is asked for'}"
        )
    mean = {
        key: np.mean([t[key] for t in tenths.values()]) for key in ("gain", "random")
    }
    long = [t["gain"] / t["way"] for t in tenths.values() if t["way"] > _WAY]
    times = mean["gain"] / mean["random"]
    share = np.mean(long) if long else np.nan
    good = times >= _MEAN_TIMES and (not long or share >= _MEAN_SHARE)
    print(
        f"  mean                 gain {mean['gain']:+.4f}, {times:.1f} times, "
        f"{share:.0%} of the way{'' if good else '  below what is asked for'}"
    )
    return kept and bool(good)


def try_constants(task, labeler, answers, learned, gold):
    """Let the annotator learn from half of the answers; judge by the other half."""
    rows = np.random.default_rng(0).permutation(answers.rows(learned, RANDOM))
    found = {}
    for taught_by, least in (
        ("no answer", np.inf),
        ("answers", _blend._LEAST_KAPPA),
    ):
        right = []
        for taught, judged in (np.array_split(rows, 2), np.array_split(rows, 2)[::-1]):
            with (
                tempfile.TemporaryDirectory() as folder,
                mock.patch.object(_blend, "_LEAST_KAPPA", least),
            ):
                cascade, llm = fit_cascade(
                    task,
                    labeler,
                    answers,
                    learned,
                    [learned[i] for i in taught],
                    Path(folder),
                )
                texts = [learned[i] for i in judged]
                alone = cascade.annotator_.predict_proba(texts)
                seed_answers(llm, task, answers, texts)
                read = cascade.predict_proba(texts)
            codes = np.searchsorted(cascade.classes_, gold[judged])
            right.append(
                [(np.argmax(proba, axis=1) == codes).mean() for proba in (alone, read)]
                + [
                    -np.log(proba[np.arange(len(codes)), codes]).mean()
                    for proba in (alone, read)
                ]
            )
        found[taught_by] = np.mean(right, axis=0)
    told = (answers.of([learned[i] for i in rows]) == gold[rows]).mean()
    print(f"  model alone {told:.3f}")
    for taught_by, (alone, read, loss, loss_read) in found.items():
        print(
            f"  taught by {taught_by:10s} alone {alone:.3f} (log-loss {loss:.3f}), "
            f"with answers {read:.3f} ({loss_read:.3f})",
            flush=True,
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with NAME.csv.gz")
    parser.add_argument("--names", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--recordings", type=Path, default=HERE / "recordings")
    parser.add_argument("--constants", action="store_true")
    parser.add_argument("--replicates", type=int, default=2000)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    tenths = {}
    for name in options.names:
        path = options.recordings / "answers" / f"{name}.jsonl"
        data = read_text_set(options.data, name)
        if data is None or not path.exists():
            print(f"{name}: no data or no recorded answers, left out")
            continue
        answers, parts, task = read_answers(path), split(data), TASKS[name]
        labeler = labeler_of(name, options.recordings)
        learned = data.texts[parts.training].tolist()
        if options.constants:
            print(f"\n{name}: {len(learned)} training records")
            gold = data.labels[parts.training]
            try_constants(task, labeler, answers, learned, gold)
            continue
        judged = [learned[i] for i in answers.rows(learned, RANDOM)]
        with tempfile.TemporaryDirectory() as folder:
            cascade, llm = fit_cascade(
                task, labeler, answers, learned, judged, Path(folder)
            )
            pool = look(data, parts, answers, cascade, llm, task)
        tenths[name] = tell(name, pool, bootstrap(pool, options.replicates))
    return judge(tenths) if tenths else True


if __name__ == "__main__":
    raise SystemExit(not main())
