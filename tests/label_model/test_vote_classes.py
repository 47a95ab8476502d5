import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_alchemist.exceptions import ClassesWarning
from sklearn_alchemist.label_model import (
    answers_of_votes,
    check_class_indices,
    check_confusion_size,
    class_of_answers,
    classes_of_votes,
    warn_if_ambiguous,
)


@pytest.mark.parametrize("bad", [2, -2, 0.5])
def test_a_vote_that_is_no_class_is_named_with_its_column(bad):
    votes = np.array([[0, -1, 1], [1, 0, bad]])
    with pytest.raises(ValueError, match=f"Column 2 of the votes holds {bad}"):
        check_class_indices(votes, 2)


def test_whole_numbers_are_class_indices_whatever_their_type():
    check_class_indices(np.array([[0.0, -1.0, 1.0]]), 2)


def test_votes_alone_make_the_classes():
    assert_array_equal(classes_of_votes(np.array([[-1.0, 2.0]])), [0, 1, 2])


def test_abstentions_alone_make_one_class():
    assert_array_equal(classes_of_votes(np.array([[-1, -1]])), [0])


@pytest.mark.parametrize("bad", [0.5, -2])
def test_votes_alone_must_be_indices(bad):
    with pytest.raises(ValueError, match="Without `classes` and without y"):
        classes_of_votes(np.array([[0, bad]]))


def test_abstaining_comes_first_among_answers():
    assert_array_equal(answers_of_votes(np.array([[-3, 5], [0, 5]])), [-1, -3, 0, 5])


def test_answers_mean_the_class_whose_index_they_are():
    meaning = class_of_answers(np.array([-1, 1, 0.5]), 2)
    assert_array_equal(meaning, [[False, False], [False, True], [False, False]])


def test_more_vote_indices_than_classes_warn():
    with pytest.warns(ClassesWarning, match="Pass all classes as `classes`"):
        warn_if_ambiguous(np.array([[0, 2]]), 2)


@pytest.mark.parametrize(
    "votes", [[[0, 1]], [[0.5, 7.0]], [[-2, 7]]], ids=["few", "fractions", "negative"]
)
def test_votes_that_are_no_indices_of_more_classes_do_not_warn(votes):
    warn_if_ambiguous(np.array(votes), 2)


def test_a_table_that_would_fill_the_memory_is_refused():
    with pytest.raises(ValueError, match="measurements rather than votes"):
        check_confusion_size(10, 2, 10**7)
