"""
What fifty labels give, and how to choose an aggregation
========================================================

Programs that share an author err together, so without labels an annotator may be surer
of itself than it should. Fifty labels of a random sample correct that. The table is
that of :ref:`sphx_glr_gallery_plot_label_table.py`: measurements of breast masses, and
ten recorded answers of a model.
"""

# %%
# Programs from recorded answers
# ------------------------------

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
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
without = DistilledAnnotator(labeler, random_state=0).fit(table)

# %%
# Choose an aggregation by cross-validation
# -----------------------------------------
# Votes are computed once. The labels score the methods; none learns from them.

votes = without.labeler_.transform(table)
search = GridSearchCV(
    LabelModelAggregator(classes=without.classes_),
    {
        "method": ["dawid_skene", "one_coin", "weighted_vote", "majority_vote"],
        "class_prior": ["estimate", "uniform"],
    },
    scoring="neg_log_loss",
).fit(votes, y)
results = search.cv_results_
for i in np.argsort(results["rank_test_score"]):
    print(
        f"{results['param_method'][i]:<15} {results['param_class_prior'][i]:<10} "
        f"log loss {-results['mean_test_score'][i]:.3f}"
    )

# %%
# Fifty labels of a random sample
# -------------------------------

rng = np.random.default_rng(0)
labelled = rng.choice(len(table), 50, replace=False)
some = np.full(len(table), None, dtype=object)
some[labelled] = y[labelled]
learned = clone(without).set_params(learn_from_labels=True)
learned.fit(table, some, label_proba=1.0)

others = np.setdiff1d(np.arange(len(table)), labelled)
figure, axes = plt.subplots()
for name, annotator in {"no label": without, "50 labels": learned}.items():
    proba = annotator.predict_proba(table)[others]
    label = annotator.classes_[proba.argmax(axis=1)]
    print(
        f"{name:<10} accuracy {accuracy_score(y[others], label):.3f}  "
        f"log loss {log_loss(y[others], proba):.3f}"
    )
    CalibrationDisplay.from_predictions(
        y[others] == "malignant", proba[:, 1], n_bins=5, name=name, ax=axes
    )

# %%
# One draw of fifty says little; ``make benchmark-labels`` repeats it on public texts.
