"""Read what an expert corrected in a report, to be fitted again with it."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._utils import as_path, read_text
from ..programs import LabelingProgram

if TYPE_CHECKING:
    from ._report import AnnotationReport

FORMAT = "sklearn_alchemist corrections 1"
# All labels of a report and its programs take far less.
_MAX_BYTES = 100_000_000
# So many faults are told at once.
_MAX_TOLD = 5


class _Answer(NamedTuple):
    positions: np.ndarray
    y: np.ndarray
    programs: list[LabelingProgram]


class Corrections(_Answer):
    """What an expert corrected: a tuple of positions, y and programs.

    Parameters
    ----------
    positions : ndarray of int of shape (n_corrected,)
        Records that were given a class, in ascending order.

    y : ndarray of shape (n_samples,) of objects
        Their classes, and None for all other records: as ``fit`` and ``update`` take
        it.

    programs : list of LabelingProgram
        Programs that were not switched off, as the parameter `programs` of a labeler
        takes them.

    Attributes
    ----------
    switched_off : tuple of str
        Names of the programs that were switched off.

    remarks : dict of str to str
        What was remarked on programs, by their names.

    See Also
    --------
    read_corrections : Reads them from the file that a report gave.
    """

    switched_off: tuple[str, ...]
    remarks: Mapping[str, str]

    def __repr__(self) -> str:
        return (
            f"<Corrections: {len(self.positions)} of {len(self.y)} records labelled, "
            f"{len(self.programs)} programs kept, {len(self.switched_off)} switched "
            f"off, {len(self.remarks)} remarked on>"
        )


def read_corrections(
    path: "str | os.PathLike[str]", *, report: "AnnotationReport | None" = None
) -> Corrections:
    """Read the file of corrections that an expert downloaded from a report.

    Nothing in the file is executed. Its programs are those of the report, with their
    source, and run like any others: in a sandbox, unless you turn that off.

    Parameters
    ----------
    path : str or path-like
        The file.

    report : AnnotationReport, default=None
        The report that the expert was given, or the same one made again, to be sure
        that the answer belongs to these records and programs. Needed where programs are
        functions that run in this process, which no file can hold.

    Returns
    -------
    corrections : Corrections
        A tuple ``(positions, y, programs)``; ``switched_off`` and ``remarks`` are
        attributes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    ValueError
        If it holds no corrections, was altered, belongs to another report, or names
        classes, positions or programs that are not there: all of it in one message.

    See Also
    --------
    AnnotationReport : The page in which an expert corrects.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
    >>> from sklearn_alchemist.inspection import AnnotationReport, read_corrections
    >>> programs = [
    ...     LabelingProgram("link", "def label(text): return 'http' in text or None"),
    ...     LabelingProgram("song", "def label(text): return 'song' not in text"),
    ... ]
    >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=programs)
    >>> texts = ["http://a.example free", "what a song", "song of mine", "free http"]
    >>> report = AnnotationReport(labeler.fit(texts), texts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "corrections.json"
    ...     report.write_corrections(path, labels={1: False}, switched_off=["song"])
    ...     positions, y, programs = read_corrections(path)
    >>> positions, y
    (array([1]), array([None, False, None, None], dtype=object))
    >>> programs
    [LabelingProgram('link', label(text))]
    """
    path = as_path(path)
    text = read_text(path, max_bytes=_MAX_BYTES)
    try:
        answer = json.loads(text)
        if not isinstance(answer, dict) or answer.get("format") != FORMAT:
            raise TypeError(answer)
        header = answer["report"]
        digest = header["digest"]
        known = {key: value for key, value in header.items() if key != "digest"}
        is_whole = digest_of(known) == digest
        n_samples = int(known["n_samples"])
        classes = _class_values(known["classes"], known["class_type"])
        described = {one["name"]: one for one in known["programs"]}
        labels = [(one["position"], one["label"]) for one in answer["labels"]]
        states = [
            (one["name"], one.get("use", True), one.get("remark", ""))
            for one in answer["programs"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(
            f"{str(path)!r} holds no corrections: give the file that the button "
            "'Download corrections' of a report saves, unchanged."
        ) from None
    if not is_whole:
        raise ValueError(
            f"{str(path)!r} does not say what its report said of classes and programs: "
            "it was altered, or is cut off. Download the corrections again."
        )
    if report is not None and report.digest != digest:
        raise ValueError(
            f"{str(path)!r} belongs to another report ({digest[:8]}, not "
            f"{report.digest[:8]}): the records, their order, the classes or the "
            "programs are not the same. Give the report that was answered, or leave "
            "`report` out."
        )
    faults = [
        *_faults_of_labels(labels, classes, n_samples),
        *_faults_of_programs(states, described),
    ]
    if faults:
        told = faults[:_MAX_TOLD]
        if len(faults) > len(told):
            told.append(f"and {len(faults) - len(told)} more")
        raise ValueError(f"{str(path)!r} cannot be used: {'; '.join(told)}.")
    by_position = {position: classes[str(label)] for position, label in labels}
    positions = np.array(sorted(by_position), dtype=int)
    y = np.full(n_samples, None, dtype=object)
    for position in positions:
        y[position] = by_position[int(position)]
    off = tuple(name for name, use, _ in states if not use)
    kept = [one for name, one in described.items() if name not in off]
    corrections = Corrections(positions, y, _make_programs(kept, report, path))
    corrections.switched_off = off
    corrections.remarks = {name: remark for name, _, remark in states if remark}
    return corrections


def describe_report(
    classes: np.ndarray,
    programs: Sequence[LabelingProgram],
    n_samples: int,
    records: Sequence[Any],
) -> dict[str, Any]:
    """Say what a report is about, in strings and integers that any JSON keeps exactly.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes.
    programs : sequence of LabelingProgram
        The programs.
    n_samples : int
        Number of records.
    records : sequence
        What tells these records from others.

    Returns
    -------
    header : dict
        With its digest, which `read_corrections` compares.
    """
    seen = hashlib.sha256()
    for record in records:
        seen.update(repr(record).encode("utf-8", "surrogatepass"))
    header = {
        "n_samples": int(n_samples),
        "records": seen.hexdigest(),
        "class_type": classes.dtype.kind,
        "classes": [str(name) for name in classes.tolist()],
        "programs": [_describe(program) for program in programs],
    }
    return header | {"digest": digest_of(header)}


def digest_of(header: Mapping[str, Any]) -> str:
    """Identify a report by what it is about."""
    text = json.dumps(header, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _describe(program: LabelingProgram) -> dict[str, Any]:
    return {
        "name": program.name,
        "source": program.source,
        "entry_point": program.entry_point,
        "returns": program.returns,
        # Numbers in a string, as JavaScript writes 1.0 as 1.
        "class_order": json.dumps(program.class_order),
        "in_process": hasattr(program, "function"),
    }


def _make_programs(
    described: Sequence[Mapping[str, Any]],
    report: "AnnotationReport | None",
    path: os.PathLike[str],
) -> list[LabelingProgram]:
    """Take programs from the report if it is there, else from the file."""
    if report is not None:
        kept = {one["name"] for one in described}
        return [program for program in report.programs if program.name in kept]
    bound = [one["name"] for one in described if one["in_process"]]
    if bound:
        raise ValueError(
            f"{str(path)!r} speaks of {bound[0]!r}, a function that no file can hold: "
            "pass the report, as read_corrections(path, report=report)."
        )
    return [
        LabelingProgram(
            one["name"],
            one["source"],
            entry_point=one["entry_point"],
            returns=one["returns"],
            class_order=_order(one["class_order"]),
        )
        for one in described
    ]


def _order(text: str) -> tuple[Any, ...] | None:
    order = json.loads(text)
    return None if order is None else tuple(order)


def _class_values(names: Sequence[str], kind: str) -> dict[str, Any]:
    """Bring classes back from what is written of them."""
    if kind == "b":
        return {name: name == "True" for name in names}
    read: Any = {"i": int, "u": int, "f": float}.get(kind, str)
    return {name: read(name) for name in names}


def _faults_of_labels(
    labels: Sequence[tuple[Any, Any]], classes: Mapping[str, Any], n_samples: int
) -> Iterator[str]:
    seen: dict[int, str] = {}
    for position, label in labels:
        if isinstance(position, bool) or not isinstance(position, int):
            yield f"{position!r} is no position of a record"
        elif not 0 <= position < n_samples:
            yield (
                f"position {position} is outside of the {n_samples} records, which are "
                "counted from 0"
            )
        elif str(label) not in classes:
            some = ", ".join(list(classes)[:_MAX_TOLD])
            more = ", ..." if len(classes) > _MAX_TOLD else ""
            yield (
                f"the label {label!r} of record {position} is none of the classes "
                f"{some}{more}"
            )
        elif seen.setdefault(position, str(label)) != str(label):
            yield f"record {position} has two labels, {seen[position]!r} and {label!r}"


def _faults_of_programs(
    states: Sequence[tuple[Any, Any, Any]], described: Mapping[str, Any]
) -> Iterator[str]:
    for name, use, remark in states:
        if not isinstance(name, str) or name not in described:
            some = ", ".join(list(described)[:_MAX_TOLD])
            more = ", ..." if len(described) > _MAX_TOLD else ""
            yield f"{name!r} is none of the programs {some}{more}"
        elif not isinstance(use, bool) or not isinstance(remark, str):
            yield f"program {name!r} is neither used nor switched off"
