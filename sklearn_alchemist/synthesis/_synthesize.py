"""Lead the conversation that turns a brief into labeling programs."""

import ast
import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..exceptions import BudgetError, ProgramRejected
from ..llm import LLM, Answers, Budget, Completion, Question, Tally, Usage
from ..llm import ask as ask_llm
from ..programs import LabelingProgram, Provenance
from ._gate import Rejection, find_problem, made_up_records
from ._knowledge import read_documents, retrieve
from ._parsing import extract_source
from ._plan import Slot, plan, plan_rules
from ._prompts import (
    KNOWN,
    RULE_FOCUSES,
    Brief,
    list_classes,
    write_knowledge_messages,
    write_messages,
    write_repair,
    write_rules_messages,
)
from ._rules import RESPONSE_FORMAT, render_rules


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How programs are to be got.

    Parameters
    ----------
    n_programs : int
        Number of programs to ask for.

    style : {"python", "rules"}, default="python"
        Whether the model writes programs or fills in a schema.

    prior_knowledge : tuple of str, default=()
        Kinds of prior knowledge to ask for first.

    documents : tuple of str, default=()
        Texts from which that is answered.

    embedder : object or None, default=None
        Finds passages of the documents.

    max_repairs : int, default=0
        Most calls that mend programs.

    timeout : float, default=1.0
        Seconds that a program may take for one record.

    taken : frozenset of str, default=frozenset()
        Names of programs that exist already.
    """

    n_programs: int
    style: str = "python"
    prior_knowledge: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    embedder: Any = None
    max_repairs: int = 0
    timeout: float = 1.0
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer.

    Parameters
    ----------
    question : Question
        What was asked.

    completion : Completion
        What was answered.

    name : str
        Name of the program, or the kind of prior knowledge.

    repair : bool, default=False
        Whether the question asks to mend a program.
    """

    question: Question
    completion: Completion
    name: str
    repair: bool = False


@dataclass
class Synthesis:
    """Programs read from answers.

    Parameters
    ----------
    programs : list of LabelingProgram
        In the order of the plan.

    rejected : list of Rejection
        Answers that hold no program.

    exchanges : list of Exchange
        All that was said.

    paid, cached : Tally
        What it cost.

    shortfall : BudgetError or None
        Why some of the plan was not asked.
    """

    programs: list[LabelingProgram] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    paid: Tally = field(default_factory=Tally)
    cached: Tally = field(default_factory=Tally)
    shortfall: BudgetError | None = None

    def usage(self, kept: Collection[str]) -> Usage:
        """Split what it cost.

        Parameters
        ----------
        kept : collection of str
            Names of the programs that are used.

        Returns
        -------
        usage : Usage
            Paid, from the store, for repairs, and wasted.
        """
        last = {e.name: i for i, e in enumerate(self.exchanges)}
        written = {r.name for r in self.rejected} | {p.name for p in self.programs}
        return Usage(
            paid=self.paid,
            cached=self.cached,
            repaired=Tally.of(e.completion for e in self.exchanges if e.repair),
            wasted=Tally.of(
                e.completion
                for i, e in enumerate(self.exchanges)
                if e.name in written and (e.name not in kept or last[e.name] != i)
            ),
        )


def plan_slots(brief: Brief, recipe: Recipe) -> list[Slot]:
    """Plan the programs of a recipe.

    Parameters
    ----------
    brief : Brief
        What the programs are to do.

    recipe : Recipe
        How they are to be got.

    Returns
    -------
    slots : list of Slot
        One a program.
    """
    options: dict[str, Any] = {
        "taken": recipe.taken,
        "knowledge": recipe.prior_knowledge,
    }
    if recipe.style == "rules":
        classes = list(brief.classes)
        return plan_rules(recipe.n_programs, classes, RULE_FOCUSES, **options)
    return plan(recipe.n_programs, is_text=brief.is_text, **options)


def questions_for(
    brief: Brief, recipe: Recipe, knowledge: dict[str, str] | None = None
) -> tuple[list[Slot], list[Question]]:
    """Write what is to be asked.

    Parameters
    ----------
    brief : Brief
        What the programs are to do.

    recipe : Recipe
        How they are to be got.

    knowledge : dict of str to str, default=None
        Kind of prior knowledge -> what was answered.

    Returns
    -------
    slots : list of Slot
        The plan.

    questions : list of Question
        One question a slot.
    """
    slots = plan_slots(brief, recipe)
    questions = []
    for slot in slots:
        known = (knowledge or {}).get(slot.knowledge or "", "")
        context = KNOWN.format(knowledge=known) if known else ""
        if recipe.style == "rules":
            messages = write_rules_messages(
                brief, slot.target, slot.strategy, context=context
            )
        else:
            messages = write_messages(brief, slot.strategy, context=context)
        questions.append(Question(messages, slot.sample))
    return slots, questions


