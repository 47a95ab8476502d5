"""Draw what labels cost: of programs, calls and a second reader."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from ._costs import ANNOTATOR, CALLS, CostComparison, compare_costs, cost_name
from ._plotting import COLOURS, take_axes

_N_ROWS = (100, 1_000, 10_000, 100_000, 1_000_000)
# Dollars below which a scale that has to show nothing at all is linear.
_CENT = 0.01


class FrontierDisplay:
    """Draw what accuracy to expect for which dollars, or for which share that is read.

    Make one by `from_estimator`, or of what ``frontier`` of a `CascadeAnnotator` gives.

    Parameters
    ----------
    frontier : Bunch
        What ``frontier`` of a `CascadeAnnotator` gives.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        What is expected of the records that are worth most, and of as many random ones;
        with labels, what accuracy really is.

    ax_ : matplotlib Axes
        What was drawn on.

    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    CostDisplay : Draws what programs cost, and one call a row.

    Examples
    --------
    >>> from sklearn_alchemist import (
    ...     CascadeAnnotator, DistilledAnnotator, LabelingProgram,
    ...     ProgramSynthesisLabeler,
    ... )
    >>> from sklearn_alchemist.inspection import FrontierDisplay
    >>> link = LabelingProgram("link", "def label(text): return 'http' in text")
    >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[link])
    >>> texts = ["see http://a.example", "nice song"] * 5
    >>> cascade = CascadeAnnotator(DistilledAnnotator(labeler)).fit(texts)
    >>> display = FrontierDisplay.from_estimator(cascade, texts)
    >>> [line.get_label() for line in display.lines_]
    ['expected', 'expected of random records']
    """

    def __init__(self, frontier: Bunch) -> None:
        self.frontier = frontier

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike | None = None, *, ax: Any = None
    ) -> Self:
        """Trace the frontier of a cascade and draw it; nobody is asked.

        Parameters
        ----------
        estimator : CascadeAnnotator
            Fitted.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Records.

        y : array-like of shape (n_samples,), default=None
            Labels, some of which may be missing.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : FrontierDisplay
            What was drawn.
        """
        return cls(estimator.frontier(X, y)).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : FrontierDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = ax = take_axes(ax, self)
        self.figure_ = ax.figure
        frontier = self.frontier
        # Where people read, or the price is unknown, there are no dollars to draw.
        priced = np.isfinite(frontier.dollars).all() and frontier.dollars[-1] > 0
        over = frontier.dollars if priced else frontier.share
        drawn = [
            ("expected", frontier.expected_accuracy, COLOURS[0], "o", "-"),
            (
                "expected of random records",
                frontier.random_accuracy,
                COLOURS[7],
                "",
                "--",
            ),
        ]
        if "accuracy" in frontier:
            drawn.append(("accuracy", frontier.accuracy, COLOURS[5], "s", "-"))
        self.lines_ = []
        for label, values, colour, marker, style in drawn:
            self.lines_ += ax.plot(
                over, values, marker=marker, color=colour, linestyle=style, label=label
            )
        xlabel = "dollars" if priced else "share of records that are read"
        ax.set(xlabel=xlabel, ylabel="share of right labels")
        ax.legend()
        return self


class CostDisplay:
    """Draw what labels cost, by programs and by one call a row.

    Make one by `from_estimator`, or of what `compare_costs` returns.

    Parameters
    ----------
    comparison : CostComparison
        What ways to label cost.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One for each way whose cost is known.

    ax_ : matplotlib Axes
        What was drawn on.

    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    compare_costs : The same as a table.

    Examples
    --------
    >>> from sklearn_alchemist import (
    ...     DistilledAnnotator, LabelingProgram, ProgramSynthesisLabeler
    ... )
    >>> from sklearn_alchemist.inspection import CostDisplay
    >>> link = LabelingProgram("link", "def label(text): return 'http' in text")
    >>> labeler = ProgramSynthesisLabeler(
    ...     task="Is it spam?", classes=[False, True], programs=[link]
    ... )
    >>> texts = ["see http://a.example", "nice song"] * 5
    >>> annotator = DistilledAnnotator(labeler).fit(texts)
    >>> display = CostDisplay.from_estimator(
    ...     annotator, texts, prices={"input": 1.0, "output": 2.0}
    ... )
    >>> [line.get_label() for line in display.lines_]
    ['annotator', 'one call a row']
    """

    def __init__(self, comparison: CostComparison) -> None:
        self.comparison = comparison

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        zero_shot: Any = None,
        prices: Mapping[str, float] | None = None,
        n_rows: Sequence[int] = _N_ROWS,
        ax: Any = None,
    ) -> Self:
        """Compare costs and draw them.

        Parameters
        ----------
        estimator : DistilledAnnotator
            Fitted.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Rows that could be labelled either way.

        zero_shot : ZeroShotAnnotator, default=None
            Asked about every row of `X`, which costs money; see `compare_costs`.

        prices : dict, default=None
            Dollars per million tokens, as ``{"input": 0.15, "output": 0.60}``.

        n_rows : sequence of int, default=(100, 1000, 10000, 100000, 1000000)
            Numbers of rows.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : CostDisplay
            What was drawn.
        """
        comparison = compare_costs(
            estimator, X, zero_shot=zero_shot, prices=prices, n_rows=n_rows
        )
        return cls(comparison).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw, on scales of powers.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : CostDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = ax = take_axes(ax, self)
        self.figure_ = ax.figure
        costs = self.comparison
        dollars = np.stack([costs[cost_name(n)] for n in costs.n_rows])
        self.lines_ = []
        drawn = {ANNOTATOR: (COLOURS[0], "o"), CALLS: (COLOURS[5], "s")}
        for way, values in zip(costs["way"], dollars.T, strict=True):
            if way in drawn and not np.isnan(values).all():
                colour, marker = drawn[way]
                self.lines_ += ax.plot(
                    costs.n_rows, values, marker=marker, color=colour, label=way
                )
        # On a scale of powers alone, what costs nothing could not be seen.
        scale = "symlog" if (dollars == 0).any() else "log"
        ax.set_yscale(scale, **({"linthresh": _CENT} if scale == "symlog" else {}))
        ax.set(xscale="log", xlabel="rows", ylabel="dollars")
        if self.lines_:
            ax.legend()
        return self
