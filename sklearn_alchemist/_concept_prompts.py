"""Ask for visual concepts, and read them from the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SYSTEM = (
    "You are an expert in the subject matter and in vision-language models such as "
    "CLIP. You name what is to be seen in an image, in words that such a model matches "
    "well."
)

USER = """\
Images are to be told apart:

{task}

The classes are:
{classes}

Name visual concepts whose presence tells the classes apart: {n_concepts} that speak \
for each class. A concept is a part, shape, colour, texture or posture of the thing \
itself, visible in a single image without knowing the class. It is no class by another \
name, and nothing of the background.
{spurious}
For each concept write 2 to 4 descriptions: short noun phrases that a vision-language \
model can match with an image, which do not name a class.

Reply with a JSON object of this form, and nothing else:

{{"concepts": [
  {{"name": "two_or_three_words", "class": <one of the classes>, "spurious": false,
   "descriptions": ["...", "..."]}}
]}}\
"""

SPURIOUS = """
Name besides {n_spurious} spurious concepts: what often goes along with a class without \
being part of it, such as background, surroundings, light or camera. Programs that \
read the scores will use these to see when they are misled. Mark them with \
"spurious": true, and give the class that they go along with.
"""

REPAIR = """\
That cannot be used: {reason}. Reply with the whole JSON object again, corrected, and \
nothing else.\
"""


@dataclass(frozen=True, slots=True)
class Concept:
    """Something to look for in an image.

    Parameters
    ----------
    name : str
        What it is called; the scores are a column of this name.

    descriptions : tuple of str, default=()
        Phrases that a vision-language model matches with an image; empty stands for
        the name.

    speaks_for : object, default=None
        The class that it is a sign of.

    spurious : bool, default=False
        Whether it only goes along with a class, as a background does.

    Examples
    --------
    >>> from sklearn_alchemist import Concept
    >>> Concept("webbed feet").phrases
    ('webbed feet',)
    """

    name: str
    descriptions: tuple[str, ...] = ()
    speaks_for: Any = None
    spurious: bool = False

    @property
    def phrases(self) -> tuple[str, ...]:
        """What is matched with an image."""
        return self.descriptions or (self.name.replace("_", " "),)


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
    lines = (
        f"- {name!r}: {text}" if text else f"- {name!r}"
        for name, text in classes.items()
    )
    user = USER.format(
        task=task.strip(),
        classes="\n".join(lines),
        n_concepts=n_concepts,
        spurious=SPURIOUS.format(n_spurious=n_spurious) if n_spurious else "",
    )
    return ({"role": "system", "content": SYSTEM}, {"role": "user", "content": user})


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
    return (
        *(dict(message) for message in messages),
        {"role": "assistant", "content": answer},
        {"role": "user", "content": REPAIR.format(reason=reason)},
    )
