import numpy as np
import pandas as pd
import pytest
from chat_server import Reply
from offline_llm import offline_llm, write_program
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_alchemist import LLM, LabelingProgram, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import (
    ColumnNamesWarning,
    LLMError,
    ProgramRejected,
    ProgramWarning,
    SynthesisError,
)

TASK = "Is this comment spam?"
TEXTS = ["see http://x.example", "nice song", "http", "first!"]
LINK = "def label(text):\n    return 'spam' if 'http' in text else None\n"
SONG = "def label(text):\n    return 'ham' if 'song' in text else None\n"


def labeler(llm=None, **options):
    options = {"task": TASK, "classes": ["spam", "ham"], **options}
    return ProgramSynthesisLabeler(llm, **options)


def answering(*answers, **options):
    """A labeler whose model gives these answers, one a program."""
    remaining = list(answers)
    llm = LLM.from_callable(lambda prompt: remaining.pop(0))
    options = {"max_repairs": 0, **options}
    return labeler(llm, n_programs=len(answers), **options)


def test_votes_are_indices_of_the_sorted_classes_and_minus_one_abstains():
    fitted = answering(LINK, SONG).fit(TEXTS)
    assert fitted.classes_.tolist() == ["ham", "spam"]
    assert fitted.transform(TEXTS).tolist() == [[1, -1], [-1, 0], [1, -1], [-1, -1]]


def test_fit_transform_gives_the_votes_of_fit_and_transform():
    one, other = answering(LINK, SONG), answering(LINK, SONG)
    np.testing.assert_array_equal(
        one.fit_transform(TEXTS), other.fit(TEXTS).transform(TEXTS)
    )


@pytest.mark.parametrize(
    ("k", "dtype"), [(40, np.int8), (128, np.int8), (200, np.int16)]
)
def test_votes_take_the_smallest_type_that_holds_the_classes(k, dtype):
    classes = list(range(k))
    source = f"def label(text): return len(text) % {k}"
    fitted = answering(source, classes=classes).fit(TEXTS)
    assert fitted.transform(["x" * (k - 1)]).dtype == dtype


def test_programs_carry_where_they_came_from(server):
    server.answer = lambda request: f"```python\n{LINK}```"
    llm = LLM("openai/test", api_base=server.api_base)
    (program,) = labeler(llm, n_programs=1).fit(TEXTS).programs_
    assert program.source == LINK
    assert program.provenance.model == "test"
    assert program.provenance.slot == "keywords_0"
    assert program.provenance.prompt_tokens == 100
    assert len(program.provenance.prompt_digest) == 16


def test_usage_tells_paid_from_stored(server):
    server.answer = lambda request: LINK
    llm = LLM("openai/test", api_base=server.api_base)
    assert labeler(llm, n_programs=2).fit(TEXTS).usage_.paid.calls == 2
    again = labeler(llm, n_programs=2).fit(TEXTS).usage_
    assert (again.paid.calls, again.cached.calls, again.dollars) == (0, 2, 0.0)


@pytest.mark.slow
def test_no_record_is_sent_to_the_model(server):
    server.answer = lambda request: LINK
    llm = LLM("openai/test", api_base=server.api_base)
    labeler(llm).fit(["a-secret-record http"] * 3)
    assert server.requests
    assert "secret-record" not in str(server.requests)


def test_a_model_name_is_enough():
    with pytest.raises(LLMError, match="OPENAI_API_KEY"):
        labeler("openai/gpt-4o-mini").fit(TEXTS)


def test_descriptions_of_classes_are_shown_to_the_model():
    asked = []
    llm = LLM.from_callable(lambda prompt: asked.append(prompt) or LINK)
    labeler(llm, classes={"spam": "unwanted", "ham": None}, n_programs=1).fit(TEXTS)
    assert "- 'spam': unwanted\n- 'ham'\n" in asked[0]


@pytest.mark.slow
def test_labels_name_the_classes_where_none_are_given():
    fitted = labeler(offline_llm(), classes=None).fit(TEXTS, ["b", "a", "b", "a"])
    assert fitted.classes_.tolist() == ["a", "b"]


def test_all_is_said_of_the_conversation():
    fitted = answering(LINK).fit(TEXTS)
    ((question, completion),) = fitted.conversation_
    assert TASK in question.prompt
    assert completion.text == LINK


# ------------------------------------------------------------------ bad input ----


