"""Compare ten calls asked the plain way with ten of the plan, and the plan's levers.

The plain way is the one-step mode of Huang et al. (NeurIPS 2024): one prompt, sent ten
times. All ways get the same task, the same classes, the same model and at most ten
calls; votes, label model and student are the same code. Test rows and gold labels are
used to score and for nothing else.

The answers come from ``benchmarks/recordings``, so that no key is needed::

    python benchmarks/synthesis.py DATA             # plain calls and the plan
    python benchmarks/synthesis.py DATA --levers    # the plan with and without levers

DATA is a folder with ``youtube.csv.gz``, ``yelp.csv.gz`` and
``medabs_singlelabel.csv.gz``, each with the columns split, text and label. To record
answers of a model first (see also benchmarks/recordings/README.md)::

    python benchmarks/synthesis.py DATA --record --model openai/gpt-4o-mini

A recording of levers holds more than ten answers: those to the plan, those that give
scores and, where classes are many, those about groups of classes. Each way takes ten.
"""

import argparse
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from _bootstrap import differences, interval
from _plain import plain_questions
from _tasks import TASKS, Task
from _text_sets import some_rows
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
from sklearn_alchemist.programs import check_program, run_programs
from sklearn_alchemist.synthesis import Prompts, extract_source
from sklearn_alchemist.synthesis._plan import MANY_CLASSES

N_CALLS = 10
METHODS = ("majority vote", "aggregator", "student")
# How many of ten programs give scores.
N_SCORING = 3
# More are recorded, so that other numbers can be tried.
N_SCORING_RECORDED = 4


@dataclass(frozen=True)
class Data:
    """Texts to label, and those that score."""

    train: list[str]
    test: list[str]
    gold: np.ndarray


def load(folder: Path, name: str, n_rows: int | None = None) -> Data:
    rows = pd.read_csv(folder / f"{name}.csv.gz", keep_default_na=False)
    train, test = rows[rows.split == "train"], rows[rows.split == "test"]
    texts, _ = some_rows(train.text.tolist(), train.label.to_numpy(), n_rows)
    return Data(texts, test.text.tolist(), test.label.to_numpy())


def plain_labeler(llm: LLM, task: Task) -> ProgramSynthesisLabeler:
    """Have programs written the plain way; what cannot be loaded is left out."""
    questions = plain_questions(task.task, task.classes, task.record, N_CALLS)
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


def our_labeler(llm: LLM, task: Task, **options: Any) -> ProgramSynthesisLabeler:
    """Have programs written by the defaults, without repairs: no call more."""
    options = {"n_programs": N_CALLS, "class_groups": False, **options}
    return ProgramSynthesisLabeler(
        llm, task=task.task, classes=task.classes, max_repairs=0, **options
    )


@dataclass(frozen=True)
class Way:
    """How ten programs are got: from which recordings, with which parameters."""

    recorded: str
    options: dict[str, Any] = field(default_factory=dict)

    def labeler(self, llm: LLM, task: Task) -> ProgramSynthesisLabeler:
        if self.recorded == "plain":
            return plain_labeler(llm, task)
        return our_labeler(llm, task, **self.options)


EARLIER = Prompts.of_version("3")
WAYS = {"plain": Way("plain"), "ours": Way("ours", {"prompts": EARLIER})}
# The first is what all others are compared with.
LEVERS = {
    "plan of version 3": Way("ours", {"prompts": EARLIER}),
    "plan": Way("levers"),
    "plan at leisure": Way("plan"),
    "scores": Way("levers", {"n_scoring": N_SCORING}),
    "gate": Way("levers", {"gate": True}),
    "scores and gate": Way("levers", {"n_scoring": N_SCORING, "gate": True}),
    "groups of classes": Way("levers", {"class_groups": True}),
}
# What is asked of a model for a recording, at the same time.
ASKED: dict[str, list[Way]] = {
    "plain": [WAYS["plain"]],
    "ours": [WAYS["ours"]],
    "plan": [Way("plan")],
    "levers": [
        Way("levers"),
        Way(
            "levers",
            {"n_programs": N_SCORING_RECORDED, "n_scoring": N_SCORING_RECORDED},
        ),
    ],
}


def takes_groups(task: Task) -> bool:
    """Whether a task has so many classes that groups of them are looked after."""
    return len(task.classes) >= MANY_CLASSES


class RunOnce(TransformerMixin, BaseEstimator):
    """Remember the votes on texts, since programs may take a minute for them."""

    known: ClassVar[dict[tuple[str, int], np.ndarray]] = {}

    def __init__(self, labeler: ProgramSynthesisLabeler) -> None:
        self.labeler = labeler
        self.classes_ = labeler.classes_

    def fit(self, X: list[str], y: None = None) -> "RunOnce":
        return self

    def transform(self, X: list[str]) -> np.ndarray:
        texts = hash(tuple(X))
        programs = self.labeler.programs_
        new = [p for p in programs if (p.digest, texts) not in self.known]
        if new:
            votes = run_programs(new, {"text": X}, self.classes_.tolist(), n_jobs=-1)
            for j, program in enumerate(new):
                self.known[program.digest, texts] = votes.votes[:, j]
        return np.stack([self.known[p.digest, texts] for p in programs], axis=1)


