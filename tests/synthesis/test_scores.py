"""Programs that give scores: floats for each class, votes at learned thresholds."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import ProgramWarning
from sklearn_alchemist.programs import read_answers, read_programs, trace_programs
from sklearn_alchemist.programs._protocol import CRASH, SCORED
from sklearn_alchemist.programs._run_chunk import ChunkResult, Task
from sklearn_alchemist.programs._score_votes import scores_to_votes

COUNTS = """\
def label(text):
    if not text:
        return None
    return {"ham": text.count("h"), "spam": 0.5 * text.count("s")}
"""
WORDS = """\
def label(text):
    if "HAM" in text:
        return "ham"
    return "spam" if "SPAM" in text else None
"""
CLASSES = ["ham", "spam"]


def rows_with_a_trap(n=300, seed=0):
    """One more s than h says nothing, two more and above are spam."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        n_s = int(rng.integers(1, 7))
        is_spam = n_s > 3 or (n_s > 0 and rng.random() < 0.1)
        rows.append("s" * n_s + (" SPAM" if is_spam else " HAM").replace("H", "H"))
    return rows


def labeler(*sources, **options):
    programs = [LabelingProgram(f"p{i}", s) for i, s in enumerate(sources)]
    return ProgramSynthesisLabeler(classes=CLASSES, programs=programs, **options)


def test_the_best_class_is_voted_for_and_its_scores_are_there():
    fitted = labeler(COUNTS).fit(["hh", "s"])
    result = fitted.run(["hhs", "ss", "hss", ""])
    assert result.votes.ravel().tolist() == [0, 1, -1, -1]
    expected = [[2, 0.5], [0, 1], [1, 1], [np.nan, np.nan]]
    np.testing.assert_array_equal(result.scores[:, 0], np.array(expected, np.float32))
    assert result.scores.dtype == np.float32


def test_programs_without_scores_have_none_and_vote_as_ever():
    result = labeler(WORDS).fit(["HAM", "SPAM"]).run(["HAM", "SPAM", "x"])
    assert result.scores.shape == (3, 1, 2)
    assert np.isnan(result.scores).all()
    assert result.votes.ravel().tolist() == [0, 1, -1]


def test_a_program_may_answer_with_a_class_here_and_with_scores_there():
    mixed = "def label(text): return 'ham' if text == 'h' else {'spam': 2}"
    result = labeler(mixed).fit(["h", "s"]).run(["h", "s"])
    assert result.votes.ravel().tolist() == [0, 1]
    assert np.isnan(result.scores[0]).all()


def test_a_bare_float_is_a_class_where_there_is_such_a_class():
    program = LabelingProgram("p", "def label(x): return 0.5 if x > 1 else {1.5: 2}")
    made = ProgramSynthesisLabeler(classes=[0.5, 1.5], programs=[program])
    assert made.fit([[0], [2]]).transform([[0], [2]]).ravel().tolist() == [1, 0]


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("{'eggs': 1}", "a score for 'eggs', which is no class"),
        ("{'ham': float('nan')}", "nan as a score, which is no finite int or float"),
        ("{'ham': 1e39}", "1e+39 as a score"),
        ("{'ham': 10 ** 400}", "as a score, which is no finite int or float"),
        (
            "{'ham': 1j}",
            "a value of type complex as a score, which is no finite int or",
        ),
        ("{'ham': '1'}", "'1' as a score"),
        ("{('ham',): 1}", "a score for a value of type tuple"),
        ("['ham', 1]", "a value of type list, which is no class"),
    ],
)
def test_what_is_no_score_fails_and_is_named(returned, reason):
    fitted = labeler(f"def label(text): return {returned} if text else 'ham'")
    with pytest.warns(ProgramWarning, match=r"p0 on 1"):
        result = fitted.fit(["", "x"]).run(["", "x"])
    assert result.failures == ({"invalid": 1},)
    assert reason in result.first_errors[0]


