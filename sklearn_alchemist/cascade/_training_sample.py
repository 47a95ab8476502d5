"""Draw the training records that are asked about, so that the same call goes on."""

import hashlib
from collections.abc import Sequence

import numpy as np

from ..data import UNLABELED
from ..distillation import inclusion_probabilities
from ._reader_accuracy import NO_ANSWER
from ._records_to_ask import Limits, View

# Share of the draws that every record has the same chance in, so that each answer also
# says what records at large are like.
_PLAIN_SHARE = 0.5


def permanent_numbers(records: Sequence[str], seed: int) -> np.ndarray:
    """Give every record a random number of its own, the same in every call.

    Parameters
    ----------
    records : sequence of str
        What tells the records apart.

    seed : int
        Other seeds give other numbers.

    Returns
    -------
    numbers : ndarray of shape (n_samples,)
        Uniform between 0 and 1.

    Examples
    --------
    >>> from sklearn_alchemist.cascade import permanent_numbers
    >>> one, other, again = permanent_numbers(["a", "b", "a"], 0)
    >>> bool(one == again), bool(one == other)
    (True, False)
    """
    numbers = []
    for record in records:
        told = hashlib.sha256(f"{seed} {record}".encode("utf-8", "surrogatepass"))
        numbers.append((int.from_bytes(told.digest()[:6]) + 0.5) / 2**48)
    return np.array(numbers, dtype=float)


def draw_records(
    worth: np.ndarray, numbers: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw records in proportion to what an answer is worth.

    Pareto sampling [1]_ by numbers that stay with the records: who draws again, in
    another process or from another fold, draws the same ones where it can.

    Parameters
    ----------
    worth : ndarray of shape (n_samples,)
        Not negative.

    numbers : ndarray of shape (n_samples,)
        Random numbers between 0 and 1.

    n : int
        How many to draw.

    Returns
    -------
    positions : ndarray of int of shape (min(n, n_samples),)
        The records.

    chance : ndarray of shape (min(n, n_samples),)
        Probability with which each was drawn.

    References
    ----------
    .. [1] B. Rosen, "On sampling with probability proportional to size", Journal of
       Statistical Planning and Inference 62(2), 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.cascade import draw_records
    >>> positions, chance = draw_records(np.array([0.0, 9.0]), np.array([0.5, 0.5]), 1)
    >>> positions, chance
    (array([1]), array([0.75]))
    """
    n_rows = len(worth)
    n = min(n, n_rows)
    if not n:
        return np.empty(0, dtype=int), np.empty(0)
    size = np.full(n_rows, 1 / n_rows)
    if worth.sum() > 0:
        size = _PLAIN_SHARE * size + (1 - _PLAIN_SHARE) * worth / worth.sum()
    chance = np.clip(inclusion_probabilities(size, n), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        rank = (numbers / (1 - numbers)) * ((1 - chance) / chance)
    positions = np.lexsort((numbers, rank))[:n]
    return positions, chance[positions]


def draw_training(
    view: View, judging: np.ndarray, limits: Limits, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw training records as far as a budget reaches, each with a known chance.

    Parameters
    ----------
    view : View
        The records.

    judging : ndarray of int
        Labelled records that are asked about first, to judge the reader.

    limits : Limits
        What the call may take to the reader.

    seed : int
        Other seeds draw others.

    Returns
    -------
    asked : ndarray of int
        Positions of different records, in the order in which they are asked about.

    drawn_with : ndarray of shape (n_asked,)
        Probability with which each was drawn; NaN of those that judge.
    """
    max_rows, max_cost = limits
    equal_to = view.first
    first = np.unique(equal_to)
    numbers = permanent_numbers([view.keys[i] for i in first], seed)
    n = len(first)
    if max_rows is not None:
        n = min(n, max_rows)
    if max_cost is not None and view.dollars[first].sum() > 0:
        n = min(n, int(max_cost / view.dollars[first].mean()) + 1)
    judged = equal_to[judging]
    judged = judged[np.sort(np.unique(judged, return_index=True)[1])][:n]
    left = np.setdiff1d(first, judged)
    places = np.searchsorted(first, left)
    drawn, with_chance = draw_records(
        view.worth[left], numbers[places], n - len(judged)
    )
    asked = np.concatenate([judged, left[drawn]])
    with_chance = np.concatenate([np.full(len(judged), np.nan), with_chance])
    if max_cost is not None:
        fits = np.cumsum(view.dollars[asked]) <= max_cost
        fits[:1] = True  # one that is too dear is told by whoever keeps the budget
        asked, with_chance = asked[fits], with_chance[fits]
    return asked, with_chance


def drawn_answers(
    asked: np.ndarray, drawn_with: np.ndarray, codes: np.ndarray, gold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Take the answers that count as labels that were drawn so.

    All of them: those that agree with the annotator alone would make it too sure.

    Parameters
    ----------
    asked : ndarray of int
        Records that were asked about.

    drawn_with : ndarray of shape (n_asked,)
        Probability with which each was drawn; NaN of those that judge the reader.

    codes : ndarray of int of shape (n_samples,)
        The answers; -1 where there is none.

    gold : ndarray of int of shape (n_samples,)
        Labels that are known; -1 elsewhere.

    Returns
    -------
    rows : ndarray of int
        Records with an answer and no label.

    chance : ndarray of shape (n_rows,)
        Probability with which each was drawn.
    """
    read = (codes[asked] != NO_ANSWER) & (gold[asked] == UNLABELED)
    read &= ~np.isnan(drawn_with)
    return asked[read], drawn_with[read]