def hits(labeler: ProgramSynthesisLabeler, data: Data) -> dict[str, np.ndarray]:
    """Say for each method which test rows it labels rightly."""
    fitted = labeler.fit(data.train)
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
        n_concurrent=N_CALLS,
        max_calls=N_CALLS,
        store=store.path,
    )
    ways = list(ASKED[way])
    if way == "levers" and takes_groups(TASKS[name]):
        ways.append(LEVERS["groups of classes"])

    def ask_all(one: Way) -> None:
        labeler = one.labeler(llm, TASKS[name])
        if one.recorded != "plain":
            # No question depends on a record, so any will do.
            labeler.fit(["a first record", "a second record"])

    with ThreadPoolExecutor(len(ways)) as executor:
        list(executor.map(ask_all, ways))
    write_recordings(store, path, answered_by=arguments.answered_by)
    print(f"{path} written", flush=True)


def evaluate(
    arguments: argparse.Namespace, ways: dict[str, Way]
) -> dict[str, dict[str, dict]]:
    """Score all recordings: hits by method, way and data set."""
    scored: dict = {method: {way: {} for way in ways} for method in METHODS}
    for name in arguments.names:
        path = arguments.data / f"{name}.csv.gz"
        if not path.exists():
            print(f"{path} is not there: left out", flush=True)
            continue
        data = load(arguments.data, name, arguments.rows)
        for label, way in ways.items():
            if "class_groups" in way.options and not takes_groups(TASKS[name]):
                continue
            paths = sorted(arguments.recordings.glob(f"{name}-{way.recorded}-*.jsonl"))
            found = []
            for path in paths:
                print(f"{label}, {path.stem}:", flush=True)
                llm = LLM("recorded", store=path)
                found.append(hits(way.labeler(llm, TASKS[name]), data))
            for method in METHODS if found else ():
                scored[method][label][name] = np.stack([f[method] for f in found])
    return scored


def compare(scored: dict, one: str, other: str) -> Iterator[str]:
    """Write lines: accuracy of two ways, their difference, and how sure it is."""
    for method in METHODS:
        names = [n for n in scored[method][one] if n in scored[method][other]]
        if not names:
            continue
        sides = [{n: scored[method][way][n] for n in names} for way in (one, other)]
        replicates = differences(sides[1], sides[0])
        for name in [*names, "mean"]:
            first, second = (
                np.mean([side[n].mean() for n in (names if name == "mean" else [name])])
                for side in sides
            )
            low, high = interval(replicates[name])
            sure = (replicates[name] > 0).mean()
            yield (
                f"{method:14} {name:19} {first:.3f}  {second:.3f}   "
                f"{second - first:+.3f} [{low:+.3f}, {high:+.3f}]   {sure:.3f}"
            )


_HEAD = f"{'':34} first  second  difference [95 %]   P(second > first)"


def report(scored: dict, ways: dict[str, Way]) -> str:
    """Write the tables: each way beside the first, and each lever beside the plan."""
    first, *others = ways
    pairs = [(first, other) for other in others]
    if "plan" in others:  # of which all levers share programs
        pairs += [("plan", other) for other in others if other != "plan"]
    lines = []
    for one, other in pairs:
        told = list(compare(scored, one, other))
        if told:
            lines += [f"{other} beside {one}:", _HEAD, *told, ""]
    return "\n".join(lines).rstrip()


def main(arguments: list[str] | None = None) -> None:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with NAME.csv.gz")
    parser.add_argument("--names", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--recordings", type=Path, default=here / "recordings")
    stores = here.parent / "build" / "recording"
    parser.add_argument("--stores", type=Path, default=stores, help="pays once")
    parser.add_argument("--record", action="store_true", help="ask a model first")
    parser.add_argument("--only-record", action="store_true", help="and do no more")
    parser.add_argument("--ask", nargs="+", choices=list(ASKED), help="these questions")
    parser.add_argument("--model", help="the model to ask, as litellm names it")
    parser.add_argument("--api-base", help="address of an OpenAI-compatible server")
    parser.add_argument("--answered-by", help="who answers, written into recordings")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds a call")
    parser.add_argument("--repeats", type=int, default=2, help="recordings of each")
    parser.add_argument("--places", nargs="+", type=int, help="only these of them")
    parser.add_argument("--levers", action="store_true", help="compare the levers")
    parser.add_argument("--rows", type=int, help="most rows to train on; default all")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore", AlchemistWarning)  # what is dropped is printed
    ways = LEVERS if chosen.levers else WAYS
    if chosen.record:
        places = chosen.places or range(1, chosen.repeats + 1)
        asked = chosen.ask or (["levers"] if chosen.levers else list(WAYS))
        jobs = [*product([chosen], chosen.names, asked, places)]
        # At once, since whoever answers may be slow.
        with ThreadPoolExecutor(len(jobs)) as executor:
            list(executor.map(record, *zip(*jobs, strict=True)))
    if not chosen.only_record:
        print(report(evaluate(chosen, ways), ways))


if __name__ == "__main__":
    main()
