"""Hand records to Label Studio, and take what people answered there."""

import csv
import html
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._utils import as_path, read_text, require
from ._encoding import ABSTAIN
from ._statistics import polarity

if TYPE_CHECKING:
    import pandas as pd

ROW = "row"
_MODEL = "sklearn_alchemist"
# What the converter puts beside answers, where there is one.
_ANSWERED = ("annotation_id", "annotator", "completed_by")


def label_studio_config(
    classes: Iterable[Any], *, field: str = "text", control: str = "answer"
) -> str:
    """Write the labeling interface of a Label Studio project.

    Parameters
    ----------
    classes : iterable
        The classes, in the order in which they are shown.

    field : str, default="text"
        The field of the data that is shown.

    control : str, default="answer"
        Name of the question; in the minimal JSON of an export, the field with the
        answer.

    Returns
    -------
    config : str
        XML, for Settings > Labeling Interface.

    Examples
    --------
    >>> from sklearn_alchemist.votes import label_studio_config
    >>> print(label_studio_config(["ham", "spam"]))
    <View>
      <Text name="text" value="$text"/>
      <Choices name="answer" toName="text" choice="single">
        <Choice value="ham"/>
        <Choice value="spam"/>
      </Choices>
    </View>
    """
    _check_control(control, [field, ROW])
    choices = "".join(f"    <Choice value={_quoted(str(c))}/>\n" for c in classes)
    shown, asked = _quoted(field), _quoted(control)
    return (
        f"<View>\n  <Text name={shown} value={_quoted('$' + field)}/>\n"
        f'  <Choices name={asked} toName={shown} choice="single">\n{choices}'
        "  </Choices>\n</View>"
    )


def to_label_studio(
    X: Any,
    labels: Iterable[Any] | None = None,
    *,
    confidence: ArrayLike | None = None,
    votes: ArrayLike | None = None,
    classes: Iterable[Any] | None = None,
    names: Iterable[str] | None = None,
    gold: Iterable[Any] | None = None,
    rows: Iterable[int] | None = None,
    field: str = "text",
    control: str = "answer",
) -> list[dict[str, Any]]:
    """Make tasks that Label Studio imports, with labels and votes as predictions.

    Parameters
    ----------
    X : sequence of str, or DataFrame
        Records: texts, or a table whose columns become fields of the data.

    labels : iterable, default=None
        A label for each record, None for none. Annotators see it filled in.

    confidence : array-like of shape (n_samples,), default=None
        How sure each label is; Label Studio can sort by it.

    votes : array-like of shape (n_samples, n_programs), default=None
        Votes, -1 where a program abstains: one prediction each.

    classes : iterable, default=None
        Labels to write for the votes 0, 1, ..., once they are sorted. Needed with
        `votes`.

    names : iterable of str, default=None
        Names of the programs; the columns of `votes`, or numbers, if None.

    gold : iterable, default=None
        What is known of each record, None where nothing is: an annotation that is
        marked as ground truth.

    rows : iterable of int, default=None
        Numbers of the records, which come back with the answers, such as
        those that ``review_queue`` picked. None counts from 0.

    field : str, default="text"
        What to call a text among the fields of the data.

    control : str, default="answer"
        Name of the question, as in `label_studio_config`.

    Returns
    -------
    tasks : list of dict
        To be written with ``json.dump``.

    Raises
    ------
    ValueError
        If the question is called as a field of the data, which an export would
        overwrite, or something is not there for each record.

    See Also
    --------
    from_label_studio : Take the answers.

    Examples
    --------
    >>> from sklearn_alchemist.votes import to_label_studio
    >>> (task,) = to_label_studio(["free!"], ["spam"], confidence=[0.9])
    >>> task["data"], task["predictions"][0]["score"]
    ({'text': 'free!', 'row': 0}, 0.9)
    """
    records = _records(X, field)
    n_records = len(records)
    numbers = list(range(n_records)) if rows is None else [int(row) for row in rows]
    _check_control(control, [ROW, *(name for one in records[:1] for name in one)])
    first = records[0] if records else {field: None}
    shown = field if field in first else next(iter(first), field)
    answer = _Answer(control, shown)
    told = _each(labels, "labels", n_records)
    known = _each(gold, "gold", n_records)
    sure = _each(confidence, "confidence", n_records)
    said = _said(votes, classes, names, n_records)
    _each(numbers, "rows", n_records)
    tasks: list[dict[str, Any]] = []
    for i, record in enumerate(records):
        predictions = []
        if told[i] is not None:
            predictions.append(answer.prediction(told[i], _MODEL, sure[i]))
        predictions += [answer.prediction(label, name) for name, label in said[i]]
        task: dict[str, Any] = {"data": {**record, ROW: numbers[i]}}
        if known[i] is not None:
            result = {"result": [answer.result(known[i])], "ground_truth": True}
            task["annotations"] = [result]
        if predictions:
            task["predictions"] = predictions
        tasks.append(task)
    return tasks