def must_not_be_asked(prompt):
    raise AssertionError("asked although it could be known that fit fails")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": []}, "at least"),
        ({"classes": ["spam"]}, "at least"),
        ({"classes": ["spam", "spam", "ham"]}, "spam"),
        ({"classes": ["spam", None]}, "None"),
        ({"classes": None}, "requires y to be passed"),
        ({"task": None}, "task is empty"),
        ({"task": " "}, "task is empty"),
        ({"n_programs": 0}, "n_programs"),
        ({"timeout": 0}, "timeout"),
        ({"llm": 3}, "llm"),
    ],
)
def test_bad_parameters_are_errors_before_the_model_is_asked(options, message):
    options = {"llm": LLM.from_callable(must_not_be_asked), **options}
    with pytest.raises(ValueError, match=message):
        labeler(**options).fit(TEXTS)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([], None, "0 sample|Reshape"),
        (["a", None], None, "position 1 is missing"),
        ([b"a"], None, "bytes"),
        (TEXTS, ["ham"], "inconsistent numbers of samples"),
        (TEXTS, ["ham", "spam", "eggs", "ham"], "'eggs'"),
    ],
)
def test_bad_data_are_errors_before_the_model_is_asked(X, y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        labeler(LLM.from_callable(must_not_be_asked)).fit(X, y)


def test_neither_model_nor_programs_is_an_error():
    with pytest.raises(ValueError, match="nothing to fit"):
        labeler(None).fit(TEXTS)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I would rather not.", "no Python function"),
        ("", "empty"),
        ("def one(text): return 'ham'\ndef two(text): return 'spam'", "one"),
        ("```python\ndef label(text)\n    return\n```", "line 1"),
        ("import os\ndef label(text): return os.name", "os"),
        (
            "def label(text): return 1 / 0",
            "made-up records: ZeroDivisionError",
        ),
        ("def label(text): return 'eggs'", "'eggs'"),
    ],
)
def test_an_unusable_answer_is_left_out_with_its_reason(answer, reason):
    with pytest.warns(ProgramWarning, match="1 of 2 programs cannot be used") as caught:
        fitted = answering(LINK, answer).fit(TEXTS)
    assert len(caught) == 1
    assert [program.source for program in fitted.programs_] == [LINK]
    (rejection,) = fitted.rejected_
    assert reason in rejection.reason
    assert rejection.name == "free_1"


def test_no_usable_answer_at_all_is_an_error_that_says_why():
    with pytest.raises(SynthesisError, match=r"none of 2 answers.*empty.*no Python"):
        answering("", "Sorry.").fit(TEXTS)


def test_an_answer_that_was_cut_off_says_so(server):
    cut = Reply("```python\ndef label(text):\n    return (", finish_reason="length")
    server.answer = lambda request: cut
    llm = LLM("openai/test", api_base=server.api_base)
    with pytest.raises(SynthesisError, match="cut off: raise params"):
        labeler(llm, n_programs=1).fit(TEXTS)


def test_unusable_answers_stay_in_the_store(server):
    server.answer = lambda request: "Sorry."
    llm = LLM("openai/test", api_base=server.api_base)
    for _ in range(2):
        with pytest.raises(SynthesisError):
            labeler(llm, n_programs=2, max_repairs=0).fit(TEXTS)
    assert len(server.requests) == 2


def test_a_program_that_never_votes_is_warned_of_and_kept():
    silent = "def label(text): return None"
    with pytest.warns(
        ProgramWarning, match="On 4 records tried, these programs never vote: free_1"
    ):
        fitted = answering(LINK, silent).fit(TEXTS)
    assert len(fitted.programs_) == 2


def test_a_program_that_fails_on_some_records_abstains_there_and_is_warned_of():
    source = "def label(text): return {'nice song': 1, 'http': 'spam'}.get(text)"
    fitted = answering(source).fit(TEXTS)
    with pytest.warns(ProgramWarning, match="keywords_0 on 1") as caught:
        assert fitted.transform(TEXTS).ravel().tolist() == [-1, -1, 1, -1]
    assert caught[0].filename == __file__


def test_columns_without_names_are_warned_of_before_they_are_described():
    with pytest.warns(ColumnNamesWarning, match="DataFrame"):
        labeler(offline_llm(), n_programs=1).fit([[1.0, 2.0]])


# ------------------------------------------------------------- given programs ----


def test_given_programs_need_no_model():
    votes = labeler(programs=[LabelingProgram("link", LINK)]).fit_transform(TEXTS)
    assert votes.ravel().tolist() == [1, -1, 1, -1]


def song_in(text):
    return "ham" if "song" in text else None


