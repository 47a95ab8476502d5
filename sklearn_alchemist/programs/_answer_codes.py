"""Read answers of programs that were written for other classes than those of now."""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..exceptions import ProgramRejected
from ._program import LabelingProgram, Scalar
from ._protocol import ABSTAIN


@dataclass(frozen=True)
class AnswerCodes:
    """What the answers of some programs stand for among the classes of now.

    An older program may answer with a class that is divided now. Its vote is the part
    for which most other programs vote on the row, if one is. In return, programs that
    only tell such parts apart are heard where most older ones see the class that was
    divided, since they know of no other class. Where most programs that look for an
    added class find it, those that were written before there was one are not heard.

    Parameters
    ----------
    classes : tuple of scalars
        Classes in the order of vote indices.
    codes : tuple of tuple of (scalar, int)
        For each program its answers and the votes that they are; ``len(classes) + k``
        for the k-th of `divided`.
    divided : tuple of tuple of int
        Parts, as vote indices, of each class that is divided now.
    known : tuple of (frozenset of int or None)
        For each program that was written for other classes, all votes that it can
        give. None for the others.
    """

    classes: tuple[Scalar, ...]
    codes: tuple[tuple[tuple[Scalar, int], ...], ...]
    divided: tuple[tuple[int, ...], ...]
    known: tuple[frozenset[int] | None, ...]

    @classmethod
    def of(
        cls, programs: Sequence[LabelingProgram], classes: Sequence[Scalar]
    ) -> "AnswerCodes":
        """Read what programs say of their answers.

        Parameters
        ----------
        programs : sequence of LabelingProgram
        classes : sequence of scalars
            Classes in the order of vote indices.

        Returns
        -------
        answer_codes : AnswerCodes

        Raises
        ------
        ProgramRejected
            One names a class that is none.
        """
        places = {label: place for place, label in enumerate(classes)}
        divided: dict[tuple[int, ...], int] = {}
        codes, known = [], []
        for program in programs:
            meanings = [*_meanings(program, classes)]
            answers = [*classes, *(answer for answer, _ in meanings)]
            votes = _abstentions(frozenset(map(str, answers))).copy()
            for answer, parts in meanings:
                for label in parts:
                    if label not in places:
                        _refuse(program, label, classes)
                several = tuple(sorted(places[label] for label in parts))
                if len(several) > 1:
                    votes[answer] = len(classes) + divided.setdefault(
                        several, len(divided)
                    )
                else:
                    votes[answer] = several[0] if several else ABSTAIN
            codes.append(tuple(votes.items()))
            is_older = program.class_mapping is not None
            known.append(frozenset({*votes.values()} - {ABSTAIN}) if is_older else None)
        return cls(tuple(classes), tuple(codes), tuple(divided), tuple(known))

    @property
    def n_codes(self) -> int:
        """Number of classes, and of classes that are divided now."""
        return len(self.classes) + len(self.divided)

    def settle(self, votes: np.ndarray) -> np.ndarray:
        """Turn what programs answer into votes for the classes of now.

        Parameters
        ----------
        votes : ndarray of shape (n_rows, n_programs)
            Codes, -1 for abstain.

        Returns
        -------
        votes : ndarray of shape (n_rows, n_programs)
            Class indices, -1 for abstain. What becomes of a row depends on no other.
        """
        if all(can is None for can in self.known):
            return votes
        votes = votes.copy()
        for number, parts in enumerate(self.divided):
            self._tell_parts_apart(votes, len(self.classes) + number, parts)
        for place in range(len(self.classes)):
            self._hear_of_added(votes, place)
        return votes

    def _tell_parts_apart(
        self, votes: np.ndarray, code: int, parts: tuple[int, ...]
    ) -> None:
        older = [
            j for j, can in enumerate(self.known) if can is not None and code in can
        ]
        tellers = [j for j, can in enumerate(self.known) if can and can <= {*parts}]
        said = votes[:, older]
        others = [k for k in range(self.n_codes) if k != code]
        most = np.max([(said == k).sum(axis=1) for k in others], axis=0)
        elsewhere = (said == code).sum(axis=1) < most
        for j in tellers:
            votes[elsewhere, j] = ABSTAIN
        heard = np.stack([(votes == part).sum(axis=1) for part in parts], axis=1)
        first, second = np.sort(heard, axis=1)[:, :-3:-1].T
        part = np.asarray(parts)[heard.argmax(axis=1)]
        part[first == second] = ABSTAIN
        for j in older:
            unclear = votes[:, j] == code
            votes[unclear, j] = part[unclear]

    def _hear_of_added(self, votes: np.ndarray, place: int) -> None:
        finders = [j for j, can in enumerate(self.known) if can == {place}]
        deaf = [
            j
            for j, can in enumerate(self.known)
            if can is not None and place not in can
        ]
        if finders and deaf:
            found = (votes[:, finders] == place).sum(axis=1) * 2 > len(finders)
            for j in deaf:
                votes[found, j] = ABSTAIN


