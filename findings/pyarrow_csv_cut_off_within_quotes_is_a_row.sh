#!/usr/bin/env bash
# pyarrow 26.0.1, pyarrow.csv
# Guess: a CSV file that breaks off within a quoted text, as after a download that was
#        ended, is refused: the quotation mark is never closed.
# Seen:  what there is of the text is the last value, like all others, if it belongs to
#        the last column; with one column less it is refused.
# So:    whoever reads such files to their end has to look at their last bytes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import io

import pyarrow as pa
from pyarrow import csv

options = csv.ParseOptions(newlines_in_values=True)


def read(data):
    return csv.read_csv(io.BytesIO(data), parse_options=options).to_pydict()


rows = read(b'id,text\n1,"a whole text"\n2,"half a te')
print(rows)
assert rows == {"id": [1, 2], "text": ["a whole text", "half a te"]}
try:
    read(b'text,id\n"a whole text",1\n"half a te')
except pa.ArrowInvalid as error:
    print("one column less:", str(error).splitlines()[0])
else:
    raise AssertionError
PYTHON
echo "as described"