def knowledge_questions(brief: Brief, recipe: Recipe) -> list[Question]:
    """Write what asks for prior knowledge.

    Parameters
    ----------
    brief : Brief
        What the programs are to do.

    recipe : Recipe
        How they are to be got.

    Returns
    -------
    questions : list of Question
        One a kind.
    """
    query = f"{brief.task}\n{list_classes(brief)}"
    passages = retrieve(recipe.documents, query, embedder=recipe.embedder)
    documents = ""
    if passages:
        shown = "\n\n".join(passages)
        documents = f"\nAnswer from these passages, where they tell:\n\n{shown}\n"
    kinds = dict.fromkeys(recipe.prior_knowledge)
    return [
        Question(write_knowledge_messages(brief, kind, documents=documents))
        for kind in kinds
    ]


def synthesize(
    llm: LLM,
    brief: Brief,
    recipe: Recipe,
    *,
    prior_llm: LLM | None = None,
    on_answer: Callable[[int], None] | None = None,
) -> Synthesis:
    """Ask for programs, and have those mended that cannot be used.

    What is asked depends on the brief, the recipe and earlier answers, and on no
    record.

    Parameters
    ----------
    llm : LLM
        Writes programs.

    brief : Brief
        What the programs are to do.

    recipe : Recipe
        How they are to be got.

    prior_llm : LLM or None, default=None
        Writes prior knowledge; None is `llm`.

    on_answer : callable, default=None
        Called with a number when an answer is there that was planned; repairs are not.

    Returns
    -------
    synthesis : Synthesis
        What was written, also where the budget ended before the plan.

    Raises
    ------
    LLMError
        If a model cannot be asked.
    """
    done = Synthesis()
    budget = Budget(llm.max_calls, llm.max_cost)
    knowledge: dict[str, str] = {}
    kinds = list(dict.fromkeys(recipe.prior_knowledge))
    if kinds:
        answers = ask_llm(
            prior_llm or llm,
            knowledge_questions(brief, recipe),
            on_answer=on_answer,
            budget=budget if prior_llm in (None, llm) else None,
        )
        asked = knowledge_questions(brief, recipe)
        _note(done, asked, answers, kinds)
        knowledge = {
            kind: answer.text.strip()
            for kind, answer in zip(kinds, answers.completions, strict=True)
        }
    if recipe.style == "rules":
        params = {"response_format": RESPONSE_FORMAT, **(llm.params or {})}
        llm = replace(llm, params=params)
    slots, questions = questions_for(brief, recipe, knowledge)
    # A plan of more calls than the budget has is a mistake, a costly plan is none.
    partial = llm.max_calls is None or len(questions) <= (budget.calls_left or 0)
    answers = ask_llm(
        llm, questions, on_answer=on_answer, budget=budget, partial=partial
    )
    _note(done, questions, answers, [slot.name for slot in slots])
    done.shortfall = answers.shortfall
    outcomes: list[LabelingProgram | Rejection | None] = [None] * len(slots)
    last: list[tuple[Question, Completion] | None] = [None] * len(slots)
    made_up = made_up_records(brief.columns)
    for place, (slot, question, completion) in enumerate(
        zip(slots, questions, answers.completions, strict=True)
    ):
        if completion is not None:
            last[place] = (question, completion)
            outcomes[place] = _read(
                slot, question, completion, brief, recipe, made_up, n_repairs=0
            )
    n_left = recipe.max_repairs
    for n_repairs in (1, 2):
        broken = [i for i, o in enumerate(outcomes) if isinstance(o, Rejection)]
        broken = broken[:n_left]
        if not broken or done.shortfall is not None:
            break
        repairs = []
        for i in broken:
            rejection, exchange = outcomes[i], last[i]
            assert isinstance(rejection, Rejection)
            assert exchange is not None
            asked_before, answer = exchange
            messages = write_repair(
                brief, asked_before.messages, answer.text[:20_000], rejection.reason
            )
            repairs.append(Question(messages, asked_before.sample))
        n_left -= len(broken)
        answers = ask_llm(llm, repairs, budget=budget, partial=True)
        _note(done, repairs, answers, [slots[i].name for i in broken], repair=True)
        for i, question, completion in zip(
            broken, repairs, answers.completions, strict=True
        ):
            if completion is None:
                continue
            last[i] = (question, completion)
            outcomes[i] = _read(
                slots[i],
                question,
                completion,
                brief,
                recipe,
                made_up,
                n_repairs=n_repairs,
            )
        if answers.shortfall is not None:
            break
    done.programs = [o for o in outcomes if isinstance(o, LabelingProgram)]
    done.rejected = [o for o in outcomes if isinstance(o, Rejection)]
    return done