def test_python_functions_are_taken_as_programs():
    fitted = labeler(programs=[song_in]).fit(TEXTS)
    assert fitted.get_feature_names_out().tolist() == ["song_in"]
    assert fitted.transform(TEXTS).ravel().tolist() == [-1, 0, -1, -1]


def test_the_model_is_asked_only_for_what_is_missing():
    asked = []
    llm = LLM.from_callable(lambda prompt: asked.append(1) or SONG)
    given = [LabelingProgram("link", LINK)]
    fitted = labeler(llm, programs=given, n_programs=3).fit(TEXTS)
    assert len(asked) == 2
    assert [p.name for p in fitted.programs_] == ["link", "keywords_0", "free_1"]


def test_what_is_missing_takes_the_places_that_are_free():
    given = [LabelingProgram("keywords_0", LINK)]
    llm = LLM.from_callable(lambda prompt: SONG)
    fitted = labeler(llm, programs=given, n_programs=3).fit(TEXTS)
    assert [p.name for p in fitted.programs_] == [
        "keywords_0",
        "free_1",
        "patterns_2",
    ]


def test_corrected_programs_survive_a_folder_and_clone(tmp_path):
    fitted = answering(LINK, SONG).fit(TEXTS)
    fitted.export_programs(tmp_path / "programs")
    file = tmp_path / "programs" / "free_1.py"
    file.write_text(file.read_text().replace("song", "first"))
    corrected = clone(fitted).set_params(programs=tmp_path / "programs", llm=None)
    votes = clone(corrected).fit_transform(TEXTS)
    assert votes.tolist() == [[1, -1], [-1, -1], [1, -1], [-1, 0]]


def test_integers_mean_classes_in_the_order_given_where_a_program_says_so():
    source = "def label_function(x): return 0 if 'http' in x else -1"
    program = LabelingProgram("plain", source, returns="index")
    votes = labeler(programs=[program]).fit_transform(TEXTS)
    assert votes.ravel().tolist() == [1, -1, 1, -1]  # classes=["spam", "ham"]


def test_a_given_program_that_may_not_run_is_an_error():
    program = LabelingProgram("bad", "import os\ndef label(text): return os.name")
    with pytest.raises(ProgramRejected, match="os"):
        labeler(programs=[program]).fit(TEXTS)


def test_two_given_programs_of_one_name_are_an_error():
    with pytest.raises(ValueError, match="two programs are called 'link'"):
        labeler(programs=[LabelingProgram("link", s) for s in (LINK, SONG)]).fit(TEXTS)


# --------------------------------------------------------------------- tables ----


def test_programs_read_the_columns_that_they_name():
    source = "def label(age, mean_bmi): return age > 50 and mean_bmi > 30"
    X = pd.DataFrame({"mean bmi": [31.0, 40.0], "name": ["a", "b"], "age": [60, 20]})
    fitted = labeler(classes=[False, True], programs=[LabelingProgram("p", source)])
    assert fitted.fit_transform(X).ravel().tolist() == [1, 0]


def test_set_output_names_the_columns_and_keeps_the_index():
    fitted = answering(LINK, SONG).fit(TEXTS).set_output(transform="pandas")
    frame = fitted.transform(pd.Series(TEXTS, index=list("wxyz")))
    assert frame.columns.tolist() == ["keywords_0", "free_1"]
    assert frame.index.tolist() == list("wxyz")


def test_callbacks_see_the_questions_and_the_rows():
    class Recorder:
        def __init__(self):
            self.tasks = []

        def setup(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context):
            self.tasks.append(context.task_name)

        def on_fit_task_end(self, estimator, context): ...

        def teardown(self, estimator, context): ...

    recorder = Recorder()
    llm = LLM.from_callable(write_program)
    labeler(llm, n_programs=4).set_callbacks(recorder).fit_transform(TEXTS)
    assert recorder.tasks.count("answer") == 4
    assert recorder.tasks.count("records") == 100


def test_a_failed_fit_leaves_no_fitted_labeler():
    failed = answering("Sorry.")
    with pytest.raises(SynthesisError):
        failed.fit(TEXTS)
    with pytest.raises(NotFittedError):
        failed.transform(TEXTS)


def test_a_given_program_that_fails_on_all_records_is_kept_with_a_warning():
    source = "def label(text): return {}[text]"
    with pytest.warns(ProgramWarning, match="never vote: odd"):
        fitted = labeler(programs=[LabelingProgram("odd", source)]).fit(TEXTS)
    assert len(fitted.programs_) == 1
