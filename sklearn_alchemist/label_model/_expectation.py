"""Estimate the classes, given the parameters: the E-step of EM."""

from collections.abc import Iterator

import numpy as np

from ._hidden_votes import group_evidence, split_group
from ._parameters import Expected, Parameters, log_evidence
from ._priors import FIDELITY
from ._table import Block, Group, PatternTable, count_rows

# Samples whose probabilities are held at one time: few enough for the cache.
_CHUNK = 1 << 15


def posterior(
    table: PatternTable, parameters: Parameters, temperature: float = 1.0
) -> np.ndarray:
    """Compute the class probabilities of each pattern.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    parameters : Parameters
        The model.

    temperature : float, default=1
        Logarithms of probabilities are divided by it; above 1 they come closer to
        each other.

    Returns
    -------
    posterior : ndarray of shape (n_patterns, n_classes)
        Rows sum to one.

    Examples
    --------
    One program says "1" to a fifth of class 0 and three fifths of class 1.

    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, PatternTable, posterior
    >>> confusion = np.array([[[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]])
    >>> said_one = PatternTable(np.array([[2]]), n_answers=3)
    >>> posterior(said_one, Parameters(np.full(2, 0.5), confusion, np.zeros(1)))
    array([[0.25, 0.75]])
    """
    model = _Evidence(table, parameters)
    proba = np.empty((table.n_patterns, len(parameters.class_prior)))
    for start, stop in _chunks(table.n_patterns):
        logits = model.logits(model.rows(start, stop))
        logits /= temperature
        _normalise(logits)
        proba[start:stop] = logits.T
    return proba


def expect(
    table: PatternTable,
    counts: np.ndarray,
    parameters: Parameters,
    labels: np.ndarray | None = None,
) -> Expected:
    """Add up the samples under their class probabilities (E-step).

    Parameters
    ----------
    table : PatternTable
        The patterns.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    parameters : Parameters
        The current model.

    labels : ndarray of int of shape (n_patterns,), default=None
        Class index where the class of the samples is known, -1 elsewhere.

    Returns
    -------
    expected : Expected
        Expected counts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import Parameters, PatternTable, expect
    >>> confusion = np.array([[[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]])
    >>> said_one = PatternTable(np.array([[2]]), n_answers=3)
    >>> model = Parameters(np.array([0.5, 0.5]), confusion, np.zeros(1))
    >>> expect(said_one, np.array([8.0]), model).answers[0]
    array([[0., 0., 2.],
           [0., 0., 6.]])
    """
    model = _Evidence(table, parameters)
    n_classes = len(parameters.class_prior)
    joint = [np.zeros_like(evidence) for evidence in model.tables]
    classes = np.zeros(n_classes)
    log_likelihood = 0.0
    for start, stop in _chunks(table.n_patterns):
        rows = model.rows(start, stop)
        logits = model.logits(rows)
        if labels is not None:
            known = labels[start:stop]
            impossible = (known >= 0) & (known != np.arange(n_classes)[:, None])
            logits[impossible] = -np.inf
        weight = counts[start:stop]
        log_likelihood += weight @ _normalise(logits)
        logits *= weight
        classes += logits.sum(axis=1)
        for total, row in zip(joint, rows, strict=True):
            total += count_rows(row, logits, total.shape[1])
    return model.split(classes, joint, log_likelihood)


def expect_from_votes(
    table: PatternTable, counts: np.ndarray, proba: np.ndarray
) -> Expected:
    """Add up the samples under given class probabilities, to start from.

    The hidden answer of a group is taken from the votes of its members.

    Parameters
    ----------
    table : PatternTable
        The patterns.

    counts : ndarray of shape (n_patterns,)
        Number of samples of each pattern.

    proba : ndarray of shape (n_classes, n_patterns)
        Class probabilities of each pattern.

    Returns
    -------
    expected : Expected
        Expected counts; the log-likelihood is not known (-inf).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable, expect_from_votes
    >>> table = PatternTable(np.array([[1], [2]]), n_answers=3)
    >>> proba = np.array([[0.75, 0.25], [0.25, 0.75]])
    >>> expect_from_votes(table, np.array([4.0, 4.0]), proba).answers[0]
    array([[0., 3., 1.],
           [0., 1., 3.]])
    """
    weights = proba * counts
    n_classes = len(proba)
    answers = np.empty(
        (table.n_programs + len(table.groups), n_classes, table.n_answers)
    )
    answers[table.singles] = table.count(weights)
    for position, group in enumerate(table.groups, table.n_programs):
        by_row = count_rows(group.rows, weights, group.members.n_patterns)
        answers[position] = by_row @ group.shares.T
        answers[group.programs] = (1 - FIDELITY) * group.members.count(by_row)
    return Expected(weights.sum(axis=1), answers, -np.inf)


class _Evidence:
    """What each row of the tables of a :class:`PatternTable` says about the class."""

    def __init__(self, table: PatternTable, parameters: Parameters) -> None:
        self.table = table
        self.parameters = parameters
        self._log_prior = np.log(parameters.class_prior)[:, None]
        evidence = log_evidence(parameters.confusion[table.singles])
        self.tables = list(table.block_sums(evidence))
        self.tables += [
            group_evidence(group, position, parameters)
            for position, group in enumerate(table.groups, table.n_programs)
        ]

    def rows(self, start: int, stop: int) -> list[np.ndarray]:
        """Return the rows of some patterns in each table."""
        parts: list[Block | Group] = [*self.table.blocks, *self.table.groups]
        return [part.rows[start:stop].astype(np.intp) for part in parts]

    def logits(self, rows: list[np.ndarray]) -> np.ndarray:
        """Return the logarithm of the joint probability of class and pattern."""
        logits = np.repeat(self._log_prior, len(rows[0]), axis=1)
        for table, row in zip(self.tables, rows, strict=True):
            for logit, evidence in zip(logits, table, strict=True):
                logit += evidence.take(row)
        return logits

    def split(
        self, classes: np.ndarray, joint: list[np.ndarray], log_likelihood: float
    ) -> Expected:
        """Count by voter what was counted by row."""
        table, n_blocks = self.table, len(self.table.blocks)
        answers = np.empty_like(self.parameters.confusion)
        answers[table.singles] = table.split_blocks(joint[:n_blocks], len(classes))
        for position, (group, by_row) in enumerate(
            zip(table.groups, joint[n_blocks:], strict=True), table.n_programs
        ):
            answers[position], answers[group.programs] = split_group(
                group, position, self.parameters, by_row
            )
        return Expected(classes, answers, log_likelihood)


def _chunks(n_patterns: int) -> Iterator[tuple[int, int]]:
    """Yield where the chunks of the patterns start and stop."""
    for start in range(0, n_patterns, _CHUNK):
        yield start, min(start + _CHUNK, n_patterns)


def _normalise(logits: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities in place; return the logarithms of the sums."""
    # Without the largest of the column, no exponential overflows and no sum is 0.
    largest = logits.max(axis=0)
    logits -= largest
    np.exp(logits, out=logits)
    total = logits.sum(axis=0)
    logits /= total
    return largest + np.log(total)
