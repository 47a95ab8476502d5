"""Label files of any number of rows, part by part."""

import json
import os
import pickle
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path
from typing import Any

from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from .._utils import warn
from ..exceptions import AlchemistWarning, ProgramWarning, TargetError
from ._estimator_digest import digest_of, without_jobs
from ._find_files import find_source
from ._finished_parts import SCHEMA_VERSION, Parts, part_name
from ._label_table import (
    FAILURES,
    RESULTS,
    Inputs,
    add_failures,
    find_inputs,
    label_batch,
)
from ._read_batches import Source
from ._spending import Spent, asks, is_capped, limit

# Rows that are labelled to tell how long all will take.
_N_TIMED = 500


@dataclass(frozen=True)
class LabeledFiles:
    """What became of a run.

    Parameters
    ----------
    target : str
        The folder of the parts.

    n_rows : int
        Rows that were labelled by this call.

    n_parts : int
        Parts that were written by this call.

    n_kept : int
        Parts that were there already.

    seconds : float
        Time that this call took.

    failures : dict of str to dict
        Program -> kind of failure -> number of rows of this call.

    dollars : float
        What a model got for all parts, those of calls before included; prices that
        nobody knows count as nothing.
    """

    target: str
    n_rows: int = 0
    n_parts: int = 0
    n_kept: int = 0
    seconds: float = 0.0
    failures: dict[str, dict[str, int]] = field(default_factory=dict)
    dollars: float = 0.0


@dataclass(frozen=True)
class LabelingEstimate:
    """What a run would take.

    Parameters
    ----------
    n_rows : int or None
        Rows of all files; None where a CSV file would have to be read to count them.

    n_bytes : int
        Size of all files.

    seconds : float or None
        Time for all rows by one job, by that for the first ones; None where a model
        would have to be asked to tell.

    cost : float or None
        US dollars that a model would get without its caps, by what the first rows would
        cost; 0 where none is asked, None where nobody knows.
    """

    n_rows: int | None
    n_bytes: int
    seconds: float | None
    cost: float | None


