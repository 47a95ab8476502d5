"""Sum over the votes of a pattern, and count over patterns, through small tables."""

import numpy as np

# Tables of at most this many rows stay in the cache of a processor.
_MAX_ROWS = 4096


class PatternTable:
    """Vote patterns, stored as one code for each block of neighbouring programs.

    The sum over the votes of a block is read from a table that holds every combination
    of answers, and counts are collected in such a table before they are split by
    program. That costs one look-up per block instead of one per program.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, from 0 to ``n_answers - 1``.

    n_answers : int
        Number of different answers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable
    >>> table = PatternTable(np.array([[0, 1], [1, 1]]), n_answers=2)
    >>> table.count(np.array([[1.0], [3.0]]))[:, 0]
    array([[1., 3.],
           [0., 4.]])
    >>> table.sum(np.array([[[5.0], [7.0]], [[0.0], [0.5]]]))
    array([[5.5],
           [7.5]])
    """

    def __init__(self, codes: np.ndarray, n_answers: int) -> None:
        self.n_patterns, self.n_programs = codes.shape
        self.n_answers = n_answers
        width = _block_width(n_answers, min(_MAX_ROWS, self.n_patterns))
        self._blocks = [
            _join(codes[:, start : start + width], n_answers)
            for start in range(0, self.n_programs, width)
        ]
        self._widths = [
            min(width, self.n_programs - start)
            for start in range(0, self.n_programs, width)
        ]

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum the values of the answers of each pattern.

        Parameters
        ----------
        values : ndarray of shape (n_programs, n_answers, n_classes)
            Value of each answer of each program.

        Returns
        -------
        total : ndarray of shape (n_patterns, n_classes)
            Sum over the programs.
        """
        n_classes = values.shape[2]
        total = np.zeros((self.n_patterns, n_classes))
        start = 0
        for block, width in zip(self._blocks, self._widths, strict=True):
            table = np.zeros((1, n_classes))
            for program in range(start, start + width):
                table = (table[:, None, :] + values[program]).reshape(-1, n_classes)
            total += table.take(block, axis=0)
            start += width
        return total

    def count(self, weights: np.ndarray) -> np.ndarray:
        """Add up, for each answer of each program, the weights of its patterns.

        Parameters
        ----------
        weights : ndarray of shape (n_patterns, n_classes)
            Weight of each pattern in each class.

        Returns
        -------
        counts : ndarray of shape (n_programs, n_classes, n_answers)
            Total weights.
        """
        n_classes = weights.shape[1]
        counts = np.empty((self.n_programs, n_classes, self.n_answers))
        columns = np.ascontiguousarray(weights.T)
        start = 0
        for block, width in zip(self._blocks, self._widths, strict=True):
            n_rows = self.n_answers**width
            joint = np.stack([np.bincount(block, w, n_rows) for w in columns])
            for program in range(start, start + width):
                # The first digit is the answer of the first program that is left.
                joint = joint.reshape(n_classes, self.n_answers, -1)
                counts[program] = joint.sum(axis=2)
                joint = joint.sum(axis=1)
            start += width
        return counts


def _block_width(n_answers: int, max_rows: int) -> int:
    """Return how many programs one block holds, at least 1."""
    width = 1
    n_answers = max(n_answers, 2)
    while n_answers ** (width + 1) <= max_rows:
        width += 1
    return width


def _join(codes: np.ndarray, n_answers: int) -> np.ndarray:
    """Read each row as the digits of one number."""
    joined = np.zeros(len(codes), dtype=np.intp)
    for column in codes.T:
        joined *= n_answers
        joined += column
    return joined
