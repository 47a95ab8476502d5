"""Tell whether new records differ from those that an annotator was fitted to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats
from sklearn.utils.validation import check_is_fitted

from ..data import ColumnProfile, check_records
from ..votes import ABSTAIN, contradicted
from ._escaping import align, escape, in_one_line, plain_data, section, table

# Fewer records tell nothing of a share.
_FEWEST = 30
# Below this a bin is added to another, as a chi-squared test needs.
_MIN_EXPECTED = 5.0
_SHOWN_WORDS = 10
# So much less coverage is worth asking for programs.
_MUCH_SILENCE = 0.05


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """One thing that was compared.

    Parameters
    ----------
    what : str
        "coverage", "conflict" and "classes" of all programs; "votes" of a program, and
        their "agreement" with the student; "length", "numbers", "values" or "new words"
        of a column.
    of : str
        The program or the column; empty for all programs together.
    before, now : float or None
        The share in question in the training data and now, where one number tells:
        of the records on which the program votes, say.
    shift : float
        How much the distribution moved: the share of records that would have to be
        others.
    p_value : float
        How often as much would be seen if nothing had changed.
    alarm : bool
        Whether this is no chance, and large enough to matter.
    """

    what: str
    of: str
    before: float | None
    now: float | None
    shift: float
    p_value: float
    alarm: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed since the fit; printed, and in a notebook, a table.

    Parameters
    ----------
    alarm : bool
        Whether anything changed that matters.
    advice : str
        What to do.
    checks : tuple of DriftCheck
        What was compared.
    news : tuple of (str, str, int)
        Column, word or value that the training data did not hold, and how many of the
        new records hold it; the most frequent ones.
    n_rows, n_before : int
        Number of new records and of training records.
    """

    alarm: bool
    advice: str
    checks: tuple[DriftCheck, ...]
    news: tuple[tuple[str, str, int], ...]
    n_rows: int
    n_before: int

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain values.

        Returns
        -------
        values : dict
            Of str, numbers, bool, None, lists and dicts only.
        """
        return plain_data(asdict(self))

    def __str__(self) -> str:
        lines = [self.advice, "", align([_HEADER, *map(_cells, self.checks)])]
        if self.news:
            shown = ", ".join(
                f"{in_one_line(word, 40)!r} ({n})" for _, word, n in self.news
            )
            lines += ["", f"new: {shown}"]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [[escape(cell) for cell in _cells(check)] for check in self.checks]
        news = [[escape(c), escape(w[:80]), str(n)] for c, w, n in self.news]
        parts = [f"<p><strong>{escape(self.advice)}</strong></p>", table(_HEADER, rows)]
        if news:
            parts.append(table(["column", "new", "records"], news))
        return section(*parts)


def drift(
    annotator: Any, X: Any, *, false_alarms: float = 0.01, min_shift: float = 0.05
) -> Drift:
    """Tell whether new records differ from those of ``fit``, and when to ask again.

    Compared are the votes of each program, how many programs vote and how often they
    contradict each other, the classes that the votes say, how often the student agrees
    with them, and what the columns hold: lengths, numbers, values, words that are new.
    No text of the training data is needed, as ``fit`` keeps counts.

    Parameters
    ----------
    annotator : DistilledAnnotator
        Fitted.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        New records, some hundreds at least; a sample of many is enough.

    false_alarms : float, default=0.01
        How often at most a batch of records of the same kind as those of ``fit``
        raises an alarm, all checks together.

    min_shift : float, default=0.05
        A change of fewer records than this share raises none, however certain it is.

    Returns
    -------
    drift : Drift
        What changed, what is new, and what to do.

    Raises
    ------
    ValueError
        If there are fewer than 30 records, or a parameter is out of range.

    Examples
    --------
    >>> from sklearn_alchemist import (
    ...     DistilledAnnotator, LabelingProgram, ProgramSynthesisLabeler
    ... )
    >>> from sklearn_alchemist.inspection import drift
    >>> link = LabelingProgram("link", "def label(text): return 'http' in text")
    >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[link])
    >>> texts = [f"song {i % 7}" if i % 3 else f"http {i % 5}" for i in range(300)]
    >>> annotator = DistilledAnnotator(labeler).fit(texts)
    >>> drift(annotator, texts[:100]).alarm
    False
    >>> drift(annotator, ["who shares a recipe for bread?"] * 100).alarm
    True
    """
    check_is_fitted(annotator)
    for name, value in (("false_alarms", false_alarms), ("min_shift", min_shift)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must be between 0 and 1, got {value!r}.")
    state = getattr(annotator, "_training_state", None)
    if state is None:
        raise ValueError(
            "this annotator was fitted by a version that kept no votes: fit again."
        )
    records = check_records(annotator, X, reset=False)
    if records.n_rows < _FEWEST:
        raise ValueError(
            f"X has {records.n_rows} records, and no share can be told from fewer than "
            f"{_FEWEST}: collect more of them."
        )
    said = annotator._opinions(X, ask_all=True)
    many = state.multiplicity
    found = [*_compare_votes(annotator, state, said, many)]
    profiles = state.profiles
    columns = {
        name: list(column)
        for name, column in records.columns.items()
        if name in profiles
    }
    for name, values in columns.items():
        found += _compare_column(name, profiles[name], values)
    checks = tuple(_judge(one, false_alarms / len(found), min_shift) for one in found)
    news = [
        (name, word, n)
        for name, values in columns.items()
        for word, n in profiles[name].news(values).most_common(_SHOWN_WORDS)
        if n > 1
    ]
    news.sort(key=lambda item: (-item[2], item[1]))
    alarms = [check for check in checks if check.alarm]
    return Drift(
        alarm=bool(alarms),
        advice=_advise(alarms),
        checks=checks,
        news=tuple(news[:_SHOWN_WORDS]),
        n_rows=records.n_rows,
        n_before=len(state.votes) if many is None else int(many.sum()),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Compared:
    """Counts of the same things before and now."""

    what: str
    of: str
    before: np.ndarray
    now: np.ndarray
    # Bins of which the share is shown.
    shown: slice | None = None
    # Only a move to later bins counts.
    only_up: bool = False


def _compare_votes(
    annotator: Any, state: Any, said: Any, many: np.ndarray | None
) -> Iterator[_Compared]:
    old, new = np.asarray(state.votes, dtype=int), np.asarray(said.votes, dtype=int)
    n_classes, n_programs = len(annotator.classes_), old.shape[1]
    names = [str(name) for name in annotator._program_names(n_programs)]
    voted = slice(1, None)
    sizes = _both(lambda votes: (votes != ABSTAIN).sum(axis=1), old, new)
    yield _compare("coverage", "", *sizes, n_programs + 1, voted, many=many)
    yield _compare(
        "conflict",
        "",
        *_both(lambda votes: contradicted(votes).astype(int), old, new),
        2,
        voted,
        many=many,
    )
    by_votes = _both(
        lambda votes: annotator.aggregator_.predict_proba(votes).argmax(axis=1),
        old[sizes[0] > 0],
        new[sizes[1] > 0],
    )
    heard = None if many is None else many[sizes[0] > 0]
    yield _compare("classes", "", *by_votes, n_classes, many=heard)
    for j, name in enumerate(names):
        votes = old[:, j] + 1, new[:, j] + 1
        yield _compare("votes", name, *votes, n_classes + 1, voted, many=many)
    if state.said is None:
        return
    # Of training records, what students said that had not seen them.
    students = annotator.scaling_(state.said).argmax(axis=1), said.student.argmax(1)
    for j, name in enumerate(names):
        differ = (
            _differ(old[state.rows, j], students[0]),
            _differ(new[:, j], students[1]),
        )
        yield _compare("agreement", name, *differ, 2, slice(0, 1), only_up=True)


def _compare(
    what: str,
    of: str,
    before: np.ndarray,
    now: np.ndarray,
    n_bins: int,
    shown: slice | None = None,
    *,
    only_up: bool = False,
    many: np.ndarray | None = None,
) -> _Compared:
    """Count numbers below `n_bins`; each of before as `many` times as it stands for."""
    counts = np.bincount(before, many, n_bins), np.bincount(now, minlength=n_bins)
    return _Compared(what, of, *counts, shown, only_up)


def _both(
    function: Callable[[np.ndarray], np.ndarray], before: np.ndarray, now: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return function(before), function(now)


def _differ(votes: np.ndarray, student: np.ndarray) -> np.ndarray:
    """Whether the votes of a program are not what the student says."""
    voted = votes != ABSTAIN
    return (votes[voted] != student[voted]).astype(int)


def _compare_column(
    name: str, profile: ColumnProfile, values: list[Any]
) -> Iterator[_Compared]:
    what = {"text": "length", "number": "numbers", "value": "values"}[profile.kind]
    yield _Compared(what, name, profile.counts, profile.count(values))
    if profile.kind == "text":
        new = profile.count_novelty(values)
        shown = slice(1, None)
        yield _Compared("new words", name, profile.novelty, new, shown, only_up=True)


def _judge(compared: _Compared, level: float, min_shift: float) -> DriftCheck:
    before, now = compared.before.astype(float), compared.now.astype(float)
    totals = before.sum(), now.sum()
    shift, p_value = 0.0, 1.0
    if min(totals) > 0:
        shares = before / totals[0], now / totals[1]
        if compared.only_up:
            p_value = _p_of_more(before, now)
            shift = float(max((np.cumsum(shares[0]) - np.cumsum(shares[1])).max(), 0))
        else:
            p_value = _p_of_other(before, now)
            shift = float(np.abs(shares[0] - shares[1]).sum() / 2)
    alarm = bool(p_value < level and shift >= min_shift)
    was, is_now = (
        None
        if compared.shown is None or not total
        else float(counts[compared.shown].sum() / total)
        for counts, total in zip((before, now), totals, strict=True)
    )
    return DriftCheck(compared.what, compared.of, was, is_now, shift, p_value, alarm)


def _p_of_other(before: np.ndarray, now: np.ndarray) -> float:
    """Chi-squared test of whether two rows of counts are of one distribution."""
    counts = np.stack([before, now])
    counts = counts[:, counts.sum(axis=0) > 0]
    least = counts.sum(axis=1).min() / counts.sum()
    while counts.shape[1] > 1:
        order = counts.sum(axis=0).argsort(kind="stable")
        if counts[:, order[0]].sum() * least >= _MIN_EXPECTED:
            break
        counts[:, order[1]] += counts[:, order[0]]
        counts = np.delete(counts, order[0], axis=1)
    if counts.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(counts, correction=False).pvalue)


def _p_of_more(before: np.ndarray, now: np.ndarray) -> float:
    """Rank test of whether counts have moved to later bins."""
    n, m, both = before.sum(), now.sum(), before + now
    below = np.cumsum(before) - before
    wins = (now * (below + before / 2)).sum()
    ties = (both**3 - both).sum() / ((n + m) * (n + m - 1))
    variance = n * m / 12 * (n + m + 1 - ties)
    if variance <= 0:
        return 1.0
    return float(stats.norm.sf((wins - n * m / 2) / np.sqrt(variance)))


def _advise(alarms: Sequence[DriftCheck]) -> str:
    """Say when to ask again, and whom."""
    kinds = {check.what for check in alarms}
    if not kinds:
        return "Nothing that matters has changed: go on."
    silent = [
        check
        for check in alarms
        if check.what == "coverage"
        and (check.before or 0) - (check.now or 0) > _MUCH_SILENCE
    ]
    if silent:
        (check,) = silent
        return (
            f"Programs vote on {check.now:.0%} of the records instead of "
            f"{check.before:.0%}: ask for programs again, with some of these records "
            "in the fit."
        )
    if kinds & {"agreement", "conflict"}:
        return (
            "Votes contradict each other or the student more than before: label some "
            "of these records (review_queue picks them), and fit again with them."
        )
    if kinds & {"votes", "classes", "coverage"}:
        return (
            "Programs vote otherwise than before: look whether the classes really come "
            "in other shares (label a hundred records drawn at random), and fit again."
        )
    return (
        "The records look different, though programs vote as before: read some of them "
        "and the new words, and fit again if they are of another kind."
    )


_HEADER = ["compared", "of", "before", "now", "shift", "p", "alarm"]


def _cells(check: DriftCheck) -> list[str]:
    shares = ["-" if s is None else f"{s:.3f}" for s in (check.before, check.now)]
    numbers = [f"{check.shift:.3f}", f"{check.p_value:.1g}"]
    of, alarm = in_one_line(check.of, 40), "yes" if check.alarm else ""
    return [check.what, of, *shares, *numbers, alarm]
