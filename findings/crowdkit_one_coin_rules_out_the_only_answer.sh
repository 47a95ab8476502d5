#!/usr/bin/env bash
# crowd-kit 1.4.2, OneCoinDawidSkene
# Guess: a task that has one answer only gets it, or at least leaves it a chance.
# Seen:  where no other worker ever gave that label, its probability comes out as 0: the
#        first estimate of the worker's skill removes the class, and what is 0 stays 0.
# So:    look at tasks with one answer by hand.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check crowd-kit==1.4.2 pandas==3.1.1 scikit-learn==1.9.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import pandas as pd
from crowdkit.aggregation import OneCoinDawidSkene

answers = [
    ("t1", "a", "x"), ("t1", "b", "y"), ("t2", "a", "x"), ("t2", "b", "x"),
    ("t3", "c", "y"), ("t4", "a", "y"), ("t4", "b", "y"), ("t5", "a", "z"),
]
frame = pd.DataFrame(answers, columns=["task", "worker", "label"])
proba = OneCoinDawidSkene().fit_predict_proba(frame).loc["t5"]
print(proba.round(3).to_dict())
assert proba["z"] < 1e-3
assert proba.idxmax() == "y"
PYTHON
echo "as described"
