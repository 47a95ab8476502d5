"""Tune programs on a few labels, without asking a language model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import KFold
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._utils import warn
from ..data import Classes, check_records
from ..exceptions import LabelsWarning, ProgramRejected
from ..label_model import check_label_proba, label_weights
from ..programs import LabelingProgram, RunResult, check_program, run_programs
from ..votes import ABSTAIN
from ._tuning_edits import Edit, apply_edits, find_edits

_MAX_CANDIDATES = 200
_MAX_UNLABELLED = 200
_AT_ONCE = 20
_LEAST_COVERAGE = 0.5
"""Share of its votes that a changed program keeps at least."""


def tune_programs(
    labeler: Any,
    X: Any,
    y: ArrayLike,
    *,
    label_proba: ArrayLike | float | None = None,
    cv: int = 5,
    random_state: Any = None,
) -> tuple[LabelingProgram, ...]:
    """Tune the programs of a fitted labeler on a few labels, without a call.

    Up to 200 changes are tried, each a move of a threshold, an entry left out of a list
    of words or of the alternatives of a pattern, or a rule left out. No word is added,
    and comments and layout stay. At most one change of each program is kept, and only
    where it adds more to the log-probability of the labels, when all programs vote
    together, than the best of so many useless changes would by chance; where most folds
    choose it without the labels left out, and these gain by what is chosen; and where
    the program keeps half of its votes and fails on no more records. With good programs
    and 50 labels this is often no change at all.

    Parameters
    ----------
    labeler : ProgramSynthesisLabeler
        A fitted one. It is not changed.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Texts, or a table. Of records without a label, up to 200 are looked at so that
        no program falls silent on them.

    y : array-like of shape (n_samples,)
        Gold labels, missing where there is none: None, NaN, or -1 where that is no
        class. Usually 20 to 200 are known.

    label_proba : array-like of shape (n_samples,), float or None, default=None
        Probability with which each label was asked for, 1 for a plain random sample.
        Labels count by its inverse. None, or NaN for single labels, means that nobody
        knows; all labels with an unknown one count as the mean of the others.

    cv : int, default=5
        Number of folds.

    random_state : int, RandomState instance or None, default=None
        Draws the folds and the records without a label.

    Returns
    -------
    programs : tuple of LabelingProgram
        In the order of ``labeler.programs_``; what did not change is the same object.
        `Provenance.tuned_from` is the `digest` of the program before and
        `Provenance.changes` says what was changed.

    Raises
    ------
    ValueError
        If `cv` is no integer of 2 or more, fewer than two labels a fold are known, or a
        label is none of the classes.

    Warns
    -----
    LabelsWarning
        If nothing tells how labels were chosen.

    See Also
    --------
    sklearn_alchemist.inspection.compare_programs : See what the changes do.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
    >>> from sklearn_alchemist.synthesis import tune_programs
    >>> program = LabelingProgram("spam", '''
    ... WORDS = ["prize", "free", "song"]
    ... def label(text):
    ...     return "spam" if any(word in text for word in WORDS) else "ham"
    ... ''')
    >>> X = ["a prize", "all free", "nice song", "see you"] * 15
    >>> y = ["spam", "spam", "ham", "ham"] * 15
    >>> labeler = ProgramSynthesisLabeler(
    ...     classes=["ham", "spam"], programs=[program]
    ... ).fit(X)
    >>> (tuned,) = tune_programs(labeler, X, y, label_proba=1.0, random_state=0)
    >>> tuned.provenance.changes
    "line 2: without 'song'"
    """
    check_is_fitted(labeler)
    records = check_records(labeler, X, reset=False)
    classes = labeler.classes_
    codes = Classes.of_names(classes).encode(y, n_samples=records.n_rows)
    labelled = np.flatnonzero(codes != ABSTAIN)
    _check_cv(cv, len(labelled))
    weights = _weigh(label_proba, codes != ABSTAIN)[labelled]
    random = check_random_state(random_state)
    others = random.permutation(np.flatnonzero(codes == ABSTAIN))[:_MAX_UNLABELLED]
    folds = np.empty(len(labelled), dtype=int)
    splits = KFold(cv, shuffle=True, random_state=random).split(labelled)
    for fold, (_, out) in enumerate(splits):
        folds[out] = fold

    programs = tuple(labeler.programs_)
    bench = _Bench(labeler, records.take(labelled.tolist()))
    gold = codes[labelled]
    base = bench.run(programs).votes
    tried = _candidates(programs, classes.tolist(), bench.columns, base, gold)
    owners, changed, votes = bench.try_all(programs, tried, base)
    if not changed:
        return programs
    chosen = choose_changes(base, votes, owners, gold, weights, folds, len(classes))
    everywhere = _Bench(labeler, records.take([*labelled.tolist(), *others.tolist()]))
    tuned = list(programs)
    for place in chosen:
        owner = int(owners[place])
        if everywhere.is_sound(programs[owner], changed[place]):
            tuned[owner] = changed[place]
    return tuple(tuned)


def _check_cv(cv: Any, n_labels: int) -> None:
    if isinstance(cv, bool) or not isinstance(cv, int | np.integer) or cv < 2:
        raise ValueError(f"cv must be an integer of 2 or more, got {cv!r}.")
    if n_labels < 2 * cv:
        raise ValueError(
            f"y holds {n_labels} labels, which are too few for cv={cv} folds: give at "
            f"least {2 * cv}; 50 random ones are a good start."
        )


def _weigh(label_proba: Any, is_labelled: np.ndarray) -> np.ndarray:
    """Weigh labels so that they stand for all records, as far as it is known how."""
    proba = check_label_proba(label_proba, is_labelled)
    known = np.isfinite(proba)
    weights = is_labelled.astype(float)
    if known.any():
        weights[known] = label_weights(1 / proba[known], np.ones(known.sum()))
    n_unknown = int((is_labelled & ~known).sum())
    if n_unknown:
        weights[is_labelled & ~known] = weights[known].mean() if known.any() else 1.0
        warn(
            f"Nothing tells how {n_unknown} labels in y were chosen: labels that were "
            "picked, as the hardest are, may mislead what is changed. Pass "
            "label_proba, the probability with which each was asked for: 1 for a plain "
            "random sample.",
            LabelsWarning,
        )
    return weights


def _candidates(
    programs: Sequence[LabelingProgram],
    classes: list[Any],
    columns: Mapping[str, Sequence[Any]],
    base: np.ndarray,
    gold: np.ndarray,
) -> list[tuple[int, Edit]]:
    """List changes that may change votes on these records, the most useful first.

    Rules and thresholds of all programs in turn take half of the places at most, as
    they change the most; then come entries of which most records hold the word that the
    program gets wrong.
    """
    texts = [
        " ".join(str(value) for value in row if isinstance(value, str)).lower()
        for row in zip(*columns.values(), strict=True)
    ]
    wide: list[list[tuple[int, Edit]]] = []
    entries: list[tuple[int, int, Edit]] = []
    for owner, program in enumerate(programs):
        wrong = (base[:, owner] != gold) & (base[:, owner] != ABSTAIN)
        edits = find_edits(program.source, classes)
        rest = [edit for edit in edits if edit.kind != "entry"]
        rest.sort(key=lambda edit: edit.kind != "rule")
        wide.append([(owner, edit) for edit in rest])
        for edit in edits:
            if edit.kind == "entry":
                holds = np.array([edit.word in text for text in texts], dtype=bool)
                if n_wrong := int((holds & wrong).sum()):
                    # A word of records that are right elsewhere is rather a good one.
                    entries.append((2 * n_wrong - int(holds.sum()), owner, edit))
    entries.sort(key=lambda entry: -entry[0])
    in_turn = [one for ones in zip_longest(*wide) for one in ones if one is not None]
    n_wide = max(_MAX_CANDIDATES // 2, _MAX_CANDIDATES - len(entries))
    found = in_turn[:n_wide]
    room = _MAX_CANDIDATES - len(found)
    return found + [(owner, edit) for _, owner, edit in entries[:room]]


def _changed(program: LabelingProgram, edit: Edit) -> LabelingProgram:
    """Make one change, and say so."""
    before = program.provenance
    said = [before.changes, edit.what] if before.changes else [edit.what]
    return replace(
        program,
        source=apply_edits(program.source, [edit]),
        provenance=replace(
            before, tuned_from=program.digest, changes="; ".join(map(str, said))
        ),
    )


class _Bench:
    """Some records, on which programs run as the labeler runs them."""

    def __init__(self, labeler: Any, columns: Mapping[str, Sequence[Any]]) -> None:
        self.labeler = labeler
        self.columns = columns

    def run(self, programs: Sequence[LabelingProgram]) -> RunResult:
        labeler = self.labeler
        return run_programs(
            programs,
            self.columns,
            labeler.classes_.tolist(),
            timeout=labeler.timeout,
            n_jobs=labeler.n_jobs,
            sandbox=labeler.sandbox,
        )

    def try_all(
        self,
        programs: Sequence[LabelingProgram],
        tried: Sequence[tuple[int, Edit]],
        base: np.ndarray,
    ) -> tuple[np.ndarray, list[LabelingProgram], np.ndarray]:
        """Run changed programs; leave out those that fail or vote as before."""
        owners, changed, votes = [], [], []
        made: list[tuple[int, LabelingProgram]] = []
        for owner, edit in tried:
            try:
                program = _changed(programs[owner], edit)
                if self.labeler.sandbox is not None:
                    check_program(program)
            except ProgramRejected:
                continue
            made.append((owner, program))
        for start in range(0, len(made), _AT_ONCE):
            for (owner, program), found in self._run_each(
                made[start : start + _AT_ONCE]
            ):
                heard, before = found != ABSTAIN, base[:, owner] != ABSTAIN
                is_heard = heard.any() and heard.sum() >= _LEAST_COVERAGE * before.sum()
                if is_heard and (found != base[:, owner]).any():
                    owners.append(owner)
                    changed.append(program)
                    votes.append(found)
        return np.array(owners, dtype=int), changed, np.array(votes).T

    def _run_each(
        self, made: list[tuple[int, LabelingProgram]]
    ) -> list[tuple[tuple[int, LabelingProgram], np.ndarray]]:
        """Run programs at once, or by halves where one of them cannot be loaded."""
        try:
            result = self.run([program for _, program in made])
        except ProgramRejected:
            if len(made) == 1:
                return []
            half = len(made) // 2
            return self._run_each(made[:half]) + self._run_each(made[half:])
        return list(zip(made, result.votes.T, strict=True))

    def is_sound(self, before: LabelingProgram, after: LabelingProgram) -> bool:
        """Whether a changed program keeps its votes and fails on no more records."""
        result = self.run([before, after])
        n_before, n_after = (result.votes != ABSTAIN).sum(axis=0)
        failed_before, failed_after = (sum(f.values()) for f in result.failures)
        keeps = n_after > 0 and n_after >= _LEAST_COVERAGE * n_before
        return bool(keeps and failed_after <= failed_before)


def choose_changes(
    base: np.ndarray,
    votes: np.ndarray,
    programs: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray,
    folds: np.ndarray,
    n_classes: int,
    *,
    strictness: float | None = None,
) -> list[int]:
    """Choose at most one change of each program.

    A change is worth what it adds to the log-probability of the labels when all
    programs vote together, less what the best of so many changes that do nothing may
    seem to add by chance. It is kept if most folds choose it without the labels left
    out, and if what is chosen so adds to the labels left out.

    Parameters
    ----------
    base : ndarray of int of shape (n_labels, n_programs)
        Votes as they are.
    votes : ndarray of int of shape (n_labels, n_changes)
        Votes of the changed program after each change.
    programs : ndarray of int of shape (n_changes,)
        The program that each change is made to.
    codes : ndarray of int of shape (n_labels,)
        Gold labels.
    weights : ndarray of shape (n_labels,)
        What each label counts.
    folds : ndarray of int of shape (n_labels,)
        The part of cross-validation in which each label is left out.
    n_classes : int
        Number of classes.
    strictness : float or None, default=None
        How many standard errors a change has to add; None: what the best of as many
        changes that do nothing adds.

    Returns
    -------
    chosen : list of int
        Positions of the changes.
    """
    shares = _Shares(base, votes, programs, codes, n_classes)
    if strictness is None:
        n_distinct = len(np.unique(np.vstack([programs, votes]), axis=1).T)
        strictness = float(np.sqrt(2 * np.log(max(n_distinct, 2))))
    chosen = shares.climb(weights, strictness)
    if not chosen:
        return []
    times: dict[int, int] = {}
    gained: list[np.ndarray] = []
    for fold in np.unique(folds):
        out = folds == fold
        found = shares.climb(np.where(out, 0.0, weights), strictness)
        gained.append((weights * shares.gain(found))[out])
        for change in found:
            for same in shares.same_votes(change):
                times[same] = times.get(same, 0) + 1
    if not np.concatenate(gained).sum() > 0:
        return []
    n_folds = len(np.unique(folds))
    return [change for change in chosen if 2 * times.get(change, 0) > n_folds]


class _Shares:
    """Class probabilities by shares of votes, and what changes of them add.

    One further vote is shared by all classes, so that no probability is 0.
    """

    def __init__(
        self,
        base: np.ndarray,
        votes: np.ndarray,
        programs: np.ndarray,
        codes: np.ndarray,
        n_classes: int,
    ) -> None:
        gold = codes[:, None]
        self.votes, self.programs = votes, programs
        # What a change adds to the votes for the gold label, and to all votes.
        before = base[:, programs]
        self.right = (votes == gold).astype(float) - (before == gold)
        self.heard = (votes != ABSTAIN).astype(float) - (before != ABSTAIN)
        self.n_right = (base == gold).sum(axis=1) + 1 / n_classes
        self.n_heard = (base != ABSTAIN).sum(axis=1) + 1.0

    def gain(self, changes: Sequence[int]) -> np.ndarray:
        """Tell what changes add to the log-probability of each label together."""
        right = self.n_right + self.right[:, changes].sum(axis=1)
        heard = self.n_heard + self.heard[:, changes].sum(axis=1)
        return np.log(right / heard) - np.log(self.n_right / self.n_heard)

    def climb(self, weights: np.ndarray, strictness: float) -> list[int]:
        """Take the best change again and again, while it adds more than chance."""
        chosen: list[int] = []
        left = np.arange(len(self.programs))
        n_right, n_heard = self.n_right[:, None], self.n_heard[:, None]
        while len(left):
            now = np.log(n_right / n_heard)
            right, heard = n_right + self.right[:, left], n_heard + self.heard[:, left]
            after = np.log(right / heard)
            gains = weights[:, None] * (after - now)
            worth = gains.sum(axis=0) - strictness * np.sqrt((gains**2).sum(axis=0))
            if not worth.max() > 1e-9:
                break
            best = int(left[worth.argmax()])
            chosen.append(best)
            left = left[self.programs[left] != self.programs[best]]
            n_right = n_right + self.right[:, [best]]
            n_heard = n_heard + self.heard[:, [best]]
        return chosen

    def same_votes(self, change: int) -> np.ndarray:
        """Find changes of the same program that the labels cannot tell from one."""
        same = (self.votes == self.votes[:, [change]]).all(axis=0)
        return np.flatnonzero(same & (self.programs == self.programs[change]))
