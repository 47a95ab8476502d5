"""Combine the votes of labeling programs into class probabilities."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions

from .._utils import DocLinks, LabelsLike, _fit_context
from ..data import Classes, is_dask
from ..streaming import collapse_partitions
from ._aggregator_fit import ITERATED, MAX_PATTERNS, AggregatorFitMixin, can_keep
from ._aggregator_predict import AggregatorPredictMixin
from ._difficulty import first_levels
from ._training_rows import read_in_chunks, read_rows


class LabelModelAggregator(
    CallbackSupportMixin, AggregatorFitMixin, DocLinks, AggregatorPredictMixin
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

    difficulty_cuts_ : ndarray of shape (n_levels - 1,) or None
        The largest `difficulty` of each level but the last; None if ``fit`` had none.

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
        difficulty: ArrayLike | None = None,
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

        difficulty : array-like of shape (n_samples,), default=None
            What may tell samples that programs find hard from others, on any scale: the
            length of a text, a number of words that were found. Cut into four levels of
            equally many samples; on those where errors of programs come together,
            probabilities are less sure. NaN where unknown. If None, the number of votes
            of a sample tells.

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
            X, sample_weight = _count_lazily(X, y, sample_weight, difficulty)
        votes = self._validate(X, reset=True)
        known = None if self.classes is None else Classes.listed(self.classes)
        cuts, levels = first_levels(difficulty, sample_weight, len(votes))
        rows, known = read_in_chunks(
            votes,
            y,
            sample_weight,
            known,
            levels=levels,
            learns=self._learns(),
            label_proba=label_proba,
        )
        self.__dict__.pop("_running", None)
        self._fit_rows(rows, known, X, y)
        self._classes, self.difficulty_cuts_ = known, cuts
        # So that partial_fit can go on from here.
        self._seen = rows if can_keep(rows) else None
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
        difficulty: ArrayLike | None = None,
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

        difficulty : array-like of shape (n_samples,), default=None
            As in ``fit``, cut where the first chunk was.

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
                f"kept: it saw more than {MAX_PATTERNS:,} different rows, or an older "
                "version made it. Start with partial_fit on an unfitted aggregator."
            )
        votes = self._validate(X, reset=first)
        known = self._known_classes(classes, first=first)
        if first:
            cuts, levels = first_levels(difficulty, sample_weight, len(votes))
        else:
            cuts = getattr(self, "difficulty_cuts_", None)
            levels = self._levels(difficulty, len(votes))
        rows, known = read_rows(
            votes,
            y,
            sample_weight,
            known,
            levels=levels,
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
            self.difficulty_cuts_ = cuts
            if not can_keep(whole) and self.method_ in ITERATED:
                self._start_steps(whole)
        self._warn_of_origins(rows, label_proba)
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.categorical = True
        # Labels are not learned from, so predictions need not agree with them.
        tags.classifier_tags.poor_score = True
        return tags


def _count_lazily(
    X: Any, y: Any, sample_weight: Any, difficulty: Any
) -> tuple[Any, np.ndarray]:
    """Count the different rows of a Dask collection, as rows and their weights."""
    if y is not None or sample_weight is not None or difficulty is not None:
        raise TypeError(
            "y, sample_weight and difficulty cannot be given with a Dask collection: "
            "pass X.compute(), or learn in chunks with partial_fit."
        )
    return collapse_partitions(X)
