import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_alchemist.data import Classes, ClassMapping

TOPICS = ["art", "film", "sport", "other"]


def read(mapping, classes=TOPICS, **options):
    return ClassMapping.read(mapping, Classes.listed(classes), **options)


def test_classes_of_now_stand_where_those_of_before_stood():
    now = read({"film": "movies", "sport": ["ball", "run"], None: "news"}).after
    assert list(now.described) == ["art", "movies", "ball", "run", "other", "news"]


def test_what_is_said_of_classes_goes_with_them():
    described = {"a": "letters", "b": "more letters", "c": None, "d": "the rest"}
    now = read({"a": "x", "b": "x", "d": {"d1": "one", "d2": None}}, described).after
    assert now.described == {
        "x": "letters; more letters", "c": None, "d1": "one", "d2": None,
    }  # fmt: skip


def test_codes_and_probabilities_follow():
    change = read({"film": "art", "other": None})
    assert change.map_codes([[0, 1], [2, 3], [-1, 0]]).tolist() == [
        [0, 0], [-1, 1], [-1, 0],
    ]  # fmt: skip
    proba = np.array([[0.1, 0.2, 0.3, 0.4], [0, 0, 1.0, 0]])
    prior = np.array([0.1, 0.2, 0.4, 0.3])
    mapped = change.map_proba(proba, prior)
    np.testing.assert_allclose(mapped, [[3 / 7, 4 / 7], [0.5, 0.5]], atol=1e-9)


def test_renaming_changes_the_order_only():
    change = read({"art": "zen"})
    proba = np.eye(4)
    np.testing.assert_array_equal(
        change.map_proba(proba, proba[0])[:, change.map_codes(np.arange(4))], proba
    )


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"sprot": "art"}, "'sprot', which is none of the classes"),
        ({"art": "film", "film": "art"}, "circle: 'art' -> 'film' -> 'art'"),
        ({"art": "film", "film": "cinema"}, "more than one step: 'art' -> 'film'"),
        ({"art": "film", "film": None}, "more than one step"),
        ({"art": "x", "film": "x", "sport": "x", "other": "x"}, "only the class 'x'"),
        (dict.fromkeys(TOPICS), "leaves no class"),
        ({"art": []}, "no class at all"),
        ({"art": ["x", "x"]}, "twice"),
        ({"art": ["x", None]}, "neither None nor an empty str"),
        ({"art": ""}, "neither None nor an empty str"),
        ({"art": 3}, "all strings or all numbers"),
        ({None: "film"}, "adds 'film', which is a class already"),
    ],
)
def test_a_mapping_that_cannot_be_followed_is_one_message(mapping, message):
    with pytest.raises(ValueError, match=message):
        read(mapping)


@pytest.mark.parametrize("mapping", [[("art", "x")], "art", 3])
def test_what_is_no_mapping_is_named(mapping):
    with pytest.raises(TypeError, match="class_mapping must be a dict"):
        read(mapping)


def test_numbers_and_strings_are_told_apart():
    with pytest.raises(ValueError, match="'1' is str, the class 1 is int"):
        read({"1": 5}, [0, 1, 2])
    assert read({1.0: np.int64(7)}, np.array([0, 1, 2])).after.names.tolist() == [
        0,
        2,
        7,
    ]
    named = read({True: "yes", False: "no"}, [False, True]).after
    assert named.names.tolist() == ["no", "yes"]


def test_classes_of_now_may_be_listed_instead():
    change = read({"spam": "unwanted"}, ["ham", "unwanted"], is_fitted=False)
    assert change.is_ahead
    assert change.vocabulary == ["ham", "unwanted", "spam"]
    with pytest.raises(ValueError, match="'spam', which is none of the classes"):
        read({"spam": "unwanted"}, ["ham", "unwanted"])


def test_a_part_may_keep_the_name_only_where_it_is_known_which_programs_are_older():
    assert read({"sport": ["sport", "chess"]}).splits == {"sport": ("sport", "chess")}
    with pytest.raises(ValueError, match="maps 'sport' into itself"):
        read({"sport": ["sport", "chess"]}, is_fitted=False)


@settings(max_examples=40)
@given(st.data())
def test_two_steps_give_what_one_gives(data):
    names = [f"c{k}" for k in range(data.draw(st.integers(3, 6)))]
    classes = Classes.listed(names)
    ends = st.sampled_from(["x", "y", *names])
    first = data.draw(st.dictionaries(st.sampled_from(names), ends))
    try:
        one = ClassMapping.read(first, classes)
        keys = list(one.after.described)
        two = ClassMapping.read(
            data.draw(st.dictionaries(st.sampled_from(keys), st.none() | ends)),
            one.after,
        )
    except ValueError:  # what cannot be followed is met in other tests
        return
    proba = np.random.default_rng(len(names)).dirichlet(np.ones(len(names)), 5)
    prior = np.full(len(names), 1 / len(names))
    steps = two.map_proba(
        one.map_proba(proba, prior), one.map_values(prior, prior, add=True)
    )
    whole = {name: two.follow(one.follow([name])) for name in names}
    for k, now in enumerate(two.after.names.tolist()):
        members = [j for j, name in enumerate(names) if whole[name] == (now,)]
        left = [j for j, name in enumerate(names) if whole[name]]
        expected = proba[:, members].sum(axis=1) / proba[:, left].sum(axis=1)
        np.testing.assert_allclose(steps[:, k], expected, atol=1e-9)
