"""Turn a brief into questions, and the answers into labeling programs."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..exceptions import ProgramRejected
from ..llm import Completion, Question
from ..programs import LabelingProgram, Provenance
from ._gate import Rejection
from ._parsing import extract_source
from ._plan import Slot, plan
from ._prompts import PROMPT_VERSION, Brief, write_messages


@dataclass(frozen=True, slots=True)
class Synthesis:
    """Programs read from answers.

    Parameters
    ----------
    programs : list of LabelingProgram
        In the order of the answers.

    rejected : list of Rejection
        Answers that hold no program.
    """

    programs: list[LabelingProgram]
    rejected: list[Rejection]


def questions_for(
    brief: Brief, n_programs: int, *, taken: Collection[str] = ()
) -> tuple[list[Slot], list[Question]]:
    """Write what is to be asked.

    Parameters
    ----------
    brief : Brief
        What the programs are to do.

    n_programs : int
        Number of programs to ask for.

    taken : collection of str, default=()
        Names of programs that exist already.

    Returns
    -------
    slots : list of Slot
        The plan.

    questions : list of Question
        One question a slot.
    """
    slots = plan(n_programs, is_text=brief.is_text, taken=taken)
    questions = [
        Question(write_messages(brief, slot.strategy), slot.sample) for slot in slots
    ]
    return slots, questions


def read_answers(
    slots: Sequence[Slot],
    questions: Sequence[Question],
    completions: Sequence[Completion],
) -> Synthesis:
    """Read programs from answers; none of them is run.

    Parameters
    ----------
    slots : sequence of Slot
        The plan.

    questions : sequence of Question
        What was asked, one question a slot.

    completions : sequence of Completion
        What was answered, one completion a slot.

    Returns
    -------
    synthesis : Synthesis
        Programs with their provenance, and the answers that hold none.
    """
    programs, rejected = [], []
    for slot, question, completion in zip(slots, questions, completions, strict=True):
        try:
            source = extract_source(completion.text)
            program = LabelingProgram(
                slot.name, source, provenance=_provenance(slot, question, completion)
            )
        except (ProgramRejected, ValueError) as error:
            reason = str(error)
            if completion.finish_reason == "length":
                reason += "; the answer was cut off: raise params['max_tokens']"
            rejected.append(Rejection(slot.name, reason, completion.text))
        else:
            programs.append(program)
    return Synthesis(programs, rejected)


def _provenance(slot: Slot, question: Question, completion: Completion) -> Provenance:
    return Provenance(
        model=completion.model,
        slot=slot.name,
        prompt_version=PROMPT_VERSION,
        prompt_digest=_short_digest(question.prompt),
        completion_digest=_short_digest(completion.text),
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        dollars=completion.dollars,
    )


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
