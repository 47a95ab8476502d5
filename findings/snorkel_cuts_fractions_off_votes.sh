#!/usr/bin/env bash
# snorkel 0.10.0, PandasLFApplier and LabelModel
# Guess: a labeling function that returns a number which is no class is refused.
# Seen:  fractions are cut off: one that returns the probability 0.9 votes for class 0.
#        LabelModel.fit takes -2 for a vote as well, and treats it as abstaining.
# So:    a function that returns scores needs a threshold of its own there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 snorkel==0.10.0 numpy==2.4.6 pandas==3.1.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy as np
import pandas as pd
from snorkel.labeling import LabelingFunction, PandasLFApplier
from snorkel.labeling.model import LabelModel

frame = pd.DataFrame({"text": ["a", "b"]})
sure = LabelingFunction("sure", lambda row: 0.9)
votes = PandasLFApplier([sure]).apply(frame, progress_bar=False)
print("0.9 ->", votes.ravel().tolist())
assert votes.ravel().tolist() == [0, 0]
votes = np.array([[0, 1, -2], [1, 1, 0], [0, -2, 0], [1, 0, 1]] * 20)
model = LabelModel(cardinality=2, verbose=False)
model.fit(votes, n_epochs=10, progress_bar=False)
print("-2 is taken")
PYTHON
echo "as described"
