"""Choose the classifier that is trained, and check the one that the user chose."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

# So much of a text is looked at: one of a megabyte among short ones, or one without a
# space, would cost more than all others and say no more than its first part.
_LONGEST = 100_000
_LONGEST_IN_PARTS = 2_000
# Up to so many characters, parts of words tell more than the few words of a text.
_SHORT = 200
# No script with spaces between words has many that are longer.
_LONGEST_WORD = 24
_LONGEST_LINK = 100
# So much is enough to see how texts are written.
_LOOKED_AT = 500
_BEGINNING = 500
# So many texts without spaces are worth counting characters of all.
_UNSPACED_SHARE = 0.05
_SCRIPTS_WITHOUT_SPACES = (
    "CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "YI ", "THAI", "LAO", "KHMER",
    "MYANMAR", "TIBETAN", "TAI ", "NEW TAI", "BALINESE", "JAVANESE",
)  # fmt: skip
# From so many texts on, what occurs in one of them costs time and tells nothing.
_MANY = 1000
# Words of one letter count too, and so do marks: they are all that some texts have.
_TOKEN = r"(?u)\b\w+\b|[^\w\s]"


def default_student(columns: Iterable[Sequence[Any]], is_text: bool) -> Pipeline:
    """Make the student that is trained when the user names none.

    Parameters
    ----------
    columns : iterable of sequences
        Values of each column, None where one is missing.

    is_text : bool
        Whether the only column holds texts.

    Returns
    -------
    student : Pipeline
        As made by `text_student` or `table_student`.
    """
    if is_text:
        (texts,) = columns
        return text_student(texts)
    return table_student(
        [
            all(value is None or isinstance(value, int | float) for value in values)
            for values in columns
        ]
    )


def check_student(student: BaseEstimator | None, *, takes_texts: bool) -> None:
    """Raise what would fail after the programs are written and paid.

    Parameters
    ----------
    student : classifier or None
        What the user chose; None is a default, which cannot fail.

    takes_texts : bool
        Whether it is going to be given texts.

    Raises
    ------
    TypeError
        If it gives no probabilities, or takes no texts and is given some.
    """
    if student is None:
        return
    name = type(student).__name__
    if not hasattr(student, "predict_proba"):
        raise TypeError(
            f"the student {name} has no predict_proba: take a classifier that has, "
            f"or wrap it, as in CalibratedClassifierCV({name}())."
        )
    # What is made of parts may hold one that encodes texts, and not tell.
    has_parts = any(
        hasattr(value, "fit") and hasattr(value, "get_params")
        for value in student.get_params().values()
    )
    if takes_texts and not has_parts and not get_tags(student).input_tags.string:
        raise TypeError(
            f"the student {name} takes no texts: put what encodes them in front of "
            f"it, as in make_pipeline(TfidfVectorizer(), {name}())."
        )


def text_student(texts: Sequence[str | None]) -> Pipeline:
    """Make a student for texts: logistic regression on TF-IDF of words and pairs.

    Sequences of characters count, too, where the texts are short (a median of at most
    200 characters), such as comments, or many are written without spaces between words,
    as Chinese, Japanese or Thai ones are. On other long texts they are slow and add
    nothing. Of 1,000 texts or more, words and pairs that occur in one only are left
    out. Of a long text only the beginning counts.

    Parameters
    ----------
    texts : sequence of (str or None)
        What it will be trained on, None where a text is missing.

    Returns
    -------
    student : Pipeline
        Takes a list of str.

    Examples
    --------
    >>> from sklearn_alchemist.distillation import text_student
    >>> texts = ["what a song", "free cash", "love it", "cash, now"]
    >>> student = text_student(texts).fit(texts, ["ham", "spam", "ham", "spam"])
    >>> student.predict(["cash for free"])
    array(['spam'], dtype='<U4')
    """
    rare = 2 if len(texts) >= _MANY else 1
    encoder = TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        token_pattern=_TOKEN,
        preprocessor=LowerBeginning(_LONGEST),
        min_df=rare,
    )
    parts = None
    if unspaced_share(texts) > _UNSPACED_SHARE:
        parts = TfidfVectorizer(
            analyzer="char",
            ngram_range=(1, 3),
            sublinear_tf=True,
            preprocessor=LowerBeginning(_LONGEST),
            min_df=rare,
        )
    elif np.median([len(text or "") for text in texts]) <= _SHORT:
        parts = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(2, 4),
            sublinear_tf=True,
            preprocessor=LowerBeginning(_LONGEST_IN_PARTS),
        )
    if parts is not None:
        encoder = make_union(encoder, parts)
    return make_pipeline(encoder, LogisticRegression(C=10, max_iter=1000))


@dataclass(frozen=True)
class LowerBeginning:
    """Take the beginning of a text, in lower case.

    Parameters
    ----------
    n_characters : int
        How much of it.
    """

    n_characters: int

    def __call__(self, text: str) -> str:
        """Shorten a text.

        Parameters
        ----------
        text : str
            A text.

        Returns
        -------
        beginning : str
            In lower case.
        """
        return text[: self.n_characters].lower()


def unspaced_share(texts: Sequence[str | None]) -> float:
    """Tell how many texts are written without spaces between words.

    They are those that mostly run on for longer than words do, or whose letters mostly
    are of a script that is written so.

    Parameters
    ----------
    texts : sequence of (str or None)
        Texts, of which the beginnings of some at even distances are looked at.

    Returns
    -------
    share : float
        Of the texts that are not empty.

    Examples
    --------
    >>> from sklearn_alchemist.distillation import unspaced_share
    >>> unspaced_share(["what a song", "很好听的歌"])
    0.5
    """
    step = max(1, len(texts) // _LOOKED_AT)
    beginnings = [(text or "")[:_BEGINNING] for text in texts[::step]]
    told = [_is_unspaced(text) for text in beginnings if text.strip()]
    return float(np.mean(told)) if told else 0.0


def _is_unspaced(text: str) -> bool:
    runs = [len(run) for run in text.split()]
    long = [length for length in runs if length > _LONGEST_WORD]
    # One alone may be a link or a compound.
    if (len(long) > 1 or max(runs) > _LONGEST_LINK) and sum(long) > sum(runs) / 2:
        return True
    if text.isascii():
        return False
    letters = [character for character in text if character.isalpha()]
    n_unspaced = sum(map(_is_written_without_spaces, letters))
    return n_unspaced > len(letters) / 2


@lru_cache(maxsize=65536)
def _is_written_without_spaces(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_SCRIPTS_WITHOUT_SPACES)


def table_student(numeric: Sequence[bool]) -> Pipeline:
    """Make a student for tables: logistic regression on scaled and encoded columns.

    Parameters
    ----------
    numeric : sequence of bool
        Which columns hold numbers; the others are taken as categories.

    Returns
    -------
    student : Pipeline
        Takes an array of objects with these columns, None where a value is missing.
    """
    numbers = make_pipeline(
        FunctionTransformer(_as_floats),
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
    )
    categories = make_pipeline(
        FunctionTransformer(_as_strings), OneHotEncoder(handle_unknown="ignore")
    )
    is_number = np.array(numeric, dtype=bool)
    encode = ColumnTransformer(
        [
            ("numbers", numbers, np.flatnonzero(is_number)),
            ("categories", categories, np.flatnonzero(~is_number)),
        ]
    )
    student = make_pipeline(encode, LogisticRegression(max_iter=1000))
    # Whatever the user's setting: categories are sparse, which no frame holds.
    return student.set_output(transform="default")


def _as_floats(columns: np.ndarray) -> np.ndarray:
    """Make NaN of None and floats of the rest."""
    return columns.astype(float)


def _as_strings(columns: np.ndarray) -> np.ndarray:
    """Make one kind of category of whatever a column mixes."""
    return columns.astype(str).astype(object)
