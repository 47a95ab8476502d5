import gzip
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_alchemist import (
    LLM,
    CascadeAnnotator,
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.__main__ import main
from sklearn_alchemist.exceptions import ProgramWarning, TargetError
from sklearn_alchemist.streaming import label_files
from sklearn_alchemist.streaming._label_table import add_failures

CLASSES = ["ham", "spam"]


def program(name, body, parameters="text"):
    return LabelingProgram(name, f"def label({parameters}):\n    {body}")


LINK = program("link", "return 'spam' if 'http' in text else None")
SONG = program("song", "return 'ham' if 'song' in text else None")


def texts_of(n_rows):
    return [f"{('http', 'song', 'word')[k % 3]} number {k}" for k in range(n_rows)]


def fitted(*programs, X=("http song",), **parameters):
    labeler = ProgramSynthesisLabeler(
        task="Is it spam?", classes=CLASSES, programs=list(programs), **parameters
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProgramWarning)
        return labeler.fit(X if hasattr(X, "columns") else list(X))


@pytest.fixture(scope="module")
def kept():
    """What is fitted once, as bytes, of which each test has its own."""
    labeler = fitted(LINK, SONG)
    return pickle.dumps((labeler, DistilledAnnotator(labeler).fit(texts_of(120))))


@pytest.fixture
def labeler(kept):
    return pickle.loads(kept)[0]


@pytest.fixture
def annotator(kept):
    return pickle.loads(kept)[1]


def write(path, n_rows, **options):
    frame = pd.DataFrame({"id": range(n_rows), "text": texts_of(n_rows)})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, **options)
    return frame


def votes_in(folder):
    frame = pd.read_parquet(folder)
    return [list(votes.values()) for votes in frame.votes]


def as_classes(votes):
    return [[CLASSES[v] if v >= 0 else None for v in row] for row in votes]


def parts(folder):
    return sorted(path.name for path in folder.glob("part-*"))


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_labels_of_files_are_those_of_memory(tmp_path, labeler, suffix):
    frame = write(tmp_path / f"texts{suffix}", 250)
    done = label_files(
        labeler, tmp_path / f"texts{suffix}", tmp_path / "out", batch_size=100
    )
    assert (done.n_rows, done.n_parts, done.n_kept) == (250, 3, 0)
    expected = as_classes(labeler.transform(frame.text.tolist()))
    assert votes_in(tmp_path / "out") == expected


def test_an_annotator_writes_labels_confidence_flags_doubts_and_votes(
    tmp_path, annotator
):
    frame = write(tmp_path / "texts.parquet", 90)
    label_files(annotator, tmp_path / "texts.parquet", tmp_path / "out", keep=["id"])
    written = pd.read_parquet(tmp_path / "out")
    said = annotator.annotate(frame.text.tolist())
    assert written.columns.tolist() == [
        *("id", "label", "confidence", "flag", "doubt", "source", "votes")
    ]
    assert written.id.tolist() == frame.id.tolist()
    assert written.label.tolist() == said.label.tolist()
    np.testing.assert_allclose(written.confidence, said.confidence, rtol=1e-6)
    assert written.flag.tolist() == said.flag.tolist()
    assert written.doubt.tolist() == said.doubt.tolist()


def test_batches_do_not_depend_on_how_a_file_is_cut_into_row_groups(tmp_path, labeler):
    write(tmp_path / "one.parquet", 250)
    write(tmp_path / "many.parquet", 250, row_group_size=7)
    for name in ("one", "many"):
        label_files(
            labeler, tmp_path / f"{name}.parquet", tmp_path / name, batch_size=60
        )
    assert parts(tmp_path / "one") == parts(tmp_path / "many")
    rows = [
        pq.read_metadata(path).num_rows
        for path in sorted((tmp_path / "many").glob("part*"))
    ]
    assert rows == [60, 60, 60, 60, 10]
    assert votes_in(tmp_path / "one") == votes_in(tmp_path / "many")


def test_folders_and_patterns_are_read_in_the_order_of_names(tmp_path, labeler):
    folder = tmp_path / "in"
    (folder / "inner").mkdir(parents=True)
    write(folder / "b.parquet", 3)
    write(folder / "a.parquet", 2)
    write(folder / "inner" / "c.parquet", 4)
    (folder / "_SUCCESS").write_text("")
    assert label_files(labeler, folder, tmp_path / "out").n_rows == 9
    assert parts(tmp_path / "out") == [
        f"part-0000{k}-0000000.parquet" for k in range(3)
    ]
    assert label_files(labeler, f"{folder}/*.parquet", tmp_path / "other").n_rows == 5


