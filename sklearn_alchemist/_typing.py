"""What type checkers are told that scikit-learn and NumPy leave open."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import ArrayLike

# Labels with None where there is none are no `ArrayLike` to every type checker.
LabelsLike = ArrayLike | Sequence[Any]

Method = TypeVar("Method", bound=Callable[..., Any])

if TYPE_CHECKING:

    def _fit_context(
        *, prefer_skip_nested_validation: bool
    ) -> Callable[[Method], Method]:
        """Keep the types of what it decorates, as scikit-learn's own has none."""

else:
    from sklearn.base import _fit_context

__all__ = ["LabelsLike", "Method", "_fit_context"]
