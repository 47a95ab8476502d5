"""Bootstrap differences of accuracy, over rows and over recordings."""

from collections.abc import Mapping, Sequence

import numpy as np

# For each data set: right (True) or wrong, of shape (n_recordings, n_rows).
Hits = Mapping[str, np.ndarray]


def differences(
    ours: Hits, theirs: Hits, *, n_replicates: int = 10_000, seed: int = 0
) -> dict[str, np.ndarray]:
    """Resample rows, the same for both, and recordings, apart for each.

    Parameters
    ----------
    ours, theirs : mapping of str to ndarray of shape (n_recordings, n_rows)
        Whether each row is labeled rightly, for each data set.

    n_replicates : int, default=10_000
        Number of replicates.

    seed : int, default=0
        Seed of the resampling.

    Returns
    -------
    differences : dict of str to ndarray of shape (n_replicates,)
        Accuracy of ours less that of theirs for each data set, and under ``"mean"``
        their mean.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for name in ours:
        n_rows = ours[name].shape[1]
        one, other = _resampled(ours[name], theirs[name], n_rows, n_replicates, rng)
        found[name] = one - other
    found["mean"] = np.mean(list(found.values()), axis=0)
    return found


def _resampled(
    ours: np.ndarray,
    theirs: np.ndarray,
    n_rows: int,
    n_replicates: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    weights = rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), n_replicates)
    accuracies = []
    for hits in (ours, theirs):
        by_recording = weights @ hits.T.astype(float) / n_rows
        drawn = rng.integers(len(hits), size=(n_replicates, len(hits)))
        accuracies.append(np.take_along_axis(by_recording, drawn, 1).mean(axis=1))
    return accuracies[0], accuracies[1]


def interval(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Find the middle 95 % of replicates.

    Parameters
    ----------
    values : array-like of shape (n_replicates,)
        The replicates.

    Returns
    -------
    low, high : float
        The 2.5 and the 97.5 percentile.
    """
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
