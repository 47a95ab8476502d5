"""Recipes for the classifiers that are trained when the user names none."""

from collections.abc import Sequence

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler


def text_student() -> Pipeline:
    """Make a student for texts: logistic regression on TF-IDF of words and pairs.

    Returns
    -------
    student : Pipeline
        Takes a list of str.
    """
    return make_pipeline(
        # Words of one letter count too: they are all that some texts have.
        TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"
        ),
        LogisticRegression(C=10, max_iter=1000),
    )


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
