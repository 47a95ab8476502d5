"""Count once what all fits of a student have in common, whatever the folds."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils import get_tags

from ._students import LowerBeginning

# What counting takes; TF-IDF has these and what is learned from the counts.
_COUNTING = CountVectorizer().get_params().keys()
_VECTORIZERS = (TfidfVectorizer, CountVectorizer)
_WEIGHING = ("norm", "use_idf", "smooth_idf", "sublinear_tf")


@dataclass(frozen=True)
class SharedFeatures:
    """Features that no fit of a student changes, and what is left to fit.

    Parameters
    ----------
    features : array-like of shape (n_samples, ...)
        What `rest` takes; `X` itself where there is nothing to share.

    rest : estimator
        The part of the student that learns, not fitted. It is cloned for each fit.

    join : callable
        Turns a fitted clone of `rest` into the student, as if that had been fitted to
        the records themselves.
    """

    features: Any
    rest: BaseEstimator
    join: Callable[[BaseEstimator], BaseEstimator]


def share_features(student: BaseEstimator, X: Any) -> SharedFeatures:
    """Take off the front of a student what can be computed once for all its fits.

    These are leading steps that need no fit, such as sentence encoders, and the
    counting of terms in scikit-learn's vectorizers, also inside a union. Which terms
    are frequent enough, and how much each weighs, is left to be learned, so that
    nothing of the rows held out reaches a fit: the student of a fold is the same as if
    it had been fitted to the records of its fold.

    Parameters
    ----------
    student : classifier
        Not fitted.

    X : array-like of shape (n_samples, ...)
        All records that it will learn from or be asked about in training.

    Returns
    -------
    shared : SharedFeatures
        The features and the rest.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_alchemist.distillation import share_features
    >>> texts = ["a song", "free cash", "song", "cash"]
    >>> student = make_pipeline(TfidfVectorizer(), LogisticRegression())
    >>> shared = share_features(student, texts)
    >>> shared.features.shape
    (4, 3)
    >>> rest = shared.rest.fit(shared.features, ["ham", "spam", "ham", "spam"])
    >>> shared.join(rest).predict(["free song, song"])
    array(['ham'], dtype='<U4')
    """
    found = _share_pipeline(student, X) if type(student) is Pipeline else None
    return SharedFeatures(X, student, lambda fitted: fitted) if found is None else found


class SelectFrequentTerms(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Select columns of counts as scikit-learn's vectorizers select terms.

    Parameters
    ----------
    min_df, max_df : int or float
        Least and greatest number of rows, or share of them, that hold the term.

    max_features : int or None
        Most terms; the most frequent are kept.

    start, stop : int or None
        The columns to select from; the others belong to another part of a union.

    Attributes
    ----------
    support_ : ndarray of shape (n_terms,) of bool
        The selected columns. If no term is frequent enough, all that occur; if none
        does, the first.
    """

    def __init__(
        self,
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        start: int | None = None,
        stop: int | None = None,
    ) -> None:
        self.start = start
        self.stop = stop
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features

    def fit(self, X: sparse.csr_matrix, y: Any = None) -> Self:
        """Count the rows of each term.

        Parameters
        ----------
        X : sparse matrix of shape (n_samples, n_terms)
            Counts.

        y : None
            Not looked at.

        Returns
        -------
        self : SelectFrequentTerms
            The fitted selector.
        """
        n_rows, n_terms = X.shape
        n_holding = np.bincount(X.indices, minlength=n_terms)
        least, most = (
            bound if isinstance(bound, Integral) else bound * n_rows
            for bound in (self.min_df, self.max_df)
        )
        # What does not occur in this fold is no term of it.
        occurs = n_holding > 0
        occurs[: self.start or 0] = False
        occurs[n_terms if self.stop is None else self.stop :] = False
        if not occurs.any():  # texts of this fold are empty: a column of zeros
            occurs[self.start or 0] = True
        frequent = occurs & (n_holding >= least) & (n_holding <= most)
        support = frequent if frequent.any() else occurs
        if self.max_features is not None and support.sum() > self.max_features:
            columns = np.flatnonzero(support)
            totals = np.asarray(X.sum(axis=0)).ravel()[columns]
            support = np.zeros(n_terms, dtype=bool)
            support[columns[(-totals).argsort()[: self.max_features]]] = True
        self.support_ = support
        return self

    def transform(self, X: sparse.csr_matrix) -> sparse.csr_matrix:
        """Keep the selected columns.

        Parameters
        ----------
        X : sparse matrix of shape (n_samples, n_terms)
            Counts.

        Returns
        -------
        X : sparse matrix of shape (n_samples, n_selected)
            The same counts, of fewer terms.
        """
        return X[:, np.flatnonzero(self.support_)]