def from_label_studio(
    export: Any,
    *,
    control: str | None = None,
    classes: Iterable[Any] | None = None,
    predictions: bool = False,
) -> "pd.DataFrame":
    """Take answers out of what Label Studio exports.

    Parameters
    ----------
    export : str, path, or list of dict
        A file, or what it holds: JSON, the minimal JSON, CSV or TSV.

    control : str, default=None
        Name of the question. Needed for the minimal JSON and for CSV, and where there
        are several questions.

    classes : iterable, default=None
        The classes, which are numbers again where they were. Other answers raise.

    predictions : bool, default=False
        Whether to take predictions, too, such as votes that were handed over. The
        worker is the version of the model then.

    Returns
    -------
    answers : pandas.DataFrame of shape (n_answers, 3)
        The columns task (the number of the record that `to_label_studio` wrote, else
        the id of the task), worker and label, as `from_long` reads them. What was
        skipped or cancelled is no answer.

    Raises
    ------
    ValueError
        If it is no export, several classes are chosen for one record, or an answer is
        none of `classes`.

    Examples
    --------
    >>> from sklearn_alchemist.votes import from_label_studio, to_label_studio
    >>> tasks = to_label_studio(["free!", "hi"], gold=["spam", None])
    >>> from_label_studio(tasks)
       task worker label
    0     0   gold  spam
    """
    pd = require("pandas", needed_by="from_label_studio")

    tasks = _read(export)
    spelled = None if classes is None else {str(name): name for name in classes}
    found = []
    for task in tasks:
        if not isinstance(task, Mapping):
            raise ValueError(f"a task is {type(task).__name__}, not an object of JSON.")
        is_full = "data" in task and isinstance(task["data"], Mapping)
        answers = (
            _answers(task, control, predictions)
            if is_full
            else _minimal_answers(task, control)
        )
        data = task["data"] if is_full else task
        number = data.get(ROW, task.get("id"))
        for worker, chosen in answers:
            label = _one(chosen, number)
            if spelled is not None and label not in spelled:
                raise ValueError(
                    f"task {number} holds {label!r}, which is none of "
                    f"{list(spelled.values())}."
                )
            found.append((number, worker, label if spelled is None else spelled[label]))
    frame = pd.DataFrame(found, columns=["task", "worker", "label"])
    frame["task"] = _numbers(frame["task"].tolist())
    return frame


class _Answer:
    """How an answer to one question is written."""

    def __init__(self, control: str, shown: str) -> None:
        self.control = control
        self.shown = shown

    def result(self, label: Any) -> dict[str, Any]:
        return {
            "from_name": self.control,
            "to_name": self.shown,
            "type": "choices",
            "value": {"choices": [str(label)]},
        }

    def prediction(self, label: Any, name: str, score: Any = None) -> dict[str, Any]:
        made: dict[str, Any] = {"model_version": name, "result": [self.result(label)]}
        if score is not None:
            made["score"] = float(score)
        return made


def _records(X: Any, field: str) -> list[dict[str, Any]]:
    """Read records as fields of data."""
    if hasattr(X, "columns"):
        columns = {str(name): list(X[name]) for name in X.columns}
        n_rows = len(next(iter(columns.values()), []))
        return [
            {name: _plain(column[i]) for name, column in columns.items()}
            for i in range(n_rows)
        ]
    values = list(X)
    return [
        {str(k): _plain(v) for k, v in one.items()}
        if isinstance(one, Mapping)
        else {field: _plain(one)}
        for one in values
    ]


