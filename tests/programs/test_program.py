import dataclasses
import math
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sklearn_alchemist.programs as programs_folder
from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.programs import LabelingProgram, Provenance, run_programs

THRESHOLD = 3


def about_money(text):
    """Look for sums of money."""
    amounts = re.findall(r"\$(\d+)", text)
    return "spam" if amounts and math.fsum(map(int, amounts)) > 3 else None


def uses_a_constant(text):
    return len(text) > THRESHOLD


def test_label_is_the_entry_point_among_several(make):
    program = make("def helper(x): return x\ndef label(text): return helper(text)")
    assert program.entry_point == "label"


def test_the_only_public_function_is_the_entry_point(make):
    program = make("def _help(x): return x\ndef classify(text): return _help(text)")
    assert program.entry_point == "classify"


@pytest.mark.parametrize(
    ("source", "entry_point"),
    [
        ("def norm(x): return x\ndef detect(text): return norm(text)", "detect"),
        ("def norm(x): return x\ndef detect(text): return text", "detect"),
        ("def is_spam(text): return norm(text)\ndef norm(x): return x", "is_spam"),
        ("def words(x): return x\ndef main(text): return text", "main"),
        ("label = lambda text: text", "label"),
        ("def has(x): return x\nlabel: object = lambda text: has(text)", "label"),
        ("def a(text): ...\ndef b(x): ...\nlabel = a", "label"),
    ],
)
def test_the_plainly_meant_function_is_the_entry_point(source, entry_point):
    program = LabelingProgram("p", source)
    assert (program.entry_point, program.parameters) == (entry_point, ("text",))


def test_the_last_definition_counts(make):
    assert make("def label(a): ...\ndef label(b, c): ...").parameters == ("b", "c")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1", "found no function at the top level"),
        ("def a(text): ...\ndef b(text): ...", "found a, b at the top level"),
        ("async def label(text): ...", "async"),
        ("def label(*texts): ...", "no parameters"),
        ("def label(*, text): ...", "keyword-only"),
        ("def label(): ...", "no parameters"),
        ("def label(text):\n    yield 1", "generator"),
        ("def label(text):\n    return (", "line 2: not Python: .*never closed"),
        ("def label(text): return '\x00'", "not Python"),
        ("(" * 5000, "not Python"),
        ("-" * 90_000 + "1", "not Python"),
        ("#" * 100_001, "longer than"),
    ],
)
def test_a_program_without_usable_entry_point_is_rejected(source, message):
    with pytest.raises(ProgramRejected, match=f"program 'p'.*{message}"):
        LabelingProgram("p", source)


def test_a_missing_entry_point_is_named(make):
    with pytest.raises(ProgramRejected, match="found f at the top level, but no g"):
        make("def f(text): ...", entry_point="g")


def test_source_is_not_executed():
    LabelingProgram("p", "raise SystemExit\ndef label(text): return None")


def test_equality_ignores_name_and_provenance(make):
    source = "def label(text): return None"
    one = make(source, name="one")
    two = make(source, name="two", provenance=Provenance(model="m"))
    assert one == two
    assert hash(one) == hash(two)
    assert one.digest == two.digest


def test_equality_heeds_how_answers_are_read(make):
    source = "def label(text): return 0"
    by_index = make(source, returns="index")
    ordered = make(source, returns="index", class_order=["a", "b"])
    assert len({make(source), by_index, ordered}) == 3
    assert len({make(source).digest, by_index.digest, ordered.digest}) == 3


def test_class_order_needs_indices(make):
    with pytest.raises(ValueError, match="class_order"):
        make("def label(text): ...", class_order=["a"])


def test_returns_is_checked(make):
    with pytest.raises(ValueError, match="returns must be"):
        make("def label(text): ...", returns="integer")


def test_programs_pickle_and_cannot_be_changed(make):
    program = make("def label(text): return None", provenance=Provenance(repairs=1))
    again = pickle.loads(pickle.dumps(program))
    assert again == program
    assert again.provenance == program.provenance
    with pytest.raises(dataclasses.FrozenInstanceError):
        program.source = "def label(text): return 1"


def test_programs_print_their_source(make):
    program = make("def label(text): return None")
    assert str(program) == program.source
    assert repr(program) == "LabelingProgram('program', label(text))"


def test_a_function_brings_its_imports():
    program = LabelingProgram.from_function(about_money)
    assert program.source.startswith("import math as math\nimport re as re\n")
    result = run_programs([program], {"text": ["win $100", "hello"]}, ["ham", "spam"])
    assert result.votes.ravel().tolist() == [1, -1]


@pytest.mark.slow
def test_a_function_brings_what_it_refers_to():
    outer = 3

    def closure(text):
        return len(text) > outer

    for function in (closure, uses_a_constant, lambda text: len(text) > outer):
        program = LabelingProgram.from_function(function)
        result = run_programs([program], {"text": ["long", ""]}, [False, True])
        assert result.votes.ravel().tolist() == [1, 0]


def test_what_has_no_source_is_rejected():
    with pytest.raises(ProgramRejected, match="refers to"):
        LabelingProgram.from_function(np.sort)
    with pytest.raises(ProgramRejected, match="no function"):
        LabelingProgram.from_function(int)


def test_a_function_without_source_is_rejected():
    namespace = {}
    exec("def label(text): return None", namespace)
    with pytest.raises(ProgramRejected, match="cannot be found"):
        LabelingProgram.from_function(namespace["label"])


@pytest.mark.slow
def test_import_stays_light():
    # Without the estimators that the package itself imports.
    package = Path(programs_folder.__file__).parent.parent
    code = f"""
import sys, types
package = sys.modules["sklearn_alchemist"] = types.ModuleType("sklearn_alchemist")
package.__path__ = [{str(package)!r}]
import sklearn_alchemist.programs
heavy = {{"joblib", "sklearn", "pandas", "litellm", "statistics", "difflib"}}
import numpy
print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
