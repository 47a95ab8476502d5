"""Displays show the figures that they are given, and say what they need."""

import sys

import numpy as np
import pytest

from sklearn_alchemist import (
    CascadeAnnotator,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import (
    ConfidenceCalibrationDisplay,
    CostDisplay,
    FrontierDisplay,
    ProgramAgreementDisplay,
    ProgramConfusionDisplay,
    VotesByClassDisplay,
    compare_costs,
)

figures = pytest.importorskip("matplotlib.figure")

TEXTS = ["http one", "song two", "http song", "other", "http free", "my song"]
GOLD = ["spam", "ham", "ham", None, "spam", "ham"]
SOURCES = {
    "link": "def label(text): return 'spam' if 'http' in text else None",
    "song": "def label(text): return 'ham' if 'song' in text else None",
    "again": "def label(text): return 'ham' if 'song' in text else None # once more",
}


@pytest.fixture
def ax():
    return figures.Figure().subplots()


@pytest.fixture(scope="module")
def annotator():
    programs = [LabelingProgram(name, source) for name, source in SOURCES.items()]
    labeler = ProgramSynthesisLabeler(
        task="Is it spam?", classes=["ham", "spam"], programs=programs
    )
    aggregator = LabelModelAggregator(program_groups=[["song", "again"]])
    return DistilledAnnotator(labeler, aggregator).fit(TEXTS)


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def drawn(display):
    """Draw for good, which is when wrong text or colours raise."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(display.figure_).draw()
    return display


def test_votes_by_class(annotator, ax):
    display = drawn(VotesByClassDisplay.from_estimator(annotator, TEXTS, ax=ax))
    assert display.ax_ is ax
    assert display.counts.tolist() == [[0, 3], [3, 0], [3, 0]]
    assert ticks(ax.yaxis) == list(SOURCES)
    assert [bar.get_width() for bar in display.bars_[1]] == [0.5, 0, 0]
    assert ticks(ax.yaxis) == ["link", "song", "again"]


def test_agreement_puts_groups_beside_each_other(annotator, ax):
    display = drawn(ProgramAgreementDisplay.from_estimator(annotator, TEXTS, ax=ax))
    assert display.order_.tolist() == [1, 2, 0]
    assert ticks(ax.yaxis) == ["song", "again", "link"]
    (box,) = display.boxes_
    assert (box.get_width(), box.get_xy()) == (2, (-0.5, -0.5))
    np.testing.assert_array_equal(
        display.im_.get_array().filled(np.nan), [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    )
    assert len(display.text_) == 9


def test_programs_that_never_meet_have_no_agreement(ax):
    display = ProgramAgreementDisplay.from_predictions([[0, -1], [-1, 1]], ax=ax)
    assert np.isnan(display.agreement[0, 1])
    assert len(drawn(display).text_) == 2


def test_programs_that_repeat_each_other_are_found(ax):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2000)
    votes = np.where(rng.random((2000, 6)) < 0.7, y[:, None], 1 - y[:, None])
    votes[:, 4:] = votes[:, [0]]
    display = ProgramAgreementDisplay.from_predictions(votes, ax=ax)
    assert display.groups == [[0, 4, 5]]


def test_confusion_is_counted_on_gold_labels(annotator, ax):
    display = drawn(
        ProgramConfusionDisplay.from_estimator(
            annotator, TEXTS, GOLD, program="link", ax=ax
        )
    )
    np.testing.assert_allclose(display.confusion, [[2 / 3, 0, 1 / 3], [0, 0, 1]])
    assert ticks(ax.xaxis) == ["abstains", "ham", "spam"]
    assert ax.get_title() == "link"


def test_confusion_is_else_that_of_the_aggregator(annotator, ax):
    display = ProgramConfusionDisplay.from_estimator(annotator, program=0, ax=ax)
    np.testing.assert_allclose(display.confusion, annotator.aggregator_.confusion_[0])


def test_confusion_says_what_it_lacks(annotator):
    with pytest.raises(ValueError, match="'eggs' is none of the programs link, song"):
        ProgramConfusionDisplay.from_estimator(annotator, program="eggs")
    with pytest.raises(ValueError, match="3 is none of the programs"):
        ProgramConfusionDisplay.from_estimator(annotator, program=3)
    with pytest.raises(ValueError, match="pass X"):
        ProgramConfusionDisplay.from_estimator(annotator, y=GOLD, program=0)
    with pytest.raises(ValueError, match="pass X and gold labels y"):
        ProgramConfusionDisplay.from_estimator(annotator.labeler_, program=0)


def test_a_class_without_a_label_is_left_empty(ax):
    display = ProgramConfusionDisplay.from_predictions(
        ["a", "a"], [0, 1], classes=["a", "b"], ax=ax
    )
    assert np.isnan(display.confusion[1]).all()
    drawn(display)


def test_calibration_is_that_of_labels(annotator, ax):
    display = drawn(
        ConfidenceCalibrationDisplay.from_estimator(
            annotator, TEXTS, GOLD, n_bins=2, ax=ax
        )
    )
    proba = annotator.predict_proba(TEXTS)
    known = np.array([label is not None for label in GOLD])
    right = annotator.predict(TEXTS)[known] == np.array(GOLD)[known]
    assert np.average(display.prob_true, weights=[known.sum()]) == right.mean()
    np.testing.assert_allclose(display.y_prob, proba.max(axis=1)[known])
    assert ax.get_ylabel() == "share of right labels"
    assert display.ax_ is ax


def test_calibration_knows_many_classes_and_labels_that_are_all_right(ax):
    proba = np.eye(200)[:10] * 0.9 + 0.1 / 200
    classes = np.arange(200)
    display = ConfidenceCalibrationDisplay.from_predictions(
        classes[:10], proba, classes=classes, ax=ax
    )
    assert display.prob_true.tolist() == [1.0]


def test_calibration_needs_a_label():
    with pytest.raises(ValueError, match="no label"):
        ConfidenceCalibrationDisplay.from_predictions(
            [None], [[0.5, 0.5]], classes=["a", "b"]
        )
    with pytest.raises(ValueError, match="one column for each of 2 classes"):
        ConfidenceCalibrationDisplay.from_predictions(["a"], [[1]], classes=["a", "b"])


def test_costs_of_what_is_free_can_be_seen(annotator, ax):
    prices = {"input": 1.0, "output": 2.0}
    display = drawn(CostDisplay.from_estimator(annotator, TEXTS, prices=prices, ax=ax))
    free, calls = (line.get_ydata() for line in display.lines_)
    assert list(free) == [0.0] * 5
    assert all(np.diff(calls) > 0)
    low, high = ax.get_ylim()
    assert low <= 0 < high
    assert ax.get_xscale() == "log"


def test_a_comparison_draws_itself(annotator, ax):
    costs = compare_costs(annotator, TEXTS, prices={"input": 1.0, "output": 2.0})
    assert costs.plot(ax) is ax
    assert costs._repr_html_().count("<tr>") == 5


def test_unknown_prices_draw_no_line(annotator, ax):
    display = drawn(CostDisplay(compare_costs(annotator, TEXTS)).plot(ax))
    assert [line.get_label() for line in display.lines_] == ["annotator"]


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize(
    "names", [["$x$", "<b>"], ["\u202e", "\x00"], ["a" * 300, "\udc80"]], ids=range(3)
)
def test_names_of_any_kind_are_drawn_as_they_are(names, ax):
    display = VotesByClassDisplay.from_predictions(
        [[0, 1], [1, 0]], classes=names, program_names=names, ax=ax
    )
    drawn(display)


def test_hundreds_of_programs_and_classes_are_drawn_without_names(ax):
    votes = np.random.default_rng(0).integers(-1, 200, (50, 70))
    votes[0] = 199
    bars = VotesByClassDisplay.from_predictions(votes, ax=ax)
    assert ticks(ax.yaxis) == []
    assert len(bars.bars_) == 16
    assert bars.bars_[-1].get_label() == "185 other classes"
    total = sum(bar.get_width() for part in bars.bars_ for bar in part)
    assert total == pytest.approx((votes >= 0).mean() * 70)
    display = ProgramAgreementDisplay.from_predictions(votes, groups=[])
    assert display.text_ == []


@pytest.mark.parametrize(
    ("votes", "match"),
    [
        ([0, 1], "matrix of integers"),
        ([[0.5]], "matrix of integers"),
        ([[-2]], "between -1 and 1"),
        ([[2]], "between -1 and 1"),
    ],
)
def test_votes_are_indices_of_classes(votes, match):
    with pytest.raises(ValueError, match=match):
        VotesByClassDisplay.from_predictions(votes, classes=["a", "b"])


def test_names_are_as_many_as_programs():
    with pytest.raises(ValueError, match="2 names for 1 programs"):
        VotesByClassDisplay.from_predictions([[0]], program_names=["a", "b"])


def test_matplotlib_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"VotesByClassDisplay.plot .*\[plots\]"):
        VotesByClassDisplay.from_predictions([[0]])


def test_the_frontier_rises_above_random_records(annotator, ax):
    cascade = CascadeAnnotator(annotator).fit(TEXTS)
    display = drawn(FrontierDisplay.from_estimator(cascade, TEXTS, GOLD, ax=ax))
    assert [line.get_label() for line in display.lines_] == [
        "expected",
        "expected of random records",
        "accuracy",
    ]
    expected, random, _ = (line.get_ydata() for line in display.lines_)
    assert (expected >= random - 1e-12).all()
    assert ax.get_xlabel() == "share of records that are read"
    display.frontier.dollars = display.frontier.rows * 0.01
    assert display.plot(ax=ax).ax_.get_xlabel() == "dollars"
