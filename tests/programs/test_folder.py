import json

import pytest

from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.programs import Provenance, read_programs, write_programs

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
