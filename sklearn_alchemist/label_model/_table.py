"""Sum over the votes of a pattern, and count over patterns, through small tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..votes import collapse

# Tables of at most this many rows stay in the cache of a processor.
_MAX_ROWS = 4096


@dataclass(frozen=True)
class Block:
    """Programs whose answers are joined to one code: the row of a table.

    Parameters
    ----------
    programs : ndarray of int
        The columns of the programs in the block.

    rows : ndarray of int of shape (n_patterns,)
        The code of each pattern, the answer of the first program its first digit.
    """

    programs: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Group:
    """Programs that repeat one hidden vote, and the different answers they give.

    Parameters
    ----------
    programs : ndarray of int
        The columns of the programs in the group.

    rows : ndarray of int of shape (n_patterns,)
        Which of the combined answers each pattern holds.

    members : PatternTable
        The combined answers.

    shares : ndarray of shape (n_answers, n_rows)
        Of each combined answer, the shares of the votes; all for abstaining (0) if
        nobody votes.
    """

    programs: np.ndarray
    rows: np.ndarray
    members: "PatternTable"
    shares: np.ndarray


class PatternTable:
    """Vote patterns, stored as one code for each block of programs.

    The sum over the votes of a block is read from a table that holds every combination
    of answers, and counts are collected in such a table before they are split by
    program. That costs one look-up per block instead of one per program. A group of
    dependent programs is a block whose table holds the combinations that occur.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, from 0 (abstain) to ``n_answers - 1``.

    n_answers : int
        Number of different answers.

    groups : sequence of ndarray of int, default=()
        Columns of the programs that depend on each other, two or more each.

    Attributes
    ----------
    singles : ndarray of int
        Columns of the programs in no group.

    blocks : list of Block
        The programs in no group.

    groups : list of Group
        The others.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import PatternTable
    >>> table = PatternTable(np.array([[0, 1], [1, 1]]), n_answers=2)
    >>> table.count(np.array([[1.0, 3.0]]))[:, 0]
    array([[1., 3.],
           [0., 4.]])
    >>> table.sum(np.array([[[5.0], [7.0]], [[0.0], [0.5]]]))
    array([[5.5, 7.5]])
    """

    def __init__(
        self, codes: np.ndarray, n_answers: int, groups: Sequence[np.ndarray] = ()
    ) -> None:
        self.n_patterns, self.n_programs = codes.shape
        self.n_answers = n_answers
        grouped = np.concatenate([np.empty(0, dtype=int), *groups])
        self.singles = np.setdiff1d(np.arange(self.n_programs), grouped)
        width = _block_width(n_answers, min(_MAX_ROWS, self.n_patterns))
        self.blocks = [
            Block(programs, join_answers(codes, programs, n_answers))
            for programs in (
                self.singles[start : start + width]
                for start in range(0, len(self.singles), width)
            )
        ]
        self.groups = [_make_group(codes, group, n_answers) for group in groups]

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum the values of the answers of each pattern, groups left out.

        Parameters
        ----------
        values : ndarray of shape (n_singles, n_known, n_classes)
            Value of each answer of each program in no group. Answers beyond `n_known`
            are worth 0.

        Returns
        -------
        total : ndarray of shape (n_classes, n_patterns)
            Sum over the programs.
        """
        total = np.zeros((values.shape[2], self.n_patterns))
        for block, table in zip(self.blocks, self.block_sums(values), strict=True):
            total += table.take(block.rows, axis=1)
        return total

    def count(self, weights: np.ndarray) -> np.ndarray:
        """Add up, for each answer of each program, the weights of its patterns.

        Parameters
        ----------
        weights : ndarray of shape (n_classes, n_patterns)
            Weight of each pattern in each class.

        Returns
        -------
        counts : ndarray of shape (n_singles, n_classes, n_answers)
            Total weights, groups left out.
        """
        joint = [
            count_rows(block.rows, weights, self.n_answers ** len(block.programs))
            for block in self.blocks
        ]
        return self.split_blocks(joint, len(weights))

    def block_sums(self, values: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the table of each block: the sums of all combinations of answers.

        Parameters
        ----------
        values : ndarray of shape (n_singles, n_known, n_classes)
            Value of each answer of each program in no group. Answers beyond `n_known`
            are worth 0.

        Yields
        ------
        table : ndarray of shape (n_classes, n_rows)
            Value of each row.
        """
        _, n_known, n_classes = values.shape
        unknown = self.n_answers - n_known
        by_class = np.pad(values.transpose(0, 2, 1), ((0, 0), (0, 0), (0, unknown)))
        start = 0
        for block in self.blocks:
            table = np.zeros((n_classes, 1))
            for value in by_class[start : start + len(block.programs)]:
                table = (table[:, :, None] + value[:, None, :]).reshape(n_classes, -1)
            yield table
            start += len(block.programs)

    def split_blocks(self, joint: Sequence[np.ndarray], n_classes: int) -> np.ndarray:
        """Count by program what was counted by row of the tables of the blocks.

        Parameters
        ----------
        joint : sequence of ndarray of shape (n_classes, n_rows)
            Weight of each class in each row, for each block.

        n_classes : int
            Number of classes.

        Returns
        -------
        counts : ndarray of shape (n_singles, n_classes, n_answers)
            Total weights.
        """
        counts = np.empty((len(self.singles), n_classes, self.n_answers))
        program = 0
        for block, weights in zip(self.blocks, joint, strict=True):
            rest = weights
            for _ in block.programs:
                # The first digit is the answer of the first program that is left.
                by_answer = rest.reshape(n_classes, self.n_answers, -1)
                counts[program] = by_answer.sum(axis=2)
                rest = by_answer.sum(axis=1)
                program += 1
        return counts


def count_rows(rows: np.ndarray, weights: np.ndarray, n_rows: int) -> np.ndarray:
    """Add up the weights of the patterns that share a row.

    Parameters
    ----------
    rows : ndarray of int of shape (n_patterns,)
        Row of each pattern.

    weights : ndarray of shape (n_classes, n_patterns)
        Weight of each pattern in each class.

    n_rows : int
        Number of rows.

    Returns
    -------
    counts : ndarray of shape (n_classes, n_rows)
        Total weights.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import count_rows
    >>> count_rows(np.array([1, 0, 1]), np.array([[0.5, 1.0, 2.0]]), n_rows=3)
    array([[1. , 2.5, 0. ]])
    """
    return np.stack([np.bincount(rows, weight, n_rows) for weight in weights])


def join_answers(codes: np.ndarray, programs: np.ndarray, n_answers: int) -> np.ndarray:
    """Read the answers of some programs as the digits of one number.

    Parameters
    ----------
    codes : ndarray of int of shape (n_patterns, n_programs)
        Answers, from 0 to ``n_answers - 1``.

    programs : ndarray of int
        The columns to read, the first digit first.

    n_answers : int
        The base.

    Returns
    -------
    joined : ndarray of int of shape (n_patterns,)
        The numbers, in the smallest unsigned type that holds all of them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.label_model import join_answers
    >>> join_answers(np.array([[1, 0, 2]]), np.array([0, 2]), n_answers=3)
    array([5], dtype=uint8)
    """
    dtype = np.min_scalar_type(n_answers ** len(programs) - 1)
    joined = np.zeros(len(codes), dtype=dtype)
    for program in programs:
        joined *= dtype.type(n_answers)
        joined += codes[:, program].astype(dtype)
    return joined


def _make_group(codes: np.ndarray, programs: np.ndarray, n_answers: int) -> Group:
    """Collapse the answers of a group, and count its votes."""
    answers, rows, _ = collapse(np.ascontiguousarray(codes[:, programs]))
    shares = np.stack([(answers == a).sum(axis=1) for a in range(n_answers)])
    shares = shares.astype(np.float64)
    shares[0] = ~(answers > 0).any(axis=1)
    shares /= shares.sum(axis=0)
    return Group(programs, rows, PatternTable(answers, n_answers), shares)


def _block_width(n_answers: int, max_rows: int) -> int:
    """Return how many programs one block holds, at least 1."""
    width = 1
    n_answers = max(n_answers, 2)
    while n_answers ** (width + 1) <= max_rows:
        width += 1
    return width
