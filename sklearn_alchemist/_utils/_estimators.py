"""What all estimators share: links to their pages, types, progress of their parts."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackContext

# Labels with None where there is none are no `ArrayLike` to every type checker.
LabelsLike = ArrayLike | Sequence[Any]

Method = TypeVar("Method", bound=Callable[..., Any])

if TYPE_CHECKING:

    def _fit_context(
        *, prefer_skip_nested_validation: bool
    ) -> Callable[[Method], Method]:
        """Keep the types of what it decorates, as scikit-learn's own has none."""

else:
    from sklearn.base import _fit_context as _fit_context


class DocLinks:
    """Mixin, left of `BaseEstimator`: what the HTML repr of an estimator links to."""

    _doc_link_module = "sklearn_alchemist"
    _doc_link_template = (
        "https://sklearn-alchemist.readthedocs.io/en/latest/generated/"
        "{estimator_module}.{estimator_name}.html"
    )

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        """Name the estimator as users import it: from the package, or from a folder."""
        name, path = type(self).__name__, type(self).__module__.split(".")
        public = [*takewhile(lambda part: not part.startswith("_"), path)]
        at_top = hasattr(sys.modules[public[0]], name)
        module = public[0] if at_top else ".".join(public)
        return {"estimator_module": module, "estimator_name": name}


@contextmanager
def reporting(
    context: CallbackContext,
    name: str,
    annotator: Any,
    part: BaseEstimator | None,
    *,
    max_steps: int | None = 0,
) -> Iterator[Callable[[], None]]:
    """Report the fit of a part, hand callbacks on, and give what reports a step."""
    task = context.subcontext(name, max_subtasks=max_steps)

    def on_step() -> None:
        step = task.subcontext("step").call_on_fit_task_begin(estimator=annotator)
        step.call_on_fit_task_end(estimator=annotator)

    supported = hasattr(part, "set_callbacks")
    with task.propagate_callback_context(part) if supported else nullcontext():
        task.call_on_fit_task_begin(estimator=annotator)
        yield on_step
        task.call_on_fit_task_end(estimator=annotator)
