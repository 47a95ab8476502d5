"""Draw how programs vote: for which classes, like whom, and how wrongly."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ..data import UNLABELED, Classes
from ..label_model import check_groups
from ..votes import ABSTAIN
from ._findings import agree_pairwise, count_votes, group_programs, reach_in
from ._parts import FoundPrograms, find_programs
from ._plotting import MAX_NAMED, style_of, take_axes, write_values
from ._printed import printable

# From dark blue to yellow, alike for all kinds of colour vision.
_COLOUR_MAP = "cividis"
# More classes than have a colour and a hatch that can be told apart are put together.
_MAX_CLASSES = 16
# Longer names are cut.
_MAX_NAME = 40


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
        found, votes = _vote(estimator, X)
        return cls.from_predictions(
            votes,
            classes=found.labeler.classes_,
            program_names=_names(found),
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
        votes, class_names = _check_votes(votes, classes)
        counts = count_votes(votes, len(class_names))
        display = cls(
            counts,
            n_samples=len(votes),
            class_names=class_names,
            program_names=_check_names(program_names, votes.shape[1]),
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
        names = list(_numbered(self.class_names, n_classes))
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
                label=_plain(names[k]),
                edgecolor="white",
                **style_of(place),
            )
            self.bars_.append(bars)
            start = start + share[:, k]
        _name(ax.yaxis, _numbered(self.program_names, n_programs))
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
        found, votes = _vote(estimator, X)
        groups = getattr(found.aggregator, "groups_", None)
        return cls.from_predictions(
            votes, groups=groups, program_names=_names(found), ax=ax
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
        votes, class_names = _check_votes(votes, None)
        names = _check_names(program_names, votes.shape[1])
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
        self.im_ = ax.imshow(shown, vmin=0, vmax=1, cmap=_COLOUR_MAP)
        self.text_ = write_values(ax, self.im_, shown)
        self.figure_.colorbar(self.im_, ax=ax, label="share of equal votes")
        names = _numbered(self.program_names, n_programs)
        named = [names[j] for j in self.order_]
        _name(ax.xaxis, named, rotation=90)
        _name(ax.yaxis, named)
        self.boxes_ = []
        start = 0
        for group in self.groups:
            self.boxes_.append(_box(ax, start, len(group)))
            start += len(group)
        return self


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
        names, classes = _names(found), found.labeler.classes_
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
        display = cls(shown, class_names=_str(classes), program_name=names[place])
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
        checked, class_names = _check_votes(column, classes)
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
        names = _numbered(self.class_names, len(self.confusion))
        self.im_ = ax.imshow(
            self.confusion, vmin=0, vmax=1, cmap=_COLOUR_MAP, aspect="auto"
        )
        self.text_ = write_values(ax, self.im_, self.confusion)
        self.figure_.colorbar(self.im_, ax=ax, label="share of the class")
        _name(ax.xaxis, ["abstains", *names], rotation=90)
        _name(ax.yaxis, names)
        ax.set(xlabel="answer", ylabel="class")
        if self.program_name is not None:
            ax.set_title(_plain(self.program_name))
        return self


def _vote(estimator: Any, X: Any) -> tuple[FoundPrograms, np.ndarray]:
    """Run the programs of an estimator."""
    inner, taken = reach_in(estimator, X)
    found = find_programs(inner)
    return found, found.labeler.run(found.before_programs(taken)).votes


def _names(found: FoundPrograms) -> list[str]:
    return [program.name for program in found.labeler.programs_]


def _place_of(program: str | int, names: Sequence[str]) -> int:
    """Find a program by name or position."""
    if isinstance(program, str) and program in names:
        return list(names).index(program)
    if not isinstance(program, str) and -len(names) <= program < len(names):
        return int(program) % len(names)
    raise ValueError(f"{program!r} is none of the programs {', '.join(names)}.")


def _check_votes(
    votes: ArrayLike, classes: ArrayLike | None
) -> tuple[np.ndarray, list[str]]:
    """Return votes as a matrix, and the names of the classes."""
    votes = np.asarray(votes)
    if votes.ndim != 2 or votes.dtype.kind not in "iu":
        raise ValueError(
            "votes must be a matrix of integers, one column a program; got shape "
            f"{votes.shape} and type {votes.dtype}."
        )
    highest = int(votes.max(initial=ABSTAIN))
    names = _str(np.arange(highest + 1) if classes is None else np.asarray(classes))
    if votes.min(initial=0) < ABSTAIN or highest >= len(names):
        raise ValueError(
            f"votes must lie between -1 and {len(names) - 1}, the last of "
            f"{len(names)} classes; got {votes.min(initial=0)} to {highest}."
        )
    return votes.astype(int), names


def _check_names(names: Sequence[str] | None, n: int) -> list[str] | None:
    if names is not None and len(names) != n:
        raise ValueError(f"program_names has {len(names)} names for {n} programs.")
    return None if names is None else [str(name) for name in names]


def _str(names: np.ndarray) -> list[str]:
    return [str(name) for name in names.tolist()]


def _numbered(names: Sequence[str] | None, n: int) -> Sequence[str]:
    return [str(place) for place in range(n)] if names is None else names


def _name(axis: Any, names: Sequence[str], **style: Any) -> None:
    """Write the names of what is drawn, unless there are too many to be read."""
    if len(names) > MAX_NAMED:
        axis.set_ticks([])
        return
    axis.set_ticks(range(len(names)), [_plain(name) for name in names], **style)


def _plain(name: str) -> str:
    """Write a name so that it is no formula, and leaves room for the drawing."""
    shown = printable(name).replace("$", r"\$")
    return shown if len(shown) <= _MAX_NAME else f"{shown[:_MAX_NAME]}..."


def _box(ax: Any, start: int, size: int) -> Any:
    from matplotlib.patches import Rectangle

    corner = (start - 0.5, start - 0.5)
    box = Rectangle(corner, size, size, fill=False, edgecolor="#d55e00", linewidth=2.5)
    box.set_clip_on(False)
    return ax.add_patch(box)
