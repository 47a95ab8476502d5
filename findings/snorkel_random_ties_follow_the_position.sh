#!/usr/bin/env bash
# snorkel 0.10.0, predict(tie_break_policy="random")
# Guess: the choice is made by a hash of the votes, as "deterministic hash" suggests, so that
#        equal rows of votes get equal labels.
# Seen:  it is made by the position of the row: eight equal rows get both labels, the
#        same ones on every call, and other ones after a shuffle. Rows on which nobody votes
#        are labeled the same way.
# So:    use "abstain", or break ties by a prior.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 snorkel==0.10.0 numpy==2.4.6 pandas==3.1.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy as np
from snorkel.labeling.model import MajorityLabelVoter

voter = MajorityLabelVoter(cardinality=2)
tied = np.array([[0, 1, -1]] * 8)
first = voter.predict(tied, tie_break_policy="random").tolist()
second = voter.predict(tied, tie_break_policy="random").tolist()
silent = voter.predict(np.full((8, 3), -1), tie_break_policy="random").tolist()
print("equal rows:", first, "nobody votes:", silent)
assert first == second
assert set(first) == {0, 1}
assert set(silent) == {0, 1}
PYTHON
echo "as described"
