"""Carry programs over to other classes, and say what has to be asked for then."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .. import programs as _programs
from .._utils import read_prompts
from ..data import ClassMapping
from ..exceptions import ProgramRejected
from ..programs import LabelingProgram

if TYPE_CHECKING:
    from ._synthesis_config import SynthesisConfig
    from ._synthesis_result import Synthesis
    from ._task_spec import TaskSpec

# Programs that are asked for each class that is divided or added: as few as let one be
# outvoted.
N_PER_NEW_CLASS = 3


@dataclass(frozen=True)
class ProgramRequest:
    """What one conversation with a model is to bring.

    Parameters
    ----------
    spec : TaskSpec
        What the programs are to do.

    config : SynthesisConfig
        How they are to be got.

    prefix : str, default=""
        What their names begin with.

    class_mapping : dict or None, default=None
        What their answers stand for, where these are some of the classes of now.

    change : ClassMapping or None, default=None
        What became of their classes, where these are not those of now.

    aim : str, default=""
        What they are for, in a few words.
    """

    spec: "TaskSpec"
    config: "SynthesisConfig"
    prefix: str = ""
    class_mapping: Mapping[Any, tuple[Any, ...]] | None = None
    change: ClassMapping | None = None
    aim: str = ""

    def sign(self, synthesis: "Synthesis") -> "Synthesis":
        """Name what was written, and say what its answers stand for.

        Parameters
        ----------
        synthesis : Synthesis
            What came of the request.

        Returns
        -------
        synthesis : Synthesis
            The same with programs that fit beside others.
        """

        def named(found: list[Any]) -> list[Any]:
            return [replace(one, name=self.prefix + one.name) for one in found]

        programs = [remap_program(p, self.change) for p in named(synthesis.programs)]
        if self.class_mapping is not None:
            pairs = tuple(self.class_mapping.items())
            programs = [replace(program, class_mapping=pairs) for program in programs]
        return replace(
            synthesis,
            programs=programs,
            rejected=named(synthesis.rejected),
            exchanges=named(synthesis.exchanges),
        )


def remap_program(
    program: LabelingProgram, change: ClassMapping | None
) -> LabelingProgram:
    """Say what the answers of a program are under the classes of now.

    Parameters
    ----------
    program : LabelingProgram
        Written for classes of before, or of now.

    change : ClassMapping or None
        What became of each class.

    Returns
    -------
    program : LabelingProgram
        The same source, which is read otherwise.
    """
    if change is None:
        return program
    known = program.class_mapping
    if known is None:
        known = tuple((name, (name,)) for name in _known_names(program, change))
    now = {answer: change.follow(names) for answer, names in known}
    if all(names == (answer,) for answer, names in now.items()) and (
        now.keys() >= change.after.described.keys()
    ):
        return replace(program, class_mapping=None)
    return replace(program, class_mapping=tuple(now.items()))


def _known_names(program: LabelingProgram, change: ClassMapping) -> list[Any]:
    """List the classes that a program may mean by its answers."""
    if program.class_order is not None:
        return list(program.class_order)
    before = change.before.described
    divided = {part for parts in change.splits.values() for part in parts}
    if change.is_ahead:
        new = divided | {*change.added}
    else:
        new = {name for name in change.after.described if name not in before}
    spelled = _programs.spelled_names(program, change.vocabulary)
    return [
        name
        for name in change.vocabulary
        if name not in new or spelled is None or name in spelled
    ]


def check_change(
    change: ClassMapping, given: Sequence[LabelingProgram], *, asks: bool
) -> None:
    """Raise where programs cannot follow a change of the classes.

    Parameters
    ----------
    change : ClassMapping
        What became of each class.

    given : sequence of LabelingProgram
        Programs of before.

    asks : bool
        Whether a model can be asked for others.

    Raises
    ------
    ValueError
        If it names what is neither a class nor an answer, loses all programs, or needs
        a model where there is none.
    """
    names = change.vocabulary
    spelled = [_programs.spelled_names(program, names) for program in given]
    if change.is_ahead and None not in spelled:
        heard = {name for found in spelled for name in found or ()}
        own = {answer for p in given for answer, _ in p.class_mapping or ()}
        for key in change.targets:
            if key not in change.before and key not in heard | own:
                raise ValueError(
                    f"class_mapping names {key!r}, which is neither one of the classes "
                    f"{list(change.before.described)} nor an answer of any of the "
                    "programs given."
                )
    if given and not asks and all(_is_lost(p, change) for p in given):
        lost = [name for name, now in change.targets.items() if not now]
        raise ValueError(
            f"class_mapping loses all programs: what they answer, {lost}, is no class "
            "any more. Keep one of these classes, or give an llm to write others."
        )


def check_new_classes(
    change: ClassMapping, wanted: Mapping[Any, int], *, asks: bool
) -> None:
    """Raise where nothing tells what is divided or added, and nobody can be asked.

    Parameters
    ----------
    change : ClassMapping
        What became of each class.

    wanted : dict
        What `count_missing_programs` gives.

    asks : bool
        Whether a model can be asked.

    Raises
    ------
    ValueError
        If so.
    """
    for name, n_missing in wanted.items():
        if asks or n_missing < N_PER_NEW_CLASS:
            continue
        if name in change.splits:
            raise ValueError(
                f"class_mapping divides {name!r} into {list(change.splits[name])}, and "
                "nothing tells these apart: give an llm to write programs that do, or "
                "programs that answer with them."
            )
        raise ValueError(
            f"class_mapping adds {name!r}, and nothing finds it: give an llm to write "
            "programs that do, or programs that answer with it."
        )


def _is_lost(program: LabelingProgram, change: ClassMapping) -> bool:
    """Whether all that a program answers is gone."""
    known = program.class_mapping
    if known is not None:
        return not any(change.follow(names) for _, names in known)
    spelled = _programs.spelled_names(program, change.vocabulary)
    return bool(spelled) and not change.follow(spelled or ())


def count_missing_programs(
    change: ClassMapping,
    given: Sequence[LabelingProgram],
    n_programs: int = N_PER_NEW_CLASS,
) -> dict[Any, int]:
    """Count the programs that are missing for classes that are divided or added.

    Parameters
    ----------
    change : ClassMapping
        What became of each class.

    given : sequence of LabelingProgram
        Programs that may tell them already.

    n_programs : int, default=3
        How many there should be for each.

    Returns
    -------
    missing : dict of class to int
        Class of before that is divided, or class that is added -> number.
    """
    groups = {**change.splits, **{name: (name,) for name in change.added}}
    missing = {}
    for name, parts in groups.items():
        new = [part for part in parts if part == name or part not in change.targets]
        if change.is_ahead:
            new = list(parts)
        tellers = sum(_tells(program, parts, new) for program in given)
        missing[name] = max(0, n_programs - tellers)
    return missing


def _tells(program: LabelingProgram, parts: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether a program was written to tell parts, or knows of them."""
    now = {name for _, names in program.class_mapping or () for name in names}
    if now and now <= {*parts}:
        return True
    return bool(_programs.spelled_names(program, new))


