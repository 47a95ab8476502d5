"""Find the labeler among the steps of a pipeline."""

from typing import Any


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
