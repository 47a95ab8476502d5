"""Say of records what programs and the second reader make of them."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import Bunch

from ..distillation import UNSURE
from ..zero_shot import Reading
from ._reader_accuracy import NO_ANSWER, Reader
from ._records_to_ask import View

NOT_ASKED = "not asked: budget"
NOT_STORED = "not asked: only stored answers may be used"
REFUSED = "the model refused the record"
NO_CLASS = "the model's answer is no class"
WAITS = "waits for a person"
MODEL, PERSON = "model", "person"
# What is said of each record beside its probabilities, in this order.
COLUMNS = ("label", "confidence", "source", "flag", "doubt", "asked", "answer")


class Chosen(NamedTuple):
    """Records that are to be read, and what became of it.

    Parameters
    ----------
    wanted : ndarray of int
        Positions of different records that are to be read, those worth most first.

    within : ndarray of int
        The first of them, as far as the budget reaches.

    missing : ndarray of int
        Those of `within` of which no answer was known.

    reading : Reading
        What the model answered of `missing`.

    by_person : ndarray of int of shape (n_samples,)
        Class indices that people gave, -1 elsewhere.
    """

    wanted: np.ndarray
    within: np.ndarray
    missing: np.ndarray
    reading: Reading
    by_person: np.ndarray


def annotate_read(
    view: View,
    chosen: Chosen,
    reader: Reader,
    classes: np.ndarray,
    *,
    asks_people: bool,
    not_asked: str,
    flag_below: float,
) -> tuple[Bunch, np.ndarray, np.ndarray]:
    """Label records, and tell who says so and what is still to be read.

    Parameters
    ----------
    view : View
        The records, and the answers that were known before.

    chosen : Chosen
        What was to be read, and what the answers are.

    reader : Reader
        Says how far to believe answers of a model.

    classes : ndarray of shape (n_classes,)
        The classes.

    asks_people : bool
        Whether people read what is chosen; they are given no more than may be read.

    not_asked : str
        Why the others that are to be read were not.

    flag_below : float
        Labels that are less probable are flagged.

    Returns
    -------
    columns : Bunch
        Arrays of shape (n_samples,), those of `CascadeAnnotator.annotate`.

    open_rows : ndarray of int
        Records that are still to be read, those worth most first.

    proba : ndarray of shape (n_samples, n_classes)
        Probabilities of the classes.
    """
    wanted, within, missing, reading, by_person = chosen
    n_rows = len(view.rows)
    codes, doubt = view.codes.copy(), view.said.doubt.astype(object)
    codes[missing] = reading.codes
    why = np.full(n_rows, "", dtype=object)
    why[wanted] = not_asked
    if asks_people:
        why[within] = WAITS
    unread = reading.reached & (reading.codes == NO_ANSWER)
    why[missing[unread]] = np.where(reading.answers[unread] == "", REFUSED, NO_CLASS)
    is_open = np.zeros(n_rows, dtype=bool)
    is_open[wanted] = codes[wanted] == NO_ANSWER
    is_open[missing[unread]] = False
    if asks_people:
        is_open[np.setdiff1d(wanted, within)] = False
    # Of equal records, all have the answer of the one that was asked about.
    first = view.first
    codes, why = np.where(codes == NO_ANSWER, codes[first], codes), why[first]
    proba = reader.posterior(view.proba, codes)
    known = by_person != NO_ANSWER
    proba[known] = np.eye(len(classes))[by_person[known]]
    codes = np.where(known, by_person, codes)
    read, label = codes != NO_ANSWER, proba.argmax(axis=1)
    sure = proba.max(axis=1)
    doubt[read] = np.where(sure[read] < flag_below, UNSURE, "")
    doubt = np.where(~read & (why != ""), why, doubt)
    source = np.where(read & (codes == label), MODEL, view.said.source)
    answered = np.full(n_rows, None, dtype=object)
    answered[read] = classes[codes[read]]
    columns = Bunch(
        label=classes[label],
        confidence=sure,
        source=np.where(known, PERSON, source).astype(object),
        flag=doubt != "",
        doubt=doubt,
        asked=read,
        answer=answered,
    )
    return columns, wanted[is_open[wanted]], proba
