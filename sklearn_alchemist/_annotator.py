"""Train a classifier on labels that programs voted for."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    _fit_context,
    clone,
)
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch, Tags, get_tags
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted

from ._aggregator import LabelModelAggregator
from ._records import Records, check_records, is_text
from .distillation import fit_on_soft_labels, table_student, text_student
from .exceptions import ProgramWarning
from .votes import ABSTAIN


class DistilledAnnotator(
    CallbackSupportMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Train a classifier on labels that programs voted for.

    The labeler's programs vote, the aggregator turns their votes into probabilities,
    and a student learns these from the records themselves. The student also labels
    what no program has an opinion on, and is quicker and smaller than the programs.
    No gold label is used.

    Parameters
    ----------
    labeler : transformer
        Gives the votes, such as `ProgramSynthesisLabeler`.

    aggregator : classifier, default=None
        Turns votes into probabilities. None is `LabelModelAggregator` with the classes
        of the labeler.

    estimator : classifier, default=None
        The student. It is trained on the probabilities if its ``fit`` takes a
        ``sample_weight``, else on the most probable classes. None is logistic
        regression, for texts on TF-IDF, for tables on scaled and encoded columns.

    predict_with : {"student", "votes"}, default="student"
        Who answers in `predict` and `predict_proba`: the student, or the aggregator
        from the votes of the programs.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.

    labeler_, aggregator_, estimator_ : estimators
        The fitted parts.

    n_features_in_ : int
        Number of columns seen during ``fit``; 1 for texts.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when all of them are strings.

    See Also
    --------
    ProgramSynthesisLabeler : Gets the programs written.
    LabelModelAggregator : Combines their votes.

    References
    ----------
    .. [1] T.-H. Huang, C. Cao, V. Bhargava and F. Sala, "The ALCHEmist: Automated
       Labeling 500x CHEaper Than LLM Data Annotators", NeurIPS 2024.

    Examples
    --------
    >>> from sklearn_alchemist import (
    ...     DistilledAnnotator, LabelingProgram, ProgramSynthesisLabeler
    ... )
    >>> programs = [
    ...     LabelingProgram("link", "def label(text): return 'http' in text or None"),
    ...     LabelingProgram("song", "def label(text): return 'song' not in text"),
    ... ]
    >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=programs)
    >>> texts = ["http://a.example free", "what a song", "song of mine", "free http"]
    >>> annotator = DistilledAnnotator(labeler).fit(texts)
    >>> annotator.predict(["free stuff", "this song"])
    array([ True, False])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "labeler": [HasMethods(["fit", "transform"])],
        "aggregator": [HasMethods(["fit", "predict_proba"]), None],
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "predict_with": [StrOptions({"student", "votes"})],
    }

    def __init__(
        self,
        labeler: BaseEstimator,
        aggregator: BaseEstimator | None = None,
        estimator: BaseEstimator | None = None,
        *,
        predict_with: str = "student",
    ) -> None:
        self.labeler = labeler
        self.aggregator = aggregator
        self.estimator = estimator
        self.predict_with = predict_with

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike | None = None, **fit_params: Any) -> Self:
        """Let programs label `X` and train the student on it.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        y : array-like of shape (n_samples,), default=None
            Labels. They name the classes where the labeler does not, and are not used
            otherwise.

        **fit_params : dict
            Metadata for the parts that request it, with metadata routing enabled. A
            ``sample_weight`` that the student requests multiplies the probabilities.

        Returns
        -------
        self : DistilledAnnotator
            The fitted annotator.

        Raises
        ------
        ValueError, TypeError
            If the data or the classes cannot be used.

        LLMError, SynthesisError
            If the labeler gets no programs.

        Warns
        -----
        ProgramWarning
            If no program votes on any record: the student then knows nothing.
        """
        _raise_for_params(fit_params, self, "fit")
        params = _route(self, fit_params)
        records = check_records(self, X, reset=True, allow_nan=self._allows_nan())
        context = self._init_callback_context(max_subtasks=3)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)

        self.labeler_ = clone(self.labeler)
        with _part(context, "label", self, self.labeler_):
            votes = _fit_and_vote(self.labeler_, X, y, params.labeler.fit)
        self.aggregator_ = self._make_aggregator()
        with _part(context, "aggregate", self, self.aggregator_):
            self.aggregator_.fit(votes, y, **params.aggregator.fit)
        self.classes_ = self.aggregator_.classes_
        covered = (votes != ABSTAIN).any(axis=1)
        if not covered.any():
            warnings.warn(
                f"No program votes on any of {len(votes)} records, so the student can "
                "only answer with the class prior. Read the programs in "
                "labeler_.programs_, and describe task and classes in more detail.",
                ProgramWarning,
                stacklevel=2,
            )
        default = self.estimator is None
        self.estimator_ = (
            _default_student(records) if default else clone(self.estimator)
        )
        with _part(context, "distill", self, self.estimator_):
            self.estimator_ = fit_on_soft_labels(
                self.estimator_,
                self._student_input(X, records),
                self.aggregator_.predict_proba(votes),
                self.classes_,
                covered=covered,
                fit_params=params.estimator.fit,
            )
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Estimate the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities between 0 and 1, in the order of ``classes_``: the student's,
            or with ``predict_with="votes"`` the aggregator's.
        """
        check_is_fitted(self)
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        if self.predict_with == "votes":
            return self.aggregator_.predict_proba(self._vote(X))
        return self._ask_student(X, records)

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Classes.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def annotate(self, X: Any, *, as_frame: bool = False) -> Any:
        """Label records and show where the labels come from.

        Parameters
        ----------
        X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
            Texts, or a table.

        as_frame : bool, default=False
            Whether to return a pandas DataFrame, with the index of `X` if it has one.

        Returns
        -------
        annotation : Bunch or DataFrame
            ``label``: ndarray of shape (n_samples,), the most probable class.

            ``confidence``: ndarray of shape (n_samples,), its probability.

            ``votes``: ndarray of shape (n_samples, n_programs), what the programs say,
            as indices into ``classes_``, -1 where one abstains. In a DataFrame one
            column a program, with classes, missing where it abstains.

            ``programs``: ndarray of shape (n_programs,), their names. In a DataFrame
            the names of the columns.
        """
        check_is_fitted(self)
        records = check_records(self, X, reset=False, allow_nan=self._allows_nan())
        votes = self._vote(X)
        if self.predict_with == "votes":
            proba = self.aggregator_.predict_proba(votes)
        else:
            proba = self._ask_student(X, records)
        best = proba.argmax(axis=1)
        annotation = Bunch(
            label=self.classes_[best],
            confidence=proba[np.arange(len(proba)), best],
            votes=votes,
            programs=self._program_names(votes.shape[1]),
        )
        return _as_frame(annotation, self.classes_, X) if as_frame else annotation

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell which metadata goes to which part.

        Returns
        -------
        routing : MetadataRouter
            The routing information.
        """
        return MetadataRouter(owner=self).add(
            labeler=self.labeler,
            # By identity: an ensemble that is not fitted has no truth value.
            aggregator=(
                _default_aggregator() if self.aggregator is None else self.aggregator
            ),
            estimator=(
                _with_requests(LogisticRegression())
                if self.estimator is None
                else self.estimator
            ),
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def _make_aggregator(self) -> BaseEstimator:
        """Copy the aggregator and tell it the classes, so that no fold shifts them."""
        if self.aggregator is None:
            aggregator = _default_aggregator()
        else:
            aggregator = clone(self.aggregator)
        if hasattr(self.labeler_, "classes_"):
            open_classes = {
                name: self.labeler_.classes_
                for name, value in aggregator.get_params().items()
                if name.split("__")[-1] == "classes" and value is None
            }
            aggregator.set_params(**open_classes)
        return aggregator

    def _ask_student(self, X: Any, records: Records) -> np.ndarray:
        """Give the student's probabilities a column for each class."""
        proba = np.zeros((records.n_rows, len(self.classes_)))
        # The student has not seen a class that no row was given.
        known = np.searchsorted(self.classes_, self.estimator_.classes_)
        proba[:, known] = self.estimator_.predict_proba(self._student_input(X, records))
        return proba

    def _vote(self, X: Any) -> np.ndarray:
        return np.asarray(self.labeler_.transform(X))

    def _program_names(self, n_programs: int) -> np.ndarray:
        if hasattr(self.labeler_, "get_feature_names_out"):
            return self.labeler_.get_feature_names_out()
        return np.array([f"program_{j}" for j in range(n_programs)], dtype=object)

    def _student_input(self, X: Any, records: Records) -> Any:
        """Bring `X` into a form that the student can take."""
        texts = records.is_text and (self.estimator is None or is_text(X))
        if texts:
            (column,) = records.columns.values()
            return ["" if text is None else text for text in column]
        if self.estimator is None:
            return np.array(list(records.columns.values()), dtype=object).T
        return X

    def _allows_nan(self) -> bool:
        return get_tags(self).input_tags.allow_nan

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = get_tags(self.labeler).target_tags.required
        tags.classifier_tags.poor_score = True  # fit does not look at who has which y
        default = self.estimator is None
        student = None if default else get_tags(self.estimator).input_tags
        tags.input_tags.string = student is None or student.string
        tags.input_tags.allow_nan = student is None or student.allow_nan
        return tags


