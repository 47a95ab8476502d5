"""Say which words of a record a linear student leans on."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline

_WORD = re.compile(r"\w+")
# So much of a text is looked at by the default student.
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class StudentWord:
    """A word, or a column of a table, and what it adds to what the student says.

    Parameters
    ----------
    word : str
        In lower case; ``"column=value"`` for a column that holds no text.
    weight : float
        What it adds to the log-odds of the label against the other classes; negative
        where it speaks against the label.
    """

    word: str
    weight: float


def student_words(
    student: Any, taken: Any, label: int, scale: float, names: list[str] | None
) -> list[StudentWord] | None:
    """Share out what a linear student says of one record among its words.

    Parameters
    ----------
    student : classifier
        Fitted.
    taken : container of one row
        What the student takes.
    label : int
        Place of the label among the classes of the student.
    scale : float
        Factor of its log-odds.
    names : list of str or None
        Of the columns of a table that a default student takes; None otherwise.

    Returns
    -------
    words : list of StudentWord or None
        The heaviest first; None where the student is no linear one over counts of
        words, so that nothing is known of single words.
    """
    if type(student) is not Pipeline or len(student.steps) != 2:
        return None
    encoder, model = (step for _, step in student.steps)
    coefficients = getattr(model, "coef_", None)
    if coefficients is None or not _reads_words(encoder, names is not None):
        return None
    features = encoder.transform(taken)
    row = features.toarray()[0] if hasattr(features, "toarray") else features[0]
    weights = scale * row * _margins(coefficients, label)
    shares: dict[str, float] = {}
    for word, weight in _share(encoder, taken, weights, names or []):
        shares[word] = shares.get(word, 0.0) + weight
    ordered = sorted(shares.items(), key=lambda item: -abs(item[1]))
    return [StudentWord(word, float(weight)) for word, weight in ordered if weight]


def _margins(coefficients: np.ndarray, label: int) -> np.ndarray:
    """Coefficients of a class against the mean of the others."""
    if len(coefficients) == 1:
        return coefficients[0] if label == 1 else -coefficients[0]
    others = np.delete(coefficients, label, axis=0).mean(axis=0)
    return coefficients[label] - others


def _reads_words(encoder: Any, is_table: bool) -> bool:
    if isinstance(encoder, FeatureUnion):
        return encoder.transformer_weights is None and all(
            isinstance(part, CountVectorizer) for _, part in encoder.transformer_list
        )
    if isinstance(encoder, ColumnTransformer):
        return is_table
    return isinstance(encoder, CountVectorizer)


def _share(
    encoder: Any, taken: Any, weights: np.ndarray, names: list[str]
) -> Iterator[tuple[str, float]]:
    """Give words and columns their parts of the weights of features."""
    if isinstance(encoder, ColumnTransformer):
        for name, fitted, columns in encoder.transformers_:
            if np.size(columns) and name != "remainder":
                part = weights[encoder.output_indices_[name]]
                yield from _SHARED[name.split("_")[0]](
                    fitted, taken, part, names, columns
                )
    elif isinstance(encoder, FeatureUnion):
        start = 0
        for _, part in encoder.transformer_list:
            stop = start + len(part.vocabulary_)
            yield from _share_counts(part, taken[0], weights[start:stop])
            start = stop
    else:
        yield from _share_counts(encoder, taken[0], weights)


def _share_counts(
    vectorizer: CountVectorizer, text: str, weights: np.ndarray
) -> Iterator[tuple[str, float]]:
    """Share each term among the words that it is made of or found in."""
    held = np.flatnonzero(weights)
    if not len(held):
        return
    terms = vectorizer.get_feature_names_out()[held].tolist()
    by_term = dict(zip(terms, weights[held].tolist(), strict=True))
    if vectorizer.analyzer != "char_wb":
        for term, weight in by_term.items():
            # Of texts without spaces, some characters in a row are the words.
            is_char = vectorizer.analyzer == "char"
            parts = [term] if is_char else term.split(" ")
            for part in parts:
                yield part.strip() or term, weight / len(parts)
        return
    analyze = vectorizer.build_analyzer()
    counts = Counter(text[:_LONGEST].lower().split())
    found: dict[str, Counter[str]] = {}
    for run, n_times in counts.items():
        # With what is written next to it, as these terms are counted.
        word = max(_WORD.findall(run), key=len, default=run)
        for term, n_in_word in Counter(analyze(run)).items():
            if term in by_term:
                found.setdefault(term, Counter())[word] += n_times * n_in_word
    for term, in_words in found.items():
        total = in_words.total()
        for word, count in in_words.items():
            yield word, by_term[term] * count / total


def _share_numbers(
    _: Any, taken: np.ndarray, weights: np.ndarray, names: list[str], columns: Any
) -> Iterator[tuple[str, float]]:
    for column, weight in zip(columns, weights, strict=True):
        yield f"{names[column]}={taken[0, column]}", weight


def _share_categories(
    fitted: Any, taken: np.ndarray, weights: np.ndarray, names: list[str], columns: Any
) -> Iterator[tuple[str, float]]:
    start = 0
    for column, known in zip(columns, fitted[-1].categories_, strict=True):
        stop = start + len(known)
        yield f"{names[column]}={taken[0, column]}", weights[start:stop].sum()
        start = stop


def _share_text(
    fitted: Any, taken: np.ndarray, weights: np.ndarray, names: list[str], column: Any
) -> Iterator[tuple[str, float]]:
    text = taken[0, column]
    yield from _share(fitted[-1], ["" if text is None else str(text)], weights, names)


# The parts of the default student for tables.
_SHARED: Mapping[str, Callable[..., Iterator[tuple[str, float]]]] = {
    "numbers": _share_numbers,
    "categories": _share_categories,
    "text": _share_text,
}
