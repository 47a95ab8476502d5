import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.programs import _run_programs, run_programs
from sklearn_alchemist.programs._equal_rows import find_distinct

LENGTH = "def label(text): return len(text) % 3"
TEXTS = ["a" * n for n in range(50)]


def test_parameters_pick_columns_by_name(make):
    program = make("def label(body, subject): return subject + body")
    columns = {"subject": ["a", "b"], "other": [None, 1], "body": ["x", "y"]}
    assert run_programs([program], columns, ["ax", "by"]).votes.tolist() == [[0], [1]]


def test_a_single_parameter_takes_a_single_column(make):
    program = make("def label(anything): return anything")
    assert run_programs([program], {"text": ["a"]}, ["a"]).votes.tolist() == [[0]]


def test_answers_count_that_equal_a_class(make):
    """As in a dict of classes, whatever their type; what is no key is no class."""
    source = """
        from enum import StrEnum
        from fractions import Fraction
        class Kind(StrEnum):
            SPAM = "spam"
        ANSWERS = {"member": Kind.SPAM, "part": Fraction(4, 2), "list": ["spam"]}
        def label(text): return ANSWERS[text]
        """
    columns = {"text": ["member", "part", "list"]}
    result = run_programs([make(source)], columns, ["spam", 2])
    assert result.votes.ravel().tolist() == [0, 1, -1]
    assert result.failures == ({"invalid": 1},)


def test_an_unknown_column_is_named(make):
    program = make("def label(body): return body")
    message = "'program' reads 'body', which is no column; columns are a, b"
    with pytest.raises(ProgramRejected, match=message):
        run_programs([program], {"a": ["x"], "b": ["y"]}, ["x"])


def test_columns_of_different_length_are_refused(make):
    with pytest.raises(ValueError, match="length"):
        run_programs([], {"a": [1], "b": []}, [0])


def test_timeout_must_be_positive(make):
    with pytest.raises(ValueError, match="timeout"):
        run_programs([], {"a": [1]}, [0], timeout=0)


def test_none_and_minus_one_abstain(make):
    program = make("def label(x): return None if x else -1")
    result = run_programs([program], {"x": [True, False]}, [0, 1])
    assert result.votes.tolist() == [[-1], [-1]]
    assert result.failures == ({},)


@pytest.mark.parametrize("returns", ["class", "index"])
def test_words_for_abstaining_abstain_where_they_are_no_class(make, returns):
    words = ["", "ABSTAIN", "abstain", "None", "unknown", "Unknown", "N/A", "-1"]
    program = make("def label(x): return x", returns=returns)
    result = run_programs([program], {"x": words}, ["ham", "spam"])
    assert (result.votes == -1).all()
    assert result.failures == ({},)
    classes = ["", "Unknown"]
    votes = run_programs([make("def label(x): return x")], {"x": words}, classes).votes
    assert votes.ravel().tolist() == [0, -1, -1, -1, -1, 1, -1, -1]


def test_a_word_for_abstaining_in_other_capitals_than_its_class_is_an_error(make):
    program = make("def label(x): return x")
    result = run_programs([program], {"x": ["unknown"]}, ["ham", "Unknown"])
    assert result.failures == ({"invalid": 1},)


def test_a_lambda_runs_like_a_function(make):
    program = make("def up(x): return x.upper()\nlabel = lambda x: up(x)")
    assert run_programs([program], {"x": ["a"]}, ["A", "B"]).votes.tolist() == [[0]]


def test_minus_one_can_be_a_class(make):
    program = make("def label(x): return x")
    result = run_programs([program], {"x": [-1, 1, None]}, [-1, 1])
    assert result.votes.ravel().tolist() == [0, 1, -1]


def test_indices_mean_classes_in_the_given_order(make):
    source = "def label(x): return x"
    programs = [
        make(source, returns="index", class_order=["spam", "ham"]),
        make(source, returns="index"),
    ]
    result = run_programs(programs, {"x": [0, 1, -1, 2]}, ["ham", "spam"])
    assert result.votes.tolist() == [[1, 0], [0, 1], [-1, -1], [-1, -1]]
    assert result.failures == ({"invalid": 1}, {"invalid": 1})


def test_class_order_must_name_classes(make):
    program = make("def label(x): return x", returns="index", class_order=["a", "z"])
    with pytest.raises(ProgramRejected, match="'z' in its class_order"):
        run_programs([program], {"x": [0]}, ["a", "b"])


@pytest.mark.parametrize("answer", ["'other'", "[]", "{1}", "len", "1j", "b'a'", "nan"])
def test_answers_that_are_no_class_abstain(make, answer):
    program = make(f"from math import nan\ndef label(x): return {answer}")
    result = run_programs([program], {"x": [1]}, ["a", 1.5])
    assert result.votes.tolist() == [[-1]]
    assert result.failures == ({"invalid": 1},)


