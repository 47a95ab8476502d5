"""Decide how much votes and student count, without labels and with a few."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from ._scaling import combine, log_proba, softmax

# Weight of the votes beside a student that repeats them well, which share of the rows
# is well enough for a round, how many times the weight is for one that repeats no more
# than a half, and from which share on it is the least. Chosen on rows for training and
# validation, 300 and 1,000 of them (benchmarks/blend.py).
VOTE_WEIGHT = 0.3
GOOD_FIDELITY = 0.86
_MOST_WEIGHT = 10.0
_LEAST_WEIGHT_FIDELITY = 0.9
_FIDELITY_RANGE = 0.36
# Divisor of log-probabilities beside votes of weight 0: two who agree are right more
# often than either is. What the votes weigh is added to it, as evidence that is counted
# several times is no more for it (the same script).
_LEAST_TEMPERATURE = 0.5
# Votes that are nearly certain repeat each other: how many times the divisor is from
# the second mean confidence on, once up to the first.
_MOST_REPEATED = 1.5
_DOUBTING, _CERTAIN = 0.95, 0.99
# Cohen's kappa below which a student is taken to know nothing of use.
_LITTLE = 0.15
# Labels of a model that agree less with what votes say are not learned from: neither
# can be told to be right. A judgement; one that knows nothing of the task is near 0.
_LEAST_KAPPA = 0.4
# Held near what is usual as long as labels are few: factor of the squared change of the
# logarithms of temperature and vote weight, and of the shifts, beside the likelihood of
# the labels. Chosen on training rows of the same sets.
_TRUST_TEMPERATURE = 4.0
_TRUST_WEIGHT = 16.0
_TRUST_SHIFT = 12.0
# Parts of the labels that are held out in turn.
LABEL_FOLDS = 5


@dataclass(frozen=True)
class Blend:
    """How student and votes are combined.

    Parameters
    ----------
    vote_weight : ndarray of shape (n_classes,)
        Weight of the votes' evidence beside the student, for each class; infinite where
        the votes answer alone.

    shift : ndarray of shape (n_classes,)
        What is added to the log-probabilities in the end.

    temperature : float
        What they are divided by before.
    """

    vote_weight: np.ndarray
    shift: np.ndarray
    temperature: float

    def __call__(
        self, student: np.ndarray, from_votes: np.ndarray, prior: np.ndarray
    ) -> np.ndarray:
        """Combine probabilities.

        Parameters
        ----------
        student, from_votes : ndarray of shape (n_samples, n_classes)
            Probabilities of the student, scaled, and of the votes.

        prior : ndarray of shape (n_classes,)
            Probabilities of the classes before anybody voted.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            What both say.
        """
        both = combine(student, from_votes, prior, self.vote_weight)
        if self.temperature == 1.0 and not self.shift.any():
            return both
        return softmax(log_proba(both) / self.temperature + self.shift)


def usual_temperature(
    vote_weight: np.ndarray, from_votes: np.ndarray, weight: np.ndarray
) -> float:
    """Tell how sure votes and student may be together, without labels.

    Parameters
    ----------
    vote_weight : ndarray of shape (n_classes,)
        Weight of the votes beside the student; infinite where they answer alone.

    from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities that the votes give.

    weight : ndarray of shape (n_samples,)
        How much each row counts; 0 where no program votes.

    Returns
    -------
    temperature : float
        What log-probabilities are divided by.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import usual_temperature
    >>> sure, unsure = np.array([[1.0, 0.0]]), np.array([[0.7, 0.3]])
    >>> half, one = np.array([0.5, 0.5]), np.ones(1)
    >>> usual_temperature(half, sure, one), usual_temperature(half, unsure, one)
    (1.5, 1.0)
    """
    if not vote_weight.any():
        return 1.0  # only the student is heard, which is scaled already
    repeated = _MOST_REPEATED ** _certainty(from_votes, weight)
    if np.isinf(vote_weight).any():
        return float(repeated)
    return float((_LEAST_TEMPERATURE + vote_weight.mean()) * repeated)


def fit_blend(
    student: np.ndarray,
    from_votes: np.ndarray,
    prior: np.ndarray,
    codes: np.ndarray,
    weight: np.ndarray,
    usual: Blend,
) -> Blend:
    """Move weight, shifts and temperature as far as a few labels say.

    Parameters
    ----------
    student : ndarray of shape (n_labels, n_classes)
        Probabilities of students that did not learn from the label.

    from_votes : ndarray of shape (n_labels, n_classes)
        Probabilities that the votes give.

    prior : ndarray of shape (n_classes,)
        Probabilities of the classes before anybody voted.

    codes : ndarray of int of shape (n_labels,)
        The labels.

    weight : ndarray of shape (n_labels,)
        How much each counts.

    usual : Blend
        What holds without labels.

    Returns
    -------
    blend : Blend
        The most probable, with `usual` expected.

    Examples
    --------
    Votes that are always right beside a student that knows nothing.

    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import Blend, fit_blend
    >>> codes, even = np.arange(200) % 2, np.full(2, 0.5)
    >>> votes = np.array([[0.7, 0.3], [0.3, 0.7]])[codes]
    >>> student = np.full((200, 2), 0.5)
    >>> usual = Blend(np.full(2, 0.3), np.zeros(2), 1.5)
    >>> blend = fit_blend(student, votes, even, codes, np.ones(200), usual)
    >>> bool(blend.vote_weight.min() > 0.3), blend.temperature < 1.5
    (True, True)
    """
    n_classes = len(prior)
    alone = np.isinf(usual.vote_weight).any()
    logs = log_proba(from_votes if alone else student)
    evidence = (log_proba(from_votes) - log_proba(prior)) * usual.vote_weight
    evidence = np.zeros_like(logs) if alone else evidence
    known = np.eye(n_classes)[codes]
    trust = np.r_[_TRUST_TEMPERATURE, _TRUST_WEIGHT, np.full(n_classes, _TRUST_SHIFT)]

    def loss(moved: np.ndarray) -> tuple[float, np.ndarray]:
        scale, factor = np.exp(moved[:2])
        of_votes = scale / usual.temperature * factor * evidence
        both = scale / usual.temperature * logs + of_votes
        said = softmax(both + usual.shift + moved[2:])
        excess = weight[:, None] * (said - known)
        gradient = np.r_[
            (excess * both).sum(), (excess * of_votes).sum(), excess.sum(axis=0)
        ]
        entropy = -(weight * np.log(np.maximum((said * known).sum(axis=1), 1e-12)))
        return entropy.sum() + trust @ moved**2, gradient + 2 * trust * moved

    bounds = [(-3.0, 3.0)] * 2 + [(None, None)] * n_classes
    found = minimize(
        loss, np.zeros(2 + n_classes), jac=True, method="L-BFGS-B", bounds=bounds
    ).x
    return Blend(
        usual.vote_weight * float(np.exp(found[1])),
        usual.shift + found[2:],
        usual.temperature / float(np.exp(found[0])),
    )


def blend_held_out(
    student: np.ndarray,
    from_votes: np.ndarray,
    prior: np.ndarray,
    codes: np.ndarray,
    weight: np.ndarray,
    usual: Blend,
) -> np.ndarray:
    """Say of labelled rows what blends say that did not learn from their labels.

    Parameters
    ----------
    student : ndarray of shape (n_labels, n_classes)
        Probabilities of students that did not learn from the label.

    from_votes : ndarray of shape (n_labels, n_classes)
        Probabilities that the votes give.

    prior : ndarray of shape (n_classes,)
        Probabilities of the classes before anybody voted.

    codes : ndarray of int of shape (n_labels,)
        The labels.

    weight : ndarray of shape (n_labels,)
        How much each counts.

    usual : Blend
        What holds without labels.

    Returns
    -------
    proba : ndarray of shape (n_labels, n_classes)
        What blends fitted to the labels of the other folds say.
    """
    proba = np.empty_like(from_votes)
    fold = np.arange(len(codes)) % LABEL_FOLDS
    for k in np.unique(fold):
        asked, learned = fold == k, fold != k
        blend = fit_blend(
            student[learned],
            from_votes[learned],
            prior,
            codes[learned],
            weight[learned],
            usual,
        )
        proba[asked] = blend(student[asked], from_votes[asked], prior)
    return proba


def fidelity(
    student: np.ndarray, from_votes: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Tell how well a student repeats what votes say of rows that it did not see.

    Parameters
    ----------
    student : ndarray of shape (n_samples, n_classes)
        Probabilities of students that did not learn from the row.

    from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities that the votes give.

    weight : ndarray of shape (n_samples,)
        How much each row counts; 0 where no program votes.

    Returns
    -------
    fidelity : ndarray of shape (n_classes,)
        Between 0 and 1: for each class, the mean of the share of rows on which both say
        the same and of the class's own share (F1), so that rare classes are not judged
        by few rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import fidelity
    >>> votes, student = np.eye(2)[[0, 0, 0, 1]], np.eye(2)[[0, 0, 0, 0]]
    >>> fidelity(student, votes, np.ones(4)).round(2)
    array([0.8 , 0.38])
    """
    n_classes = student.shape[1]
    both = confusion_matrix(
        from_votes.argmax(axis=1),
        student.argmax(axis=1),
        labels=np.arange(n_classes),
        sample_weight=weight,
    )
    same, said = np.diag(both), both.sum(axis=0) + both.sum(axis=1)
    agreement = same.sum() / max(weight.sum(), 1e-12)
    own = np.where(said > 0, 2 * same / np.maximum(said, 1e-12), agreement)
    return (agreement + own) / 2


