"""Learn how often a second reader is right, and count its answer as one more vote."""

from dataclasses import dataclass
from typing import Self

import numpy as np

NO_ANSWER = -1
# What is thought of a reader before its first answer, and how many answers that weighs.
USUAL_ACCURACY = 0.85
_WEIGHT_OF_USUAL = 2.0
# Answers, for each true class, that an equal share among the other classes weighs. Both
# on made-up answers: those of the tests of this file.
_WEIGHT_OF_SYMMETRY = 10.0
_ROUNDS = 100
_TOLERANCE = 1e-6
# No class is impossible, whatever programs or answers say.
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Reader:
    """Who may be asked about records, and how far to believe the answers.

    Parameters
    ----------
    confusion : ndarray of shape (n_classes, n_classes)
        Probability of each answer (columns) for each true class (rows).

    n_answers : int, default=0
        Answers that it was learned from.
    """

    confusion: np.ndarray
    n_answers: int = 0

    @classmethod
    def symmetric(cls, accuracy: float, n_classes: int) -> Self:
        """Describe a reader that errs alike on all classes.

        Parameters
        ----------
        accuracy : float
            How often it is right.

        n_classes : int
            Number of classes.

        Returns
        -------
        reader : Reader
            The reader.
        """
        return cls(_symmetric(accuracy, n_classes))

    def posterior(self, proba: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Count answers as one more vote beside the probabilities.

        Parameters
        ----------
        proba : ndarray of shape (n_samples, n_classes)
            What is thought of the records without the answers.

        codes : ndarray of int of shape (n_samples,)
            The answers; -1 where there is none.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            The same where there is no answer.
        """
        proba = np.array(proba, dtype=float)
        read = codes != NO_ANSWER
        said = np.maximum(proba[read], _LEAST) * self.confusion.T[codes[read]]
        proba[read] = said / said.sum(axis=1, keepdims=True)
        return proba

    def gain(self, proba: np.ndarray) -> np.ndarray:
        """Say how much likelier a right label is once the reader was asked.

        Parameters
        ----------
        proba : ndarray of shape (n_samples, n_classes)
            What is thought of the records.

        Returns
        -------
        gain : ndarray of shape (n_samples,)
            Expected reduction of the error, 0 where no answer would change the label.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_alchemist.cascade import Reader
        >>> reader = Reader.symmetric(0.9, 2)
        >>> reader.gain(np.array([[0.5, 0.5], [0.8, 0.2], [0.95, 0.05]])).round(2)
        array([0.4, 0.1, 0. ])
        """
        proba = np.maximum(proba, _LEAST)
        proba = proba / proba.sum(axis=1, keepdims=True)
        after = np.zeros(len(proba))
        for answer in self.confusion.T:
            after += (proba * answer).max(axis=1)
        gain = after - proba.max(axis=1)
        return np.where(gain > 1e-12, gain, 0.0)  # rounding is no gain


def fit_reader(proba: np.ndarray, codes: np.ndarray) -> Reader:
    """Estimate the errors of a reader without labels, from what else is thought.

    By EM with the probabilities as they are: records on which programs agree say most,
    and a label that is known counts as certain. Errors are drawn towards an equal share
    among the other classes, as few answers tell little of each pair of classes.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        What is thought of the records without the answers; 1 for a known label.

    codes : ndarray of int of shape (n_samples,)
        The answers; -1 where there is none.

    Returns
    -------
    reader : Reader
        A reader of usual accuracy where there is no answer.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.cascade import fit_reader
    >>> proba = np.repeat([[0.99, 0.01], [0.01, 0.99]], 50, axis=0)
    >>> reader = fit_reader(proba, np.repeat([0, 1], 50))
    >>> bool(reader.confusion[0, 0] > 0.95)
    True
    """
    n_classes = proba.shape[1]
    read = codes != NO_ANSWER
    codes = codes[read]
    prior = np.maximum(proba[read], _LEAST)
    accuracy = USUAL_ACCURACY
    answers = np.eye(n_classes)[codes]
    for _ in range(_ROUNDS):
        after = _normalize(prior * _symmetric(accuracy, n_classes).T[codes])
        right = after[np.arange(len(codes)), codes].sum()
        seen = right + USUAL_ACCURACY * _WEIGHT_OF_USUAL
        last, accuracy = accuracy, float(seen / (len(codes) + _WEIGHT_OF_USUAL))
        if abs(accuracy - last) < _TOLERANCE:
            break
    # One standard error less: who is believed too much does harm, too little hardly.
    variance = accuracy * (1 - accuracy) / (len(codes) + _WEIGHT_OF_USUAL)
    usual = _symmetric(accuracy - variance**0.5 if len(codes) else accuracy, n_classes)
    confusion = usual
    for _ in range(_ROUNDS):
        after = _normalize(prior * confusion.T[codes])
        counts = after.T @ answers + _WEIGHT_OF_SYMMETRY * usual
        before, confusion = confusion, _normalize(counts)
        if np.abs(confusion - before).max() < _TOLERANCE:
            break
    return Reader(confusion, len(codes))


def _symmetric(accuracy: float, n_classes: int) -> np.ndarray:
    errors = (1 - accuracy) / max(n_classes - 1, 1)
    return np.where(np.eye(n_classes, dtype=bool), accuracy, errors)


def _normalize(values: np.ndarray) -> np.ndarray:
    return values / values.sum(axis=1, keepdims=True)
