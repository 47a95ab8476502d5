"""Learn how sure the scores of a program have to be for a vote."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..programs import LabelingProgram, RunResult
from ..programs._answer_codes import AnswerCodes
from ..programs._score_votes import find_leads, name_thresholds
from ..votes import ABSTAIN

# Fewer rows on which a program would be silent tell nothing of it.
_MIN_SILENCED = 10
# The others may be wrong together, so that no class is silenced on their word.
_MAX_SILENCED = 0.5


def gives_scores(programs: Sequence[LabelingProgram], result: RunResult) -> list[int]:
    """Find the programs that give scores and have no thresholds yet.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What was run.

    result : RunResult
        What came of it, with scores.

    Returns
    -------
    places : list of int
        Places of such programs.
    """
    assert result.scores is not None
    return [
        j
        for j, program in enumerate(programs)
        if program.thresholds is None and not np.isnan(result.scores[:, j]).all()
    ]


def learn_thresholds(
    programs: Sequence[LabelingProgram],
    result: RunResult,
    classes: Sequence[Any],
    labels: np.ndarray | None = None,
) -> list[LabelingProgram]:
    """Learn thresholds from what the other programs, or labels, say of the same rows.

    Of each class, the votes with the smallest leads are dropped as far as they are
    contradicted more often than confirmed.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What was run.

    result : RunResult
        What came of it, with scores; the rows should be a sample of those to come.

    classes : sequence
        Classes in the order of the votes.

    labels : ndarray of shape (n_samples,) or None, default=None
        Indices of classes, -1 where unknown. None asks the other programs alone.

    Returns
    -------
    programs : list of LabelingProgram
        Those that give scores have thresholds, also where all are 0.
    """
    assert result.scores is not None
    learned = list(programs)
    answer_codes = AnswerCodes.of(programs, classes)
    for j in gives_scores(programs, result):
        others = np.delete(result.votes, j, axis=1)
        teacher = _most_voted(others, len(classes))
        if labels is not None:
            teacher = np.where(labels == ABSTAIN, teacher, labels)
        cuts = _cuts(result.scores[:, j], teacher)
        learned[j] = replace(
            programs[j], thresholds=name_thresholds(cuts, answer_codes.codes[j])
        )
    return learned


def _cuts(scores: np.ndarray, teacher: np.ndarray) -> np.ndarray:
    """Say by how much each class has to lead."""
    cuts = np.zeros(scores.shape[1])
    best, lead = find_leads(scores)
    for k in range(len(cuts)):
        told = (best == k) & (lead > 0) & (teacher != ABSTAIN)
        cuts[k] = _cut(lead[told], teacher[told] == k)
    return cuts


def _cut(lead: np.ndarray, confirmed: np.ndarray) -> float:
    """Find the least lead above which votes are confirmed most."""
    order = np.argsort(lead, kind="stable")
    lead, confirmed = lead[order], confirmed[order]
    # What dropping so many of the smallest leads gains: contradictions less agreement.
    gain = np.concatenate([[0], np.cumsum(np.where(confirmed, -1, 1))])
    n_dropped = np.arange(len(gain))
    may = (n_dropped >= _MIN_SILENCED) & (n_dropped <= _MAX_SILENCED * len(lead))
    # Equal leads share their fate.
    may[1:-1] &= lead[1:] > lead[:-1]
    may &= gain > 0
    if not may.any():
        return 0.0
    n = int(np.flatnonzero(may)[gain[may].argmax()])
    return float((lead[n - 1] + lead[n]) / 2)


def _most_voted(votes: np.ndarray, n_classes: int) -> np.ndarray:
    """Say for each row what most programs vote, -1 for none and for ties."""
    if not votes.shape[1]:
        return np.full(len(votes), ABSTAIN)
    counts = np.stack([(votes == k).sum(axis=1) for k in range(n_classes)], axis=1)
    most = counts.max(axis=1)
    is_clear = (most > 0) & ((counts == most[:, np.newaxis]).sum(axis=1) == 1)
    return np.where(is_clear, counts.argmax(axis=1), ABSTAIN)
