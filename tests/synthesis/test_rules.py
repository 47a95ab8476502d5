from sklearn_alchemist.synthesis._rules import render_rules


def patterns_of(answer):
    """The patterns of the program that an answer becomes."""
    namespace = {}
    exec(render_rules(answer, "spam", ["text"]), namespace)
    return [pattern for pattern, _ in namespace["PATTERNS"]]


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


def test_a_line_feed_inside_a_text_loses_no_answer():
    answer = '{"phrases": [{"text": "click\n", "weight": 1}], "patterns": ["a+"]}'
    assert patterns_of(answer) == ["a+"]
