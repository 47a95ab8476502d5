"""What a person asks before and after a program is corrected."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import (
    CostComparison,
    compare_programs,
    disagreements,
    failures,
)
from sklearn_alchemist.programs import write_programs

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


def program(name, answer):
    return LabelingProgram(name, f"def label(text):\n    return {answer}")


LINK = program("link", "'spam' if 'http' in text else None")
FREE = program("free", "'spam' if 'free' in text else None")
SONG = program("song", "'ham' if 'song' in text else None")
TEXTS = ["http free", "song", "free song", "http song", "nothing", "http free song"]


def labeler(*programs, classes=("ham", "spam"), **options):
    return ProgramSynthesisLabeler(
        classes=list(classes), programs=list(programs), **options
    )


def is_plain(told):
    return json.loads(json.dumps(told.to_dict())) == told.to_dict()


@pytest.fixture(scope="module")
def annotator():
    return DistilledAnnotator(labeler(LINK, FREE, SONG)).fit(TEXTS * 5)


class TestDisagreements:
    def test_only_records_with_two_sides_are_found(self, annotator):
        found = disagreements(annotator, TEXTS)
        assert sorted(found.positions) == [2, 3, 5]
        assert found.n_rows == 3
        last = next(one for one in found.found if one.position == 5)
        assert [side.programs for side in last.sides] == [("link", "free"), ("song",)]

    def test_the_labels_change_as_told(self, annotator):
        for one in disagreements(annotator, TEXTS).found:
            for side in one.sides:
                others = [p for p in (LINK, FREE, SONG) if p.name in side.programs]
                votes = np.where(
                    [p in others for p in (LINK, FREE, SONG)],
                    annotator.labeler_.transform([TEXTS[one.position]])[0],
                    -1,
                )
                said = annotator._opinions([TEXTS[one.position]], ask_all=True)
                proba = annotator._combine(
                    said.student, annotator.aggregator_.predict_proba(votes[None])
                )[0]
                assert side.label == annotator.classes_[proba.argmax()]
                assert side.confidence == pytest.approx(proba.max())
            assert 0 <= one.change <= 1

    def test_those_that_change_most_come_first_and_kinds_take_turns(self, annotator):
        found = disagreements(annotator, TEXTS * 3, n=5).found
        changes = [one.change for one in found]
        assert changes[:3] == sorted(changes[:3], reverse=True)
        assert len({one.record for one in found[:3]}) == 3

    def test_programs_that_agree_leave_nothing(self, annotator):
        found = disagreements(annotator, ["song", "http"])
        assert (len(found), found.positions.tolist()) == (0, [])
        assert "no record" in str(found)
        assert "no record" in found._repr_html_()

    def test_a_pipeline_with_a_label_model_will_do(self):
        pipeline = make_pipeline(labeler(LINK, SONG), LabelModelAggregator())
        found = disagreements(pipeline.fit(TEXTS), TEXTS)
        assert sorted(found.positions) == [3, 5]
        assert {side.vote for side in found.found[0].sides} == {"ham", "spam"}

    def test_a_labeler_alone_makes_no_labels(self):
        with pytest.raises(TypeError, match="makes no labels of votes"):
            disagreements(labeler(LINK, SONG).fit(TEXTS), TEXTS)

    def test_it_is_plain_and_harmless(self, annotator):
        found = disagreements(annotator, [f"http song {HOSTILE}"])
        assert is_plain(found)
        assert "<script" not in found._repr_html_()
        assert "\x1b" not in str(found)


@pytest.fixture(scope="module")
def fitted():
    lookup = program("lookup", "{'a': 'ham', 'b': 'eggs'}[text]")
    return labeler(lookup, SONG).fit(["a", "song"])


class TestFailures:
    def test_rows_lines_and_messages_are_told(self, fitted):
        found = failures(fitted, ["a", "x", "b", "song", "x"])
        told = [(f.program, f.kind, f.line, f.message, f.rows) for f in found.failures]
        assert told == [
            ("lookup", "error", 2, "KeyError in line 2: 'x'", (1, 4)),
            ("lookup", "error", 2, "KeyError in line 2: 'song'", (3,)),
            ("lookup", "invalid", None, "returned 'eggs', which is no class", (2,)),
        ]
        assert [f.n_rows for f in found.failures] == [3, 3, 1]

    def test_messages_are_cut_and_harmless(self, fitted):
        found = failures(fitted, [HOSTILE + "x" * 100_000])
        assert "<script" not in found._repr_html_()
        assert len(found.failures[0].message) < 500
        assert all(c.isprintable() or c == "\n" for c in str(found))
        assert is_plain(found)

    def test_a_row_that_takes_too_long_is_told(self):
        stuck = program("stuck", "[0 for _ in iter(int, int(text == 'x'))] or 'ham'")
        fitted = labeler(stuck, SONG, timeout=0.05).fit(["song"] * 3)
        (failure,) = failures(fitted, ["x"]).failures
        assert (failure.kind, failure.rows) == ("timeout", (0,))
        assert failure.message == "it took too long"

    def test_of_an_annotator_those_of_its_labeler_are_told(self, annotator):
        assert str(failures(annotator, TEXTS)) == (
            "No program failed on any of 6 records."
        )

    def test_columns_of_a_table_are_run_again(self):
        source = "def label(age, name): return 'ham' if 10 / age else 'spam'"
        table = pd.DataFrame({"age": [1, 0], "name": ["a", "b"], "x": [1, 2]})
        fitted = labeler(LabelingProgram("ratio", source)).fit(table[:1])
        (failure,) = failures(fitted, table).failures
        assert failure.message == "ZeroDivisionError in line 1: division by zero"


class TestComparePrograms:
    LINK_NOW = program("link", "'spam' if 'http' in text and 'song' not in text else 0")

    def test_labels_that_flip_are_told_by_class(self):
        narrow = program("free", "'ham' if 'free song' in text else None")
        compared = compare_programs(
            [LINK, FREE], [LINK, narrow], TEXTS, classes=["ham", "spam"]
        )
        flips = {(f.before, f.after): f.positions for f in compared.flips}
        assert flips == {("spam", "ham"): (2,)} or flips[("spam", "ham")] == (2, 5)
        assert compared.flips[0].examples[0] == "free song"
        assert compared.flips[0].programs == ("free",)

    def test_programs_are_matched_by_name(self):
        compared = compare_programs(
            [LINK, FREE],
            [program("link", "None"), SONG],
            TEXTS,
            classes=["ham", "spam"],
        )
        told = {c.program: (c.status, c.n_votes, c.coverage) for c in compared.programs}
        assert told == {
            "link": ("changed", 3, (0.5, 0.0)),
            "free": ("gone", 3, (0.5, None)),
            "song": ("new", 4, (None, pytest.approx(4 / 6))),
        }

    def test_the_same_programs_flip_nothing(self):
        fitted = labeler(LINK, SONG).fit(TEXTS)
        compared = compare_programs(fitted, fitted.programs_, TEXTS)
        assert compared.n_flips == 0
        assert {change.status for change in compared.programs} == {"same"}

    def test_gold_labels_tell_which_flips_are_right(self):
        gold = ["spam", "ham", None, "ham", "ham", "spam"]
        better = program("link", "'spam' if 'http free' in text else None")
        compared = compare_programs([LINK], [better], TEXTS, gold)
        assert compared.accuracy == (pytest.approx(2 / 5), pytest.approx(2 / 5))
        assert compared.programs[0].accuracy == (pytest.approx(2 / 3), 1.0)
        (flip,) = compared.flips
        assert (flip.before, flip.after, flip.positions) == ("spam", None, (3,))
        assert flip.n_right == 0

    def test_folders_labelers_and_annotators_are_taken(self, tmp_path):
        annotator = DistilledAnnotator(labeler(LINK, SONG)).fit(TEXTS)
        write_programs([LINK, SONG, FREE], tmp_path / "new")
        for old in (annotator, annotator.labeler_):
            compared = compare_programs(old, tmp_path / "new", TEXTS)
            statuses = {c.program: c.status for c in compared.programs}
            assert statuses == {"link": "same", "song": "same", "free": "new"}
            assert compared.coverage == (pytest.approx(5 / 6),) * 2

    def test_classes_may_differ(self):
        old = labeler(LINK, SONG).fit(TEXTS)
        other = program("link", "'advert' if 'http' in text else None")
        new = labeler(other, SONG, classes=["advert", "ham"]).fit(TEXTS)
        compared = compare_programs(old, new, TEXTS[:2])
        (flip,) = compared.flips
        assert (flip.before, flip.after) == ("spam", "advert")

    def test_without_classes_it_says_what_to_give(self):
        with pytest.raises(ValueError, match="nothing tells the classes: give classes"):
            compare_programs([LINK], [SONG], TEXTS)
        with pytest.raises(ValueError, match="no programs to compare"):
            compare_programs([LINK], [], TEXTS, classes=["ham", "spam"])

    def test_it_is_plain_and_harmless(self):
        hostile = LabelingProgram(HOSTILE, LINK.source)
        compared = compare_programs(
            [SONG], [hostile], [f"http {HOSTILE}"], classes=["ham", "spam"]
        )
        assert is_plain(compared)
        assert "<script" not in compared._repr_html_()
        assert all(c.isprintable() or c == "\n" for c in str(compared))
        assert "1 of 1 labels change" in str(compared)


def test_a_program_shows_its_source_and_nothing_of_it_acts():
    source = f"{LINK.source}  # </pre><script>alert(1)</script>\u202e\x1b"
    html = LabelingProgram(HOSTILE, source)._repr_html_()
    assert "<script" not in html
    assert "return &#x27;spam&#x27;" in html
    assert "\\u202e" in html
    assert "\\x1b" in html


def test_costs_are_a_table_in_a_notebook():
    columns = {"way": np.array(["its <votes>", "calls"]), "calls": np.array([1, 2e6])}
    html = CostComparison(columns, ())._repr_html_()
    assert html.count("<tr>") == 3
    assert "its &lt;votes&gt;" in html
    assert "2,000,000" in html


@pytest.mark.parametrize(
    "look", [failures, lambda made, X: compare_programs(made, [LINK], X)]
)
def test_what_is_not_fitted_says_so(look):
    with pytest.raises(NotFittedError, match="ProgramSynthesisLabeler"):
        look(labeler(LINK, FREE), TEXTS)
