"""Predict classes from votes: what a fitted aggregator does."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data import (
    Classes,
    ClassMapping,
    ProbaClassifierMixin,
    refuse_repeated,
)
from ..streaming import lazy_for_dask
from ..votes import ABSTAIN, collapse, encode_answers
from ._difficulty import find_levels, read_difficulty
from ._remapped import RemappedAggregator, require_free
from ._ties import find_ties, leave_ties_open
from ._vote_classes import check_class_indices

# What scikit-learn says where votes are strings or missing.
_NO_NUMBERS = ("could not convert string", "bytes/strings", "contains NaN")
# So many rows are predicted at one time.
_CHUNK = 1 << 18


class AggregatorPredictMixin(ProbaClassifierMixin, BaseEstimator):
    """Predictions of votes, of what `AggregatorFitMixin` learns."""

    classes: Any
    tie_break_policy: str
    classes_: np.ndarray
    answers_: np.ndarray
    temperature_: float
    difficulty_cuts_: np.ndarray | None
    _model: Any
    _seed: int

    @lazy_for_dask
    def predict_proba(
        self, X: ArrayLike, *, difficulty: ArrayLike | None = None
    ) -> np.ndarray:
        """Estimate the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains. An answer that a program did not give
            during ``fit`` is no evidence; with "majority_vote", one that is not in
            ``answers_``.

        difficulty : array-like of shape (n_samples,), default=None
            As in ``fit``; without it, or where it is NaN, a sample is as hard as any.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``. A sample without any vote gets
            `class_prior` if that is given. Else it is more probably of a class that
            programs, once they vote for it, seldom vote for together.

        Raises
        ------
        ValueError
            If `classes` was given and a vote is neither -1 nor the index of a class,
            or if ``fit`` was given no `difficulty` and this call is.
        """
        check_is_fitted(self)
        votes = self._validate(X, reset=False)
        levels = self._levels(difficulty, len(votes))
        proba = np.empty((len(votes), len(self.classes_)))
        for start in range(0, len(votes), _CHUNK):
            place = slice(start, start + _CHUNK)
            codes = self._encode_votes(votes[place])
            level = None if levels is None else levels[place]
            proba[place] = self._model.posterior(codes, self.temperature_, level)
        return proba

    @lazy_for_dask
    def predict(
        self, X: ArrayLike, *, difficulty: ArrayLike | None = None
    ) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains.

        difficulty : array-like of shape (n_samples,), default=None
            As in :meth:`predict_proba`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Class labels. Of equally probable classes, what `tie_break_policy` says.
        """
        proba = self.predict_proba(X, difficulty=difficulty)
        best, several, tied = find_ties(proba)
        if self.tie_break_policy == "abstain":
            return leave_ties_open(self.classes_, best, several)
        if self.tie_break_policy == "random":
            votes = self._validate(X, reset=False)[several]
            best[several] = self._draw(votes, tied[several])
        return self.classes_[best]

    def _draw(self, votes: np.ndarray, tied: np.ndarray) -> np.ndarray:
        """Draw one of the tied classes for each different row of votes."""
        patterns, place, _ = collapse(votes)
        tied_by_pattern = np.empty((len(patterns), tied.shape[1]), dtype=bool)
        tied_by_pattern[place] = tied
        # Each row has a generator of its own, so that no other row has a say.
        seed = [self._seed, *self.classes_.shape]
        drawn = [
            np.random.default_rng([*seed, *codes]).choice(np.flatnonzero(classes))
            for codes, classes in zip(
                self._encode_votes(patterns).tolist(), tied_by_pattern, strict=True
            )
        ]
        return np.array(drawn, dtype=np.intp)[place]

    def _levels(
        self, difficulty: ArrayLike | None, n_samples: int
    ) -> np.ndarray | None:
        """Return the level of difficulty of each sample, if it was fitted with any."""
        values = read_difficulty(difficulty, n_samples)
        if values is None:
            return None
        cuts = getattr(self, "difficulty_cuts_", None)
        if cuts is None:
            raise ValueError(
                "difficulty is given, and the samples of the first fit had none, so "
                "nothing tells what it says of votes: pass difficulty to fit, too."
            )
        return find_levels(values, cuts)

    def _encode_votes(self, votes: np.ndarray) -> np.ndarray:
        """Return votes as positions in `answers_`; unknown ones as n_answers."""
        if self.classes is not None:
            check_class_indices(votes, len(self.classes_))
        return encode_answers(votes, self.answers_)

    def remap(self, mapping: Mapping[Any, Any]) -> RemappedAggregator:
        """Follow a change of the classes, without fitting again.

        Parameters
        ----------
        mapping : dict
            Class -> its new name, another class with which it is merged, or None if
            there is no such class any more. Classes that are not mapped stay.

        Returns
        -------
        aggregator : RemappedAggregator
            A fitted classifier that reads votes for the classes of now, as
            ``labeler.remap(mapping)`` gives them. Probabilities of merged classes are
            added up.

        Raises
        ------
        ValueError, TypeError
            If `mapping` names no class, goes round in a circle, leaves fewer than two
            classes, or divides or adds one.

        Examples
        --------
        >>> from sklearn_alchemist import LabelModelAggregator
        >>> votes = [[0, 0], [1, 1], [2, -1], [2, 2]]
        >>> aggregator = LabelModelAggregator(classes=["a", "b", "c"]).fit(votes)
        >>> aggregator.remap({"b": "a"}).predict([[0, -1], [1, 1]])
        array(['a', 'c'], dtype='<U1')
        """
        check_is_fitted(self)
        change = ClassMapping.read(mapping, Classes.of_names(self.classes_))
        require_free(change, type(self).__name__)
        return RemappedAggregator(self, change)

    def _validate(self, X: ArrayLike, *, reset: bool) -> np.ndarray:
        """Return the votes as numbers."""
        if X is None:
            raise TypeError(
                "X is None: pass votes, a matrix of one row a record and one column a "
                "program."
            )
        if hasattr(X, "columns"):
            refuse_repeated(list(X.columns), "as programs are told by their names")
        try:
            if isinstance(X, np.ma.MaskedArray):
                X = X.filled(ABSTAIN)  # scikit-learn would take what is masked
            # Of a list, scikit-learn would let None through.
            X = np.array(X) if isinstance(X, list | tuple) else X
            return validate_data(self, X, reset=reset, ensure_min_samples=int(reset))
        except ValueError as error:
            reason = str(error)
            if any(sign in reason for sign in _NO_NUMBERS):
                raise ValueError(
                    "Votes are numbers: -1 where a program abstains, else the index of "
                    f"a class. {reason.splitlines()[0]} Replace missing votes by -1, "
                    "and names by their index in the sorted classes."
                ) from error
            raise
