import json
import os
import re
import stat

import pytest

from sklearn_alchemist.exceptions import ProgramRejected, ProgramWarning
from sklearn_alchemist.programs import (
    LabelingProgram,
    Provenance,
    broken_programs,
    deleted_programs,
    folder_changes,
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


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: os.mkfifo(folder / "b.py"),
        lambda folder: (folder / "b.py").mkdir(),
        lambda folder: (folder / "b.py").symlink_to("/dev/zero"),
        lambda folder: (folder / "b.py").symlink_to(folder / "b.py"),
        lambda folder: (folder / "b.py").symlink_to(folder / "gone.py"),
        lambda folder: (folder / "b.py").write_text("x = 1\n"),
        lambda folder: (folder / "b.py").write_text("def label(text):\n  return\n )"),
        lambda folder: (folder / "b.py").write_bytes(b"# caf\xe9\n"),
    ],
)
def test_a_broken_file_is_named_and_the_others_are_read(tmp_path, spoil):
    (tmp_path / "a.py").write_text("def f(text): return 0\n")
    spoil(tmp_path)
    with pytest.warns(ProgramWarning, match=r"1 file is left out.*b\.py.*mend") as told:
        assert [p.name for p in read_programs(tmp_path)] == ["a"]
    assert len(str(told[0].message)) < 500
    assert broken_programs(tmp_path) == ["b"]
    (change,) = (c for c in folder_changes(tmp_path) if c.kind == "broken")
    assert change.path == str(tmp_path / "b.py")


def test_a_broken_line_is_named(tmp_path):
    (tmp_path / "b.py").write_text("import re\n\ndef label(text):\n    return (\n")
    (change,) = folder_changes(tmp_path)
    assert (change.kind, change.line) == ("broken", 4)
    assert "b.py, line 4 is no labeling program" in str(change)


# ---------------------------------------------------------- history and comments ----

ABOUT = {"b": ["votes on 62 % of 200 records"], "a": []}


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_comments_below_a_program_are_no_part_of_it(programs, tmp_path):
    write_programs(programs, tmp_path, about=ABOUT)
    text = (tmp_path / "b.py").read_text()
    assert text.startswith(programs[0].source)
    assert "# about: votes on 62 % of 200 records\n" in text
    assert "# about: written by m for $0.1000\n" in text
    assert read_programs(tmp_path) == programs
    assert folder_changes(tmp_path) == []


@pytest.mark.parametrize(
    "end", ["", "\n", "\n\n", "\r\n", "  # end", "\n# about: me\n"]
)
@pytest.mark.parametrize("about", [None, {}])
def test_a_round_trip_changes_no_byte(make, tmp_path, end, about):
    program = make("def label(text):\r\n    return 'é'" + end, name="p")
    write_programs([program], tmp_path / "one", about=about)
    again = read_programs(tmp_path / "one")
    assert again == [program]
    before = content(tmp_path / "one")
    write_programs(again, tmp_path / "one", about=about)
    write_programs(again, tmp_path / "one")
    assert content(tmp_path / "one") == before
    write_programs(again, tmp_path / "two", about=about)
    assert content(tmp_path / "two") == before


def test_an_edit_above_the_comments_is_one_and_below_is_none(programs, tmp_path):
    write_programs(programs, tmp_path, about=ABOUT)
    file = tmp_path / "b.py"
    file.write_text(file.read_text() + "# about: I like it\n")
    assert folder_changes(tmp_path) == []
    file.write_text(file.read_text().replace("None", "'x'"))
    assert [(c.kind, c.path) for c in folder_changes(tmp_path)] == [
        ("edited", str(file))
    ]
    assert read_programs(tmp_path)[0].source == "def label(text): return 'x'\n"


def test_the_index_keeps_who_wrote_what_was_edited(programs, tmp_path):
    write_programs(programs, tmp_path, about=ABOUT)
    file = tmp_path / "b.py"
    file.write_text(file.read_text().replace("None", "'x'"))
    write_programs(read_programs(tmp_path), tmp_path, about=ABOUT)
    (entry, other) = json.loads((tmp_path / "programs.json").read_text())["programs"]
    (past,) = entry["history"]
    assert past["sha256"] == source_digest(NONE)
    assert past["provenance"]["model"] == "m"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", past["exported"])
    assert "history" not in other
    assert "written by m for $0.1000; edited by hand since" in file.read_text()
    before = content(tmp_path)
    write_programs(read_programs(tmp_path), tmp_path, about=ABOUT)
    assert content(tmp_path) == before


def test_a_renamed_file_stays_the_program_that_it_was(programs, tmp_path):
    write_programs(programs, tmp_path, about=ABOUT)
    (tmp_path / "a.py").rename(tmp_path / "better.py")
    (change,) = folder_changes(tmp_path)
    assert (change.kind, change.path) == ("renamed", str(tmp_path / "better.py"))
    again = read_programs(tmp_path)
    assert [p.name for p in again] == ["b", "better"]
    assert again[1].class_order == ("x", "y")
    assert deleted_programs(tmp_path) == {}
    write_programs(again, tmp_path)
    assert folder_changes(tmp_path) == []
    assert read_programs(tmp_path) == again


def test_each_change_is_told(programs, tmp_path):
    write_programs([*programs, *_more(programs)], tmp_path)
    (tmp_path / "a.py").write_text("def g(text): return 1\n")
    (tmp_path / "b.py").unlink()
    (tmp_path / "c.py").rename(tmp_path / "z.py")
    (tmp_path / "d.py").write_text("def label(text) return 1\n")
    (tmp_path / "new.py").write_text("def label(text): return 'new'\n")
    told = {c.path.rsplit("/")[-1]: (c.kind, c.line) for c in folder_changes(tmp_path)}
    assert told == {
        "a.py": ("edited", None),
        "b.py": ("deleted", None),
        "z.py": ("renamed", None),
        "d.py": ("broken", 1),
        "new.py": ("added", None),
    }


def _more(programs):
    source = "def label(text): return {!r}\n"
    return [LabelingProgram(name, source.format(name)) for name in "cd"]


def test_comments_hold_nothing_but_comments(make, tmp_path):
    name = "x\nimport os\u2028evil\u202e"
    program = make("def label(text): return 'a\\nb'\n", name=name)
    write_programs([program], tmp_path, about={name: ["first\nsecond = 1\r\f\x1b[2J"]})
    (file,) = tmp_path.glob("*.py")
    below = file.read_text().removeprefix(program.source).splitlines()
    assert all(line.startswith("# about: ") for line in below if line)
    assert read_programs(tmp_path) == [program]


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
