"""Compare ten calls asked the plain way with ten calls of the plan.

The plain way is the one-step mode of Huang et al. (NeurIPS 2024): one prompt, sent ten
times. Both ways get the same task, the same classes, the same model and at most ten
calls; votes, label model and student are the same code. Test rows and gold labels are
used to score and for nothing else.

The answers come from ``benchmarks/recordings``, so that no key is needed::

    python benchmarks/synthesis.py DATA

DATA is a folder with ``youtube.csv.gz``, ``yelp.csv.gz`` and
``medabs_singlelabel.csv.gz``, each with the columns split, text and label. To record
answers of a model first (see also benchmarks/recordings/README.md)::

    python benchmarks/synthesis.py DATA --record --model openai/gpt-4o-mini
"""

import argparse
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from _bootstrap import differences, interval
from _plain import plain_questions
from _tasks import TASKS, Task
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.frozen import FrozenEstimator

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.exceptions import AlchemistWarning, ProgramRejected
from sklearn_alchemist.llm import CompletionStore, ask, write_recordings
from sklearn_alchemist.programs import check_program
from sklearn_alchemist.synthesis import extract_source

N_CALLS = {"plain": 10, "ours": 10}
WAYS = ("plain", "ours")
METHODS = ("majority vote", "aggregator", "student")


@dataclass(frozen=True)
class Data:
    """Texts to label, and those that score."""

    train: list[str]
    test: list[str]
    gold: np.ndarray


def load(folder: Path, name: str) -> Data:
    rows = pd.read_csv(folder / f"{name}.csv.gz", keep_default_na=False)
    train, test = rows[rows.split == "train"], rows[rows.split == "test"]
    return Data(train.text.tolist(), test.text.tolist(), test.label.to_numpy())


def plain_labeler(llm: LLM, task: Task) -> ProgramSynthesisLabeler:
    """Have programs written the plain way; what cannot be loaded is left out."""
    questions = plain_questions(task.task, task.classes, task.record, N_CALLS["plain"])
    programs = []
    for place, completion in enumerate(ask(llm, questions).completions):
        try:
            program = LabelingProgram(
                f"plain_{place}",
                extract_source(completion.text),
                returns="index",
                class_order=tuple(task.classes),
            )
            check_program(program)
        except (ProgramRejected, ValueError) as error:
            print(f"  plain_{place} is left out: {error}")
        else:
            programs.append(program)
    return ProgramSynthesisLabeler(classes=task.classes, programs=programs)


def our_labeler(llm: LLM, task: Task) -> ProgramSynthesisLabeler:
    """Have programs written by the defaults, without repairs: no call more."""
    return ProgramSynthesisLabeler(
        llm,
        task=task.task,
        classes=task.classes,
        n_programs=N_CALLS["ours"],
        max_repairs=0,
    )


LABELERS = {"plain": plain_labeler, "ours": our_labeler}


class RunOnce(TransformerMixin, BaseEstimator):
    """Remember the votes on texts, since programs may take a minute for them."""

    def __init__(self, labeler: ProgramSynthesisLabeler) -> None:
        self.labeler = labeler
        self.classes_ = labeler.classes_
        self._votes: dict[int, np.ndarray] = {}

    def fit(self, X: list[str], y: None = None) -> "RunOnce":
        return self

    def transform(self, X: list[str]) -> np.ndarray:
        key = hash(tuple(X))
        if key not in self._votes:
            self._votes[key] = self.labeler.transform(X)
        return self._votes[key]


def hits(labeler: ProgramSynthesisLabeler, data: Data) -> dict[str, np.ndarray]:
    """Say for each method which test rows it labels rightly."""
    fitted = labeler.set_params(n_jobs=-1).fit(data.train)
    programs = RunOnce(fitted)
    votes = programs.transform(data.test)
    annotator = DistilledAnnotator(FrozenEstimator(programs)).fit(data.train)
    majority = LabelModelAggregator(method="majority_vote", classes=fitted.classes_)
    majority.fit(programs.transform(data.train))
    labels = {
        "majority vote": majority.predict(votes),
        "aggregator": annotator.aggregator_.predict(votes),
        "student": annotator.predict(data.test),
    }
    names = [f"{r.name} ({r.reason.splitlines()[0]})" for r in _rejected(fitted)]
    print(
        f"  {len(fitted.programs_)} programs; coverage {(votes >= 0).mean():.2f}, "
        f"rows without a vote {(votes < 0).all(axis=1).mean():.3f}; "
        f"dropped: {', '.join(names) or 'none'}",
        flush=True,
    )
    return {method: labels[method] == data.gold for method in METHODS}


