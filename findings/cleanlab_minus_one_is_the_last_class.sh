#!/usr/bin/env bash
# cleanlab 2.9.0, multiannotator.get_majority_vote_label
# Guess: integers with -1 for "no answer" are refused, as they are everywhere else in it.
# Seen:  they are taken, without a word, and -1 counts as one more vote for the last class:
#        the row (0, -1, -1) has the consensus 1, and with NaN in place of -1 it has 0.
#        get_label_quality_multiannotator and find_label_issues do refuse -1.
# So:    write votes.astype(float) with NaN for -1 before handing votes over.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cleanlab==2.9.0 numpy==2.2.6 pandas==3.1.1 scikit-learn==1.9.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import warnings

import numpy as np
from cleanlab.multiannotator import (
    get_label_quality_multiannotator,
    get_majority_vote_label,
)

warnings.simplefilter("ignore")
votes = np.array([[0, -1, -1], [1, 1, 0], [0, 0, 1], [0, 0, -1]])
missing = np.where(votes == -1, np.nan, votes)
with_minus_one = get_majority_vote_label(votes, verbose=False).tolist()
with_nan = get_majority_vote_label(missing, verbose=False).tolist()
print("-1:", with_minus_one, "NaN:", with_nan)
assert with_nan == [0, 1, 0, 0]
assert with_minus_one[0] == 1
try:
    get_label_quality_multiannotator(votes, np.full((4, 2), 0.5), verbose=False)
except ValueError as error:
    print("elsewhere:", error)
else:
    raise AssertionError("-1 is taken elsewhere, too")
PYTHON
echo "as described"
