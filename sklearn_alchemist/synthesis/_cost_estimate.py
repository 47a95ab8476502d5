"""Tell what a synthesis is going to cost, before it costs anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..exceptions import OfflineError
from ..llm import LLM, Completion, Question, count_tokens, find_stored, prices_of
from ._earlier_programs import classes_never_answered, write_aim
from ._knowledge import knowledge_questions, read_knowledge
from ._plan import plan_programs
from ._prompts import write_question
from ._shown_records import TYPICAL, show_rows, typical_rows
from ._synthesis_config import SynthesisConfig, with_schema
from ._synthesize import synthesize
from ._task_spec import TaskSpec

# What recorded answers had, on average and rounded up.
_LIKELY_TOKENS = {"python": 2500, "rules": 900, "knowledge": 700}
# Cues of other programs, or records, that a later question holds.
_LATER_TOKENS = 1500


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a fit is going to ask for.

    Parameters
    ----------
    calls : int, default=0
        Questions of the plan whose answers are not stored.

    stored : int, default=0
        Questions of the plan whose answers cost nothing, since they are stored.

    repairs : int, default=0
        Most calls that mend programs, on top of these.

    prompt_tokens, completion_tokens : int, default=0
        Likely tokens of the calls of the plan.

    dollars : float or None, default=0.0
        Likely cost of the plan; None where a price is unknown.

    max_dollars : float or None, default=0.0
        Cost if every repair is needed and every answer is as long as it may be; None
        where a price or ``params["max_tokens"]`` is unknown.

    plan : tuple of str, default=()
        What is asked for beside programs for all classes, where classes changed.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis import CostEstimate
    >>> print(CostEstimate(9, 1, 3, 9000, 20000, 0.0134, 0.0357))
    9 calls and at most 3 repairs (1 answer is stored): likely 29,000 tokens, $0.0134; \
at most $0.0357
    """

    calls: int = 0
    stored: int = 0
    repairs: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float | None = 0.0
    max_dollars: float | None = 0.0
    plan: tuple[str, ...] = ()

    def __add__(self, other: "CostEstimate") -> "CostEstimate":
        return CostEstimate(
            self.calls + other.calls,
            self.stored + other.stored,
            self.repairs + other.repairs,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            _sum([self.dollars, other.dollars]),
            _sum([self.max_dollars, other.max_dollars]),
            self.plan + other.plan,
        )

    def __str__(self) -> str:
        kept = "1 answer is" if self.stored == 1 else f"{self.stored} answers are"
        likely = "cost unknown" if self.dollars is None else f"${self.dollars:.4f}"
        most = (
            "cost unknown" if self.max_dollars is None else f"${self.max_dollars:.4f}"
        )
        return (
            f"{self.calls} calls and at most {self.repairs} repairs ({kept} stored): "
            f"likely {self.prompt_tokens + self.completion_tokens:,} tokens, {likely}; "
            f"at most {most}" + "".join(f"; {aim}" for aim in self.plan)
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """One call that is going to be made."""

    llm: LLM
    prompt_tokens: int
    likely_tokens: int

    def dollars(self, completion_tokens: int | None) -> float | None:
        prices = self.llm.known_prices or prices_of(self.llm.model, self.prompt_tokens)
        if prices is None or completion_tokens is None:
            return None
        return prices.cost(self.prompt_tokens, completion_tokens)


def estimate_cost(
    llm: LLM | Sequence[LLM],
    spec: TaskSpec,
    config: SynthesisConfig,
    *,
    prior_llm: LLM | None = None,
    shown: Mapping[str, Sequence[Any]] | None = None,
) -> CostEstimate:
    """Count what `synthesize` would ask for; nothing is sent.

    Parameters
    ----------
    llm : LLM or sequence of LLM
        Writes programs; several take turns.

    spec : TaskSpec
        What the programs are to do.

    config : SynthesisConfig
        How they are to be got.

    prior_llm : LLM or None, default=None
        Writes prior knowledge; None is `llm`, the first one.

    shown : dict of str to sequence, default=None
        Records of which some may be shown to the model.

    Returns
    -------
    estimate : CostEstimate
        What is known before the first answer: later questions are guessed from the
        first ones.
    """
    authors = (llm,) if isinstance(llm, LLM) else tuple(llm)
    prior_llm = prior_llm or authors[0]
    try:  # all of it may be stored, repairs included
        # What is stored costs nothing, whatever the caps are.
        closed = {"offline": True, "max_calls": None, "max_cost": None}
        replayed = synthesize(
            [author.having(**closed) for author in authors],
            spec,
            config,
            prior_llm=prior_llm.having(**closed),
            shown=shown,
        )
    except OfflineError:
        pass
    else:
        return CostEstimate(stored=len(replayed.exchanges))
    questions = knowledge_questions(spec, config)
    answers = find_stored(prior_llm, questions)
    calls = _calls(prior_llm, questions, answers, _LIKELY_TOKENS["knowledge"])
    known = dict(zip(config.kinds, answers, strict=True))
    n_stored = len(questions) - len(calls)
    context = ""
    if shown is not None:
        context = show_rows(shown, typical_rows(shown), TYPICAL)
    if config.style != "rules":
        classes = list(spec.classes)
        context += write_aim(classes_never_answered(config.given, classes))
    for planned in plan_programs(spec, config):
        llm = with_schema(authors[planned.place % len(authors)], config)
        knowledge = known.get(planned.knowledge or "")
        question = write_question(
            planned,
            spec,
            config,
            known=read_knowledge(knowledge),
            context=context,
        )
        certain = not planned.follows and (
            planned.knowledge is None or knowledge is not None
        )
        found = find_stored(llm, [question]) if certain else [None]
        later = 0 if certain else _LATER_TOKENS
        call = _calls(llm, [question], found, _LIKELY_TOKENS[config.style], later)
        calls += call
        n_stored += 1 - len(call)
    return _add_up(
        calls, [with_schema(a, config) for a in authors], n_stored, config.max_repairs
    )


def estimate_questions(
    llm: LLM, questions: Sequence[Question], likely_tokens: int
) -> CostEstimate:
    """Count what asking questions that are known takes; nothing is sent.

    Parameters
    ----------
    llm : LLM
        Who is going to be asked.

    questions : sequence of Question
        What is going to be asked.

    likely_tokens : int
        What an answer is likely to have.

    Returns
    -------
    estimate : CostEstimate
        Without repairs; stored answers cost nothing.
    """
    calls = _calls(llm, questions, find_stored(llm, questions), likely_tokens)
    return _add_up(calls, [llm], len(questions) - len(calls), 0)


def _calls(
    llm: LLM,
    questions: Sequence[Question],
    answers: Sequence[Completion | None],
    likely_tokens: int,
    more_tokens: int = 0,
) -> list[_Call]:
    """Describe the calls for what has no answer."""
    limit = llm.max_tokens or likely_tokens
    return [
        _Call(
            llm,
            count_tokens(question.messages, llm.model) + more_tokens,
            min(likely_tokens, limit),
        )
        for question, answer in zip(questions, answers, strict=True)
        if answer is None
    ]


def _add_up(
    calls: list[_Call], authors: Sequence[LLM], n_stored: int, max_repairs: int
) -> CostEstimate:
    # A repair repeats the question and the answer; whose it is, nobody knows yet.
    longest = max((call.prompt_tokens for call in calls), default=0)
    repairs = [
        _Call(llm, longest + (llm.max_tokens or 0) + 100, 0).dollars(llm.max_tokens)
        for llm in authors
    ]
    dearest = None if None in repairs else max(d for d in repairs if d is not None)
    worst = [call.dollars(call.llm.max_tokens) for call in calls]
    worst += [dearest] * max_repairs
    likely = [call.dollars(call.likely_tokens) for call in calls]
    return CostEstimate(
        calls=len(calls),
        stored=n_stored,
        repairs=max_repairs,
        prompt_tokens=sum(call.prompt_tokens for call in calls),
        completion_tokens=sum(call.likely_tokens for call in calls),
        dollars=_sum(likely),
        max_dollars=_sum(worst),
    )


def _sum(dollars: Sequence[float | None]) -> float | None:
    return None if None in dollars else sum(d for d in dollars if d is not None)
