"""
Label a table without labels
============================

A language model writes ten labeling programs that read named columns of a table: the
measurements of cell nuclei in scikit-learn's breast cancer data. No gold label is used
on the way: gold labels only score at the end.

Without arguments the answers of the language model are replayed from
``examples/recordings/table.jsonl``, so that no key and no network is needed. To ask a
model of your own, whose key is in the environment::

    python examples/plot_label_table.py --model openai/gpt-4o-mini

The data set is well known, and a language model has surely read about it: expect less
on measurements that it has never met. It is no medical advice either.
"""

# %%
# A model to ask
# --------------

import argparse
from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, recall_score

from sklearn_alchemist import LLM, DistilledAnnotator, ProgramSynthesisLabeler
from sklearn_alchemist.inspection import VotesByClassDisplay, program_summary
from sklearn_alchemist.llm import CompletionStore, write_recordings
from sklearn_alchemist.synthesis import Prompts

here = Path(__file__).parent if "__file__" in globals() else Path()
parser = argparse.ArgumentParser(description="Label a table without labels.")
parser.add_argument("--model", help="the model to ask, as litellm names it")
parser.add_argument("--api-base", help="address of an OpenAI-compatible server")
parser.add_argument("--store", type=Path, help="file that keeps the answers")
parser.add_argument("--timeout", type=float, default=120.0, help="seconds a call")
parser.add_argument("--record", type=Path, help="write the answers as recordings")
parser.add_argument("--answered-by", help="who answers, written into --record")
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
    llm = LLM("recorded", store=here / "recordings" / "table.jsonl")
    prompts = Prompts.of_version("3")  # to which the recorded answers are

# %%
# The table
# ---------
# Columns need names that say what they hold, since programs read them by name.

table, malignant_is_0 = load_breast_cancer(return_X_y=True, as_frame=True)
table.columns = table.columns.str.replace(" ", "_")
y = malignant_is_0.map({0: "malignant", 1: "benign"}).to_numpy()
print(
    f"{table.shape[0]} masses, {table.shape[1]} columns: {', '.join(table.columns)}\n"
)

# %%
# Programs, votes, label model, student
# -------------------------------------
# The task says what the numbers are. It is all that the model learns about them: no
# value is shown to it.

labeler = ProgramSynthesisLabeler(
    llm,
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
    prompts=prompts,
)
annotator = DistilledAnnotator(labeler).fit(table)
print(f"{program_summary(annotator, table)}\n")
print(f"The first program:\n\n{annotator.labeler_.programs_[0].source}\n")
VotesByClassDisplay.from_estimator(annotator, table)

# %%
# How good it is
# --------------
# Now, for the first time, gold labels. A cancer that is missed costs more than a false
# alarm, so the share of the malignant masses that are found stands beside the accuracy.

print(f"{'':<30} accuracy  malignant found")
for name, predict_with in [
    ("the votes of the programs", "votes"),
    ("the distilled student", "student"),
]:
    y_pred = annotator.set_params(predict_with=predict_with).predict(table)
    found = recall_score(y, y_pred, pos_label="malignant")
    print(f"{name:<30} {accuracy_score(y, y_pred):.3f}     {found:.3f}")
print(f"\n{annotator.labeler_.usage_}")

if arguments.record:
    store = CompletionStore(arguments.store)
    write_recordings(store, arguments.record, answered_by=arguments.answered_by)