def _note(
    done: Synthesis,
    questions: Sequence[Question],
    answers: Answers,
    names: Sequence[str],
    *,
    repair: bool = False,
) -> None:
    """Keep what was said and what it cost."""
    done.paid += answers.usage.paid
    done.cached += answers.usage.cached
    done.exchanges += [
        Exchange(question, completion, name, repair)
        for question, completion, name in zip(
            questions, answers.completions, names, strict=True
        )
        if completion is not None
    ]


def _read(
    slot: Slot,
    question: Question,
    completion: Completion,
    brief: Brief,
    recipe: Recipe,
    made_up: dict[str, list[Any]],
    *,
    n_repairs: int,
) -> LabelingProgram | Rejection:
    """Read a program from an answer and try it on records that are made up."""
    classes = list(brief.classes)
    provenance = _provenance(slot, question, completion, brief, n_repairs)
    try:
        if recipe.style == "rules":
            (column, *_) = brief.columns
            source = render_rules(completion.text, slot.target, column)
        else:
            source = extract_source(completion.text)
        program = LabelingProgram(slot.name, source, provenance=provenance)
    except (ProgramRejected, ValueError) as error:
        reason = str(error)
        if completion.finish_reason == "length":
            reason += "; the answer was cut off: raise params['max_tokens']"
        if completion.finish_reason == "content_filter":
            reason += "; the provider's filter stopped it: reword the task"
        return Rejection(slot.name, reason, completion.text)
    if answers_with_indices(source, classes):
        program = replace(program, returns="index", class_order=tuple(classes))
    problem = find_problem(program, made_up, classes, timeout=recipe.timeout)
    if problem is not None:
        return Rejection(slot.name, problem, completion.text)
    return program


def answers_with_indices(source: str, classes: Sequence[Any]) -> bool:
    """Tell whether a program answers with numbers of classes instead of their names.

    Parameters
    ----------
    source : str
        Python source.

    classes : sequence
        The classes, in the order in which they were listed.

    Returns
    -------
    indices : bool
        Whether the classes are names, none of them is in the source, and all integers
        that it returns are numbers of classes.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._synthesize import answers_with_indices
    >>> answers_with_indices("def label(x): return 1 if x else -1", ["ham", "spam"])
    True
    """
    if not all(isinstance(name, str) for name in classes):
        return False
    nodes = list(ast.walk(ast.parse(source)))
    texts = {n.value for n in nodes if isinstance(n, ast.Constant)}
    if texts & set(classes):
        return False
    # Of -1 this finds the 1, which is the number of a class as well.
    returned = {
        constant.value
        for node in nodes
        if isinstance(node, ast.Return) and node.value is not None
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant) and type(constant.value) is int
    }
    return bool(returned) and returned <= set(range(len(classes)))


def load_documents(knowledge: Any) -> tuple[str, ...]:
    """Read documents, None being no document.

    Parameters
    ----------
    knowledge : str, Path, sequence of them, or None
        See `read_documents`.

    Returns
    -------
    documents : tuple of str
        Their texts.
    """
    return () if knowledge is None else tuple(read_documents(knowledge))


def _provenance(
    slot: Slot,
    question: Question,
    completion: Completion,
    brief: Brief,
    n_repairs: int,
) -> Provenance:
    return Provenance(
        model=completion.model,
        slot=slot.name,
        prompt_version=brief.prompts.version,
        prompt_digest=_short_digest(question.prompt),
        completion_digest=_short_digest(completion.text),
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
        dollars=completion.dollars,
        repairs=n_repairs,
    )


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
