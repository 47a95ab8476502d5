"""Tell what a labeler costs, and let it follow a change of the classes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .. import synthesis as _synthesis
from .._utils import LabelsLike, warn
from ..data import Classes, ClassMapping, Records, check_records
from ..exceptions import ProgramWarning, SynthesisError
from ..programs import LabelingProgram
from ._labeler_fit import LabelerFitMixin
from ._schema_change import (
    N_PER_NEW_CLASS,
    ProgramRequest,
    check_change,
    check_new_classes,
    count_missing_programs,
    remap_program,
    request_for_new_classes,
)

if TYPE_CHECKING:
    from ._cost_estimate import CostEstimate


class LabelerRemapMixin(LabelerFitMixin):
    """What a labeler does when its classes change."""

    n_features_in_: int
    get_params: Callable[..., dict[str, Any]]
    set_params: Callable[..., Self]

    def estimate_cost(
        self,
        X: Any = None,
        y: LabelsLike | None = None,
        *,
        mapping: Mapping[Any, Any] | None = None,
    ) -> "CostEstimate":
        """Tell what `fit` would ask for and cost; nothing is sent.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features), \
                default=None
            Texts, or a table. None stands for any texts.

        y : array-like of shape (n_samples,), default=None
            Labels, used as in `fit`.

        mapping : dict, default=None
            If given, what `remap` would ask for with it is told instead.

        Returns
        -------
        estimate : CostEstimate
            Calls, tokens and dollars. What depends on answers that are not there yet
            is guessed; unknown prices stay unknown.
        """
        if mapping is not None:
            return self._estimate(*self._plan_remap(mapping, X, N_PER_NEW_CLASS)[2:])
        labeler = clone(self)
        labeler._validate_params()
        records = check_records(labeler, [""] if X is None else X, reset=True)
        now, change = labeler._resolve_classes(records, y)
        given = labeler._load(records, now, change)
        return labeler._estimate(
            labeler._requests(records, now, change, given), records
        )

    def remap(
        self,
        mapping: Mapping[Any, Any],
        X: Any = None,
        *,
        n_programs: int = N_PER_NEW_CLASS,
    ) -> Self:
        """Follow a change of the classes, without writing programs again.

        Renamed, merged and removed classes cost nothing. A class that is divided or
        added asks the model only for programs that tell its parts apart or find it;
        ``estimate_cost(mapping=...)`` tells before what that costs.

        Parameters
        ----------
        mapping : dict
            Class -> its new name, another class with which it is merged, a list of
            classes between which it is divided (or a dict of these to descriptions), or
            None if there is no such class any more. The key None lists added classes.
            Classes that are not mentioned stay.

        X : array-like of shape (n_samples,) of str, or (n_samples, n_features), \
                default=None
            Records to try new programs on. Needed where a class of a table is divided
            or added.

        n_programs : int, default=3
            Programs to ask for, for each class that is divided or added.

        Returns
        -------
        labeler : ProgramSynthesisLabeler
            A new one, fitted: its `programs` are those of this one, read otherwise, so
            that clones of it ask for nothing. This one stays as it is.

        Raises
        ------
        ValueError, TypeError
            If `mapping` names no class, goes round in a circle, leaves fewer than two
            classes or no program, or needs a model or records that are not there.

        LLMError, SynthesisError
            If the model cannot be asked, or writes nothing usable.

        Examples
        --------
        >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
        >>> source = "def label(text): return 'ad' if 'buy' in text else 'talk'"
        >>> labeler = ProgramSynthesisLabeler(
        ...     classes=["ad", "talk"], programs=[LabelingProgram("buy", source)]
        ... ).fit(["buy it", "well", "yes"])
        >>> renamed = labeler.remap({"ad": "unwanted"})
        >>> renamed.classes_, renamed.transform(["buy now"])
        (array(['talk', 'unwanted'], dtype='<U8'), array([[1]], dtype=int8))
        """
        change, older, requests, records = self._plan_remap(mapping, X, n_programs)
        remapped = type(self)(**self.get_params(deep=False))
        own = remapped.get_params(deep=False)
        for name, value in vars(self).items():
            if name not in own:
                setattr(remapped, name, value)
        described = dict(change.after.described)
        plain = all(text is None for text in described.values())
        remapped.classes_ = change.after.names
        remapped.rejected_ = list(self.rejected_)
        remapped.conversation_ = list(self.conversation_)
        remapped.programs_ = older
        if requests and records is not None:
            remapped._add_for_new_classes(older, requests, records, X is not None)
        return remapped.set_params(
            classes=list(described) if plain else described,
            class_mapping=None,
            programs=list(remapped.programs_),
            n_programs=len(remapped.programs_),
        )

    def _plan_remap(
        self, mapping: Mapping[Any, Any], X: Any, n_programs: int
    ) -> tuple[
        ClassMapping, list[LabelingProgram], "list[ProgramRequest]", Records | None
    ]:
        """Say what becomes of programs, and what has to be asked; raise what cannot."""
        check_is_fitted(self)
        change = ClassMapping.read(mapping, self._described())
        asks = self.llm is not None
        is_text = getattr(self, "_takes_texts", self.n_features_in_ == 1)
        if X is None and not change.is_free and not is_text:
            raise ValueError(
                "what a class is divided into, or an added class, is looked for in "
                "columns: pass X, some records, to remap or estimate_cost."
            )
        # What is free needs no record, and there is none to make up for a table.
        records = None
        if X is not None or is_text:
            records = check_records(self, [""] if X is None else X, reset=False)
        check_change(change, self.programs_, asks=asks and not change.is_free)
        older = [remap_program(program, change) for program in self.programs_]
        missing = count_missing_programs(change, (), n_programs)
        check_new_classes(change, dict.fromkeys(missing, N_PER_NEW_CLASS), asks=asks)
        requests = []
        if missing and records is not None:
            spec, config = self._spec_and_config(records, change.after.described, older)
            requests = request_for_new_classes(change, missing, spec, config)
        return change, older, requests, records

    def _add_for_new_classes(
        self,
        older: list[LabelingProgram],
        requests: "list[ProgramRequest]",
        records: Records,
        are_real: bool,
    ) -> None:
        """Ask for what tells new classes, and keep what is usable."""
        n_before, usage = len(self.rejected_), self.usage_
        by_llm = getattr(self, "usage_by_llm_", {})
        conversation = list(self.conversation_)
        synthesis = self._ask(
            requests, self._shown(records) if are_real else None, None
        )
        self.conversation_ = conversation + self.conversation_
        # Without records, that they passed with made-up ones has to be enough.
        found, unfit, _ = self._try(
            synthesis.programs, records, keep_failing=not are_real
        )
        self.rejected_ += synthesis.rejected + unfit
        unusable = self.rejected_[n_before:]
        for request in requests:
            if not any(one.name.startswith(request.prefix) for one in found):
                raise SynthesisError(_synthesis.nothing_usable_message(unusable))
        names = {one.name for one in found}
        self.usage_ = usage + synthesis.split_usage(names)
        self.usage_by_llm_ = _synthesis.add_usage(
            by_llm, synthesis.split_by_author(names)
        )
        if unusable:
            warn(
                _synthesis.rejected_message(unusable, len(older) + len(found)),
                ProgramWarning,
            )
        self.programs_ = older + found

    def _described(self) -> Classes:
        """List the classes in the order of the user, with what is said of them."""
        if self.classes is not None:
            listed = Classes.listed(self.classes)
            mapping = getattr(self, "class_mapping", None)
            if mapping is not None:
                listed = ClassMapping.read(mapping, listed, is_fitted=False).after
            if np.array_equal(listed.names, self.classes_):
                return listed
        return Classes.of_names(self.classes_)