def _route(annotator: DistilledAnnotator, fit_params: dict[str, Any]) -> Bunch:
    if _routing_enabled():
        return process_routing(annotator, "fit", **fit_params)
    return Bunch(**{p: Bunch(fit={}) for p in ("labeler", "aggregator", "estimator")})


def _with_requests(estimator: BaseEstimator) -> BaseEstimator:
    """Request sample weights for a default, as a user would for an own estimator."""
    if _routing_enabled():
        estimator.set_fit_request(sample_weight=True)
    return estimator


def _default_aggregator() -> LabelModelAggregator:
    return _with_requests(LabelModelAggregator())


def _default_student(records: Records) -> BaseEstimator:
    if records.is_text:
        return text_student()
    return table_student(
        [
            all(value is None or isinstance(value, int | float) for value in values)
            for values in records.columns.values()
        ]
    )


def _fit_and_vote(
    labeler: BaseEstimator, X: Any, y: Any, fit_params: dict[str, Any]
) -> np.ndarray:
    if hasattr(labeler, "fit_transform"):
        return np.asarray(labeler.fit_transform(X, y, **fit_params))
    # A frozen labeler has no fit_transform.
    return np.asarray(labeler.fit(X, y, **fit_params).transform(X))


@contextmanager
def _part(
    context: CallbackContext,
    name: str,
    annotator: DistilledAnnotator,
    part: BaseEstimator,
) -> Iterator[None]:
    """Report the fit of a part, and hand callbacks on if it supports them."""
    task = context.subcontext(name)
    supported = hasattr(part, "set_callbacks")
    with task.propagate_callback_context(part) if supported else nullcontext():
        task.call_on_fit_task_begin(estimator=annotator)
        yield
        task.call_on_fit_task_end(estimator=annotator)


def _as_frame(annotation: Bunch, classes: np.ndarray, X: Any) -> Any:
    """Make a DataFrame with one row a record and one column a program."""
    import pandas as pd

    frame = {"label": annotation.label, "confidence": annotation.confidence}
    frame |= {
        f"{name} (program)" if name in frame else name: pd.Categorical.from_codes(
            annotation.votes[:, j], classes
        )
        for j, name in enumerate(annotation.programs)
    }
    return pd.DataFrame(frame, index=X.index if hasattr(X, "iloc") else None)
