"""Say what to look for in images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


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

    Raises
    ------
    ValueError
        If the name or a description is blank.

    TypeError
        If one of them is no str.

    Examples
    --------
    >>> from sklearn_alchemist.images import Concept
    >>> Concept("webbed_feet").phrases
    ('webbed feet',)
    """

    name: str
    descriptions: tuple[str, ...] = ()
    speaks_for: Any = None
    spurious: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.descriptions, str):
            object.__setattr__(self, "descriptions", (self.descriptions,))
        object.__setattr__(self, "descriptions", tuple(self.descriptions))
        for text in (self.name, *self.descriptions):
            if not isinstance(text, str):
                raise TypeError(
                    "names and descriptions of concepts must be str; got "
                    f"{type(text).__name__} in {self.name!r}."
                )
            if not text.strip():
                raise ValueError(
                    f"the concept {self.name!r} has a blank name or description."
                )

    @property
    def phrases(self) -> tuple[str, ...]:
        """What is matched with an image."""
        return self.descriptions or (self.name.replace("_", " "),)


def as_concepts(concepts: Iterable[Any] | Mapping[str, Any]) -> list[Concept]:
    """Take concepts in any of the forms that a user may write.

    Parameters
    ----------
    concepts : list of str or Concept, or dict of str to str or list of str
        Names, concepts, or name -> descriptions.

    Returns
    -------
    concepts : list of Concept
        The concepts.

    Raises
    ------
    ValueError
        If there are none, or a name is blank.

    TypeError
        If something is neither a name nor a concept.

    Examples
    --------
    >>> from sklearn_alchemist.images import as_concepts
    >>> as_concepts({"bill": ["a flat bill"]})[0].phrases
    ('a flat bill',)
    """
    if isinstance(concepts, str):
        raise TypeError(f"concepts must be a list; got the str {concepts!r}.")
    if isinstance(concepts, Mapping):
        # A tuple() of a str would be its letters; Concept takes both forms.
        found = [Concept(name, texts or ()) for name, texts in concepts.items()]
    else:
        found = [c if isinstance(c, Concept) else Concept(c) for c in concepts]
    if not found:
        raise ValueError(
            "concepts is empty: name at least one, or give None and an llm that names "
            "them."
        )
    return found
