"""Turn scores that programs give to classes into votes, at thresholds once learned."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._equal_rows import Distinct
from ._program import LabelingProgram
from ._protocol import ABSTAIN, CRASH, SCORED
from ._run_chunk import ChunkResult, Task


def scores_to_votes(result: ChunkResult, task: Task, keep: bool) -> None:
    """Turn scores of a chunk into votes; what are none are a crash of the program."""
    if result.scores is None:
        return
    scored = result.votes == SCORED
    result.scores[~scored] = np.nan
    spoilt = np.isinf(result.scores).any(axis=1)
    result.scores[spoilt] = np.nan
    cuts = thresholds_of(task.program, task.codes, task.n_codes)
    result.votes[scored] = cut_scores(result.scores[scored], cuts)
    result.votes[spoilt] = CRASH
    if not keep:
        result.scores = None


def thresholds_of(
    program: LabelingProgram, codes: Sequence[tuple[Any, int]], n_codes: int
) -> np.ndarray:
    """Say by how much each class has to lead, in the order of the votes."""
    cuts = np.zeros(n_codes)
    place = dict(codes)
    for label, lead in program.thresholds or ():
        code = place.get(label, ABSTAIN)
        if code != ABSTAIN:
            cuts[code] = max(float(cuts[code]), lead)
    return cuts


def name_thresholds(
    cuts: np.ndarray, codes: Sequence[tuple[Any, int]]
) -> tuple[tuple[Any, float], ...]:
    """Write thresholds down by what the program calls the classes."""
    return tuple(
        (label, float(cuts[code]))
        for label, code in codes
        if code != ABSTAIN and cuts[code] > 0
    )


def find_leads(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the best class of each row, and by how much it leads the next.

    A class without a score counts as one with 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.programs._score_votes import find_leads
    >>> find_leads(np.array([[3.0, 1.0], [0.5, np.nan], [np.nan, np.nan]]))
    (array([0, 0, 0]), array([2. , 0.5, 0. ]))
    """
    filled = np.nan_to_num(scores.astype(float), nan=0.0)
    best = filled.argmax(axis=1)
    top = np.take_along_axis(filled, best[:, np.newaxis], axis=1)[:, 0]
    if filled.shape[1] == 1:
        return best, np.maximum(top, 0.0)
    np.put_along_axis(filled, best[:, np.newaxis], -np.inf, axis=1)
    return best, top - filled.max(axis=1)


def cut_scores(scores: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Vote for the best class of each row where it leads by its threshold."""
    best, lead = find_leads(scores)
    # The best of those without a score is none.
    known = ~np.isnan(scores[np.arange(len(best)), best])
    return np.where(known & (lead > 0) & (lead >= cuts[best]), best, ABSTAIN)


def collect_scores(
    outcomes: Sequence[Sequence[ChunkResult]],
    distinct: Distinct | None,
    shape: tuple[int, int, int],
) -> np.ndarray:
    """Put the scores of all programs together, NaN where there are none."""
    nothing = np.float32(np.nan)
    if all(one.scores is None for done in outcomes for one in done):
        return np.broadcast_to(nothing, shape)  # takes no memory
    assert distinct is not None
    scores = np.full(shape, nothing)
    for place in range(shape[1]):
        parts = [
            np.broadcast_to(nothing, (len(outcome[place].votes), shape[2]))
            if (given := outcome[place].scores) is None
            else given[:, : shape[2]]
            for outcome in outcomes
        ]
        scores[:, place] = distinct.spread(np.concatenate(parts))
    return scores