def label_files(
    estimator: Any,
    source: "str | os.PathLike[str]",
    target: "str | os.PathLike[str]",
    *,
    columns: Sequence[str] | str | None = None,
    keep: Sequence[str] = (),
    batch_size: int = 20_000,
    n_jobs: int | None = None,
    dry_run: bool = False,
    on_part: Callable[[LabeledFiles], object] | None = None,
) -> LabeledFiles | LabelingEstimate:
    """Label files of any size with a fitted labeler or annotator.

    Files are read in batches, and each batch becomes a Parquet file in the folder
    `target`, written as a whole or not at all. After any interruption the same call
    goes on: finished parts are neither run nor paid again. A manifest says from what
    and by whom the parts were made, and another annotator or a changed source is
    refused. The parts sort in the order of the rows, so that
    ``pyarrow.dataset.dataset(target)`` or ``pandas.read_parquet(target)`` read them as
    one table.

    Parameters
    ----------
    estimator : labeler or annotator
        Fitted: `ProgramSynthesisLabeler`, whose votes are written, or what has
        ``annotate``, such as `DistilledAnnotator`.

    source : str or path-like
        A Parquet or CSV file, a folder of them or a pattern such as ``data/*.parquet``;
        or an address that pyarrow knows, such as ``s3://bucket/folder``.

    target : str or path-like
        Folder of the parts, new or of the same run before; or an address.

    columns : list of str or str, default=None
        Columns of the source that the estimator takes, in its order. None takes those
        that it was fitted to; for texts the column ``text``, or the only one.

    keep : list of str, default=()
        Columns of the source that are copied beside the labels, such as an identifier.
        What is kept keeps its name: beside a ``label`` of the source, ours is called
        ``label (label)``.

    batch_size : int, default=20_000
        Rows of a part. At most `n_jobs` + 1 batches are in memory.

    n_jobs : int, default=None
        Number of batches that are labelled at a time, each in a process of its own.
        None means 1 unless in a `joblib.parallel_config` context; -1 means all
        processors. An estimator that asks a model, or people about `max_rows` records,
        labels one batch at a time, and its caps hold for all parts together, those of
        calls before included. `max_rows` counts as one call does: records that are to
        be read, though their answers are known, and equal ones of a part once.

    dry_run : bool, default=False
        Whether to say only what it would take.

    on_part : callable, default=None
        Called after each part with what has become of the run by then.

    Returns
    -------
    result : LabeledFiles or LabelingEstimate
        What was done; with `dry_run` what would have to be.

    Raises
    ------
    ValueError
        If there are no such files or columns, or a file cannot be read to its end.

    TargetError
        If the target cannot be written, is in use or holds other labels.

    Warns
    -----
    ProgramWarning
        Once, if programs fail on rows.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
    >>> from sklearn_alchemist.streaming import label_files
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> pd.DataFrame({"text": ["free", "song"]}).to_parquet(folder / "texts.parquet")
    >>> program = LabelingProgram("free", "def label(text): return 'free' in text")
    >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[program])
    >>> labeler = labeler.fit(["free"])
    >>> label_files(labeler, folder / "texts.parquet", folder / "labels").n_rows
    2
    >>> pd.read_parquet(folder / "labels").votes.tolist()
    [{'free': True}, {'free': False}]
    """
    check_is_fitted(estimator)
    check_scalar(batch_size, "batch_size", Integral, min_val=1)
    _check_kind(estimator)
    parts = Parts.at(target)
    found = find_source(source, passed_by=parts.folder)
    known = found.schema(found.files[0]).names
    inputs = find_inputs(estimator, columns, known)
    keep = [keep] if isinstance(keep, str) else list(dict.fromkeys(keep or ()))
    absent = [name for name in keep if name not in known]
    if absent:
        ours = (
            f" {', '.join(RESULTS)} of ours are written anyway."
            if absent[0] in RESULTS
            else ""
        )
        raise ValueError(
            f"the source has no column {absent[0]!r} to keep; its columns are "
            f"{', '.join(known)}.{ours}"
        )
    kept = found.kept_schema([*dict.fromkeys([*inputs.columns, *keep])], keep)
    if dry_run:
        return _estimate(estimator, found, inputs)
    estimator = without_jobs(estimator)
    digest = digest_of(estimator)
    plan = {
        "schema": SCHEMA_VERSION,
        "annotator": digest,
        "source": [file.as_dict() for file in found.files],
        "batch_size": int(batch_size),
        "columns": list(inputs.columns),
        "keep": keep,
    }
    with parts.locked(), tempfile.TemporaryDirectory() as folder:
        parts.agree(plan)
        parts.discard_unfinished()
        path = Path(folder) / "estimator.pickle"
        path.write_bytes(pickle.dumps(estimator))
        job = _Job(str(path), parts, inputs, kept, digest)
        finished = parts.finished()
        batches = _batches(found, job, finished, batch_size)
        if is_capped(estimator):
            spent = sum((_spent_on(parts, *part) for part in finished), Spent())
            return _run(job, batches, 1, len(finished), on_part, spent)
        return _run(job, batches, n_jobs, len(finished), on_part)


@dataclass(frozen=True)
class _Job:
    """What a process must know to label batches of a run."""

    estimator: str
    parts: Parts
    inputs: Inputs
    keep: Any  # a schema
    digest: str


@dataclass(frozen=True)
class _Batch:
    file: int
    number: int
    path: str
    table: Any


def _batches(
    source: Source, job: _Job, finished: set[tuple[int, int]], batch_size: int
) -> Iterator[_Batch]:
    """Read what is left to do, in order."""
    columns = list(dict.fromkeys([*job.inputs.columns, *job.keep.names]))
    taken = set(job.inputs.columns)
    types = {field.name: field.type for field in job.keep if field.name not in taken}
    types |= job.inputs.csv_types()
    for place, file in enumerate(source.files):
        start = 0
        while (place, start) in finished:
            start += 1
        read = source.batches(file, columns, batch_size, types=types, start=start)
        for number, table in enumerate(read, start):
            if (place, number) not in finished:
                yield _Batch(place, number, file.path, table)


def _check_kind(estimator: Any) -> None:
    """Refuse what gives neither labels with their reasons nor votes."""
    votes = ("transform", "get_feature_names_out", "classes_")
    if not hasattr(estimator, "annotate") and not all(
        hasattr(estimator, name) for name in votes
    ):
        raise TypeError(
            f"{type(estimator).__name__} has no annotate and is no labeler: give a "
            "fitted ProgramSynthesisLabeler or an annotator, such as "
            "DistilledAnnotator."
        )


