"""Compare what programs cost with one call a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from .._utils import require
from ..data import Classes, check_records, label_array
from ..llm import LLM, Prices, count_tokens, prices_of
from ..zero_shot import write_messages
from ._escaping import align, write_table
from ._find_programs import split_steps

if TYPE_CHECKING:
    import pandas as pd

# Rows on which the tokens of one call a row are counted.
_N_COUNTED = 200
# {"label": "..."} and what names a class.
_ANSWER_TOKENS = 8
ANNOTATOR, _STUDENT, _VOTES, CALLS = (
    "annotator",
    "its student alone",
    "its votes alone",
    "one call a row",
)


@dataclass(frozen=True, eq=False)
class CostComparison:
    """One line a way to label, as arrays; printed, a table.

    Parameters
    ----------
    columns : dict of str to ndarray of shape (n_ways,)
        ``way``: how rows are labelled.

        ``calls``: calls of the language model, for the rows given; where rows share a
        call or repeat each other, these are fewer than rows.

        ``tokens``: their tokens; NaN where they were not counted.

        ``paid``: dollars paid so far, by this fit or an earlier one whose answers were
        in the store; NaN where the price is unknown.

        ``$ for N rows``: dollars in all for N rows, one column for each number.

        ``accuracy``: share of right labels, where gold labels were given; NaN where
        nobody was asked.

    n_rows : tuple of int
        The numbers of rows.
    """

    columns: Mapping[str, np.ndarray]
    n_rows: tuple[int, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def to_frame(self) -> "pd.DataFrame":
        """Make a DataFrame with the ways as its index.

        Returns
        -------
        frame : pandas.DataFrame
            One row a way. Needs pandas.
        """
        pd = require("pandas", needed_by="to_frame")

        return pd.DataFrame(dict(self.columns)).set_index("way")

    def plot(self, ax: Any = None) -> Any:
        """Draw the cost over the number of rows, both on scales of powers.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        ax : matplotlib Axes
            What was drawn on. Needs matplotlib.

        See Also
        --------
        CostDisplay : Draws it.
        """
        from ._cost_displays import CostDisplay

        return CostDisplay(self).plot(ax=ax).ax_

    def _repr_html_(self) -> str:
        return write_table(self._cells())

    def _cells(self) -> list[list[str]]:
        names = list(self.columns)
        rows = zip(*self.columns.values(), strict=True)
        body = [[*map(_cell, names, row)] for row in rows]
        return [names, *body]

    def __str__(self) -> str:
        return align(self._cells())

    __repr__ = __str__


def compare_costs(
    annotator: Any,
    X: Any,
    y: ArrayLike | None = None,
    *,
    zero_shot: Any = None,
    prices: Mapping[str, float] | None = None,
    n_rows: Sequence[int] | None = None,
) -> CostComparison:
    """Compare what an annotator costs with one call a row, for the user's own data.

    Nothing is asked unless `zero_shot` is given: the tokens of one call a row are
    counted on up to 200 rows.

    Parameters
    ----------
    annotator : DistilledAnnotator
        Fitted, by a labeler that has ``usage_``; given programs cost nothing. What
        steps before it asked, such as a `ConceptScorer`, is counted too.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        Rows that could be labelled either way.

    y : array-like of shape (n_samples,), default=None
        Gold labels, to add accuracies. They should be of rows whose labels were not
        learned from.

    zero_shot : ZeroShotAnnotator, default=None
        Fitted. It is asked about every row of `X`, which costs money unless its
        answers are stored, and its cost and accuracy are measured.

    prices : dict, default=None
        Dollars per million tokens, as ``{"input": 0.15, "output": 0.60}``, for both
        ways. None takes what the model of the labeler says, or litellm's table.

    n_rows : sequence of int, default=None
        Numbers of rows to give the cost for. None is that of `X`, and a million.

    Returns
    -------
    comparison : CostComparison
        One line a way to label. Prints as a table, `to_frame` makes a DataFrame, and
        `plot` draws it.

    Raises
    ------
    ValueError
        If `prices` has other keys, or there is nobody whose tokens could be counted.

    Examples
    --------
    >>> from sklearn_alchemist import (
    ...     DistilledAnnotator, LabelingProgram, ProgramSynthesisLabeler
    ... )
    >>> from sklearn_alchemist.inspection import compare_costs
    >>> link = LabelingProgram("link", "def label(text): return 'http' in text")
    >>> labeler = ProgramSynthesisLabeler(
    ...     task="Is it spam?", classes=[False, True], programs=[link]
    ... )
    >>> texts = ["see http://a.example", "nice song"] * 5
    >>> annotator = DistilledAnnotator(labeler).fit(texts)
    >>> prices = {"input": 1.0, "output": 2.0}
    >>> costs = compare_costs(annotator, texts, prices=prices)
    >>> costs["calls"].tolist(), costs["$ for 1,000,000 rows"].round(-1).tolist()
    ([0, 0, 0, 10], [0.0, 0.0, 0.0, ...])
    """
    rows = check_records(clone(annotator), X, reset=True).rows()
    n_rows = (len(rows), 1_000_000) if n_rows is None else tuple(n_rows)
    before, labeler = split_steps(annotator.labeler_)
    llm = getattr(zero_shot, "llm", None) or getattr(labeler, "llm", None)
    if isinstance(llm, list | tuple):  # several authors
        llm = llm[0]
    model = llm.model if isinstance(llm, LLM) else llm
    price = _price(prices, llm, model)
    programs = _cost_of_programs([*before, labeler], price)
    if zero_shot is None:
        per_row = _count_per_row(labeler, rows, model)
        calls = {"tokens": per_row.sum() * len(rows), "paid": 0.0, "right": np.nan}
        calls["calls"] = len(rows)
    else:
        usage = (asked := zero_shot.annotate(X)).usage
        per_row = _tokens(usage) / len(rows)
        right = (
            np.nan
            if y is None
            else np.mean(asked.label == label_array(y, annotator.classes_))
        )
        calls = {"tokens": per_row.sum() * len(rows), "right": right}
        calls["calls"] = usage.calls
        calls["paid"] = _dollars(usage, price)
    per_call = price.cost(*per_row) if price else np.nan
    ways = [ANNOTATOR, _STUDENT, _VOTES, CALLS]
    columns = {
        "way": np.array(ways, dtype=object),
        "calls": np.array([programs["calls"]] * 3 + [calls["calls"]]),
        "tokens": np.array([programs["tokens"]] * 3 + [calls["tokens"]]),
        "paid": np.array([programs["paid"]] * 3 + [calls["paid"]]),
    }
    for n in n_rows:
        columns[cost_name(n)] = np.array([programs["paid"]] * 3 + [per_call * n])
    if y is not None:
        scores = _accuracies(annotator, X, label_array(y, annotator.classes_))
        columns["accuracy"] = np.array([*scores, calls["right"]])
    return CostComparison(columns, n_rows)


def _price(prices: Mapping[str, float] | None, llm: Any, model: str | None) -> Any:
    if prices is not None:
        if set(prices) != {"input", "output"}:
            raise ValueError(
                "prices must be dollars per million tokens as {'input': ..., "
                f"'output': ...}}; got {dict(prices)!r}."
            )
        return Prices(**prices)
    if isinstance(llm, LLM) and llm.known_prices is not None:
        return llm.known_prices
    return None if model is None else prices_of(model)


def _tokens(usage: Any) -> np.ndarray:
    """Add up tokens of prompts and answers, NaN where they are not known."""
    parts = [(t.prompt_tokens, t.completion_tokens) for t in (usage.paid, usage.cached)]
    counts = [[np.nan if n is None else n for n in pair] for pair in parts]
    return np.sum(counts, axis=0)


def _dollars(usage: Any, price: Prices | None) -> float:
    """Say what answers did cost, or would at this price."""
    known = [usage.dollars, usage.cached.dollars]
    if None not in known:
        return sum(known)
    return np.nan if price is None else price.cost(*_tokens(usage))


def _cost_of_programs(steps: Sequence[Any], price: Prices | None) -> dict[str, float]:
    """Add up what the labeler asked, and steps before it, as for concepts."""
    usages = [step.usage_ for step in steps if hasattr(step, "usage_")]
    usages = [usage for usage in usages if usage.calls]  # the others were given
    return {
        "calls": sum(usage.calls for usage in usages),
        "tokens": float(sum(_tokens(usage).sum() for usage in usages)),
        "paid": float(sum(_dollars(usage, price) for usage in usages)),
    }


def _count_per_row(labeler: Any, rows: list[Any], model: str | None) -> np.ndarray:
    """Count the tokens of prompt and answer of one call, on average."""
    task = getattr(labeler, "task", None) or ""
    classes = getattr(labeler, "classes", None)
    if classes is None:
        described = Classes.of_names(labeler.classes_).described
    else:
        described = Classes.listed(classes).described
    step = max(1, -(-len(rows) // _N_COUNTED))
    counts = [
        count_tokens(write_messages(task, described, [row]), model or "gpt-4o-mini")
        for row in rows[::step]
    ]
    return np.array([np.mean(counts), _ANSWER_TOKENS])


def _accuracies(annotator: Any, X: Any, y: np.ndarray) -> list[float]:
    """Score the annotator, its student and its votes, running the programs once."""
    said = annotator.annotate(X)
    return [
        float(np.mean(annotator.classes_[proba.argmax(axis=1)] == y))
        for proba in (said.proba, said.student_proba, said.votes_proba)
    ]


def cost_name(n_rows: int) -> str:
    """Name the column that holds the cost of so many rows."""
    return f"$ for {n_rows:,} rows"


def _cell(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if np.isnan(value):
        return "-"
    if name in ("calls", "tokens"):
        return f"{value:,.0f}"
    return f"{value:.3f}" if name == "accuracy" else f"{value:,.4f}"
