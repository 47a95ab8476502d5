#!/usr/bin/env bash
# label-studio-sdk 2.1.2, Converter.convert_to_json_min
# Guess: a field of the task that is called as the control tag is kept beside the answer.
# Seen:  it is overwritten: a task whose data holds the gold answer under "label" loses it
#        to the annotator's, and one without an annotation keeps the *gold* there, where it
#        looks like an answer.
# So:    call the control tag other than any field of the data.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check label-studio-sdk==2.1.2
cd "$folder"
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

from label_studio_sdk.converter import Converter

config = """<View><Text name="text" value="$text"/>
<Choices name="label" toName="text"><Choice value="ham"/><Choice value="spam"/></Choices>
</View>"""
answer = {"id": "r", "from_name": "label", "to_name": "text", "type": "choices"}
answer["value"] = {"choices": ["spam"]}
tasks = [
    {"id": 1, "data": {"text": "a", "label": "gold"},
     "annotations": [{"id": 1, "completed_by": 1, "result": [answer]}]},
    {"id": 2, "data": {"text": "b", "label": "gold"}, "annotations": []},
]
Path("tasks.json").write_text(json.dumps(tasks))
Converter(config, ".").convert_to_json_min("tasks.json", "out", is_dir=False)
(found,) = Path("out").glob("*.json")
labels = {row["id"]: row.get("label") for row in json.loads(found.read_text())}
print(labels)
assert labels == {1: "spam", 2: "gold"}
PYTHON
echo "as described"
