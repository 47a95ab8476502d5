import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing import least_seconds

from sklearn_alchemist import ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import ProgramRejected
from sklearn_alchemist.llm import Completion, Question
from sklearn_alchemist.programs import LabelingProgram
from sklearn_alchemist.synthesis import (
    PlannedProgram,
    Rejection,
    TaskSpec,
    extract_source,
)
from sklearn_alchemist.synthesis._program_from_answer import (
    answers_with_indices,
    read_program,
    spell_classes,
)

PROGRAM = "import re\n\n\ndef label(text):\n    return None\n"


@pytest.mark.parametrize(
    "answer",
    [
        PROGRAM,
        f"```python\n{PROGRAM}```",
        f"```\n{PROGRAM}\n```\n",
        f"~~~py\n{PROGRAM}~~~",
        f"Sure! Here it is:\n\n```Python\n{PROGRAM}```\n\nIt looks for nothing.",
        f"```json\n{{}}\n```\n```python\n{PROGRAM}```",
        f"```python\nx = 1\n```\nbetter:\n```python\n{PROGRAM}```",
        f"<think>```python\ndef no(): pass\n```</think>\n```python\n{PROGRAM}```",
        f"```python\n{PROGRAM}",
        f"````python\n{PROGRAM}````",
        "  ```python\n"
        + "".join(f"  {line}\n" for line in PROGRAM.split("\n"))
        + "  ```",
        f"```python\n{PROGRAM}```".replace("\n", "\r\n"),
    ],
)
def test_the_program_is_found(answer):
    found = "\n".join(line.rstrip() for line in extract_source(answer).splitlines())
    assert found + "\n" == PROGRAM


@pytest.mark.parametrize(
    "answer",
    [
        f"Here is the program:\n\n{PROGRAM}\nIt looks for nothing.",
        f"Import this: it is easy.\n{PROGRAM}\nfor example, or: not.\n\nBye.",
        f"```text\n{PROGRAM}```",
        f"hm ```def label(x)```</think>\n{PROGRAM}",
        f"<thinking>```\n{PROGRAM.replace('None', '1')}```</thinking>\n{PROGRAM}",
        f"<reasoning>a <think>b</think>\n{PROGRAM}",
    ],
)
def test_prose_and_thoughts_around_the_program_are_left_out(answer):
    assert extract_source(answer) == PROGRAM


def test_blocks_that_define_what_the_program_uses_come_with_it():
    constants, helper = "WORDS = ['a']\n", "def has(text):\n    return text in WORDS\n"
    unused, program = "x = 1\n", "def label(text):\n    return has(text) or None\n"
    answer = "".join(f"```\n{b}```\n" for b in (constants, unused, helper, program))
    source = extract_source(answer + "```\nprint(label('a'))\n```")
    assert source.replace("\n\n\n", "\n") == constants + helper + program