def test_texts_of_csv_stay_texts_and_may_hold_line_feeds(tmp_path, labeler):
    (tmp_path / "texts.csv").write_text('text\n"007"\n""\n"http\nsong"\nNA\n')
    label_files(labeler, tmp_path / "texts.csv", tmp_path / "out")
    assert votes_in(tmp_path / "out") == [
        *([None, None], [None, None], ["spam", "ham"], [None, None])
    ]


def test_a_table_is_read_by_the_names_it_was_fitted_with(tmp_path):
    rule = program("long", "return 'spam' if price > 10 else 'ham'", "price")
    frame = pd.DataFrame({"title": ["a", "b"], "price": [3.0, 30.0]})
    labeler = fitted(rule, X=frame)
    frame.assign(unread=[[1], [2]])[["unread", "price", "title"]].to_parquet(
        tmp_path / "table.parquet"
    )
    label_files(labeler, tmp_path / "table.parquet", tmp_path / "out")
    assert votes_in(tmp_path / "out") == [["ham"], ["spam"]]


@pytest.mark.slow
def test_jobs_label_batches_in_processes_and_change_nothing(tmp_path, labeler):
    write(tmp_path / "texts.parquet", 100)
    for n_jobs in (1, 2):
        label_files(
            labeler,
            tmp_path / "texts.parquet",
            tmp_path / str(n_jobs),
            batch_size=30,
            n_jobs=n_jobs,
        )
    assert votes_in(tmp_path / "1") == votes_in(tmp_path / "2")


def test_the_same_call_goes_on_and_runs_nothing_twice(tmp_path, labeler):
    write(tmp_path / "texts.parquet", 100)
    source, target = tmp_path / "texts.parquet", tmp_path / "out"
    whole = label_files(labeler, source, target, batch_size=10)
    assert whole.n_parts == 10
    before = {name: (target / name).stat().st_mtime_ns for name in parts(target)}
    for name in (parts(target)[0], parts(target)[7]):
        (target / name).unlink()
    (target / ".part-00000-0000003.parquet.77").write_bytes(b"half")
    again = label_files(labeler.set_params(n_jobs=2), source, target, batch_size=10)
    assert (again.n_parts, again.n_kept, again.n_rows) == (2, 8, 20)
    after = {name: (target / name).stat().st_mtime_ns for name in parts(target)}
    assert sum(after[name] != before[name] for name in before) == 2
    assert not list(target.glob(".part*"))
    assert len(votes_in(target)) == 100


@pytest.mark.slow
def test_rows_are_equal_after_five_kills_and_no_part_is_run_twice(tmp_path, labeler):
    n_rows, rng = 4000, np.random.default_rng()
    frame = write(tmp_path / "texts.parquet", n_rows)
    joblib.dump(labeler, tmp_path / "labeler.joblib")
    target = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "sklearn_alchemist", "label"),
        *(str(tmp_path / "texts.parquet"), str(target), "--batch-size", "10"),
        *("--annotator", str(tmp_path / "labeler.joblib")),
    ]
    written = {}
    for _ in range(5):
        n_more = len(written) + int(rng.integers(1, 50))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 120
            while len(parts(target)) < n_more and time.monotonic() < deadline:
                time.sleep(rng.uniform(0.0, 0.01))
            os.kill(process.pid, signal.SIGKILL)
        now = {name: (target / name).stat().st_mtime_ns for name in parts(target)}
        assert n_more <= len(now) < n_rows / 10
        assert written.items() <= now.items()
        written = now
    assert main(command[3:]) == 0
    now = {name: (target / name).stat().st_mtime_ns for name in parts(target)}
    assert written.items() <= now.items()
    assert len(now) == n_rows / 10
    assert votes_in(target) == as_classes(labeler.transform(frame.text.tolist()))


def test_another_annotator_or_a_changed_source_is_refused_by_name(tmp_path, labeler):
    source, target = tmp_path / "texts.parquet", tmp_path / "out"
    write(source, 20)
    label_files(labeler, source, target)
    with pytest.raises(TargetError, match="made by another annotator"):
        label_files(fitted(LINK), source, target)
    with pytest.raises(TargetError, match=r"in batches of 20000 rows, not 7"):
        label_files(labeler, source, target, batch_size=7)
    with pytest.raises(TargetError, match=r"columns \[\] kept, not \['id'\]"):
        label_files(labeler, source, target, keep=["id"])
    write(source, 21)
    with pytest.raises(TargetError, match=r"from .*texts.parquet.* as it was before"):
        label_files(labeler, source, target)
    with pytest.raises(TargetError, match=r"holds files, and no _manifest.json"):
        label_files(labeler, source, tmp_path)


