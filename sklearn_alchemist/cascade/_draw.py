"""Draw the training records that are asked about, so that the same call goes on."""

import hashlib
from collections.abc import Sequence

import numpy as np

from ..distillation import inclusion_probabilities

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