@pytest.mark.parametrize(
    "piece",
    ["\n", "<think>", "</think>", "`", "```\n", "~~~python\n", "def f(", "x = ("],
)
def test_no_answer_takes_long_to_read(piece):
    started = time.process_time()  # the machine may be busy
    with contextlib.suppress(ValueError):
        extract_source(piece * (199_000 // len(piece)))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("answer", ["", "  \n", "<think>hm</think>"])
def test_an_empty_answer_is_said_to_be_empty(answer):
    with pytest.raises(ValueError, match="empty"):
        extract_source(answer)


@pytest.mark.parametrize(
    "answer", ["I cannot help with that.", "```json\n{}\n```", "It is def. easy (yes)."]
)
def test_prose_is_said_to_hold_no_function(answer):
    with pytest.raises(ValueError, match="no Python function"):
        extract_source(answer)


def test_a_fence_within_a_string_does_not_end_the_program():
    source = 'def label(text):\n    return "```" in text\n'
    assert extract_source(f"```python\n{source}```") == source


@pytest.mark.slow
@given(st.text())
def test_any_answer_gives_a_source_or_a_reason(answer):
    with contextlib.suppress(ValueError):
        assert any(word in extract_source(answer) for word in ("def", "lambda"))


@pytest.mark.parametrize(
    "opened",
    [
        'CUES = ["free", "click"',
        'CUES = ["free", "click"  # words [of spam (',
        'CUES = tuple(["free", "click")',
        'CUES = set(("free",\n    "click"',
    ],
)
def test_brackets_left_open_are_closed_before_the_next_statement(opened):
    answer = f"""```python
{opened}

# What decides.
def label(text):
    return "SPAM" if any(cue in text for cue in CUES) else None
```"""
    space: dict = {}
    exec(extract_source(answer), space)
    assert space["label"]("click me") == "SPAM"
    assert space["label"]("hello") is None


def test_a_part_of_a_broken_program_is_no_program():
    answer = """```python
CUES = ["free", "click" "link' ]

def label(text):
    return "SPAM" if any(cue in text for cue in CUES) else None
```"""
    source = extract_source(answer)
    assert source.startswith("CUES = ")
    with pytest.raises(SyntaxError):
        compile(source, "answer", "exec")


def test_a_long_chain_of_conditions_is_read():
    chain = "".join(f"'SPAM' if {i} in x else " for i in range(1000))
    source = f"def label(x): return {chain}None"
    assert spell_classes(source, ["ham", "spam"]) == source.replace("SPAM", "spam")
    numbered = LabelingProgram("p", source.replace("'SPAM'", "1"))
    assert answers_with_indices(numbered, ["ham", "spam"], {"x": "str"})


def test_only_answers_are_spelled_as_the_classes_are():
    source = "def label(x): return 'SPAM' if 'SPAM' in x or x == 'Ham' else ' ham '"
    assert spell_classes(source, ["ham", "spam"]) == (
        "def label(x): return 'spam' if 'SPAM' in x or x == 'Ham' else 'ham'"
    )
    assert spell_classes(source, ["Spam", "SPAm", "eggs"]) == source


def test_a_text_that_is_compared_with_keeps_its_spelling():
    source = "def label(x):\n r = 'SPAM'\n if r == 'SPAM': return r\n return None"
    assert spell_classes(source, ["ham", "spam"]) == source


HELPER = """
def count(text, words):
    if not text:
        return 0
    return sum(1 for word in words if word in text)

def label(text):
    scores = {"spam": count(text, ["http", "free"]), "ham": count(text, ["song"])}
    if max(scores.values()) == 0:
        return None
    return max(scores, key=scores.get)
"""
FROM_A_LIST = """
NAMES = ["ham", "spam"]

def label(text):
    best = int("free" in text)
    return NAMES[best] if best or "song" in text else None
"""
BY_NUMBER = """
HAM, SPAM, ABSTAIN = 0, 1, -1

def label(text):
    if "Zebra-striped" in text:
        return SPAM
    return HAM if "song" in text else ABSTAIN
"""
BY_POSITION = """
import re
CUES = [re.compile(r"\\bsongs?\\b"), re.compile(r"\\bfree\\s+cash\\b")]

def label(text):
    found = [len(cue.findall(text)) for cue in CUES]
    return found.index(max(found)) if max(found) else -1
"""


@pytest.mark.parametrize(
    ("source", "indices"),
    [(HELPER, False), (FROM_A_LIST, False), (BY_NUMBER, True), (BY_POSITION, True)],
)
def test_what_a_program_answers_with_is_seen_when_it_runs(source, indices):
    program = LabelingProgram("p", source)
    columns = {"text": "str"}
    assert answers_with_indices(program, ["ham", "spam"], columns) == indices


OWN_ORDERS = [
    "SPAM = 0; HAM = 1; \ndef label(text): return SPAM if 'a' in text else -1",
    "LABELS = ['spam', 'ham']\ndef label(text): return LABELS.index('spam')",
    "IDX = {'Spam': 0, 'Ham': 1}\ndef label(text): return IDX['Spam']",
    "class Label:\n    SPAM = 0\n    HAM = 1\ndef label(text): return Label.SPAM",
    "SPAM2, HAM2 = range(2)\ndef label(text): return SPAM2 if 'a' in text else HAM2",
    "N = ['spam', 'ham']\ndef label(text):\n    found = {n: n in text for n in N}\n"
    "    return {n: i for i, n in enumerate(N)}[max(found, key=found.get)]",
]


def read(source, classes=("ham", "spam")):
    planned = PlannedProgram("p", "free", "", 0)
    spec = TaskSpec("Is it?", dict.fromkeys(classes), {"text": "str"}, is_text=True)
    completion = Completion(text=f"```python\n{source}\n```", model="m")
    question = Question([{"role": "user", "content": "q"}])
    return read_program(planned, question, completion, spec)


@pytest.mark.parametrize("source", OWN_ORDERS)
def test_numbers_mean_what_a_program_itself_says_that_they_do(source):
    program = read(source)
    assert (program.returns, program.class_order) == ("index", ("spam", "ham"))
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[LabelingProgram("p", source)]
    )
    with pytest.raises(ProgramRejected, match=r"and classes\[[01]\] is another"):
        labeler.fit(["a", "b"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "return f'" + "{text}" * 15_000 + "'",
        "return f'" + "{text}" * 30_000 + "'",
        "return 'spam' if len(text) in [" + "1, " * 14_900 + "] else None",
        "return [" + "'SPAM', " * 9_000 + "'ham'][len(text)]",
        "\n".join(f"    def f{i}(x): return x" for i in range(2_490)).lstrip(),
    ],
)
def test_a_long_program_is_read_once(body):
    source = f"def label(text):\n    {body}"
    assert isinstance(read(source), LabelingProgram | Rejection)
    assert least_seconds(lambda: read(source), enough=2) < 2


def test_a_lambda_says_what_its_numbers_mean():
    program = read("SPAM, HAM = 0, 1\nlabel = lambda text: SPAM if 'a' in text else -1")
    assert (program.returns, program.class_order) == ("index", ("spam", "ham"))
    assert program.entry_point == "label"


def test_an_answer_that_can_be_no_class_is_to_be_mended():
    outcome = read("def label(text): return ('spam', 0.9) if 'free' in text else None")
    assert "a value of type tuple" in outcome.reason


def test_counters_and_classes_in_order_are_not_taken_for_another_order():
    counters = (
        "def label(text):\n    spam = 0\n    ham = 0\n    if 'a' in text:\n"
        "        spam += 1\n    return 1 if spam > ham else 0"
    )
    for source in (counters, "SPAM = 1\ndef label(text): return SPAM"):
        assert read(source).class_order == ("ham", "spam")


def test_numbers_that_are_no_places_are_to_be_mended():
    source = (
        "ABSTAIN, HAM, SPAM = 0, 1, 2\n"
        "def label(text): return SPAM if 'a' in text else ABSTAIN"
    )
    outcome = read(source)
    assert isinstance(outcome, Rejection)
    assert "ABSTAIN is 0" in outcome.reason


@pytest.mark.parametrize(
    "answer",
    ["'song' in text", "any(w in text for w in ['song'])", "'song' in text and 1"],
)
def test_true_and_false_are_no_classes_that_have_names(answer):
    source = f"def is_ham(text):\n    return {answer}"
    assert "True or False" in read(source).reason
    given = [LabelingProgram("is_ham", source)]
    labeler = ProgramSynthesisLabeler(classes=["ham", "spam"], programs=given)
    with pytest.raises(ProgramRejected, match="True or False"):
        labeler.fit(["a song", "b"])
    numbers = ProgramSynthesisLabeler(classes=[0, 1], programs=given)
    assert numbers.fit_transform(["a song", "b"]).ravel().tolist()[1] == 0


def test_a_helper_that_returns_0_makes_no_numbers_of_named_classes():
    assert read(HELPER).returns == "class"
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[LabelingProgram("p", HELPER)]
    )
    texts = ["free http", "song", "nothing"]
    assert labeler.fit_transform(texts).ravel().tolist() == [1, 0, -1]


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000, "1." + "0" * 5000])
def test_a_number_of_thousands_of_digits_ends_nothing(number):
    source = f"def label(text):\n    n = {number}\n    return 'spam'\n"
    planned = PlannedProgram("p", "free", "", 0)
    question = Question(({"role": "user", "content": "x"},))
    spec = TaskSpec("Spam?", {"ham": None, "spam": None}, {"text": "str"}, True)
    outcome = read_program(planned, question, Completion(text=source, model="m"), spec)
    assert isinstance(outcome, LabelingProgram | Rejection)


