import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_alchemist.distillation import _soft_labels as soft_labels
from sklearn_alchemist.distillation import expand, fit_on_soft_labels

CLASSES = np.array(["a", "b"])
ALL = np.ones(4, dtype=bool)
X = np.array([[0.0], [1.0], [2.0], [3.0]])


@given(arrays(float, (7, 4), elements=st.floats(0.001, 1)))
def test_weights_of_a_row_sum_to_one(raw):
    posterior = raw / raw.sum(axis=1, keepdims=True)
    rows, codes, weights = expand(posterior)
    np.testing.assert_allclose(np.bincount(rows, weights), 1)
    assert (codes < 4).all()


def test_improbable_classes_are_left_out():
    rows, codes, weights = expand(np.array([[0.995, 0.005]]))
    assert (rows.tolist(), codes.tolist(), weights.tolist()) == ([0], [0], [1.0])


def test_a_row_with_many_improbable_classes_keeps_its_best():
    posterior = np.full((1, 200), 1 / 201)
    posterior[0, 7] *= 2
    rows, codes, _ = expand(posterior)
    assert (rows.tolist(), codes.tolist()) == ([0], [7])


@pytest.mark.parametrize(
    "student", [GaussianNB(), make_pipeline(StandardScaler(), GaussianNB())]
)
def test_soft_labels_are_weights(student):
    posterior = np.array([[1, 0], [0.5, 0.5], [0.5, 0.5], [0, 1]])
    fit_on_soft_labels(student, X, posterior, CLASSES, used=ALL)
    last = student[-1] if hasattr(student, "steps") else student
    np.testing.assert_allclose(last.class_prior_, 0.5)
    np.testing.assert_allclose(last.class_count_, 2)


def test_a_classifier_without_weights_gets_the_most_probable_class():
    posterior = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    student = KNeighborsClassifier(1)
    fit_on_soft_labels(student, X, posterior, CLASSES, used=ALL)
    assert student.predict(X).tolist() == ["a", "a", "b", "b"]


def test_rows_that_are_not_covered_are_not_learned():
    posterior = np.array([[1, 0], [0, 1], [0, 1], [0.2, 0.8]])
    covered = np.array([True, False, True, False])
    student = KNeighborsClassifier(1)
    fit_on_soft_labels(student, X, posterior, CLASSES, used=covered)
    assert student.n_samples_fit_ == 2


def test_weights_of_the_user_multiply():
    posterior = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    params = {"sample_weight": np.array([3, 3, 1, 1])}
    student = fit_on_soft_labels(
        GaussianNB(), X, posterior, CLASSES, used=ALL, fit_params=params
    )
    np.testing.assert_allclose(student.class_prior_, [0.75, 0.25])


@pytest.mark.parametrize("covered", [ALL, ~ALL])
def test_one_class_or_no_row_gives_the_average_of_the_probabilities(covered):
    posterior = np.tile([0.999, 0.001], (4, 1))
    student = fit_on_soft_labels(
        LogisticRegression(), X, posterior, CLASSES, used=covered
    )
    np.testing.assert_allclose(student.predict_proba(X), posterior)


@pytest.mark.parametrize("student", [MultinomialNB(), Perceptron()])
def test_very_many_rows_are_handed_over_in_chunks(student, monkeypatch):
    monkeypatch.setattr(soft_labels, "_CHUNK", 64)
    sizes = []
    partial_fit = type(student).partial_fit

    def count(self, X, y, classes=None, sample_weight=None):
        sizes.append(len(y))
        return partial_fit(self, X, y, classes=classes, sample_weight=sample_weight)

    monkeypatch.setattr(type(student), "partial_fit", count)
    rng = np.random.default_rng(0)
    truth = np.sort(rng.integers(0, 2, 500))  # a chunk in this order holds one class
    X = np.eye(2)[truth] * 3 + rng.random((500, 2))
    posterior = np.eye(2)[truth] * 0.9 + 0.05
    used = np.ones(500, dtype=bool)
    fitted = fit_on_soft_labels(clone(student), X, posterior, CLASSES, used=used)
    assert max(sizes) <= 64
    assert (fitted.predict(X) == CLASSES[truth]).mean() > 0.95
