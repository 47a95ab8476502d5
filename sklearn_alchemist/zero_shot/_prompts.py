"""Write the messages that ask for the classes of records."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._utils import read_prompts


def write_messages(
    task: str, classes: Mapping[Any, str | None], records: Sequence[Any]
) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for the classes of some records.

    Parameters
    ----------
    task : str
        What is to be decided, in the user's words.

    classes : dict
        Class -> description, None where there is none.

    records : sequence
        Texts, or dicts of column to value.

    Returns
    -------
    messages : tuple of dict
        Chat messages.

    Examples
    --------
    >>> from sklearn_alchemist.zero_shot import write_messages
    >>> _, user = write_messages("Is this spam?", {"ham": None, "spam": "ads"}, ["Hi!"])
    >>> print(user["content"])
    Is this spam?
    <BLANKLINE>
    The classes, spelled exactly like this:
    - ham
    - spam: ads
    <BLANKLINE>
    The record:
    "Hi!"
    <BLANKLINE>
    Reply with nothing but a JSON object: {"label": "..."}, the class of the record.
    """
    texts = read_prompts(__package__, "labels")
    listed = "\n".join(
        f"- {name}: {text}" if text else f"- {name}" for name, text in classes.items()
    )
    written = [json.dumps(record, ensure_ascii=False) for record in records]
    if len(written) == 1:
        user = texts["one"].format(task=task, classes=listed, records=written[0])
    else:
        numbered = "\n".join(f"{i}. {text}" for i, text in enumerate(written, start=1))
        user = texts["many"].format(
            task=task, classes=listed, records=numbered, n=len(written)
        )
    return (
        {"role": "system", "content": texts["system"]},
        {"role": "user", "content": user},
    )


def answer_schema(classes: Sequence[Any], n_records: int) -> dict[str, Any]:
    """Describe the answer as a ``response_format`` that servers can enforce.

    Parameters
    ----------
    classes : sequence
        The classes.

    n_records : int
        Number of records that one call asks about.

    Returns
    -------
    response_format : dict
        A JSON schema in the form of OpenAI's API, which litellm translates.
    """
    label = {"type": "string", "enum": [str(name) for name in classes]}
    if n_records == 1:
        schema = _closed(label=label)
    else:
        item = _closed(record={"type": "integer"}, label=label)
        schema = _closed(labels={"type": "array", "items": item})
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": schema},
    }


def _closed(**properties: Any) -> dict[str, Any]:
    """Describe an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
