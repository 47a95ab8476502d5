"""Combine the votes of labeling programs into class probabilities."""

import warnings
from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from ._records import check_labels
from .label_model import (
    Parameters,
    PatternTable,
    answers_of_votes,
    check_class_indices,
    check_confusion_size,
    class_of_answers,
    classes_of_votes,
    e_step,
    em_steps,
    majority_posterior,
    make_priors,
    vote_share_prior,
    warn_if_ambiguous,
)
from .votes import ABSTAIN, check_classes, collapse, encode_answers, vote_dtype


class LabelModelAggregator(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Combine the votes of labeling programs into class probabilities.

    The default method estimates, from the votes alone, how often each program gives
    each answer to samples of each class [1]_, and weighs the votes accordingly. Labels
    are not needed and, where given, not learned from.

    Parameters
    ----------
    method : {"dawid_skene", "majority_vote"}, default="dawid_skene"
        How votes are combined:

        - "dawid_skene" fits a confusion matrix for each program by expectation
          maximisation. An abstention is an answer too: of a program that (nearly)
          never votes some class, how often it abstains is estimated class by class,
          of the others it is held near the same value for all classes.
        - "majority_vote" gives each class its share of the votes. One further vote is
          split between the classes as ``class_prior_`` says: it decides ties, and
          never overrules a majority. Where classes are still equal, :meth:`predict`
          takes the first of ``classes_``.

    classes : list, dict or array-like, default=None
        All classes; of a dict, the keys. The vote ``k`` stands for the `k`-th of the
        sorted classes, and other votes than -1 and these indices are refused. If None,
        any number that a program repeats is evidence, y (if given) names the classes,
        and the vote ``k`` merely starts out meaning class ``k``.

    class_prior : {"estimate", "uniform"} or array-like of shape (n_classes,), \
            default="estimate"
        Probability of each class, in the order of ``classes_``. "estimate" learns it
        from the votes; "uniform" often does better where classes are balanced.

    max_iter : int, default=1000
        Maximum number of steps of the expectation maximisation.

    tol : float, default=1e-8
        The iteration stops when a step adds less than this to the penalised
        log-likelihood per sample. With rare classes, larger values stop far too early.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    answers_ : ndarray of shape (n_answers,)
        -1 for abstaining, then the other votes in increasing order: all class indices
        if `classes` is given, else the votes seen during ``fit``.

    confusion_ : ndarray of shape (n_programs, n_classes, n_answers)
        Estimated probability of each answer given the class. An answer that a program
        never gave has probability 0 for every class. With "majority_vote" the
        estimate takes the shares of the votes for the classes.

    class_prior_ : ndarray of shape (n_classes,)
        Probability of each class. It is what samples without any vote get.

    n_iter_ : int
        Number of steps made; 1 with "majority_vote".

    converged_ : bool
        Whether the iteration stopped because of `tol`.

    log_likelihood_ : float
        Penalised log-likelihood per sample of the last step.

    n_features_in_ : int
        Number of programs seen during ``fit``.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the programs. Defined only when X has names that are all strings.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : Fits classifiers on labels and lets them vote.

    Notes
    -----
    Nothing is random, and neither the order of the samples nor that of the programs
    matters. Equal rows of votes are collapsed, so that the time of a step depends on
    the number of different rows.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer
       error-rates using the EM algorithm", Applied Statistics 28(1), 1979.

    .. [2] A. Ratner, S. H. Bach, H. Ehrenberg, J. Fries, S. Wu and C. Re, "Snorkel:
       rapid training data creation with weak supervision", PVLDB 11(3), 2017.

    Examples
    --------
    >>> from sklearn_alchemist import LabelModelAggregator
    >>> votes = [[0, 0, -1], [1, 1, 0], [1, -1, 1], [-1, -1, 0], [0, 1, 0]]
    >>> aggregator = LabelModelAggregator(classes=["ham", "spam"]).fit(votes)
    >>> aggregator.predict(votes)
    array(['ham', 'spam', 'spam', 'ham', 'ham'], dtype='<U4')
    >>> aggregator.predict_proba([[-1, -1, -1]]).round(2)
    array([[0.54, 0.46]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "method": [StrOptions({"dawid_skene", "majority_vote"})],
        "classes": ["array-like", dict, None],
        "class_prior": [StrOptions({"estimate", "uniform"}), "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        method: str = "dawid_skene",
        classes: Iterable[Any] | None = None,
        class_prior: str | ArrayLike = "estimate",
        max_iter: int = 1000,
        tol: float = 1e-8,
    ) -> None:
        self.method = method
        self.classes = classes
        self.class_prior = class_prior
        self.max_iter = max_iter
        self.tol = tol

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Estimate how the programs vote.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains.

        y : array-like of shape (n_samples,), default=None
            Labels. Without `classes` they name the classes; which sample has which
            label is never used.

        sample_weight : array-like of shape (n_samples,), default=None
            Number of times that each sample counts. Samples of weight 0 are left out,
            their labels too.

        Returns
        -------
        self : LabelModelAggregator
            The fitted aggregator.

        Raises
        ------
        ValueError
            If votes or labels do not fit the classes, or if `classes` or
            `class_prior` is not valid.

        Warns
        -----
        ClassesWarning
            If votes look like the indices of more classes than y holds.

        ConvergenceWarning
            If `max_iter` steps were not enough.
        """
        votes = validate_data(self, X)
        classes = None if self.classes is None else check_classes(self.classes)
        names = None if y is None else check_labels(votes, y, classes)
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(
                sample_weight, votes, ensure_non_negative=True
            )
            used = weight > 0
            votes, weight = votes[used], weight[used]
            names = None if names is None else names[used]
        patterns, _, counts = collapse(votes, weight)
        self._settle_classes(classes, patterns, names)
        n_classes, n_answers = len(self.classes_), len(self.answers_)
        check_confusion_size(votes.shape[1], n_classes, n_answers)

        table = PatternTable(encode_answers(patterns, self.answers_), n_answers)
        meaning = class_of_answers(self.answers_, n_classes)
        votes_for = _count_votes(table, meaning)
        class_prior = self._given_class_prior()
        if self.method == "majority_vote" and class_prior is None:
            class_prior = vote_share_prior(votes_for, counts)
        uniform = np.full(n_classes, 1 / n_classes)
        start = uniform if class_prior is None else class_prior
        steps = em_steps(
            table,
            counts,
            majority_posterior(votes_for, start),
            make_priors(table.count(counts[:, None])[:, 0], meaning),
            class_prior,
        )
        self._run(steps, X, y)
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Estimate the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains. With "dawid_skene" an answer that a
            program did not give during ``fit`` is no evidence; with
            "majority_vote", one that is not in ``answers_``.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``. Samples without any vote get
            ``class_prior_``.

        Raises
        ------
        ValueError
            If `classes` was given and a vote is neither -1 nor the index of a class.
        """
        check_is_fitted(self)
        patterns, inverse, _ = collapse(validate_data(self, X, reset=False))
        if self.classes is not None:
            check_class_indices(patterns, len(self.classes_))
        codes = encode_answers(patterns, self.answers_)
        posterior = self._posterior(codes)
        voted = (codes > 0) & (codes < len(self.answers_))
        posterior[~voted.any(axis=1)] = self.class_prior_
        return posterior[inverse]

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Class labels; of equally probable classes, the first.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def _settle_classes(
        self, classes: np.ndarray | None, votes: np.ndarray, labels: np.ndarray | None
    ) -> None:
        """Set `classes_` and `answers_`."""
        if classes is not None:
            n_classes = len(classes)
            check_class_indices(votes, n_classes)
            self.classes_ = classes
            self.answers_ = np.arange(ABSTAIN, n_classes, dtype=vote_dtype(n_classes))
            return
        if labels is None:
            self.classes_ = classes_of_votes(votes)
        else:
            self.classes_ = np.unique(labels)
            warn_if_ambiguous(votes, len(self.classes_))
        self.answers_ = answers_of_votes(votes)

    def _given_class_prior(self) -> np.ndarray | None:
        """Return the class prior that the user asks for; None if it is estimated."""
        n_classes = len(self.classes_)
        if isinstance(self.class_prior, str):
            uniform = np.full(n_classes, 1 / n_classes)
            return uniform if self.class_prior == "uniform" else None
        prior = check_array(
            self.class_prior,
            ensure_2d=False,
            dtype=np.float64,
            input_name="class_prior",
        )
        if prior.shape != (n_classes,):
            raise ValueError(
                f"class_prior must have one value for each of the {n_classes} classes, "
                f"got shape {prior.shape}."
            )
        if (prior <= 0).any() or not np.isclose(prior.sum(), 1):
            raise ValueError(
                f"class_prior must be positive and sum to 1, got {prior.tolist()}."
            )
        return prior / prior.sum()

    def _run(
        self,
        steps: Iterator[tuple[Parameters, float]],
        X: ArrayLike,
        y: ArrayLike | None,
    ) -> None:
        """Take steps until one gains little, and set what was learned."""
        voting = self.method == "majority_vote"
        max_iter = 1 if voting else self.max_iter
        task = self._init_callback_context(max_subtasks=max_iter)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        self.converged_ = voting
        self.log_likelihood_ = -np.inf
        for self.n_iter_ in range(1, max_iter + 1):
            step = task.subcontext(task_name="em-step")
            step.call_on_fit_task_begin(estimator=self, X=X, y=y)
            parameters, log_likelihood = next(steps)
            gain = log_likelihood - self.log_likelihood_
            self.log_likelihood_ = log_likelihood
            # Set in each step, so that callbacks meet an estimator that can predict.
            self.class_prior_ = parameters.class_prior
            self.confusion_ = parameters.confusion
            stop = step.call_on_fit_task_end(
                estimator=self, X=X, y=y, reconstruction_attributes={}
            )
            if gain < self.tol:
                self.converged_ = True
            if stop or self.converged_:
                break
        else:
            warnings.warn(
                f"The fit did not converge in max_iter={max_iter} steps; the last one "
                f"still gained {gain:.2g} per sample. Increase max_iter, or increase "
                "tol if that is close enough.",
                ConvergenceWarning,
                stacklevel=4,  # the line that calls fit
            )
        task.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes={}
        )

    def _posterior(self, codes: np.ndarray) -> np.ndarray:
        """Return the class probabilities of encoded votes."""
        n_answers = len(self.answers_)
        # One more answer, of which nothing is known, stands for all unknown votes.
        table = PatternTable(codes, n_answers + 1)
        if self.method == "majority_vote":
            meaning = class_of_answers(self.answers_, len(self.classes_))
            votes_for = _count_votes(table, np.vstack([meaning, meaning[:1]]))
            return majority_posterior(votes_for, self.class_prior_)
        unknown = np.zeros((*self.confusion_.shape[:2], 1))
        confusion = np.concatenate([self.confusion_, unknown], axis=2)
        return e_step(table, Parameters(self.class_prior_, confusion))[0]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.categorical = True
        # Labels are not learned from, so predictions need not agree with them.
        tags.classifier_tags.poor_score = True
        return tags


def _count_votes(table: PatternTable, meaning: np.ndarray) -> np.ndarray:
    """Count the votes of each pattern for each class."""
    shape = (table.n_programs, *meaning.shape)
    return table.sum(np.broadcast_to(meaning.astype(float), shape))
