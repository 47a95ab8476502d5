"""Say why a record got its label: who voted, on what, and how much it counted."""

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..data import check_records
from ..exceptions import ProgramWarning
from ..programs import LabelingProgram, Trace
from ..votes import ABSTAIN
from ._escaping import plain
from ._explanation_result import Explanation, Match, ProgramExplanation
from ._find_programs import FoundPrograms, find_programs
from ._matches import watch
from ._student_words import StudentWord, student_words

# Orders in which votes are added, and as many the other way round; the shares of ten
# programs then vary by a hundredth.
_N_ORDERS = 50
_TINY = 1e-300


def explain(estimator: Any, x: Any) -> Explanation:
    """Say why a record gets its label.

    The programs run once more on the record, in the sandbox and under observation, so
    that what is told is what happens, and no second reading of their source.

    Parameters
    ----------
    estimator : ProgramSynthesisLabeler, Pipeline that has one, or DistilledAnnotator
        Fitted.

    x : str, dict, Series, tuple, or container of one row
        One record: a text, a row of a table, or what the first step of a pipeline
        takes, such as an image.

    Returns
    -------
    explanation : Explanation
        The vote of each program, the lines that ran, the words or values that they
        matched, and the weight of the vote; the heaviest words of a linear student;
        who decided. Prints as text, shows as HTML, and is data.

    Raises
    ------
    ValueError
        If `x` is more than one record, or lacks a column.

    TypeError
        If `estimator` has no programs.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
    >>> from sklearn_alchemist.inspection import explain
    >>> prize = LabelingProgram(
    ...     "prize", "def label(text): return 'spam' if 'prize' in text else None"
    ... )
    >>> labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[prize])
    >>> why = explain(labeler.fit(["you won a prize"]), "a prize for you")
    >>> why.programs[0].vote, why.programs[0].matches[0].text
    ('spam', 'prize')
    >>> print(why)
    record  text: a prize for you
    votes   spam 1
    <BLANKLINE>
    program  vote  weight  lines  matched
    prize    spam       -  1      'prize' (line 1)
    """
    check_is_fitted(estimator)
    found = find_programs(estimator)
    X = _container(found, estimator, x)
    with warnings.catch_warnings():
        # What failed is told here.
        warnings.simplefilter("ignore", ProgramWarning)
        taken = found.before_programs(X)
        matches = watch(found, taken, lines=True)
        said = _Said(found, X, taken)
    traces = matches.traces[0]
    record = {name: values[0] for name, values in matches.columns.items()}
    programs = tuple(
        _of_program(program, record, trace, watched, *voted)
        for program, trace, watched, *voted in zip(
            found.labeler.programs_,
            traces,
            matches.is_watched,
            said.votes.tolist(),
            said.classes_of_votes,
            said.weights,
            strict=True,
        )
    )
    return Explanation(
        record=record,
        label=said.label,
        confidence=said.confidence,
        decided_by=said.source,
        doubt=said.doubt,
        proba=said.proba,
        votes_proba=said.votes_proba,
        student_proba=said.student_proba,
        programs=programs,
        words=said.words,
    )


def vote_weights(aggregator: Any, votes: np.ndarray, label: int) -> list[float | None]:
    """Share out among the votes on a row what they add to the log-odds of a class.

    Parameters
    ----------
    aggregator : classifier
        Fitted on votes.
    votes : ndarray of shape (n_programs,)
        Class indices, -1 for abstain.
    label : int
        Place of the class.

    Returns
    -------
    weights : list of (float or None)
        What each vote adds to those before it, on average over orders; they add up to
        what all votes add to none. None for programs that abstain.
    """
    weights: list[float | None] = [None] * len(votes)
    voting = np.flatnonzero(votes != ABSTAIN)
    if not len(voting):
        return weights
    random = np.random.RandomState(0)
    drawn = [random.permutation(len(voting)) for _ in range(_N_ORDERS)]
    # Whoever is early in one order is late in another.
    orders = np.array([*drawn, *(order[::-1] for order in drawn)])
    rows = np.full((len(orders), len(voting) + 1, len(votes)), ABSTAIN)
    for place in range(len(voting)):
        added = voting[orders[:, place]]
        rows[:, place + 1 :][np.arange(len(orders)), :, added] = votes[added][:, None]
    proba = aggregator.predict_proba(rows.reshape(-1, len(votes)))
    others = np.delete(proba, label, axis=1).sum(axis=1)
    odds = np.log(np.clip(proba[:, label], _TINY, None))
    odds -= np.log(np.clip(others, _TINY, None))
    gains = np.diff(odds.reshape(len(orders), -1), axis=1)
    shares = np.zeros(len(voting))
    np.add.at(shares, orders, gains / len(orders))
    for program, share in zip(voting, shares, strict=True):
        weights[program] = float(share)
    return weights


