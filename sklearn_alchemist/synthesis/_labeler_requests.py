"""Say what a labeler asks a language model for, before anything is asked."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import programs as _programs
from .. import synthesis as _synthesis
from .._utils import LabelsLike
from ..data import Classes, ClassMapping, Records
from ..exceptions import ProgramRejected
from ..llm import LLM, as_authors, as_llm
from ..programs import LabelingProgram
from ..votes import ABSTAIN
from ._schema_change import (
    ProgramRequest,
    check_change,
    check_class_order,
    check_new_classes,
    count_missing_programs,
    remap_program,
    request_for_new_classes,
)

if TYPE_CHECKING:
    from ..programs import RunResult
    from ._cost_estimate import CostEstimate
    from ._prompts import Prompts
    from ._synthesis_config import SynthesisConfig
    from ._task_spec import TaskSpec

# Enough to find typical ones and those that programs leave open.
_N_SHOWN_FROM = 500


class LabelerRequestsMixin:
    """What a labeler has to ask for: classes, programs that there are, and requests."""

    # What the labeler was given and has learned.
    llm: str | LLM | Sequence[str | LLM] | None
    prior_llm: str | LLM | None
    task: str | None
    classes: Any
    n_programs: int
    n_scoring: int
    class_groups: bool | str
    programs: Any
    class_mapping: Mapping[Any, Any] | None
    program_style: str
    prior_knowledge: Any
    knowledge: Any
    embedder: Any
    max_repairs: int
    show_data: bool
    learn_from_labels: bool
    gate: bool
    prompts: "Prompts | None"
    timeout: float
    budget: float | None
    n_jobs: int | None
    sandbox: str | None
    classes_: np.ndarray

    def _estimate(
        self, requests: "list[ProgramRequest]", records: Records | None
    ) -> "CostEstimate":
        """Add up what requests would cost."""
        authors, estimate = as_authors(self.llm), _synthesis.CostEstimate()
        for request in requests:
            assert records is not None
            one = _synthesis.estimate_cost(
                authors,
                request.spec,
                request.config,
                prior_llm=as_llm(self.prior_llm),
                shown=self._shown(records),
            )
            estimate += replace(one, plan=(request.aim,) if request.aim else ())
        return estimate

    def _resolve_classes(
        self, records: Records, y: LabelsLike | None
    ) -> tuple[Classes, ClassMapping | None]:
        """Say what the classes are now, and what became of those that are listed."""
        options: dict[str, Any] = {
            "n_samples": records.n_rows,
            "estimator": self,
            "partly": self.learn_from_labels,
        }
        if self.class_mapping is None:
            return Classes.resolve(self.classes, y, **options), None
        named = None if self.classes is not None else y
        listed = Classes.resolve(self.classes, named, **options)
        change = ClassMapping.read(self.class_mapping, listed, is_fitted=False)
        if y is not None:
            if message := change.explain_labels(y):
                raise ValueError(message)
            change.after.encode(y, n_samples=records.n_rows)
        return change.after, change

    def _load(
        self, records: Records, now: Classes, change: ClassMapping | None
    ) -> list[LabelingProgram]:
        """Take the programs that there are, as they are read now."""
        order = list((now if change is None else change.before).described)
        given = _programs.load_programs(self.programs, order, **self._offers(records))
        if change is None:
            return given
        asks = self.llm is not None
        check_class_order(given, change)
        check_change(change, given, asks=asks)
        check_new_classes(change, count_missing_programs(change, given), asks=asks)
        return [remap_program(program, change) for program in given]

    def _requests(
        self,
        records: Records,
        now: Classes,
        change: ClassMapping | None,
        given: list[LabelingProgram],
    ) -> "list[ProgramRequest]":
        """Say what a model is to be asked for; raise what must not cost money."""
        if self.llm is None:
            return []
        requests = []
        # Who breaks a file wants it mended, and not another one to be paid.
        if self.n_programs > len(given) + len(self._broken()):
            asked = now if change is None else change.before
            spec, config = self._spec_and_config(records, asked.described, given)
            is_older = change is not None and not change.is_ahead
            requests.append(
                ProgramRequest(spec, config, change=change if is_older else None)
            )
        if change is not None:
            missing = count_missing_programs(change, given)
            spec, config = self._spec_and_config(records, now.described, given)
            requests += request_for_new_classes(change, missing, spec, config)
        return requests

    def _settle_returns(
        self, program: LabelingProgram, order: list[Any], records: Records
    ) -> LabelingProgram:
        """Take integers for places of classes where a program only gives these."""
        if not _programs.hides_its_answers(program, order):
            return program
        indexed = replace(program, returns="index", class_order=tuple(order))
        try:
            sample = records.sample(_synthesis.N_TRIED)
            as_classes, as_places = (
                (self._run([one], sample).votes != ABSTAIN).any()
                for one in (program, indexed)
            )
        except ProgramRejected:  # is told by the trial
            return program
        if as_classes or not as_places:
            return program
        return _programs.take_numbers(program, order)

    def _offers(self, records: Records) -> dict[str, Any]:
        """Say what functions are offered: columns, and where they run."""
        parameters = list(records.columns)
        names = getattr(self, "feature_names_in_", parameters)
        columns = dict(zip(parameters, map(str, names), strict=True))
        return {"columns": columns, "sandbox": self.sandbox}

    def _broken(self) -> list[str]:
        """Programs of the folder whose files somebody has to mend."""
        if isinstance(self.programs, str | os.PathLike):
            return _programs.broken_programs(self.programs)
        return []

    def _deleted(self) -> dict[str, str]:
        """Programs that somebody deleted from the folder, and that stay deleted."""
        if isinstance(self.programs, str | os.PathLike):
            return _programs.deleted_programs(self.programs)
        return {}

    def _spec_and_config(
        self,
        records: Records,
        described: Mapping[Any, str | None],
        given: list[LabelingProgram],
    ) -> "tuple[TaskSpec, SynthesisConfig]":
        """Say what the model is to do for us; raise what must not cost money."""
        spec = _synthesis.describe_task(
            records,
            described,
            task=self.task,
            names=getattr(self, "feature_names_in_", None),
            show_data=self.show_data,
            prompts=self.prompts,
        )
        config = _synthesis.make_config(
            has_texts=bool(spec.text_columns),
            n_programs=self.n_programs - len(given) - len(self._broken()),
            style=self.program_style,
            prior_knowledge=self.prior_knowledge,
            knowledge=self.knowledge,
            embedder=self.embedder,
            max_repairs=self.max_repairs,
            timeout=self.timeout,
            taken=frozenset(program.name for program in given)
            | self._deleted().keys()
            | {*self._broken()},
            given=given,
            sandbox=self.sandbox,
            longest=_synthesis.longest_text(records.columns),
            n_scoring=self.n_scoring,
            class_groups=self.class_groups,
        )
        return spec, config

    def _shown(self, records: Records) -> Mapping[str, Sequence[Any]] | None:
        """Take the records of which some may be shown to the model."""
        return records.sample(_N_SHOWN_FROM) if self.show_data else None

    def _run(
        self,
        programs: list[LabelingProgram],
        columns: Mapping[str, Sequence[Any]],
        **options: Any,
    ) -> "RunResult":
        """Let programs vote on some records."""
        return _programs.run_programs(
            programs,
            columns,
            self.classes_.tolist(),
            timeout=self.timeout,
            n_jobs=self.n_jobs,
            sandbox=self.sandbox,
            **options,
        )
