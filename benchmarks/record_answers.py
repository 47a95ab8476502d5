"""Ask a language model for the classes of some records of each data set.

The records are those that the benchmarks of cascades and of labels by a model need:

* 1,000 records of the part for training are drawn, and 200 of them are asked about;
* an annotator of the recorded programs is fitted to the thousand, and orders the other
  records by how sure it is of them: 150 of the least sure fifth and 100 of the others
  are asked about.

Records of one call are of both kinds, in random order. Nothing is told of programs,
probabilities or labels. ::

    python benchmarks/record_answers.py DATA --model openai/gpt-4o-mini

DATA is that of benchmarks/synthesis.py. Answers are written to
benchmarks/recordings/answers without the records; see benchmarks/_answers.py.
"""

import argparse
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _answers import Answers, digest, write_answers
from _tasks import TASKS
from _text_sets import read_text_set

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.synthesis import Prompts

HERE = Path(__file__).parent
N_TRAINING, N_RANDOM, N_UNSURE, N_OTHERS = 1000, 200, 150, 100
UNSURE_SHARE = 0.2
RANDOM, UNSURE, OTHERS = "training", "least sure fifth", "others"
# Of data with fewer records for testing, all that the annotator has not seen are used.
_LEAST_TESTED = 700


@dataclass(frozen=True)
class Parts:
    """Which records an annotator learns from, and which it is asked about."""

    training: np.ndarray
    pool: np.ndarray


def split(data, seed=0):
    """Draw records to learn from; the others are asked about."""
    rng = np.random.default_rng(seed)
    _, first = np.unique(data.texts.astype(str), return_index=True)
    distinct = np.isin(np.arange(len(data.texts)), first)
    learned = np.flatnonzero((data.split == "train") & distinct)
    training = np.sort(rng.permutation(learned)[:N_TRAINING])
    pool = np.flatnonzero((data.split == "test") & distinct)
    if len(pool) < _LEAST_TESTED:
        pool = np.setdiff1d(np.flatnonzero(distinct), training)
    return Parts(training, pool)


def labeler_of(name, recordings=HERE / "recordings"):
    """Have the recorded programs of the plan read again, which asks nobody."""
    task = TASKS[name]
    return ProgramSynthesisLabeler(
        LLM("recorded", store=recordings / f"{name}-ours-1.jsonl"),
        task=task.task,
        classes=task.classes,
        n_programs=10,
        max_repairs=0,
        class_groups=False,
        prompts=Prompts.of_version("3"),  # to which the recorded answers are
    )


def draw(data, parts, labeler, seed=0):
    """Say which records are asked about, as positions by part."""
    rng = np.random.default_rng(seed)
    annotator = DistilledAnnotator(labeler).fit(data.texts[parts.training].tolist())
    sure = annotator.predict_proba(data.texts[parts.pool].tolist()).max(axis=1)
    order = parts.pool[np.argsort(sure, kind="stable")]
    n_unsure = int(UNSURE_SHARE * len(order))
    among = {
        RANDOM: parts.training,
        UNSURE: order[:n_unsure],
        OTHERS: order[n_unsure:],
    }
    sizes = {RANDOM: N_RANDOM, UNSURE: N_UNSURE, OTHERS: N_OTHERS}
    drawn = {part: rng.permutation(rows)[: sizes[part]] for part, rows in among.items()}
    return drawn, {part: len(rows) for part, rows in among.items()}


def record(options, name):
    """Ask about the records of one data set and write the answers down."""
    path = options.recordings / "answers" / f"{name}.jsonl"
    if path.exists():
        print(f"{path} exists and is kept", flush=True)
        return
    data = read_text_set(options.data, name)
    drawn, n_rows = draw(data, split(data), labeler_of(name, options.recordings))
    rng = np.random.default_rng(1)
    asked = [
        rng.permutation(drawn[RANDOM]),
        rng.permutation(np.concatenate([drawn[UNSURE], drawn[OTHERS]])),
    ]
    llm = LLM(
        options.model,
        api_base=options.api_base,
        timeout=options.timeout,
        n_concurrent=40,
        store=options.store,
    )
    label = {}
    task = TASKS[name]
    for rows, rows_per_call in zip(asked, (20, 25), strict=True):
        judge = ZeroShotAnnotator(
            llm, task=task.task, classes=task.classes, rows_per_call=rows_per_call
        )
        texts = data.texts[rows].tolist()
        said = judge.fit(texts).annotate(texts)
        answers = np.where(said.flag, None, said.label)
        label |= dict(zip(map(digest, texts), answers.tolist(), strict=True))
    of = {digest(data.texts[i]): part for part, rows in drawn.items() for i in rows}
    path.parent.mkdir(exist_ok=True)
    write_answers(
        path,
        Answers(label, of, n_rows, options.answered_by),
        date=options.date,
        rows_per_call={RANDOM: 20, UNSURE: 25, OTHERS: 25},
    )
    print(f"{path} written: {len(label)} answers", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with NAME.csv.gz")
    parser.add_argument("--names", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--recordings", type=Path, default=HERE / "recordings")
    store = HERE.parent / "build" / "answers.sqlite"
    parser.add_argument("--store", type=Path, default=store, help="pays once")
    parser.add_argument("--model", required=True, help="as litellm names it")
    parser.add_argument("--api-base", help="address of an OpenAI-compatible server")
    parser.add_argument("--answered-by", required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds a call")
    options = parser.parse_args(arguments)
    options.store.parent.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    with ThreadPoolExecutor(len(options.names)) as executor:
        list(executor.map(record, [options] * len(options.names), options.names))


if __name__ == "__main__":
    main()
