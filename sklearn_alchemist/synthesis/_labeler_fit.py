"""Fit a labeler: have programs written, try them, choose among them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.callback import CallbackContext

from .. import programs as _programs
from .. import synthesis as _synthesis
from .._utils import LabelsLike, warn
from ..data import Classes, Records, check_records
from ..exceptions import ProgramRejected, ProgramWarning, SynthesisError
from ..llm import Completion, Question, Usage, as_authors, as_llm
from ..programs import LabelingProgram
from ..votes import ABSTAIN
from ._labeler_requests import LabelerRequestsMixin
from ._schema_change import ProgramRequest

if TYPE_CHECKING:
    from ..programs import RunResult
    from ._synthesis_result import Synthesis
    from ._trial import Rejection

_logger = logging.getLogger("sklearn_alchemist.synthesis")

# On fewer records, that a class gets no vote says little.
_MIN_TO_JUDGE = 50
# Steps of the progress bar while programs run.
N_STEPS = 100


class LabelerFitMixin(LabelerRequestsMixin):
    """How a labeler gets its programs, and runs them."""

    programs_: list[LabelingProgram]
    rejected_: "list[Rejection]"
    conversation_: list[tuple[Question, Completion]]
    usage_: Usage
    usage_by_llm_: dict[str, Usage]

    def _fit(self, X: Any, y: LabelsLike | None, context: CallbackContext) -> Records:
        """Do the work of `fit`; return the validated records."""
        records = check_records(self, X, reset=True)
        now, change = self._resolve_classes(records, y)
        self.classes_ = now.names
        # What can fail without the model fails before the model is asked.
        _programs.prove_sandbox(self.sandbox)
        given = self._load(records, now, change)
        order = list((now if change is None else change.before).described)
        given = [self._settle_returns(one, order, records) for one in given]
        given, unfit, results = self._try(given, records, keep_failing=True)
        for rejection in unfit:
            raise ProgramRejected(rejection.reason)
        unread = _synthesis.unread_message(given, [*records.columns])
        if unread:
            warn(unread, ProgramWarning)
        self._warn_of_slowness(given, records)
        requests = self._requests(records, now, change, given)
        if not given and not requests:
            raise ValueError(
                "there is nothing to fit: give an llm to write programs, or programs."
            )
        self.rejected_ = []
        self.conversation_ = []
        self.usage_ = Usage()
        self.usage_by_llm_ = {}
        written: list[LabelingProgram] = []
        synthesis = None
        if requests:
            synthesis = self._ask(requests, self._shown(records), context)
            self.rejected_ = synthesis.rejected
            deleted = set(self._deleted().values())
            anew, refused = _synthesis.drop_deleted(synthesis.programs, deleted)
            self.rejected_ += refused
            written, unfit, more = self._try(anew, records)
            self.rejected_ += unfit
            results |= more
        programs = given + written
        if not programs:
            raise SynthesisError(_synthesis.nothing_usable_message(self.rejected_))
        unusable = list(self.rejected_)
        labels = None
        if self.learn_from_labels and y is not None:
            labels = Classes.of_names(self.classes_).encode(y)
        selection = _synthesis.select_programs(
            programs,
            records,
            self.classes_.tolist(),
            self._run,
            n_given=len(given),
            labels=labels,
            gate=self.gate,
        )
        self.programs_, votes = selection.programs, selection.votes
        self.rejected_ += selection.dropped
        self._about = _synthesis.describe_votes(
            self.programs_, votes, len(self.classes_)
        )
        names = {program.name for program in self.programs_}
        if synthesis is not None:
            self.usage_ = synthesis.split_usage(names)
            self.usage_by_llm_ = synthesis.split_by_author(names)
        n_lost = len(self.rejected_)
        _logger.info("%d programs kept, %d not used", len(names), n_lost)
        if unusable:
            losses = _synthesis.rejected_message(unusable, len(names))
            warn(losses, ProgramWarning)
        # The same source once more is no loss that anybody could do anything about.
        sources = {program.source for program in self.programs_}
        dropped = [
            r for r in self.rejected_[len(unusable) :] if r.answer not in sources
        ]
        if dropped:
            warn(_synthesis.dropped_message(dropped, len(names)), ProgramWarning)
        self._warn_of_silence(results, votes, records)
        return records

    def _warn_of_silence(
        self, results: "dict[str, RunResult]", votes: np.ndarray, records: Records
    ) -> None:
        """Warn of programs that never vote, and of classes without any vote."""
        n_tried, classes = len(votes), self.classes_.tolist()
        results = {program.name: results[program.name] for program in self.programs_}
        silent = [
            program
            for program in self.programs_
            if (results[program.name].votes == ABSTAIN).all()
        ]
        if silent:
            tried = records.sample(_synthesis.N_TRIED)
            warn(
                _synthesis.silent_message(silent, results, tried, classes),
                ProgramWarning,
            )
        several = votes.shape[1] > 1 and (votes != ABSTAIN).any()
        if several and n_tried >= _MIN_TO_JUDGE:
            lacking = _synthesis.classes_without_votes(votes, len(self.classes_))
            if lacking:
                named = self.classes_[lacking].tolist()
                unheard = _synthesis.missing_classes_message(
                    named, results, n_tried, classes
                )
                warn(unheard, ProgramWarning)

    def _warn_of_slowness(self, given: list[LabelingProgram], records: Records) -> None:
        """Try programs that somebody gave on long texts, where they can be ended."""
        if self.sandbox is None or not given:
            return
        read = {name for program in given for name in program.parameters}
        is_single = len(records.columns) == 1
        columns = {
            name: column
            for name, column in records.columns.items()
            if name in read or is_single
        }
        slow = _synthesis.slow_message(
            given,
            columns,
            self.classes_.tolist(),
            timeout=self.timeout,
            sandbox=self.sandbox,
        )
        if slow:
            warn(slow, ProgramWarning)

    def _ask(
        self,
        requests: "list[ProgramRequest]",
        shown: Mapping[str, Sequence[Any]] | None,
        context: CallbackContext | None,
    ) -> "Synthesis":
        """Get programs from the language model; keep what was said."""
        authors, prior_llm = as_authors(self.llm), as_llm(self.prior_llm)
        on_answer = None
        if context is not None:
            configs = [request.config for request in requests]
            n_answers = sum(r.n_programs + len(r.kinds) for r in configs)
            task = context.subcontext("ask for programs", max_subtasks=n_answers)
            task.call_on_fit_task_begin(estimator=self)
            on_answer = _report_answers(task, self)
        ledger = _synthesis.open_ledger(authors)
        synthesis = _synthesis.Synthesis()
        try:
            for request in requests:
                done = _synthesis.synthesize(
                    authors,
                    request.spec,
                    request.config,
                    prior_llm=prior_llm,
                    shown=shown,
                    on_answer=on_answer,
                    ledger=ledger,
                )
                synthesis = synthesis.followed_by(request.sign(done))
        finally:  # what was paid is seen, however it ends
            self.conversation_, self.usage_ = ledger.conversation, ledger.usage
            self.usage_by_llm_ = ledger.usage_by_model
        if context is not None:
            task.call_on_fit_task_end(estimator=self)
        written = {program.name for program in synthesis.programs}
        self.usage_ = synthesis.split_usage(written)
        self.usage_by_llm_ = synthesis.split_by_author(written)
        if synthesis.shortfall is not None:
            if not synthesis.programs:
                raise synthesis.shortfall
            n_asked = sum(request.config.n_programs for request in requests)
            warn(
                f"{len(synthesis.programs)} of {n_asked} programs are there: "
                f"{synthesis.shortfall}",
                ProgramWarning,
            )
        return synthesis

    def _try(
        self,
        programs: list[LabelingProgram],
        records: Records,
        *,
        keep_failing: bool = False,
    ) -> "tuple[list[LabelingProgram], list[Rejection], dict[str, RunResult]]":
        """Sort programs into usable and unfit, by how they do on a few records."""
        return _synthesis.try_programs(
            programs,
            records.sample(_synthesis.N_TRIED),
            self.classes_.tolist(),
            timeout=self.timeout,
            keep_failing=keep_failing,
            sandbox=self.sandbox,
        )

    def _vote(
        self,
        records: Records,
        on_rows: Callable[[int], None] | None = None,
        *,
        keep_scores: bool = False,
    ) -> "RunResult":
        """Run all programs on validated records; warn of what failed."""
        result = _programs.run_programs(
            self.programs_,
            records.columns,
            self.classes_.tolist(),
            timeout=self.timeout,
            budget=self.budget,
            n_jobs=self.n_jobs,
            on_rows=on_rows,
            sandbox=self.sandbox,
            keep_scores=keep_scores,
        )
        if any(result.failures):
            warning = ProgramWarning(_synthesis.failed_message(self.programs_, result))
            warning.failures = {
                program.name: failures
                for program, failures in zip(
                    self.programs_, result.failures, strict=True
                )
                if failures
            }
            warn(warning)
        return result


def _report_answers(task: CallbackContext, labeler: Any) -> Callable[[int], None]:
    """Turn answers into steps of a progress bar."""

    def on_answer(_: int) -> None:
        answer = task.subcontext("answer").call_on_fit_task_begin(estimator=labeler)
        answer.call_on_fit_task_end(estimator=labeler)

    return on_answer


def report_rows(
    task: CallbackContext, labeler: Any, n_rows: int
) -> Callable[[int], None]:
    """Turn numbers of finished records into steps of a progress bar."""
    finished = steps = 0

    def on_rows(n_finished: int) -> None:
        nonlocal finished, steps
        finished += n_finished
        while steps < N_STEPS * finished // n_rows:
            step = task.subcontext("records").call_on_fit_task_begin(estimator=labeler)
            step.call_on_fit_task_end(estimator=labeler)
            steps += 1

    return on_rows
