"""Look at what programs do, and at what they cost."""

from ._calibration_display import ConfidenceCalibrationDisplay
from ._compare_programs import compare_programs
from ._comparison_result import Flip, ProgramChange, ProgramComparison
from ._confusion_display import ProgramConfusionDisplay
from ._corrections import Corrections, read_corrections
from ._cost_displays import CostDisplay, FrontierDisplay
from ._costs import CostComparison, compare_costs
from ._disagreements import Disagreement, Disagreements, Side, disagreements
from ._drift import Drift, DriftCheck, drift
from ._explain import explain
from ._explanation_result import Explanation, Match, ProgramExplanation
from ._failures import Failure, Failures, failures
from ._program_summary import ProgramSummary, program_summary
from ._report import AnnotationReport
from ._student_words import StudentWord
from ._vote_displays import ProgramAgreementDisplay, VotesByClassDisplay

__all__ = [
    "AnnotationReport",
    "ConfidenceCalibrationDisplay",
    "Corrections",
    "CostComparison",
    "CostDisplay",
    "Disagreement",
    "Disagreements",
    "Drift",
    "DriftCheck",
    "Explanation",
    "Failure",
    "Failures",
    "Flip",
    "FrontierDisplay",
    "Match",
    "ProgramAgreementDisplay",
    "ProgramChange",
    "ProgramComparison",
    "ProgramConfusionDisplay",
    "ProgramExplanation",
    "ProgramSummary",
    "Side",
    "StudentWord",
    "VotesByClassDisplay",
    "compare_costs",
    "compare_programs",
    "disagreements",
    "drift",
    "explain",
    "failures",
    "program_summary",
    "read_corrections",
]
