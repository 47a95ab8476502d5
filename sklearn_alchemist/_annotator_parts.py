"""Get the parts of an annotator ready: who votes, who weighs, what each is given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.callback import CallbackContext
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch, _safe_indexing
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    get_routing_for_object,
    process_routing,
)
from sklearn.utils.validation import (
    _check_method_params,
    _check_sample_weight,
    _num_samples,
    check_consistent_length,
    has_fit_parameter,
)

from ._aggregator import LabelModelAggregator
from ._schema_change import read_change
from ._utils import LabelsLike
from .data import (
    UNLABELED,
    Classes,
    ClassMapping,
    as_indexable,
    minus_one_is_open,
    read_labels,
)
from .distillation import fit_parameter


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


def default_aggregator() -> LabelModelAggregator:
    """Make the aggregator that None stands for."""
    return with_requests(LabelModelAggregator())


def with_requests(estimator: BaseEstimator) -> BaseEstimator:
    """Request sample weights for a default, as a user would for an own estimator."""
    if _routing_enabled():
        estimator.set_fit_request(sample_weight=True)
    return estimator


def label_proba_for(
    aggregator: BaseEstimator | None, asked: np.ndarray
) -> dict[str, Any]:
    """Hand the probabilities of labels to the aggregator, if it takes them."""
    if aggregator is None or has_fit_parameter(aggregator, "label_proba"):
        return {"label_proba": asked}
    if _routing_enabled():
        routing = get_routing_for_object(aggregator)
        wanted = routing.consumes(method="fit", params=["label_proba"])
        return {"label_proba": asked} if wanted else {}
    name = fit_parameter(aggregator, "label_proba")
    return {} if name is None else {name: asked}


def find_labelled(
    labeler: BaseEstimator, y: LabelsLike | None, n_samples: int, *, learn: bool
) -> np.ndarray:
    """Tell which labels to learn from; raise before programs are paid for.

    Parameters
    ----------
    labeler : transformer
        Not fitted.

    y : array-like of shape (n_samples,) or None
        Labels.

    n_samples : int
        Number of records.

    learn : bool
        Whether labels are to be learned from.

    Returns
    -------
    labelled : ndarray of bool of shape (n_samples,)
        All False where labels are not learned from.
    """
    unlabelled = np.zeros(n_samples, dtype=bool)
    if y is None and learn:
        raise ValueError(
            "learn_from_labels=True, but there is no y: give labels, missing ones "
            "as None, or set learn_from_labels=False."
        )
    if y is None:
        return unlabelled
    listed = listed_classes(labeler)
    change = _given_classes(labeler)[1]
    if change is not None and (message := change.explain_labels(y)):
        raise ValueError(message)
    if listed is not None:
        codes = Classes.listed(listed).encode(y, n_samples=n_samples)
        return codes != UNLABELED if learn else unlabelled
    if not learn:
        return unlabelled
    labels = read_labels(y)
    check_consistent_length(unlabelled, labels)
    if UNLABELED in labels:
        raise ValueError(minus_one_is_open({*labels} - {None}))
    return np.array([label is not None for label in labels])


def last_step(estimator: Any) -> Any:
    """Find what comes last in a pipeline, or in one within it."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return estimator


def described_classes(listed: Any, names: np.ndarray | None) -> Classes | None:
    """Take the user's descriptions where they are of the classes that were fitted.

    Parameters
    ----------
    listed : list, dict or None
        The classes as the user wrote them.

    names : ndarray of shape (n_classes,) or None
        The classes, None before they are known.

    Returns
    -------
    classes : Classes or None
        None where nothing is known.
    """
    classes = None if listed is None else Classes.listed(listed)
    if names is None or (classes is not None and np.array_equal(classes.names, names)):
        return classes
    return Classes.of_names(names)


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


class Given(NamedTuple):
    """What ``fit`` was given, without records of weight 0.

    Parameters
    ----------
    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        The records that count.

    y : array-like of shape (n_samples,) or None
        Their labels.

    label_proba : array-like of shape (n_samples,), float or None
        Probability with which each label was asked for.

    params : Bunch
        Metadata by the part that is to get it.

    weight : ndarray of shape (n_samples,) or None
        How much each record counts; 1 if None.

    kept : ndarray of int or None
        Positions of the records; None if all count.

    n_given : int
        How many there were.
    """

    X: Any
    y: Any
    label_proba: Any
    params: Bunch
    weight: np.ndarray | None
    kept: np.ndarray | None
    n_given: int


