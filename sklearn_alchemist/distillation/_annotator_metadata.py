"""Route the metadata of an annotator's fit: weights, and how labels were drawn."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch, _safe_indexing
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
    has_fit_parameter,
)

from ..data import (
    as_indexable,
)
from ..label_model import LabelModelAggregator
from ._soft_labels import fit_parameter


def with_requests(estimator: BaseEstimator) -> BaseEstimator:
    """Request sample weights for a default, as a user would for an own estimator."""
    if _routing_enabled():
        estimator.set_fit_request(sample_weight=True)
    return estimator


def default_aggregator() -> LabelModelAggregator:
    """Make the aggregator that None stands for."""
    return with_requests(LabelModelAggregator())


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
