"""Say what the classes are: how they are spelled, sorted, described and coded."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets

from ._labels import UNLABELED, WRITTEN_MISSING, check_one_kind, read_labels


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes, and which label is which.

    Parameters
    ----------
    names : ndarray of shape (n_classes,)
        The classes, sorted: the code ``k`` stands for ``names[k]``.

    described : dict of class to (str or None)
        What the user says of each, in the order of the user. Classes are Python
        scalars; a float that is an integer is written as one.

    Examples
    --------
    >>> from sklearn_alchemist.data import Classes
    >>> classes = Classes.listed({"spam": "unwanted", "ham": None})
    >>> classes.encode(["spam", None, "ham"])
    array([ 1, -1,  0])
    >>> classes.decode([1, 0])
    array(['spam', 'ham'], dtype='<U4')
    """

    names: np.ndarray
    described: Mapping[Any, str | None]

    @classmethod
    def listed(cls, classes: Iterable[Any]) -> "Classes":
        """Take the classes that a user lists.

        Parameters
        ----------
        classes : iterable, or dict of class to description
            At least two different classes, all strings or all numbers.

        Returns
        -------
        classes : Classes
            The classes.

        Raises
        ------
        ValueError, TypeError
            If classes are missing, empty, repeated, fewer than two, or strings mixed
            with numbers.

        Examples
        --------
        >>> from sklearn_alchemist.data import Classes
        >>> Classes.listed(["spam", "ham"]).names
        array(['ham', 'spam'], dtype='<U4')
        """
        if isinstance(classes, str):
            raise ValueError(
                f"classes must be a list of labels, got the string {classes!r}."
            )
        is_column = hasattr(classes, "__array__") or hasattr(classes, "to_pylist")
        given = read_labels(classes if is_column else list(classes))
        if None in given:
            raise ValueError("classes must not hold None or NaN.")
        if "" in given:
            raise ValueError("an empty str cannot be a class.")
        check_one_kind(given, "classes")
        repeated = {name for name, count in Counter(given).items() if count > 1}
        if repeated:
            raise ValueError(
                f"classes holds duplicates: {sorted(repeated)}. List each class once."
            )
        if len(given) < 2:
            raise ValueError(f"classes must hold at least 2 classes, got {given}.")
        texts = classes.values() if isinstance(classes, Mapping) else repeat(None)
        described = dict(zip(map(_written, given), texts, strict=False))
        return cls(np.unique(given), described)

    @classmethod
    def named_by(cls, y: ArrayLike, *, partly: bool = False) -> "Classes | None":
        """Take the classes that labels name.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels.

        partly : bool, default=False
            Whether labels may be missing, and -1 marks one that is.

        Returns
        -------
        classes : Classes or None
            The classes; None if all labels are missing.

        Raises
        ------
        ValueError
            If a label is missing without `partly`, is written as missing values are,
            or is -1 where nobody can know what that means.
        """
        labels = read_labels(y)
        known = {label for label in labels if label is not None}
        if len(known) < len({*labels}) and not partly:
            raise ValueError(
                "y holds missing labels (None or NaN), so it cannot name the classes: "
                "list them in `classes`."
            )
        check_one_kind(known, "y")
        written = [name for name in WRITTEN_MISSING if name in known]
        if written or _is_marked(known):
            raise ValueError(
                f"y holds the str {(written or ['-1'])[0]!r}, which is what becomes of "
                "a missing label in an array of strings. Pass a list or an array of "
                "objects instead, or list the classes in `classes` if it is one."
            )
        if partly and UNLABELED in known:
            known -= {UNLABELED}
            if len(known) == 1:
                raise ValueError(minus_one_is_open([UNLABELED, *known]))
        if not known:
            return None
        names = np.unique(list(known))
        if names.dtype.kind in "biuf":
            check_array(names, ensure_2d=False, dtype=None, input_name="y")  # infinity
        check_classification_targets(names)
        return cls(names, dict.fromkeys(map(_written, names.tolist())))

    @classmethod
    def resolve(
        cls,
        classes: Any,
        y: ArrayLike | None,
        *,
        n_samples: int,
        estimator: object,
        partly: bool = False,
    ) -> "Classes":
        """Take the classes that the user lists, or else those that labels name.

        Parameters
        ----------
        classes : iterable, dict or None
            What the user lists.

        y : array-like of shape (n_samples,) or None
            Labels.

        n_samples : int
            Number of labels that there should be.

        estimator : object
            Whom an error speaks of.

        partly : bool, default=False
            Whether labels are learned from, so that -1 may mark a missing one. Which
            classes there are must be certain then.

        Returns
        -------
        classes : Classes
            The classes.

        Raises
        ------
        ValueError, TypeError
            If there are neither classes nor labels, or labels that are no class.
        """
        if classes is not None:
            listed = cls.listed(classes)
            if y is not None:
                listed.encode(y, n_samples=n_samples)
            return listed
        if y is None:
            raise ValueError(
                f"{type(estimator).__name__} requires y to be passed, but the target y "
                "is None: give classes=[...], or a y that names the classes."
            )
        named = cls.named_by(y)
        if named is None:
            raise ValueError("y is empty, so it names no classes: list them.")
        if partly and UNLABELED in named.described:
            raise ValueError(minus_one_is_open(named.names.tolist()))
        named.encode(y, n_samples=n_samples)
        return named

    @classmethod
    def of_names(cls, names: np.ndarray) -> "Classes":
        """Take the ``classes_`` of an estimator.

        Parameters
        ----------
        names : ndarray of shape (n_classes,)
            The classes, sorted.

        Returns
        -------
        classes : Classes
            The classes, without descriptions.
        """
        return cls(names, dict.fromkeys(map(_written, names.tolist())))

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, label: Any) -> bool:
        return label in self.described

    @property
    def sorted_descriptions(self) -> dict[Any, str | None]:
        """Class -> description, in the order of the codes."""
        return {
            written: self.described[written]
            for written in map(_written, self.names.tolist())
        }

    def encode(
        self,
        y: ArrayLike,
        *,
        n_samples: int | None = None,
        strict: bool = True,
        what: str = "y",
    ) -> np.ndarray:
        """Turn labels into codes.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels, of which some may be missing: None, NaN, NA, NaT or masked, or -1
            where that is no class.

        n_samples : int or None, default=None
            Number of labels that there should be; None takes any.

        strict : bool, default=True
            Whether a label that is no class is an error, rather than missing.

        what : str, default="y"
            What a message calls the labels.

        Returns
        -------
        codes : ndarray of int of shape (n_samples,)
            Positions in `names`, -1 where a label is missing.

        Raises
        ------
        ValueError
            If there are more or fewer labels, or one that is no class.
        """
        labels = read_labels(y)
        if n_samples is not None and len(labels) != n_samples:
            raise ValueError(
                "Found input variables with inconsistent numbers of samples: "
                f"{[n_samples, len(labels)]}"
            )
        codes = {None: UNLABELED, UNLABELED: UNLABELED}
        codes |= {name: k for k, name in enumerate(self.names.tolist())}
        if strict and (unknown := {*labels} - codes.keys()):
            raise ValueError(self._unknown(unknown, what))
        return np.array([codes.get(label, UNLABELED) for label in labels], dtype=int)

    def decode(self, codes: ArrayLike) -> np.ndarray:
        """Turn codes into labels.

        Parameters
        ----------
        codes : array-like of int of shape (n_samples,)
            Positions in `names`.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            The classes.
        """
        return self.names[np.asarray(codes, dtype=int)]

    def _unknown(self, unknown: set[Any], what: str) -> str:
        """Say which labels are no classes, and what to do about it."""
        shown = sorted(unknown, key=str)
        more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
        message = (
            f"{what} holds {shown[:5]}{more}, which is none of the classes "
            f"{self.names.tolist()}."
        )
        codes = set(range(len(self)))
        if self.names.dtype.kind == "U" and {*unknown} <= codes:
            message += (
                " If a meta-estimator encoded y, as VotingClassifier, "
                "StackingClassifier and CalibratedClassifierCV do: use integer "
                "classes 0, 1, ..., or fit first and pass a FrozenEstimator, or set "
                "classes=None with programs that return what y holds."
            )
        return message


