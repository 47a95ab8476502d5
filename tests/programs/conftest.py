"""Shorthands of the tests of programs."""

import textwrap

import pytest

from sklearn_alchemist.programs import LabelingProgram, close_workers


@pytest.fixture
def make():
    """Give a function that makes a program of indented source."""

    def make(source, name="program", **options):
        return LabelingProgram(name, textwrap.dedent(source), **options)

    return make


@pytest.fixture(scope="session", autouse=True)
def _no_worker_is_left():
    yield
    close_workers()
