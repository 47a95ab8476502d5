"""Fit the parts of an annotator: who votes, who weighs votes, who learns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.callback import CallbackContext
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.validation import _check_method_params
from threadpoolctl import threadpool_limits

from .._utils import remembering, reporting, warn
from ..data import UNLABELED, Records, as_indexable, check_records, draw_by_hash
from ..exceptions import ProgramWarning
from ..label_model import LabelModelAggregator
from ..votes import ABSTAIN
from ._annotator_checks import last_step
from ._annotator_metadata import default_aggregator
from ._blend import VOTE_WEIGHT
from ._distil import SoftTargets, choose_rows, distil, sample_rows
from ._shared_features import SharedFeatures, share_features
from ._students import default_student
from ._training_state import voted_weight

# Records on which it is tried whether the student can read them, if not all count.
N_TRIED = 1000
# So many times the rows that a student learns from are drawn, to choose among them; as
# many again of those without votes.
_CHOICE = 2
_SEEDS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Candidates:
    """Different records, drawn by their hashes, that a student may learn from.

    Parameters
    ----------
    rows : ndarray of int
        Their positions among the training records.

    hashes : ndarray of uint64 of shape (n_candidates,)
        Their hashes.

    counts : ndarray of shape (n_samples,) or None
        How many records each training record stands for; 1 if None.

    random_state : RandomState
        Which has drawn the seed of the hashes.
    """

    rows: np.ndarray
    hashes: np.ndarray
    counts: np.ndarray | None
    random_state: np.random.RandomState


class AnnotatorFitMixin:
    """What an annotator does to train its student."""

    # What the annotator was given and has learned.
    estimator: Any
    vote_weight: float | str
    n_rounds: int
    class_weight: str | Mapping[Any, float] | None
    uncovered: str
    min_confidence: float
    max_conflict: float
    cv: int
    max_training_rows: int | None
    random_state: Any
    classes_: np.ndarray
    aggregator_: Any
    estimator_: Any
    _allows_nan: Callable[[], bool]
    _student_input: Callable[[Any, Records], Any]

    def _share_or_try(self, X: Any, records: Records) -> SharedFeatures | None:
        """Count what the student counts, before programs are paid for.

        If it is to learn from some rows only, programs tell which; then it is only
        tried whether it can read the records at all.
        """
        most = self.max_training_rows
        if most is None or records.n_rows <= most:
            return self._share(X)
        some = np.linspace(0, records.n_rows - 1, min(most, N_TRIED)).astype(int)
        try:
            self._share(_safe_indexing(as_indexable(X), some))
        except ValueError:
            self._share(X)  # the others may hold what these do not
        return None

    def _draw_seed(self) -> tuple[int, np.random.RandomState]:
        """Draw what decides which records the student may learn from."""
        rng = check_random_state(self.random_state)
        return int(rng.randint(_SEEDS)), rng

    def _n_candidates(self) -> int:
        """Say how many records with votes, and how many without, to choose among."""
        return _CHOICE * int(self.max_training_rows or 0)

    def _candidates(
        self, records: Records, votes: np.ndarray, gold: np.ndarray
    ) -> Candidates:
        """Draw those without labels among which the student's records are chosen."""
        seed, rng = self._draw_seed()
        rows = np.flatnonzero(gold == UNLABELED)
        hashes = records.hashes(seed)[rows]
        voted = (votes[rows] != ABSTAIN).any(axis=1)
        drawn = draw_by_hash(hashes, self._n_candidates(), voted)
        return Candidates(rows[drawn], hashes[drawn], None, rng)

    def _share(self, X: Any) -> SharedFeatures:
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        student = (
            default_student(records.columns.values(), records.is_text)
            if self.estimator is None
            else self.estimator
        )
        return share_features(student, self._student_input(X, records))

    def _teach(
        self,
        context: CallbackContext,
        X: Any,
        learned: SharedFeatures | Candidates,
        votes: np.ndarray,
        gold: np.ndarray,
        weight: np.ndarray | None,
        fit_params: dict[str, Any],
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Report how the student is trained."""
        n_students = self.cv * (self.n_rounds + 1) + 1
        with (
            reporting(
                context, "distill", self, self.estimator, max_steps=n_students
            ) as on_student,
            remembering(),
        ):
            return self._distil(X, learned, votes, gold, weight, fit_params, on_student)

    def _distil(
        self,
        X: Any,
        learned: SharedFeatures | Candidates,
        votes: np.ndarray,
        gold: np.ndarray,
        weight: np.ndarray | None,
        fit_params: dict[str, Any],
        on_student: Callable[[], None],
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Train the student; return the rows it saw and what it says of them unseen."""
        from_votes = self.aggregator_.predict_proba(votes)
        heard = voted_weight(votes, weight)
        used = choose_rows(
            votes,
            from_votes,
            uncovered=self.uncovered,
            min_confidence=self.min_confidence,
            max_conflict=self.max_conflict,
        )
        used |= gold != UNLABELED
        if isinstance(learned, Candidates):
            drawn = learned.rows
            at = sample_rows(
                votes[drawn],
                from_votes[drawn],
                used[drawn],
                learned.hashes,
                int(self.max_training_rows or len(votes)),
                float(np.average(used, weights=learned.counts)),
                learned.random_state,
            )
            rows = np.concatenate([np.flatnonzero(gold != UNLABELED), drawn[at]])
            fit_params = _check_method_params(X, fit_params, indices=rows)
            shared = self._share(_safe_indexing(as_indexable(X), rows))
        else:
            rows, shared = np.arange(len(votes)), learned
        targets = SoftTargets(
            from_votes[rows],
            self.classes_,
            np.average(from_votes, axis=0, weights=heard),
            used[rows],
            gold[rows],
            heard[rows],
        )
        # Threads of BLAS wait for each other more than they help with sparse features.
        limit = 1 if self.estimator is None else None
        with threadpool_limits(limit, user_api="blas"):
            distilled = distil(
                shared,
                targets,
                cv=self.cv,
                n_rounds=self.n_rounds,
                vote_weight=(
                    VOTE_WEIGHT
                    if isinstance(self.vote_weight, str)
                    else self.vote_weight
                ),
                class_weight=self.class_weight,
                fit_params=fit_params,
                on_student=on_student,
            )
        self.estimator_ = distilled.student
        return rows, distilled.said


def warn_of_silence(n_rows: int) -> None:
    """Warn that no program votes on any record."""
    warn(
        f"No program votes on any of {n_rows} records, so the student can "
        "only answer with the class prior. Read the programs in "
        "labeler_.programs_, and describe task and classes in more detail.",
        ProgramWarning,
    )


def make_aggregator(
    aggregator: BaseEstimator | None, labeler: BaseEstimator, *, learn: bool
) -> BaseEstimator:
    """Copy an aggregator and tell it the classes, so that no fold shifts them.

    Parameters
    ----------
    aggregator : classifier or None
        Not fitted; None is the default one.

    labeler : transformer
        Fitted; knows the classes, and names the programs.

    learn : bool
        Whether it learns from labels, whatever it does by itself.

    Returns
    -------
    aggregator : classifier
        Not fitted.
    """
    aggregator = default_aggregator() if aggregator is None else clone(aggregator)
    names = aggregator.get_params()
    learning = [n for n in names if n.split("__")[-1] == "semi_supervised"]
    aggregator.set_params(**dict.fromkeys(learning, learn))
    if isinstance(aggregator, LabelModelAggregator):
        aggregator._in_annotator = True
    for name, value in names.items():
        if name.split("__")[-1] == "program_groups" and value is not None:
            groups = _positions(value, program_names(labeler).tolist())
            aggregator.set_params(**{name: groups})
    if hasattr(labeler, "classes_"):
        open_classes = {
            name: labeler.classes_
            for name, value in aggregator.get_params().items()
            if name.split("__")[-1] == "classes" and value is None
        }
        aggregator.set_params(**open_classes)
    return aggregator


def program_names(labeler: BaseEstimator, n_programs: int = 0) -> np.ndarray:
    """Name what votes; by numbers where the labeler has no names."""
    voter = last_step(labeler)  # those before need not name what they give
    if hasattr(voter, "get_feature_names_out"):
        return voter.get_feature_names_out()
    return np.array([f"program_{j}" for j in range(n_programs)], dtype=object)


def draw_parts(annotator: Any) -> _VisualBlock:
    """Draw all three parts, also those that stand for None."""
    parts = {
        name: getattr(annotator, f"{name}_", getattr(annotator, name))
        for name in ("labeler", "aggregator", "estimator")
    }
    if parts["aggregator"] is None:
        parts["aggregator"] = LabelModelAggregator()
    if parts["estimator"] is None:  # which, X decides
        parts["estimator"] = "LogisticRegression"
    names = {
        name: part if isinstance(part, str) else type(part).__name__
        for name, part in parts.items()
    }
    return _VisualBlock(
        "serial",
        list(parts.values()),
        names=[f"{name}: {called}" for name, called in names.items()],
        name_details=[str(part) for part in parts.values()],
    )


def fit_and_vote(
    labeler: BaseEstimator, X: Any, y: Any, fit_params: dict[str, Any]
) -> np.ndarray:
    """Fit a labeler and have it vote, in one go where it can."""
    if hasattr(labeler, "fit_transform"):
        return np.asarray(labeler.fit_transform(X, y, **fit_params))
    # A frozen labeler has no fit_transform.
    return np.asarray(labeler.fit(X, y, **fit_params).transform(X))


def _positions(groups: Any, names: list[str]) -> list[list[int]]:
    """Say which programs are meant by names, as votes come without."""
    places = {name: j for j, name in enumerate(names)}
    unknown = [
        program
        for group in groups
        for program in group
        if isinstance(program, str) and program not in places
    ]
    if unknown:
        raise ValueError(
            f"program_groups of the aggregator holds {unknown[0]!r}, which is no "
            f"program; programs are {', '.join(names)}."
        )
    return [[places.get(program, program) for program in group] for group in groups]