def _plain(value: Any) -> Any:
    """Write a value as JSON can hold it."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return str(value)


def _check_control(control: str, fields: Sequence[str]) -> None:
    """Raise where an export would overwrite a field by the answer, or the reverse."""
    if control in fields:
        raise ValueError(
            f"control={control!r} is a field of the data, too, and an export of Label "
            "Studio would overwrite one by the other: call it otherwise."
        )


def _each(values: Any, name: str, n_records: int) -> list[Any]:
    """Read one value a record, None where there is none."""
    if values is None:
        return [None] * n_records
    found = [v.item() if isinstance(v, np.generic) else v for v in values]
    if len(found) != n_records:
        raise ValueError(f"{name} has {len(found)} values for {n_records} records.")
    return [None if v is None or v != v else v for v in found]


def _said(
    votes: Any, classes: Iterable[Any] | None, names: Iterable[str] | None, n_rows: int
) -> list[list[tuple[str, Any]]]:
    """List what each program says of each record."""
    if votes is None:
        return [[] for _ in range(n_rows)]
    if classes is None:
        raise ValueError("votes are positions in classes: pass these, too.")
    if names is None and hasattr(votes, "columns"):
        names = [str(column) for column in votes.columns]
    table = np.asarray(votes)
    polarity(table)  # raises if these are no votes
    labels = np.unique(np.array(list(classes))).tolist()
    if len(table) != n_rows or table.max(initial=ABSTAIN) >= len(labels):
        raise ValueError(
            f"votes must be {n_rows} rows of -1 and of positions in {labels}."
        )
    if names is None:
        names = [f"program_{j}" for j in range(table.shape[1])]
    programs = list(names)
    return [
        [(programs[j], labels[row[j]]) for j in np.flatnonzero(row != ABSTAIN)]
        for row in table
    ]


def _read(export: Any) -> list[Any]:
    """Read the tasks of an export, in whatever form."""
    if not isinstance(export, str | PathLike):
        return list(export)
    path = as_path(export)
    text = read_text(path)
    if text.lstrip()[:1] in ("[", "{"):
        try:
            tasks = json.loads(text)
        except ValueError as error:
            raise ValueError(f"{str(path)!r} is no JSON: {error}.") from None
        return tasks if isinstance(tasks, list) else [tasks]
    header = text.partition("\n")[0]
    delimiter = "\t" if header.count("\t") > header.count(",") else ","
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def _answers(
    task: Mapping[str, Any], control: str | None, predictions: bool
) -> Iterator[tuple[str, list[Any]]]:
    """Yield who chose what, from a task in full."""
    for annotation in task.get("annotations") or task.get("completions") or ():
        if not annotation.get("was_cancelled"):
            usual = "gold" if annotation.get("ground_truth") else "unknown"
            worker = _worker(annotation.get("completed_by"), usual)
            for chosen in _chosen(annotation, control):
                yield worker, chosen
    for prediction in (task.get("predictions") or ()) if predictions else ():
        worker = str(prediction.get("model_version") or "prediction")
        for chosen in _chosen(prediction, control):
            yield worker, chosen


def _chosen(annotation: Mapping[str, Any], control: str | None) -> Iterator[list[Any]]:
    results = [
        result
        for result in annotation.get("result") or ()
        if result.get("type") == "choices"
        and (control is None or result.get("from_name") == control)
    ]
    asked = {result.get("from_name") for result in results}
    if len(asked) > 1:
        raise ValueError(
            f"there are several questions, {sorted(map(str, asked))}: name one as "
            "control."
        )
    for result in results[-1:]:
        yield list(result.get("value", {}).get("choices") or [])


def _minimal_answers(
    task: Mapping[str, Any], control: str | None
) -> Iterator[tuple[str, list[Any]]]:
    """Yield who chose what, from a line of CSV or of the minimal JSON."""
    if control is None:
        raise ValueError(
            "nothing tells which field holds the answer: name it as control, or export "
            "as JSON."
        )
    # Without an annotation, a field of that name is one of the data.
    if not any(task.get(name) not in (None, "") for name in _ANSWERED):
        return
    value = task.get(control)
    if isinstance(value, str) and value.startswith('{"choices"'):
        value = json.loads(value)
    if isinstance(value, Mapping):
        value = value.get("choices")
    if value in (None, "", []):
        return
    worker = _worker(task.get("annotator", task.get("completed_by")), "unknown")
    yield worker, list(value) if isinstance(value, list) else [value]


def _quoted(text: str) -> str:
    return f'"{html.escape(text)}"'


def _worker(completed_by: Any, usual: str) -> str:
    """Name whoever answered: by address or by number."""
    if isinstance(completed_by, Mapping):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return usual if completed_by in (None, "") else str(completed_by)


def _one(chosen: list[Any], number: Any) -> str:
    if len(chosen) != 1:
        raise ValueError(
            f"for task {number}, {len(chosen)} classes are chosen, {chosen}: a record "
            'has one. Ask with choice="single".'
        )
    return str(chosen[0])


def _numbers(tasks: list[Any]) -> list[Any]:
    """Read numbers of records that went through a file of text."""
    try:
        return [int(task) for task in tasks]
    except (TypeError, ValueError):
        return tasks