def _rejected(labeler: ProgramSynthesisLabeler) -> list:
    return getattr(labeler, "rejected_", [])


def record(arguments: argparse.Namespace, name: str, way: str, place: int) -> None:
    """Ask a model and write its answers down."""
    path = arguments.recordings / f"{name}-{way}-{place}.jsonl"
    if path.exists():
        print(f"{path} exists and is kept", flush=True)
        return
    arguments.stores.mkdir(parents=True, exist_ok=True)
    store = CompletionStore(arguments.stores / f"{path.stem}.sqlite")
    llm = LLM(
        arguments.model,
        api_base=arguments.api_base,
        timeout=arguments.timeout,
        n_concurrent=N_CALLS[way],
        max_calls=N_CALLS[way],
        store=store.path,
    )
    labeler = LABELERS[way](llm, TASKS[name])
    if way == "ours":
        # No question depends on a record, so any will do.
        labeler.fit(["a first record", "a second record"])
    write_recordings(store, path, answered_by=arguments.answered_by)
    print(f"{path} written", flush=True)


def evaluate(arguments: argparse.Namespace) -> dict[str, dict[str, dict]]:
    """Score all recordings: hits by method, way and data set."""
    scored: dict = {method: {way: {} for way in WAYS} for method in METHODS}
    for name in arguments.names:
        data = load(arguments.data, name)
        for way in WAYS:
            paths = sorted(arguments.recordings.glob(f"{name}-{way}-*.jsonl"))
            found = []
            for path in paths:
                print(f"{path.stem}:", flush=True)
                llm = LLM("recorded", store=path)
                found.append(hits(LABELERS[way](llm, TASKS[name]), data))
            for method in METHODS:
                scored[method][way][name] = np.stack([f[method] for f in found])
    return scored


def report(scored: dict) -> str:
    """Write the table: accuracy of both ways, their difference, and how sure it is."""
    lines = [f"{'':34} plain   ours   difference [95 %]   P(ours > plain)"]
    for method in METHODS:
        plain, ours = scored[method]["plain"], scored[method]["ours"]
        replicates = differences(ours, plain)
        for name in [*plain, "mean"]:
            if name == "mean":
                one, other = (
                    np.mean([right.mean() for right in side.values()])
                    for side in (plain, ours)
                )
            else:
                one, other = plain[name].mean(), ours[name].mean()
            low, high = interval(replicates[name])
            sure = (replicates[name] > 0).mean()
            lines.append(
                f"{method:14} {name:19} {one:.3f}  {other:.3f}   "
                f"{other - one:+.3f} [{low:+.3f}, {high:+.3f}]   {sure:.3f}"
            )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with NAME.csv.gz")
    parser.add_argument("--names", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--recordings", type=Path, default=here / "recordings")
    stores = here.parent / "build" / "recording"
    parser.add_argument("--stores", type=Path, default=stores, help="pays once")
    parser.add_argument("--record", action="store_true", help="ask a model first")
    parser.add_argument("--model", help="the model to ask, as litellm names it")
    parser.add_argument("--api-base", help="address of an OpenAI-compatible server")
    parser.add_argument("--answered-by", help="who answers, written into recordings")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds a call")
    parser.add_argument("--repeats", type=int, default=2, help="recordings of each")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore", AlchemistWarning)  # what is dropped is printed
    if chosen.record:
        places = range(1, chosen.repeats + 1)
        jobs = [*product([chosen], chosen.names, WAYS, places)]
        # At once, since whoever answers may be slow.
        with ThreadPoolExecutor(len(jobs)) as executor:
            list(executor.map(record, *zip(*jobs, strict=True)))
    print(report(evaluate(chosen)))


if __name__ == "__main__":
    main()