def knows_little(
    student: np.ndarray, from_votes: np.ndarray, weight: np.ndarray
) -> bool:
    """Tell whether a student agrees with the votes hardly more than by chance.

    Parameters
    ----------
    student : ndarray of shape (n_samples, n_classes)
        Probabilities of students that did not learn from the row.

    from_votes : ndarray of shape (n_samples, n_classes)
        Probabilities that the votes give.

    weight : ndarray of shape (n_samples,)
        How much each row counts; 0 where no program votes.

    Returns
    -------
    little : bool
        False where the votes always say the same, which can be learned.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import knows_little
    >>> votes, student = np.eye(2)[[0, 1] * 50], np.eye(2)[[0, 0, 1, 1] * 25]
    >>> knows_little(student, votes, np.ones(100))
    True
    """
    heard, said = from_votes.argmax(axis=1), student.argmax(axis=1)
    if len(np.unique(heard[weight > 0])) < 2:
        return False
    return bool(cohen_kappa_score(heard, said, sample_weight=weight) < _LITTLE)


def agree_beyond_chance(
    one: np.ndarray, other: np.ndarray, weight: np.ndarray | None = None
) -> bool:
    """Tell whether who labels the same records speaks of the same thing.

    Parameters
    ----------
    one, other : ndarray of int of shape (n_samples,)
        Class indices.

    weight : ndarray of shape (n_samples,), default=None
        How much each record counts; 1 if None.

    Returns
    -------
    agree : bool
        False where both know the same class only, which may be chance.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import agree_beyond_chance
    >>> codes, spam = np.arange(100) % 2, np.ones(100, dtype=int)
    >>> agree_beyond_chance(codes, codes), agree_beyond_chance(codes, spam)
    (True, False)
    """
    if len(np.union1d(one, other)) < 2:
        return False
    return bool(cohen_kappa_score(one, other, sample_weight=weight) >= _LEAST_KAPPA)


