#!/usr/bin/env bash
# json_repair 0.64.6, loads
# Guess: two objects one after the other give both, as they do in the middle of a sentence.
# Seen:  with the same keys only the *last* is returned: a model that answers about two
#        records on one line loses the first. In prose, and with a comma between them in
#        brackets, both are there.
# So:    ask for a list, and count what came back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check json_repair==0.64.6
cd "$folder"
venv/bin/python - <<'PYTHON'
from json_repair import loads

beside = loads('{"label": "spam"} {"label": "ham"}')
in_prose = loads('First {"label": "spam"}, then {"label": "ham"}.')
print("one after the other:", beside, "in prose:", in_prose)
assert beside == {"label": "ham"}
assert in_prose == [{"label": "spam"}, {"label": "ham"}]
PYTHON
echo "as described"
