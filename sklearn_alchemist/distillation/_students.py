"""Choose the classifier that is trained, and check the one that the user chose."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
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
# A column of str with more different values holds texts, not categories: what skrub's
# TableVectorizer takes for high cardinality.
_MOST_CATEGORIES = 40
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
    numeric: list[bool] = []
    of_texts: dict[int, Sequence[Any]] = {}
    for j, values in enumerate(columns):
        numeric.append(all(isinstance(value, int | float | None) for value in values))
        if not numeric[j] and _holds_texts(values):
            of_texts[j] = values
    return table_student(numeric, of_texts)


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
    if takes_texts and not takes(student, "string"):
        raise TypeError(
            f"the student {name} takes no texts: put what encodes them in front of "
            f"it, as in make_pipeline(TfidfVectorizer(), {name}())."
        )


def takes(student: BaseEstimator | None, tag: str) -> bool:
    """Tell whether a student may take texts or missing values.

    Parameters
    ----------
    student : classifier or None
        What the user chose; None is a default, which takes both.

    tag : {"string", "allow_nan"}
        Which of them, as scikit-learn calls it.

    Returns
    -------
    takes : bool
        What its tags say. What is made of parts may hold one that encodes or imputes,
        and not tell: only its ``fit`` knows.
    """
    if student is None or getattr(get_tags(student).input_tags, tag):
        return True
    return any(
        hasattr(part, "fit") and hasattr(part, "get_params")
        for part in student.get_params().values()
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
    # A finer tolerance costs a third more and changes no accuracy.
    model = LogisticRegression(C=10, tol=3e-4, max_iter=1000)
    return make_pipeline(_text_encoder(texts), model)


def _text_encoder(
    texts: Sequence[str | None], vectorizer: type[TfidfVectorizer] = TfidfVectorizer
) -> BaseEstimator:
    """Make what `text_student` describes."""
    rare = 2 if len(texts) >= _MANY else 1
    encoder = vectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        token_pattern=_TOKEN,
        preprocessor=LowerBeginning(_LONGEST),
        min_df=rare,
    )
    parts = None
    if unspaced_share(texts) > _UNSPACED_SHARE:
        parts = vectorizer(
            analyzer="char",
            ngram_range=(1, 3),
            sublinear_tf=True,
            preprocessor=LowerBeginning(_LONGEST),
            min_df=rare,
        )
    elif np.median([len(text or "") for text in texts]) <= _SHORT:
        parts = vectorizer(
            analyzer="char_wb",
            ngram_range=(2, 4),
            sublinear_tf=True,
            preprocessor=LowerBeginning(_LONGEST_IN_PARTS),
        )
    return encoder if parts is None else _without_frames(make_union(encoder, parts))


class TolerantVectorizer(TfidfVectorizer):
    """TF-IDF that also takes texts of rare terms only, or without any.

    Such are identifiers, of which there is one a row, and columns that are empty where
    programs vote: scikit-learn's ends the fit there.
    """

    def fit(self, raw_documents: Iterable[str], y: Any = None) -> Self:
        """Learn terms and weights.

        Parameters
        ----------
        raw_documents : iterable of str
            Texts.

        y : None
            Not looked at.

        Returns
        -------
        self : TolerantVectorizer
            The fitted vectorizer.
        """
        self.fit_transform(raw_documents, y)
        return self

    def fit_transform(self, raw_documents: Iterable[str], y: Any = None) -> Any:
        """Learn terms and weights, and encode the same texts.

        Parameters
        ----------
        raw_documents : iterable of str
            Texts.

        y : None
            Not looked at.

        Returns
        -------
        X : sparse matrix of shape (n_samples, n_terms)
            The texts; where there are no terms, one column of zeros.
        """
        texts = list(raw_documents)
        rare = self.get_params()["min_df"]
        for attempt in (rare, 1):
            self.min_df = attempt
            try:
                return super().fit_transform(texts, y)
            except ValueError as error:
                if not re.search("empty vocabulary|no terms remain", str(error)):
                    raise
            finally:
                self.min_df = rare
        super().fit_transform(["no text"], y)
        return self.transform(texts) * 0


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


def table_student(
    numeric: Sequence[bool], texts: Mapping[int, Sequence[str | None]] | None = None
) -> Pipeline:
    """Make a student for tables: logistic regression on encoded columns.

    Parameters
    ----------
    numeric : sequence of bool
        Which columns hold numbers, to be scaled; the others are taken as categories.

    texts : dict of int to sequence of (str or None), default=None
        Positions of columns that hold texts rather than categories -> what the student
        will be trained on. They are encoded as by `text_student`.

    Returns
    -------
    student : Pipeline
        Takes an array of objects with these columns, None where a value is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.distillation import table_student
    >>> bodies = ["free cash", "what a song", "cash, now", "love it"]
    >>> X = np.array([[3, 0, 2, None], bodies], dtype=object).T
    >>> student = table_student([True, False], {1: bodies})
    >>> student.fit(X, ["spam", "ham", "spam", "ham"]).predict(X[:1])
    array(['spam'], dtype='<U4')
    """
    texts = {} if texts is None else texts
    numbers = make_pipeline(
        FunctionTransformer(_as_floats),
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
    ).set_output(transform="default")
    categories = make_pipeline(
        FunctionTransformer(_as_strings), OneHotEncoder(handle_unknown="ignore")
    ).set_output(transform="default")
    is_number = np.array(numeric, dtype=bool)
    is_category = ~is_number
    is_category[list(texts)] = False
    steps: list[tuple[str, Any, Any]] = [
        ("numbers", numbers, np.flatnonzero(is_number)),
        ("categories", categories, np.flatnonzero(is_category)),
    ]
    for j, values in texts.items():
        read = FunctionTransformer(_as_texts).set_output(transform="default")
        encoder = _text_encoder(values, TolerantVectorizer)
        # A column by itself, as an encoder of texts takes it.
        steps.append((f"text_{j}", make_pipeline(read, encoder), j))
    # Texts have many columns of small numbers, on which C=1 would learn little.
    classifier = LogisticRegression(C=10 if texts else 1, max_iter=1000)
    return make_pipeline(_without_frames(ColumnTransformer(steps)), classifier)


def _without_frames(transformer: TransformerMixin) -> TransformerMixin:
    """Keep to NumPy, whatever the user's setting: what is sparse fits in no frame."""
    # Of the class: that of the instance would ask the parts, too, and those that
    # encode texts have no such setting.
    return TransformerMixin.set_output(transformer, transform="default")


def _holds_texts(values: Sequence[Any]) -> bool:
    """Tell texts from categories: there are too many different ones."""
    known = [value for value in values if value is not None]
    if not all(isinstance(value, str) for value in known):
        return False
    # As soon as it is certain: a column of texts may be long.
    most = min(_MOST_CATEGORIES, len(known) // 2)
    distinct: set[str] = set()
    for value in known:
        distinct.add(value)
        if len(distinct) > most:
            # Of texts that hold no word, nothing could be encoded.
            return any(text.strip() for text in distinct)
    return False


def _as_floats(columns: np.ndarray) -> np.ndarray:
    """Make NaN of None and floats of the rest."""
    return columns.astype(float)


def _as_strings(columns: np.ndarray) -> np.ndarray:
    """Make one kind of category of whatever a column mixes."""
    return columns.astype(str).astype(object)


def _as_texts(column: np.ndarray) -> list[str]:
    """Write a missing text as an empty one."""
    return ["" if value is None else str(value) for value in column]
