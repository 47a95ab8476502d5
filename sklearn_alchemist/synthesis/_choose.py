"""Choose the programs of a fit by how they vote on some of its records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Records
from ..programs import LabelingProgram, RunResult
from ._cues import cue_records
from ._select import find_idle, rows_to_judge, select
from ._subsumed import find_losing, find_subsumed
from ._thresholds import gives_scores, learn_thresholds
from ._trial import Rejection

# Enough to see a program fail or stay silent, little enough to cost nothing.
N_TRIED = 200
# On which programs are tried again that never vote, or never differently, on the few.
_N_TRIED_AGAIN = 2000
# From which thresholds of scores are learned, and on which all votes of a program have
# to be those of another.
_N_COMPARED = 1000

Run = Callable[..., RunResult]


@dataclass(frozen=True)
class Choice:
    """The programs that are kept.

    Parameters
    ----------
    programs : list of LabelingProgram
        With thresholds, where they give scores.

    votes : ndarray of shape (n_tried, n_programs)
        Their votes on some records.

    dropped : list of Rejection
        The others, with the reason.
    """

    programs: list[LabelingProgram]
    votes: np.ndarray
    dropped: list[Rejection]


def choose(
    programs: Sequence[LabelingProgram],
    records: Records,
    classes: Sequence[Any],
    run: Run,
    *,
    n_given: int = 0,
    labels: np.ndarray | None = None,
    gate: bool = False,
) -> Choice:
    """Learn thresholds of scores, and drop programs that add nothing.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What to choose from.

    records : Records
        The records of the fit, of which some are tried.

    classes : sequence
        Classes in the order of the votes.

    run : callable
        Runs programs over columns, as `run_programs` does.

    n_given : int, default=0
        The first so many programs stay whatever they say.

    labels : ndarray of shape (n_samples,) or None, default=None
        Indices of classes, -1 where unknown. None learns from no label.

    gate : bool, default=False
        Whether programs are dropped that another one subsumes and, with labels, those
        without which the others do better.

    Returns
    -------
    choice : Choice
        What is kept and what is not.
    """
    columns = records.sample(N_TRIED)
    if labels is not None:
        rows = rows_to_judge(labels)
        columns, labels = records.take(rows.tolist()), labels[rows]
    programs = list(programs)
    result = run(programs, columns, keep_scores=True)
    if gives_scores(programs, result):
        taught = result
        if labels is None and records.n_rows > len(result.votes):
            taught = run(programs, records.sample(_N_COMPARED), keep_scores=True)
        programs = learn_thresholds(programs, taught, classes, labels)
        result = run(programs, columns)
    votes = result.votes
    idle = find_idle(votes)
    unsure = [j for j in idle if j >= n_given]
    if unsure and records.n_rows > len(votes):
        # What is rare has to be looked for among more records.
        more = records.sample(_N_TRIED_AGAIN)
        again = find_idle(run([programs[j] for j in unsure], more).votes)
        idle = {unsure[place]: reason for place, reason in again.items()}
    found = {}
    if gate:
        compared = [run(programs, records.sample(_N_COMPARED)).votes]
        if cues := cue_records(programs, records.kinds):
            compared.append(run(programs, cues).votes)
        names = [program.name for program in programs]
        found = find_subsumed(np.concatenate(compared), names, n_given=n_given)
        if labels is not None:
            found |= find_losing(votes, labels, n_given=n_given, without=found)
    kept, dropped = select(
        programs, votes, labels, n_given=n_given, idle=idle, found=found
    )
    names = [program.name for program in kept]
    places = [j for j, program in enumerate(programs) if program.name in names]
    return Choice(kept, votes[:, places], dropped)
