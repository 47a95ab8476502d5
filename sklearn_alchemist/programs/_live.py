"""Give loops over keywords those that a text may hold."""

from collections.abc import Callable
from typing import Any

from ._fast_re import pattern_of
from ._text_index import ANYTHING, SCANS, LiteralScan

_MAX_GROUPS = 5_000
_MIN_ELEMENTS = 4


class _Group:
    """What the elements of one list ask a text for."""

    def __init__(self, index: LiteralScan, asked: list[tuple[str, ...] | None]) -> None:
        self.index = index
        places: dict[str, list[int]] = {}
        always = {0, len(asked) - 1}
        for place, literals in enumerate(asked):
            if literals is None:
                always.add(place)
            for literal in literals or ():
                places.setdefault(literal, []).append(place)
        self.places = places
        self.keys = frozenset(places)
        self.always = sorted(always)
        # What is looked for once the index does look for all of it.
        self.is_ready = index.want(self.keys)


_groups: dict[tuple[int, tuple[Any, ...]], _Group | None] = {}


def live(
    elements: Any,
    texts: tuple[Any, ...],
    site: int,
    make: Callable[..., Any],
    is_pair: bool,
    is_literal: bool,
) -> Any:
    """Leave out elements that surely do nothing for some texts.

    Parameters
    ----------
    elements : iterable
        What a loop walks through.
    texts : tuple of object
        What its iterations ask.
    site : int
        Number of the loop in its program.
    make : callable
        Makes of an element what the texts are asked for.
    is_pair : bool
        Whether the loop unpacks elements.
    is_literal : bool
        Whether that is plain text rather than a regular expression.

    Returns
    -------
    elements : iterable
    """
    if type(elements) not in _SEQUENCES:
        return elements
    for text in texts:
        if type(text) is not str:
            return elements
    try:
        key = tuple(elements)
        group = _groups[site, key]
    except KeyError:
        group = _make_group(site, key, make, is_pair, is_literal)
    except TypeError:
        return elements
    if group is None:
        return elements
    if not group.is_ready:
        group.is_ready = group.index.want(group.keys)
        return elements
    places = set(group.always)
    for text in texts:
        found = group.index[text]
        if found is ANYTHING:
            return elements
        for hit in group.keys & found:
            places.update(group.places[hit])
    return [key[place] for place in sorted(places)]


_SEQUENCES = frozenset(
    {list, tuple, set, frozenset, dict, type({}.keys()), type({}.items())}
)


def _make_group(
    site: int,
    key: tuple[Any, ...],
    make: Callable[..., Any],
    is_pair: bool,
    is_literal: bool,
) -> _Group | None:
    if len(_groups) >= _MAX_GROUPS:
        _groups.clear()
    group = None
    try:
        if len(key) >= _MIN_ELEMENTS and (not is_pair or _weights_are_alike(key)):
            made = [make(*item) if is_pair else make(item) for item in key]
            group = _literal_group(made) if is_literal else _pattern_group(made)
    except Exception:
        # The loop itself will raise, if it comes to that.
        group = None
    _groups[site, key] = group
    return group


def _literal_group(made: list[Any]) -> _Group | None:
    if all(type(text) is str and len(text) > 1 for text in made):
        return _Group(SCANS[False], [(text,) for text in made])
    return None


def _pattern_group(made: list[Any]) -> _Group:
    asked = [pattern_of(source)._needs for source in made]
    folded = all(needs.folded for needs in asked)
    return _Group(
        SCANS[folded],
        [needs.literals if needs.folded is folded else None for needs in asked],
    )


def _weights_are_alike(key: tuple[Any, ...]) -> bool:
    """Whether what comes with keywords is of one kind of numbers, or of none."""
    for column in zip(*key, strict=True):
        kinds = {type(value) for value in column}
        if float in kinds and (
            len(kinds) > 1 or not all(-1e99 < v < 1e99 for v in column)
        ):
            return False
    return True
