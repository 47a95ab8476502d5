"""Label data with programs that a language model writes, as scikit-learn estimators."""

from ._aggregator import LabelModelAggregator
from ._annotator import DistilledAnnotator
from ._cascade import CascadeAnnotator
from ._labeler import ProgramSynthesisLabeler
from .images import ConceptScorer, ImageEmbedder
from .llm import LLM
from .programs import LabelingProgram
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