def leave_out_weightless(
    annotator: Any, X: Any, y: Any, label_proba: Any, fit_params: dict[str, Any]
) -> Given:
    """Leave out records of weight 0 as if they were not there.

    Parameters
    ----------
    annotator : DistilledAnnotator
        Not fitted; tells which part asks for which metadata.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        The records.

    y : array-like of shape (n_samples,) or None
        Labels.

    label_proba : array-like of shape (n_samples,), float or None
        Probability with which each label was asked for.

    fit_params : dict
        Metadata.

    Returns
    -------
    given : Given
        What counts.
    """
    params = route(annotator, fit_params)
    if X is None:
        raise TypeError("X is None: pass a list of texts, an array, or a table.")
    n_given, weight = _num_samples(X), _weight_of_rows(X, params)
    if weight is None or weight.all():
        return Given(X, y, label_proba, params, weight, None, n_given)
    rows = np.flatnonzero(weight)
    params = route(annotator, _check_method_params(X, fit_params, indices=rows))
    if label_proba is not None and not isinstance(label_proba, Real):
        label_proba = _safe_indexing(label_proba, rows)
    y = None if y is None else _safe_indexing(y, rows)
    X = _safe_indexing(as_indexable(X), rows)
    return Given(X, y, label_proba, params, weight[rows], rows, n_given)


def _weight_of_rows(X: Any, params: Bunch) -> np.ndarray | None:
    """Return the weights that aggregator or student asked for, if there are any."""
    for part in (params.aggregator.fit, params.estimator.fit):
        if part.get("sample_weight") is not None:
            return _check_sample_weight(
                part["sample_weight"],
                np.empty((_num_samples(X), 1)),
                ensure_non_negative=True,
            )
    return None


def route_parts(annotator: Any) -> MetadataRouter:
    """Tell which metadata of ``fit`` goes to which part."""
    aggregator, estimator = annotator.aggregator, annotator.estimator
    if aggregator is None:  # by identity: an unfitted ensemble has no truth value
        aggregator = default_aggregator()
    if estimator is None:
        estimator = with_requests(LogisticRegression())
    return (
        MetadataRouter(owner=annotator)
        .add_self_request(annotator)
        .add(
            labeler=annotator.labeler,
            aggregator=aggregator,
            estimator=estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )
    )


def route(annotator: Any, fit_params: dict[str, Any]) -> Bunch:
    """Sort metadata of ``fit`` by the part that is to get it."""
    if _routing_enabled():
        return process_routing(annotator, "fit", **fit_params)
    return Bunch(**{p: Bunch(fit={}) for p in ("labeler", "aggregator", "estimator")})


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


def listed_classes(labeler: BaseEstimator) -> Any:
    """Find the classes that a labeler, or one inside of it, is given or knows."""
    listed, change = _given_classes(labeler)
    if listed is None:
        return getattr(labeler, "classes_", None)
    return listed if change is None else change.after.described


def _given_classes(labeler: BaseEstimator) -> tuple[Any, ClassMapping | None]:
    """Find the classes that a labeler is given, and what became of them."""
    params = labeler.get_params() if hasattr(labeler, "get_params") else {}
    listed, change = None, None
    for name, classes in params.items():
        if name.split("__")[-1] == "classes" and classes is not None:
            mapping = params.get(name.removesuffix("classes") + "class_mapping")
            listed = classes
            change = read_change(mapping, Classes.listed(classes)) if mapping else None
    return listed, change


@contextmanager
def reporting(
    context: CallbackContext,
    name: str,
    annotator: Any,
    part: BaseEstimator | None,
    *,
    max_steps: int | None = 0,
) -> Iterator[Callable[[], None]]:
    """Report the fit of a part, hand callbacks on, and give what reports a step."""
    task = context.subcontext(name, max_subtasks=max_steps)

    def on_step() -> None:
        step = task.subcontext("step").call_on_fit_task_begin(estimator=annotator)
        step.call_on_fit_task_end(estimator=annotator)

    supported = hasattr(part, "set_callbacks")
    with task.propagate_callback_context(part) if supported else nullcontext():
        task.call_on_fit_task_begin(estimator=annotator)
        yield on_step
        task.call_on_fit_task_end(estimator=annotator)
