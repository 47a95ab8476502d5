"""Ask for visual concepts, and read them from the answer."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from .._utils import read_prompts
from ..llm import without_thoughts
from ._concept import Concept


def describe_scores(score: str, *, spurious: bool) -> str:
    """Say what the task of a labeler says of its columns.

    Parameters
    ----------
    score : {"scaled", "cosine", "softmax"}
        How similarities are given.

    spurious : bool
        Whether some concepts are spurious.

    Returns
    -------
    description : str
        One or two sentences.
    """
    texts = read_prompts(__package__, "concepts")
    description: str = texts["scores"][score]
    return f"{description} {texts['spurious_scores']}" if spurious else description


def write_messages(
    task: str,
    classes: Mapping[Any, str | None],
    *,
    n_concepts: int,
    n_spurious: int,
) -> tuple[dict[str, str], ...]:
    """Write the messages that ask for concepts; they depend on no image.

    Parameters
    ----------
    task : str
        What is to be told apart, in the user's words.

    classes : dict
        Class -> description, None where there is none.

    n_concepts : int
        Number of concepts a class.

    n_spurious : int
        Number of spurious concepts in all.

    Returns
    -------
    messages : tuple of dict
        Chat messages.
    """
    texts = read_prompts(__package__, "concepts")
    lines = (
        f"- {name!r}: {text}" if text else f"- {name!r}"
        for name, text in classes.items()
    )
    user = texts["user"].format(
        task=task.strip(),
        classes="\n".join(lines),
        n_concepts=n_concepts,
        spurious=texts["spurious"].format(n_spurious=n_spurious) if n_spurious else "",
    )
    return (
        {"role": "system", "content": texts["system"]},
        {"role": "user", "content": user},
    )


def write_repair(
    messages: Sequence[Mapping[str, str]], answer: str, reason: str
) -> tuple[dict[str, str], ...]:
    """Continue a conversation whose answer cannot be used.

    Parameters
    ----------
    messages : sequence of dict
        What was asked.

    answer : str
        What was answered.

    reason : str
        What is wrong with it.

    Returns
    -------
    messages : tuple of dict
        Chat messages.
    """
    repair = read_prompts(__package__, "concepts")["repair"]
    return (
        *(dict(message) for message in messages),
        {"role": "assistant", "content": answer},
        {"role": "user", "content": repair.format(reason=reason)},
    )


def read_concepts(answer: str, classes: Sequence[Any]) -> list[Concept]:
    """Read concepts from an answer.

    Parameters
    ----------
    answer : str
        What the model answered.

    classes : sequence
        The classes that a concept may speak for.

    Returns
    -------
    concepts : list of Concept
        Those that tell classes apart first, spurious ones after them.

    Raises
    ------
    ValueError
        If the answer is no such JSON; the message says what is wrong, in words that a
        model can be told.
    """
    entries = _load_json(answer)
    if isinstance(entries, Mapping):
        entries = entries.get("concepts")
    if not isinstance(entries, list) or not entries:
        raise ValueError('the answer holds no list "concepts", or an empty one')
    spelled = {str(name).casefold(): name for name in classes}
    concepts = [
        _read_concept(entry, f"concept {i}", spelled)
        for i, entry in enumerate(entries, start=1)
    ]
    covered = {c.speaks_for for c in concepts if not c.spurious}
    if missing := [name for name in classes if name not in covered]:
        raise ValueError(f"no concept speaks for {missing}")
    return sorted(concepts, key=lambda concept: concept.spurious)


def _load_json(answer: str) -> Any:
    """Find the JSON in an answer that may think aloud or fence it."""
    answer = without_thoughts(answer)
    reason = "the answer holds no JSON"
    # What is no JSON after so many beginnings is none at all, or takes forever.
    for start in islice(re.finditer(r"[\[{]", answer), 50):
        try:
            return json.JSONDecoder().raw_decode(answer, start.start())[0]
        except (ValueError, RecursionError) as error:
            reason = f"the answer is no valid JSON ({error})"
            if start.group() == "{":
                break
    raise ValueError(reason)


def _read_concept(entry: Any, where: str, spelled: Mapping[str, Any]) -> Concept:
    """Check one entry of the list."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where} is no object")
    name, texts = entry.get("name"), entry.get("descriptions")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f'{where} has no "name"')
    if not isinstance(texts, list) or not texts:
        raise ValueError(f'{where} ({name!r}) has no list "descriptions"')
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError(f"{where} ({name!r}) has a description that is no text")
    spurious = entry.get("spurious", False)
    if not isinstance(spurious, bool):
        raise ValueError(f'{where} ({name!r}) needs true or false as "spurious"')
    of = str(entry.get("class")).casefold()
    if of not in spelled and not spurious:
        raise ValueError(
            f'{where} ({name!r}) has the "class" {entry.get("class")!r}, which is none '
            f"of {list(spelled.values())}"
        )
    phrases = tuple(text.strip() for text in texts)
    return Concept(name.strip(), phrases, spelled.get(of), spurious)
