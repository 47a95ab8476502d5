import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_alchemist.synthesis._programs_from_rules import SCHEMA, render_rules


def names_of(answer, columns=("text",)):
    """What the program that an answer becomes defines."""
    namespace = {}
    answer = answer if isinstance(answer, str) else json.dumps(answer)
    exec(render_rules(answer, "spam", columns), namespace)
    return namespace


def patterns_of(answer):
    return [pattern for pattern, _ in names_of(answer)["PATTERNS"]]


def votes_of(answer, *texts):
    label = names_of(answer)["label"]
    return [label(text) for text in texts]


def weighed(**weights):
    return [{"text": text, "weight": weight} for text, weight in weights.items()]


def test_a_phrase_speaks_as_a_whole_word_in_any_case():
    answer = {"phrases": weighed(Free=2)}
    texts = ["FREE!", "freedom", "carefree", None, ""]
    assert votes_of(answer, *texts) == ["spam", None, None, None, None]


def test_weights_add_up_to_the_threshold():
    phrases = weighed(win=2, cash=2, now=2, click=2)
    answer = {"phrases": phrases, "threshold": 2}
    assert votes_of(answer, "win", "hello") == ["spam", None]
    # Eight in all, a quarter of which a text must reach, not all that is asked for.
    assert names_of(answer | {"threshold": 99})["THRESHOLD"] == 2
    assert names_of(answer | {"threshold": -5})["THRESHOLD"] == 1


def test_what_speaks_against_outweighs_a_phrase():
    answer = {"phrases": weighed(free=2), "against": ["unsubscribe me", " ", 7]}
    texts = ["free", "free; Unsubscribe me"]
    assert votes_of(answer, *texts) == ["spam", None]


def test_what_speaks_for_a_class_does_not_speak_against_it():
    answer = {"phrases": weighed(free=2), "against": ["FREE", "song"]}
    assert names_of(answer)["AGAINST"] == ["song"]


def test_patterns_are_searched_in_lower_case():
    answer = {"patterns": [{"regex": r"\d+ ?% off", "weight": 1}]}
    assert votes_of(answer, "50% OFF", "half off") == ["spam", None]


def test_texts_of_several_columns_are_read_together():
    label = names_of({"phrases": weighed(free=1)}, ["title", "body"])["label"]
    assert label(title=None, body="it is free") == "spam"
    assert label(title="free", body=None) == "spam"
    assert label(title="fr", body="ee") is None


@pytest.mark.parametrize(
    ("phrase", "weight"),
    [
        ("win", 1),
        ({"text": "win"}, 1),
        ({"text": "win", "weight": "3"}, 1),
        ({"text": "win", "weight": True}, 1),
        ({"text": "win", "weight": float("nan")}, 1),
        ({"text": " Win ", "weight": 2.5}, 2.5),
        ({"text": "win", "weight": 10**400}, 10),
    ],
    ids=str,
)
def test_weights_of_any_form_are_read(phrase, weight):
    answer = f'{{"phrases": [{json.dumps(phrase)}]}}'
    assert names_of(answer)["PHRASES"] == {"win": weight}


@pytest.mark.parametrize("phrases", [[{"text": "win", "weight": -1}], [" "], 3, None])
@pytest.mark.parametrize("patterns", [["(unclosed"], ["a{99999999999999999999}"], []])
def test_an_answer_of_which_nothing_is_left_is_an_error(phrases, patterns):
    with pytest.raises(ValueError, match="no phrases and no patterns"):
        names_of({"phrases": phrases, "patterns": patterns})


@pytest.mark.parametrize("answer", ["", "I cannot.", "{", '{"a": 1}', '["phrases"]'])
def test_an_answer_without_such_an_object_is_an_error(answer):
    with pytest.raises(ValueError, match="no JSON object"):
        names_of(answer)


def test_a_pattern_that_does_not_compile_loses_no_other():
    assert patterns_of({"patterns": ["(open", "free+", "[a-"]}) == ["free+"]


@pytest.mark.parametrize(
    "answer",
    [
        'Here it is:\n```json\n{"phrases": ["win"]}\n```\nGood luck!',
        '<think>{"phrases": ["lose"]}</think>{"phrases": ["win"]}',
        'As {asked}: {"note": 1} {"phrases": ["win"]}',
    ],
)
def test_an_object_is_found_within_prose(answer):
    assert names_of(answer)["PHRASES"] == {"win": 1}


def test_no_more_cues_are_taken_than_a_program_can_hold():
    names = names_of({"phrases": [f"w{k}" for k in range(900)]})
    assert 0 < len(names["PHRASES"]) < 900


def test_backslashes_that_a_model_did_not_double_are_those_of_a_pattern():
    # Valid JSON, in which \b is a backspace, and JSON that knows no \d.
    once = r'{"patterns": [{"regex": "\bfree\b", "weight": 2}]}'
    mixed = r'{"patterns": [{"regex": "\b\d+\s?%", "weight": 2}], "phrases": []}'
    doubled = r'{"patterns": [{"regex": "\\bwin\\d\\b", "weight": 2}]}'
    assert patterns_of(once) == [r"\bfree\b"]
    assert patterns_of(mixed) == [r"\b\d+\s?%"]
    assert patterns_of(doubled) == [r"\bwin\d\b"]


def test_cues_of_an_answer_that_was_cut_off_keep_their_backslashes():
    answer = r'{"patterns": [{"regex": "\d+ off", "weight": 2}, {"regex": "fr'
    assert patterns_of(answer) == [r"\d+ off"]


def test_a_cue_of_a_cut_answer_that_is_no_json_loses_no_other():
    answer = '{"phrases": [{"text": oops}, {"text": "win", "weight": 2}, {"tex'
    assert names_of(answer)["PHRASES"] == {"win": 2}


def test_a_line_feed_inside_a_text_loses_no_answer():
    answer = '{"phrases": [{"text": "click\n", "weight": 1}], "patterns": ["a+"]}'
    assert patterns_of(answer) == ["a+"]


CUES = st.lists(
    st.text(max_size=5)
    | st.fixed_dictionaries(
        {"text": st.text(max_size=5)}, optional={"weight": st.floats() | st.none()}
    ),
    max_size=4,
)


@given(CUES, CUES, st.floats() | st.integers() | st.none(), st.text(max_size=9))
def test_whatever_is_answered_is_a_program_that_runs_or_an_error(
    phrases, against, threshold, text
):
    content = {"phrases": phrases, "against": against, "threshold": threshold}
    cues = [cue if isinstance(cue, dict) else {"text": cue} for cue in phrases]
    weights = [cue.get("weight") for cue in cues if cue["text"].strip()]
    if all(weight is not None and weight <= 0 for weight in weights):
        with pytest.raises(ValueError, match="the answer holds no"):
            names_of(content)
    else:
        names = names_of(content)
        assert names["label"](text) in ("spam", None)
        assert 1 <= names["THRESHOLD"] <= max(1, sum(names["PHRASES"].values()) / 4)


def test_the_schema_asks_for_what_is_read():
    assert SCHEMA["required"] == list(SCHEMA["properties"])
    answer = {
        "phrases": weighed(win=1),
        "patterns": [{"regex": "a+", "weight": 2}],
        "against": ["song"],
        "threshold": 1,
    }
    assert answer.keys() == SCHEMA["properties"].keys()
    names = names_of(answer)
    assert names["PHRASES"] == {"win": 1}
    assert names["PATTERNS"] == [("a+", 2)]
    assert (names["AGAINST"], names["THRESHOLD"]) == (["song"], 1)
