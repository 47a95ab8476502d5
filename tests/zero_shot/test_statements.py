"""A class counts where it is what is said, and not where it merely occurs."""

import pytest

from sklearn_alchemist.zero_shot import read_labels

MAIL = ["ham", "spam"]
SIGNS = [-1, 0, 1]
STARS = [1, 2, 3, 4, 5]


def read(text, classes, n_records=1):
    codes = read_labels(text, classes, n_records)
    return [None if code == -1 else classes[code] for code in codes]


@pytest.mark.parametrize(
    "text",
    [
        *("-1", "\u22121", "- 1", "(-1)", "Label: -1", "Class: -1", "label=-1"),
        *("Sentiment: -1.0", "The label is \u20131.", "Label: \u2212 1", "Label -1"),
        *("**Label:** -1", "Answer: **-1**", '{"label": "\u22121"}'),
        "The answer is -1 because it is bad",
    ],
)
def test_a_minus_sign_is_part_of_a_number(text):
    assert read(text, SIGNS) == [-1]
    assert read(text, [0, 1]) == [None]


@pytest.mark.parametrize("text", ["1", "+1", "1.0", "Label: 1", "Label: +1", "label=1"])
def test_a_number_without_a_minus_is_positive(text):
    assert read(text, SIGNS) == [1]


def test_a_dash_between_a_word_and_a_number_is_read_where_it_can_be_no_sign():
    assert read("Rating - 4", STARS) == [4]
    assert read("Label - 1", SIGNS) == [None]


@pytest.mark.parametrize(
    "text",
    [
        *("0.2", "2.5", "1.9", "2,000", "1 000", "10^2", "\u22602", "<2", ">1", "< 2"),
        *(
            "> 1",
            "between 2.0 and 2.5",
            "2-3",
            "2 - 3",
            "1\u20132",
            "1.2.3",
            "~2",
            ".2",
        ),
        *("1/5", "1%", "1 %", "1:5", "1/2", "1st", "v1", "$1", "2e5", "2 or 1"),
    ],
)
@pytest.mark.parametrize("classes", [[1, 2], [0, 1]])
def test_a_part_of_a_number_is_no_class(text, classes):
    assert read(text, classes) == [None]


def test_large_numbers_are_told_apart():
    assert read("1234569", [1234567, 1234568]) == [None]


@pytest.mark.parametrize(
    "text",
    [
        *("4/5", "4 / 5", "4 out of 5", "4 out of 5 stars.", "4 stars", "Rating: 4/5"),
        *("4.0", "I would rate it 4 out of 5"),
    ],
)
def test_a_rating_may_name_the_best_one(text):
    assert read(text, STARS) == [4]


@pytest.mark.parametrize("text", ["4/10", "4.5/5", "3.9/5", "4-5", "4/5/6"])
def test_a_rating_on_another_scale_is_no_class(text):
    assert read(text, STARS) == [None]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("0. spam\n1. ham\n2. ham", ["spam", "ham", "ham"]),
        ('{"0": "spam", "1": "ham", "2": "ham"}', ["spam", "ham", "ham"]),
        ('{"0": "spam", "1": "ham"}', [None] * 3),
        ("1. spam\n2. ham\n3. spam\n4. ham", [None] * 3),
        (
            '[{"id": 2, "label": "ham"}, {"id": "1", "label": "spam"}]',
            ["spam", "ham", None],
        ),
        ('[{"id": 7, "label": "ham"}, {"id": 8, "label": "spam"}]', [None] * 3),
        (
            '[{"label": "ham"}, {"label": "spam"}, {"label": "ham"}]',
            ["ham", "spam", "ham"],
        ),
        ("Record 1: spam\n**2.** ham\n3 - ham", ["spam", "ham", "ham"]),
    ],
)
def test_numbers_that_are_not_those_of_the_records_shift_nothing(text, labels):
    assert read(text, MAIL, 3) == labels


