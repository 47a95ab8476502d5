from dataclasses import replace
from itertools import chain, takewhile

import numpy as np
import pandas as pd
import pytest

from sklearn_alchemist import LLM, ProgramSynthesisLabeler
from sklearn_alchemist.synthesis import (
    PROMPT_VERSION,
    Prompts,
    SynthesisConfig,
    TaskSpec,
    plan,
    plan_programs,
    write_messages,
    write_question,
)
from sklearn_alchemist.synthesis._plan import group_of


@pytest.fixture
def spec():
    return TaskSpec(
        task="Is this comment spam?",
        classes={"ham": "everything else", "spam": None},
        columns={"text": "str"},
        is_text=True,
    )


def test_the_prompt_states_task_classes_signature_and_how_to_abstain(spec):
    _, user = write_messages(spec, "Decide by vocabulary.")
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
    spec = TaskSpec("Ill?", {0: None, 1: None}, {"age": "int", "bmi": "float"}, False)
    _, user = write_messages(spec, "x")
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
    names = [planned.name for planned in plan(25, is_text=is_text)]
    assert len(set(names)) == 25


def questions(spec, n_programs):
    config = SynthesisConfig(n_programs=n_programs)
    return [
        write_question(planned, spec, config) for planned in plan_programs(spec, config)
    ]


def test_no_two_questions_are_the_same(spec):
    asked = {(question.prompt, question.sample) for question in questions(spec, 25)}
    assert len(asked) == 25


def test_three_in_ten_leave_the_approach_to_the_model_in_few_words(spec):
    asked = questions(spec, 10)
    free = [question for question in asked if "Approach:" not in question.prompt]
    assert [question.sample for question in free] == [0, 1, 2]
    assert len({question.prompt for question in free}) == 1
    assert len(free[0].prompt) < len(asked[0].prompt) / 2
    for needed in ("Is this comment spam?", "'spam'", "def label(text: str):", "None"):
        assert needed in free[0].prompt


def test_more_programs_repeat_the_questions_for_fewer(spec):
    assert questions(spec, 12)[:5] == questions(spec, 5)


def shared_beginning(prompts):
    """What all prompts begin with."""
    same = takewhile(lambda letters: len({*letters}) == 1, zip(*prompts, strict=False))
    return "".join(letters[0] for letters in same)


def shared_share(prompts):
    """Part of each prompt that another one begins with, too, on average."""
    shares = []
    for prompt in prompts:
        others = [other for other in prompts if other is not prompt]
        shared = max(len(shared_beginning([prompt, other])) for other in others)
        shares.append(shared / len(prompt))
    return shares


def test_what_differs_between_questions_stands_at_their_ends(spec):
    prompts = [question.prompt for question in questions(spec, 10)]
    assert min(shared_share(prompts)) > 0.8
    # Those with an approach share all but that, and the others their beginning.
    advised = [prompt for prompt in prompts if "Approach:" in prompt]
    common = shared_beginning(advised)
    assert common.endswith("\nApproach: ")
    assert len(common) > 0.8 * np.mean([len(prompt) for prompt in advised])


def test_knowledge_and_records_come_after_what_all_questions_share(spec):
    config = SynthesisConfig(n_programs=4, prior_knowledge=("rules", "keywords"))
    prompts = [
        write_question(planned, spec, config, known=f"<{planned.knowledge}>").prompt
        for planned in plan_programs(spec, config)
        if planned.advice
    ]
    common = shared_beginning(prompts)
    assert common.endswith("What is known of the subject:\n<")
    assert len(common) > 0.7 * len(prompts[0])


def test_rules_share_all_but_the_class_and_the_focus(spec):
    config = SynthesisConfig(n_programs=6, style="rules")
    plans = plan_programs(spec, config)
    prompts = [write_question(planned, spec, config).prompt for planned in plans]
    assert len(shared_beginning(prompts)) > 0.8 * len(prompts[0])


def test_scores_are_asked_for_in_slots_of_their_own_after_the_others(spec):
    plain = questions(spec, 7)
    config = SynthesisConfig(n_programs=10, n_scoring=3)
    asked = [write_question(s, spec, config) for s in plan_programs(spec, config)]
    assert asked[:7] == plain
    assert not any("Return scores" in question.prompt for question in plain)
    assert all("Return scores" in question.prompt for question in asked[7:])
    assert len({question.prompt for question in asked[7:]}) == 3


def test_more_programs_keep_the_number_of_those_that_give_scores(spec):
    names = [
        s.name for s in plan_programs(spec, SynthesisConfig(n_programs=10, n_scoring=3))
    ]
    more = SynthesisConfig(n_programs=2, n_scoring=3, taken=frozenset(names))
    assert [s.name for s in plan_programs(spec, more)] == ["ladder_7", "free_8"]


MANY = {f"class {k}": None for k in range(30)}


def test_of_many_classes_every_second_program_looks_after_a_group(spec):
    many = replace(spec, classes=MANY)
    plans = plan_programs(many, SynthesisConfig(n_programs=10))
    groups = [planned.advice for planned in plans if planned.strategy == "group"]
    assert [planned.strategy == "group" for planned in plans] == [
        False,
        True,
    ] * 5
    # Four groups hold every class once, deeply; the next round deals them otherwise.
    found = [[name for name in MANY if repr(name) in advice] for advice in groups]
    assert sorted(chain(*found[:4])) == sorted(MANY)
    assert all(7 <= len(group) <= 8 for group in found)
    assert found[4] not in found[:4]
    assert "about 50 cues" in groups[0]


def test_a_longer_plan_of_groups_starts_with_the_shorter_one(spec):
    many = replace(spec, classes=MANY)
    long, short = (plan_programs(many, SynthesisConfig(n_programs=n)) for n in (14, 6))
    assert long[:6] == short


@pytest.mark.parametrize(
    ("n_classes", "class_groups", "is_grouped"),
    [(11, "auto", False), (12, "auto", True), (30, False, False), (4, True, True)],
)
def test_groups_are_for_twelve_classes_or_whoever_asks(
    spec, n_classes, class_groups, is_grouped
):
    few = replace(spec, classes=dict(list(MANY.items())[:n_classes]))
    plans = plan_programs(few, SynthesisConfig(n_programs=4, class_groups=class_groups))
    assert any(planned.strategy == "group" for planned in plans) == is_grouped


@pytest.mark.parametrize("n_classes", [12, 17, 40, 77])
def test_groups_cover_all_classes_in_one_round(spec, n_classes):
    names = [f"c{k:02}" for k in range(n_classes)]
    for in_turn in (False, True):
        for n_groups in (2, 3, 5):
            dealt = [
                group_of(names, g, n_groups, in_turn=in_turn) for g in range(n_groups)
            ]
            assert sorted(chain(*dealt)) == names


def test_answers_to_an_earlier_wording_stay_usable(tmp_path, spec):
    earlier = replace(spec, prompts=Prompts.of_version("3"))
    assert earlier.prompts.version == "3"
    assert Prompts().version == PROMPT_VERSION == "4"
    (user,) = write_messages(earlier, "Decide.")[1:]
    assert "Approach: Decide.\n\nHow to go about it:" in user["content"]
    with pytest.raises(ValueError, match=r"version must be one of '3', '4'; got '9'"):
        Prompts.of_version("9")