def test_no_score_is_needed_for_every_class_and_zero_votes_for_none():
    source = "def label(text): return {'spam': len(text) - 1, None: 9, 'none': 3}"
    votes = labeler(source).fit(["a", "bb"]).transform(["", "a", "bb"])
    assert votes.ravel().tolist() == [-1, -1, 1]


def test_scores_of_numbered_classes_are_read_by_their_numbers():
    source = "def label(text): return {0: text.count('h'), 1: text.count('s')}"
    program = LabelingProgram("p", source, returns="index", class_order=["spam", "ham"])
    made = ProgramSynthesisLabeler(classes=CLASSES, programs=[program]).fit(["h", "s"])
    result = made.run(["hhs"])
    assert result.votes.tolist() == [[1]]
    assert result.scores[0, 0].tolist() == [1, 2]


def test_thresholds_come_from_what_the_others_say_of_training_rows():
    rows = rows_with_a_trap()
    fitted = labeler(COUNTS, WORDS).fit(rows)
    ((name, lead),) = fitted.programs_[0].thresholds
    assert name == "spam"
    assert 1.5 < lead < 2
    # A batch of one row, or of sure rows only, is cut at the same place.
    assert fitted.transform(["sss"])[0, 0] == -1
    assert fitted.transform(["ssss", "sssss"])[:, 0].tolist() == [1, 1]


def test_a_single_program_that_gives_scores_votes_wherever_one_class_leads():
    assert labeler(COUNTS).fit(rows_with_a_trap()).programs_[0].thresholds == ()


def test_labels_teach_thresholds_only_where_they_may_be_learned_from():
    rows = ["s" * (i % 6 + 1) for i in range(120)]
    y = np.where([len(row) > 3 for row in rows], "spam", "ham")
    one = labeler(COUNTS).fit(rows, y).transform(["ss", "ssss"])
    assert one.ravel().tolist() == [1, 1]
    taught = labeler(COUNTS, learn_from_labels=True).fit(rows, y)
    assert taught.transform(["ss", "ssss"]).ravel().tolist() == [-1, 1]


def test_thresholds_survive_pickle_clone_and_a_folder(tmp_path):
    rows = rows_with_a_trap()
    fitted = labeler(COUNTS, WORDS).fit(rows)
    votes = fitted.transform(rows)
    assert (pickle.loads(pickle.dumps(fitted)).transform(rows) == votes).all()
    fitted.export_programs(tmp_path / "programs")
    kept = ProgramSynthesisLabeler(classes=CLASSES, programs=tmp_path / "programs")
    # On these few rows nothing could be learned.
    again = clone(kept).fit(rows[:5])
    assert [p.thresholds for p in again.programs_] == [
        p.thresholds for p in fitted.programs_
    ]
    assert (again.transform(rows) == votes).all()
    text = (tmp_path / "programs" / "p0.py").read_text()
    assert "# about: votes where its best class leads by 'spam' 1.75" in text


def test_an_edited_program_learns_its_thresholds_anew(tmp_path):
    labeler(COUNTS, WORDS).fit(rows_with_a_trap()).export_programs(tmp_path / "f")
    path = tmp_path / "f" / "p0.py"
    path.write_text(path.read_text().replace("0.5", "5"))
    assert read_programs(tmp_path / "f")[0].thresholds is None
    kept = ProgramSynthesisLabeler(classes=CLASSES, programs=tmp_path / "f")
    ((_, lead),) = kept.fit(rows_with_a_trap()).programs_[0].thresholds
    assert 15 < lead < 20


def test_whoever_watches_a_program_sees_the_vote_that_it_gives():
    fitted = labeler(COUNTS, WORDS).fit(rows_with_a_trap())
    rows = ["sss", "ssss", "hh", "HAM"]
    traces = trace_programs(fitted.programs_, {"text": rows}, CLASSES)
    votes = [[trace.vote for trace in column] for column in traces]
    assert votes == fitted.transform(rows).T.tolist()


