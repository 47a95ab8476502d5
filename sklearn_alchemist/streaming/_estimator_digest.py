"""Tell whether two fitted estimators give the same labels."""

import pickle
from typing import Any

import joblib


def without_jobs(estimator: Any) -> Any:
    """Copy a fitted estimator for a process that does one thing at a time.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    copy : estimator
        The same with ``n_jobs`` None, also in its parts.

    Raises
    ------
    TypeError
        If it cannot be pickled.
    """
    try:
        copied = pickle.loads(pickle.dumps(estimator))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"{type(estimator).__name__} cannot be pickled, as it has to be for other "
            f"processes and to be told from another one: {error}. Define functions in "
            "a module."
        ) from None
    for part in _parts(copied):
        if "n_jobs" in part.get_params(deep=False):
            part.set_params(n_jobs=None)
    return copied


def digest_of(estimator: Any) -> str:
    """Digest what a fitted estimator has learned and is set to.

    Parameters
    ----------
    estimator : estimator
        Fitted, as `without_jobs` gives it.

    Returns
    -------
    digest : str
        The same in every process.
    """
    return str(joblib.hash(estimator))


def _parts(estimator: Any, seen: set[int] | None = None) -> list[Any]:
    """Find an estimator and all that it holds, set or fitted."""
    seen = set() if seen is None else seen
    if id(estimator) in seen or not hasattr(estimator, "get_params"):
        return []
    seen.add(id(estimator))
    found = [] if isinstance(estimator, type) else [estimator]
    for value in vars(estimator).values():
        held = value if isinstance(value, list | tuple) else [value]
        for item in held:
            inner = item if isinstance(item, tuple) else [item]
            for each in inner:
                found += _parts(each, seen)
    return found