def minus_one_is_open(names: Iterable[Any]) -> str:
    """Say that -1 may be a class or a missing label.

    Parameters
    ----------
    names : iterable
        The labels in y.

    Returns
    -------
    message : str
        One line.
    """
    return (
        f"y holds {sorted(names, key=str)}, and -1 may be a class or mark a missing "
        "label: list the classes in `classes`."
    )


def unify_spelling(names: Iterable[Any]) -> list[Any]:
    """Write each class as all classes are written.

    Parameters
    ----------
    names : iterable
        Python scalars.

    Returns
    -------
    names : list
        The same, floats that are integers as such.
    """
    return [_written(name) for name in names]


def _written(name: Any) -> Any:
    """Write a float that is an integer as people and programs do."""
    return int(name) if isinstance(name, float) and name.is_integer() else name


def _is_marked(known: set[Any]) -> bool:
    """Tell whether "-1" is the only number among strings."""
    others = [name for name in known if isinstance(name, str) and name != "-1"]
    return "-1" in known and not all(_is_number(name) for name in others)


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def check_question(task: str | None, classes: Sequence[Any]) -> str:
    """Make sure that there is something to ask.

    Parameters
    ----------
    task : str or None
        What is to be decided about a record.

    classes : sequence
        The classes.

    Returns
    -------
    task : str
        The same.

    Raises
    ------
    ValueError
        If the task is empty, or there is nothing to choose from.
    """
    if task is None or not task.strip():
        raise ValueError(
            "task is empty: say in one sentence what is to be decided about a "
            "record, such as task='Is this comment spam?'."
        )
    if len(classes) < 2:
        raise ValueError(
            f"y holds only one class, {list(classes)!r}: at least two are needed "
            "to tell records apart."
        )
    return task
