import pandas as pd
import pytest

from sklearn_alchemist import LLM, ProgramSynthesisLabeler
from sklearn_alchemist.synthesis import (
    Brief,
    Recipe,
    plan,
    plan_slots,
    write_messages,
    write_question,
)


@pytest.fixture
def brief():
    return Brief(
        task="Is this comment spam?",
        classes={"ham": "everything else", "spam": None},
        columns={"text": "str"},
        is_text=True,
    )


def test_the_prompt_states_task_classes_signature_and_how_to_abstain(brief):
    _, user = write_messages(brief, "Decide by vocabulary.")
    for needed in (
        "Is this comment spam?",
        "- 'ham': everything else",
        "- 'spam'\n",
        "def label(text: str):",
        "Return None only where",
        "Decide by vocabulary.",
    ):
        assert needed in user["content"]


def test_the_prompt_for_a_table_lists_columns_with_their_types():
    brief = Brief("Ill?", {0: None, 1: None}, {"age": "int", "bmi": "float"}, False)
    _, user = write_messages(brief, "x")
    assert "- age: int\n- bmi: float" in user["content"]
    assert "def label(age, ...):" in user["content"]


def test_names_that_are_no_parameters_are_told_as_they_are():
    asked = []
    llm = LLM.from_callable(
        lambda prompt: asked.append(prompt) or "def label(mean_r_cm): return 'ill'"
    )
    table = pd.DataFrame({"mean r (cm)": [1.5, 2.5], "age": [30, 40]})
    options = {"task": "Ill?", "classes": ["ill", "well"], "n_programs": 1}
    ProgramSynthesisLabeler(llm, **options).fit(table)
    assert "- mean_r_cm: float, called 'mean r (cm)'\n- age: int\n" in asked[0]


@pytest.mark.parametrize("is_text", [True, False])
def test_slots_have_names_of_their_own(is_text):
    names = [slot.name for slot in plan(25, is_text=is_text)]
    assert len(set(names)) == 25


def questions(brief, n_programs):
    recipe = Recipe(n_programs=n_programs)
    return [write_question(slot, brief, recipe) for slot in plan_slots(brief, recipe)]


def test_no_two_questions_are_the_same(brief):
    asked = {(question.prompt, question.sample) for question in questions(brief, 25)}
    assert len(asked) == 25


def test_three_in_ten_leave_the_approach_to_the_model_in_few_words(brief):
    asked = questions(brief, 10)
    free = [question for question in asked if "Approach:" not in question.prompt]
    assert [question.sample for question in free] == [0, 1, 2]
    assert len({question.prompt for question in free}) == 1
    assert len(free[0].prompt) < len(asked[0].prompt) / 2
    for needed in ("Is this comment spam?", "'spam'", "def label(text: str):", "None"):
        assert needed in free[0].prompt


def test_more_programs_repeat_the_questions_for_fewer(brief):
    assert questions(brief, 12)[:5] == questions(brief, 5)
