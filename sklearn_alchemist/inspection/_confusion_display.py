"""Draw how wrongly a program answers."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ..data import UNLABELED, Classes
from ._find_programs import find_programs
from ._findings import reach_in
from ._plotting import (
    COLOUR_MAP,
    as_names,
    check_votes,
    name_ticks,
    names_of,
    numbered,
    plain_name,
    take_axes,
    write_values,
)


class ProgramConfusionDisplay:
    """Draw what a program answers on records of each class.

    Make one by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    confusion : ndarray of shape (n_classes, 1 + n_classes)
        Share of each answer, abstaining first, among the records of each class.

    class_names : list of str, default=None
        Names of the classes; None numbers them.

    program_name : str, default=None
        Name of the program.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The matrix.

    text_ : list of matplotlib Text
        The numbers in it; none where there are many classes.

    ax_ : matplotlib Axes
        What was drawn on.

    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : The same for labels.

    Examples
    --------
    >>> from sklearn_alchemist.inspection import ProgramConfusionDisplay
    >>> display = ProgramConfusionDisplay.from_predictions(
    ...     ["ham", "ham", "spam", "spam"], [0, -1, 1, 0], classes=["ham", "spam"]
    ... )
    >>> display.confusion
    array([[0.5, 0.5, 0. ],
           [0. , 0.5, 0.5]])
    """

    def __init__(
        self,
        confusion: np.ndarray,
        *,
        class_names: Sequence[str] | None = None,
        program_name: str | None = None,
    ) -> None:
        self.confusion = confusion
        self.class_names = class_names
        self.program_name = program_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: ArrayLike | None = None,
        *,
        program: str | int,
        ax: Any = None,
    ) -> Self:
        """Draw what a program answers: counted on gold labels, or as estimated.

        Parameters
        ----------
        estimator : ProgramSynthesisLabeler, Pipeline or DistilledAnnotator
            Fitted.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features), \
                default=None
            Texts, or a table. Needed with `y` only.

        y : array-like of shape (n_samples,), default=None
            Gold labels, of which some may be missing. None takes what the aggregator
            estimated in its ``confusion_``.

        program : str or int
            Name or position of the program.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ProgramConfusionDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If there is no such program, or neither `y` nor an aggregator that tells.
        """
        inner, X = reach_in(estimator, X) if X is not None else (estimator, None)
        found = find_programs(inner)
        names, classes = names_of(found), found.labeler.classes_
        place = _place_of(program, names)
        if y is not None:
            if X is None:
                raise ValueError("y needs the records that it labels: pass X, too.")
            votes = found.labeler.run(found.before_programs(X)).votes
            return cls.from_predictions(
                y, votes[:, place], classes=classes, program_name=names[place], ax=ax
            )
        confusion = getattr(found.aggregator, "confusion_", None)
        if confusion is None or len(confusion) != len(names):
            raise ValueError(
                "nobody estimated how programs err: pass X and gold labels y, or an "
                "annotator whose aggregator has confusion_."
            )
        answers = found.aggregator.answers_.astype(int)
        shown = np.zeros((len(classes), 1 + len(classes)))
        shown[:, answers + 1] = confusion[place]
        display = cls(shown, class_names=as_names(classes), program_name=names[place])
        return display.plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        votes: ArrayLike,
        *,
        classes: ArrayLike,
        program_name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw what a program answers on labelled records.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Gold labels, of which some may be missing.

        votes : array-like of int of shape (n_samples,)
            Votes of the program: indices of classes, -1 where it abstains.

        classes : array-like of shape (n_classes,)
            The classes, in the order of their indices.

        program_name : str, default=None
            Name of the program.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ProgramConfusionDisplay
            What was drawn. A class without a record has a row of NaN.

        Raises
        ------
        ValueError
            If `y_true` or `votes` hold what is no class, or differ in length.
        """
        column = np.asarray(votes)[:, None] if np.ndim(votes) == 1 else votes
        checked, class_names = check_votes(column, classes)
        gold = Classes.of_names(np.asarray(classes)).encode(
            y_true, n_samples=len(checked)
        )
        known = gold != UNLABELED
        shape = len(class_names), 1 + len(class_names)
        counts = np.zeros(shape)
        np.add.at(counts, (gold[known], checked[known, 0] + 1), 1)
        n = counts.sum(axis=1, keepdims=True)
        confusion = np.full(shape, np.nan)
        np.divide(counts, n, out=confusion, where=n > 0)
        display = cls(confusion, class_names=class_names, program_name=program_name)
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ProgramConfusionDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = ax = take_axes(ax, self)
        self.figure_ = ax.figure
        names = numbered(self.class_names, len(self.confusion))
        self.im_ = ax.imshow(
            self.confusion, vmin=0, vmax=1, cmap=COLOUR_MAP, aspect="auto"
        )
        self.text_ = write_values(ax, self.im_, self.confusion)
        self.figure_.colorbar(self.im_, ax=ax, label="share of the class")
        name_ticks(ax.xaxis, ["abstains", *names], rotation=90)
        name_ticks(ax.yaxis, names)
        ax.set(xlabel="answer", ylabel="class")
        if self.program_name is not None:
            ax.set_title(plain_name(self.program_name))
        return self


def _place_of(program: str | int, names: Sequence[str]) -> int:
    """Find a program by name or position."""
    if isinstance(program, str) and program in names:
        return list(names).index(program)
    if not isinstance(program, str) and -len(names) <= program < len(names):
        return int(program) % len(names)
    raise ValueError(f"{program!r} is none of the programs {', '.join(names)}.")
