"""Logistic regression on probabilities is scikit-learn's, however many features."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from sklearn_alchemist.distillation import fit_logistic

N_ROWS = 40


@pytest.fixture(scope="module")
def rows():
    """More terms than texts, and a text that occurs twice."""
    some = sparse.random(N_ROWS - 1, 900, 0.3, format="csr", random_state=0)
    return sparse.vstack([some, some[:1]]).tocsr()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("intercept", [True, False])
def test_the_objective_is_that_of_each_row_once_a_class(rows, n_classes, intercept):
    target = np.random.default_rng(0).dirichlet(np.ones(n_classes), N_ROWS)
    model = LogisticRegression(C=10, tol=1e-7, max_iter=2000, fit_intercept=intercept)
    ours = fit_logistic(model, rows, target, np.arange(n_classes))
    theirs = LogisticRegression(**model.get_params()).fit(
        sparse.vstack([rows] * n_classes),
        np.repeat(np.arange(n_classes), N_ROWS),
        sample_weight=target.T.ravel(),
    )
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=2e-3)
    np.testing.assert_allclose(
        ours.predict_proba(rows), theirs.predict_proba(rows), atol=1e-3
    )


def test_who_starts_at_the_solution_stays_there(rows):
    target = np.random.default_rng(0).dirichlet(np.ones(3), N_ROWS)
    model, classes = LogisticRegression(C=10, tol=1e-5, max_iter=2000), np.arange(3)
    first = fit_logistic(model, rows, target, classes)
    again = LogisticRegression(**model.get_params())
    again = fit_logistic(again, rows, target, classes, start=first)
    assert again.n_iter_[0] < first.n_iter_[0] / 2
    np.testing.assert_allclose(again.coef_, first.coef_, atol=1e-3)


def test_rows_without_a_feature_get_the_share_of_the_classes():
    target = np.tile([0.5, 0.3, 0.2], (N_ROWS, 1))
    empty = sparse.csr_matrix((N_ROWS, 900))
    model = fit_logistic(LogisticRegression(tol=1e-6), empty, target, np.arange(3))
    np.testing.assert_allclose(model.predict_proba(empty), target, atol=1e-3)


def test_dense_features_that_vary_together_need_few_passes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 40))
    X += 0.1 * rng.normal(size=X.shape)
    target = rng.dirichlet(np.ones(3), 300)
    model = LogisticRegression(C=10, tol=1e-6, max_iter=5000)
    ours = fit_logistic(model, X, target, np.arange(3))
    theirs = LogisticRegression(**model.get_params()).fit(
        np.vstack([X] * 3), np.repeat(np.arange(3), 300), sample_weight=target.T.ravel()
    )
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4
    )
    assert ours.n_iter_[0] < theirs.n_iter_[0] / 3