# What programs say instead of None.
_ABSTENTIONS = ("", "abstain", "none", "null", "nan", "n/a", "na", "unknown", "-1")


@lru_cache(maxsize=256)
def _abstentions(answers: frozenset[str]) -> dict[Scalar, int]:
    """List what abstains: -1, and words for it that no answer is, in any capitals."""
    taken = {answer.strip().casefold() for answer in answers}
    return {
        -1: ABSTAIN,
        **{
            spelled: ABSTAIN
            for word in _ABSTENTIONS
            if word not in taken
            for spelled in (word, word.upper(), word.capitalize())
        },
    }


def _meanings(
    program: LabelingProgram, classes: Sequence[Scalar]
) -> Iterable[tuple[Scalar, tuple[Scalar, ...]]]:
    """Say what each answer of a program stands for."""
    mapping = program.class_mapping
    if program.returns == "class":
        return [(label, (label,)) for label in classes] if mapping is None else mapping
    order = classes if program.class_order is None else program.class_order
    if mapping is None:
        return [(place, (label,)) for place, label in enumerate(order)]
    meaning = dict(mapping)
    return [(place, meaning.get(label, (label,))) for place, label in enumerate(order)]


def _refuse(program: LabelingProgram, label: Scalar, classes: Sequence[Scalar]) -> None:
    where = "class_order" if program.class_mapping is None else "class_mapping"
    raise ProgramRejected(
        f"program {program.name!r} has {label!r} in its {where}, which is no class; "
        f"classes are {', '.join(map(repr, classes))}"
    )


def spelled_names(program: LabelingProgram, names: Iterable[Any]) -> list[Any] | None:
    """Find the names of classes that a program knows of.

    Parameters
    ----------
    program : LabelingProgram
        What is read.
    names : iterable of scalars
        Classes.

    Returns
    -------
    spelled : list or None
        Those that stand in its source or in its `class_order`; None where there is no
        source.

    Examples
    --------
    >>> from sklearn_alchemist.programs import LabelingProgram, spelled_names
    >>> program = LabelingProgram("p", "def label(text): return 'a' if text else None")
    >>> spelled_names(program, ["a", "b"])
    ['a']
    """
    if program.class_order is not None:
        return [name for name in names if name in program.class_order]
    if hasattr(program, "function"):
        return None
    constants = _constants(program.source)
    return [name for name in names if (isinstance(name, str), name) in constants]


@lru_cache(maxsize=1024)
def _constants(source: str) -> frozenset[tuple[bool, Any]]:
    """Find what is written in a source as it is; yes and no also where it is asked."""
    found: set[tuple[bool, Any]] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
            found.add((isinstance(node.value, str), node.value))
        elif isinstance(node, ast.Compare | ast.Not):
            found |= {(False, True), (False, False)}
    return frozenset(found)
