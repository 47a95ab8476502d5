"""Say what became of each class when the schema changed."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._classes import Classes, unify_spelling
from ._labels import UNLABELED, check_one_kind, read_labels


@dataclass(frozen=True, eq=False)
class ClassMapping:
    """What each class of before is now.

    Parameters
    ----------
    before : Classes
        The classes that were listed.

    targets : dict of class to tuple of classes
        What became of each class that somebody may still speak of: nothing, one class,
        or several between which it is now divided.

    added : tuple
        Classes that come from no other.

    after : Classes
        The classes now, with what is said of them, in the order of those before.

    Examples
    --------
    >>> from sklearn_alchemist.data import ClassMapping, Classes
    >>> topics = Classes.listed(["art", "film", "sport", "other"])
    >>> mapping = ClassMapping.read({"film": "art", "other": None}, topics)
    >>> mapping.after.names
    array(['art', 'sport'], dtype='<U5')
    >>> mapping.map_codes([0, 1, 2, 3, -1])
    array([ 0,  0, -1,  1, -1])
    """

    before: Classes
    targets: Mapping[Any, tuple[Any, ...]]
    added: tuple[Any, ...]
    after: Classes

    @classmethod
    def read(
        cls, mapping: Mapping[Any, Any], listed: Classes, *, is_fitted: bool = True
    ) -> "ClassMapping":
        """Read what a user writes.

        Parameters
        ----------
        mapping : dict
            Class -> its new name; another class, with which it is merged; a list of
            classes between which it is divided, or a dict of these to descriptions; or
            None, where there is no such class any more. The key None lists what is
            new. Classes that are not mentioned stay.

        listed : Classes
            The classes before.

        is_fitted : bool, default=True
            Whether these are the classes of what is fitted. If not, they may be those
            of now, where no key is among them and all that keys lead to is; and no
            class may lend its name to one of its parts, as nothing tells then which
            programs are older.

        Returns
        -------
        mapping : ClassMapping
            The mapping.

        Raises
        ------
        TypeError
            If it is no mapping, or names what can be no class.

        ValueError
            If it names no class, goes round in a circle, or leaves fewer than two.
        """
        if not isinstance(mapping, Mapping):
            raise TypeError(
                "class_mapping must be a dict of class to new class, such as "
                f"{{'old': 'new', 'gone': None}}; got {type(mapping).__name__}."
            )
        keys = read_labels(list(mapping))
        given = dict(zip(keys, map(_read_target, keys, mapping.values()), strict=True))
        if len(given) < len(keys):
            raise ValueError(f"class_mapping names one of {keys} twice.")
        spelled = {name: name for name in listed.described}
        steps: dict[Any, dict[Any, str | None]] = {}
        for key, parts in given.items():
            unified = unify_spelling(parts)
            steps[spelled.get(key, unify_spelling([key])[0])] = {
                spelled.get(new, new): text
                for new, text in zip(unified, parts.values(), strict=True)
            }
        born = steps.pop(None, {})
        # What stays as it is may be mentioned.
        steps = {key: new for key, new in steps.items() if list(new) != [key]}
        ahead = (
            not is_fitted
            and bool(steps or born)
            and not any(key in listed for key in steps)
            and all(name in listed for new in [*steps.values(), born] for name in new)
        )
        if not ahead:
            _check_keys(steps, listed)
        if not ahead and (wrong := [name for name in born if name in listed]):
            raise ValueError(
                f"class_mapping adds {wrong[0]!r}, which is a class already."
            )
        _check_ends(steps, is_fitted=is_fitted)
        after = listed if ahead else _follow_all(listed, steps, born)
        stay = {name: (name,) for name in listed.described}
        targets = stay | {key: tuple(new) for key, new in steps.items()}
        return cls(listed, targets, tuple(born), after)

    @property
    def is_ahead(self) -> bool:
        """Whether the classes that were listed are those of now."""
        return self.after is self.before

    @property
    def splits(self) -> dict[Any, tuple[Any, ...]]:
        """Class -> the classes between which it is divided."""
        return {key: new for key, new in self.targets.items() if len(new) > 1}

    @property
    def is_free(self) -> bool:
        """Whether old answers tell the new classes, so that nobody has to be asked."""
        return not self.splits and not self.added

    @property
    def renamed(self) -> dict[Any, Any]:
        """Class -> what it is called now, of those that are one class as before."""
        return {key: new[0] for key, new in self.targets.items() if len(new) == 1}

    @property
    def vocabulary(self) -> list[Any]:
        """Names that programs may use: those listed first, then all the others."""
        names = [*self.before.described, *self.targets, *self.after.described]
        return list(dict.fromkeys(names))

    def follow(self, names: Iterable[Any]) -> tuple[Any, ...]:
        """Say what became of classes.

        Parameters
        ----------
        names : iterable of classes
            Before; names of now stay.

        Returns
        -------
        names : tuple
            Now, each once.
        """
        found = (new for name in names for new in self.targets.get(name, (name,)))
        return tuple(dict.fromkeys(found))

    def then(self, later: "ClassMapping") -> "ClassMapping":
        """Make one step of two.

        Parameters
        ----------
        later : ClassMapping
            What became of the classes of now.

        Returns
        -------
        both : ClassMapping
            What became of the classes before, in the end.
        """
        targets = {name: later.follow(new) for name, new in self.targets.items()}
        added = (*later.follow(self.added), *later.added)
        return ClassMapping(self.before, targets, added, later.after)

    def map_codes(self, codes: ArrayLike) -> np.ndarray:
        """Turn codes of classes before into codes of classes now.

        Parameters
        ----------
        codes : array-like of int
            Votes or labels of any shape: positions in ``before.names``, -1 for none.

        Returns
        -------
        codes : ndarray of int of the same shape
            Positions in ``after.names``; -1 also where a class is gone or divided.
        """
        codes = np.asarray(codes)
        return self._table()[codes].astype(codes.dtype, copy=False)

    def map_proba(self, proba: np.ndarray, prior: np.ndarray) -> np.ndarray:
        """Add up the probabilities of merged classes; share out those of classes gone.

        Parameters
        ----------
        proba : ndarray of shape (n_samples, n_classes_before)
            Probabilities.

        prior : ndarray of shape (n_classes_before,)
            What is said of rows that are certain to be of a class that is gone.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes_after)
            Rows sum to one.
        """
        table = self._table()[:-1]
        place = np.zeros((len(table), len(self.after)))
        place[table != UNLABELED, table[table != UNLABELED]] = 1.0
        mapped = proba @ place
        if (table != UNLABELED).all():
            return mapped
        usual = prior @ place
        usual = usual if usual.sum() > 0 else np.ones(len(self.after))
        # Beside what is nearly nothing, what is usual is told as nearly nothing.
        mapped = mapped + 1e-12 * usual / usual.sum()
        return mapped / mapped.sum(axis=1, keepdims=True)

    def map_values(
        self, values: np.ndarray, prior: np.ndarray, *, add: bool = False
    ) -> np.ndarray:
        """Bring one value a class to the classes of now.

        Parameters
        ----------
        values : ndarray of shape (n_classes_before,)
            One a class.

        prior : ndarray of shape (n_classes_before,)
            How much each counts where classes are merged.

        add : bool, default=False
            Whether to add the values up rather than take their mean.

        Returns
        -------
        values : ndarray of shape (n_classes_after,)
            One a class; 0 of a class that nothing led to.
        """
        table, found = self._table()[:-1], np.zeros(len(self.after))
        for k in range(len(found)):
            merged = np.flatnonzero(table == k)
            if add:
                found[k] = values[merged].sum()
            elif merged.size:
                weight = np.maximum(prior[merged], 1e-12)
                found[k] = np.average(values[merged], weights=weight)
        return found

    def explain_labels(self, y: ArrayLike) -> str | None:
        """Say that labels name classes of before, if they do.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        message : str or None
            One line.
        """
        old = [
            label
            for label in dict.fromkeys(read_labels(y))
            if label in self.targets and label not in self.after
        ]
        if not old:
            return None
        new = self.targets[old[0]]
        what = " or ".join(map(repr, new)) if new else "no class any more"
        return (
            f"y holds {old[0]!r}, which class_mapping maps to {what}: give labels of "
            f"the classes of now, {self.after.names.tolist()}, None for no class."
        )

    def _table(self) -> np.ndarray:
        """Give the code of now of each code of before, and -1 at the end."""
        place = {name: k for k, name in enumerate(self.after.names.tolist())}
        table = np.full(len(self.before) + 1, UNLABELED)
        for k, name in enumerate(self.before.names.tolist()):
            new = self.targets[name]
            if len(new) == 1:
                table[k] = place[new[0]]
        return table


def _read_target(key: Any, target: Any) -> dict[Any, str | None]:
    """Read what became of one class: classes, with what is said of them."""
    several = isinstance(target, Mapping | Set | Sequence) and not isinstance(
        target, str | bytes
    )
    is_column = hasattr(target, "__array__") and np.ndim(target) == 1
    names = read_labels(list(target) if several or is_column else [target])
    if not (several or is_column):
        return {} if names == [None] else _checked(key, names, {})
    if not names:
        raise ValueError(
            f"class_mapping divides {key!r} into no class at all: write None where "
            "there is no such class any more."
        )
    texts = dict(target) if isinstance(target, Mapping) else {}
    return _checked(key, names, texts)


def _checked(key: Any, names: list[Any], texts: dict[Any, Any]) -> dict[Any, Any]:
    """Raise for what can be no class."""
    if None in names or "" in names:
        raise ValueError(
            f"class_mapping maps {key!r} to {names}, and neither None nor an empty str "
            "is a class: a class that is gone is mapped to None alone."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"class_mapping maps {key!r} to {names}, one of them twice.")
    return {name: texts.get(name) for name in names}


def _check_keys(steps: Mapping[Any, Mapping[Any, Any]], listed: Classes) -> None:
    """Raise where a key is no class."""
    unknown = [key for key in steps if key not in listed]
    if not unknown:
        return
    names = list(listed.described)
    message = f"class_mapping names {unknown[0]!r}, which is none of the classes "
    message += f"{names}."
    alike = [name for name in names if str(name) == str(unknown[0])]
    if alike:
        message += (
            f" {unknown[0]!r} is {type(unknown[0]).__name__}, the class "
            f"{alike[0]!r} is {type(alike[0]).__name__}."
        )
    elif all(new in listed for new in steps[unknown[0]]) and steps[unknown[0]]:
        message += (
            " List either all classes as they were before, or all as they are now."
        )
    raise ValueError(message)


def _check_ends(steps: Mapping[Any, Mapping[Any, Any]], *, is_fitted: bool) -> None:
    """Raise where it is not said in one step what became of a class."""
    for key, new in steps.items():
        path = [key]
        inner = [name for name in new if name in steps and name != key]
        while inner and inner[0] not in path:
            path.append(inner[0])
            inner = [name for name in steps[inner[0]] if name in steps]
        if len(path) > 1:
            way = " -> ".join(map(repr, [*path, *inner[:1]]))
            end = "goes round in a circle" if inner else "takes more than one step"
            raise ValueError(
                f"class_mapping {end}: {way}. Say of each class what it is in the end, "
                "by a name that is not one of those which change."
            )
        if key in new and not is_fitted:
            others = [name for name in new if name != key]
            raise ValueError(
                f"class_mapping maps {key!r} into itself, beside {others}: programs of "
                f"before and of now would not mean the same by {key!r}. Give that part "
                "a name of its own, or call remap of the fitted labeler, which knows "
                "which programs are older."
            )


def _follow_all(
    listed: Classes,
    steps: Mapping[Any, Mapping[Any, str | None]],
    born: Mapping[Any, str | None],
) -> Classes:
    """List the classes of now, where the old ones stood."""
    found: dict[Any, list[str]] = {}
    for name, text in listed.described.items():
        new = steps.get(name, {name: text})
        for target, own in new.items():
            said = own or listed.described.get(target)
            # A renamed class is still what it was; a part is not.
            if said is None and len(new) == 1:
                said = text
            texts = found.setdefault(target, [])
            if said and said not in texts:
                texts.append(said)
    for name, text in born.items():
        found.setdefault(name, [text] if text else [])
    check_one_kind(found, "what class_mapping and classes hold together")
    if len(found) < 2:
        left = f"only the class {next(iter(found))!r}" if found else "no class"
        raise ValueError(
            f"class_mapping leaves {left}: at least 2 are needed to tell records apart."
        )
    return Classes.listed({name: "; ".join(s) or None for name, s in found.items()})
