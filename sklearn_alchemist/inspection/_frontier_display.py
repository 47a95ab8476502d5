"""Draw accuracy against dollars, from no record read to all of them."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from ._plotting import COLOURS, take_axes


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