def test_first_errors_tell_the_line_and_no_data(make):
    source = """
        def help(x):
            return 1 / x

        def label(x):
            if x == 2:
                raise ValueError("secret")
            return help(x)
        """
    result = run_programs([make(source)], {"x": [1, 0, 2, 0]}, [1.0])
    assert result.failures == ({"error": 3},)
    assert result.first_errors == ("ZeroDivisionError in line 3",)


def test_invalid_answers_are_shown_in_short(make):
    program = make("def label(x): return x")
    result = run_programs([program], {"x": ["y" * 1000]}, ["a"])
    assert result.first_errors[0].startswith("returned 'yyy")
    assert len(result.first_errors[0]) < 80


@pytest.mark.parametrize(
    "value",
    [
        "\ud800",
        "\ud83d\ude00",
        "\U0001f600",
        "a\x00b\r\n\u2028",
        10**30,
        -(10**5000),
        0.1,
        float("inf"),
        True,
        None,
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_reach_the_program_unchanged(make, value):
    shown = "list(map(ord, x))" if isinstance(value, str) else "x"
    expected = list(map(ord, value)) if isinstance(value, str) else value
    wanted = "float('inf')" if value == float("inf") else _spell(expected)
    source = f"def label(x): return {shown} == {wanted} and type(x).__name__"
    result = run_programs([make(source)], {"x": [value]}, [type(value).__name__])
    assert result.votes.tolist() == [[0]]


def _spell(value):
    is_long = isinstance(value, int) and abs(value) > 10**100
    return f"-(10 ** {5000})" if is_long else repr(value)


def test_nan_reaches_the_program(make):
    program = make("def label(x): return x != x")
    result = run_programs([program], {"x": [float("nan")]}, [False, True])
    assert result.votes.tolist() == [[1]]


@pytest.mark.parametrize(
    ("n_classes", "dtype"), [(2, "int8"), (128, "int8"), (129, "int16")]
)
def test_votes_are_of_the_smallest_type(make, n_classes, dtype):
    program = make("def label(x): return x")
    result = run_programs([program], {"x": [n_classes - 1]}, list(range(n_classes)))
    assert result.votes.dtype == dtype
    assert result.votes.tolist() == [[n_classes - 1]]


def test_no_programs_or_no_rows_give_an_empty_result(make):
    none = run_programs([], {"x": [1, 2]}, [0])
    assert none.votes.shape == (2, 0)
    assert none.failures == none.first_errors == ()
    empty = run_programs([make(LENGTH)], {"text": []}, [0])
    assert empty.votes.shape == (0, 1)
    assert (empty.failures, empty.first_errors) == (({},), (None,))


def test_numpy_classes_are_understood(make):
    program = make(LENGTH)
    result = run_programs([program], {"text": ["a"]}, np.arange(3))
    assert result.votes.tolist() == [[1]]


@pytest.mark.slow
def test_seconds_are_those_of_the_program(make):
    slow = make("def label(text): return sum(range(200_000)) and 0")
    result = run_programs([make(LENGTH), slow], {"text": TEXTS}, [0, 1, 2])
    assert result.seconds.shape == (2,)
    assert 0 < result.seconds[0] < result.seconds[1]


MIXED = [
    LENGTH,
    "def label(text): return 1 // (len(text) % 7)",
    "def label(text): return {0: 'odd'}.get(len(text) % 5, 0)",
    "def label(text):\n while len(text) in (3, 11, 31, 40): pass\n return 0",
    "def label(text): return max(set(text + 'xyz'), key=text.count) == 'a'",
]


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2, 4])
@pytest.mark.parametrize("n_rows", [7, 20, 1024])
def test_votes_do_not_depend_on_jobs_or_chunks(make, monkeypatch, n_jobs, n_rows):
    monkeypatch.setattr(_run_programs, "MAX_ROWS", n_rows)
    programs = [make(source) for source in MIXED]
    done = []
    result = run_programs(
        programs,
        {"text": TEXTS},
        [0, 1, 2],
        timeout=0.05,
        n_jobs=n_jobs,
        on_rows=done.append,
    )
    lengths = np.arange(50)
    assert result.votes[:, 0].tolist() == (lengths % 3).tolist()
    assert result.failures[1] == {"error": 8}
    assert result.failures[2] == {"invalid": 10}
    assert result.failures[3] == {"timeout": 3, "skipped": 18}
    assert np.flatnonzero(result.votes[:, 3] == 0).tolist() == [
        n for n in range(31) if n not in (3, 11)
    ]
    assert result.first_errors[1] == "ZeroDivisionError in line 1"
    assert sum(done) == 50