class _Said:
    """What votes, label model and student say of one record."""

    def __init__(self, found: FoundPrograms, X: Any, taken: Any) -> None:
        annotator, aggregator = found.annotator, found.aggregator
        names = found.labeler.classes_
        self.label: Any = None
        self.confidence: float | None = None
        self.source: str | None = None
        self.doubt = ""
        self.proba = self.votes_proba = self.student_proba = None
        self.words: tuple[StudentWord, ...] | None = None
        if annotator is not None:
            said = annotator.annotate(X)
            self.votes = np.asarray(said.votes)[0]
            self.label, self.confidence = said.label[0], float(said.confidence[0])
            self.source, self.doubt = str(said.source[0]), str(said.doubt[0])
            self.proba = _by_class(annotator.classes_, said.proba)
            self.votes_proba = _by_class(annotator.classes_, said.votes_proba)
            self.student_proba = _by_class(annotator.classes_, said.student_proba)
            place = int(said.proba[0].argmax())
            words = _words_of(annotator, X, self.label)
            self.words = None if words is None else tuple(words)
        else:
            self.votes = np.asarray(found.labeler.transform(taken))[0]
            if hasattr(aggregator, "predict_proba"):
                proba = aggregator.predict_proba(self.votes[np.newaxis])
                place = int(proba[0].argmax())
                self.label = aggregator.classes_[place]
                self.confidence = float(proba[0, place])
                self.source = "votes"
                self.proba = self.votes_proba = _by_class(aggregator.classes_, proba)
        self.label = plain(self.label)
        self.classes_of_votes = [
            None if vote == ABSTAIN else plain(names[vote]) for vote in self.votes
        ]
        self.weights: list[float | None] = [None] * len(self.votes)
        if self.label is not None and hasattr(aggregator, "predict_proba"):
            self.weights = vote_weights(aggregator, self.votes, place)


def _container(found: FoundPrograms, estimator: Any, x: Any) -> Any:
    """Make X of one record."""
    first = found.before[0] if found.before else found.labeler
    if found.annotator is not None:
        first = found.annotator
    names = getattr(first, "feature_names_in_", None)
    is_text = bool(getattr(first, "_takes_texts", False))
    return one_row(x, None if names is None else list(names), is_text=is_text)


def _by_class(classes: np.ndarray, proba: np.ndarray) -> tuple[tuple[Any, float], ...]:
    return tuple(zip(map(plain, classes), map(float, proba[0]), strict=True))


def _words_of(annotator: Any, X: Any, label: Any) -> list[StudentWord] | None:
    """Ask a linear student for its words."""
    records = check_records(annotator, X, reset=False)
    student = annotator.estimator_
    known = list(student.classes_)
    if label not in known or len(known) < 2:
        return None
    is_table = annotator.estimator is None and not records.is_text
    names = [column.name for column in records.columns.values()] if is_table else None
    taken = annotator._student_input(X, records)
    scale = annotator.scaling_.scale
    return student_words(student, taken, known.index(label), scale, names)


def _of_program(
    program: LabelingProgram,
    record: dict[str, Any],
    trace: Trace,
    is_watched: bool,
    vote: int,
    voted: Any,
    weight: float | None,
) -> ProgramExplanation:
    source = program.source.splitlines()
    matches = [
        Match(
            span.column,
            span.start,
            span.stop,
            str(record[span.column])[span.start : span.stop],
            span.line,
        )
        for span in trace.spans
    ]
    note = ""
    if not is_watched:
        note = "it runs in this process, where nobody watches"
    elif trace.vote != vote:
        note = (
            "when watched it gave another vote, so it draws at random, keeps something "
            "from row to row, or came near its time limit"
        )
    return ProgramExplanation(
        program=program.name,
        vote=voted,
        weight=weight,
        matches=tuple(matches),
        lines=tuple(
            (line, source[line - 1]) for line in trace.lines if 0 < line <= len(source)
        ),
        failure=trace.failure,
        message=trace.message,
        note=note,
    )


_ONE = "give one record: a text, a row as a dict or tuple, or X.iloc[[i]] of a table"


def one_row(x: Any, names: list[str] | None, *, is_text: bool) -> Any:
    """Make a container with one row that estimators take as X.

    Parameters
    ----------
    x : object
        A text, a mapping or a series of the columns, a sequence of values, or a
        container that has one row; anything else is taken as it is, such as an image.
    names : list of str or None
        Names of the columns, where they have some.
    is_text : bool
        Whether the records are texts.

    Returns
    -------
    X : container of one row

    Raises
    ------
    ValueError
        If it is more than one row, or lacks a column.
    """
    if isinstance(x, str | os.PathLike):
        return [os.fspath(x)]
    if isinstance(x, Mapping):
        return _frame(dict(x), names)
    shape = getattr(x, "shape", None)
    if shape is not None and len(shape) == 2:
        if shape[0] != 1:
            raise ValueError(f"x has {shape[0]} rows: {_ONE}.")
        return x
    if hasattr(x, "index") and hasattr(x, "to_dict") and not isinstance(x, list):
        values = x.to_dict()  # a row of pandas
        return list(values.values()) if is_text else _frame(values, names)
    is_values = isinstance(x, list | tuple) or (shape is not None and len(shape) == 1)
    if not is_values:
        return [x]
    values = list(x)
    if len(values) == 1 and isinstance(values[0], list | tuple | np.ndarray):
        values = list(values[0])
    if is_text:
        if len(values) != 1:
            raise ValueError(f"x has {len(values)} texts: {_ONE}.")
        return values
    if names is None:
        return [values]
    if len(values) != len(names):
        raise ValueError(
            f"x has {len(values)} values, and the columns are {', '.join(names)}: "
            f"{_ONE}."
        )
    return _frame(dict(zip(names, values, strict=True)), names)


def _frame(values: dict[Any, Any], names: list[str] | None) -> Any:
    """Make a table of one row, with the columns in the order of `fit`."""
    if names is None:
        return [list(values.values())]
    missing = [name for name in names if name not in values]
    if missing:
        raise ValueError(
            f"x lacks the column {missing[0]!r}; the columns are {', '.join(names)}."
        )
    row = {name: [values[name]] for name in names}
    for library, make in (("pandas", "DataFrame"), ("polars", "DataFrame")):
        try:
            return getattr(__import__(library), make)(row)
        except ImportError:
            continue
    # Structured: a table with names that NumPy alone can hold.
    kinds = [(name, object) for name in names]
    return np.array([tuple(values[name] for name in names)], dtype=kinds)
