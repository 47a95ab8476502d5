"""What errors and warnings say, whichever estimator is asked."""

import ast
import copy
import dataclasses
import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from offline_llm import offline_judge, offline_llm
from sklearn.exceptions import ConvergenceWarning

import sklearn_alchemist
import sklearn_alchemist.inspection
from sklearn_alchemist import (
    LLM,
    CascadeAnnotator,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
    ZeroShotAnnotator,
)
from sklearn_alchemist.exceptions import ClassesWarning, ProgramRejected, ProgramWarning

TEXTS = [f"http {i}" for i in range(20)] + [f"a song {i}" for i in range(20)]
LINK = LabelingProgram("link", "def label(t): return 'spam' if 'http' in t else 'ham'")
SONG = LabelingProgram("song", "def label(t): return 'ham' if 'song' in t else None")
ROOT = Path(sklearn_alchemist.__file__).parent


@pytest.fixture
def labeler():
    return ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[LINK, SONG])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda labeler: labeler,
        DistilledAnnotator,
        lambda labeler: CascadeAnnotator(DistilledAnnotator(labeler)),
        lambda labeler: LabelModelAggregator(classes=labeler.classes),
        lambda labeler: ZeroShotAnnotator(offline_judge(), task="Which?"),
    ],
)
def test_no_data_are_named_as_such_before_anything_is_asked(labeler, wrap):
    with pytest.raises(TypeError, match=r"^X is None: pass "):
        wrap(labeler).fit(None)


def test_no_data_are_needed_where_classes_are_given_and_nothing_is_learned():
    judge = ZeroShotAnnotator(offline_judge(), task="Which?", classes=["a", "b"])
    judge.fit(["a text"]).fit(None)
    assert set(judge.predict(["one", "two"])) <= {"a", "b"}
    assert not hasattr(judge, "n_features_in_")
    table = pd.DataFrame({"title": ["one"], "price": [2.0]})
    assert len(judge.predict(table)) == 1


@pytest.mark.parametrize(
    "estimator",
    [
        ProgramSynthesisLabeler(offline_llm(), task="Which?", classes=[0, 1]),
        DistilledAnnotator(ProgramSynthesisLabeler(classes=[0, 1], programs=[LINK])),
        ZeroShotAnnotator(offline_judge(), task="Which?", classes=[0, 1]),
        LabelModelAggregator(classes=[0, 1]),
    ],
)
def test_columns_of_one_name_are_told_in_our_words(estimator):
    X = pd.DataFrame([[0, 1], [1, 0], [1, 1]], columns=["a", "a"])
    with pytest.raises(ValueError, match="X has several columns called 'a': rename"):
        estimator.fit(X)


def test_a_warning_of_a_part_says_whose_parameter_it_names(labeler):
    votes = np.random.RandomState(0).randint(-1, 2, (200, 5))
    alone = LabelModelAggregator(classes=[0, 1], max_iter=1, tol=0, guard=False)
    with pytest.warns(ConvergenceWarning, match="Increase max_iter, or tol"):
        alone.fit(votes)
    inside = DistilledAnnotator(labeler, aggregator=alone.set_params(classes=None))
    with pytest.warns(ConvergenceWarning, match="Increase max_iter of the aggregator"):
        inside.fit(TEXTS)


def parameters():
    """Names that a user can write before an equals sign."""
    for name in sklearn_alchemist.__all__:
        thing = getattr(sklearn_alchemist, name)
        if inspect.isclass(thing):
            yield from inspect.signature(thing).parameters
            for _, method in inspect.getmembers(thing, inspect.isfunction):
                yield from inspect.signature(method).parameters
    yield from (field.name for field in dataclasses.fields(LLM))


def texts_of_warnings(path):
    """Pieces of all texts that a module passes to what warns."""
    source = path.read_text()
    if "warn(" not in source and "Warning(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name == "warn" or name.endswith("Warning"):
                for part in ast.walk(node):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def test_warnings_name_no_parameter_that_nobody_has():
    known, seen = set(parameters()), set()
    for path in ROOT.rglob("*.py"):
        for text in texts_of_warnings(path):
            named = set(re.findall(r"(?<![\w.])([a-z_]{3,})=(?!=)", text))
            assert named <= known, (path.name, text)
            seen |= named
    assert seen


def test_training_the_student_moves_the_progress_bar(labeler):
    class Steps:
        """Count the tasks that an annotator reports."""

        max_propagation_depth = 0

        def __init__(self):
            self.names = []

        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context, **kwargs):
            self.names.append(context.task_name)

        def on_fit_task_end(self, estimator, context, **kwargs): ...

    steps = Steps()
    annotator = DistilledAnnotator(labeler, cv=2, n_rounds=1).set_callbacks(steps)
    annotator.fit(TEXTS)
    assert 3 <= steps.names[steps.names.index("distill") :].count("step") <= 5


def test_a_frame_without_pandas_says_what_to_install(labeler, monkeypatch):
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    summary = sklearn_alchemist.inspection.program_summary(annotator, TEXTS)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"needs pandas: pip install pandas\.$"):
        annotator.annotate(TEXTS, as_frame=True)
    with pytest.raises(ImportError, match=r"needs pandas: pip install pandas\.$"):
        summary.to_frame()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "def label(t): return 'Spam' if 'http' in t else None",
            r"odd \(returned 'Spam', which is no class, on 20\)\. Answers are to be "
            r"written as the classes are: 'ham', 'spam'\. inspection\.failures",
        ),
        (
            "def label(t): return t.foo",
            r"odd \(AttributeError in line 1, on 40\)\. insp",
        ),
        ("def label(t): return None", r"odd \(abstains on all of them\)\. Read them"),
    ],
)
def test_a_program_that_never_votes_is_warned_of_with_the_reason(source, reason):
    programs = [LINK, LabelingProgram("odd", source)]
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs)
    with pytest.warns(ProgramWarning, match=f"these programs never vote: {reason}"):
        labeler.fit(TEXTS)


