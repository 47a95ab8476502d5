"""Find the labeler among the parts of an estimator and the steps of a pipeline."""

from dataclasses import dataclass
from typing import Any

from sklearn.utils.validation import check_is_fitted


@dataclass(frozen=True, eq=False, slots=True)
class FoundPrograms:
    """Where the programs of an estimator are.

    Parameters
    ----------
    labeler : ProgramSynthesisLabeler
        Fitted; has the programs.
    before : list of estimators
        Whose output the programs read, in their order.
    aggregator : classifier or None
        What weighs their votes, where the estimator has such a part.
    annotator : DistilledAnnotator or None
        The estimator itself, if it has a student.
    """

    labeler: Any
    before: list[Any]
    aggregator: Any
    annotator: Any

    def before_programs(self, X: Any) -> Any:
        """Apply the steps before the programs."""
        for step in self.before:
            X = step.transform(X)
        return X


def find_programs(estimator: Any) -> FoundPrograms:
    """Find the labeler in an estimator, and what works with it.

    Parameters
    ----------
    estimator : ProgramSynthesisLabeler, Pipeline that has one, or DistilledAnnotator
        Fitted.

    Returns
    -------
    found : FoundPrograms

    Raises
    ------
    TypeError
        If there is no labeler with programs.

    NotFittedError
        If it is not fitted.
    """
    annotator = estimator if hasattr(estimator, "labeler_") else None
    voter = estimator if annotator is None else annotator.labeler_
    before, labeler = split_steps(voter)
    if not hasattr(labeler, "run"):
        raise TypeError(
            f"{type(estimator).__name__} has no programs to look at: give a fitted "
            "ProgramSynthesisLabeler, a pipeline that has one, or a DistilledAnnotator."
        )
    check_is_fitted(labeler)
    aggregator = None if annotator is None else annotator.aggregator_
    if aggregator is None and labeler is not voter and voter[-2] is labeler:
        aggregator = voter[-1]
    return FoundPrograms(labeler, before, aggregator, annotator)


def split_steps(labeler: Any) -> tuple[list[Any], Any]:
    """Take a pipeline apart where its programs are.

    Parameters
    ----------
    labeler : estimator or Pipeline
        Fitted; what votes, with or without steps before and after it.

    Returns
    -------
    before : list of estimators
        The steps whose output the programs read, in their order.

    labeler : estimator
        The step that has programs, or `labeler` itself where none has.
    """
    steps = [step for _, step in getattr(labeler, "steps", ())]
    for i, step in enumerate(steps):
        if hasattr(step, "programs_"):
            return [s for s in steps[:i] if hasattr(s, "transform")], step
    return [], labeler
