"""Draw how programs vote: for which classes, and like whom."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ..label_model import check_groups
from ._findings import agree_pairwise, count_votes, group_programs
from ._plotting import (
    COLOUR_MAP,
    check_names,
    check_votes,
    name_ticks,
    names_of,
    numbered,
    plain_name,
    style_of,
    take_axes,
    votes_of,
    write_values,
)

# More classes than have a colour and a hatch that can be told apart are put together.
_MAX_CLASSES = 16


class VotesByClassDisplay:
    """Draw how many votes each program has for each class.

    Make one by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    counts : ndarray of int of shape (n_programs, n_classes)
        Number of votes.

    n_samples : int
        Number of records.

    class_names : list of str, default=None
        Names of the classes; None numbers them.

    program_names : list of str, default=None
        Names of the programs; None numbers them.

    Attributes
    ----------
    bars_ : list of matplotlib BarContainer
        One a class; of more than sixteen, one for all that have the fewest votes.

    ax_ : matplotlib Axes
        What was drawn on.

    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    program_summary : Coverage, conflicts and accuracy as a table.

    Examples
    --------
    >>> from sklearn_alchemist.inspection import VotesByClassDisplay
    >>> votes = [[0, 1, -1], [0, -1, 1], [1, 1, -1]]
    >>> display = VotesByClassDisplay.from_predictions(votes, classes=["ham", "spam"])
    >>> display.counts
    array([[2, 1],
           [0, 2],
           [0, 1]])
    """

    def __init__(
        self,
        counts: np.ndarray,
        *,
        n_samples: int,
        class_names: Sequence[str] | None = None,
        program_names: Sequence[str] | None = None,
    ) -> None:
        self.counts = counts
        self.n_samples = n_samples
        self.class_names = class_names
        self.program_names = program_names

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, ax: Any = None) -> Self:
        """Run programs and draw their votes.

        Parameters
        ----------
        estimator : ProgramSynthesisLabeler, Pipeline or DistilledAnnotator
            Fitted.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : VotesByClassDisplay
            What was drawn.
        """
        found, votes = votes_of(estimator, X)
        return cls.from_predictions(
            votes,
            classes=found.labeler.classes_,
            program_names=names_of(found),
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        votes: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        program_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw votes.

        Parameters
        ----------
        votes : array-like of int of shape (n_samples, n_programs)
            Indices of classes, -1 where a program abstains.

        classes : array-like of shape (n_classes,), default=None
            The classes, in the order of their indices; None numbers them.

        program_names : list of str, default=None
            Names of the programs; None numbers them.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : VotesByClassDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If `votes` is no matrix of indices of these classes.
        """
        votes, class_names = check_votes(votes, classes)
        counts = count_votes(votes, len(class_names))
        display = cls(
            counts,
            n_samples=len(votes),
            class_names=class_names,
            program_names=check_names(program_names, votes.shape[1]),
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : VotesByClassDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = ax = take_axes(ax, self)
        self.figure_ = ax.figure
        n_programs, n_classes = self.counts.shape
        names = list(numbered(self.class_names, n_classes))
        share, shown = self.counts / max(self.n_samples, 1), list(range(n_classes))
        if n_classes > _MAX_CLASSES:
            most = np.argsort(-self.counts.sum(axis=0), kind="stable")
            shown = np.sort(most[: _MAX_CLASSES - 1]).tolist()
            others = np.delete(share, shown, axis=1).sum(axis=1, keepdims=True)
            share = np.hstack([share, others])
            names.append(f"{n_classes - len(shown)} other classes")
            shown.append(n_classes)
        start = np.zeros(n_programs)
        self.bars_ = []
        for place, k in enumerate(shown):
            bars = ax.barh(
                np.arange(n_programs),
                share[:, k],
                left=start,
                label=plain_name(names[k]),
                edgecolor="white",
                **style_of(place),
            )
            self.bars_.append(bars)
            start = start + share[:, k]
        name_ticks(ax.yaxis, numbered(self.program_names, n_programs))
        ax.invert_yaxis()
        ax.set(xlim=(0, 1), xlabel="share of the records", ylabel="program")
        ax.legend(title="votes for", loc="upper left", bbox_to_anchor=(1, 1))
        return self


class ProgramAgreementDisplay:
    """Draw how often each two programs agree, those of a group beside each other.

    Make one by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    agreement : ndarray of shape (n_programs, n_programs)
        Share of equal votes among the records on which both vote; NaN where there are
        none.

    groups : list of list of int, default=()
        Positions of programs that repeat each other.

    program_names : list of str, default=None
        Names of the programs; None numbers them.

    Attributes
    ----------
    order_ : ndarray of int of shape (n_programs,)
        The programs in the order in which they are drawn.

    im_ : matplotlib AxesImage
        The matrix.

    text_ : list of matplotlib Text
        The numbers in it; none where there are many programs.

    boxes_ : list of matplotlib Rectangle
        One around each group.

    ax_ : matplotlib Axes
        What was drawn on.

    figure_ : matplotlib Figure
        Its figure.

    Examples
    --------
    >>> from sklearn_alchemist.inspection import ProgramAgreementDisplay
    >>> votes = [[0, 0, -1], [0, 0, 1], [1, 1, 0], [1, 0, 1]]
    >>> display = ProgramAgreementDisplay.from_predictions(votes, groups=[[0, 1]])
    >>> display.agreement.round(2)
    array([[1.  , 0.75, 0.33],
           [0.75, 1.  , 0.  ],
           [0.33, 0.  , 1.  ]])
    """

    def __init__(
        self,
        agreement: np.ndarray,
        *,
        groups: Sequence[Sequence[int]] = (),
        program_names: Sequence[str] | None = None,
    ) -> None:
        self.agreement = agreement
        self.groups = groups
        self.program_names = program_names

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, ax: Any = None) -> Self:
        """Run programs and draw how they agree.

        Parameters
        ----------
        estimator : ProgramSynthesisLabeler, Pipeline or DistilledAnnotator
            Fitted. Groups are those of its aggregator, if it has one that finds some.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ProgramAgreementDisplay
            What was drawn.
        """
        found, votes = votes_of(estimator, X)
        groups = getattr(found.aggregator, "groups_", None)
        return cls.from_predictions(
            votes, groups=groups, program_names=names_of(found), ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        votes: ArrayLike,
        *,
        groups: Sequence[Sequence[int | str]] | None = None,
        program_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw how votes agree.

        Parameters
        ----------
        votes : array-like of int of shape (n_samples, n_programs)
            Indices of classes, -1 where a program abstains.

        groups : list of list of int or str, default=None
            Programs that repeat each other, by position or name. None finds them.

        program_names : list of str, default=None
            Names of the programs; None numbers them.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ProgramAgreementDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If `votes` is no matrix of indices, or a group holds what is no program.
        """
        votes, class_names = check_votes(votes, None)
        names = check_names(program_names, votes.shape[1])
        if groups is None:
            found = group_programs(votes, len(class_names))
        else:
            as_lists = [np.asarray(group, object).tolist() for group in groups]
            found = check_groups(as_lists, votes.shape[1], names)
        display = cls(
            agree_pairwise(votes)[0],
            groups=[group.tolist() for group in found],
            program_names=names,
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ProgramAgreementDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = ax = take_axes(ax, self)
        self.figure_ = ax.figure
        n_programs = len(self.agreement)
        grouped = [program for group in self.groups for program in group]
        others = [j for j in range(n_programs) if j not in grouped]
        self.order_ = np.array([*grouped, *others], dtype=int)
        shown = self.agreement[np.ix_(self.order_, self.order_)]
        self.im_ = ax.imshow(shown, vmin=0, vmax=1, cmap=COLOUR_MAP)
        self.text_ = write_values(ax, self.im_, shown)
        self.figure_.colorbar(self.im_, ax=ax, label="share of equal votes")
        names = numbered(self.program_names, n_programs)
        named = [names[j] for j in self.order_]
        name_ticks(ax.xaxis, named, rotation=90)
        name_ticks(ax.yaxis, named)
        self.boxes_ = []
        start = 0
        for group in self.groups:
            self.boxes_.append(_box(ax, start, len(group)))
            start += len(group)
        return self


def _box(ax: Any, start: int, size: int) -> Any:
    from matplotlib.patches import Rectangle

    corner = (start - 0.5, start - 0.5)
    box = Rectangle(corner, size, size, fill=False, edgecolor="#d55e00", linewidth=2.5)
    box.set_clip_on(False)
    return ax.add_patch(box)