SLOW = """
    def label(text):
        for _ in range(200_000 if "a" in text else 1):
            pass
        return 1
    """


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [20, 1024])
def test_a_program_stops_when_its_time_is_used_up(make, monkeypatch, n_rows):
    monkeypatch.setattr(_run_programs, "MAX_ROWS", n_rows)
    texts = [f"{n} b" for n in range(10)] + [f"{n} a" for n in range(400)]
    slow, quick = make(SLOW), make(LENGTH)
    result = run_programs([slow, quick], {"t": texts}, [0, 1, 2], budget=0.2)
    n_left = result.failures[0].pop("budget")
    assert result.failures == ({}, {})
    assert 100 < n_left < 400
    assert result.votes[: 410 - n_left, 0].tolist() == [1] * (410 - n_left)
    assert (result.votes[410 - n_left :, 0] == -1).all()
    assert (result.votes[:, 1] >= 0).all()
    assert result.first_errors[0] == "used up its time budget"
    assert result.seconds[0] < 1


def test_a_budget_that_is_not_used_up_changes_nothing(make):
    result = run_programs([make(LENGTH)], {"t": TEXTS}, [0, 1, 2], budget=60)
    assert result.failures == ({},)
    with pytest.raises(ValueError, match="budget must be positive or None, got 0"):
        run_programs([make(LENGTH)], {"t": TEXTS}, [0, 1, 2], budget=0)


def test_long_texts_are_sent_in_small_parts(make, monkeypatch):
    monkeypatch.setattr(_run_programs, "MAX_CHARACTERS", 10)
    done = []
    texts = ["aaab", "aaaa", "aaba", "a" * 30, "a"]
    result = run_programs([make(LENGTH)], {"t": texts}, [0, 1, 2], on_rows=done.append)
    assert done == [2, 1, 1, 1]
    assert result.votes.ravel().tolist() == [1, 1, 1, 0, 1]


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_parallel_config_is_heeded(make, monkeypatch, backend):
    monkeypatch.setattr(_run_programs, "MAX_ROWS", 10)
    with joblib.parallel_config(backend, n_jobs=2):
        result = run_programs([make(LENGTH)], {"text": TEXTS}, [0, 1, 2])
    assert result.votes.ravel().tolist() == (np.arange(50) % 3).tolist()


def test_runs_do_not_see_what_earlier_runs_left(make):
    source = """
        count = 0
        def label(x):
            global count
            count += 1
            return count
        """
    for _ in range(2):
        votes = run_programs([make(source)], {"x": [5, 7]}, [1, 2, 3, 4]).votes
        assert votes.ravel().tolist() == [0, 1]


def test_equal_rows_run_once_and_count_each(make):
    source = """
        count = 0
        def label(x):
            global count
            count += 1
            return 1 / x if x == 0 else count
        """
    done = []
    result = run_programs(
        [make(source)], {"x": [7, 0, 7, 9, 0]}, [1, 2, 3], on_rows=done.append
    )
    assert result.votes.ravel().tolist() == [0, -1, 0, 2, -1]
    assert result.failures == ({"error": 2},)
    assert sum(done) == 5


@pytest.mark.slow
@given(
    st.lists(
        st.sampled_from(["1", 1, 1.0, True, None, 0.0, -0.0, float("nan"), 10**30]),
        min_size=1,
    )
)
def test_rows_are_equal_only_if_no_program_tells_them_apart(values):
    distinct = find_distinct([values, values])
    taken = distinct.take(values)
    spread = distinct.spread(np.arange(len(taken)))
    assert [repr(taken[k]) for k in spread] == [repr(value) for value in values]
    assert len({repr(value) for value in taken}) == len(taken)
    stops = sorted({1, len(taken)})
    assert sum(distinct.count_finished(stops)) == len(values)


@pytest.mark.slow
def test_texts_of_a_million_characters_cost_what_shorter_ones_do(make):
    """What is remembered of texts has bounds, at which the cost makes no leap."""
    source = r"""
        import re
        WORDS = ["offer", "prize", "refund", "meeting", "invoice", "urgent", "sale"]
        def label(text):
            lowered = text.lower()
            tokens = re.findall(r"[a-z]+", lowered)
            score = sum(1 for w in WORDS if re.search(r"\b" + w + r"\b", lowered))
            for t in tokens:
                if t in {"prize", "sale"}:
                    score += 1
            for w in WORDS:
                score += len(re.findall(r"\b" + re.escape(w) + r"s?\b", text, re.I))
            return "spam" if score > 3 else None
        """
    line = "The meeting is about an invoice, not a prize; see you at noon. "

    def seconds(n_characters):
        texts = [(line * 17_000)[: n_characters + k] for k in range(2)]
        program = make(f"{source}# {n_characters}")
        result = run_programs([program], {"text": texts}, ["spam"], timeout=60)
        assert result.votes.tolist() == [[0], [0]]
        return result.seconds[0]

    assert seconds(1_010_000) < 2.5 * seconds(980_000)