def request_for_new_classes(
    change: ClassMapping,
    missing: Mapping[Any, int],
    spec: "TaskSpec",
    config: "SynthesisConfig",
) -> list[ProgramRequest]:
    """Request programs that tell the parts of a class apart, or find an added one.

    Parameters
    ----------
    change : ClassMapping
        What became of each class.

    missing : dict of class to int
        What `count_missing_programs` gives.

    spec : TaskSpec
        What programs for all classes of now would do.

    config : SynthesisConfig
        How these would be got.

    Returns
    -------
    requests : list of ProgramRequest
        One for each class that is divided or added.
    """
    requests, texts = [], read_prompts(__package__, "prompts")
    for name, n_missing in missing.items():
        if not n_missing:
            continue
        is_split = name in change.splits
        parts = change.splits.get(name, (name,))
        prefix = _slug(name) + "_"
        # A structured program looks for one class only.
        of_each = len(parts) if config.style == "rules" else 1
        taken = {t.removeprefix(prefix) for t in config.taken if t.startswith(prefix)}
        others = [other for other in change.after.described if other not in parts]
        described = dict(spec.classes)
        if is_split:
            told = (
                texts["other_classes"].format(names=", ".join(map(repr, others)))
                if others
                else ""
            )
            task = texts["divided_class"].format(
                task=spec.task.strip(), old=name, others=told
            )
        else:
            task = texts["added_class"].format(task=spec.task.strip(), new=name)
        if is_split or config.style == "rules":
            described = {part: spec.classes[part] for part in parts}
        answers = {part: (part,) for part in parts} | dict.fromkeys(others, ())
        requests.append(
            ProgramRequest(
                replace(spec, task=task, classes=described),
                replace(
                    config,
                    n_programs=n_missing * of_each,
                    taken=frozenset(taken),
                    given=(),
                    n_scoring=0,
                ),
                prefix,
                answers,
                aim=_describe_aim(name, parts, n_missing * of_each),
            )
        )
    return requests


def _describe_aim(name: Any, parts: Sequence[Any], n_programs: int) -> str:
    listed = ", ".join(map(repr, parts))
    does = f"find {name!r}" if parts == (name,) else f"tell {listed} apart in {name!r}"
    return f"{n_programs} programs that {does}"


def _slug(name: Any) -> str:
    return re.sub(r"\W+", "_", str(name)).strip("_").lower()[:40] or "class"


def check_class_order(
    programs: Sequence[LabelingProgram], change: ClassMapping
) -> None:
    """Raise where numbers of a program stand for what is no class.

    Parameters
    ----------
    programs : sequence of LabelingProgram
        Programs that say in which order they number the classes.

    change : ClassMapping
        What became of each class.

    Raises
    ------
    ProgramRejected
        If one of the classes was none.
    """
    for program in programs:
        for label in program.class_order or ():
            if program.class_mapping is None and label not in change.vocabulary:
                raise ProgramRejected(
                    f"program {program.name!r} has {label!r} in its class_order, which "
                    "is neither a class nor mapped to one; classes are "
                    f"{', '.join(map(repr, change.vocabulary))}"
                )
