import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_alchemist.data import Classes
from sklearn_alchemist.label_model import Rows, read_rows

VOTES = np.array([[0, -1], [1, 1], [0, -1], [1, 0]])


def test_samples_of_weight_zero_are_left_out_with_their_labels():
    y = ["a", "b", "c", "b"]
    rows, classes = read_rows(VOTES, y, [1, 2, 0, 1], None, learns=True)
    assert_array_equal(rows.votes, VOTES[[0, 1, 3]])
    assert_array_equal(rows.counts, [1, 2, 1])
    assert_array_equal(rows.labels, [0, 1, 1])
    assert_array_equal(classes.names, ["a", "b"])


def test_labels_that_are_not_learned_from_name_the_classes_only():
    rows, classes = read_rows(VOTES, [3, 5, 3, 3], None, None, learns=False)
    assert rows.labels is None
    assert_array_equal(classes.names, [3, 5])


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="Negative values"):
        read_rows(VOTES, None, [1, -1, 1, 1], None, learns=False)


def test_equal_rows_are_joined_only_if_their_labels_are_equal():
    labels = np.array([0, 1, -1, 1])
    rows = Rows(VOTES, labels, np.ones(4)).collapse()
    assert_array_equal(rows.votes, [[0, -1], [0, -1], [1, 0], [1, 1]])
    assert_array_equal(rows.labels, [-1, 0, 1, 1])
    assert_array_equal(Rows(VOTES, None, np.ones(4)).collapse().counts, [2, 1, 1])


def test_rows_are_appended_with_labels_and_counts():
    first = Rows(VOTES[:1], np.array([1]), np.array([2.0]))
    both = first.followed_by(Rows(VOTES[1:2], np.array([-1]), np.array([3.0])))
    assert_array_equal(both.votes, VOTES[:2])
    assert_array_equal(both.labels, [1, -1])
    assert_array_equal(both.counts, [2, 3])


def test_minus_one_is_a_label_where_it_is_a_class():
    for classes, codes in (([-1, 1], [0, 1]), ([0, 1], [-1, 1])):
        known = Classes.listed(classes)
        rows, _ = read_rows(VOTES[:2], [-1, 1], None, known, learns=True)
        assert_array_equal(rows.labels, codes)
