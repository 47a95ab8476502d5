"""Say how programs are to be got, and what that asks of a language model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..llm import LLM
from ..programs import LabelingProgram
from ._knowledge import read_documents
from ._programs_from_rules import RESPONSE_FORMAT
from ._prompts import (
    KNOWLEDGE_REQUESTS,
)


@dataclass(frozen=True, kw_only=True)
class SynthesisConfig:
    """How programs are to be got.

    Parameters
    ----------
    n_programs : int
        Number of programs to ask for.

    style : {"python", "rules"}, default="python"
        Whether the model writes programs or fills in a schema.

    prior_knowledge : tuple of str, default=()
        Kinds of prior knowledge to ask for first; the programs take them in turn.

    documents : tuple of str, default=()
        Texts from which that is answered.

    embedder : object or None, default=None
        Finds passages of the documents.

    max_repairs : int, default=0
        Most calls that mend programs.

    timeout : float, default=1.0
        Seconds that a program may take for one record.

    taken : frozenset of str, default=frozenset()
        Names of programs that exist already, or that somebody deleted.

    given : tuple of LabelingProgram, default=()
        Programs that exist already; what is asked aims at classes that they never
        answer.

    sandbox : {"auto", "strict"}, default="auto"
        Where programs are tried, see `run_programs`.

    longest : int, default=0
        Characters of the longest text that programs are tried on, see
        `stretched_records`.

    n_scoring : int, default=0
        How many of the programs give scores.

    class_groups : bool or "auto", default="auto"
        Whether every second program looks after a group of classes; "auto" from
        twelve classes on.
    """

    n_programs: int
    style: str = "python"
    prior_knowledge: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    embedder: Any = None
    max_repairs: int = 0
    timeout: float = 1.0
    taken: frozenset[str] = frozenset()
    given: tuple[LabelingProgram, ...] = ()
    sandbox: str = "auto"
    longest: int = 0
    n_scoring: int = 0
    class_groups: bool | str = "auto"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of prior knowledge, each once."""
        return tuple(dict.fromkeys(self.prior_knowledge))


def knowledge_kinds(prior_knowledge: Any, *, documents: bool) -> tuple[str, ...]:
    """Say which prior knowledge a user asks for.

    Parameters
    ----------
    prior_knowledge : str, sequence of str or None
        What the user gave.

    documents : bool
        Whether there are documents to answer from; without a kind, rules are asked
        for then.

    Returns
    -------
    kinds : tuple of str
        Kinds of prior knowledge.

    Raises
    ------
    ValueError
        If one of them is none.
    """
    if prior_knowledge is None:
        return ("rules",) if documents else ()
    kinds = [prior_knowledge] if isinstance(prior_knowledge, str) else prior_knowledge
    if unknown := [kind for kind in kinds if kind not in KNOWLEDGE_REQUESTS]:
        raise ValueError(
            f"prior_knowledge holds {unknown}; it may hold "
            f"{sorted(KNOWLEDGE_REQUESTS)}."
        )
    return tuple(kinds)


def with_schema(llm: LLM, config: SynthesisConfig) -> LLM:
    """Set what a config needs of a model: that answers keep to the schema of rules.

    Parameters
    ----------
    llm : LLM
        The model.

    config : SynthesisConfig
        How programs are to be got.

    Returns
    -------
    llm : LLM
        The model that is asked.
    """
    if config.style != "rules":
        return llm
    return llm.having(params={"response_format": RESPONSE_FORMAT, **(llm.params or {})})


def make_config(
    *,
    has_texts: bool,
    n_programs: int,
    style: str,
    prior_knowledge: Any,
    knowledge: Any,
    embedder: Any,
    max_repairs: int,
    timeout: float,
    taken: frozenset[str],
    sandbox: str | None,
    given: Sequence[LabelingProgram] = (),
    longest: int,
    n_scoring: int = 0,
    class_groups: bool | str = "auto",
) -> SynthesisConfig:
    """Say how programs are to be got; raise what must not cost money.

    Parameters
    ----------
    has_texts : bool
        Whether records are texts, or some column holds texts.

    n_programs : int
        Number of programs to ask for.

    style : {"python", "rules"}
        What the model writes.

    prior_knowledge : str, sequence of str or None
        Kinds of prior knowledge.

    knowledge : str, Path, sequence of them, or None
        Documents that it is answered from.

    embedder : object or None
        Finds passages of the documents.

    max_repairs : int
        Most calls that mend programs.

    timeout : float
        Seconds that a program may take for one record.

    taken : frozenset of str
        Names of programs that exist already, or that somebody deleted.

    sandbox : {"auto", "strict"} or None
        Where programs run. What a model has just written is tried in a process of its
        own even where the user runs programs without.

    given : sequence of LabelingProgram, default=()
        Programs that exist already.

    longest : int
        Characters of the longest text that programs are tried on.

    n_scoring : int, default=0
        How many of the programs give scores.

    class_groups : bool or "auto", default="auto"
        Whether every second program looks after a group of classes.

    Returns
    -------
    config : SynthesisConfig
        How programs are to be got.

    Raises
    ------
    ValueError, TypeError
        If a kind or a document is none, or rules are to look at a table.
    """
    kinds = knowledge_kinds(prior_knowledge, documents=knowledge is not None)
    if style == "rules" and not has_texts:
        raise ValueError(
            "program_style='rules' looks for phrases, so it needs texts, and no column "
            "of the table is str: use 'python'."
        )
    return SynthesisConfig(
        n_programs=n_programs,
        style=style,
        prior_knowledge=kinds,
        documents=tuple(read_documents(knowledge)),
        embedder=embedder,
        max_repairs=max_repairs,
        timeout=timeout,
        taken=taken,
        sandbox=sandbox or "auto",
        given=tuple(given),
        longest=longest,
        n_scoring=n_scoring,
        class_groups=class_groups,
    )
