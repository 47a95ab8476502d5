"""Say what one call of the plan asks for."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Slot:
    """One call of the plan.

    Parameters
    ----------
    name : str
        Name of the program to be written.

    strategy : str
        Name of what the program is to rely on.

    advice : str
        What the prompt says of it; none leaves the approach to the model.

    sample : int
        How many earlier slots ask the same.

    knowledge : str or None, default=None
        Kind of prior knowledge that the prompt repeats.

    target : object, default=None
        The class that a structured program looks for.

    place : int, default=0
        Its place in the plan, by which several authors take turns.
    """

    name: str
    strategy: str
    advice: str
    sample: int
    knowledge: str | None = None
    target: Any = None
    place: int = 0

    @property
    def follows(self) -> bool:
        """Whether its prompt depends on what the slots before it were answered."""
        return self.strategy == "residue"