def _run(
    job: _Job,
    batches: Iterator[_Batch],
    n_jobs: int | None,
    n_kept: int,
    on_part: Callable[[LabeledFiles], object] | None,
    spent: Spent | None = None,
) -> LabeledFiles:
    """Label batches, in processes of their own if there are several jobs."""
    import joblib

    began = time.perf_counter()
    done = LabeledFiles(job.parts.folder, n_kept=n_kept)
    pool = joblib.Parallel(
        n_jobs=n_jobs,
        return_as="generator_unordered",
        pre_dispatch="n_jobs",
        batch_size=1,
    )
    try:
        # One job takes a batch when the one before is done, so what it spent counts.
        for n_rows, failures, more in pool(
            joblib.delayed(_label_part)(job, batch, spent) for batch in batches
        ):
            add_failures(done.failures, failures)
            spent = None if spent is None else spent + more
            done = replace(
                done,
                n_rows=done.n_rows + n_rows,
                n_parts=done.n_parts + 1,
                seconds=time.perf_counter() - began,
                dollars=0.0 if spent is None else spent.cost,
            )
            if on_part is not None:
                on_part(done)
    except BaseException as error:
        if _is_lost_worker(error):
            raise TargetError(
                f"a worker process ended while it labelled a batch. {done.n_parts} "
                f"parts of this call and {n_kept} of before are kept in "
                f"{done.target!r}: the same call goes on from there."
            ) from error
        raise
    if done.failures:
        warn(_failures_message(done.failures, done.n_rows))
    return done


def _spent_on(parts: Parts, file: int, batch: int) -> Spent:
    """Read what a part took."""
    from pyarrow import parquet

    with parts.filesystem.open_input_file(parts.path(part_name(file, batch))) as part:
        return Spent.of_metadata(parquet.read_schema(part).metadata)


def _is_lost_worker(error: BaseException) -> bool:
    return type(error).__name__ in {"TerminatedWorkerError", "BrokenProcessPool"}


_LOADED: dict[str, Any] = {}


def _label_part(
    job: _Job, batch: _Batch, spent: Spent | None
) -> tuple[int, dict[str, dict[str, int]], Spent]:
    """Label one batch and write its part."""
    import pyarrow as pa
    from pyarrow import parquet

    from .. import __version__

    if job.digest not in _LOADED:
        _LOADED.clear()  # one run at a time
        with open(job.estimator, "rb") as file:  # noqa: PTH123
            _LOADED[job.digest] = pickle.load(file)
    estimator = _LOADED[job.digest]
    try:
        table, failures, more = label_batch(
            estimator if spent is None else limit(estimator, spent),
            job.inputs.take(batch.table),
            batch.table.select(job.keep.names).cast(job.keep)
            if job.keep.names
            else batch.table.select([]),
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{batch.path}, batch {batch.number}: {error}") from error
    about = {
        "sklearn_alchemist.schema": str(SCHEMA_VERSION),
        "sklearn_alchemist.version": __version__,
        "sklearn_alchemist.annotator": job.digest,
        FAILURES: json.dumps(failures),
        **more.as_metadata(),
    }
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **about})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    job.parts.write(part_name(batch.file, batch.number), sink.getvalue())
    return table.num_rows, failures, more


def _estimate(estimator: Any, source: Source, inputs: Inputs) -> LabelingEstimate:
    """Count rows, and label the first ones to see how long they take."""
    counts = [source.n_rows(file) for file in source.files]
    n_bytes = sum(file.size for file in source.files)
    n_rows = None if None in counts else sum(c for c in counts if c is not None)
    file = source.files[0]
    types = inputs.csv_types()
    first = next(source.batches(file, inputs.columns, _N_TIMED, types=types), None)
    if first is None:
        return LabelingEstimate(n_rows, n_bytes, 0.0, 0.0)
    X = inputs.take(first)
    if asks(estimator):  # which would be paid
        told = (
            estimator.estimate_cost(X) if hasattr(estimator, "estimate_cost") else None
        )
        cost = None
        if told is not None and told.dollars is not None and n_rows is not None:
            cost = told.dollars / first.num_rows * n_rows
        return LabelingEstimate(n_rows, n_bytes, None, cost)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AlchemistWarning)
        label_batch(estimator, X, first.select([]))  # starts what must be started once
        began = time.perf_counter()
        label_batch(estimator, X, first.select([]))
        taken = time.perf_counter() - began
    seconds = None if n_rows is None else taken / first.num_rows * n_rows
    return LabelingEstimate(n_rows, n_bytes, seconds, 0.0)


def _failures_message(total: dict[str, dict[str, int]], n_rows: int) -> ProgramWarning:
    failed = "; ".join(
        f"{name} on {', '.join(f'{n} ({kind})' for kind, n in kinds.items())}"
        for name, kinds in total.items()
    )
    warning = ProgramWarning(
        f"Programs failed, and abstain there, on some of {n_rows} rows: {failed}. "
        "Correct them by way of export_programs."
    )
    warning.failures = total
    return warning
