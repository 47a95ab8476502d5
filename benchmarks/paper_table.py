"""Run the eight text data sets of the paper that are at hand, beside its numbers.

    python benchmarks/paper_table.py DATA --recordings RECORDINGS
    python benchmarks/paper_table.py DATA --model openai/gpt-4o-mini --zero-shot

DATA is a folder of NAME.csv.gz with the columns split, text and label; data sets whose
file is missing are named and left out. Programs come from RECORDINGS, a folder of
folders NAME with programs and a classes.json with the order of their classes, or are
written by a model. One call a row is counted, and asked only with --zero-shot.
Published numbers are of GPT-3.5 in 2024, on splits of the paper; `docs/benchmarks.rst`
says where each data set comes from.
"""

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from _text_sets import Remembered, read_programs, read_text_set, recorded_labeler

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.distillation import text_student
from sklearn_alchemist.llm import Prices, Usage, count_tokens, prices_of
from sklearn_alchemist.zero_shot import write_messages

# Price list for counted tokens where the model that is asked has none.
PRICED_AS = "gpt-3.5-turbo-0125"


@dataclass(frozen=True)
class Paper:
    """A data set, its task, and the published accuracy and cost in dollars."""

    task: str
    zero_shot: float
    alchemist: float
    zero_shot_cost: float
    alchemist_cost: float


PAPER = {
    "youtube": Paper("Is this comment on a video spam?", 0.871, 0.891, 0.096, 0.004),
    "sms": Paper("Is this text message spam?", 0.907, 0.900, 0.240, 0.004),
    "yelp": Paper("Is this review positive or negative?", 0.845, 0.575, 3.87, 0.005),
    "imdb": Paper(
        "Is this review of a film positive or negative?", 0.737, 0.662, 3.40, 0.004
    ),
    "medabs": Paper(
        "Which condition is this medical abstract about?", 0.311, 0.346, 1.94, 0.006
    ),
    "cancer": Paper(
        "Which cancer is this biomedical document about?", 0.716, 0.968, 15.9, 0.003
    ),
    "finance": Paper(
        "What is the sentiment of this sentence from financial news?",
        0.641, 0.660, 0.201, 0.007,
    ),
    "french": Paper("Which kind of French book is this?", 0.611, 0.690, 0.641, 0.006),
}  # fmt: skip


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--recordings")
    parser.add_argument("--model", help="as litellm writes it")
    parser.add_argument("--api-base")
    parser.add_argument("--store")
    parser.add_argument(
        "--zero-shot", action="store_true", help="ask for each test row"
    )
    parser.add_argument("--names", nargs="+", default=list(PAPER), choices=list(PAPER))
    parser.add_argument("--rows", type=int, help="use only so many rows of each part")
    parser.add_argument("--csv", help="where to write the table")
    options = parser.parse_args(arguments)
    if options.model is None and options.recordings is None:
        parser.error("give --recordings, --model, or both")
    warnings.simplefilter("ignore")
    absent = {name: missing(name, options) for name in options.names}
    rows = [run(name, options) for name, what in absent.items() if not what]
    if not rows:
        parser.error(f"{options.data} holds none of {', '.join(options.names)}")
    table = pd.DataFrame(rows).set_index("data set")
    print(table.T.to_string(float_format=lambda value: f"{value:.4g}"))
    for name, what in absent.items():
        if what:
            print(f"{name} is left out, as there is no {what}")
    if options.csv:
        table.to_csv(options.csv)
    return table


def missing(name, options):
    """Name the file or folder that a data set lacks; empty if it lacks none."""
    if read_text_set(options.data, name) is None:
        return f"{Path(options.data) / name}.csv.gz"
    if options.model is None and read_programs(options.recordings, name) is None:
        return str(Path(options.recordings) / name / "*.py")
    return ""


def run(name, options):
    """Measure one data set."""
    data = read_text_set(options.data, name)
    train, gold = (values[: options.rows] for values in data.part("train"))
    test, truth = (values[: options.rows] for values in data.part("test"))
    paper, llm = PAPER[name], None
    if options.model is not None:
        llm = LLM(options.model, api_base=options.api_base, store=options.store)
        labeler = ProgramSynthesisLabeler(
            llm, task=paper.task, classes=data.classes, n_jobs=2
        )
    else:
        programs = read_programs(options.recordings, name)
        labeler = recorded_labeler(programs, data.classes)
    remembered = Remembered.of(labeler, [*train, *test])
    votes = [remembered.transform(texts) for texts in (train, test)]

    def voted(method):
        aggregator = LabelModelAggregator(method=method, classes=data.classes)
        return np.mean(aggregator.fit(votes[0]).predict(votes[1]) == truth)

    annotator = DistilledAnnotator(remembered).fit(train)
    student = text_student(train).fit(train, gold)
    prices = (llm and llm.known_prices) or prices_of(options.model or PRICED_AS)
    prices = prices or prices_of(PRICED_AS) or Prices(0.5, 1.5)
    row = {
        "data set": name,
        "training rows": len(train),
        "test rows": len(test),
        "one call a row, $ counted": count_calls(data, paper.task, prices),
        "programs, $": cost_of_programs(labeler, prices),
        "one call a row": ask_each(llm, data, paper.task, test, truth, options),
        "majority vote": voted("majority_vote"),
        "label model": voted("dawid_skene"),
        "student": annotator.set_params(predict_with="student").score(test, truth),
        "annotator": annotator.set_params(predict_with="both").score(test, truth),
        "student on gold": np.mean(student.predict(test) == truth),
    }
    return row | {
        "published: one call a row": paper.zero_shot,
        "published: Alchemist": paper.alchemist,
        "published: one call a row, $": paper.zero_shot_cost,
        "published: Alchemist, $": paper.alchemist_cost,
    }


def count_calls(data, task, prices, n_counted=200):
    """Price one call for each row of the data set, from the tokens of some."""
    classes = dict.fromkeys(data.classes)
    some = data.texts[:: max(1, len(data.texts) // n_counted)]
    tokens = [
        count_tokens(write_messages(task, classes, [text]), PRICED_AS) for text in some
    ]
    return prices.cost(np.mean(tokens), 8) * len(data.texts)


def cost_of_programs(labeler, prices):
    """Price the programs: as paid, or by the tokens of recorded ones.

    Of recordings only the answers are known; what was asked is taken as 200 tokens.
    """
    usage = getattr(labeler, "usage_", Usage())
    if usage.calls:
        parts = (usage.paid, usage.cached)
        return sum(as_dollars(tally, prices) for tally in parts)
    answers = [
        count_tokens([{"role": "assistant", "content": program.source}], PRICED_AS)
        for program in labeler.programs_
    ]
    return sum(prices.cost(200, n) for n in answers)


def as_dollars(tally, prices):
    if tally.dollars is not None:
        return tally.dollars
    return prices.cost(tally.prompt_tokens or 0, tally.completion_tokens or 0)


def ask_each(llm, data, task, test, truth, options):
    """Score one call a row; NaN unless it was asked for."""
    if llm is None or not options.zero_shot:
        return np.nan
    baseline = ZeroShotAnnotator(llm, task=task, classes=data.classes).fit(test)
    return baseline.score(test, truth)


if __name__ == "__main__":
    main()
