"""Label data with programs that a language model writes, as scikit-learn estimators."""

from typing import TYPE_CHECKING

from ._utils import lazy_exports

if TYPE_CHECKING:
    from .cascade import CascadeAnnotator
    from .distillation import DistilledAnnotator
    from .images import ConceptScorer, ImageEmbedder
    from .label_model import LabelModelAggregator
    from .llm import LLM
    from .programs import LabelingProgram
    from .synthesis import ProgramSynthesisLabeler
    from .zero_shot import ZeroShotAnnotator

__all__ = [
    "LLM",
    "CascadeAnnotator",
    "ConceptScorer",
    "DistilledAnnotator",
    "ImageEmbedder",
    "LabelModelAggregator",
    "LabelingProgram",
    "ProgramSynthesisLabeler",
    "ZeroShotAnnotator",
    "__version__",
]

__version__ = "0.1.0"

_STAGES = (
    "cascade",
    "data",
    "distillation",
    "exceptions",
    "images",
    "inspection",
    "label_model",
    "llm",
    "metrics",
    "programs",
    "streaming",
    "synthesis",
    "votes",
    "zero_shot",
)

# Whoever uses one estimator loads what that one needs.
__getattr__ = lazy_exports(
    __name__,
    {
        **{name: name for name in _STAGES},
        "LLM": "llm",
        "CascadeAnnotator": "cascade",
        "ConceptScorer": "images",
        "DistilledAnnotator": "distillation",
        "ImageEmbedder": "images",
        "LabelModelAggregator": "label_model",
        "LabelingProgram": "programs",
        "ProgramSynthesisLabeler": "synthesis",
        "ZeroShotAnnotator": "zero_shot",
    },
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_STAGES})
