"""Give loops over keywords those that a text may hold."""

from collections.abc import Callable
from typing import Any

from ._fast_re import pattern_of
from ._literal_scan import ANYTHING, SCANS, LiteralScan
from ._loop_analysis import COUNTED, FIRST, ITEMS, LAST, LITERAL, PAIR, SAME, WEIGHS

_MAX_GROUPS = 5_000
_MAX_KNOWN = 50_000
# Fewer are asked one by one in the same time.
_MIN_ELEMENTS, _MIN_WORDS = 4, 16
_SEQUENCES = frozenset(
    {list, tuple, set, frozenset, dict, type({}.keys()), type({}.items())}
)


class _Group:
    """What the elements of one list ask a text for."""

    def __init__(
        self,
        elements: tuple[Any, ...],
        index: LiteralScan,
        asked: list[tuple[str, ...] | None],
        always: set[int],
    ) -> None:
        self.elements = elements
        self.index = index
        places: dict[str, list[int]] = {}
        for place, literals in enumerate(asked):
            if literals is None:
                always.add(place)
            for literal in literals or ():
                places.setdefault(literal, []).append(place)
        self.places = places
        self.keys = frozenset(places)
        self.always = always
        # What is left where a text holds nothing.
        self.rest = [elements[place] for place in sorted(always)]
        # What is looked for once the index does look for all of it.
        # None where nothing can be said.
        self.is_ready: bool | None = index.want(self.keys)


_groups: dict[tuple[int, Any], _Group] = {}


def relevant_elements(
    elements: Any,
    texts: tuple[Any, ...],
    site: int,
    make: Callable[..., Any],
    options: int,
) -> Any:
    """Leave out elements that surely do nothing for some texts."""
    for text in texts:
        if type(text) is not str:
            return elements.items() if options & ITEMS else elements
    try:
        if options & SAME:
            group = _groups[site, id(elements)]
        else:
            # Elements that a program made anew are the same if they are equal.
            if type(elements) not in _SEQUENCES:
                return elements
            group = _groups[site, tuple(elements)]
    except KeyError:
        group = _make_group(site, elements, make, options)
    except TypeError:
        return elements
    if not group.is_ready:
        if group.is_ready is None:
            return elements.items() if options & ITEMS else elements
        group.is_ready = group.index.want(group.keys)
        return group.elements
    hits: Any = ()
    for text in texts:
        found = group.index[text]
        if found is ANYTHING:
            return group.elements
        if here := group.keys & found:
            hits = here.union(hits)
    if not hits:
        return group.rest
    places = group.always.union(*[group.places[hit] for hit in hits])
    return [group.elements[place] for place in sorted(places)]


def _make_group(
    site: int, elements: Any, make: Callable[..., Any], options: int
) -> _Group:
    if len(_groups) >= _MAX_GROUPS:
        _groups.clear()
    group = _Group((), SCANS[False], [], set())
    group.is_ready = None
    found = tuple(elements.items() if options & ITEMS else elements)
    always = set()
    if options & FIRST:
        always.add(0)
    if options & LAST:
        always.add(len(found) - 1)
    try:
        weighs = options & WEIGHS
        if len(found) >= _MIN_ELEMENTS and not (weighs and not _are_alike(found)):
            made = [make(*e) if options & PAIR else make(e) for e in found]
            asked = _literals if options & LITERAL else _needs
            group = _Group(found, *asked(made), always)
    except Exception:
        # The loop itself will raise, if it comes to that.
        group.is_ready = None
    _groups[site, id(elements) if options & SAME else found] = group
    return group


def _literals(made: list[Any]) -> tuple[LiteralScan, list[tuple[str, ...] | None]]:
    fits = [type(text) is str and len(text) > 1 for text in made]
    return SCANS[False], [
        (text,) if fit else None for text, fit in zip(made, fits, strict=True)
    ]


def _needs(made: list[Any]) -> tuple[LiteralScan, list[tuple[str, ...] | None]]:
    asked = [pattern_of(source)._needs for source in made]
    folded = all(needs.folded for needs in asked)
    return SCANS[folded], [
        needs.literals if needs.folded is folded else None for needs in asked
    ]


def _are_alike(elements: tuple[Any, ...]) -> bool:
    """Whether what comes with keywords is of one kind of numbers, or of none."""
    for column in zip(*elements, strict=True):
        kinds = {type(value) for value in column}
        if float in kinds and (
            len(kinds) > 1 or not all(-1e99 < v < 1e99 for v in column)
        ):
            return False
    return True


# For each loop over words, which of them do nothing and which do something.
_known: dict[int, tuple[set[str], set[str]]] = {}


def passing_elements(
    elements: Any, place: int, site: int, test: Callable[[str], Any], options: int
) -> Any:
    """Leave out words that pass no test, each of which is made once a word."""
    is_counted = options & COUNTED
    known = type(elements) is list if is_counted else type(elements) in _SEQUENCES
    if not known or len(elements) < _MIN_WORDS:
        return enumerate(elements) if is_counted else elements
    idle, lively = _known.setdefault(site, (set(), set()))
    if len(idle) > _MAX_KNOWN:
        idle.clear()
    try:
        if is_counted:
            kept = [(n, word) for n, word in enumerate(elements) if word not in idle]
        elif options & PAIR:
            kept = [element for element in elements if element[place] not in idle]
        else:
            kept = [word for word in elements if word not in idle]
        found = [element[place] for element in kept] if options & PAIR else kept
        if not lively.issuperset(found):
            for word in set(found) - lively:
                if type(word) is not str:
                    raise TypeError("no word")
                (lively if test(word) else idle).add(word)
            pairs = zip(kept, found, strict=True)
            kept = [element for element, word in pairs if word not in idle]
    except Exception:
        # Whatever goes wrong here goes wrong in the loop, at its own time.
        return enumerate(elements) if is_counted else elements
    if options & (FIRST | LAST):
        whole = list(enumerate(elements) if is_counted else elements)
        if options & FIRST and kept[:1] != whole[:1]:
            kept.insert(0, whole[0])
        if options & LAST and kept[-1:] != whole[-1:]:
            kept.append(whole[-1])
    return kept
