"""Choose, shorten and fence records that may be shown to a language model."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._utils import read_prompts
from ..data import draw_rows
from ..votes import ABSTAIN

_SHOWN: str = read_prompts(__package__, "prompts")["shown"]
N_SHOWN = 8
MAX_CHARACTERS = 500
# Clusters of more records are not better, and cost seconds.
_N_CLUSTERED = 2000
_N_VALUES = 12

TYPICAL = "They are typical of the data."
OPEN = "Other programs do not decide them, or contradict each other on them."

Columns = Mapping[str, Sequence[Any]]


def describe_values(kinds: Mapping[str, str], columns: Columns) -> dict[str, str]:
    """Add to what columns are which values they hold.

    Parameters
    ----------
    kinds : dict of str to str
        Name of each column -> its type.

    columns : dict of str to sequence
        Records.

    Returns
    -------
    kinds : dict of str to str
        Type and range of numbers, type and values of columns with few of them.

    Examples
    --------
    >>> from sklearn_alchemist.synthesis._shown_records import describe_values
    >>> describe_values({"age": "int"}, {"age": [31, None, 64]})
    {'age': 'int, from 31 to 64, median 47.5, 1 of 3 missing'}
    """
    return {
        name: ", ".join([kind, *_values(kind, columns[name])])
        for name, kind in kinds.items()
    }


def _values(kind: str, values: Sequence[Any]) -> list[str]:
    known = [value for value in values if value is not None]
    parts = []
    if kind.startswith("float"):
        known = [value for value in known if math.isfinite(value)]
    if known and kind.startswith(("int", "float")):
        low, middle, high = (float(np.quantile(known, q)) for q in (0, 0.5, 1))
        parts.append(f"from {low:.4g} to {high:.4g}, median {middle:.4g}")
    elif known and kind == "str":
        distinct = sorted({str(value) for value in known})
        if len(distinct) <= min(_N_VALUES, len(known) // 2):
            parts.append("one of " + ", ".join(repr(_shorten(v, 40)) for v in distinct))
    if len(known) < len(values):
        parts.append(f"{len(values) - len(known)} of {len(values)} missing")
    return parts


def typical_rows(columns: Columns, n_rows: int = N_SHOWN) -> list[int]:
    """Choose records that stand for groups of similar ones.

    Parameters
    ----------
    columns : dict of str to sequence
        Records.

    n_rows : int, default=8
        Number of records to choose.

    Returns
    -------
    rows : list of int
        The medoids of as many clusters, in ascending order.
    """
    from sklearn.cluster import KMeans

    n_records = len(next(iter(columns.values())))
    places = draw_rows(n_records, _N_CLUSTERED).tolist()
    if len(places) <= n_rows:
        return places
    drawn = {name: [column[i] for i in places] for name, column in columns.items()}
    vectors = _vectors(drawn)
    n_rows = min(n_rows, _n_distinct(vectors))
    clusters = KMeans(n_rows, n_init=5, random_state=0).set_output(transform="default")
    distances = clusters.fit_transform(vectors)
    return sorted({places[row] for row in distances.argmin(axis=0)})


def _n_distinct(vectors: Any) -> int:
    return len({row.tobytes() for row in vectors.toarray().round(9)})


def _vectors(columns: Columns) -> Any:
    """Turn records into sparse vectors: standardised numbers, words by TF-IDF."""
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

    parts = []
    for values in columns.values():
        if all(isinstance(value, int | float | None) for value in values):
            numbers = np.array([np.nan if v is None else float(v) for v in values])
            numbers[~np.isfinite(numbers)] = np.nan
            mean, spread = np.nanmean([0, *numbers]), np.nanstd([0, *numbers]) or 1.0
            scaled = np.nan_to_num((numbers - mean) / spread)
            parts.append(sparse.csr_matrix(scaled[:, None]))
            continue
        words = TfidfVectorizer(
            token_pattern=r"(?u)\b\w+\b", sublinear_tf=True, max_features=2000
        )
        try:
            parts.append(words.fit_transform(["" if v is None else v for v in values]))
        except ValueError:  # not a single word in the whole column
            parts.append(sparse.csr_matrix((len(values), 1)))
    return sparse.hstack(parts).tocsr()


def open_rows(columns: Columns, votes: np.ndarray, n_rows: int = N_SHOWN) -> list[int]:
    """Choose records that programs leave open, of different kinds.

    Parameters
    ----------
    columns : dict of str to sequence
        Records.

    votes : ndarray of shape (n_records, n_programs)
        Indices of classes, -1 for abstain.

    n_rows : int, default=8
        Number of records to choose.

    Returns
    -------
    rows : list of int
        Records on which no program votes, and, if these are few, records on which the
        votes contradict each other most.
    """
    classes = np.unique(votes[votes != ABSTAIN])
    if len(classes) == 0:
        return typical_rows(columns, n_rows)
    counts = np.stack([(votes == k).sum(axis=1) for k in classes], axis=1)
    n_votes = counts.sum(axis=1)
    # The share of the largest class; no vote at all is the most open.
    certainty = np.where(n_votes > 0, counts.max(axis=1) / np.maximum(n_votes, 1), 0.0)
    order = np.argsort(certainty, kind="stable")
    order = order[certainty[order] < 1][: 4 * n_rows]
    part = {name: [values[i] for i in order] for name, values in columns.items()}
    return [int(order[i]) for i in typical_rows(part, n_rows)] if len(order) else []


def show_rows(columns: Columns, rows: Sequence[int], why: str) -> str:
    """Write records into a prompt, as data that gives no instructions.

    Parameters
    ----------
    columns : dict of str to sequence
        Records.

    rows : sequence of int
        Which of them to show.

    why : str
        Why just these.

    Returns
    -------
    text : str
        The records, shortened, between lines that none of them contains.
    """
    if not rows:
        return ""
    texts = [_render(columns, row) for row in rows]
    fence = _fence("\n".join(texts))
    body = "\n".join(f"{fence}\n{text}\n{fence}" for text in texts)
    return _SHOWN.format(n=len(texts), fence=fence, why=why, rows=body)


def show_row(columns: Columns, row: int) -> str:
    """Write one record as a message may quote it.

    Parameters
    ----------
    columns : dict of str to sequence
        Records.

    row : int
        Which of them.

    Returns
    -------
    text : str
        The record, shortened, between lines that it does not contain.
    """
    text = _render(columns, row)
    fence = _fence(text)
    return f"{fence}\n{text}\n{fence}"


def _render(columns: Columns, row: int) -> str:
    if len(columns) == 1:
        (values,) = columns.values()
        return _shorten(str(values[row]), MAX_CHARACTERS)
    fields = (
        f"{name}: {_shorten(str(values[row]), MAX_CHARACTERS // 2)}"
        for name, values in columns.items()
    )
    return _shorten("\n".join(fields), 2 * MAX_CHARACTERS)


def _shorten(text: str, n_characters: int) -> str:
    """Cut the middle out of a long text: beginning and end tell most."""
    # Half a surrogate pair cannot be sent.
    text = text.encode("utf-8", "replace").decode()
    if len(text) <= n_characters:
        return text
    half = (n_characters - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def _fence(text: str) -> str:
    """Make a line that depends on the text and does not occur in it."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    # Whoever writes a record cannot know the digest of what holds it.
    return f"===== {digest[:12]} ====="
