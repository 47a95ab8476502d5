import numpy as np
import pytest
from scipy.stats import binom

from sklearn_alchemist.distillation import find_error_bound, plain_sample, upper_bound


@pytest.mark.parametrize(("n_wrong", "n_labels"), [(0, 45), (3, 140), (20, 200)])
def test_the_bound_is_that_of_the_binomial_distribution(n_wrong, n_labels):
    bound = upper_bound(n_wrong, n_labels, 0.9)
    assert binom.cdf(n_wrong, n_labels, bound) == pytest.approx(0.1)


def test_all_wrong_and_no_label_bound_nothing():
    assert upper_bound(5, 5, 0.9) == 1
    assert upper_bound(0, 0, 0.9) == 1


def drawn_promise(rng, error, n_labels, n=5000):
    """A promise from labels of records whose errors sit among the unsure."""
    sure = rng.random(n)
    wrong = rng.random(n) < 2 * error * (1 - sure)
    drawn = rng.choice(n, n_labels, replace=False)
    promise = find_error_bound(
        sure, drawn, wrong[drawn], target_error=0.05, confidence=0.9
    )
    kept = promise.threshold is None or wrong[sure >= promise.threshold].mean() <= 0.05
    return promise, kept


@pytest.mark.parametrize("error", [0.03, 0.06, 0.1])
def test_a_promise_is_kept_as_often_as_it_says(error):
    rng = np.random.default_rng(0)
    kept = [drawn_promise(rng, error, 200)[1] for _ in range(300)]
    assert np.mean(kept) >= 0.87  # 0.9 but for three standard deviations


def test_nothing_is_promised_of_bad_labels_or_by_few():
    rng = np.random.default_rng(0)
    bad, _ = drawn_promise(rng, 0.3, 200)
    few, _ = drawn_promise(rng, 0.0, 60)
    assert bad.threshold is None
    assert "are wrong" in bad.reason
    assert few.threshold is None
    assert "60 random labels" in few.reason


def test_labels_of_unequal_chance_are_thinned_to_a_plain_sample():
    rng = np.random.RandomState(0)
    chance = np.repeat([0.2, 0.8, np.nan], 4000)
    asked = np.where(rng.random(12000) < chance, chance, np.nan)
    drawn = plain_sample(asked, rng)
    first = np.mean(drawn < 4000)
    assert first == pytest.approx(0.5, abs=0.05)