def usual_vote_weight(fidelity: np.ndarray) -> np.ndarray:
    """Weigh the votes beside a student without labels.

    Parameters
    ----------
    fidelity : ndarray of shape (n_classes,)
        How well the student repeats votes of rows that it did not see.

    Returns
    -------
    vote_weight : ndarray of shape (n_classes,)
        Three tenths beside a student that repeats them well, up to three beside one
        that does not.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import usual_vote_weight
    >>> usual_vote_weight(np.array([0.95, 0.5]))
    array([0.3, 3. ])
    """
    return VOTE_WEIGHT * _MOST_WEIGHT ** _lacking(fidelity)


def _lacking(fidelity: np.ndarray) -> np.ndarray:
    """Give 0 for a good student of a class, 1 for a bad one, and the way between."""
    return np.clip((_LEAST_WEIGHT_FIDELITY - fidelity) / _FIDELITY_RANGE, 0.0, 1.0)


def _certainty(from_votes: np.ndarray, weight: np.ndarray) -> float:
    """Give 0 for votes that doubt, 1 for those nearly certain, and the way between."""
    mean = float(np.average(from_votes.max(axis=1), weights=weight))
    return float(np.clip((mean - _DOUBTING) / (_CERTAIN - _DOUBTING), 0.0, 1.0))
