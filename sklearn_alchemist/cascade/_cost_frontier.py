"""Trace accuracy against dollars, from no record read to all of them."""

import numpy as np
from sklearn.utils import Bunch

from ..data import UNLABELED
from ._reader_accuracy import NO_ANSWER, Reader
from ._records_to_ask import View

# Shares of the records that the frontier tells of.
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)


def trace_frontier(
    worth: np.ndarray,
    dollars: np.ndarray,
    sure: np.ndarray,
    gain: np.ndarray,
    right_alone: np.ndarray | None = None,
    right_read: np.ndarray | None = None,
) -> Bunch:
    """Add up what is expected, and what is known, of reading the best records first.

    Parameters
    ----------
    worth : ndarray of shape (n_samples,)
        Records are read in this order, the largest first.

    dollars : ndarray of shape (n_samples,)
        What a call costs; NaN where unknown.

    sure : ndarray of shape (n_samples,)
        Probability that each label is right without an answer.

    gain : ndarray of shape (n_samples,)
        What an answer is expected to add to it.

    right_alone, right_read : ndarray of shape (n_samples,), default=None
        1 where a label is right without and with an answer, 0 where it is wrong, NaN
        where it is not known: there is no label, or no answer.

    Returns
    -------
    frontier : Bunch
        Arrays of shape (n_shares,): ``share`` and ``rows`` that are read, ``dollars``
        that this costs, ``expected_accuracy``, ``random_accuracy`` that is expected of
        as many random records, and, with labels, ``accuracy``: NaN from the first
        share on that no stored answers reach.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.cascade import trace_frontier
    >>> sure, gain = np.array([0.5, 0.9]), np.array([0.4, 0.0])
    >>> frontier = trace_frontier(gain, np.ones(2), sure, gain)
    >>> frontier.share[[0, 9]], frontier.expected_accuracy[[0, 9]].round(2)
    (array([0. , 0.5]), array([0.7, 0.9]))
    """
    n_rows = len(worth)
    order = np.argsort(-worth, kind="stable")
    rows = np.round(np.array(SHARES) * n_rows).astype(int)
    gained, paid = _running(gain[order]), _running(dollars[order])
    base = sure.sum()
    n = max(n_rows, 1)
    frontier = Bunch(
        share=rows / n,
        rows=rows,
        dollars=paid[rows],
        expected_accuracy=(base + gained[rows]) / n,
        random_accuracy=(base + gain.sum() * rows / n) / n,
    )
    if right_alone is not None and right_read is not None:
        known = ~np.isnan(right_alone)
        alone = np.where(known, right_alone, 0.0)
        # Where nobody knows the truth, it does not matter that nobody answered.
        change = np.where(known, right_read - alone, 0.0)
        total = alone.sum() + _running(change[order])[rows]
        frontier.accuracy = total / max(known.sum(), 1)
        if not known.any():
            frontier.accuracy = np.full(len(rows), np.nan)
    return frontier


def frontier_of(view: View, reader: Reader, gold: np.ndarray | None) -> Bunch:
    """Trace the frontier of records, equal ones paid once.

    Parameters
    ----------
    view : View
        The records, and the answers that are stored.

    reader : Reader
        Says how far to believe the answers.

    gold : ndarray of int of shape (n_samples,) or None
        Known classes, -1 where none is known.

    Returns
    -------
    frontier : Bunch
        What `trace_frontier` gives.
    """
    right_alone = right_read = None
    if gold is not None:
        read = reader.posterior(view.proba, view.codes)
        right_alone, right_read = (
            np.where(
                gold == UNLABELED, np.nan, (gold == p.argmax(axis=1)).astype(float)
            )
            for p in (view.proba, read)
        )
        right_read[(view.codes == NO_ANSWER) & (view.gain > 0)] = np.nan
    is_first = view.first == np.arange(len(view.rows))
    return trace_frontier(
        view.worth,
        np.where(is_first, view.dollars, 0.0),
        view.proba.max(axis=1, initial=0.0),
        view.gain,
        right_alone,
        right_read,
    )


def _running(values: np.ndarray) -> np.ndarray:
    """Add up the first n values, for every n from 0 on."""
    return np.concatenate([[0.0], np.cumsum(values)])
