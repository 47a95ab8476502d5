"""What is offered in place of the standard library does what that does."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_alchemist.programs import _safe_stdlib as ours
from sklearn_alchemist.programs import run_programs


def classes_with(**options):
    """Make the same class with Python's dataclass and with ours."""
    made = []
    for module in (dataclasses, ours):

        class Point:
            x: int
            y: int = 2
            tags: list = getattr(module, "field", ours.Field)(
                default_factory=list, compare=False
            )

        Point.__module__ = "program"
        made.append(module.dataclass(**options)(Point))
    return made


@pytest.mark.parametrize(
    "options",
    [{}, {"order": True}, {"frozen": True}, {"eq": False}, {"repr": False}],
    ids=str,
)
@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_data_classes_are_those_of_python(options, a, b, c):
    said = []
    for cls in classes_with(**options):
        one, other = cls(a, b), cls(a, y=c, tags=[1])
        asked = [one == other, one.x, other.tags]
        if options.get("order"):
            asked += [one < other, one >= other]
        if options.get("frozen"):
            asked.append(hash(one) == hash(cls(a, b)))
            with pytest.raises(AttributeError):
                one.x = 1
        if options.get("repr", True):
            asked.append(repr(one).rpartition("Point")[2])
        for wrong in [(), (1, 2, [], 4)]:
            with pytest.raises(TypeError):
                cls(*wrong)
        with pytest.raises(TypeError):
            cls(1, unknown=2)
        said.append(asked)
    assert said[0] == said[1]


def test_no_method_of_a_data_class_changes_what_is_not_its_own(make):
    attack = """
        from dataclasses import dataclass, field
        from collections import Counter

        @dataclass
        class C:
            name: str

        found = field()

        def label(text):
            C.__init__(found, "x): import os #")
            return "spam"
        """
    result = run_programs([make(attack)], {"text": ["a"]}, ["ham", "spam"])
    assert result.failures == ({"error": 1},)


def test_names_of_a_tuple_are_nothing_but_text():
    class Liar(str):
        def isidentifier(self):
            return True

        def __str__(self):
            return self

    with pytest.raises(ValueError, match="identifiers"):
        ours.namedtuple("T", [Liar("a=print('here')")])
    assert ours.namedtuple("T", "a, b", defaults=[3])(1) == (1, 3)


def test_chance_depends_on_the_row_only(make):
    source = """
        import random
        random.random()
        def label(text):
            return random.randint(0, 9)
        """
    texts = [f"{n}" for n in range(60)]
    first = run_programs([make(source)], {"text": texts}, list(range(10))).votes
    last = run_programs([make(source)], {"text": texts[::-1]}, list(range(10))).votes
    assert first.tolist() == last[::-1].tolist()
    assert len(set(first.ravel().tolist())) > 5
