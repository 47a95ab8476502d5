"""Let the caps of an annotator that asks a model hold for a whole run."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

COST, CALLS, ROWS = (f"sklearn_alchemist.{name}" for name in ("cost", "calls", "asked"))


@dataclass(frozen=True)
class Spent:
    """What a run has asked for.

    Parameters
    ----------
    cost : float
        US dollars; what has no known price counts as nothing, and has no cap either.

    calls : int
        Calls that were answered.

    rows : int
        Different records that count towards `max_rows`: those that a model answered,
        whenever that was, or that wait for people.
    """

    cost: float = 0.0
    calls: int = 0
    rows: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.cost + other.cost, self.calls + other.calls, self.rows + other.rows
        )

    def as_metadata(self) -> dict[str, str]:
        """Write it down for a part."""
        return {COST: repr(self.cost), CALLS: str(self.calls), ROWS: str(self.rows)}

    @classmethod
    def of_metadata(cls, about: Mapping[bytes, bytes]) -> "Spent":
        """Read what was written down for a part."""
        cost, calls, rows = (about.get(k.encode(), b"0") for k in (COST, CALLS, ROWS))
        return cls(float(cost), int(calls), int(rows))

    @classmethod
    def of_annotation(cls, annotation: Any) -> "Spent":
        """Read what the labels of a batch took."""
        usage = getattr(annotation, "usage", None)
        if usage is None:
            return cls()
        n_read = annotation.get("n_read", len(annotation.label))
        calls = usage.paid.calls + usage.unanswered.calls
        return cls(float(usage.dollars or 0.0), calls, int(n_read))


def asks(estimator: Any) -> bool:
    """Tell whether labelling with a fitted estimator asks a model.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    """
    reader = getattr(estimator, "llm_annotator", getattr(estimator, "llm", None))
    return hasattr(estimator, "annotate") and reader is not None


def is_capped(estimator: Any) -> bool:
    """Tell whether what one batch takes leaves less for the next.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    """
    has_rows = getattr(estimator, "max_rows", None) is not None  # for people
    return asks(estimator) or (hasattr(estimator, "annotate") and has_rows)


def limit(estimator: Any, spent: Spent) -> Any:
    """Lower the caps of an estimator by what a run has spent.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    spent : Spent
        What the run has asked for.

    Returns
    -------
    limited : estimator
        A copy, as far as parameters go.
    """
    limited = copy(estimator)
    for name, value in estimator.get_params(deep=False).items():
        if name == "max_cost" and value is not None:
            setattr(limited, name, max(value - spent.cost, 0.0))
        elif name == "max_rows" and value is not None:
            setattr(limited, name, max(value - spent.rows, 0))
        elif name in {"llm", "llm_annotator"} and hasattr(value, "less"):
            setattr(limited, name, value.less(spent.cost, spent.calls))
        elif name == "llm_annotator" and hasattr(value, "get_params"):
            setattr(limited, name, limit(value, spent))
    return limited
