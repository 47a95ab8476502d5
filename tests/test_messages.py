"""What errors and warnings say, whichever estimator is asked."""

import ast
import dataclasses
import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
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
    for node in ast.walk(ast.parse(path.read_text())):
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


def test_silent_programs_may_return_what_is_no_class(labeler):
    labeler.set_params(classes=["Ham", "Spam"])
    with pytest.warns(UserWarning, match=r"never vote: .*run\(X\)\.failures tells"):
        labeler.fit(TEXTS)
    with pytest.warns(UserWarning, match="returned 'spam', which is no class"):
        assert labeler.run(TEXTS).failures[0] == {"invalid": len(TEXTS)}