def test_renamed_and_merged_classes_keep_scores_and_thresholds():
    fitted = labeler(COUNTS, WORDS).fit(rows_with_a_trap())
    renamed = fitted.remap({"spam": "junk"})
    rows = ["sss", "ssss", "hh"]
    assert (renamed.transform(rows) == fitted.transform(rows)).all()
    assert (renamed.run(rows).scores == fitted.run(rows).scores)[:, 0].all()


def test_scores_of_equal_rows_and_of_many_chunks_are_in_their_places(monkeypatch):
    from sklearn_alchemist.programs import _run_programs as _runner

    monkeypatch.setattr(_runner, "MAX_ROWS", 7)
    rows = ["h" * (i % 13) for i in range(50)] + ["s" * i for i in range(1, 20)]
    scores = labeler(COUNTS).fit(rows).run(rows).scores[:, 0]
    expected = [[r.count("h"), r.count("s") / 2] if r else [np.nan] * 2 for r in rows]
    np.testing.assert_array_equal(scores, np.array(expected, np.float32))


def test_many_classes_have_room_for_their_scores():
    names = [f"c{i:05}" for i in range(2000)]
    source = "def label(text): return {f'c{int(text):05}': 1.5, 'c00000': 1}"
    program = LabelingProgram("p", source)
    made = ProgramSynthesisLabeler(classes=names, programs=[program], n_programs=1)
    rows = [str(i * 10) for i in range(1, 150)]
    result = made.fit(rows).run(rows)
    assert result.votes.ravel().tolist() == [i * 10 for i in range(1, 150)]


def test_what_a_worker_writes_is_believed_only_where_it_is_finite():
    program = LabelingProgram("p", COUNTS)
    task = Task(0, program, ("text",), (("ham", 0), ("spam", 1)), 2)
    scores = np.array([[1, 2], [np.inf, 0], [9, 9], [np.nan] * 2], np.float32)
    result = ChunkResult(np.array([SCORED, SCORED, 1, SCORED]), scores=scores)
    scores_to_votes(result, task, True)
    assert result.votes.tolist() == [1, CRASH, 1, -1]
    assert np.isnan(result.scores[1:]).all()


def test_scores_before_a_row_that_ends_the_worker_are_kept():
    source = """
def label(text):
    while text == "forever":
        pass
    return {"ham": len(text)}
"""
    fitted = labeler(source, timeout=0.2).fit(["a"])
    with pytest.warns(ProgramWarning, match="took too long"):
        result = fitted.run(["a", "bb", "forever", "ccc"])
    assert result.votes.ravel().tolist() == [0, 0, -1, 0]
    given = result.scores[:, 0, 0]
    np.testing.assert_array_equal(given, np.array([1, 2, np.nan, 3], np.float32))


def test_programs_that_score_classes_by_number_are_found_out():
    found = read_answers(LabelingProgram("p", COUNTS), CLASSES)
    assert found.has_classes
    made = ProgramSynthesisLabeler(
        classes=CLASSES,
        programs=[LabelingProgram("p", "def label(t): return {1: t.count('s')}")],
    )
    assert made.fit(["s"]).transform(["ss"]).tolist() == [[1]]


def test_thresholds_below_zero_are_refused():
    with pytest.raises(ValueError, match=r"thresholds\['a'\] must be 0 or more"):
        LabelingProgram("p", COUNTS, thresholds={"a": -1})


@pytest.mark.filterwarnings("ignore:sandbox=None")
def test_functions_that_run_as_they_are_may_give_numpy_numbers():
    lengths = np.array([1.5])

    def label(text):
        return {"spam": lengths[0] * len(text), "ham": np.int64(2)}

    made = ProgramSynthesisLabeler(classes=CLASSES, programs=[label], sandbox=None)
    result = made.fit(["a", "bbb"]).run(["a", "bbb"])
    assert result.votes.ravel().tolist() == [0, 1]
    assert result.scores[:, 0].tolist() == [[2, 1.5], [2, 4.5]]