def test_a_threshold_that_no_record_crosses_is_the_reason_for_silence():
    fever = LabelingProgram(
        "fever", "def label(t): return 'ill' if t > 100.4 else None"
    )
    well = LabelingProgram("well", "def label(t): return 'well' if t < 37 else None")
    labeler = ProgramSynthesisLabeler(classes=["ill", "well"], programs=[fever, well])
    with pytest.warns(ProgramWarning, match=r"fever \(no record crosses t > 100.4 \("):
        labeler.fit(pd.DataFrame({"t": [36.0, 38.5, 39.0, 36.6]}))


def test_a_parameter_that_is_no_column_is_told_with_the_column_that_is_meant():
    X = pd.DataFrame({"subject": TEXTS, "body": TEXTS})
    odd = LabelingProgram("odd", "def label(subjekt): return 'ham'")
    for program in (odd, lambda subjekt: "ham" if subjekt else None):
        labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[program])
        with pytest.raises(ProgramRejected, match=r"'subjekt', .* mean 'subject'\?"):
            labeler.fit(X)
    row = LabelingProgram("row", "def label(row): return row['subject']")
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[row])
    with pytest.raises(ProgramRejected, match="to be called as the columns that it"):
        labeler.fit(X)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (
            "body, Subject=''",
            "'Subject' of program 'odd' is no column and .* 'subject'",
        ),
        (
            "body, least=3, subject=''",
            "'subject' .* stands behind 'least', which is no",
        ),
    ],
)
def test_a_parameter_that_keeps_its_default_for_no_reason_is_warned_of(
    parameters, told
):
    X = pd.DataFrame({"subject": TEXTS, "body": TEXTS})
    odd = LabelingProgram("odd", f"def label({parameters}): return 'ham'")
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[odd])
    with pytest.warns(ProgramWarning, match=told):
        labeler.fit(X)


def test_parameters_with_defaults_may_be_no_columns():
    X = pd.DataFrame({"subject": TEXTS, "body": TEXTS})
    source = "def label(subject, body='', least=3): return 'ham'"
    program = LabelingProgram("plain", source)
    ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[program]).fit(X)


def test_a_class_without_votes_is_warned_of_with_answers_that_are_no_class():
    source = "def label(t): return 'Spam' if 'http' in t else 'ham'"
    programs = [SONG, LabelingProgram("odd", source)]
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=programs)
    reason = (
        "no program votes for 'spam'. Most likely as program odd gives answers that "
        "are no class: returned 'Spam', which is no class, on 40. Answers are to be "
        "written as the classes are: 'ham', 'spam'."
    )
    with pytest.warns(ProgramWarning, match=re.escape(reason)):
        labeler.fit(TEXTS * 2)


@pytest.fixture(
    scope="module",
    params=[
        DistilledAnnotator,
        lambda labeler: CascadeAnnotator(DistilledAnnotator(labeler), max_rows=0),
        lambda labeler: ZeroShotAnnotator(
            LLM.from_callable(lambda prompt: "ham"), task="?", classes=["ham", "spam"]
        ),
        lambda labeler: LabelModelAggregator(classes=["ham", "spam"]),
    ],
    ids=["annotator", "cascade", "zero-shot", "aggregator"],
)
def classifier_and_records(request):
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=[LINK, SONG])
    classifier = request.param(labeler)
    X = TEXTS
    if isinstance(classifier, LabelModelAggregator):
        X = labeler.fit_transform(TEXTS)
    return classifier.fit(X), X


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Ham", "Spam"], r"holds \['Ham', 'Spam'\], .* are \['ham', 'spam'\]"),
        ([" ham", "sp am"], "Write labels as the classes are written"),
        ([0, 1], r"holds \[0, 1\]"),
    ],
)
def test_a_score_says_that_labels_are_spelled_in_another_way(
    classifier_and_records, names, shown
):
    classifier, X = classifier_and_records
    with pytest.raises(
        ValueError, match=f"none of the labels in y is a class.*{shown}"
    ):
        classifier.score(X, names * 20)


def test_a_score_of_labels_that_are_no_class_is_not_silent(classifier_and_records):
    classifier, X = classifier_and_records
    with pytest.warns(ClassesWarning, match=r"none of .*'eggs'\].* count as wrong"):
        assert classifier.score(X, ["eggs"] * 40) == 0
    # A fold may have lacked a class.
    said = classifier.predict(X)
    assert classifier.score(X, ["eggs", *said[1:]]) == pytest.approx(1 - 1 / 40)


def test_a_score_takes_weights_by_metadata_routing(classifier_and_records):
    classifier, X = classifier_and_records
    said = classifier.predict(X)
    wrong = np.where(said == "ham", "spam", "ham")
    y, weight = [*said[:20], *wrong[20:]], np.arange(40) < 20
    with sklearn.config_context(enable_metadata_routing=True):
        asking = copy.copy(classifier).set_score_request(sample_weight=True)
        routing = asking.get_metadata_routing()
        owner = getattr(routing, "_self_request", routing) or routing
        assert owner.score.requests == {"sample_weight": True}
    assert classifier.score(X, y, sample_weight=weight) == 1
