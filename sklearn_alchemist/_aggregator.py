"""Combine the votes of labeling programs into class probabilities."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from ._doc_links import DocLinks
from ._remapped import RemappedAggregator, require_free
from ._typing import LabelsLike, _fit_context
from ._warn import warn
from .data import Classes, ClassMapping, label_array
from .exceptions import FallbackWarning, LabelsWarning
from .label_model import (
    Patterns,
    Rows,
    Settings,
    Stepwise,
    VoteBounds,
    VoteModel,
    accuracies_of,
    answers_of_votes,
    check_class_indices,
    check_class_prior,
    check_confusion_size,
    check_groups,
    class_of_answers,
    classes_of_votes,
    count_votes,
    fallback_reason,
    find_all_groups,
    find_shared_errors,
    fit_temperature,
    fit_votes,
    fit_voting_rule,
    program_confusion,
    read_rows,
    sparse_confusion_reason,
    vote_share_prior,
)
from .streaming import collapse_partitions, is_dask, lazy_for_dask
from .votes import ABSTAIN, collapse, encode_answers, vote_dtype

_logger = logging.getLogger("sklearn_alchemist.label_model")

# Of more different rows of votes, so many samples are drawn and fitted. Judged by
# benchmarks/label_models.py --speed 1000000, at this value only.
_MAX_FITTED = 1 << 18
# Up to so many different rows of votes, partial_fit starts again from all of them.
_MAX_PATTERNS = 1 << 18
# What scikit-learn says where votes are strings or missing.
_NO_NUMBERS = ("could not convert string", "bytes/strings", "contains NaN")
# How strongly few labels are held near the temperature 1: a judgement. What follows is
# measured by benchmarks/label_models.py --data --labels 50, at this value only.
_TEMPERATURE_STRENGTH = 3.0
_ITERATED = ("dawid_skene", "one_coin")
# What to do where the model is not to be trusted; within an annotator, in the words of
# its own parameters.
_ADVICE = {
    False: "Label some samples at random and set semi_supervised, or say which "
    "programs depend on each other in program_groups, or set guard=False if the model "
    "is right.",
    True: "Label some records at random and set learn_from_labels=True; or pass "
    "aggregator=LabelModelAggregator(...) with program_groups=[...], where programs "
    "depend on each other, or with guard=False if the model is right.",
}
# So many rows are read and predicted at one time.
_CHUNK = 1 << 18


class LabelModelAggregator(
    CallbackSupportMixin, ClassifierMixin, DocLinks, BaseEstimator
):
    """Combine the votes of labeling programs into class probabilities.

    The default method estimates, from the votes alone, how often each vote of each
    program is right [1]_, and weighs it accordingly. It learns from rows with several
    votes only: how far to believe a vote that stands alone, no comparison tells.
    Programs that repeat each other, as those that one model wrote often do, are found
    and count as one.

    Parameters
    ----------
    method : {"dawid_skene", "one_coin", "weighted_vote", "majority_vote"}, \
            default="dawid_skene"
        How votes are combined:

        - "dawid_skene" fits a confusion matrix for each program by expectation
          maximisation. Accuracies in different classes are held near each other as
          long as there are few votes. Where many classes leave less than three votes a
          cell, it is "weighted_vote", or with labels "one_coin", that is used.
        - "one_coin" does the same with one accuracy per program: less to learn, so
          better with few samples or many classes.
        - "weighted_vote" weighs each program by the log-odds of its agreement with the
          majority of the others. Nothing is iterated.
        - "majority_vote" gives each class its share of the votes. One further vote is
          split between the classes as `class_prior` says, evenly if it is estimated:
          how many rules there are for a class says little of how frequent it is.

    classes : list, dict or array-like, default=None
        All classes; of a dict, the keys. The vote ``k`` stands for the `k`-th of the
        sorted classes, and other votes than -1 and these indices are refused. If None,
        any number that a program repeats is evidence, y (if given) names the classes,
        and the vote ``k`` merely starts out meaning class ``k``.

    class_prior : {"estimate", "uniform"}, dict or array-like of shape (n_classes,), \
            default="estimate"
        Probability of each class: a dict of class to probability, or an array in the
        order of ``classes_``. "estimate" learns it from the votes; "uniform" often does
        better where classes are balanced.

    abstain : {"auto", "ignore", "evidence"}, default="auto"
        What it says about the class that a program abstains. With "ignore" it says
        nothing: votes are judged given how many there are. With "evidence" the coverage
        of each program is estimated class by class. "auto" does so where all programs
        vote one class only, and often: such programs are missed where they are silent.

    dependencies : {"auto", "independent"}, default="auto"
        Whether programs that repeat each other are searched for. Only the first two
        methods can use what is found: a group of programs has one vote, which its
        members share.

    program_groups : list of lists of str or int, default=None
        Programs that are known to depend on each other, by name or by index, such as
        those that use one resource. If given, no others are searched for.

    semi_supervised : bool, default=False
        Whether to learn from the labels in y, too. A labelled sample counts as much as
        five others, and its class is certain. Samples whose label is -1 (unless it is
        one of `classes`), None or NaN are not labelled. Only labels whose `label_proba`
        is given to ``fit`` are learned from: others may have been chosen because
        programs are wrong there. As few as 20 random labels help where most programs
        are worse than chance.

    temperature : float or "estimate", default=1.0
        What the votes say (not the class prior) is divided by it, on the scale of
        logarithms: above 1 for probabilities that are less sure. "estimate" fits it to
        all labels in y [4]_. Errors that programs visibly share make probabilities less
        sure without any label.

    guard : bool, default=True
        Whether to fall back on counting votes, with a warning, where the first two
        methods take many votes for worse than chance. Not where labels say how accurate
        programs are (`semi_supervised`).

    tie_break_policy : {"prior", "random", "abstain"}, default="prior"
        What :meth:`predict` says where several classes are equally probable, after
        `class_prior` has had its say: the first of ``classes_``, one that is drawn for
        each different row of votes, or None (-1 where classes are numbers and -1 is
        none of them).

    random_state : int, RandomState instance or None, default=None
        Seed of the drawing with ``tie_break_policy="random"``.

    max_iter : int, default=1000
        Maximum number of steps of the expectation maximisation.

    tol : float, default=1e-4
        The iteration stops when no class probability of a row changes by more.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    answers_ : ndarray of shape (n_answers,)
        -1 for abstaining, then the other votes in increasing order: all class indices
        if `classes` is given, else the votes seen during ``fit``.

    method_ : str
        The method in use: `method`, or what it fell back on.

    fallback_reason_ : str or None
        Why it fell back; None if it did not.

    confusion_ : ndarray of shape (n_programs, n_classes, n_answers)
        Estimated probability of each answer given the class. An answer that a program
        never gave has probability 0 for every class. With "majority_vote" the
        estimate takes the shares of the votes for the classes.

    accuracies_ : ndarray of shape (n_programs,)
        Estimated share of right votes among the votes of each program; NaN for a
        program that never votes.

    accuracy_interval_ : ndarray of shape (n_programs, 2)
        Lowest and highest accuracy of each program that votes allow, however programs
        depend on each other, at 95 % [7]_. As votes cannot tell right from wrong, one
        thing is taken for granted: where a program votes beside others, these are no
        worse than chance, ``1 / n_classes`` of their votes being right. So are labels
        that are learned from. Of a vote that stands alone nothing is known, and a
        program without overlaps has [0, 1]. Computed when first asked for.

    class_prior_ : ndarray of shape (n_classes,)
        Probability of each class: the mean over the samples, if `class_prior` does not
        give it. That of samples without any vote is told from those with one vote
        beside those with several [6]_.

    groups_ : list of ndarray of int
        Indices of the programs of each group of dependent ones, of two or more.

    temperature_ : float
        The temperature in use.

    n_iter_ : int
        Number of steps made; 1 with methods that do not iterate.

    converged_ : bool
        Whether the iteration stopped because of `tol`.

    log_likelihood_ : float
        Mean over the rows learned from: logarithm of the probability of their votes,
        given their number. NaN with methods that do not iterate.

    label_use_ : dict of str to int or float
        How many labels there were to learn from ("given"), and how many of them say how
        accurate programs are ("accuracies") and how sure to be ("temperature"). A
        sample counts as often as its weight says.

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
    matters. Equal rows of votes may be collapsed beforehand:
    ``fit(patterns, sample_weight=counts)`` is the same as fitting on all samples, so
    counts can be added up over chunks and machines.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer
       error-rates using the EM algorithm", Applied Statistics 28(1), 1979.

    .. [2] A. Ratner, S. H. Bach, H. Ehrenberg, J. Fries, S. Wu and C. Re, "Snorkel:
       rapid training data creation with weak supervision", PVLDB 11(3), 2017.

    .. [3] L. Kish, "Survey sampling", Wiley, 1965 (design effects: what a further vote
       adds where errors are shared).

    .. [4] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern
       neural networks", ICML 2017.

    .. [5] E. L. Ionides, "Truncated importance sampling", Journal of Computational and
       Graphical Statistics 17(2), 2008.

    .. [6] A. Chao, "Nonparametric estimation of the number of classes in a population",
       Scandinavian Journal of Statistics 11(4), 1984.

    .. [7] V. Alvarez, S. Mazuelas, S. An and S. Dasgupta, "Reliable programmatic weak
       supervision with confidence intervals for label probabilities",
       arXiv:2508.03896, 2025.

    Examples
    --------
    >>> from sklearn_alchemist import LabelModelAggregator
    >>> votes = [[0, 0, -1], [1, 1, 0], [1, -1, 1], [-1, -1, 0], [0, 1, 0]]
    >>> aggregator = LabelModelAggregator(classes=["ham", "spam"]).fit(votes)
    >>> aggregator.predict(votes)
    array(['ham', 'spam', 'spam', 'ham', 'ham'], dtype='<U4')
    """

    _in_annotator = False
    _seen: Rows | None
    _bounds: VoteBounds | None
    _classes: Classes | None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "method": [
            StrOptions({"dawid_skene", "one_coin", "weighted_vote", "majority_vote"})
        ],
        "classes": ["array-like", dict, None],
        "class_prior": [StrOptions({"estimate", "uniform"}), dict, "array-like"],
        "abstain": [StrOptions({"auto", "ignore", "evidence"})],
        "dependencies": [StrOptions({"auto", "independent"})],
        "program_groups": [list, tuple, None],
        "semi_supervised": ["boolean"],
        "temperature": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"estimate"}),
        ],
        "guard": ["boolean"],
        "tie_break_policy": [StrOptions({"prior", "random", "abstain"})],
        "random_state": ["random_state"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        method: str = "dawid_skene",
        classes: Iterable[Any] | None = None,
        class_prior: str | Mapping[Any, float] | ArrayLike = "estimate",
        abstain: str = "auto",
        dependencies: str = "auto",
        program_groups: Sequence[Sequence[str | int]] | None = None,
        semi_supervised: bool = False,
        temperature: float | str = 1.0,
        guard: bool = True,
        tie_break_policy: str = "prior",
        random_state: int | np.random.RandomState | None = None,
        max_iter: int = 1000,
        tol: float = 1e-4,
    ) -> None:
        self.method = method
        self.classes = classes
        self.class_prior = class_prior
        self.abstain = abstain
        self.dependencies = dependencies
        self.program_groups = program_groups
        self.semi_supervised = semi_supervised
        self.temperature = temperature
        self.guard = guard
        self.tie_break_policy = tie_break_policy
        self.random_state = random_state
        self.max_iter = max_iter
        self.tol = tol

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: LabelsLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        label_proba: ArrayLike | float | None = None,
    ) -> Self:
        """Estimate how the programs vote.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 (or masked) where a program abstains. Of a Dask Array or
            DataFrame, the different rows are counted partition by partition, where they
            lie; labels and weights cannot be given then.

        y : array-like of shape (n_samples,), default=None
            Labels. Without `classes` they name the classes. They are learned from only
            with `semi_supervised`, or with ``temperature="estimate"``; then some may
            be missing (-1, None or NaN).

        sample_weight : array-like of shape (n_samples,), default=None
            Number of times that each sample counts. Samples of weight 0 are left out,
            their labels too.

        label_proba : array-like of shape (n_samples,) or float, default=None
            Probability with which each label was asked for: 1 where all samples or a
            plain random sample of them were to be labelled, NaN where there is no
            label or nobody knows how it was chosen. Labels that were drawn with unequal
            probabilities are weighted by their inverse, cut off at the root of their
            number. Without it, labels set the temperature only.

        Returns
        -------
        self : LabelModelAggregator
            The fitted aggregator.

        Raises
        ------
        ValueError
            If votes or labels do not fit the classes, all weights are 0, or `classes`,
            `class_prior`, `program_groups` or `label_proba` is not valid.

        Warns
        -----
        ClassesWarning
            If votes look like the indices of more classes than y holds.

        FallbackWarning
            If the model is not to be trusted, and votes are counted instead.

        LabelsWarning
            If labels are to be learned from, and nothing tells how they were chosen.

        ConvergenceWarning
            If `max_iter` steps were not enough.
        """
        if is_dask(X):
            X, sample_weight = _count_lazily(X, y, sample_weight)
        votes = self._validate(X, reset=True)
        known = None if self.classes is None else Classes.listed(self.classes)
        rows, known = self._read(votes, y, sample_weight, known, label_proba)
        self.__dict__.pop("_running", None)
        self._fit_rows(rows, known, X, y)
        self._classes = known
        # So that partial_fit can go on from here.
        self._seen = rows if len(rows.votes) <= _MAX_PATTERNS else None
        self._warn_of_origins(rows, label_proba)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: LabelsLike | None = None,
        classes: Iterable[Any] | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        label_proba: ArrayLike | float | None = None,
    ) -> Self:
        """Learn from one more chunk of votes.

        While there are at most 262,144 different rows of votes, the result is that of
        ``fit`` on all chunks together, also on those that ``fit`` saw. Beyond, each
        chunk makes one step of stepwise expectation maximisation [1]_, in which every
        sample counts alike; classes, answers and groups stay what they are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains.

        y : array-like of shape (n_samples,), default=None
            Labels, as in ``fit``.

        classes : array-like of shape (n_classes,), default=None
            All classes, if the parameter `classes` does not list them. Needed in the
            first call only, and only where y does not hold all classes.

        sample_weight : array-like of shape (n_samples,), default=None
            Number of times that each sample counts. A chunk in which all weights are 0
            changes nothing.

        label_proba : array-like of shape (n_samples,) or float, default=None
            Probability with which each label was asked for, as in ``fit``, on one scale
            for all chunks.

        Returns
        -------
        self : LabelModelAggregator
            The fitted aggregator. After an error it is what it was before the call.

        Raises
        ------
        ValueError
            As in ``fit``; if `classes` or labels are not those of earlier chunks; or if
            ``fit`` saw more different rows of votes than are kept.

        References
        ----------
        .. [1] P. Liang and D. Klein, "Online EM for unsupervised models", NAACL 2009.
        """
        seen, running = getattr(self, "_seen", None), hasattr(self, "_running")
        first = seen is None and not running
        if first and hasattr(self, "n_iter_"):
            raise ValueError(
                "partial_fit can't go on from this fit, of which the votes were not "
                f"kept: it saw more than {_MAX_PATTERNS:,} different rows, or an older "
                "version made it. Start with partial_fit on an unfitted aggregator."
            )
        votes = self._validate(X, reset=first)
        known = self._known_classes(classes, first=first)
        rows, known = read_rows(
            votes,
            y,
            sample_weight,
            known,
            learns=self._learns(),
            label_proba=label_proba,
            goes_on=not first,
        )
        if not len(rows.votes):
            return self
        if running:
            self._step(rows.collapse())
        else:
            whole = (rows if seen is None else seen.followed_by(rows)).collapse()
            self._fit_rows(whole, known, X, y)
            self._seen, self._classes = whole, known
            too_many = len(whole.votes) > _MAX_PATTERNS
            if too_many and self.method_ in _ITERATED:
                self._start_steps(whole)
        self._warn_of_origins(rows, label_proba)
        return self

    @cached_property
    def accuracy_interval_(self) -> np.ndarray:
        """Lowest and highest accuracy of each program that votes allow."""
        bounds, seen = getattr(self, "_bounds", None), getattr(self, "_seen", None)
        if bounds is None and seen is not None:
            bounds = VoteBounds.count(self._encode(seen))
        if bounds is None:
            raise AttributeError(
                f"This {type(self).__name__} has no accuracy_interval_: it is not "
                "fitted, or an earlier version fitted it."
            )
        return bounds.intervals()

    @lazy_for_dask
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Estimate the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains. An answer that a program did not give
            during ``fit`` is no evidence; with "majority_vote", one that is not in
            ``answers_``.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``. A sample without any vote gets
            `class_prior` if that is given. Else it is more probably of a class that
            programs, once they vote for it, seldom vote for together.

        Raises
        ------
        ValueError
            If `classes` was given and a vote is neither -1 nor the index of a class.
        """
        check_is_fitted(self)
        votes = self._validate(X, reset=False)
        proba = np.empty((len(votes), len(self.classes_)))
        for start in range(0, len(votes), _CHUNK):
            place = slice(start, start + _CHUNK)
            codes = self._encode_votes(votes[place])
            proba[place] = self._model.posterior(codes, self.temperature_)
        return proba

    @lazy_for_dask
    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Class labels. Of equally probable classes, what `tie_break_policy` says.
        """
        proba = self.predict_proba(X)
        best = proba.argmax(axis=1)
        if self.tie_break_policy == "prior":
            return self.classes_[best]
        # What the order of a sum can change is a tie.
        tied = proba >= proba.max(axis=1, keepdims=True) * (1 - 1e-9)
        several = np.count_nonzero(tied, axis=1) > 1
        if self.tie_break_policy == "random":
            votes = self._validate(X, reset=False)[several]
            best[several] = self._draw(votes, tied[several])
            return self.classes_[best]
        labels = self.classes_[best]
        if labels.dtype.kind in "iuf" and ABSTAIN not in self.classes_:
            labels = labels.astype(np.promote_types(labels.dtype, np.int8))
            labels[several] = ABSTAIN
            return labels
        labels = labels.astype(object)
        labels[several] = None
        return labels

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

    def _encode_votes(self, votes: np.ndarray) -> np.ndarray:
        """Return votes as positions in `answers_`; unknown ones as n_answers."""
        if self.classes is not None:
            check_class_indices(votes, len(self.classes_))
        return encode_answers(votes, self.answers_)

    def score(
        self, X: ArrayLike, y: LabelsLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Compute the accuracy.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_programs)
            Votes, -1 where a program abstains.

        y : array-like of shape (n_samples,)
            Labels, none of them missing.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            Share of the samples whose most probable class is their label.
        """
        check_is_fitted(self)
        return super().score(X, label_array(y, self.classes_), sample_weight)

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

    def _read(
        self,
        votes: np.ndarray,
        y: LabelsLike | None,
        sample_weight: ArrayLike | None,
        known: Classes | None,
        label_proba: ArrayLike | float | None,
    ) -> tuple[Rows, Classes | None]:
        """Validate and collapse all rows; without labels, chunk by chunk."""
        given: dict[str, Any] = {"learns": self._learns(), "label_proba": label_proba}
        if y is not None or len(votes) <= _CHUNK:
            rows, known = read_rows(votes, y, sample_weight, known, **given)
            return rows.collapse(), known
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, votes)
        parts, repeats = [], True
        for start in range(0, len(votes), _CHUNK):
            place = slice(start, start + _CHUNK)
            part = read_rows(
                votes[place],
                None,
                None if weight is None else weight[place],
                known,
                learns=given["learns"],
                goes_on=True,
            )[0]
            parts.append(part.collapse() if repeats else part)
            repeats = len(parts[-1].votes) < len(part.votes) / 2
        rows = Rows(
            np.concatenate([part.votes for part in parts]),
            None,
            np.concatenate([part.counts for part in parts]),
        )
        if not len(rows.votes):
            read_rows(votes, None, weight, known, **given)  # raises
        return rows.collapse(), known

    def _learns(self) -> bool:
        """Tell whether labels are learned from."""
        return self.semi_supervised or self.temperature == "estimate"

    def _warn_of_origins(self, rows: Rows, label_proba: Any) -> None:
        """Tell once a call that labels of unknown origin do not judge programs."""
        n_labels = int(rows.is_labelled.sum())
        if label_proba is not None or not self.semi_supervised or not n_labels:
            return
        warn(
            "Nothing tells how the labels in y were chosen, so they do not say how "
            f"accurate programs are: of {self.label_use_['given']:g} labels, "
            f"{self.label_use_['accuracies']:g} do, and the temperature is fitted to "
            f"{self.label_use_['temperature']:g}. Pass label_proba, the probability "
            "with which each was asked for: 1 for a plain random sample.",
            LabelsWarning,
        )

    def _fit_rows(
        self,
        rows: Rows,
        classes: Classes | None,
        X: ArrayLike,
        y: LabelsLike | None,
    ) -> None:
        """Fit the method to different rows of votes."""
        names, answers = self._resolve_classes(rows.votes, classes)
        check_confusion_size(rows.votes.shape[1], len(names), len(answers))
        groups = self._given_groups()
        class_prior = check_class_prior(self.class_prior, names)
        self._check_temperature(rows)
        self.classes_, self.answers_ = names, answers
        seed = check_random_state(self.random_state)
        self._seed = int(seed.randint(np.iinfo(np.int32).max))
        patterns = self._encode(rows).sample(_MAX_FITTED)
        task = self._init_callback_context(max_subtasks=None)
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        self.method_ = self.method
        self.fallback_reason_: str | None = None
        if self.method in _ITERATED:
            self._settings = Settings(
                one_coin=self.method == "one_coin",
                abstain=self.abstain,
                class_prior=class_prior,
                groups=groups,
                max_iter=self.max_iter,
                tol=self.tol,
            )
            self._run(patterns, task, X, y)
        else:
            self._vote(patterns, class_prior)
        self._describe(patterns, class_prior)
        # Rows that are not kept are counted now, others when intervals are asked for.
        kept = len(rows.votes) <= _MAX_PATTERNS
        self._bounds = None if kept else VoteBounds.count(patterns)
        self.__dict__.pop("accuracy_interval_", None)
        self._n_samples = rows.counts.sum()
        self.temperature_ = self._find_temperature(rows)
        self.label_use_ = self._count_labels(rows)
        task.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes={}
        )

    def _known_classes(
        self, classes: Iterable[Any] | None, *, first: bool
    ) -> Classes | None:
        """Return the classes of earlier chunks, or those that are listed."""
        listed = [Classes.listed(c) for c in (self.classes, classes) if c is not None]
        known = None if first else self._classes
        for other in listed:
            if known is None and not first:
                raise ValueError(
                    "classes come with a later chunk, and what the votes before it "
                    "stand for is not known: pass them in the first call of "
                    "partial_fit."
                )
            if known is not None and not np.array_equal(known.names, other.names):
                raise ValueError(
                    f"classes={other.names.tolist()} is not the same as before, "
                    f"{known.names.tolist()}: leave it out, or use another "
                    "LabelModelAggregator."
                )
            known = other
        return known

    def _resolve_classes(
        self, votes: np.ndarray, classes: Classes | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the names of the classes, and the answers."""
        names = classes_of_votes(votes) if classes is None else classes.names
        if self.classes is None:
            return names, answers_of_votes(votes)
        check_class_indices(votes, len(names))
        return names, np.arange(ABSTAIN, len(names), dtype=vote_dtype(len(names)))

    def _given_groups(self) -> list[np.ndarray] | None:
        """Return the groups that the user asks for; None if they are searched for."""
        if self.program_groups is None:
            return None if self.dependencies == "auto" else []
        names = getattr(self, "feature_names_in_", None)
        return check_groups(self.program_groups, self.n_features_in_, names)

    def _vote(
        self,
        patterns: Patterns,
        class_prior: np.ndarray | None,
        groups: Sequence[np.ndarray] | None = (),
    ) -> None:
        """Set what was learned by counting votes."""
        self._model = fit_voting_rule(
            patterns,
            weighted=self.method_ == "weighted_vote",
            class_prior=class_prior,
            groups=tuple(find_all_groups(patterns) if groups is None else groups),
        )
        self.n_iter_, self.converged_ = 1, True
        self.log_likelihood_ = np.nan

    def _run(
        self, patterns: Patterns, task: Any, X: ArrayLike, y: LabelsLike | None
    ) -> None:
        """Set what was learned by expectation maximisation, or by its fallback."""

        def on_step(model: VoteModel) -> bool:
            step = task.subcontext(task_name="em-step")
            step.call_on_fit_task_begin(estimator=self, X=X, y=y)
            # Set in each step, so that callbacks meet an estimator that can predict.
            self._model, self.class_prior_ = model, np.exp(model.log_prior[2])
            return bool(
                step.call_on_fit_task_end(
                    estimator=self, X=X, y=y, reconstruction_attributes={}
                )
            )

        self.temperature_ = 1.0
        if self.method_ == "dawid_skene":
            self.fallback_reason_ = sparse_confusion_reason(patterns)
        if self.fallback_reason_ is not None:
            _logger.info("fallback from Dawid-Skene: %s", self.fallback_reason_)
        if self.fallback_reason_ is not None and patterns.labels is None:
            self.method_ = "weighted_vote"
            self._vote(patterns, self._settings.class_prior, self._settings.groups)
            return
        if self.fallback_reason_ is not None:
            self.method_ = "one_coin"
            self._settings = replace(self._settings, one_coin=True)
        fit = fit_votes(patterns, self._settings, on_step)
        self._model, self._settings = fit.model, fit.settings
        self.n_iter_, self.converged_ = fit.n_iter, fit.converged
        self.log_likelihood_ = fit.log_likelihood
        if not (fit.converged or fit.stopped):
            warn(
                f"The fit did not converge in max_iter={self.max_iter} steps; the last "
                f"one still moved a probability by {fit.change:.2g}. Increase "
                "max_iter, or increase tol if that is close enough.",
                ConvergenceWarning,
            )
        reason = None
        if self.guard and not fit.stopped and patterns.labels is None:
            reason = fallback_reason(patterns, fit.model)
        if reason is not None:
            self.method_, self.fallback_reason_ = "majority_vote", reason
            _logger.info("fallback to the majority vote: %s", reason)
            warn(
                f"{reason} So method='majority_vote' is used instead of "
                f"{self.method!r}. {_ADVICE[self._in_annotator]}",
                FallbackWarning,
            )
            self._vote(patterns, self._settings.class_prior)
        elif not fit.stopped:
            shared = find_shared_errors(patterns, fit.model)
            self._model = replace(fit.model, shared=shared)

    def _describe(self, patterns: Patterns, class_prior: np.ndarray | None) -> None:
        """Set the attributes that say what programs do."""
        self.groups_ = list(self._model.groups)
        proba = self._model.posterior(patterns.codes)
        self.confusion_, prior = program_confusion(patterns, proba)
        self.class_prior_ = prior if class_prior is None else class_prior
        if class_prior is None and self.method_ not in _ITERATED:
            votes_for = count_votes(patterns.codes, patterns.meaning)
            self.class_prior_ = vote_share_prior(votes_for, patterns.counts)
        self.accuracies_ = accuracies_of(
            self.confusion_, self.class_prior_, patterns.meaning
        )

    def _check_temperature(self, rows: Rows) -> None:
        """Raise if labels are to tell the temperature and there are none."""
        if self.temperature == "estimate" and not rows.is_labelled.any():
            raise ValueError(
                'temperature="estimate" needs labels in y, and there are none. Pass '
                "some, or set temperature to a number."
            )

    def _find_temperature(self, rows: Rows) -> float:
        """Return the temperature that is given, or fits the labels."""
        if not isinstance(self.temperature, str):
            return float(self.temperature)
        known = rows.is_labelled
        codes = encode_answers(rows.votes[known], self.answers_)
        weight = (rows.weights() * rows.counts)[known]
        return fit_temperature(
            self._model.posterior(codes),
            rows.label_codes[known],
            weight,
            strength=_TEMPERATURE_STRENGTH,
            prior=self._model.prior(codes),
        )

    def _count_labels(self, rows: Rows) -> dict[str, int | float]:
        """Count what the labels are used for."""
        given = rows.counts[rows.is_labelled].sum()
        learns = self.semi_supervised and self.method_ in _ITERATED
        sampled = rows.counts[rows.is_sampled].sum() if learns else 0
        fitted = given if self.temperature == "estimate" else 0
        totals = {"given": given, "accuracies": sampled, "temperature": fitted}
        return {
            use: int(total) if total == int(total) else float(total)
            for use, total in totals.items()
        }

    def _encode(self, rows: Rows) -> Patterns:
        """Return votes as positions in `answers_`; unknown ones as n_answers."""
        learns = self.semi_supervised
        rows = rows.with_sampled_labels() if learns else rows.without_labels()
        return Patterns(
            encode_answers(rows.votes, self.answers_),
            rows.counts,
            class_of_answers(self.answers_, len(self.classes_)),
            rows.labels,
            None if rows.labels is None else rows.weights(),
        )

    def _start_steps(self, rows: Rows) -> None:
        """Go over from fitting all patterns again to one step for each chunk."""
        if isinstance(self._model, VoteModel):
            patterns = self._encode(rows)
            self._running = Stepwise.begin(patterns, self._model, self._settings)
        self._seen = None  # the rows are not needed any more

    def _step(self, rows: Rows) -> None:
        """Learn from one more chunk by one step of stepwise EM."""
        if self.classes is not None:
            check_class_indices(rows.votes, len(self.classes_))
        chunk = self._encode(rows)
        self._running = self._running.step(chunk)
        self._model = self._running.model
        new = self._count_labels(rows) | {"temperature": 0}
        self.label_use_ = {use: n + new[use] for use, n in self.label_use_.items()}
        before = self.confusion_, self.class_prior_
        self._describe(chunk, self._settings.class_prior)
        total = self._n_samples + chunk.counts.sum()
        share = self._n_samples / total
        self.confusion_ = share * before[0] + (1 - share) * self.confusion_
        self.class_prior_ = share * before[1] + (1 - share) * self.class_prior_
        self.accuracies_ = accuracies_of(
            self.confusion_, self.class_prior_, chunk.meaning
        )
        bounds = getattr(self, "_bounds", None)  # earlier pickles have none
        if bounds is not None:
            self._bounds = bounds + VoteBounds.count(chunk)
            self.__dict__.pop("accuracy_interval_", None)
        self._n_samples = total
        self.n_iter_ += 1

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.categorical = True
        # Labels are not learned from, so predictions need not agree with them.
        tags.classifier_tags.poor_score = True
        return tags


def _count_lazily(X: Any, y: Any, sample_weight: Any) -> tuple[Any, np.ndarray]:
    """Count the different rows of a Dask collection, as rows and their weights."""
    if y is not None or sample_weight is not None:
        raise TypeError(
            "y and sample_weight cannot be given with a Dask collection: pass "
            "X.compute(), or learn from labels in chunks with partial_fit."
        )
    return collapse_partitions(X)
