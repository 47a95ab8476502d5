"""Fit how sure a model may be, on samples whose class is known."""

import numpy as np
from scipy.optimize import minimize_scalar

# Temperatures from 1 / 20 to 20.
_LARGEST_LOG = np.log(20.0)


def fit_temperature(
    proba: np.ndarray,
    labels: np.ndarray,
    sample_weight: np.ndarray | None = None,
    *,
    expected: float = 1.0,
    strength: float = 1.0,
    prior: np.ndarray | None = None,
) -> float:
    """Find the temperature that makes labels most probable.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Class probabilities.

    labels : ndarray of int of shape (n_samples,)
        Class indices.

    sample_weight : ndarray of shape (n_samples,), default=None
        Weight of each sample; 1 if None.

    expected : float, default=1.0
        The temperature where there are no labels.

    strength : float, default=1.0
        How strongly few labels are held near it: the factor of the squared difference
        of the logarithms, beside the log-likelihood of the labels.

    prior : ndarray of shape (n_samples, n_classes), default=None
        What is known beside the evidence that the temperature divides; nothing if None.

    Returns
    -------
    temperature : float
        What to divide the logarithms of the probabilities by; above 1 if the model is
        surer than it is right. Between 1/20 and 20.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
    networks", ICML 2017.

    Examples
    --------
    Nine tenths sure, and right in three cases of four.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import fit_temperature
    >>> proba = np.tile([0.9, 0.1], (400, 1))
    >>> labels = np.repeat([0, 1], [300, 100])
    >>> round(fit_temperature(proba, labels), 1)
    2.0
    """
    logs = np.log(np.maximum(proba, 1e-300))
    beside = np.zeros(logs.shape) if prior is None else np.log(prior)
    logs = logs - beside
    rows = np.arange(len(labels))
    weight = np.ones(len(labels)) if sample_weight is None else sample_weight

    def loss(log_temperature: float) -> float:
        scaled = beside + logs / np.exp(log_temperature)
        normaliser = np.logaddexp.reduce(scaled, axis=1)
        distance = log_temperature - np.log(expected)
        misfit = weight @ (normaliser - scaled[rows, labels])
        return float(misfit + strength * distance**2)

    found = minimize_scalar(
        loss, bounds=(-_LARGEST_LOG, _LARGEST_LOG), method="bounded"
    )
    return float(np.exp(found.x))