def test_a_helper_that_counts_makes_no_program_one_of_indices():
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=[LabelingProgram("p", HELPER)]
    )
    votes = labeler.fit_transform(["free http", "a song", "nothing"])
    assert votes.ravel().tolist() == [1, 0, -1]


GOOD = "def label(text):\n    return 'spam' if 'free' in text else None\n"
DRAFT = "def label(text):\n    return 'draft'\n"
LOOKS_FOR_MARKS = (
    "def label(text):\n    if '<think>' in text:\n        return 'spam'\n"
    "    return 'ham' if '</think>' in text else None\n"
)


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        (f"```python\n{GOOD}```\n```python\ndef label(t):\n    return ...\n```", GOOD),
        (f"```python\n{GOOD}```\n```python\ndef label(t):\n    return None\n```", GOOD),
        (json.dumps({"program": GOOD, "tests": DRAFT}), GOOD),
        (f"<final>\n{GOOD}</final><notes>earlier draft:\n{DRAFT}</notes>", GOOD),
        (f"<think>Well.</think>```python\n{LOOKS_FOR_MARKS}```", LOOKS_FOR_MARKS),
        (f"<|channel|><|channel|>\n```python\n{GOOD}```", GOOD),
    ],
)
def test_skeletons_notes_and_marks_in_texts_change_no_program(answer, source):
    assert extract_source(answer).strip() == source.strip()
