#!/usr/bin/env bash
# datasets 5.2.0, ClassLabel and cast_column
# Guess: a label that is none of the names is refused.
# Seen:  where it can be read as a number it is taken as the *position* of a class:
#        among stars named 5, 4, 3, 2, 1 the label "0" silently becomes "5", "-1" a
#        missing label; a column of integers is not checked at all, so 7 stays 7 where
#        there are two classes; and class_encode_column sorts numbers as text: 10 before 2.
# So:    compare labels with the names before casting them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
cd "$folder"
venv/bin/python - <<'PYTHON'
from datasets import ClassLabel, Dataset, disable_progress_bars

disable_progress_bars()
stars = ClassLabel(names=["5", "4", "3", "2", "1"])
column = Dataset.from_dict({"stars": ["1", "0", "-1"]}).cast_column("stars", stars)
print("1, 0, -1 ->", list(column["stars"]), stars.int2str(0))
assert list(column["stars"]) == [4, 0, -1]
two = ClassLabel(names=["neg", "pos"])
numbers = Dataset.from_dict({"y": [1, 0, 7]}).cast_column("y", two)
print("1, 0, 7 of two classes ->", list(numbers["y"]))
assert list(numbers["y"]) == [1, 0, 7]
encoded = Dataset.from_dict({"y": [10, 9, 2]}).class_encode_column("y")
print("names:", encoded.features["y"].names)
assert encoded.features["y"].names == ["10", "2", "9"]
PYTHON
echo "as described"
