"""Select the programs of a fit by how they vote on some of its records."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Records, draw_rows
from ..programs import LabelingProgram, RunResult, source_digest
from ..votes import ABSTAIN
from ._earlier_programs import cue_records
from ._gate import find_harmful, find_subsumed
from ._score_thresholds import gives_scores, learn_thresholds
from ._trial import Rejection

MIN_KEPT = 3
_REPEATS = 0.995
_MIN_LABELED = 10
# Of labelled records, enough to tell a program from chance; of others, to tell
# whether it says anything.
_MAX_LABELED = 2000
_N_UNLABELED = 200


def drop_useless(
    programs: Sequence[LabelingProgram],
    votes: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    n_given: int = 0,
    idle: Mapping[int, str] | None = None,
    found: Mapping[int, str] | None = None,
) -> tuple[list[LabelingProgram], list[Rejection]]:
    """Drop programs that say nothing, repeat another, or are no better than chance.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What to choose from.

    votes : ndarray of shape (n_samples, n_programs)
        Their votes: indices of classes, -1 for abstain.

    labels : ndarray of shape (n_samples,) or None, default=None
        Indices of classes, -1 where unknown. None learns from no label.

    n_given : int, default=0
        The first so many programs stay whatever they say.

    idle : dict of int to str or None, default=None
        Places of programs that say nothing, with the reason. None finds them in the
        votes.

    found : dict of int to str, default=None
        Places of programs that are dropped for another reason, after all others.

    Returns
    -------
    kept : list of LabelingProgram
        At least three of them where there are as many.

    dropped : list of Rejection
        The others with the reason, the least useful first.
    """
    idle = find_idle(votes) if idle is None else idle
    reasons = {j: reason for j, reason in idle.items() if j >= n_given}
    if labels is not None:
        for j in range(n_given, len(programs)):
            if j not in reasons and (reason := _no_better(votes[:, j], labels)):
                reasons[j] = reason
    for j in range(n_given, len(programs)):
        if j in reasons:
            continue
        for i in range(j):
            if i not in reasons and _repeats(votes[:, i], votes[:, j]):
                reasons[j] = f"it votes as {programs[i].name!r} does"
                break
    for j, reason in (found or {}).items():
        reasons.setdefault(j, reason)
    # In this order, until only as many are left as a label model needs.
    n_dropped = min(len(reasons), max(0, len(programs) - MIN_KEPT))
    dropped = dict(list(reasons.items())[:n_dropped])
    return (
        [program for j, program in enumerate(programs) if j not in dropped],
        [
            Rejection(programs[j].name, r, programs[j].source)
            for j, r in dropped.items()
        ],
    )


def find_idle(votes: np.ndarray) -> dict[int, str]:
    """Find programs whose votes tell no record from another.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Indices of classes, -1 for abstain.

    Returns
    -------
    idle : dict of int to str
        Places of programs, with the reason.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.synthesis import find_idle
    >>> find_idle(np.full((30, 1), -1))
    {0: 'it never votes on 30 records'}
    """
    reasons = {j: _says_nothing(votes[:, j]) for j in range(votes.shape[1])}
    return {j: reason for j, reason in reasons.items() if reason is not None}


def drop_deleted(
    programs: Sequence[LabelingProgram], deleted: Collection[str]
) -> tuple[list[LabelingProgram], list[Rejection]]:
    """Leave programs out that somebody deleted.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What was written.

    deleted : collection of str
        SHA-256 of the sources that were deleted.

    Returns
    -------
    kept : list of LabelingProgram
        The others.

    left_out : list of Rejection
        Those that have such a source.
    """
    reason = "it is the program that was deleted from the folder"
    left_out = [
        program for program in programs if source_digest(program.source) in deleted
    ]
    return (
        [program for program in programs if program not in left_out],
        [Rejection(program.name, reason, program.source) for program in left_out],
    )


def rows_to_try(labels: np.ndarray) -> np.ndarray:
    """Choose the records by which programs are judged where labels may be used.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        Indices of classes, -1 where unknown.

    Returns
    -------
    rows : ndarray of shape (n_rows,)
        Up to 2,000 labelled records, and up to 200 of all, drawn at random.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.synthesis._selection import rows_to_try
    >>> rows_to_try(np.array([0, -1, 1]))
    array([0, 1, 2])
    """
    rows = np.flatnonzero(labels >= 0)
    rows = rows[draw_rows(len(rows), _MAX_LABELED)]
    if len(rows) == len(labels):
        return rows
    return np.union1d(rows, draw_rows(len(labels), _N_UNLABELED))


def describe_votes(
    programs: Sequence[LabelingProgram], votes: np.ndarray, n_classes: int
) -> dict[str, list[str]]:
    """Say of each program how often it votes, and how often as the others do.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        What voted.

    votes : ndarray of shape (n_samples, n_programs)
        Indices of classes, -1 for abstain.

    n_classes : int
        Number of classes.

    Returns
    -------
    about : dict of str to list of str
        Name of a program -> a line for whoever reads it.
    """
    shares = [(votes == k).sum(axis=1) for k in range(n_classes)]
    about = {}
    for j, program in enumerate(programs):
        others = np.stack(shares, axis=1)
        voting = np.flatnonzero(votes[:, j] != ABSTAIN)
        others = others[voting]
        others[np.arange(len(voting)), votes[voting, j]] -= 1
        told = np.flatnonzero(others.any(axis=1))
        same = others.argmax(axis=1)[told] == votes[voting[told], j]
        line = f"votes on {len(voting)} of {len(votes)} records"
        if told.size:
            line += f", {same.mean():.0%} of the time as most others do"
        about[program.name] = [line]
    return about


def classes_without_votes(votes: np.ndarray, n_classes: int) -> list[int]:
    """Find classes that no program votes for.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_programs)
        Indices of classes, -1 for abstain.

    n_classes : int
        Number of classes.

    Returns
    -------
    unheard : list of int
        Their indices.
    """
    return sorted(set(range(n_classes)) - set(np.unique(votes).tolist()))


def _says_nothing(column: np.ndarray) -> str | None:
    answers = np.unique(column)
    # On a handful of records one and the same answer proves nothing.
    if len(answers) > 1 or len(column) < 20:
        return None
    if answers[0] == ABSTAIN:
        return f"it never votes on {len(column)} records"
    return (
        f"it gives one and the same answer on all of {len(column)} records: what it "
        "asks for, such as a threshold, is never or always met"
    )


def _repeats(one: np.ndarray, other: np.ndarray) -> bool:
    active = (one != ABSTAIN) | (other != ABSTAIN)
    return active.sum() >= 20 and (one == other)[active].mean() >= _REPEATS


def _no_better(column: np.ndarray, labels: np.ndarray) -> str | None:
    """Say so where a program does not beat votes that know nothing of the record."""
    known = (labels >= 0) & (column != ABSTAIN)
    if known.sum() < _MIN_LABELED:
        return None
    voted, true = column[known], labels[known]
    accuracy = (voted == true).mean()
    chance = sum((voted == k).mean() * (true == k).mean() for k in np.unique(voted))
    if accuracy > chance:
        return None
    return (
        f"it is right on {accuracy:.0%} of {known.sum()} labelled records, chance on "
        f"{chance:.0%}"
    )


# Enough to see a program fail or stay silent, little enough to cost nothing.
N_TRIED = 200
# On which programs are tried again that never vote, or never differently, on the few.
_N_TRIED_AGAIN = 2000
# From which thresholds of scores are learned, and on which all votes of a program have
# to be those of another.
_N_COMPARED = 1000

Run = Callable[..., RunResult]


@dataclass(frozen=True)
class Selection:
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


def select_programs(
    programs: Sequence[LabelingProgram],
    records: Records,
    classes: Sequence[Any],
    run: Run,
    *,
    n_given: int = 0,
    labels: np.ndarray | None = None,
    gate: bool = False,
) -> Selection:
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
    choice : Selection
        What is kept and what is not.
    """
    columns = records.sample(N_TRIED)
    if labels is not None:
        rows = rows_to_try(labels)
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
            found |= find_harmful(votes, labels, n_given=n_given, without=found)
    kept, dropped = drop_useless(
        programs, votes, labels, n_given=n_given, idle=idle, found=found
    )
    names = [program.name for program in kept]
    places = [j for j, program in enumerate(programs) if program.name in names]
    return Selection(kept, votes[:, places], dropped)
