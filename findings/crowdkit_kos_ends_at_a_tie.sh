#!/usr/bin/env bash
# crowd-kit 1.4.2, KOS
# Guess: a task on which two workers disagree evenly gets one of the two labels.
# Seen:  fit ends with KeyError: 0.0, as the sign of an even sum is no label; all tasks
#        are lost.
# So:    answers that can be even need another model.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check crowd-kit==1.4.2 pandas==3.1.1 scikit-learn==1.9.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import pandas as pd
from crowdkit.aggregation import KOS

answers = [
    ("t1", "a", "x"), ("t1", "b", "y"), ("t2", "a", "x"), ("t2", "b", "x"),
    ("t3", "c", "y"), ("t4", "a", "y"), ("t4", "b", "y"),
]
frame = pd.DataFrame(answers, columns=["task", "worker", "label"])
try:
    KOS(n_iter=10, random_state=0).fit_predict(frame)
except KeyError as error:
    print("KeyError:", error)
    assert str(error) == "0.0"
else:
    raise AssertionError("no error")
PYTHON
echo "as described"
