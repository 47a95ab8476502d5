"""Let what is fitted speak of the classes of now, without fitting it again."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
)
from sklearn.pipeline import Pipeline

from ..data import ClassMapping, ProbaClassifierMixin


class StaysFitted(MetaEstimatorMixin, BaseEstimator):
    """What stays fitted as it is, whoever fits or clones it."""

    estimator: Any
    change: ClassMapping

    @property
    def classes_(self) -> np.ndarray:
        """The classes of now."""
        return self.change.after.names

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Do nothing: there is nothing to learn that is not known."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> Self:
        return self


class RemappedVotes(TransformerMixin, StaysFitted):
    """Votes of a fitted transformer, for the classes of now.

    Parameters
    ----------
    estimator : transformer
        Fitted; gives votes for classes of before.

    change : ClassMapping
        What became of each class.
    """

    def __init__(self, estimator: Any, change: ClassMapping) -> None:
        self.estimator = estimator
        self.change = change

    def transform(self, X: Any) -> np.ndarray:
        """Vote for classes of now; -1 where one is gone."""
        return self.change.map_codes(np.asarray(self.estimator.transform(X)))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name what votes."""
        return self.estimator.get_feature_names_out(input_features)


class RemappedAggregator(ProbaClassifierMixin, StaysFitted):
    """Probabilities that a fitted aggregator gives, from votes for the classes of now.

    A vote for a class that several were merged into is read as one for the most
    frequent of them; what is said of these is added up.

    Parameters
    ----------
    estimator : classifier
        Fitted on votes for classes of before.

    change : ClassMapping
        What became of each class.
    """

    def __init__(self, estimator: Any, change: ClassMapping) -> None:
        self.estimator = estimator
        self.change = change

    @property
    def class_prior_(self) -> np.ndarray:
        """Probability of each class of now."""
        prior = self._prior()
        return self.change.map_proba(prior[np.newaxis], prior)[0]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Estimate the probability of each class of now.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes for the classes of now, -1 where a program abstains.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        votes, prior = np.asarray(X), self._prior()
        n_before, n_now = len(self.change.before), len(self.change.after)
        now = self.change.map_codes(np.arange(n_before))
        table = np.full(n_now + 1, -1)
        for code in range(n_now):
            merged = np.flatnonzero(now == code)
            if merged.size:
                table[code] = merged[prior[merged].argmax()]
        said = self.estimator.predict_proba(table[votes])
        return self.change.map_proba(said, prior)

    def _prior(self) -> np.ndarray:
        n_before = len(self.change.before)
        return getattr(self.estimator, "class_prior_", np.full(n_before, 1 / n_before))


def require_free(change: ClassMapping, who: str) -> None:
    """Raise where votes of before cannot tell the classes of now.

    Parameters
    ----------
    change : ClassMapping
        What became of each class.

    who : str
        Whose votes these are.

    Raises
    ------
    ValueError
        If a class is divided or added.
    """
    if change.is_free:
        return
    new = [*change.splits.values(), change.added]
    names = sorted({str(name) for names in new for name in names})
    raise ValueError(
        f"nothing in the votes of {who} tells {', '.join(names)}: remap a labeler that "
        "has an llm, or a DistilledAnnotator of one, which asks for programs that do."
    )


def remap_voter(
    voter: Any,
    mapping: Mapping[Any, Any],
    change: ClassMapping,
    X: Any = None,
    n_programs: int | None = None,
) -> Any:
    """Let a fitted labeler, or a pipeline that ends in one, vote for classes of now.

    Parameters
    ----------
    voter : transformer
        Fitted.

    mapping : dict
        As the user wrote it.

    change : ClassMapping
        The same, read.

    X : array-like or None, default=None
        Records to try new programs on.

    n_programs : int or None, default=None
        Programs to ask for each class that is divided or added.

    Returns
    -------
    voter : transformer
        A new one, fitted.
    """
    from sklearn.frozen import FrozenEstimator  # which is needed nowhere else

    if hasattr(voter, "remap"):
        asked = {} if n_programs is None else {"n_programs": n_programs}
        return voter.remap(mapping, X, **asked)
    if isinstance(voter, FrozenEstimator):
        return FrozenEstimator(
            remap_voter(voter.estimator, mapping, change, X, n_programs)
        )
    if isinstance(voter, Pipeline) and hasattr(voter.steps[-1][1], "remap"):
        if X is not None:
            X = voter[:-1].transform(X) if len(voter) > 1 else X
        name, last = voter.steps[-1]
        last = remap_voter(last, mapping, change, X, n_programs)
        remapped = Pipeline([*voter.steps[:-1], (name, last)], memory=voter.memory)
        vars(remapped).update(
            {k: v for k, v in vars(voter).items() if k not in vars(remapped)}
        )
        return remapped
    require_free(change, type(voter).__name__)
    return RemappedVotes(voter, change)


def remap_parameters(
    aggregator: BaseEstimator | None, change: ClassMapping
) -> BaseEstimator | None:
    """Write classes that an aggregator was given as they are now.

    Parameters
    ----------
    aggregator : classifier or None
        Not fitted.

    change : ClassMapping
        What became of each class.

    Returns
    -------
    aggregator : classifier or None
        A clone.
    """
    if aggregator is None:
        return None
    aggregator = clone(aggregator)
    now: dict[str, Any] = {}
    for name, value in aggregator.get_params().items():
        kind = name.split("__")[-1]
        if kind == "classes" and value is not None:
            now[name] = list(change.after.described)
        if kind == "class_prior" and not isinstance(value, str | None):
            now[name] = _remap_prior(value, change)
    return aggregator.set_params(**now)


def _remap_prior(prior: Any, change: ClassMapping) -> dict[Any, float]:
    names = change.before.names.tolist()
    given = (
        prior if isinstance(prior, Mapping) else dict(zip(names, prior, strict=True))
    )
    values = np.array([given.get(name, 0.0) for name in names], dtype=float)
    now = change.map_proba(values[np.newaxis] / values.sum(), values / values.sum())[0]
    return dict(zip(change.after.names.tolist(), now.tolist(), strict=True))
