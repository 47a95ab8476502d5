"""Say what to predict where several classes are equally probable."""

import numpy as np

from ..votes import ABSTAIN

# What the order of a sum can change is a tie.
_ROUNDING = 1e-9


def find_ties(proba: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the most probable classes of each row.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.

    Returns
    -------
    best : ndarray of int of shape (n_rows,)
        The first of the most probable classes.

    several : ndarray of bool of shape (n_rows,)
        Which rows have more than one of them.

    tied : ndarray of bool of shape (n_rows, n_classes)
        Which they are.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import find_ties
    >>> find_ties(np.array([[0.4, 0.4, 0.2], [0.2, 0.5, 0.3]]))[:2]
    (array([0, 1]), array([ True, False]))
    """
    tied = proba >= proba.max(axis=1, keepdims=True) * (1 - _ROUNDING)
    return tied.argmax(axis=1), np.count_nonzero(tied, axis=1) > 1, tied


def leave_ties_open(
    classes: np.ndarray, best: np.ndarray, several: np.ndarray
) -> np.ndarray:
    """Name the best classes, and none where there are several.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Their names.

    best : ndarray of int of shape (n_rows,)
        The best of each row.

    several : ndarray of bool of shape (n_rows,)
        Which rows have more than one.

    Returns
    -------
    labels : ndarray of shape (n_rows,)
        Names, and -1 among numbers of which none is -1, else None.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import leave_ties_open
    >>> leave_ties_open(np.array([3, 5]), np.array([0, 1]), np.array([True, False]))
    array([-1,  5])
    """
    labels = classes[best]
    if labels.dtype.kind in "iuf" and ABSTAIN not in classes:
        labels = labels.astype(np.promote_types(labels.dtype, np.int8))
        labels[several] = ABSTAIN
        return labels
    labels = labels.astype(object)
    labels[several] = None
    return labels
