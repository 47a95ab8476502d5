import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import program_summary

TEXTS = ["http one", "song two", "http song", "other"]
GOLD = ["spam", "ham", "ham", "ham"]


@pytest.fixture
def labeler():
    sources = {
        "link": "def label(text): return 'spam' if 'http' in text else None",
        "song": "def label(text): return 'ham' if 'song' in text else None",
        "broken": "def label(text): return {'other': 'ham'}[text]",
    }
    programs = [LabelingProgram(name, source) for name, source in sources.items()]
    return ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs).fit(
        TEXTS
    )


def test_columns_are_what_a_hand_counts(labeler):
    summary = program_summary(labeler, TEXTS, GOLD)
    assert summary["program"].tolist() == ["link", "song", "broken"]
    assert summary["classes"].tolist() == [1, 1, 1]
    assert summary["coverage"].tolist() == [0.5, 0.5, 0.25]
    assert summary["overlap"].tolist() == [0.25, 0.25, 0.0]
    assert summary["conflict"].tolist() == [0.25, 0.25, 0.0]
    assert summary["alone"].tolist() == [1, 1, 1]
    assert summary["failures"].tolist() == [0, 0, 3]
    assert summary["accuracy"].tolist() == [0.5, 1.0, 1.0]
    assert (summary["us_per_row"] >= 0).all()


def test_ties_are_no_consensus(labeler):
    # "http song" is tied; what else a program votes on is its own.
    assert program_summary(labeler, TEXTS)["agreement"].tolist() == [1.0, 1.0, 1.0]


def test_the_consensus_is_that_of_the_annotator(labeler):
    always_ham = LabelModelAggregator(class_prior=[0.999, 0.001])
    annotator = DistilledAnnotator(
        labeler, always_ham.set_params(method="majority_vote")
    )
    with pytest.warns(match="Programs failed"):
        annotator.fit(TEXTS)
    agreement = program_summary(annotator, TEXTS)["agreement"]
    assert agreement.tolist() == [0.5, 1.0, 1.0]


def test_failures_are_shown_and_not_warned_of(labeler, recwarn):
    program_summary(labeler, TEXTS)
    assert not list(recwarn)


def test_it_prints_as_a_table_and_as_html(labeler):
    summary = program_summary(labeler, TEXTS)
    assert str(summary).splitlines()[0].split()[:3] == [
        "program",
        "classes",
        "coverage",
    ]
    assert len({len(line) for line in str(summary).splitlines()}) == 1
    assert summary._repr_html_().count("<tr>") == 4


def test_it_makes_a_frame(labeler):
    frame = program_summary(labeler, TEXTS).to_frame()
    assert frame.loc["song", "coverage"] == 0.5


def test_a_program_that_never_votes_agrees_with_nobody(labeler):
    summary = program_summary(labeler, ["nothing here"])
    assert np.isnan(summary["agreement"]).all()
    assert " - " in str(summary)


def lower(texts):
    return [text.lower() for text in texts]


@pytest.mark.filterwarnings("ignore:Programs failed")
def test_a_pipeline_is_summarised_by_what_its_programs_read(labeler):
    shouted = [text.upper() for text in TEXTS]
    pipeline = make_pipeline(FunctionTransformer(lower), labeler).fit(shouted)
    whole = program_summary(pipeline, shouted, GOLD)
    bare = program_summary(labeler, TEXTS, GOLD)
    for name in ("coverage", "conflict", "agreement", "failures", "accuracy"):
        np.testing.assert_array_equal(whole[name], bare[name])


@pytest.mark.filterwarnings("ignore:Programs failed")
def test_the_consensus_is_that_of_the_last_step_of_a_pipeline(labeler):
    always_ham = LabelModelAggregator(
        method="majority_vote", classes=["ham", "spam"], class_prior=[0.999, 0.001]
    )
    pipeline = make_pipeline(labeler, always_ham).fit(TEXTS)
    summary = program_summary(pipeline, TEXTS)
    assert summary["agreement"].tolist() == [0.5, 1.0, 1.0]


def test_what_has_no_programs_says_what_to_give():
    pipeline = make_pipeline(FunctionTransformer(lower)).fit(TEXTS)
    with pytest.raises(TypeError, match="no programs to look at"):
        program_summary(pipeline, TEXTS)


@pytest.mark.parametrize("label", ["nan", "SPAM", 3])
def test_a_gold_label_that_is_no_class_is_an_error(labeler, label):
    with pytest.raises(ValueError, match="none of the classes"):
        program_summary(labeler, TEXTS, [label, *GOLD[1:]])


@pytest.mark.parametrize("label", [None, np.nan, -1])
def test_a_missing_gold_label_does_not_count(labeler, label):
    summary = program_summary(labeler, TEXTS, [GOLD[0], GOLD[1], label, GOLD[3]])
    assert summary["accuracy"].tolist() == [1.0, 1.0, 1.0]
