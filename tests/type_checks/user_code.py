"""What mypy and pyright read in code that uses the package; `make types` checks it."""

from typing import assert_type

import numpy as np

from sklearn_alchemist import (
    LLM,
    CascadeAnnotator,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.inspection import (
    CostComparison,
    Explanation,
    ProgramSummary,
    compare_costs,
    explain,
    program_summary,
)
from sklearn_alchemist.metrics import worst_group_accuracy

texts = ["http a", "song"]
llm = LLM("openai/gpt-4o-mini", max_cost=1.0)
program = LabelingProgram("link", "def label(text): return 'spam'")
labeler = ProgramSynthesisLabeler(llm, classes=["ham", "spam"], programs=[program])
asked = ZeroShotAnnotator(llm, task="Is it spam?", classes=["ham", "spam"])
annotator = DistilledAnnotator(labeler, aggregator=LabelModelAggregator())

# `fit` gives the estimator itself, so that attributes of its own can be followed.
assert_type(labeler.fit(texts), ProgramSynthesisLabeler)
assert_type(annotator.fit(texts, ["ham", None]), DistilledAnnotator)
assert_type(LabelModelAggregator().fit(np.array([[0, 1]])), LabelModelAggregator)
assert_type(CascadeAnnotator(annotator).fit(texts), CascadeAnnotator)
assert_type(asked.fit(texts), ZeroShotAnnotator)

assert_type(labeler.transform(texts), np.ndarray)
assert_type(labeler.fit_transform(texts), np.ndarray)
assert_type(annotator.predict(texts), np.ndarray)
assert_type(annotator.predict_proba(texts), np.ndarray)
assert_type(annotator.score(texts, ["ham", "spam"]), float)

# Functions of the folders, and what they give.
assert_type(program_summary(labeler, texts), ProgramSummary)
assert_type(explain(annotator, texts[:1]), Explanation)
assert_type(compare_costs(annotator, texts), CostComparison)
assert_type(worst_group_accuracy(["a"], ["a"], groups=[0]), float)
