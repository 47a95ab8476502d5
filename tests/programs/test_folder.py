import json
import os
import re
import stat

import pytest

from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.programs import (
    Provenance,
    deleted_programs,
    read_programs,
    source_digest,
    write_programs,
)

NONE = "def label(text): return None\n"


@pytest.fixture
def programs(make):
    return [
        make(NONE, name="b", provenance=Provenance(model="m", dollars=0.1)),
        make(
            "def f(text): return 0\n",
            name="a",
            returns="index",
            class_order=["x", "y"],
        ),
    ]


def test_a_folder_keeps_everything(programs, tmp_path):
    write_programs(programs, tmp_path / "new" / "folder")
    again = read_programs(tmp_path / "new" / "folder")
    assert again == programs
    assert [p.name for p in again] == ["b", "a"]
    assert [p.provenance for p in again] == [p.provenance for p in programs]


def test_line_ends_and_characters_survive(make, tmp_path):
    program = make("def label(text):\r\n    return 'é\U0001f600'\r\n")
    write_programs([program], tmp_path)
    assert read_programs(tmp_path) == [program]


def test_an_edited_program_keeps_its_name_and_counts_as_handwritten(programs, tmp_path):
    write_programs(programs, tmp_path)
    (tmp_path / "a.py").write_text("def g(text): return 1\n")
    edited = read_programs(tmp_path)[1]
    assert (edited.name, edited.entry_point) == ("a", "g")
    assert edited.class_order == ("x", "y")
    assert edited.provenance == Provenance()


def test_files_may_be_removed_and_added(programs, tmp_path):
    write_programs(programs, tmp_path)
    (tmp_path / "b.py").unlink()
    (tmp_path / "0new.py").write_text(NONE)
    assert [p.name for p in read_programs(tmp_path)] == ["a", "0new"]


def test_plain_python_files_are_read_by_name(tmp_path):
    for name in ("b.py", "a.py", "_helper.py", ".hidden.py", "notes.txt"):
        (tmp_path / name).write_text(NONE)
    assert [p.name for p in read_programs(tmp_path)] == ["a", "b"]


def test_awkward_names_become_distinct_files_and_come_back(make, tmp_path):
    names = ["../up", "a b", "a_b", "A_B", "con", "", "é", "x" * 300]
    write_programs([make(NONE, name=name) for name in names], tmp_path)
    assert [p.name for p in read_programs(tmp_path)] == names
    files = [path.name for path in tmp_path.glob("*.py")]
    assert len({name.lower() for name in files}) == len(names)
    assert not (tmp_path.parent / "up.py").exists()


def test_writing_again_replaces_what_was_written(programs, tmp_path):
    write_programs(programs, tmp_path)
    write_programs(programs[:1], tmp_path)
    assert read_programs(tmp_path) == programs[:1]
    assert not (tmp_path / "a.py").exists()


def test_foreign_files_are_not_joined(programs, tmp_path):
    (tmp_path / "mine.py").write_text(NONE)
    with pytest.raises(FileExistsError, match=r"mine\.py"):
        write_programs(programs, tmp_path)


def test_edits_are_not_overwritten(programs, tmp_path):
    write_programs(programs, tmp_path)
    (tmp_path / "b.py").write_text("def label(text): return 'x'\n")
    with pytest.raises(FileExistsError, match="edited"):
        write_programs(programs, tmp_path)
    write_programs(read_programs(tmp_path), tmp_path)


def test_a_missing_or_empty_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        read_programs(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match=r"no \.py file"):
        read_programs(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"programs": [{}]}', '{"programs": 3}'])
def test_a_broken_index_is_named(programs, tmp_path, text):
    write_programs(programs, tmp_path)
    (tmp_path / "programs.json").write_text(text)
    with pytest.raises(ValueError, match=r"programs\.json is no index"):
        read_programs(tmp_path)


def test_an_index_cannot_point_outside_its_folder(programs, tmp_path):
    outside = tmp_path / "outside.py"
    outside.write_text(NONE)
    folder = tmp_path / "inside"
    write_programs(programs, folder)
    index = json.loads((folder / "programs.json").read_text())
    index["programs"][0]["file"] = "../outside.py"
    (folder / "programs.json").write_text(json.dumps(index))
    assert "b" in {p.name for p in read_programs(folder)}
    with pytest.raises(FileExistsError):
        write_programs(programs, folder)
    assert outside.exists()


def test_a_file_that_is_no_program_is_named(tmp_path):
    (tmp_path / "odd.py").write_text("x = 1")
    with pytest.raises(ProgramRejected, match="'odd'"):
        read_programs(tmp_path)