@pytest.mark.slow
def test_an_equal_annotator_of_another_process_goes_on(tmp_path, annotator):
    write(tmp_path / "texts.parquet", 40)
    joblib.dump(annotator, tmp_path / "annotator.joblib")
    label_files(annotator, tmp_path / "texts.parquet", tmp_path / "out", batch_size=20)
    (tmp_path / "out" / parts(tmp_path / "out")[0]).unlink()
    run = subprocess.run(
        [
            *(sys.executable, "-m", "sklearn_alchemist", "label"),
            *(str(tmp_path / "texts.parquet"), str(tmp_path / "out")),
            *("--annotator", str(tmp_path / "annotator.joblib"), "--batch-size", "20"),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "5"},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("20 rows labelled in 1 parts, 1 parts were there")


def test_two_runs_into_one_target_are_refused(tmp_path, labeler):
    source, target = tmp_path / "texts.parquet", tmp_path / "out"
    write(source, 20)

    def meanwhile(_):
        with pytest.raises(TargetError, match="another run writes into"):
            label_files(labeler, source, target)

    assert label_files(labeler, source, target, on_part=meanwhile).n_parts == 1


def test_a_file_that_breaks_off_keeps_what_is_done_and_is_named(tmp_path, labeler):
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.parquet", 10)
    write(folder / "b.parquet", 10)
    whole = (folder / "b.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(whole[:-60])
    with pytest.raises(ValueError, match=r"b\.parquet cannot be read"):
        label_files(labeler, folder, tmp_path / "out")
    assert parts(tmp_path / "out") == ["part-00000-0000000.parquet"]


def test_a_file_that_was_mended_goes_on_where_no_part_of_it_is(tmp_path, labeler):
    folder, target = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    write(folder / "a.parquet", 10)
    (folder / "b.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(ValueError, match=r"b\.parquet cannot be read"):
        label_files(labeler, folder, target)
    write(folder / "b.parquet", 7)
    done = label_files(labeler, folder, target)
    assert (done.n_rows, done.n_kept) == (7, 1)
    write(folder / "b.parquet", 8)
    with pytest.raises(TargetError, match=r"delete its parts, part-00001-\*"):
        label_files(labeler, folder, target)
    (target / "part-00001-0000000.parquet").unlink()
    assert label_files(labeler, folder, target).n_rows == 8
    assert len(pd.read_parquet(target)) == 18


def test_a_part_that_was_cut_off_is_written_again(tmp_path, labeler):
    source, target = tmp_path / "texts.parquet", tmp_path / "out"
    write(source, 30)
    label_files(labeler, source, target, batch_size=10)
    cut = target / parts(target)[1]
    cut.write_bytes(cut.read_bytes()[:-20])
    assert label_files(labeler, source, target, batch_size=10).n_rows == 10
    assert len(votes_in(target)) == 30


def test_columns_that_differ_between_files_are_told_before_anything_is_written(
    tmp_path, labeler
):
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.parquet", 3)
    pd.DataFrame({"id": ["x"], "text": ["song"]}).to_parquet(folder / "b.parquet")
    with pytest.raises(ValueError, match=r"'id' to keep is int64 in .*string there"):
        label_files(labeler, folder, tmp_path / "out", keep=["id"])
    pq.write_table(pa.table({"body": ["song"]}), folder / "b.parquet")
    with pytest.raises(ValueError, match=r"b\.parquet has no column 'text'"):
        label_files(labeler, folder, tmp_path / "out")
    twice = pa.Table.from_arrays([pa.array(["a"])] * 2, ["text", "text"])
    pq.write_table(twice, folder / "b.parquet")
    with pytest.raises(ValueError, match=r"b\.parquet has 2 columns 'text'"):
        label_files(labeler, folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_kept_columns_have_one_type_that_holds_what_all_files_say(tmp_path, labeler):
    folder = tmp_path / "in"
    folder.mkdir()
    types = [pa.null(), pa.int32(), pa.int64(), pa.float64()]
    for place, type_ in enumerate(types):
        table = pa.table({"id": pa.array([None], type_), "text": ["song"]})
        pq.write_table(table, folder / f"{place}.parquet")
    label_files(labeler, folder, tmp_path / "out", keep=["id", "text", "id"])
    schemas = {
        str(pq.read_schema(path).field("id").type)
        for path in (tmp_path / "out").glob("part-*")
    }
    assert schemas == {"double"}


def test_kept_columns_of_csv_lose_no_leading_zeros(tmp_path, labeler):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("zip,n,m,text\n01067,1,0,song\n10115,2,1,song\n")
    (folder / "b.csv").write_text("zip,n,m,text\n5,x,2,song\n")
    label_files(labeler, folder, tmp_path / "out", keep=["zip", "n", "m"])
    written = pd.read_parquet(tmp_path / "out")
    assert written.zip.tolist() == ["01067", "10115", "5"]
    assert written.n.tolist() == ["1", "2", "x"]
    assert written.m.tolist() == [0, 1, 2]


def test_texts_of_csv_may_be_longer_than_a_block_of_pyarrow(tmp_path, labeler):
    (tmp_path / "texts.csv").write_text("text\n" + "song " * 400_000 + "\nhttp\n")
    assert label_files(labeler, tmp_path / "texts.csv", tmp_path / "out").n_rows == 2
    (tmp_path / "open.csv").write_text(
        'text\nsong\n"never closed\n' + "a\n" * 9_000_000
    )
    with pytest.raises(ValueError, match="quotation mark is never closed"):
        label_files(labeler, tmp_path / "open.csv", tmp_path / "other")


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "tsv"])
@pytest.mark.parametrize(
    ("end", "is_whole"),
    [
        ('"a song', False),
        ('"a song\n', False),
        ('"a ""song""', False),
        ('"', False),
        ('"a song"', True),
        ('"a song"\n', True),
        ('"a ""song"""', True),
        ('""', True),
        ("a song", True),
        ('6" of a song"\r\n', True),
    ],
)
def test_a_csv_file_that_breaks_off_within_a_quoted_text_is_named(
    tmp_path, labeler, suffix, end, is_whole
):
    path, target = tmp_path / f"texts.{suffix}", tmp_path / "out"
    mark = "\t" if suffix == "tsv" else ","
    data = f"id{mark}text\n1{mark}http\n2{mark}{end}".encode()
    path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    for columns, keep in (("text", ["id"]), ("id", [])):
        if is_whole:
            done = label_files(labeler, path, target / columns, columns=columns)
            assert done.n_rows == 2
            continue
        with pytest.raises(
            ValueError, match=r"breaks off within a quoted text of.*'te"
        ):
            label_files(labeler, path, target / columns, columns=columns, keep=keep)
        assert not parts(target / columns)


def test_a_packed_file_that_breaks_off_is_named(tmp_path, labeler):
    packed = gzip.compress(b"text\n" + b"song\n" * 99)
    (tmp_path / "texts.csv.gz").write_bytes(packed[:-9])
    with pytest.raises(ValueError, match=r"texts\.csv\.gz cannot be read: Truncated"):
        label_files(labeler, tmp_path / "texts.csv.gz", tmp_path / "out")


def test_a_target_inside_the_source_is_no_part_of_it(tmp_path, labeler):
    write(tmp_path / "a.parquet", 5)
    for n_rows in (5, 0):
        assert label_files(labeler, tmp_path, tmp_path / "out").n_rows == n_rows


def test_a_name_that_looks_like_a_pattern_is_the_file_that_is_there(tmp_path, labeler):
    write(tmp_path / "a[1] \u00fc.parquet", 5)
    done = label_files(labeler, tmp_path / "a[1] \u00fc.parquet", tmp_path / "out [2]")
    assert done.n_rows == 5


def test_what_is_no_folder_and_what_cannot_label_are_told(tmp_path, labeler):
    write(tmp_path / "texts.parquet", 5)
    source, target = tmp_path / "texts.parquet", tmp_path / "out"
    with pytest.raises(TargetError, match=r"is a file, and labels are written into a"):
        label_files(labeler, source, source)
    with pytest.raises(TargetError, match=r"cannot be made: .*[Nn]ot a directory"):
        label_files(labeler, source, source / "out")
    for name in ("out.csv", "out.csv.gz", "out.JSONL"):
        with pytest.raises(TargetError, match=r"is called like a file, .*to_csv"):
            label_files(labeler, source, tmp_path / name)
        assert not (tmp_path / name).exists()
    with pytest.raises(TypeError, match="LogisticRegression has no annotate"):
        label_files(LogisticRegression().fit([[1], [2]], [0, 1]), source, target)
    with pytest.raises(TypeError, match=r"got list\. A folder or a pattern"):
        label_files(labeler, [source], target)
    target.mkdir()
    (target / "_manifest.json").write_text("[]")
    with pytest.raises(TargetError, match="is no manifest"):
        label_files(labeler, source, target)


def test_a_full_disk_ends_in_one_message_and_the_call_goes_on(
    tmp_path, labeler, monkeypatch
):
    write(tmp_path / "texts.parquet", 30)
    source, target = tmp_path / "texts.parquet", tmp_path / "out"
    sync, n_synced = os.fsync, []

    def full(descriptor):
        n_synced.append(descriptor)
        if len(n_synced) == 5:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TargetError, match=r"No space left on device\. What is"):
        label_files(labeler, source, target, batch_size=10)
    monkeypatch.undo()
    n_finished = len(parts(target))
    assert 0 < n_finished < 3
    assert label_files(labeler, source, target, batch_size=10).n_kept == n_finished
    assert len(votes_in(target)) == 30


def test_failures_are_counted_over_all_parts_and_told_once(tmp_path):
    odd = program("odd", "return 'spam' if 1 / (int(text[-1]) % 2) else None")
    labeler = fitted(LINK, odd)
    write(tmp_path / "texts.parquet", 40)
    with pytest.warns(ProgramWarning, match=r"odd on 20 \(error\)") as caught:
        done = label_files(
            labeler, tmp_path / "texts.parquet", tmp_path / "out", batch_size=10
        )
    assert done.failures == {"odd": {"error": 20}}
    assert len([w for w in caught if w.category is ProgramWarning]) == 1
    about = pq.read_schema(tmp_path / "out" / parts(tmp_path / "out")[0]).metadata
    assert json.loads(about[b"sklearn_alchemist.failures"]) == {"odd": {"error": 5}}
    assert about[b"sklearn_alchemist.schema"] == b"1"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none", None, "holds no files"),
        ("data.xlsx", b"x", "files are to be all Parquet"),
        ("data.csv", b"a,b\n1,2\n", r"name the one that holds the texts in columns"),
        ("data.csv", b"a;b\nx;1,5\n", r"separated by ';', not by ',': .*sep=';'"),
        ("data.csv", b"a;b\nx;1\n", r"separated by ';', not by ','"),
        ("data.tsv", b"a,b\nx,1\n", r"separated by ',', not by '\\t'"),
    ],
)
def test_sources_that_cannot_be_read_say_what_to_give(
    tmp_path, labeler, name, content, message
):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        label_files(labeler, tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_columns_that_are_missing_are_named_before_anything_is_written(
    tmp_path, labeler
):
    write(tmp_path / "texts.parquet", 5)
    for options in ({"columns": "body"}, {"keep": ["body"]}):
        with pytest.raises(ValueError, match=r"no column 'body'.* id, text"):
            label_files(
                labeler, tmp_path / "texts.parquet", tmp_path / "out", **options
            )
    assert not (tmp_path / "out").exists()


def test_an_address_that_pyarrow_does_not_know_is_refused_in_one_line(
    tmp_path, labeler
):
    with pytest.raises(ValueError, match=r"pyarrow cannot open ftp://") as caught:
        label_files(labeler, "ftp://a.example/texts.parquet", tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_empty_files_give_no_rows(tmp_path, labeler):
    write(tmp_path / "texts.parquet", 0)
    done = label_files(labeler, tmp_path / "texts.parquet", tmp_path / "out")
    assert (done.n_rows, done.n_parts) == (0, 0)


def test_a_dry_run_counts_rows_and_seconds_and_writes_nothing(tmp_path, annotator):
    write(tmp_path / "texts.parquet", 3000)
    told = label_files(
        annotator, tmp_path / "texts.parquet", tmp_path / "out", dry_run=True
    )
    assert told.n_rows == 3000
    assert 0 < told.seconds < 60
    assert told.cost == 0
    assert not (tmp_path / "out").exists()


def test_batches_are_read_one_at_a_time_and_come_back_in_order(labeler, annotator):
    read = []

    def batches():
        for k in range(3):
            read.append(k)
            yield texts_of(k + 1)

    for place, votes in enumerate(labeler.transform_batches(batches())):
        assert read == list(range(place + 1))
        assert votes.tolist() == labeler.transform(texts_of(place + 1)).tolist()
    labels = [said.label.tolist() for said in annotator.annotate_batches(batches())]
    assert labels == [annotator.predict(texts_of(k + 1)).tolist() for k in range(3)]


def test_a_source_cut_into_partitions_of_arrow_keeps_its_types(tmp_path):
    rule = program("count", "return 'spam' if isinstance(n, int) else 'ham'", "n")
    table = pa.table({"n": pa.array([1, 2, 3], pa.int32())})
    labeler = fitted(rule, X=table.to_pandas())
    pq.write_table(table, Path(tmp_path) / "t.parquet")
    label_files(labeler, tmp_path / "t.parquet", tmp_path / "out", batch_size=2)
    assert votes_in(tmp_path / "out") == [["spam"]] * 3


ASKED = []


def answer_spam(prompt):
    ASKED.append(prompt)
    return "spam"


def cascade(annotator, **parameters):
    model = LLM.from_callable(
        answer_spam, name="spam", prices={"input": 1.0, "output": 1.0}
    )
    parameters = {"max_rows": 5, **parameters}
    return CascadeAnnotator(annotator, model, **parameters).fit(texts_of(60))


def unclear(n_rows):
    return [f"word number {k} of its own" for k in range(n_rows)]


def test_the_caps_of_a_cascade_hold_for_all_parts_and_calls(tmp_path, annotator):
    reader = cascade(annotator).set_params(max_rows=7)
    pd.DataFrame({"text": unclear(40)}).to_parquet(tmp_path / "texts.parquet")
    source, target = tmp_path / "texts.parquet", tmp_path / "out"
    ASKED.clear()

    class StoppedError(Exception):
        pass

    def stop(done):
        if done.n_parts == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        label_files(reader, source, target, batch_size=5, on_part=stop)
    label_files(reader, source, target, batch_size=5)
    assert len(parts(target)) == 8
    assert len(ASKED) == 7
    written = pd.read_parquet(target)
    assert (written.source == "model").sum() == 7
    assert (written.doubt == "not asked: budget").any()


def test_answers_that_do_not_count_in_one_call_leave_the_budget_of_a_run_alone(
    tmp_path, annotator
):
    # Equal records of a part share an answer; what the annotator knows is not read.
    texts = ["word number 0 of its own"] * 10 + unclear(20) + texts_of(10)
    pd.DataFrame({"text": texts}).to_parquet(tmp_path / "texts.parquet")
    reader = cascade(annotator).set_params(max_rows=7)
    for target, n_new in (("out", 7), ("again", 0)):
        ASKED.clear()
        label_files(
            reader, tmp_path / "texts.parquet", tmp_path / target, batch_size=15
        )
        assert len(ASKED) == n_new
    first, again = (pd.read_parquet(tmp_path / name) for name in ("out", "again"))
    pd.testing.assert_frame_equal(first, again)
    assert (first.source == "model").sum() == 11 + 6


def test_people_are_given_as_many_records_of_a_run_as_they_may_read(
    tmp_path, annotator
):
    reader = CascadeAnnotator(annotator, max_rows=7).fit(texts_of(60))
    pd.DataFrame({"text": unclear(40)}).to_parquet(tmp_path / "texts.parquet")
    label_files(
        reader, tmp_path / "texts.parquet", tmp_path / "out", batch_size=5, n_jobs=2
    )
    written = pd.read_parquet(tmp_path / "out")
    assert (written.doubt == "waits for a person").sum() == 7


def test_the_account_of_failures_grows_with_the_programs_and_not_with_the_parts():
    total = {}
    part = {f"program {k}": {"ValueError": 1, "timeout": 2} for k in range(10)}
    began = time.process_time()
    for _ in range(87_000):
        add_failures(total, part)
    assert time.process_time() - began < 5
    assert total["program 3"] == {"ValueError": 87_000, "timeout": 174_000}


def test_a_dry_run_of_a_cascade_tells_dollars_and_asks_nobody(tmp_path, annotator):
    reader = cascade(annotator)
    pd.DataFrame({"text": unclear(600)}).to_parquet(tmp_path / "texts.parquet")
    ASKED.clear()
    told = label_files(
        reader, tmp_path / "texts.parquet", tmp_path / "out", dry_run=True
    )
    assert told.cost > 0
    assert told.seconds is None
    assert not ASKED