def test_numbered_numbers_keep_their_sign_and_decimals():
    assert read("1: -1\n2: 1", SIGNS, 2) == [-1, 1]
    assert read("1 -1\n2 -1", SIGNS, 2) == [None, None]
    assert read("1.5\n2.5", [1, 2, 5], 2) == [None, None]
    assert read("1 - 4\n2 - 5", STARS, 2) == [4, 5]


@pytest.mark.parametrize(
    "text",
    [
        "I'm unable to determine whether this is spam",
        "Please provide the text so I can tell if it is spam.",
        "Error: spam detection unavailable",
        "Content flagged: spam policy violation",
        "I refuse to say spam",
        *("Is this spam?", "Is this spam", "Would you say spam", "spam?"),
        *("spam: 0", "spam=0", "spam = 0", "spam (5%)", "spam probability: 5%"),
        *("Spam score: 1/10", '{"spam": 0}', '{"spam": false}', "spam: false"),
        *("nothing suggests spam", "fails to qualify as spam", "less likely spam"),
        *("!spam", "\u2260 spam", "\u00acspam", "~~spam~~", "spam-free", "No spam"),
        *("doubtful that this is spam", "Is it spam? I doubt it.", "spam, I doubt it"),
        "spam \u3067\u306f\u306a\u3044",
        "If it were an ad it would be spam",
        *("spam: unlikely", "spam - no", "spam - unlikely at all", "hardly spam"),
        *("The options are ham and spam", "The text mentions spam", "spam. Or ham."),
        *("This might be spam", "<b>not</b> spam", "spam\nHowever, I doubt it"),
    ],
)
def test_a_class_that_merely_occurs_is_no_answer(text):
    assert read(text, MAIL) == [None]


@pytest.mark.parametrize(
    "text",
    [
        *("This is spam.", "It is a spam message.", "I would say it is spam"),
        *("Label: spam - it advertises a product", "spam because it is not personal"),
        *("spam (it sells pills)", "spam\nIt sells pills.", "Spam. It sells pills."),
        *("It sells pills. It is spam.", "spam, it sells pills", "Spam (95%)"),
        *("\u00abspam\u00bb", "<spam>", "`spam`", "> spam", "- spam", "1. spam"),
        *("Not ham, it is spam.", "It isn't ham, it's spam.", "spam, not ham"),
        *("spam rather than ham", "Answer -> spam", "$\\boxed{\\text{spam}}$"),
        *('{"label": ["spam"]}', '{"spam": true, "ham": false}', '{"verdict": "spam"}'),
        *("Category: Spam\nReason: It's not personal.", "Sure! The label is spam."),
        *("I would classify this message as **spam**.", "Die Antwort ist spam."),
        *("It belongs to the spam category.", "The most likely class is spam."),
    ],
)
def test_a_class_is_an_answer_in_known_forms(text):
    assert read(text, MAIL) == ["spam"]


@pytest.mark.parametrize(
    ("text", "classes", "label"),
    [
        ("I would say it is about football", ["it", "sport"], None),
        ("It is sport", ["it", "sport"], "sport"),
        ("The answer is it.", ["it", "sport"], "it"),
        ("Yes, because there is no doubt", ["no", "yes"], "yes"),
        ("Yes. No.", ["no", "yes"], None),
        ("It is very positive", ["positive", "very positive"], "very positive"),
        ("It is very positive", ["negative", "positive"], "positive"),
        ("Label: >50K", ["<=50K", ">50K"], ">50K"),
        ("50K", ["<=50K", ">50K"], None),
        ("Answer: C#", ["C", "C++", "C#"], "C#"),
        ("The label is C++.", ["C", "C++", "C#"], "C++"),
        ("The topic is U.S. News.", ["U.S. News", "World"], "U.S. News"),
        ("Label: not-spam", ["spam", "not spam"], "not spam"),
        ("\u8fd9\u4e0d\u662f\u597d\u8bc4", ["\u5dee\u8bc4", "\u597d\u8bc4"], None),
    ],
)
def test_classes_may_be_words_of_any_prose_or_hold_signs(text, classes, label):
    assert read(text, classes) == [label]