# ------------------------------------------------------------------- odd folders ----


def odd_index(index):
    return lambda folder: (folder / "programs.json").write_text(index)


NESTED = "[" * 200_000
ENTRY = {"name": "a", "file": "a.py", "entry_point": "f", "returns": "index"}


def entry(**changes):
    return odd_index(json.dumps({"programs": [{**ENTRY, **changes}]}))


@pytest.mark.parametrize(
    "spoil",
    [
        odd_index(NESTED),
        odd_index('{"programs": {"a": 1}}'),
        odd_index('{"programs": [], "deleted": [3]}'),
        entry(name=["a", "b"]),
        entry(file=["a.py"]),
        entry(file=None),
        entry(entry_point=3),
        entry(returns="classes"),
        entry(class_order=[["x"], "y"]),
        entry(class_order="xy"),
        entry(provenance=["m"]),
        entry(provenance={"model": ["m"]}),
        entry(provenance={"colour": "red"}),
        entry(sha256=[1]),
        lambda folder: (folder / "programs.json").write_bytes(b"\xff\xfe{"),
        lambda folder: os.mkfifo(folder / "programs.json"),
        lambda folder: (folder / "programs.json").mkdir(),
        lambda folder: (folder / "programs.json").symlink_to("/dev/zero"),
        lambda folder: (folder / "programs.json").symlink_to(folder / "gone"),
        lambda folder: (folder / "a.py").write_bytes(b"# caf\xe9\n"),
        lambda folder: os.mkfifo(folder / "b.py"),
        lambda folder: (folder / "b.py").mkdir(),
        lambda folder: (folder / "b.py").symlink_to("/dev/zero"),
        lambda folder: (folder / "b.py").symlink_to(folder / "b.py"),
        lambda folder: (folder / "b.py").symlink_to(folder / "gone.py"),
        lambda folder: os.truncate(folder / "a.py", 20_000_000),
        lambda folder: (folder / "a.py").write_text(f"x = {NESTED}"),
    ],
)
def test_whatever_lies_in_a_folder_ends_in_one_message_with_its_name(tmp_path, spoil):
    (tmp_path / "a.py").write_text("def f(text): return 0\n")
    spoil(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError, ProgramRejected)) as caught:
        read_programs(tmp_path)
    assert str(tmp_path) in str(caught.value) or "program 'a'" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("path", ["", "nul\0", "/dev/null", "/dev/null/x"])
def test_a_path_that_is_no_folder_is_named(path, make):
    with pytest.raises((ValueError, OSError), match=re.escape(repr(path))):
        read_programs(path)
    with pytest.raises((ValueError, OSError)):
        write_programs([make(NONE)], path)


def test_nothing_outside_of_the_folder_is_written(make, tmp_path):
    outside = tmp_path / "outside.py"
    outside.write_text(NONE)
    folder = tmp_path / "inside"
    write_programs([make(NONE, name="a")], folder)
    (folder / "a.py").unlink()
    (folder / "a.py").symlink_to(outside)
    write_programs([make("def label(text): return 1\n", name="a")], folder)
    assert outside.read_text() == NONE
    assert not (folder / "a.py").is_symlink()
    assert sorted(p.name for p in folder.iterdir()) == ["a.py", "programs.json"]


def test_a_tilde_is_the_home_of_the_user(make, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_programs([make(NONE, name="a")], "~/programs")
    assert (tmp_path / "programs" / "a.py").exists()
    assert len(read_programs("~/programs")) == 1


def test_what_was_deleted_is_remembered_by_later_exports(programs, tmp_path):
    write_programs(programs, tmp_path)
    assert deleted_programs(tmp_path) == {}
    (tmp_path / "b.py").unlink()
    assert list(deleted_programs(tmp_path)) == ["b"]
    write_programs(read_programs(tmp_path), tmp_path)
    assert deleted_programs(tmp_path) == {"b": source_digest(NONE)}
    write_programs(programs, tmp_path)
    assert deleted_programs(tmp_path) == {}


def test_files_get_the_permissions_that_the_user_has_set(make, tmp_path):
    before = os.umask(0o027)
    try:
        write_programs([make(NONE, name="a")], tmp_path / "p")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "p").iterdir()}
    assert modes == {0o640}


@pytest.mark.parametrize("place", ["file/programs", "x" * 300])
def test_a_folder_that_cannot_be_made_is_one_message(tmp_path, make, place):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cannot be made") as caught:
        write_programs([make("def label(x): return x")], tmp_path / place)
    assert caught.value.__cause__ is None
