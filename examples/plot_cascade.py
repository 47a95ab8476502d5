"""
Ask only where programs cannot decide
=====================================

Programs label what is easy. A reader, here a function that stands for a language model
or a physician, is asked about the records whose answer is worth most. It errs on one
record in fifty. The frontier tells beforehand what accuracy to expect for how many
questions. What that gives with a real model on public texts is told in
:doc:`/cascades`.
"""

# %%
# Programs from recorded answers, and a reader
# --------------------------------------------

import json
import re
from pathlib import Path

from sklearn.datasets import load_breast_cancer

from sklearn_alchemist import (
    LLM,
    CascadeAnnotator,
    DistilledAnnotator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.inspection import AnnotationReport, FrontierDisplay
from sklearn_alchemist.synthesis import Prompts

here = Path(__file__).parent if "__file__" in globals() else Path()
table, y = load_breast_cancer(return_X_y=True, as_frame=True)
table.columns = table.columns.str.replace(" ", "_")
y = y.map({0: "malignant", 1: "benign"}).to_numpy()
labeler = ProgramSynthesisLabeler(
    LLM("recorded", store=here / "recordings" / "table.jsonl"),
    task=(
        "Is a breast mass malignant or benign? The columns measure the cell nuclei in "
        "a digitized image of a fine needle aspirate of the mass, as in the Wisconsin "
        "Diagnostic Breast Cancer data: for each measure the mean over the nuclei, the "
        "standard error ('error') and the mean of the three largest values ('worst'); "
        "lengths and areas in pixels."
    ),
    classes={
        "benign": "no cancer: nuclei small, smooth and alike",
        "malignant": "cancer: nuclei large, irregular and unlike each other",
    },
    prompts=Prompts.of_version("3"),  # to which the recorded answers are
)
known = dict(zip(table["worst_area"] + table["mean_texture"], y, strict=True))


def read(prompt):
    """Answer as a reader would who sees one record."""
    record = json.loads(re.search(r"^The record:\n(.*)$", prompt, re.MULTILINE)[1])
    label = known[record["worst_area"] + record["mean_texture"]]
    if int(record["worst_area"] * 10) % 50 == 0:
        label = "benign" if label == "malignant" else "malignant"
    return json.dumps({"label": label})


reader = ZeroShotAnnotator(
    LLM.from_callable(read, name="reader"), task=labeler.task, classes=labeler.classes
)

# %%
# Thirty answers a call
# ---------------------
# Some of those of ``fit`` are of random records: they tell how good the reader is.

cascade = CascadeAnnotator(
    DistilledAnnotator(labeler, random_state=0),
    llm_annotator=reader,
    max_rows=30,
    random_state=0,
).fit(table)
alone = cascade.annotator_.predict(table)
annotation = cascade.annotate(table)
print(f"programs and student   {(alone == y).mean():.3f}")
print(f"with thirty answers    {(annotation.label == y).mean():.3f}")

# %%
# The frontier
# ------------
# From no question to one about every record; with gold labels also what it is worth
# really, as far as there are answers.

FrontierDisplay.from_estimator(cascade, table, y)

# %%
# The page for an expert
# ----------------------
# Programs, votes, records in doubt, and a place for corrections; see :doc:`/report`.

AnnotationReport(cascade.annotator_, table, y, max_records=150)
