"""Fit an annotator to a Dask collection, of which no process holds all."""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import has_fit_parameter

from .._utils import reporting
from ..data import UNLABELED, as_indexable, check_records, profile_columns
from ..streaming import Drawn, draw_from_partitions
from ..votes import ABSTAIN, collapse
from ._annotator_checks import (
    check_classes_of_parts,
    check_finite,
    check_parts,
    known_classes,
    listed_classes,
)
from ._annotator_fit import N_TRIED, Candidates, make_aggregator, warn_of_silence
from ._students import check_student
from ._training_state import TrainingState

# Records that the labeler is fitted to, and that later ones are compared with.
_N_SAMPLED = 10_000


def fit_partitions(annotator: Any, X: Any) -> Any:
    """Let programs label records where they lie, and train the student on some of them.

    The labeler is fitted to a sample, which also tells later whether data changed; the
    aggregator to the different rows of votes, as often as each was counted; and the
    student to the records that the same fit in memory would choose.

    Parameters
    ----------
    annotator : DistilledAnnotator
        Not fitted.

    X : dask DataFrame, Series or Bag
        The records.

    Returns
    -------
    annotator : DistilledAnnotator
        Fitted.

    Raises
    ------
    TypeError
        If the collection is of another kind, or the aggregator learns from no counts.

    ValueError
        If parameters ask for all records or their places, or the data cannot be used.
    """
    if annotator.max_training_rows is None:
        raise ValueError(
            "max_training_rows=None has the student learn from all records, which a "
            "Dask collection keeps out of memory: give a number, or X.compute()."
        )
    if annotator.n_llm_labels:
        raise ValueError(
            "n_llm_labels is for records in memory: set it to 0 for a Dask collection, "
            "or fit to a sample of it, such as X.sample(frac=0.01).compute()."
        )
    check_parts(annotator.labeler, annotator.aggregator, annotator.estimator)
    aggregator = annotator.aggregator
    if aggregator is not None and not has_fit_parameter(aggregator, "sample_weight"):
        raise TypeError(
            f"{type(aggregator).__name__} cannot learn from votes that were counted in "
            "partitions, as its fit takes no sample_weight: pass X.compute()."
        )
    sample = draw_from_partitions(X, _N_SAMPLED)
    if sample.n_rows <= annotator.max_training_rows:
        return annotator.fit(X.compute())
    records = check_records(
        annotator, sample.records, reset=True, allow_nan=annotator._allows_nan()
    )
    check_student(annotator.estimator, takes_texts=records.is_text)
    classes = known_classes(listed_classes(annotator.labeler), None)
    check_classes_of_parts(classes, aggregator, annotator.class_weight)
    check_finite(records, annotator.estimator)
    tried = np.arange(min(records.n_rows, N_TRIED))
    annotator._share(_safe_indexing(as_indexable(sample.records), tried))
    context = annotator._init_callback_context(max_subtasks=3)
    context.call_on_fit_task_begin(estimator=annotator, X=X, y=None)

    annotator.__dict__.pop("_before", None)
    annotator.labeler_ = clone(annotator.labeler)
    seed, random_state = annotator._draw_seed()
    with reporting(context, "label", annotator, annotator.labeler_):
        annotator.labeler_.fit(sample.records)
        drawn = draw_from_partitions(
            X, annotator._n_candidates(), seed=seed, labeler=annotator.labeler_
        )
    assert drawn.votes is not None
    assert drawn.counted is not None
    patterns, n_of_each = drawn.counted
    annotator.aggregator_ = make_aggregator(
        aggregator, annotator.labeler_, learn=annotator.learn_from_labels
    )
    with reporting(context, "aggregate", annotator, annotator.aggregator_):
        annotator.aggregator_.fit(patterns, sample_weight=n_of_each)
    annotator.classes_ = annotator.aggregator_.classes_
    if not (patterns != ABSTAIN).any():
        warn_of_silence(drawn.n_rows)
    votes, counts = _with_the_others(drawn)
    candidates = Candidates(
        np.arange(len(drawn.votes)), drawn.hashes, counts, random_state
    )
    gold = np.full(len(votes), UNLABELED)
    rows, said = annotator._teach(
        context, drawn.records, candidates, votes, gold, counts, {}
    )
    annotator._training_state = TrainingState(
        votes=np.array(votes, dtype=np.min_scalar_type(-len(annotator.classes_))),
        gold=gold,
        label_proba=np.full(len(votes), np.nan),
        weight=counts,
        taught=gold != UNLABELED,
        rows=rows,
        said=None if said is None else said.astype(np.float32),
        kept=None,
        n_given=None,
        aggregator_params={},
        profiles=profile_columns(records),
    )
    annotator._weigh_parts()
    context.call_on_fit_task_end(estimator=annotator, X=X, y=None)
    return annotator


def _with_the_others(drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
    """Put behind votes on drawn records those on all others; count how many each is."""
    assert drawn.votes is not None
    assert drawn.counted is not None
    patterns, n_of_each = drawn.counted
    ones = np.ones(len(drawn.votes))
    patterns, _, left = collapse(
        np.concatenate([patterns, drawn.votes]), np.concatenate([n_of_each, -ones])
    )
    others = left > 0
    votes = np.concatenate([drawn.votes, patterns[others]])
    return votes, np.concatenate([ones, left[others]])