class UnionOfCounts(FeatureUnion, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """A union whose output is sparse, whatever output the user has set."""


@dataclass(frozen=True)
class _Part:
    """What a step of a pipeline leaves: features, what is to be fitted, how to join."""

    features: Any
    rest: BaseEstimator | None
    join: Callable[[Any], BaseEstimator]


def _share_pipeline(student: Pipeline, X: Any) -> SharedFeatures | None:
    """Share the leading steps of a pipeline; None if its first cannot be shared."""
    done: list[tuple[str, _Part]] = []
    features, steps = X, student.steps
    for name, step in steps[:-1]:
        part = _share_step(step, features)
        if part is None:
            break
        done.append((name, part))
        features = part.features
        if part.rest is not None:
            break
    if not done:
        return None
    name, last = done[-1]
    left = [] if last.rest is None else [(name, last.rest)]
    rest = Pipeline([*left, *steps[len(done) :]], memory=student.memory)

    def join(fitted: Pipeline) -> Pipeline:
        learned = fitted.steps[0][1] if left else None
        front = [(n, part.join(learned if part is last else None)) for n, part in done]
        whole = clone(student)
        whole.steps = [*front, *fitted.steps[len(left) :]]
        return whole

    return SharedFeatures(features, rest, join)


def _share_step(step: Any, X: Any) -> _Part | None:
    if step is None or step == "passthrough":
        return _Part(X, None, lambda _: step)
    if type(step) in _VECTORIZERS:
        return _share_counts(step, X)
    if type(step) is FeatureUnion:
        return _share_union(step, X)
    if hasattr(step, "transform") and not get_tags(step).requires_fit:
        fitted = clone(step)
        return _Part(fitted.fit_transform(X), None, lambda _: fitted)
    return None


def _share_counts(step: CountVectorizer, X: Any, start: int = 0) -> _Part | None:
    """Count terms; `start` is the number of columns of a union before these."""
    weighs = isinstance(step, TfidfVectorizer)
    if step.vocabulary is not None or (weighs and not step.use_idf):
        return None
    parameters = step.get_params()
    counter = CountVectorizer(**{name: parameters[name] for name in _COUNTING})
    counter.set_params(max_df=1.0, max_features=None)
    # A term that is too rare among all rows is so in each fold.
    rare = step.min_df if isinstance(step.min_df, Integral) else 1
    try:
        counts = counter.set_params(min_df=rare).fit_transform(X)
    except ValueError:
        # All terms are rarer: the selector then takes what there is.
        try:
            counts = counter.set_params(min_df=1).fit_transform(X)
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            advice = "they are empty. Look at X."
            if not isinstance(step.preprocessor, LowerBeginning):  # the user's
                kind = type(step).__name__
                advice = f"they are empty, or hold only what its {kind} leaves out."
            raise ValueError(
                f"the student finds nothing to learn from in {len(X)} texts, such as "
                f"{X[0][:40]!r}: {advice}"
            ) from error
    stop = start + counts.shape[1]
    select = SelectFrequentTerms(
        step.min_df, step.max_df, step.max_features, start, stop
    )
    steps: list[BaseEstimator] = [select]
    if weighs:
        steps.append(TfidfTransformer(**{name: parameters[name] for name in _WEIGHING}))

    def join(fitted: Pipeline) -> CountVectorizer:
        whole = clone(step)
        names = counter.get_feature_names_out()[fitted[0].support_[start:stop]]
        whole.vocabulary_ = {term: i for i, term in enumerate(names)}
        whole.fixed_vocabulary_ = False
        if weighs:
            whole.idf_ = fitted[1].idf_
        return whole

    return _Part(counts, make_pipeline(*steps), join)


def _share_union(step: FeatureUnion, X: Any) -> _Part | None:
    """Count each part of a union of vectorizers."""
    vectorizers = [part for _, part in step.transformer_list]
    if step.transformer_weights is not None or not all(
        type(part) in _VECTORIZERS for part in vectorizers
    ):
        return None
    parts: dict[str, _Part] = {}
    n_columns = 0
    for name, vectorizer in step.transformer_list:
        part = _share_counts(vectorizer, X, n_columns)
        if part is None:
            return None
        parts[name] = part
        n_columns += part.features.shape[1]
    rest = UnionOfCounts([(name, part.rest) for name, part in parts.items()])

    def join(fitted: FeatureUnion) -> FeatureUnion:
        whole = clone(step)
        whole.transformer_list = [
            (name, parts[name].join(learned))
            for name, learned in fitted.transformer_list
        ]
        return whole

    features = sparse.hstack([part.features for part in parts.values()]).tocsr()
    return _Part(features, rest, join)
